#include <tapedeck/nn/utils/clip_grad.h>

#include <algorithm>
#include <cmath>

#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/autograd/grad_state.h>

namespace tapedeck::nn::utils {

namespace {

// In float64, so that the order of the parameters hardly matters.
double joint_norm(const std::vector<Tensor>& gradients, double norm_type) {
  double total = 0;
  for (const Tensor& g : gradients) {
    const double norm = g.norm(Scalar(norm_type)).item<double>();
    // A NaN must come through.
    if (std::isinf(norm_type))
      total = norm > total || std::isnan(norm) ? norm : total;
    else if (norm_type == 0)  // counts: of the elements that are not 0, of the tensors with such
      total += norm != 0 ? 1 : 0;
    else
      total += std::pow(norm, norm_type);
  }
  return std::isinf(norm_type) || norm_type == 0 ? total : std::pow(total, 1.0 / norm_type);
}

// In the memory of the parameter's gradient; undefined where there is none.
Tensor gradient_of(const Tensor& parameter) {
  if (!parameter.defined()) return {};
  const Tensor& g = autograd::peek_grad(parameter);
  return g.defined() ? g.detach() : Tensor();
}

}  // namespace

double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, double norm_type,
                       bool error_if_nonfinite) {
  const NoGradGuard no_grad;
  std::vector<Tensor> gradients;
  for (const Tensor& parameter : parameters)
    if (const Tensor g = gradient_of(parameter); g.defined()) gradients.push_back(g);
  if (gradients.empty()) return 0.0;
  const double total = joint_norm(gradients, norm_type);
  TAPEDECK_CHECK(!error_if_nonfinite || std::isfinite(total),
                 "clip_grad_norm_: the total norm of order ", norm_type,
                 " of the gradients is not finite (", total, "), so they cannot be clipped");
  const double factor = std::min(1.0, max_norm / (total + 1e-6));
  if (factor < 1 || std::isnan(factor))
    for (const Tensor& g : gradients) g.mul_(factor);
  return total;
}
double clip_grad_norm_(const Tensor& parameter, double max_norm, double norm_type,
                       bool error_if_nonfinite) {
  return clip_grad_norm_(std::vector<Tensor>{parameter}, max_norm, norm_type, error_if_nonfinite);
}

void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value) {
  const NoGradGuard no_grad;
  for (const Tensor& parameter : parameters)
    if (const Tensor g = gradient_of(parameter); g.defined())
      g.clamp_(Scalar(-clip_value), Scalar(clip_value));
}
void clip_grad_value_(const Tensor& parameter, double clip_value) {
  clip_grad_value_(std::vector<Tensor>{parameter}, clip_value);
}

}  // namespace tapedeck::nn::utils
