#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <tuple>
#include <vector>

#include <tapedeck/nn/any_module.h>
#include <tapedeck/nn/cloneable.h>
#include <tapedeck/nn/module_holder.h>
#include <tapedeck/nn/options/pooling.h>

namespace tapedeck::nn {

// Pools over the last one or two axes of [(N,) C, (H,) W]. Along an axis the output has
// floor((i + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1 elements.

/// The largest element of each window; where several are equal, the first.
class MaxPool1dImpl : public Cloneable<MaxPool1dImpl> {
 public:
  explicit MaxPool1dImpl(const MaxPool1dOptions& options_) : options(options_) {}
  MaxPool1dImpl(ExpandingArray<1> kernel_size) : options(kernel_size) {}
  MaxPool1dImpl(ExpandingArray<1> kernel_size, ExpandingArray<1> stride,
                ExpandingArray<1> padding = 0, ExpandingArray<1> dilation = 1,
                bool ceil_mode = false)
      : options(MaxPool1dOptions(kernel_size)
                    .stride(stride)
                    .padding(padding)
                    .dilation(dilation)
                    .ceil_mode(ceil_mode)) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);
  /// Also the position in its plane that each maximum came from.
  std::tuple<Tensor, Tensor> forward_with_indices(const Tensor& input);

  MaxPool1dOptions options;
};
TAPEDECK_LIBRARY_MODULE(MaxPool1d);

/// The largest element of each window; where several are equal, the first.
class MaxPool2dImpl : public Cloneable<MaxPool2dImpl> {
 public:
  explicit MaxPool2dImpl(const MaxPool2dOptions& options_) : options(options_) {}
  MaxPool2dImpl(ExpandingArray<2> kernel_size) : options(kernel_size) {}
  MaxPool2dImpl(ExpandingArray<2> kernel_size, ExpandingArray<2> stride,
                ExpandingArray<2> padding = 0, ExpandingArray<2> dilation = 1,
                bool ceil_mode = false)
      : options(MaxPool2dOptions(kernel_size)
                    .stride(stride)
                    .padding(padding)
                    .dilation(dilation)
                    .ceil_mode(ceil_mode)) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);
  /// Also the position in its plane that each maximum came from.
  std::tuple<Tensor, Tensor> forward_with_indices(const Tensor& input);

  MaxPool2dOptions options;
};
TAPEDECK_LIBRARY_MODULE(MaxPool2d);

/// The mean of each window.
class AvgPool1dImpl : public Cloneable<AvgPool1dImpl> {
 public:
  explicit AvgPool1dImpl(const AvgPool1dOptions& options_) : options(options_) {}
  AvgPool1dImpl(ExpandingArray<1> kernel_size) : options(kernel_size) {}
  AvgPool1dImpl(ExpandingArray<1> kernel_size, ExpandingArray<1> stride,
                ExpandingArray<1> padding = 0, bool ceil_mode = false,
                bool count_include_pad = true)
      : options(AvgPool1dOptions(kernel_size)
                    .stride(stride)
                    .padding(padding)
                    .ceil_mode(ceil_mode)
                    .count_include_pad(count_include_pad)) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  AvgPool1dOptions options;
};
TAPEDECK_LIBRARY_MODULE(AvgPool1d);

/// The mean of each window.
class AvgPool2dImpl : public Cloneable<AvgPool2dImpl> {
 public:
  explicit AvgPool2dImpl(const AvgPool2dOptions& options_) : options(options_) {}
  AvgPool2dImpl(ExpandingArray<2> kernel_size) : options(kernel_size) {}
  AvgPool2dImpl(ExpandingArray<2> kernel_size, ExpandingArray<2> stride,
                ExpandingArray<2> padding = 0, bool ceil_mode = false,
                bool count_include_pad = true)
      : options(AvgPool2dOptions(kernel_size)
                    .stride(stride)
                    .padding(padding)
                    .ceil_mode(ceil_mode)
                    .count_include_pad(count_include_pad)) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  AvgPool2dOptions options;
};
TAPEDECK_LIBRARY_MODULE(AvgPool2d);

/// The mean of each of output_size equal parts.
class AdaptiveAvgPool1dImpl : public Cloneable<AdaptiveAvgPool1dImpl> {
 public:
  explicit AdaptiveAvgPool1dImpl(const AdaptiveAvgPool1dOptions& options_) : options(options_) {}
  AdaptiveAvgPool1dImpl(ExpandingArray<1> output_size) : options(output_size) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  AdaptiveAvgPool1dOptions options;
};
TAPEDECK_LIBRARY_MODULE(AdaptiveAvgPool1d);

/// The largest element of each of output_size equal parts.
class AdaptiveMaxPool1dImpl : public Cloneable<AdaptiveMaxPool1dImpl> {
 public:
  explicit AdaptiveMaxPool1dImpl(const AdaptiveMaxPool1dOptions& options_) : options(options_) {}
  AdaptiveMaxPool1dImpl(ExpandingArray<1> output_size) : options(output_size) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);
  /// Also the position in its plane that each maximum came from.
  std::tuple<Tensor, Tensor> forward_with_indices(const Tensor& input);

  AdaptiveMaxPool1dOptions options;
};
TAPEDECK_LIBRARY_MODULE(AdaptiveMaxPool1d);

/// The mean of each of output_size equal parts; nullopt keeps a size.
class AdaptiveAvgPool2dImpl : public Cloneable<AdaptiveAvgPool2dImpl> {
 public:
  explicit AdaptiveAvgPool2dImpl(const AdaptiveAvgPool2dOptions& options_) : options(options_) {}
  AdaptiveAvgPool2dImpl(ExpandingArrayWithOptionalElem<2> output_size) : options(output_size) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  AdaptiveAvgPool2dOptions options;
};
TAPEDECK_LIBRARY_MODULE(AdaptiveAvgPool2d);

/// The largest element of each of output_size equal parts; nullopt keeps a size.
class AdaptiveMaxPool2dImpl : public Cloneable<AdaptiveMaxPool2dImpl> {
 public:
  explicit AdaptiveMaxPool2dImpl(const AdaptiveMaxPool2dOptions& options_) : options(options_) {}
  AdaptiveMaxPool2dImpl(ExpandingArrayWithOptionalElem<2> output_size) : options(output_size) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);
  /// Also the position in its plane that each maximum came from.
  std::tuple<Tensor, Tensor> forward_with_indices(const Tensor& input);

  AdaptiveMaxPool2dOptions options;
};
TAPEDECK_LIBRARY_MODULE(AdaptiveMaxPool2d);

/// Puts values back to where MaxPool1d::forward_with_indices took them from; zeros elsewhere.
class MaxUnpool1dImpl : public Cloneable<MaxUnpool1dImpl> {
 public:
  explicit MaxUnpool1dImpl(const MaxUnpool1dOptions& options_) : options(options_) {}
  MaxUnpool1dImpl(ExpandingArray<1> kernel_size) : options(kernel_size) {}
  MaxUnpool1dImpl(ExpandingArray<1> kernel_size, ExpandingArray<1> stride,
                  ExpandingArray<1> padding = 0)
      : options(MaxUnpool1dOptions(kernel_size).stride(stride).padding(padding)) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input, const Tensor& indices,
                 const std::optional<std::vector<std::int64_t>>& output_size = std::nullopt);

  MaxUnpool1dOptions options;

  TAPEDECK_DECLARE_DEFAULT_ARGS()
};
TAPEDECK_LIBRARY_MODULE(MaxUnpool1d);

/// Puts values back to where MaxPool2d::forward_with_indices took them from; zeros elsewhere.
class MaxUnpool2dImpl : public Cloneable<MaxUnpool2dImpl> {
 public:
  explicit MaxUnpool2dImpl(const MaxUnpool2dOptions& options_) : options(options_) {}
  MaxUnpool2dImpl(ExpandingArray<2> kernel_size) : options(kernel_size) {}
  MaxUnpool2dImpl(ExpandingArray<2> kernel_size, ExpandingArray<2> stride,
                  ExpandingArray<2> padding = 0)
      : options(MaxUnpool2dOptions(kernel_size).stride(stride).padding(padding)) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input, const Tensor& indices,
                 const std::optional<std::vector<std::int64_t>>& output_size = std::nullopt);

  MaxUnpool2dOptions options;

  TAPEDECK_DECLARE_DEFAULT_ARGS()
};
TAPEDECK_LIBRARY_MODULE(MaxUnpool2d);

/// (sum of x^p over each window)^(1/p) with p = norm_type.
class LPPool1dImpl : public Cloneable<LPPool1dImpl> {
 public:
  explicit LPPool1dImpl(const LPPool1dOptions& options_) : options(options_) {}
  LPPool1dImpl(double norm_type, ExpandingArray<1> kernel_size) : options(norm_type, kernel_size) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  LPPool1dOptions options;
};
TAPEDECK_LIBRARY_MODULE(LPPool1d);

/// (sum of x^p over each window)^(1/p) with p = norm_type.
class LPPool2dImpl : public Cloneable<LPPool2dImpl> {
 public:
  explicit LPPool2dImpl(const LPPool2dOptions& options_) : options(options_) {}
  LPPool2dImpl(double norm_type, ExpandingArray<2> kernel_size) : options(norm_type, kernel_size) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  LPPool2dOptions options;
};
TAPEDECK_LIBRARY_MODULE(LPPool2d);

}  // namespace tapedeck::nn
