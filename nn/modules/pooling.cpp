#include <tapedeck/nn/modules/pooling.h>

#include <ostream>
#include <utility>

#include <tapedeck/nn/any_module.h>
#include <tapedeck/nn/functional/pooling.h>
#include <tapedeck/nn/internal/print.h>

namespace tapedeck::nn {

namespace F = functional;

namespace detail {

template <std::size_t D, typename Derived>
void MaxPoolNdImpl<D, Derived>::pretty_print(std::ostream& stream) const {
  stream << text::name("MaxPool") << D << "d(kernel_size=" << text::of(options.kernel_size())
         << ", stride=" << text::of(options.stride()) << ", padding=" << text::of(options.padding())
         << ", dilation=" << text::of(options.dilation())
         << ", ceil_mode=" << text::of_bool(options.ceil_mode()) << ")";
}
template <std::size_t D, typename Derived>
Tensor MaxPoolNdImpl<D, Derived>::forward(const Tensor& input) {
  return call_module(
      *this,
      [this](const Tensor& x) {
        if constexpr (D == 1)
          return F::max_pool1d(x, options);
        else if constexpr (D == 2)
          return F::max_pool2d(x, options);
        else
          return F::max_pool3d(x, options);
      },
      input);
}
template <std::size_t D, typename Derived>
std::tuple<Tensor, Tensor> MaxPoolNdImpl<D, Derived>::forward_with_indices(const Tensor& input) {
  return call_module(
      *this,
      [this](const Tensor& x) {
        if constexpr (D == 1)
          return F::max_pool1d_with_indices(x, options);
        else if constexpr (D == 2)
          return F::max_pool2d_with_indices(x, options);
        else
          return F::max_pool3d_with_indices(x, options);
      },
      input);
}

template <std::size_t D, typename Derived>
void AvgPoolNdImpl<D, Derived>::pretty_print(std::ostream& stream) const {
  stream << text::name("AvgPool") << D << "d(kernel_size=" << text::of(options.kernel_size())
         << ", stride=" << text::of(options.stride()) << ", padding=" << text::of(options.padding())
         << ")";
}
template <std::size_t D, typename Derived>
Tensor AvgPoolNdImpl<D, Derived>::forward(const Tensor& input) {
  return call_module(
      *this,
      [this](const Tensor& x) {
        if constexpr (D == 1)
          return F::avg_pool1d(x, options);
        else if constexpr (D == 2)
          return F::avg_pool2d(x, options);
        else
          return F::avg_pool3d(x, options);
      },
      input);
}

template <std::size_t D, typename OutputSize, typename Derived>
void AdaptiveMaxPoolNdImpl<D, OutputSize, Derived>::pretty_print(std::ostream& stream) const {
  stream << text::name("AdaptiveMaxPool") << D
         << "d(output_size=" << text::of(options.output_size()) << ")";
}
template <std::size_t D, typename OutputSize, typename Derived>
Tensor AdaptiveMaxPoolNdImpl<D, OutputSize, Derived>::forward(const Tensor& input) {
  return call_module(
      *this,
      [this](const Tensor& x) {
        if constexpr (D == 1)
          return F::adaptive_max_pool1d(x, options);
        else if constexpr (D == 2)
          return F::adaptive_max_pool2d(x, options);
        else
          return F::adaptive_max_pool3d(x, options);
      },
      input);
}
template <std::size_t D, typename OutputSize, typename Derived>
std::tuple<Tensor, Tensor> AdaptiveMaxPoolNdImpl<D, OutputSize, Derived>::forward_with_indices(
    const Tensor& input) {
  return call_module(
      *this,
      [this](const Tensor& x) {
        if constexpr (D == 1)
          return F::adaptive_max_pool1d_with_indices(x, options);
        else if constexpr (D == 2)
          return F::adaptive_max_pool2d_with_indices(x, options);
        else
          return F::adaptive_max_pool3d_with_indices(x, options);
      },
      input);
}

template <std::size_t D, typename OutputSize, typename Derived>
void AdaptiveAvgPoolNdImpl<D, OutputSize, Derived>::pretty_print(std::ostream& stream) const {
  stream << text::name("AdaptiveAvgPool") << D
         << "d(output_size=" << text::of(options.output_size()) << ")";
}
template <std::size_t D, typename OutputSize, typename Derived>
Tensor AdaptiveAvgPoolNdImpl<D, OutputSize, Derived>::forward(const Tensor& input) {
  return call_module(
      *this,
      [this](const Tensor& x) {
        if constexpr (D == 1)
          return F::adaptive_avg_pool1d(x, options);
        else if constexpr (D == 2)
          return F::adaptive_avg_pool2d(x, options);
        else
          return F::adaptive_avg_pool3d(x, options);
      },
      input);
}

template <std::size_t D, typename Derived>
void MaxUnpoolNdImpl<D, Derived>::pretty_print(std::ostream& stream) const {
  stream << text::name("MaxUnpool") << D
         << "d(kernel_size=" << text::of_tuple(options.kernel_size())
         << ", stride=" << text::of_tuple(options.stride())
         << ", padding=" << text::of_tuple(options.padding()) << ")";
}
template <std::size_t D, typename Derived>
Tensor MaxUnpoolNdImpl<D, Derived>::forward(
    const Tensor& input, const Tensor& indices,
    const std::optional<std::vector<std::int64_t>>& output_size) {
  return call_module(
      *this,
      [&](const Tensor& x, const Tensor& at) {
        const auto unpool = F::MaxUnpoolFuncOptions<D>(options.kernel_size())
                                .stride(options.stride())
                                .padding(options.padding())
                                .output_size(output_size);
        if constexpr (D == 1)
          return F::max_unpool1d(x, at, unpool);
        else if constexpr (D == 2)
          return F::max_unpool2d(x, at, unpool);
        else
          return F::max_unpool3d(x, at, unpool);
      },
      input, indices);
}

template <std::size_t D, typename Derived>
void LPPoolNdImpl<D, Derived>::pretty_print(std::ostream& stream) const {
  stream << text::name("LPPool") << D << "d(norm_type=" << text::of_number(options.norm_type())
         << ", kernel_size=" << text::of(options.kernel_size())
         << ", stride=" << text::of(options.stride())
         << ", ceil_mode=" << text::of_bool(options.ceil_mode()) << ")";
}
template <std::size_t D, typename Derived>
Tensor LPPoolNdImpl<D, Derived>::forward(const Tensor& input) {
  return call_module(
      *this,
      [this](const Tensor& x) {
        if constexpr (D == 1)
          return F::lp_pool1d(x, options);
        else
          return F::lp_pool2d(x, options);
      },
      input);
}

template class MaxPoolNdImpl<1, MaxPool1dImpl>;
template class MaxPoolNdImpl<2, MaxPool2dImpl>;
template class MaxPoolNdImpl<3, MaxPool3dImpl>;
template class AvgPoolNdImpl<1, AvgPool1dImpl>;
template class AvgPoolNdImpl<2, AvgPool2dImpl>;
template class AvgPoolNdImpl<3, AvgPool3dImpl>;
template class AdaptiveMaxPoolNdImpl<1, ExpandingArray<1>, AdaptiveMaxPool1dImpl>;
template class AdaptiveMaxPoolNdImpl<2, ExpandingArrayWithOptionalElem<2>, AdaptiveMaxPool2dImpl>;
template class AdaptiveMaxPoolNdImpl<3, ExpandingArrayWithOptionalElem<3>, AdaptiveMaxPool3dImpl>;
template class AdaptiveAvgPoolNdImpl<1, ExpandingArray<1>, AdaptiveAvgPool1dImpl>;
template class AdaptiveAvgPoolNdImpl<2, ExpandingArrayWithOptionalElem<2>, AdaptiveAvgPool2dImpl>;
template class AdaptiveAvgPoolNdImpl<3, ExpandingArrayWithOptionalElem<3>, AdaptiveAvgPool3dImpl>;
template class MaxUnpoolNdImpl<1, MaxUnpool1dImpl>;
template class MaxUnpoolNdImpl<2, MaxUnpool2dImpl>;
template class MaxUnpoolNdImpl<3, MaxUnpool3dImpl>;
template class LPPoolNdImpl<1, LPPool1dImpl>;
template class LPPoolNdImpl<2, LPPool2dImpl>;

}  // namespace detail

namespace {

template <std::size_t D>
void check_fractional(const char* name, const FractionalMaxPoolOptions<D>& options) {
  TAPEDECK_CHECK_AS(ValueError, options.output_size() || options.output_ratio(), name,
                    " requires specifying either an output size, or a pooling ratio");
  TAPEDECK_CHECK_AS(ValueError, !options.output_size() || !options.output_ratio(),
                    "only one of output_size and output_ratio may be specified, of ", name);
  if (!options.output_ratio()) return;
  for (const double ratio : **options.output_ratio())
    TAPEDECK_CHECK_AS(ValueError, ratio > 0 && ratio < 1, name,
                      ": output_ratio must be between 0 and 1, got ", ratio);
}

}  // namespace

FractionalMaxPool2dImpl::FractionalMaxPool2dImpl(FractionalMaxPool2dOptions options_)
    : options(std::move(options_)) {
  check_fractional("FractionalMaxPool2d", options);
}
void FractionalMaxPool2dImpl::reset() {}
void FractionalMaxPool2dImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("FractionalMaxPool2d") << "()";
}
Tensor FractionalMaxPool2dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::fractional_max_pool2d(x, options); }, input);
}
std::tuple<Tensor, Tensor> FractionalMaxPool2dImpl::forward_with_indices(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::fractional_max_pool2d_with_indices(x, options); },
      input);
}

FractionalMaxPool3dImpl::FractionalMaxPool3dImpl(FractionalMaxPool3dOptions options_)
    : options(std::move(options_)) {
  check_fractional("FractionalMaxPool3d", options);
}
void FractionalMaxPool3dImpl::reset() {}
void FractionalMaxPool3dImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("FractionalMaxPool3d") << "()";
}
Tensor FractionalMaxPool3dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::fractional_max_pool3d(x, options); }, input);
}
std::tuple<Tensor, Tensor> FractionalMaxPool3dImpl::forward_with_indices(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::fractional_max_pool3d_with_indices(x, options); },
      input);
}

TAPEDECK_DEFINE_DEFAULT_ARGS(MaxUnpool1dImpl,
                             {2, AnyValue(std::optional<std::vector<std::int64_t>>())})
TAPEDECK_DEFINE_DEFAULT_ARGS(MaxUnpool2dImpl,
                             {2, AnyValue(std::optional<std::vector<std::int64_t>>())})
TAPEDECK_DEFINE_DEFAULT_ARGS(MaxUnpool3dImpl,
                             {2, AnyValue(std::optional<std::vector<std::int64_t>>())})

// Not in the headers, so that the tables of these classes stand in the library alone.
MaxPool1dImpl::~MaxPool1dImpl() = default;
MaxPool2dImpl::~MaxPool2dImpl() = default;
MaxPool3dImpl::~MaxPool3dImpl() = default;
AvgPool1dImpl::~AvgPool1dImpl() = default;
AvgPool2dImpl::~AvgPool2dImpl() = default;
AvgPool3dImpl::~AvgPool3dImpl() = default;
AdaptiveMaxPool1dImpl::~AdaptiveMaxPool1dImpl() = default;
AdaptiveMaxPool2dImpl::~AdaptiveMaxPool2dImpl() = default;
AdaptiveMaxPool3dImpl::~AdaptiveMaxPool3dImpl() = default;
AdaptiveAvgPool1dImpl::~AdaptiveAvgPool1dImpl() = default;
AdaptiveAvgPool2dImpl::~AdaptiveAvgPool2dImpl() = default;
AdaptiveAvgPool3dImpl::~AdaptiveAvgPool3dImpl() = default;
LPPool1dImpl::~LPPool1dImpl() = default;
LPPool2dImpl::~LPPool2dImpl() = default;

template class Cloneable<MaxPool1dImpl>;
template class Cloneable<MaxPool2dImpl>;
template class Cloneable<MaxPool3dImpl>;
template class Cloneable<AvgPool1dImpl>;
template class Cloneable<AvgPool2dImpl>;
template class Cloneable<AvgPool3dImpl>;
template class Cloneable<AdaptiveMaxPool1dImpl>;
template class Cloneable<AdaptiveMaxPool2dImpl>;
template class Cloneable<AdaptiveMaxPool3dImpl>;
template class Cloneable<AdaptiveAvgPool1dImpl>;
template class Cloneable<AdaptiveAvgPool2dImpl>;
template class Cloneable<AdaptiveAvgPool3dImpl>;
template class Cloneable<MaxUnpool1dImpl>;
template class Cloneable<MaxUnpool2dImpl>;
template class Cloneable<MaxUnpool3dImpl>;
template class Cloneable<FractionalMaxPool2dImpl>;
template class Cloneable<FractionalMaxPool3dImpl>;
template class Cloneable<LPPool1dImpl>;
template class Cloneable<LPPool2dImpl>;

}  // namespace tapedeck::nn
