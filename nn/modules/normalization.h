#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <utility>
#include <vector>

#include <tapedeck/nn/cloneable.h>
#include <tapedeck/nn/module_holder.h>
#include <tapedeck/nn/options/normalization.h>

namespace tapedeck::nn {

namespace detail {

/// What the normalisations by batches and by instances have in common.
template <typename Derived, typename Options>
class NormImplBase : public Cloneable<Derived> {
 public:
  void reset() override;
  void reset_parameters();
  void reset_running_stats();

  Options options;
  Tensor weight;               ///< [num_features] ones, or undefined
  Tensor bias;                 ///< [num_features] zeros, or undefined
  Tensor running_mean;         ///< [num_features] buffer, or undefined
  Tensor running_var;          ///< [num_features] buffer, or undefined
  Tensor num_batches_tracked;  ///< int64 buffer, or undefined

 protected:
  explicit NormImplBase(const Options& options_);
};

template <std::size_t D, typename Derived>
class BatchNormImplBase : public NormImplBase<Derived, BatchNormOptions> {
 public:
  void pretty_print(std::ostream& stream) const override;
  /// \throws Error for an input of other dimensions.
  Tensor forward(const Tensor& input);

 protected:
  using NormImplBase<Derived, BatchNormOptions>::NormImplBase;
};

template <std::size_t D, typename Derived>
class InstanceNormImplBase : public NormImplBase<Derived, InstanceNormOptions> {
 public:
  void pretty_print(std::ostream& stream) const override;
  /// \throws Error for an input of other dimensions.
  Tensor forward(const Tensor& input);

 protected:
  using NormImplBase<Derived, InstanceNormOptions>::NormImplBase;
};

}  // namespace detail

/// Batch normalisation (Ioffe and Szegedy, 2015) of [N, C] or [N, C, L].
class BatchNorm1dImpl : public detail::BatchNormImplBase<1, BatchNorm1dImpl> {
 public:
  explicit BatchNorm1dImpl(const BatchNorm1dOptions& options_);
  ~BatchNorm1dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(BatchNorm1d);

/// Batch normalisation of [N, C, H, W].
class BatchNorm2dImpl : public detail::BatchNormImplBase<2, BatchNorm2dImpl> {
 public:
  explicit BatchNorm2dImpl(const BatchNorm2dOptions& options_);
  ~BatchNorm2dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(BatchNorm2d);

/// Batch normalisation of [N, C, D, H, W].
class BatchNorm3dImpl : public detail::BatchNormImplBase<3, BatchNorm3dImpl> {
 public:
  explicit BatchNorm3dImpl(const BatchNorm3dOptions& options_);
  ~BatchNorm3dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(BatchNorm3d);

/// Instance normalisation (Ulyanov et al., 2016) of [(N,) C, L].
class InstanceNorm1dImpl : public detail::InstanceNormImplBase<1, InstanceNorm1dImpl> {
 public:
  explicit InstanceNorm1dImpl(const InstanceNorm1dOptions& options_);
  ~InstanceNorm1dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(InstanceNorm1d);

/// Instance normalisation of [(N,) C, H, W].
class InstanceNorm2dImpl : public detail::InstanceNormImplBase<2, InstanceNorm2dImpl> {
 public:
  explicit InstanceNorm2dImpl(const InstanceNorm2dOptions& options_);
  ~InstanceNorm2dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(InstanceNorm2d);

/// Instance normalisation of [(N,) C, D, H, W].
class InstanceNorm3dImpl : public detail::InstanceNormImplBase<3, InstanceNorm3dImpl> {
 public:
  explicit InstanceNorm3dImpl(const InstanceNorm3dOptions& options_);
  ~InstanceNorm3dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(InstanceNorm3d);

/// Normalisation over the last axes (Ba et al., 2016), which have the sizes normalized_shape.
class LayerNormImpl : public Cloneable<LayerNormImpl> {
 public:
  explicit LayerNormImpl(std::vector<std::int64_t> normalized_shape)
      : LayerNormImpl(LayerNormOptions(std::move(normalized_shape))) {}
  explicit LayerNormImpl(LayerNormOptions options_);
  void reset() override;
  void reset_parameters();
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  LayerNormOptions options;
  Tensor weight;  ///< ones of normalized_shape, or undefined
  Tensor bias;    ///< zeros of normalized_shape, or undefined
};
TAPEDECK_LIBRARY_MODULE(LayerNorm);

/// Normalisation over groups of channels of [N, C, ...] (Wu and He, 2018).
class GroupNormImpl : public Cloneable<GroupNormImpl> {
 public:
  GroupNormImpl(std::int64_t num_groups, std::int64_t num_channels)
      : GroupNormImpl(GroupNormOptions(num_groups, num_channels)) {}
  explicit GroupNormImpl(const GroupNormOptions& options_);
  void reset() override;
  void reset_parameters();
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  GroupNormOptions options;
  Tensor weight;  ///< [num_channels] ones, or undefined
  Tensor bias;    ///< [num_channels] zeros, or undefined
};
TAPEDECK_LIBRARY_MODULE(GroupNorm);

/// x / (k + alpha * mean of x^2 over `size` neighbouring channels)^beta.
class LocalResponseNormImpl : public Cloneable<LocalResponseNormImpl> {
 public:
  LocalResponseNormImpl(std::int64_t size) : options(size) {}
  explicit LocalResponseNormImpl(const LocalResponseNormOptions& options_) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  LocalResponseNormOptions options;
};
TAPEDECK_LIBRARY_MODULE(LocalResponseNorm);

/// x / (k + alpha / size * sum of x^2 over (size - 1) / 2 channels on both sides)^beta of
/// [N, C, H, W]: for odd sizes what LocalResponseNorm is.
class CrossMapLRN2dImpl : public Cloneable<CrossMapLRN2dImpl> {
 public:
  CrossMapLRN2dImpl(std::int64_t size) : options(size) {}
  explicit CrossMapLRN2dImpl(const CrossMapLRN2dOptions& options_) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  CrossMapLRN2dOptions options;
};
TAPEDECK_LIBRARY_MODULE(CrossMapLRN2d);

}  // namespace tapedeck::nn
