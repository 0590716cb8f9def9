#include <tapedeck/nn/modules/activation.h>

#include <ostream>
#include <string>

#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/nn/any_module.h>
#include <tapedeck/nn/functional/activation.h>
#include <tapedeck/nn/internal/print.h>
#include <tapedeck/ops/activation.h>
#include <tapedeck/ops/creation.h>

namespace tapedeck::nn {

namespace F = functional;

namespace {
std::string alone(bool inplace) { return inplace ? "inplace=" + text::of_bool(true) : ""; }
std::string after(bool inplace) { return inplace ? ", " + alone(true) : ""; }
}  // namespace

void ReLUImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("ReLU") << "(" << alone(options.inplace()) << ")";
}
Tensor ReLUImpl::forward(Tensor input) {
  return detail::call_module(
      *this, [this](Tensor x) { return F::relu(std::move(x), options); }, std::move(input));
}

void ReLU6Impl::pretty_print(std::ostream& stream) const {
  stream << text::name("ReLU6") << "(" << alone(options.inplace()) << ")";
}
Tensor ReLU6Impl::forward(Tensor input) {
  return detail::call_module(
      *this, [this](Tensor x) { return F::relu6(std::move(x), options); }, std::move(input));
}

void LeakyReLUImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("LeakyReLU")
         << "(negative_slope=" << text::of_float(options.negative_slope())
         << after(options.inplace()) << ")";
}
Tensor LeakyReLUImpl::forward(Tensor input) {
  return detail::call_module(
      *this, [this](Tensor x) { return F::leaky_relu(std::move(x), options); }, std::move(input));
}

void RReLUImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("RReLU") << "(lower=" << text::of_float(options.lower())
         << ", upper=" << text::of_float(options.upper()) << after(options.inplace()) << ")";
}
Tensor RReLUImpl::forward(Tensor input) {
  const auto f = F::RReLUFuncOptions()
                     .lower(options.lower())
                     .upper(options.upper())
                     .training(is_training())
                     .inplace(options.inplace());
  return detail::call_module(
      *this, [&](Tensor x) { return F::rrelu(std::move(x), f); }, std::move(input));
}

void ELUImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("ELU") << "(alpha=" << text::of_float(options.alpha())
         << after(options.inplace()) << ")";
}
Tensor ELUImpl::forward(Tensor input) {
  return detail::call_module(
      *this, [this](Tensor x) { return F::elu(std::move(x), options); }, std::move(input));
}

void SELUImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("SELU") << "(" << alone(options.inplace()) << ")";
}
Tensor SELUImpl::forward(Tensor input) {
  return detail::call_module(
      *this, [this](Tensor x) { return F::selu(std::move(x), options); }, std::move(input));
}

void CELUImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("CELU") << "(alpha=" << text::of_float(options.alpha())
         << after(options.inplace()) << ")";
}
Tensor CELUImpl::forward(Tensor input) {
  return detail::call_module(
      *this, [this](Tensor x) { return F::celu(std::move(x), options); }, std::move(input));
}

void GELUImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("GELU") << "(";
  if (text::in_python()) stream << "approximate='" << options.approximate() << "'";
  stream << ")";
}
Tensor GELUImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::gelu(x, options); }, input);
}

void SiLUImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("SiLU") << "(" << alone(options.inplace()) << ")";
}
Tensor SiLUImpl::forward(Tensor input) {
  return detail::call_module(
      *this, [this](Tensor x) { return F::silu(std::move(x), options); }, std::move(input));
}

void MishImpl::pretty_print(std::ostream& stream) const { stream << text::name("Mish") << "()"; }
Tensor MishImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [](const Tensor& x) { return F::mish(x); }, input);
}

void SigmoidImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Sigmoid") << "()";
}
Tensor SigmoidImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [](const Tensor& x) { return F::sigmoid(x); }, input);
}

void TanhImpl::pretty_print(std::ostream& stream) const { stream << text::name("Tanh") << "()"; }
Tensor TanhImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [](const Tensor& x) { return F::tanh(x); }, input);
}

void LogSigmoidImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("LogSigmoid") << "()";
}
Tensor LogSigmoidImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [](const Tensor& x) { return F::logsigmoid(x); }, input);
}

void HardsigmoidImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Hardsigmoid") << "()";
}
Tensor HardsigmoidImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [](const Tensor& x) { return F::hardsigmoid(x); }, input);
}

void HardswishImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Hardswish") << "()";
}
Tensor HardswishImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::hardswish(x, options); }, input);
}

HardtanhImpl::HardtanhImpl(const HardtanhOptions& options_) : options(options_) {
  HardtanhImpl::reset();
}
void HardtanhImpl::reset() {
  TAPEDECK_CHECK_AS(ValueError, options.min_val() < options.max_val(),
                    "Hardtanh: max_val must be greater than min_val, got ", options.min_val(),
                    " and ", options.max_val());
}
void HardtanhImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Hardtanh") << "(min_val=" << text::of_float(options.min_val())
         << ", max_val=" << text::of_float(options.max_val()) << after(options.inplace()) << ")";
}
Tensor HardtanhImpl::forward(Tensor input) {
  return detail::call_module(
      *this, [this](Tensor x) { return F::hardtanh(std::move(x), options); }, std::move(input));
}

void HardshrinkImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Hardshrink") << "(" << text::of_float(options.lambda()) << ")";
}
Tensor HardshrinkImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::hardshrink(x, options); }, input);
}

void SoftshrinkImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Softshrink") << "(" << text::of_float(options.lambda()) << ")";
}
Tensor SoftshrinkImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::softshrink(x, options); }, input);
}

void SoftplusImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Softplus") << "(beta=" << text::of_number(options.beta())
         << ", threshold=" << text::of_number(options.threshold()) << ")";
}
Tensor SoftplusImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::softplus(x, options); }, input);
}

void SoftsignImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Softsign") << "()";
}
Tensor SoftsignImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [](const Tensor& x) { return F::softsign(x); }, input);
}

void TanhshrinkImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Tanhshrink") << "()";
}
Tensor TanhshrinkImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [](const Tensor& x) { return F::tanhshrink(x); }, input);
}

void ThresholdImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Threshold") << "(threshold=" << text::of_number(options.threshold())
         << ", value=" << text::of_number(options.value()) << after(options.inplace()) << ")";
}
Tensor ThresholdImpl::forward(Tensor input) {
  return detail::call_module(
      *this, [this](Tensor x) { return F::threshold(std::move(x), options); }, std::move(input));
}

void GLUImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("GLU") << "(dim=" << options.dim() << ")";
}
Tensor GLUImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::glu(x, options); }, input);
}

void SoftmaxImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Softmax") << "(dim=" << options.dim() << ")";
}
Tensor SoftmaxImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::softmax(x, options.dim()); }, input);
}

void SoftminImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Softmin") << "(dim=" << options.dim() << ")";
}
Tensor SoftminImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::softmin(x, options.dim()); }, input);
}

void LogSoftmaxImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("LogSoftmax") << "(dim=" << options.dim() << ")";
}
Tensor LogSoftmaxImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::log_softmax(x, options.dim()); }, input);
}

void Softmax2dImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Softmax2d") << "()";
}
Tensor Softmax2dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this,
      [](const Tensor& x) {
        TAPEDECK_CHECK_DEFINED("Softmax2d", x);
        TAPEDECK_CHECK(x.dim() == 3 || x.dim() == 4,
                       "Softmax2d: expected an input of 3 or 4 dimensions, got ", x.sizes());
        return F::softmax(x, -3);
      },
      input);
}

PReLUImpl::PReLUImpl(const PReLUOptions& options_) : options(options_) { reset(); }
void PReLUImpl::reset() {
  weight = register_parameter("weight", full(options.num_parameters(), options.init()));
}
void PReLUImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("PReLU") << "(num_parameters=" << options.num_parameters() << ")";
}
Tensor PReLUImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return tapedeck::prelu(x, weight); }, input);
}

template class Cloneable<ReLUImpl>;
template class Cloneable<ReLU6Impl>;
template class Cloneable<LeakyReLUImpl>;
template class Cloneable<RReLUImpl>;
template class Cloneable<ELUImpl>;
template class Cloneable<SELUImpl>;
template class Cloneable<CELUImpl>;
template class Cloneable<GELUImpl>;
template class Cloneable<SiLUImpl>;
template class Cloneable<MishImpl>;
template class Cloneable<SigmoidImpl>;
template class Cloneable<TanhImpl>;
template class Cloneable<LogSigmoidImpl>;
template class Cloneable<HardsigmoidImpl>;
template class Cloneable<HardswishImpl>;
template class Cloneable<HardtanhImpl>;
template class Cloneable<HardshrinkImpl>;
template class Cloneable<SoftshrinkImpl>;
template class Cloneable<SoftplusImpl>;
template class Cloneable<SoftsignImpl>;
template class Cloneable<TanhshrinkImpl>;
template class Cloneable<ThresholdImpl>;
template class Cloneable<GLUImpl>;
template class Cloneable<SoftmaxImpl>;
template class Cloneable<SoftminImpl>;
template class Cloneable<LogSoftmaxImpl>;
template class Cloneable<Softmax2dImpl>;
template class Cloneable<PReLUImpl>;

}  // namespace tapedeck::nn
