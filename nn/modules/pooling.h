#pragma once

#include <cstddef>
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

// Pools over the last one, two or three axes of [(N,) C, (D,) (H,) W]. Along an axis the output has
// floor((i + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1 elements.

namespace detail {

template <std::size_t D, typename Derived>
class MaxPoolNdImpl : public Cloneable<Derived> {
 public:
  explicit MaxPoolNdImpl(const MaxPoolOptions<D>& options_) : options(options_) {}
  MaxPoolNdImpl(ExpandingArray<D> kernel_size) : options(kernel_size) {}
  MaxPoolNdImpl(ExpandingArray<D> kernel_size, ExpandingArray<D> stride,
                ExpandingArray<D> padding = 0, ExpandingArray<D> dilation = 1,
                bool ceil_mode = false)
      : options(MaxPoolOptions<D>(kernel_size)
                    .stride(stride)
                    .padding(padding)
                    .dilation(dilation)
                    .ceil_mode(ceil_mode)) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);
  /// Also the position in its plane that each maximum came from.
  std::tuple<Tensor, Tensor> forward_with_indices(const Tensor& input);

  MaxPoolOptions<D> options;
};

template <std::size_t D, typename Derived>
class AvgPoolNdImpl : public Cloneable<Derived> {
 public:
  explicit AvgPoolNdImpl(const AvgPoolOptions<D>& options_) : options(options_) {}
  AvgPoolNdImpl(ExpandingArray<D> kernel_size) : options(kernel_size) {}
  AvgPoolNdImpl(ExpandingArray<D> kernel_size, ExpandingArray<D> stride,
                ExpandingArray<D> padding = 0, bool ceil_mode = false,
                bool count_include_pad = true)
      : options(AvgPoolOptions<D>(kernel_size)
                    .stride(stride)
                    .padding(padding)
                    .ceil_mode(ceil_mode)
                    .count_include_pad(count_include_pad)) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  AvgPoolOptions<D> options;
};

template <std::size_t D, typename OutputSize, typename Derived>
class AdaptiveMaxPoolNdImpl : public Cloneable<Derived> {
 public:
  explicit AdaptiveMaxPoolNdImpl(const AdaptiveMaxPoolOptions<OutputSize>& options_)
      : options(options_) {}
  AdaptiveMaxPoolNdImpl(OutputSize output_size) : options(output_size) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);
  /// Also the position in its plane that each maximum came from.
  std::tuple<Tensor, Tensor> forward_with_indices(const Tensor& input);

  AdaptiveMaxPoolOptions<OutputSize> options;
};

template <std::size_t D, typename OutputSize, typename Derived>
class AdaptiveAvgPoolNdImpl : public Cloneable<Derived> {
 public:
  explicit AdaptiveAvgPoolNdImpl(const AdaptiveAvgPoolOptions<OutputSize>& options_)
      : options(options_) {}
  AdaptiveAvgPoolNdImpl(OutputSize output_size) : options(output_size) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  AdaptiveAvgPoolOptions<OutputSize> options;
};

template <std::size_t D, typename Derived>
class MaxUnpoolNdImpl : public Cloneable<Derived> {
 public:
  explicit MaxUnpoolNdImpl(const MaxUnpoolOptions<D>& options_) : options(options_) {}
  MaxUnpoolNdImpl(ExpandingArray<D> kernel_size) : options(kernel_size) {}
  MaxUnpoolNdImpl(ExpandingArray<D> kernel_size, ExpandingArray<D> stride,
                  ExpandingArray<D> padding = 0)
      : options(MaxUnpoolOptions<D>(kernel_size).stride(stride).padding(padding)) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input, const Tensor& indices,
                 const std::optional<std::vector<std::int64_t>>& output_size = std::nullopt);

  MaxUnpoolOptions<D> options;
};

template <std::size_t D, typename Derived>
class LPPoolNdImpl : public Cloneable<Derived> {
 public:
  explicit LPPoolNdImpl(const LPPoolOptions<D>& options_) : options(options_) {}
  LPPoolNdImpl(double norm_type, ExpandingArray<D> kernel_size) : options(norm_type, kernel_size) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  LPPoolOptions<D> options;
};

}  // namespace detail

/// The largest element of each window; where several are equal, the first.
class MaxPool1dImpl : public detail::MaxPoolNdImpl<1, MaxPool1dImpl> {
 public:
  using MaxPoolNdImpl::MaxPoolNdImpl;
  ~MaxPool1dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(MaxPool1d);

/// The largest element of each window; where several are equal, the first.
class MaxPool2dImpl : public detail::MaxPoolNdImpl<2, MaxPool2dImpl> {
 public:
  using MaxPoolNdImpl::MaxPoolNdImpl;
  ~MaxPool2dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(MaxPool2d);

/// The largest element of each window; where several are equal, the first.
class MaxPool3dImpl : public detail::MaxPoolNdImpl<3, MaxPool3dImpl> {
 public:
  using MaxPoolNdImpl::MaxPoolNdImpl;
  ~MaxPool3dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(MaxPool3d);

/// The mean of each window.
class AvgPool1dImpl : public detail::AvgPoolNdImpl<1, AvgPool1dImpl> {
 public:
  using AvgPoolNdImpl::AvgPoolNdImpl;
  ~AvgPool1dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(AvgPool1d);

/// The mean of each window.
class AvgPool2dImpl : public detail::AvgPoolNdImpl<2, AvgPool2dImpl> {
 public:
  using AvgPoolNdImpl::AvgPoolNdImpl;
  ~AvgPool2dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(AvgPool2d);

/// The mean of each window.
class AvgPool3dImpl : public detail::AvgPoolNdImpl<3, AvgPool3dImpl> {
 public:
  using AvgPoolNdImpl::AvgPoolNdImpl;
  ~AvgPool3dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(AvgPool3d);

/// The largest element of each of output_size equal parts.
class AdaptiveMaxPool1dImpl
    : public detail::AdaptiveMaxPoolNdImpl<1, ExpandingArray<1>, AdaptiveMaxPool1dImpl> {
 public:
  using AdaptiveMaxPoolNdImpl::AdaptiveMaxPoolNdImpl;
  ~AdaptiveMaxPool1dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(AdaptiveMaxPool1d);

/// The largest element of each of output_size equal parts; nullopt keeps a size.
class AdaptiveMaxPool2dImpl
    : public detail::AdaptiveMaxPoolNdImpl<2, ExpandingArrayWithOptionalElem<2>,
                                           AdaptiveMaxPool2dImpl> {
 public:
  using AdaptiveMaxPoolNdImpl::AdaptiveMaxPoolNdImpl;
  ~AdaptiveMaxPool2dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(AdaptiveMaxPool2d);

/// The largest element of each of output_size equal parts; nullopt keeps a size.
class AdaptiveMaxPool3dImpl
    : public detail::AdaptiveMaxPoolNdImpl<3, ExpandingArrayWithOptionalElem<3>,
                                           AdaptiveMaxPool3dImpl> {
 public:
  using AdaptiveMaxPoolNdImpl::AdaptiveMaxPoolNdImpl;
  ~AdaptiveMaxPool3dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(AdaptiveMaxPool3d);

/// The mean of each of output_size equal parts.
class AdaptiveAvgPool1dImpl
    : public detail::AdaptiveAvgPoolNdImpl<1, ExpandingArray<1>, AdaptiveAvgPool1dImpl> {
 public:
  using AdaptiveAvgPoolNdImpl::AdaptiveAvgPoolNdImpl;
  ~AdaptiveAvgPool1dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(AdaptiveAvgPool1d);

/// The mean of each of output_size equal parts; nullopt keeps a size.
class AdaptiveAvgPool2dImpl
    : public detail::AdaptiveAvgPoolNdImpl<2, ExpandingArrayWithOptionalElem<2>,
                                           AdaptiveAvgPool2dImpl> {
 public:
  using AdaptiveAvgPoolNdImpl::AdaptiveAvgPoolNdImpl;
  ~AdaptiveAvgPool2dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(AdaptiveAvgPool2d);

/// The mean of each of output_size equal parts; nullopt keeps a size.
class AdaptiveAvgPool3dImpl
    : public detail::AdaptiveAvgPoolNdImpl<3, ExpandingArrayWithOptionalElem<3>,
                                           AdaptiveAvgPool3dImpl> {
 public:
  using AdaptiveAvgPoolNdImpl::AdaptiveAvgPoolNdImpl;
  ~AdaptiveAvgPool3dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(AdaptiveAvgPool3d);

/// Puts values back to where MaxPool1d::forward_with_indices took them from; zeros elsewhere.
class MaxUnpool1dImpl : public detail::MaxUnpoolNdImpl<1, MaxUnpool1dImpl> {
 public:
  using MaxUnpoolNdImpl::MaxUnpoolNdImpl;
  TAPEDECK_DECLARE_DEFAULT_ARGS()
};
TAPEDECK_LIBRARY_MODULE(MaxUnpool1d);

/// Puts values back to where MaxPool2d::forward_with_indices took them from; zeros elsewhere.
class MaxUnpool2dImpl : public detail::MaxUnpoolNdImpl<2, MaxUnpool2dImpl> {
 public:
  using MaxUnpoolNdImpl::MaxUnpoolNdImpl;
  TAPEDECK_DECLARE_DEFAULT_ARGS()
};
TAPEDECK_LIBRARY_MODULE(MaxUnpool2d);

/// Puts values back to where MaxPool3d::forward_with_indices took them from; zeros elsewhere.
class MaxUnpool3dImpl : public detail::MaxUnpoolNdImpl<3, MaxUnpool3dImpl> {
 public:
  using MaxUnpoolNdImpl::MaxUnpoolNdImpl;
  TAPEDECK_DECLARE_DEFAULT_ARGS()
};
TAPEDECK_LIBRARY_MODULE(MaxUnpool3d);

/// The largest of windows whose places vary by chance; see <tapedeck/ops/fractional_pool.h>.
class FractionalMaxPool2dImpl : public Cloneable<FractionalMaxPool2dImpl> {
 public:
  FractionalMaxPool2dImpl(ExpandingArray<2> kernel_size)
      : FractionalMaxPool2dImpl(FractionalMaxPool2dOptions(kernel_size)) {}
  /// \throws ValueError unless one of output_size and output_ratio is given, a ratio in (0, 1).
  explicit FractionalMaxPool2dImpl(FractionalMaxPool2dOptions options_);
  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);
  std::tuple<Tensor, Tensor> forward_with_indices(const Tensor& input);

  FractionalMaxPool2dOptions options;
};
TAPEDECK_LIBRARY_MODULE(FractionalMaxPool2d);

class FractionalMaxPool3dImpl : public Cloneable<FractionalMaxPool3dImpl> {
 public:
  FractionalMaxPool3dImpl(ExpandingArray<3> kernel_size)
      : FractionalMaxPool3dImpl(FractionalMaxPool3dOptions(kernel_size)) {}
  explicit FractionalMaxPool3dImpl(FractionalMaxPool3dOptions options_);
  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);
  std::tuple<Tensor, Tensor> forward_with_indices(const Tensor& input);

  FractionalMaxPool3dOptions options;
};
TAPEDECK_LIBRARY_MODULE(FractionalMaxPool3d);

/// (sum of x^p over each window)^(1/p) with p = norm_type.
class LPPool1dImpl : public detail::LPPoolNdImpl<1, LPPool1dImpl> {
 public:
  using LPPoolNdImpl::LPPoolNdImpl;
  ~LPPool1dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(LPPool1d);

/// (sum of x^p over each window)^(1/p) with p = norm_type.
class LPPool2dImpl : public detail::LPPoolNdImpl<2, LPPool2dImpl> {
 public:
  using LPPoolNdImpl::LPPoolNdImpl;
  ~LPPool2dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(LPPool2d);

}  // namespace tapedeck::nn
