#include <tapedeck/nn/modules/dropout.h>

#include <ostream>

#include <tapedeck/nn/any_module.h>
#include <tapedeck/nn/functional/dropout.h>
#include <tapedeck/nn/internal/print.h>

namespace tapedeck::nn {

namespace F = functional;

namespace detail {

template <typename Derived>
DropoutImplBase<Derived>::DropoutImplBase(const DropoutOptions& options_) : options(options_) {
  DropoutImplBase::reset();
}
template <typename Derived>
void DropoutImplBase<Derived>::reset() {
  TAPEDECK_CHECK_AS(ValueError, options.p() >= 0 && options.p() <= 1,
                    "dropout probability has to be between 0 and 1, but got ", options.p());
}
template <typename Derived>
void DropoutImplBase<Derived>::print(std::ostream& stream, const char* name) const {
  stream << text::name(name) << "(p=" << text::of_float(options.p())
         << ", inplace=" << text::of_bool(options.inplace()) << ")";
}

template class DropoutImplBase<DropoutImpl>;
template class DropoutImplBase<Dropout1dImpl>;
template class DropoutImplBase<Dropout2dImpl>;
template class DropoutImplBase<Dropout3dImpl>;
template class DropoutImplBase<AlphaDropoutImpl>;
template class DropoutImplBase<FeatureAlphaDropoutImpl>;

}  // namespace detail

void DropoutImpl::pretty_print(std::ostream& stream) const { print(stream, "Dropout"); }
Tensor DropoutImpl::forward(Tensor input) {
  return detail::call_module(
      *this,
      [this](Tensor x) {
        return F::dropout(std::move(x), F::DropoutFuncOptions()
                                            .p(options.p())
                                            .training(is_training())
                                            .inplace(options.inplace()));
      },
      std::move(input));
}

void Dropout1dImpl::pretty_print(std::ostream& stream) const { print(stream, "Dropout1d"); }
Tensor Dropout1dImpl::forward(Tensor input) {
  return detail::call_module(
      *this,
      [this](Tensor x) {
        return F::dropout1d(std::move(x), F::Dropout1dFuncOptions()
                                              .p(options.p())
                                              .training(is_training())
                                              .inplace(options.inplace()));
      },
      std::move(input));
}

void Dropout2dImpl::pretty_print(std::ostream& stream) const { print(stream, "Dropout2d"); }
Tensor Dropout2dImpl::forward(Tensor input) {
  return detail::call_module(
      *this,
      [this](Tensor x) {
        return F::dropout2d(std::move(x), F::Dropout2dFuncOptions()
                                              .p(options.p())
                                              .training(is_training())
                                              .inplace(options.inplace()));
      },
      std::move(input));
}

void Dropout3dImpl::pretty_print(std::ostream& stream) const { print(stream, "Dropout3d"); }
Tensor Dropout3dImpl::forward(Tensor input) {
  return detail::call_module(
      *this,
      [this](Tensor x) {
        return F::dropout3d(std::move(x), F::Dropout3dFuncOptions()
                                              .p(options.p())
                                              .training(is_training())
                                              .inplace(options.inplace()));
      },
      std::move(input));
}

void AlphaDropoutImpl::pretty_print(std::ostream& stream) const { print(stream, "AlphaDropout"); }
Tensor AlphaDropoutImpl::forward(Tensor input) {
  return detail::call_module(
      *this,
      [this](Tensor x) {
        return F::alpha_dropout(std::move(x), F::AlphaDropoutFuncOptions()
                                                  .p(options.p())
                                                  .training(is_training())
                                                  .inplace(options.inplace()));
      },
      std::move(input));
}

void FeatureAlphaDropoutImpl::pretty_print(std::ostream& stream) const {
  print(stream, "FeatureAlphaDropout");
}
Tensor FeatureAlphaDropoutImpl::forward(Tensor input) {
  return detail::call_module(
      *this,
      [this](Tensor x) {
        return F::feature_alpha_dropout(std::move(x), F::FeatureAlphaDropoutFuncOptions()
                                                          .p(options.p())
                                                          .training(is_training())
                                                          .inplace(options.inplace()));
      },
      std::move(input));
}

template class Cloneable<DropoutImpl>;
template class Cloneable<Dropout1dImpl>;
template class Cloneable<Dropout2dImpl>;
template class Cloneable<Dropout3dImpl>;
template class Cloneable<AlphaDropoutImpl>;
template class Cloneable<FeatureAlphaDropoutImpl>;

}  // namespace tapedeck::nn
