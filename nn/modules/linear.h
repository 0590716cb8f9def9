#pragma once

#include <cstdint>
#include <iosfwd>
#include <utility>
#include <vector>

#include <tapedeck/nn/cloneable.h>
#include <tapedeck/nn/module_holder.h>
#include <tapedeck/nn/options/linear.h>

namespace tapedeck::nn {

/// Returns its input.
class IdentityImpl : public Cloneable<IdentityImpl> {
 public:
  IdentityImpl() = default;
  /// Takes and forgets any arguments, so that it can stand in for another module.
  template <typename First, typename... Rest>
  requires(!detail::is_module<First>)  //
      explicit IdentityImpl(const First&, const Rest&...) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);
};
TAPEDECK_LIBRARY_MODULE(Identity);

/// y = x weight^T + bias: [..., in_features] -> [..., out_features]. Both start uniform in
/// +-1 / sqrt(in_features).
class LinearImpl : public Cloneable<LinearImpl> {
 public:
  LinearImpl(std::int64_t in_features, std::int64_t out_features, bool with_bias = true)
      : LinearImpl(LinearOptions(in_features, out_features).bias(with_bias)) {}
  explicit LinearImpl(const LinearOptions& options_);
  void reset() override;
  /// Draws new values.
  void reset_parameters();
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  LinearOptions options;
  Tensor weight;  ///< [out_features, in_features]
  Tensor bias;    ///< [out_features], or undefined
};
TAPEDECK_LIBRARY_MODULE(Linear);

/// Makes the axes start_dim to end_dim one.
class FlattenImpl : public Cloneable<FlattenImpl> {
 public:
  explicit FlattenImpl(const FlattenOptions& options_ = {}) : options(options_) {}
  explicit FlattenImpl(std::int64_t start_dim, std::int64_t end_dim = -1)
      : options(FlattenOptions().start_dim(start_dim).end_dim(end_dim)) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  FlattenOptions options;
};
TAPEDECK_LIBRARY_MODULE(Flatten);

/// Splits the axis `dim` into axes of `sizes`.
class UnflattenImpl : public Cloneable<UnflattenImpl> {
 public:
  UnflattenImpl(std::int64_t dim, std::vector<std::int64_t> sizes)
      : options(dim, std::move(sizes)) {}
  explicit UnflattenImpl(UnflattenOptions options_) : options(std::move(options_)) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  UnflattenOptions options;
};
TAPEDECK_LIBRARY_MODULE(Unflatten);

/// y[k] = x1^T weight[k] x2 + bias[k]. Both start uniform in +-1 / sqrt(in1_features).
class BilinearImpl : public Cloneable<BilinearImpl> {
 public:
  BilinearImpl(std::int64_t in1_features, std::int64_t in2_features, std::int64_t out_features,
               bool with_bias = true)
      : BilinearImpl(BilinearOptions(in1_features, in2_features, out_features).bias(with_bias)) {}
  explicit BilinearImpl(const BilinearOptions& options_);
  void reset() override;
  void reset_parameters();
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input1, const Tensor& input2);

  BilinearOptions options;
  Tensor weight;  ///< [out_features, in1_features, in2_features]
  Tensor bias;    ///< [out_features], or undefined
};
TAPEDECK_LIBRARY_MODULE(Bilinear);

}  // namespace tapedeck::nn
