#include <tapedeck/nn/modules/linear.h>

#include <cmath>
#include <ostream>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/nn/any_module.h>
#include <tapedeck/nn/init.h>
#include <tapedeck/nn/internal/print.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/linear.h>

namespace tapedeck::nn {

void IdentityImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Identity") << "()";
}
Tensor IdentityImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [](const Tensor& x) { return x; }, input);
}

LinearImpl::LinearImpl(const LinearOptions& options_) : options(options_) { reset(); }
void LinearImpl::reset() {
  const tapedeck::detail::OpScope scope("Linear");
  weight = register_parameter("weight", empty({options.out_features(), options.in_features()}));
  bias = register_parameter("bias", options.bias() ? empty(options.out_features()) : Tensor(),
                            options.bias());
  reset_parameters();
}
void LinearImpl::reset_parameters() {
  init::kaiming_uniform_(weight, std::sqrt(5.0));
  if (!bias.defined()) return;
  const auto [fan_in, fan_out] = init::_calculate_fan_in_and_fan_out(weight);
  const double bound = fan_in > 0 ? 1 / std::sqrt(static_cast<double>(fan_in)) : 0;
  init::uniform_(bias, -bound, bound);
}
void LinearImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Linear") << "(in_features=" << options.in_features()
         << ", out_features=" << options.out_features()
         << ", bias=" << text::of_bool(options.bias()) << ")";
}
Tensor LinearImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return linear(x, weight, bias); }, input);
}

void FlattenImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Flatten") << "(start_dim=" << options.start_dim()
         << ", end_dim=" << options.end_dim() << ")";
}
Tensor FlattenImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return x.flatten(options.start_dim(), options.end_dim()); },
      input);
}

namespace {
// "(2, 3)"; "{2, 3}".
std::string sizes_text(const std::vector<std::int64_t>& sizes) {
  std::string text = text::of_tuple(sizes);
  if (text::in_python()) return text;
  text.front() = '{';
  text.back() = '}';
  return text;
}
}  // namespace

void UnflattenImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Unflatten") << "(dim=" << options.dim()
         << ", unflattened_size=" << sizes_text(options.sizes()) << ")";
}
Tensor UnflattenImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return x.unflatten(options.dim(), options.sizes()); },
      input);
}

BilinearImpl::BilinearImpl(const BilinearOptions& options_) : options(options_) { reset(); }
void BilinearImpl::reset() {
  const tapedeck::detail::OpScope scope("Bilinear");
  weight = register_parameter(
      "weight", empty({options.out_features(), options.in1_features(), options.in2_features()}));
  bias = register_parameter("bias", options.bias() ? empty(options.out_features()) : Tensor(),
                            options.bias());
  reset_parameters();
}
void BilinearImpl::reset_parameters() {
  const double bound = 1 / std::sqrt(static_cast<double>(weight.size(1)));
  init::uniform_(weight, -bound, bound);
  if (bias.defined()) init::uniform_(bias, -bound, bound);
}
void BilinearImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Bilinear") << "(in1_features=" << options.in1_features()
         << ", in2_features=" << options.in2_features()
         << ", out_features=" << options.out_features()
         << ", bias=" << text::of_bool(options.bias()) << ")";
}
Tensor BilinearImpl::forward(const Tensor& input1, const Tensor& input2) {
  return detail::call_module(
      *this, [this](const Tensor& x1, const Tensor& x2) { return bilinear(x1, x2, weight, bias); },
      input1, input2);
}

template class Cloneable<IdentityImpl>;
template class Cloneable<LinearImpl>;
template class Cloneable<FlattenImpl>;
template class Cloneable<UnflattenImpl>;
template class Cloneable<BilinearImpl>;

}  // namespace tapedeck::nn
