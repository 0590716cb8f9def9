#pragma once

#include <cstdint>
#include <iosfwd>

#include <tapedeck/nn/cloneable.h>
#include <tapedeck/nn/module_holder.h>
#include <tapedeck/nn/options/activation.h>

namespace tapedeck::nn {

// Activations: elementwise but for GLU and the softmaxes. Input and output have one shape, but for
// GLU, which halves an axis.

/// max(x, 0).
class ReLUImpl : public Cloneable<ReLUImpl> {
 public:
  explicit ReLUImpl(const ReLUOptions& options_ = {}) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(Tensor input);

  ReLUOptions options;
};
TAPEDECK_LIBRARY_MODULE(ReLU);

/// min(max(x, 0), 6).
class ReLU6Impl : public Cloneable<ReLU6Impl> {
 public:
  explicit ReLU6Impl(const ReLU6Options& options_ = {}) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(Tensor input);

  ReLU6Options options;
};
TAPEDECK_LIBRARY_MODULE(ReLU6);

/// x for x > 0, else negative_slope x.
class LeakyReLUImpl : public Cloneable<LeakyReLUImpl> {
 public:
  explicit LeakyReLUImpl(const LeakyReLUOptions& options_ = {}) : options(options_) {}
  explicit LeakyReLUImpl(double negative_slope)
      : LeakyReLUImpl(LeakyReLUOptions().negative_slope(negative_slope)) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(Tensor input);

  LeakyReLUOptions options;
};
TAPEDECK_LIBRARY_MODULE(LeakyReLU);

/// LeakyReLU with a slope that is drawn from [lower, upper) in training, and is their mean
/// otherwise.
class RReLUImpl : public Cloneable<RReLUImpl> {
 public:
  explicit RReLUImpl(const RReLUOptions& options_ = {}) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(Tensor input);

  RReLUOptions options;
};
TAPEDECK_LIBRARY_MODULE(RReLU);

/// x for x > 0, else alpha (exp(x) - 1).
class ELUImpl : public Cloneable<ELUImpl> {
 public:
  explicit ELUImpl(const ELUOptions& options_ = {}) : options(options_) {}
  explicit ELUImpl(double alpha) : ELUImpl(ELUOptions().alpha(alpha)) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(Tensor input);

  ELUOptions options;
};
TAPEDECK_LIBRARY_MODULE(ELU);

/// ELU with the constants of Klambauer et al., 2017.
class SELUImpl : public Cloneable<SELUImpl> {
 public:
  explicit SELUImpl(const SELUOptions& options_ = {}) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(Tensor input);

  SELUOptions options;
};
TAPEDECK_LIBRARY_MODULE(SELU);

/// x for x > 0, else alpha (exp(x / alpha) - 1).
class CELUImpl : public Cloneable<CELUImpl> {
 public:
  explicit CELUImpl(const CELUOptions& options_ = {}) : options(options_) {}
  explicit CELUImpl(double alpha) : CELUImpl(CELUOptions().alpha(alpha)) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(Tensor input);

  CELUOptions options;
};
TAPEDECK_LIBRARY_MODULE(CELU);

/// x Phi(x), or its approximation by tanh.
class GELUImpl : public Cloneable<GELUImpl> {
 public:
  explicit GELUImpl(const GELUOptions& options_ = {}) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  GELUOptions options;
};
TAPEDECK_LIBRARY_MODULE(GELU);

/// x sigmoid(x).
class SiLUImpl : public Cloneable<SiLUImpl> {
 public:
  explicit SiLUImpl(const SiLUOptions& options_ = {}) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(Tensor input);

  SiLUOptions options;
};
TAPEDECK_LIBRARY_MODULE(SiLU);

/// x tanh(softplus(x)).
class MishImpl : public Cloneable<MishImpl> {
 public:
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);
};
TAPEDECK_LIBRARY_MODULE(Mish);

/// 1 / (1 + exp(-x)).
class SigmoidImpl : public Cloneable<SigmoidImpl> {
 public:
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);
};
TAPEDECK_LIBRARY_MODULE(Sigmoid);

/// The hyperbolic tangent.
class TanhImpl : public Cloneable<TanhImpl> {
 public:
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);
};
TAPEDECK_LIBRARY_MODULE(Tanh);

/// log(sigmoid(x)), finite for any x.
class LogSigmoidImpl : public Cloneable<LogSigmoidImpl> {
 public:
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);
};
TAPEDECK_LIBRARY_MODULE(LogSigmoid);

/// min(max(x + 3, 0), 6) / 6.
class HardsigmoidImpl : public Cloneable<HardsigmoidImpl> {
 public:
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);
};
TAPEDECK_LIBRARY_MODULE(Hardsigmoid);

/// x hardsigmoid(x).
class HardswishImpl : public Cloneable<HardswishImpl> {
 public:
  explicit HardswishImpl(const HardswishOptions& options_ = {}) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  HardswishOptions options;
};
TAPEDECK_LIBRARY_MODULE(Hardswish);

/// min(max(x, min_val), max_val).
class HardtanhImpl : public Cloneable<HardtanhImpl> {
 public:
  /// \throws ValueError unless min_val < max_val.
  explicit HardtanhImpl(const HardtanhOptions& options_ = {});
  HardtanhImpl(double min_val, double max_val)
      : HardtanhImpl(HardtanhOptions().min_val(min_val).max_val(max_val)) {}
  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(Tensor input);

  HardtanhOptions options;
};
TAPEDECK_LIBRARY_MODULE(Hardtanh);

/// x outside of [-lambda, lambda], else 0.
class HardshrinkImpl : public Cloneable<HardshrinkImpl> {
 public:
  explicit HardshrinkImpl(const HardshrinkOptions& options_ = {}) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  HardshrinkOptions options;
};
TAPEDECK_LIBRARY_MODULE(Hardshrink);

/// x moved towards 0 by lambda, and 0 within it.
class SoftshrinkImpl : public Cloneable<SoftshrinkImpl> {
 public:
  explicit SoftshrinkImpl(const SoftshrinkOptions& options_ = {}) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  SoftshrinkOptions options;
};
TAPEDECK_LIBRARY_MODULE(Softshrink);

/// log(1 + exp(beta x)) / beta, and x itself where beta x > threshold.
class SoftplusImpl : public Cloneable<SoftplusImpl> {
 public:
  explicit SoftplusImpl(const SoftplusOptions& options_ = {}) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  SoftplusOptions options;
};
TAPEDECK_LIBRARY_MODULE(Softplus);

/// x / (1 + |x|).
class SoftsignImpl : public Cloneable<SoftsignImpl> {
 public:
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);
};
TAPEDECK_LIBRARY_MODULE(Softsign);

/// x - tanh(x).
class TanhshrinkImpl : public Cloneable<TanhshrinkImpl> {
 public:
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);
};
TAPEDECK_LIBRARY_MODULE(Tanhshrink);

/// x where x > threshold, else value.
class ThresholdImpl : public Cloneable<ThresholdImpl> {
 public:
  explicit ThresholdImpl(const ThresholdOptions& options_) : options(options_) {}
  ThresholdImpl(double threshold, double value)
      : ThresholdImpl(ThresholdOptions(threshold, value)) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(Tensor input);

  ThresholdOptions options;
};
TAPEDECK_LIBRARY_MODULE(Threshold);

/// The first half along `dim` times the sigmoid of the second.
class GLUImpl : public Cloneable<GLUImpl> {
 public:
  explicit GLUImpl(const GLUOptions& options_ = {}) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  GLUOptions options;
};
TAPEDECK_LIBRARY_MODULE(GLU);

/// exp(x) / sum of exp(x), along `dim`.
class SoftmaxImpl : public Cloneable<SoftmaxImpl> {
 public:
  explicit SoftmaxImpl(const SoftmaxOptions& options_) : options(options_) {}
  explicit SoftmaxImpl(std::int64_t dim) : SoftmaxImpl(SoftmaxOptions(dim)) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  SoftmaxOptions options;
};
TAPEDECK_LIBRARY_MODULE(Softmax);

/// softmax(-x), along `dim`.
class SoftminImpl : public Cloneable<SoftminImpl> {
 public:
  explicit SoftminImpl(const SoftminOptions& options_) : options(options_) {}
  explicit SoftminImpl(std::int64_t dim) : SoftminImpl(SoftminOptions(dim)) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  SoftminOptions options;
};
TAPEDECK_LIBRARY_MODULE(Softmin);

/// log(softmax(x)), along `dim`.
class LogSoftmaxImpl : public Cloneable<LogSoftmaxImpl> {
 public:
  explicit LogSoftmaxImpl(const LogSoftmaxOptions& options_) : options(options_) {}
  explicit LogSoftmaxImpl(std::int64_t dim) : LogSoftmaxImpl(LogSoftmaxOptions(dim)) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  LogSoftmaxOptions options;
};
TAPEDECK_LIBRARY_MODULE(LogSoftmax);

/// Softmax over the channels of [(N,) C, H, W].
class Softmax2dImpl : public Cloneable<Softmax2dImpl> {
 public:
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);
};
TAPEDECK_LIBRARY_MODULE(Softmax2d);

/// x for x > 0, else weight x, where the weight is learned: one, or one for each channel.
class PReLUImpl : public Cloneable<PReLUImpl> {
 public:
  explicit PReLUImpl(const PReLUOptions& options_ = {});
  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  PReLUOptions options;
  Tensor weight;  ///< [num_parameters]
};
TAPEDECK_LIBRARY_MODULE(PReLU);

}  // namespace tapedeck::nn
