#include <tapedeck/nn/functional/activation.h>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/activation.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/index.h>

namespace tapedeck::nn::functional {

Tensor relu(Tensor input, const ReLUFuncOptions& options) {
  return options.inplace() ? input.relu_() : tapedeck::relu(input);
}
Tensor relu6(Tensor input, const ReLU6FuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("relu6", input);
  const tapedeck::detail::OpScope scope("relu6");
  return options.inplace() ? relu6_(input) : tapedeck::relu6(input);
}
Tensor leaky_relu(Tensor input, const LeakyReLUFuncOptions& options) {
  return options.inplace() ? leaky_relu_(input, options.negative_slope())
                           : tapedeck::leaky_relu(input, options.negative_slope());
}
Tensor rrelu(Tensor input, const RReLUFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("rrelu", input);
  const tapedeck::detail::OpScope scope("rrelu");
  return options.inplace()
             ? rrelu_(input, options.lower(), options.upper(), options.training())
             : tapedeck::rrelu(input, options.lower(), options.upper(), options.training());
}
Tensor prelu(const Tensor& input, const Tensor& weight) { return tapedeck::prelu(input, weight); }
Tensor elu(Tensor input, const ELUFuncOptions& options) {
  return options.inplace() ? elu_(input, options.alpha()) : tapedeck::elu(input, options.alpha());
}
Tensor selu(Tensor input, const SELUFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("selu", input);
  const tapedeck::detail::OpScope scope("selu");
  return options.inplace() ? selu_(input) : tapedeck::selu(input);
}
Tensor celu(Tensor input, const CELUFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("celu", input);
  const tapedeck::detail::OpScope scope("celu");
  return options.inplace() ? celu_(input, options.alpha()) : tapedeck::celu(input, options.alpha());
}
Tensor gelu(const Tensor& input, const GELUFuncOptions& options) {
  return tapedeck::gelu(input, options.approximate());
}
Tensor silu(Tensor input, const SiLUOptions& options) {
  return options.inplace() ? silu_(input) : tapedeck::silu(input);
}
Tensor mish(const Tensor& input) { return tapedeck::mish(input); }
Tensor sigmoid(const Tensor& input) { return input.sigmoid(); }
Tensor tanh(const Tensor& input) { return input.tanh(); }
Tensor logsigmoid(const Tensor& input) {
  TAPEDECK_CHECK_DEFINED("logsigmoid", input);
  const tapedeck::detail::OpScope scope("logsigmoid");
  return log_sigmoid(input);
}
Tensor hardsigmoid(const Tensor& input) { return tapedeck::hardsigmoid(input); }
Tensor hardswish(const Tensor& input, const HardswishOptions& options) {
  Tensor x = input;
  return options.inplace() ? hardswish_(x) : tapedeck::hardswish(x);
}
Tensor hardtanh(Tensor input, const HardtanhFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("hardtanh", input);
  const tapedeck::detail::OpScope scope("hardtanh");
  TAPEDECK_CHECK_AS(ValueError, options.min_val() <= options.max_val(),
                    "hardtanh: expected min_val <= max_val, got ", options.min_val(), " and ",
                    options.max_val());
  return options.inplace() ? hardtanh_(input, options.min_val(), options.max_val())
                           : tapedeck::hardtanh(input, options.min_val(), options.max_val());
}
Tensor hardshrink(const Tensor& input, const HardshrinkFuncOptions& options) {
  return tapedeck::hardshrink(input, options.lambda());
}
Tensor softshrink(const Tensor& input, const SoftshrinkFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("softshrink", input);
  const tapedeck::detail::OpScope scope("softshrink");
  return tapedeck::softshrink(input, options.lambda());
}
Tensor softplus(const Tensor& input, const SoftplusFuncOptions& options) {
  return tapedeck::softplus(input, options.beta(), options.threshold());
}
Tensor softsign(const Tensor& input) { return tapedeck::softsign(input); }
Tensor tanhshrink(const Tensor& input) {
  TAPEDECK_CHECK_DEFINED("tanhshrink", input);
  const tapedeck::detail::OpScope scope("tanhshrink");
  return tapedeck::tanhshrink(input);
}
Tensor threshold(Tensor input, const ThresholdFuncOptions& options) {
  return options.inplace() ? threshold_(input, options.threshold(), options.value())
                           : tapedeck::threshold(input, options.threshold(), options.value());
}
Tensor glu(const Tensor& input, const GLUFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("glu", input);
  const tapedeck::detail::OpScope scope("glu");
  return tapedeck::glu(input, options.dim());
}
Tensor softmax(const Tensor& input, const SoftmaxFuncOptions& options) {
  return input.softmax(options.dim(), options.dtype());
}
Tensor softmin(const Tensor& input, const SoftminFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("softmin", input);
  const tapedeck::detail::OpScope scope("softmin");
  return (-input).softmax(options.dim(), options.dtype());
}
Tensor log_softmax(const Tensor& input, const LogSoftmaxFuncOptions& options) {
  return input.log_softmax(options.dim(), options.dtype());
}

Tensor gumbel_softmax(const Tensor& logits, const GumbelSoftmaxFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("gumbel_softmax", logits);
  const tapedeck::detail::OpScope scope("gumbel_softmax");
  Tensor noise;
  {
    const NoGradGuard no_grad;
    noise = -empty_like(logits).exponential_().log();
  }
  const Tensor soft = ((logits + noise) / options.tau()).softmax(options.dim());
  if (!options.hard()) return soft;
  Tensor hard;
  {
    const NoGradGuard no_grad;
    hard = zeros_like(logits).scatter(options.dim(), soft.argmax(options.dim(), true), 1.0);
    hard = hard - soft.detach();
  }
  return hard + soft;
}

}  // namespace tapedeck::nn::functional
