#pragma once

#include <iosfwd>

#include <tapedeck/nn/cloneable.h>
#include <tapedeck/nn/module_holder.h>
#include <tapedeck/nn/options/dropout.h>

namespace tapedeck::nn {

namespace detail {

/// What the dropouts have in common.
template <typename Derived>
class DropoutImplBase : public Cloneable<Derived> {
 public:
  void reset() override;

  DropoutOptions options;

 protected:
  /// \throws ValueError unless p is in [0, 1].
  explicit DropoutImplBase(const DropoutOptions& options_);
  void print(std::ostream& stream, const char* name) const;
};

}  // namespace detail

/// Zeros of probability p in training, all else multiplied by 1 / (1 - p).
class DropoutImpl : public detail::DropoutImplBase<DropoutImpl> {
 public:
  explicit DropoutImpl(double p) : DropoutImpl(DropoutOptions(p)) {}
  explicit DropoutImpl(const DropoutOptions& options_ = {}) : DropoutImplBase(options_) {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(Tensor input);
};
TAPEDECK_LIBRARY_MODULE(Dropout);

/// The same for whole channels of [(N,) C, L].
class Dropout1dImpl : public detail::DropoutImplBase<Dropout1dImpl> {
 public:
  explicit Dropout1dImpl(double p) : Dropout1dImpl(DropoutOptions(p)) {}
  explicit Dropout1dImpl(const DropoutOptions& options_ = {}) : DropoutImplBase(options_) {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(Tensor input);
};
TAPEDECK_LIBRARY_MODULE(Dropout1d);

/// The same for whole channels of [(N,) C, H, W].
class Dropout2dImpl : public detail::DropoutImplBase<Dropout2dImpl> {
 public:
  explicit Dropout2dImpl(double p) : Dropout2dImpl(DropoutOptions(p)) {}
  explicit Dropout2dImpl(const DropoutOptions& options_ = {}) : DropoutImplBase(options_) {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(Tensor input);
};
TAPEDECK_LIBRARY_MODULE(Dropout2d);

/// The same for whole channels of [(N,) C, D, H, W].
class Dropout3dImpl : public detail::DropoutImplBase<Dropout3dImpl> {
 public:
  explicit Dropout3dImpl(double p) : Dropout3dImpl(DropoutOptions(p)) {}
  explicit Dropout3dImpl(const DropoutOptions& options_ = {}) : DropoutImplBase(options_) {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(Tensor input);
};
TAPEDECK_LIBRARY_MODULE(Dropout3d);

/// Dropout that keeps the mean and variance of SELU's activations (Klambauer et al., 2017).
class AlphaDropoutImpl : public detail::DropoutImplBase<AlphaDropoutImpl> {
 public:
  explicit AlphaDropoutImpl(double p) : AlphaDropoutImpl(DropoutOptions(p)) {}
  explicit AlphaDropoutImpl(const DropoutOptions& options_ = {}) : DropoutImplBase(options_) {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(Tensor input);
};
TAPEDECK_LIBRARY_MODULE(AlphaDropout);

/// The same for whole channels.
class FeatureAlphaDropoutImpl : public detail::DropoutImplBase<FeatureAlphaDropoutImpl> {
 public:
  explicit FeatureAlphaDropoutImpl(double p) : FeatureAlphaDropoutImpl(DropoutOptions(p)) {}
  explicit FeatureAlphaDropoutImpl(const DropoutOptions& options_ = {})
      : DropoutImplBase(options_) {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(Tensor input);
};
TAPEDECK_LIBRARY_MODULE(FeatureAlphaDropout);

}  // namespace tapedeck::nn
