#include <tapedeck/nn/modules/pooling.h>

#include <ostream>

#include <tapedeck/nn/functional/pooling.h>
#include <tapedeck/nn/internal/print.h>

namespace tapedeck::nn {

namespace F = functional;

void MaxPool1dImpl::pretty_print(std::ostream& stream) const {
  stream << "MaxPool1d(kernel_size=" << python::of(options.kernel_size())
         << ", stride=" << python::of(options.stride())
         << ", padding=" << python::of(options.padding())
         << ", dilation=" << python::of(options.dilation())
         << ", ceil_mode=" << python::of_bool(options.ceil_mode()) << ")";
}
Tensor MaxPool1dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::max_pool1d(x, options); }, input);
}
std::tuple<Tensor, Tensor> MaxPool1dImpl::forward_with_indices(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::max_pool1d_with_indices(x, options); }, input);
}

void MaxPool2dImpl::pretty_print(std::ostream& stream) const {
  stream << "MaxPool2d(kernel_size=" << python::of(options.kernel_size())
         << ", stride=" << python::of(options.stride())
         << ", padding=" << python::of(options.padding())
         << ", dilation=" << python::of(options.dilation())
         << ", ceil_mode=" << python::of_bool(options.ceil_mode()) << ")";
}
Tensor MaxPool2dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::max_pool2d(x, options); }, input);
}
std::tuple<Tensor, Tensor> MaxPool2dImpl::forward_with_indices(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::max_pool2d_with_indices(x, options); }, input);
}

void AvgPool1dImpl::pretty_print(std::ostream& stream) const {
  stream << "AvgPool1d(kernel_size=" << python::of(options.kernel_size())
         << ", stride=" << python::of(options.stride())
         << ", padding=" << python::of(options.padding()) << ")";
}
Tensor AvgPool1dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::avg_pool1d(x, options); }, input);
}

void AvgPool2dImpl::pretty_print(std::ostream& stream) const {
  stream << "AvgPool2d(kernel_size=" << python::of(options.kernel_size())
         << ", stride=" << python::of(options.stride())
         << ", padding=" << python::of(options.padding()) << ")";
}
Tensor AvgPool2dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::avg_pool2d(x, options); }, input);
}

void AdaptiveAvgPool1dImpl::pretty_print(std::ostream& stream) const {
  stream << "AdaptiveAvgPool1d(output_size=" << python::of(options.output_size()) << ")";
}
Tensor AdaptiveAvgPool1dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::adaptive_avg_pool1d(x, options); }, input);
}

void AdaptiveMaxPool1dImpl::pretty_print(std::ostream& stream) const {
  stream << "AdaptiveMaxPool1d(output_size=" << python::of(options.output_size()) << ")";
}
Tensor AdaptiveMaxPool1dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::adaptive_max_pool1d(x, options); }, input);
}
std::tuple<Tensor, Tensor> AdaptiveMaxPool1dImpl::forward_with_indices(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::adaptive_max_pool1d_with_indices(x, options); },
      input);
}

void AdaptiveAvgPool2dImpl::pretty_print(std::ostream& stream) const {
  stream << "AdaptiveAvgPool2d(output_size=" << python::of(options.output_size()) << ")";
}
Tensor AdaptiveAvgPool2dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::adaptive_avg_pool2d(x, options); }, input);
}

void AdaptiveMaxPool2dImpl::pretty_print(std::ostream& stream) const {
  stream << "AdaptiveMaxPool2d(output_size=" << python::of(options.output_size()) << ")";
}
Tensor AdaptiveMaxPool2dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::adaptive_max_pool2d(x, options); }, input);
}
std::tuple<Tensor, Tensor> AdaptiveMaxPool2dImpl::forward_with_indices(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::adaptive_max_pool2d_with_indices(x, options); },
      input);
}

void MaxUnpool1dImpl::pretty_print(std::ostream& stream) const {
  stream << "MaxUnpool1d(kernel_size=" << python::of_tuple(options.kernel_size())
         << ", stride=" << python::of_tuple(options.stride())
         << ", padding=" << python::of_tuple(options.padding()) << ")";
}
Tensor MaxUnpool1dImpl::forward(const Tensor& input, const Tensor& indices,
                                const std::optional<std::vector<std::int64_t>>& output_size) {
  return detail::call_module(
      *this,
      [&](const Tensor& x, const Tensor& at) {
        return F::max_unpool1d(x, at,
                               F::MaxUnpool1dFuncOptions(options.kernel_size())
                                   .stride(options.stride())
                                   .padding(options.padding())
                                   .output_size(output_size));
      },
      input, indices);
}

void MaxUnpool2dImpl::pretty_print(std::ostream& stream) const {
  stream << "MaxUnpool2d(kernel_size=" << python::of_tuple(options.kernel_size())
         << ", stride=" << python::of_tuple(options.stride())
         << ", padding=" << python::of_tuple(options.padding()) << ")";
}
Tensor MaxUnpool2dImpl::forward(const Tensor& input, const Tensor& indices,
                                const std::optional<std::vector<std::int64_t>>& output_size) {
  return detail::call_module(
      *this,
      [&](const Tensor& x, const Tensor& at) {
        return F::max_unpool2d(x, at,
                               F::MaxUnpool2dFuncOptions(options.kernel_size())
                                   .stride(options.stride())
                                   .padding(options.padding())
                                   .output_size(output_size));
      },
      input, indices);
}

void LPPool1dImpl::pretty_print(std::ostream& stream) const {
  stream << "LPPool1d(norm_type=" << python::of_number(options.norm_type())
         << ", kernel_size=" << python::of(options.kernel_size())
         << ", stride=" << python::of(options.stride())
         << ", ceil_mode=" << python::of_bool(options.ceil_mode()) << ")";
}
Tensor LPPool1dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::lp_pool1d(x, options); }, input);
}

void LPPool2dImpl::pretty_print(std::ostream& stream) const {
  stream << "LPPool2d(norm_type=" << python::of_number(options.norm_type())
         << ", kernel_size=" << python::of(options.kernel_size())
         << ", stride=" << python::of(options.stride())
         << ", ceil_mode=" << python::of_bool(options.ceil_mode()) << ")";
}
Tensor LPPool2dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::lp_pool2d(x, options); }, input);
}

TAPEDECK_DEFINE_DEFAULT_ARGS(MaxUnpool1dImpl,
                             {2, AnyValue(std::optional<std::vector<std::int64_t>>())})
TAPEDECK_DEFINE_DEFAULT_ARGS(MaxUnpool2dImpl,
                             {2, AnyValue(std::optional<std::vector<std::int64_t>>())})

template class Cloneable<MaxPool1dImpl>;
template class Cloneable<MaxPool2dImpl>;
template class Cloneable<AvgPool1dImpl>;
template class Cloneable<AvgPool2dImpl>;
template class Cloneable<AdaptiveAvgPool1dImpl>;
template class Cloneable<AdaptiveMaxPool1dImpl>;
template class Cloneable<AdaptiveAvgPool2dImpl>;
template class Cloneable<AdaptiveMaxPool2dImpl>;
template class Cloneable<MaxUnpool1dImpl>;
template class Cloneable<MaxUnpool2dImpl>;
template class Cloneable<LPPool1dImpl>;
template class Cloneable<LPPool2dImpl>;

}  // namespace tapedeck::nn
