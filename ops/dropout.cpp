#include <tapedeck/ops/dropout.h>

#include <cmath>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/creation.h>

namespace tapedeck {

namespace {

void check_probability(const char* op, double p) {
  TAPEDECK_CHECK_AS(ValueError, p >= 0 && p <= 1, op,
                    ": dropout probability has to be between 0 and 1, but got ", p);
}

// 1 with probability 1 - p, else 0: for each element, or for each channel.
Variable keep_mask(const char* op, const Variable& input, double p, bool by_feature) {
  const NoGradGuard no_grad;
  DimVector sizes(input.sizes());
  if (by_feature) {
    TAPEDECK_CHECK(input.dim() >= 2, op, ": expected an input of at least 2 dimensions, got ",
                   input.sizes());
    for (std::size_t d = 2; d < sizes.size(); ++d) sizes[d] = 1;
  }
  return empty(sizes, input.options()).bernoulli_(1 - p);
}

// y = x m / (1 - p);  dx = g m / (1 - p)
Variable drop(const char* op, const Variable& input, double p, bool train, bool by_feature) {
  check_probability(op, p);
  if (p == 0 || !train || input.numel() == 0) return input;
  if (p == 1) return input * zeros({}, input.options());
  Variable mask = keep_mask(op, input, p, by_feature);
  mask.div_(1 - p);
  return input * mask;
}

// y = a (x m + alpha' (1 - m)) + b with a, b that restore mean 0 and variance 1;  dx = g m a
Variable alpha_drop(const char* op, const Variable& input, double p, bool train, bool by_feature) {
  constexpr double kAlpha = 1.7580993408473766;  // SELU's scale times its alpha
  check_probability(op, p);
  if (p == 0 || !train || input.numel() == 0) return input;
  if (p == 1) return input * zeros({}, input.options());
  Variable mask = keep_mask(op, input, p, by_feature);
  const double a = 1 / std::sqrt((kAlpha * kAlpha * p + 1) * (1 - p));
  const Variable shift = (mask - 1) * (kAlpha * a) + kAlpha * a * p;
  mask.mul_(a);
  return input * mask + shift;
}

Variable& assign(Variable& self, const Variable& result, const char* op) {
  return result.is_same(self) ? self : assign_inplace(self, result, op);
}

}  // namespace

Variable dropout(const Variable& input, double p, bool train) {
  TAPEDECK_CHECK_DEFINED("dropout", input);
  const detail::OpScope scope("dropout");
  return drop("dropout", input, p, train, false);
}
Variable& dropout_(Variable& self, double p, bool train) {
  TAPEDECK_CHECK_DEFINED("dropout_", self);
  const detail::OpScope scope("dropout_");
  return assign(self, dropout(self, p, train), "dropout_");
}
Variable feature_dropout(const Variable& input, double p, bool train) {
  TAPEDECK_CHECK_DEFINED("feature_dropout", input);
  const detail::OpScope scope("feature_dropout");
  return drop("feature_dropout", input, p, train, true);
}
Variable& feature_dropout_(Variable& self, double p, bool train) {
  TAPEDECK_CHECK_DEFINED("feature_dropout_", self);
  const detail::OpScope scope("feature_dropout_");
  return assign(self, feature_dropout(self, p, train), "feature_dropout_");
}
Variable alpha_dropout(const Variable& input, double p, bool train) {
  const detail::OpScope scope("alpha_dropout");
  return alpha_drop("alpha_dropout", input, p, train, false);
}
Variable& alpha_dropout_(Variable& self, double p, bool train) {
  TAPEDECK_CHECK_DEFINED("alpha_dropout_", self);
  const detail::OpScope scope("alpha_dropout_");
  return assign(self, alpha_dropout(self, p, train), "alpha_dropout_");
}
Variable feature_alpha_dropout(const Variable& input, double p, bool train) {
  const detail::OpScope scope("feature_alpha_dropout");
  return alpha_drop("feature_alpha_dropout", input, p, train, true);
}
Variable& feature_alpha_dropout_(Variable& self, double p, bool train) {
  TAPEDECK_CHECK_DEFINED("feature_alpha_dropout_", self);
  const detail::OpScope scope("feature_alpha_dropout_");
  return assign(self, feature_alpha_dropout(self, p, train), "feature_alpha_dropout_");
}

}  // namespace tapedeck
