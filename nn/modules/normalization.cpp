#include <tapedeck/nn/modules/normalization.h>

#include <ostream>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/nn/any_module.h>
#include <tapedeck/nn/functional/normalization.h>
#include <tapedeck/nn/init.h>
#include <tapedeck/nn/internal/print.h>
#include <tapedeck/ops/creation.h>

namespace tapedeck::nn {

namespace F = functional;

namespace detail {

template <typename Derived, typename Options>
NormImplBase<Derived, Options>::NormImplBase(const Options& options_) : options(options_) {
  NormImplBase::reset();
}
template <typename Derived, typename Options>
void NormImplBase<Derived, Options>::reset() {
  const tapedeck::detail::OpScope scope("normalization");
  const bool affine = options.affine(), tracked = options.track_running_stats();
  const auto maybe = [&](bool there) { return there ? empty(options.num_features()) : Tensor(); };
  weight = this->register_parameter("weight", maybe(affine), affine);
  bias = this->register_parameter("bias", maybe(affine), affine);
  running_mean = this->register_buffer("running_mean", maybe(tracked));
  running_var = this->register_buffer("running_var", maybe(tracked));
  num_batches_tracked =
      this->register_buffer("num_batches_tracked", tracked ? zeros({}, kLong) : Tensor());
  reset_parameters();
}
template <typename Derived, typename Options>
void NormImplBase<Derived, Options>::reset_running_stats() {
  if (!options.track_running_stats()) return;
  init::zeros_(running_mean);
  init::ones_(running_var);
  init::zeros_(num_batches_tracked);
}
template <typename Derived, typename Options>
void NormImplBase<Derived, Options>::reset_parameters() {
  reset_running_stats();
  if (!options.affine()) return;
  init::ones_(weight);
  init::zeros_(bias);
}

namespace {

void check_dims(const char* op, std::size_t D, const Tensor& input, std::int64_t least,
                std::int64_t most) {
  TAPEDECK_CHECK_DEFINED(op, input);
  TAPEDECK_CHECK(input.dim() >= least && input.dim() <= most, op, D, "d: expected ", least, "D",
                 least == most ? "" : " or ", least == most ? "" : std::to_string(most) + "D",
                 " input (got ", input.dim(), "D input ", input.sizes(), ")");
}

template <typename Options>
void print_options(std::ostream& stream, const Options& options, const std::string& momentum) {
  stream << options.num_features() << ", eps=" << text::of_float(options.eps())
         << ", momentum=" << momentum << ", affine=" << text::of_bool(options.affine())
         << ", track_running_stats=" << text::of_bool(options.track_running_stats()) << ")";
}

}  // namespace

template <std::size_t D, typename Derived>
void BatchNormImplBase<D, Derived>::pretty_print(std::ostream& stream) const {
  const auto& momentum = this->options.momentum();
  stream << text::name("BatchNorm") << D << "d(";
  print_options(stream, this->options, momentum ? text::of_float(*momentum) : "None");
}

template <std::size_t D, typename Derived>
Tensor BatchNormImplBase<D, Derived>::forward(const Tensor& input) {
  return call_module(
      *this,
      [this](const Tensor& x) {
        check_dims("BatchNorm", D, x, D == 1 ? 2 : D + 2, D + 2);
        const bool training = this->is_training();
        double momentum = this->options.momentum().value_or(0.0);
        if (training && this->num_batches_tracked.defined()) {
          const NoGradGuard no_grad;
          this->num_batches_tracked.add_(1);
          if (!this->options.momentum())
            momentum = 1.0 / this->num_batches_tracked.template item<double>();
        }
        return F::batch_norm(x, this->running_mean, this->running_var,
                             F::BatchNormFuncOptions()
                                 .weight(this->weight)
                                 .bias(this->bias)
                                 .training(training || !this->running_mean.defined())
                                 .momentum(momentum)
                                 .eps(this->options.eps()));
      },
      input);
}

template <std::size_t D, typename Derived>
void InstanceNormImplBase<D, Derived>::pretty_print(std::ostream& stream) const {
  stream << text::name("InstanceNorm") << D << "d(";
  print_options(stream, this->options, text::of_float(this->options.momentum()));
}

template <std::size_t D, typename Derived>
Tensor InstanceNormImplBase<D, Derived>::forward(const Tensor& input) {
  return call_module(
      *this,
      [this](const Tensor& x) {
        check_dims("InstanceNorm", D, x, D + 1, D + 2);
        const bool batched = x.dim() == D + 2;
        const Tensor y = F::instance_norm(
            batched ? x : x.unsqueeze(0),
            F::InstanceNormFuncOptions()
                .running_mean(this->running_mean)
                .running_var(this->running_var)
                .weight(this->weight)
                .bias(this->bias)
                .use_input_stats(this->is_training() || !this->options.track_running_stats())
                .momentum(this->options.momentum())
                .eps(this->options.eps()));
        return batched ? y : y.squeeze(0);
      },
      input);
}

template class NormImplBase<BatchNorm1dImpl, BatchNormOptions>;
template class NormImplBase<BatchNorm2dImpl, BatchNormOptions>;
template class NormImplBase<BatchNorm3dImpl, BatchNormOptions>;
template class NormImplBase<InstanceNorm1dImpl, InstanceNormOptions>;
template class NormImplBase<InstanceNorm2dImpl, InstanceNormOptions>;
template class NormImplBase<InstanceNorm3dImpl, InstanceNormOptions>;
template class BatchNormImplBase<1, BatchNorm1dImpl>;
template class BatchNormImplBase<2, BatchNorm2dImpl>;
template class BatchNormImplBase<3, BatchNorm3dImpl>;
template class InstanceNormImplBase<1, InstanceNorm1dImpl>;
template class InstanceNormImplBase<2, InstanceNorm2dImpl>;
template class InstanceNormImplBase<3, InstanceNorm3dImpl>;

}  // namespace detail

BatchNorm1dImpl::BatchNorm1dImpl(const BatchNorm1dOptions& options_)
    : BatchNormImplBase(options_) {}
BatchNorm2dImpl::BatchNorm2dImpl(const BatchNorm2dOptions& options_)
    : BatchNormImplBase(options_) {}
BatchNorm3dImpl::BatchNorm3dImpl(const BatchNorm3dOptions& options_)
    : BatchNormImplBase(options_) {}
InstanceNorm1dImpl::InstanceNorm1dImpl(const InstanceNorm1dOptions& options_)
    : InstanceNormImplBase(options_) {}
InstanceNorm2dImpl::InstanceNorm2dImpl(const InstanceNorm2dOptions& options_)
    : InstanceNormImplBase(options_) {}
InstanceNorm3dImpl::InstanceNorm3dImpl(const InstanceNorm3dOptions& options_)
    : InstanceNormImplBase(options_) {}

LayerNormImpl::LayerNormImpl(LayerNormOptions options_) : options(std::move(options_)) { reset(); }
void LayerNormImpl::reset() {
  const tapedeck::detail::OpScope scope("LayerNorm");
  const bool affine = options.elementwise_affine();
  weight = register_parameter(
      "weight", affine ? tapedeck::empty(options.normalized_shape()) : Tensor(), affine);
  bias = register_parameter("bias", affine ? tapedeck::empty(options.normalized_shape()) : Tensor(),
                            affine);
  reset_parameters();
}
void LayerNormImpl::reset_parameters() {
  if (!options.elementwise_affine()) return;
  init::ones_(weight);
  init::zeros_(bias);
}
void LayerNormImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("LayerNorm") << "(" << text::of_tuple(options.normalized_shape())
         << ", eps=" << text::of_float(options.eps())
         << ", elementwise_affine=" << text::of_bool(options.elementwise_affine()) << ")";
}
Tensor LayerNormImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this,
      [this](const Tensor& x) {
        return F::layer_norm(x, F::LayerNormFuncOptions(options.normalized_shape())
                                    .weight(weight)
                                    .bias(bias)
                                    .eps(options.eps()));
      },
      input);
}

GroupNormImpl::GroupNormImpl(const GroupNormOptions& options_) : options(options_) { reset(); }
void GroupNormImpl::reset() {
  const tapedeck::detail::OpScope scope("GroupNorm");
  const bool affine = options.affine();
  weight = register_parameter("weight", affine ? empty(options.num_channels()) : Tensor(), affine);
  bias = register_parameter("bias", affine ? empty(options.num_channels()) : Tensor(), affine);
  reset_parameters();
}
void GroupNormImpl::reset_parameters() {
  if (!options.affine()) return;
  init::ones_(weight);
  init::zeros_(bias);
}
void GroupNormImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("GroupNorm") << "(" << options.num_groups() << ", " << options.num_channels()
         << ", eps=" << text::of_float(options.eps())
         << ", affine=" << text::of_bool(options.affine()) << ")";
}
Tensor GroupNormImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this,
      [this](const Tensor& x) {
        return F::group_norm(x, F::GroupNormFuncOptions(options.num_groups())
                                    .weight(weight)
                                    .bias(bias)
                                    .eps(options.eps()));
      },
      input);
}

void LocalResponseNormImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("LocalResponseNorm") << "(" << options.size()
         << ", alpha=" << text::of_float(options.alpha())
         << ", beta=" << text::of_float(options.beta()) << ", k=" << text::of_float(options.k())
         << ")";
}
Tensor LocalResponseNormImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::local_response_norm(x, options); }, input);
}

void CrossMapLRN2dImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("CrossMapLRN2d") << "(" << options.size()
         << ", alpha=" << text::of_float(options.alpha())
         << ", beta=" << text::of_float(options.beta()) << ", k=" << options.k() << ")";
}
Tensor CrossMapLRN2dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this,
      [this](const Tensor& x) {
        TAPEDECK_CHECK_DEFINED("CrossMapLRN2d", x);
        TAPEDECK_CHECK(x.dim() == 4, "CrossMapLRN2d: expected an input of 4 dimensions, got ",
                       x.sizes());
        TAPEDECK_CHECK_AS(ValueError, options.size() > 0, "CrossMapLRN2d: expected size > 0, got ",
                          options.size());
        const std::int64_t window = 2 * ((options.size() - 1) / 2) + 1;
        const double part = static_cast<double>(window) / static_cast<double>(options.size());
        return F::local_response_norm(x, LocalResponseNormOptions(window)
                                             .alpha(options.alpha() * part)
                                             .beta(options.beta())
                                             .k(static_cast<double>(options.k())));
      },
      input);
}

// Not in the headers, so that the tables of these classes stand in the library alone.
BatchNorm1dImpl::~BatchNorm1dImpl() = default;
BatchNorm2dImpl::~BatchNorm2dImpl() = default;
BatchNorm3dImpl::~BatchNorm3dImpl() = default;
InstanceNorm1dImpl::~InstanceNorm1dImpl() = default;
InstanceNorm2dImpl::~InstanceNorm2dImpl() = default;
InstanceNorm3dImpl::~InstanceNorm3dImpl() = default;

template class Cloneable<BatchNorm1dImpl>;
template class Cloneable<BatchNorm2dImpl>;
template class Cloneable<BatchNorm3dImpl>;
template class Cloneable<InstanceNorm1dImpl>;
template class Cloneable<InstanceNorm2dImpl>;
template class Cloneable<InstanceNorm3dImpl>;
template class Cloneable<LayerNormImpl>;
template class Cloneable<GroupNormImpl>;
template class Cloneable<LocalResponseNormImpl>;
template class Cloneable<CrossMapLRN2dImpl>;

}  // namespace tapedeck::nn
