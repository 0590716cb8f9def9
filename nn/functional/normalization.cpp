#include <tapedeck/nn/functional/normalization.h>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/joining.h>
#include <tapedeck/ops/norm.h>
#include <tapedeck/ops/pool.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck::nn::functional {

Tensor batch_norm(const Tensor& input, const Tensor& running_mean, const Tensor& running_var,
                  const BatchNormFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("batch_norm", input);
  const tapedeck::detail::OpScope scope("batch_norm");
  TAPEDECK_CHECK(input.dim() >= 2, "batch_norm: expected an input of at least 2 dimensions, got ",
                 input.sizes());
  if (options.training())
    TAPEDECK_CHECK_AS(ValueError, input.numel() != input.size(1),
                      "batch_norm: Expected more than 1 value per channel when training, got "
                      "input size ",
                      input.sizes());
  TAPEDECK_CHECK(options.momentum().has_value(),
                 "batch_norm: expected a momentum (the module computes it for plain averages)");
  return tapedeck::batch_norm(input, options.weight(), options.bias(), running_mean, running_var,
                              options.training(), *options.momentum(), options.eps());
}

Tensor instance_norm(const Tensor& input, const InstanceNormFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("instance_norm", input);
  const tapedeck::detail::OpScope scope("instance_norm");
  TAPEDECK_CHECK(input.dim() >= 3,
                 "instance_norm: expected an input of at least 3 dimensions, got ", input.sizes());
  if (options.use_input_stats())
    TAPEDECK_CHECK_AS(ValueError, numel_of(input.sizes().slice(2)) != 1,
                      "instance_norm: Expected more than 1 spatial element when training, got "
                      "input size ",
                      input.sizes());
  return tapedeck::instance_norm(input, options.weight(), options.bias(), options.running_mean(),
                                 options.running_var(), options.use_input_stats(),
                                 options.momentum(), options.eps());
}

Tensor layer_norm(const Tensor& input, const LayerNormFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("layer_norm", input);
  const tapedeck::detail::OpScope scope("layer_norm");
  return tapedeck::layer_norm(input, options.normalized_shape(), options.weight(), options.bias(),
                              options.eps());
}
Tensor group_norm(const Tensor& input, const GroupNormFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("group_norm", input);
  const tapedeck::detail::OpScope scope("group_norm");
  return tapedeck::group_norm(input, options.num_groups(), options.weight(), options.bias(),
                              options.eps());
}

Tensor local_response_norm(const Tensor& self, const LocalResponseNormFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("local_response_norm", self);
  const tapedeck::detail::OpScope scope("local_response_norm");
  const Tensor input = self.is_floating_point() ? self : self.to(get_default_dtype());
  TAPEDECK_CHECK(input.dim() >= 3,
                 "local_response_norm: expected an input of at least 3 dimensions, got ",
                 input.sizes());
  TAPEDECK_CHECK_AS(ValueError, options.size() > 0, "local_response_norm: expected size > 0, got ",
                    options.size());
  if (input.numel() == 0) return input;
  // Means over windows of channels: an average pool over [N, 1, C, S], where zeros beyond the first
  // and last channel count.
  const std::int64_t N = input.size(0), C = input.size(1), S = input.numel() / (N * C);
  const std::int64_t before = options.size() / 2, after = options.size() - 1 - before;
  const Tensor squares = input.square().reshape({N, 1, C, S});
  std::vector<Tensor> parts{squares};
  if (before > 0) parts.insert(parts.begin(), zeros({N, 1, before, S}, input.options()));
  if (after > 0) parts.push_back(zeros({N, 1, after, S}, input.options()));
  const Tensor means = avg_pool2d(cat(parts, 2), {options.size(), 1}, 1).reshape(input.sizes());
  return input / (means * options.alpha() + options.k()).pow(options.beta());
}

Tensor normalize(const Tensor& input, const NormalizeFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("normalize", input);
  const tapedeck::detail::OpScope scope("normalize");
  const Tensor norm = input.norm(Scalar(options.p()), options.dim(), true);
  const Tensor result = input / norm.clamp_min(options.eps());
  if (!options.out()) return result;
  Tensor out = *options.out();
  const NoGradGuard no_grad;
  return out.set_data(result.detach()), out;
}

}  // namespace tapedeck::nn::functional
