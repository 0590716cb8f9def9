#include <tapedeck/ops/loss.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/ops/activation.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/kernels/binary.h>
#include <tapedeck/ops/kernels/loss.h>
#include <tapedeck/ops/kernels/reduce.h>
#include <tapedeck/ops/promotion.h>
#include <tapedeck/ops/reduction.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck {

namespace detail {

Variable reduce_loss(const Variable& losses, std::int64_t reduction, const char* op) {
  switch (reduction) {
    case Reduction::None:
      return losses;
    case Reduction::Mean:
      return losses.mean();
    case Reduction::Sum:
      return losses.sum();
    default:
      fail<ValueError>(str(op, ": ", reduction, " is not a reduction (None, Mean or Sum)"));
  }
}

}  // namespace detail

using detail::reduce_loss;

namespace {

void check_same_shape(const char* op, const Variable& self, const Variable& target) {
  TAPEDECK_CHECK(self.sizes().equals(target.sizes()), op,
                 ": expected input and target of the same shape, got input ", self.sizes(),
                 " and target ", target.sizes());
}

void check_floating(const char* op, const Variable& self, const Variable& target) {
  TAPEDECK_CHECK_AS(TypeError, self.is_floating_point() || target.is_floating_point(), op,
                    ": not implemented for dtypes ", self.dtype(), " and ", target.dtype());
}

void check_floating(const char* op, const Variable& self) {
  TAPEDECK_CHECK_AS(TypeError, self.is_floating_point(), op, ": not implemented for dtype ",
                    self.dtype());
}

// self - target, of which one may be of integers or bool
Variable difference(const Variable& self, const Variable& target) {
  const ScalarType dtype = result_type(self, target);
  return self.to(dtype) - target.to(dtype);
}

Variable zero_like(const Variable& x) { return zeros({}, x.options()); }

// x where x > 0, else 0; finite gradients on both sides.
Variable positive_part(const Variable& x) { return x.clamp_min(0); }

}  // namespace

// y = (x - t)^2, or its mean or sum;  dx = 2 (x - t) g, dt = -dx
Variable mse_loss(const Variable& self, const Variable& target, std::int64_t reduction) {
  TAPEDECK_CHECK_DEFINED("mse_loss", self, target);
  const detail::OpScope scope("mse_loss");
  check_floating("mse_loss", self, target);
  if (!self.sizes().equals(target.sizes()) || self.dtype() != target.dtype())
    return reduce_loss(difference(self, target).square(), reduction, "mse_loss");
  Variable y;
  if (reduction == Reduction::Mean || reduction == Reduction::Sum) {
    y = Variable(
        kernels::squared_error(self.array(), target.array(), reduction == Reduction::Mean));
  } else {
    const NoGradGuard no_grad;
    const Variable difference = self - target;
    y = reduce_loss(difference * difference, reduction, "mse_loss");
  }
  if (should_record(self, target)) {
    const double scale = reduction == Reduction::Mean
                             ? 2.0 / static_cast<double>(std::max<std::int64_t>(self.numel(), 1))
                             : 2.0;
    record(y, "MseLossBackward0", edges(self, target),
           [self = save(self), target = save(target), scale](const Variable& g,
                                                             const VjpContext& ctx) {
             Variable grad = self.get(ctx) - target.get(ctx);
             // Nobody else holds the difference, and it is recorded only for a further derivative.
             if (GradMode::is_enabled())
               grad = grad * (g * scale);
             else
               grad.mul_(g * scale);
             Gradients grads(2);
             if (ctx.needs(0)) grads[0] = grad;
             if (ctx.needs(1)) grads[1] = -grad;
             return grads;
           });
  }
  return y;
}

Variable detail::no_adl::sum_squared_error(const Variable& self, const Variable& target) {
  TAPEDECK_CHECK_DEFINED("sum_squared_error", self, target);
  const detail::OpScope scope("sum_squared_error");
  check_same_shape("sum_squared_error", self, target);
  TAPEDECK_CHECK(self.dim() > 0, "sum_squared_error: expected at least one dimension");
  return mse_loss(self, target, Reduction::Sum) / self.size(0);
}

Variable l1_loss(const Variable& self, const Variable& target, std::int64_t reduction) {
  TAPEDECK_CHECK_DEFINED("l1_loss", self, target);
  const detail::OpScope scope("l1_loss");
  check_floating("l1_loss", self, target);
  return reduce_loss(difference(self, target).abs(), reduction, "l1_loss");
}

namespace {

// y = s c (|d| - c / 2) with d = x - t and c = min(|d|, w): a parabola within w, lines beyond;
// dx = g s d clamped to [-w, w], dt = -dx
Variable parabola_and_lines(const Variable& self, const Variable& target, double w, double s,
                            const char* name) {
  const ScalarType dtype = result_type(self, target);
  const detail::Operand x(self, dtype), t(target, dtype);
  const kernels::OpParams params{{w, s}};
  Variable y(kernels::binary(kernels::BinaryOp::Huber, x.array(), t.array(), params));
  if (should_record(x, t))
    record(y, name, edges(x, t),
           [x = save(x), t = save(t), params, w, s](const Variable& g, const VjpContext& ctx) {
             Variable dx;
             if (GradMode::is_enabled()) {
               dx = (x.get(ctx) - t.get(ctx)).clamp(-w, w) * s * g;
             } else {
               dx = Variable(kernels::binary(kernels::BinaryOp::HuberSlope, x.get(ctx).array(),
                                             t.get(ctx).array(), params));
               dx.mul_(g);
             }
             return Gradients{ctx.needs(0) ? dx.sum_to_size(ctx.input_sizes(0)) : Variable(),
                              ctx.needs(1) ? dx.sum_to_size(ctx.input_sizes(1)).neg() : Variable()};
           });
  return y;
}

}  // namespace

Variable smooth_l1_loss(const Variable& self, const Variable& target, std::int64_t reduction,
                        double beta) {
  TAPEDECK_CHECK_DEFINED("smooth_l1_loss", self, target);
  const detail::OpScope scope("smooth_l1_loss");
  check_floating("smooth_l1_loss", self, target);
  TAPEDECK_CHECK_AS(ValueError, beta >= 0, "smooth_l1_loss: expected beta >= 0, got ", beta);
  if (beta == 0) return l1_loss(self, target, reduction);
  return reduce_loss(parabola_and_lines(self, target, beta, 1 / beta, "SmoothL1LossBackward0"),
                     reduction, "smooth_l1_loss");
}

Variable huber_loss(const Variable& self, const Variable& target, std::int64_t reduction,
                    double delta) {
  TAPEDECK_CHECK_DEFINED("huber_loss", self, target);
  const detail::OpScope scope("huber_loss");
  check_floating("huber_loss", self, target);
  TAPEDECK_CHECK_AS(ValueError, delta > 0, "huber_loss: expected delta > 0, got ", delta);
  return reduce_loss(parabola_and_lines(self, target, delta, 1, "HuberLossBackward0"), reduction,
                     "huber_loss");
}

namespace {

// y = -(t log x + (1 - t) log(1 - x)), logarithms at least -100;
// dx = g (x - t) / max(x (1 - x), 1e-12), dt = g (log(1 - x) - log x)
Variable binary_cross_entropy_each(const Variable& x, const Variable& t) {
  const auto log_of = [](const Variable& v) { return v.log().clamp_min(-100); };
  const auto log_of_rest = [](const Variable& v) { return (-v).log1p().clamp_min(-100); };
  Variable y;
  {
    const NoGradGuard no_grad;
    y = (t - 1) * log_of_rest(x) - t * log_of(x);
  }
  if (should_record(x, t))
    record(
        y, "BinaryCrossEntropyBackward0", edges(x, t),
        [x = save(x), t = save(t), log_of, log_of_rest](const Variable& g, const VjpContext& ctx) {
          const Variable xv = x.get(ctx), tv = t.get(ctx);
          Gradients grads(2);
          if (ctx.needs(0)) grads[0] = g * (xv - tv) / (xv * (1 - xv)).clamp_min(1e-12);
          if (ctx.needs(1)) grads[1] = g * (log_of_rest(xv) - log_of(xv));
          return grads;
        });
  return y;
}

}  // namespace

Variable binary_cross_entropy(const Variable& self, const Variable& target,
                              const std::optional<Variable>& weight, std::int64_t reduction) {
  TAPEDECK_CHECK_DEFINED("binary_cross_entropy", self, target);
  check_floating("binary_cross_entropy", self);
  if (!self.sizes().equals(target.sizes()) &&
      self.squeeze().sizes().equals(target.squeeze().sizes()))
    return binary_cross_entropy(self, target.view(self.sizes()), weight, reduction);
  check_same_shape("binary_cross_entropy", self, target);
  TAPEDECK_CHECK_AS(TypeError, self.dtype() == target.dtype(),
                    "binary_cross_entropy: expected the target to have the input's dtype ",
                    self.dtype(), ", got ", target.dtype());
  {
    const NoGradGuard no_grad;
    TAPEDECK_CHECK(
        self.numel() == 0 || (self.ge(0).all().item<bool>() && self.le(1).all().item<bool>()),
        "binary_cross_entropy: all elements of input should be between 0 and 1 (shape ",
        self.sizes(), ")");
  }
  Variable losses = binary_cross_entropy_each(self, target);
  if (weight && weight->defined()) losses = losses * *weight;
  return reduce_loss(losses, reduction, "binary_cross_entropy");
}

Variable binary_cross_entropy_with_logits(const Variable& self, const Variable& target,
                                          const std::optional<Variable>& weight,
                                          const std::optional<Variable>& pos_weight,
                                          std::int64_t reduction) {
  TAPEDECK_CHECK_DEFINED("binary_cross_entropy_with_logits", self, target);
  const detail::OpScope scope("binary_cross_entropy_with_logits");
  check_floating("binary_cross_entropy_with_logits", self);
  TAPEDECK_CHECK(self.sizes() == target.sizes(),
                 "binary_cross_entropy_with_logits: expected input and target of the same shape, "
                 "got input ",
                 self.sizes(), " and target ", target.sizes(),
                 ": target size must be the same as input size");
  const Variable log_p = log_sigmoid(self);
  Variable losses = (1 - target) * self;
  if (pos_weight && pos_weight->defined())
    losses = losses - ((*pos_weight - 1) * target + 1) * log_p;
  else
    losses = losses - log_p;
  if (weight && weight->defined()) losses = losses * *weight;
  return reduce_loss(losses, reduction, "binary_cross_entropy_with_logits");
}

Variable kl_div(const Variable& self, const Variable& target, std::int64_t reduction,
                bool log_target) {
  TAPEDECK_CHECK_DEFINED("kl_div", self, target);
  const detail::OpScope scope("kl_div");
  check_floating("kl_div", self);
  if (log_target) return reduce_loss(target.exp() * (target - self), reduction, "kl_div");
  // 0 log 0 is 0, and so is its gradient.
  const Variable positive = target.gt(0);
  const Variable safe = target.where(positive, ones({}, target.options()));
  const Variable losses = (safe * (safe.log() - self)).where(positive, zero_like(self));
  return reduce_loss(losses, reduction, "kl_div");
}

Variable hinge_embedding_loss(const Variable& self, const Variable& target, double margin,
                              std::int64_t reduction) {
  TAPEDECK_CHECK_DEFINED("hinge_embedding_loss", self, target);
  const detail::OpScope scope("hinge_embedding_loss");
  check_floating("hinge_embedding_loss", self);
  const Variable zero = zero_like(self);
  const Variable losses =
      zero.where(target.eq(1), positive_part(margin - self)) + zero.where(target.eq(-1), self);
  return reduce_loss(losses, reduction, "hinge_embedding_loss");
}

Variable cosine_embedding_loss(const Variable& input1, const Variable& input2,
                               const Variable& target, double margin, std::int64_t reduction) {
  TAPEDECK_CHECK_DEFINED("cosine_embedding_loss", input1, input2, target);
  constexpr double kEps = 1e-12;
  // Integers are taken to the default floating dtype, as in libtorch.
  const Variable a = input1.to(detail::floating_type(input1.dtype()));
  const Variable b = input2.to(detail::floating_type(input2.dtype()));
  check_same_shape("cosine_embedding_loss", input1, input2);
  TAPEDECK_CHECK((input1.dim() == 1 && target.dim() == 0) ||
                     (input1.dim() == 2 && target.dim() == 1 && target.size(0) == input1.size(0)),
                 "cosine_embedding_loss: expected inputs [N, D] with target [N], or [D] with a "
                 "scalar, got inputs ",
                 input1.sizes(), " and target ", target.sizes());
  const Variable dot = (a * b).sum(-1);
  const Variable lengths = (a.square().sum(-1) + kEps) * (b.square().sum(-1) + kEps);
  const Variable cos = dot / lengths.sqrt();
  const Variable zero = zero_like(cos);
  const Variable losses =
      (1 - cos).where(target.eq(1), zero) + positive_part(cos - margin).where(target.eq(-1), zero);
  return reduce_loss(losses, reduction, "cosine_embedding_loss");
}

Variable margin_ranking_loss(const Variable& input1, const Variable& input2, const Variable& target,
                             double margin, std::int64_t reduction) {
  TAPEDECK_CHECK_DEFINED("margin_ranking_loss", input1, input2, target);
  const detail::OpScope scope("margin_ranking_loss");
  check_floating("margin_ranking_loss", input1);
  TAPEDECK_CHECK(input1.dim() == input2.dim() && input1.dim() == target.dim(),
                 "margin_ranking_loss: expected tensors of as many dimensions, got input1 ",
                 input1.sizes(), ", input2 ", input2.sizes(), " and target ", target.sizes());
  return reduce_loss(positive_part((input2 - input1) * target + margin), reduction,
                     "margin_ranking_loss");
}

Variable pairwise_distance(const Variable& x1, const Variable& x2, double p, double eps,
                           bool keepdim) {
  TAPEDECK_CHECK_DEFINED("pairwise_distance", x1, x2);
  const detail::OpScope scope("pairwise_distance");
  return (x1 - x2 + eps).norm(Scalar(p), -1, keepdim);
}

Variable triplet_margin_loss(const Variable& anchor, const Variable& positive,
                             const Variable& negative, double margin, double p, double eps,
                             bool swap, std::int64_t reduction) {
  TAPEDECK_CHECK_DEFINED("triplet_margin_loss", anchor, positive, negative);
  const detail::OpScope scope("triplet_margin_loss");
  check_floating("triplet_margin_loss", anchor);
  TAPEDECK_CHECK(anchor.dim() == positive.dim() && anchor.dim() == negative.dim(),
                 "triplet_margin_loss: expected tensors of as many dimensions, got anchor ",
                 anchor.sizes(), ", positive ", positive.sizes(), " and negative ",
                 negative.sizes());
  const Variable near = pairwise_distance(anchor, positive, p, eps);
  Variable far = pairwise_distance(anchor, negative, p, eps);
  if (swap) far = far.minimum(pairwise_distance(positive, negative, p, eps));
  return reduce_loss(positive_part(near - far + margin), reduction, "triplet_margin_loss");
}

Variable soft_margin_loss(const Variable& self, const Variable& target, std::int64_t reduction) {
  TAPEDECK_CHECK_DEFINED("soft_margin_loss", self, target);
  const detail::OpScope scope("soft_margin_loss");
  check_floating("soft_margin_loss", self);
  return reduce_loss(-log_sigmoid(self * target), reduction, "soft_margin_loss");
}

Variable detail::no_adl::multilabel_soft_margin_loss(const Variable& self, const Variable& target,
                                                     const std::optional<Variable>& weight,
                                                     std::int64_t reduction) {
  TAPEDECK_CHECK_DEFINED("multilabel_soft_margin_loss", self, target);
  const detail::OpScope scope("multilabel_soft_margin_loss");
  check_floating("multilabel_soft_margin_loss", self);
  check_same_shape("multilabel_soft_margin_loss", self, target);
  TAPEDECK_CHECK(self.dim() > 0, "multilabel_soft_margin_loss: expected at least one dimension");
  // -log(sigmoid(-x)) = x - log(sigmoid(x))
  Variable losses = (1 - target) * self - log_sigmoid(self);
  if (weight && weight->defined()) losses = losses * *weight;
  return reduce_loss(losses.mean(-1), reduction, "multilabel_soft_margin_loss");
}

Variable poisson_nll_loss(const Variable& input, const Variable& target, bool log_input, bool full,
                          double eps, std::int64_t reduction) {
  TAPEDECK_CHECK_DEFINED("poisson_nll_loss", input, target);
  const detail::OpScope scope("poisson_nll_loss");
  check_floating("poisson_nll_loss", input);
  Variable losses = log_input ? input.exp() - target * input : input - target * (input + eps).log();
  if (full) {
    const Variable large = target.gt(1);
    const Variable t = target.where(large, ones({}, target.options()));
    const Variable stirling = t * t.log() - t + (t * (2 * std::numbers::pi)).log() * 0.5;
    losses = losses + stirling.where(large, zero_like(t));
  }
  return reduce_loss(losses, reduction, "poisson_nll_loss");
}

Variable detail::no_adl::gaussian_nll_loss(const Variable& input, const Variable& target,
                                           const Variable& var, bool full, double eps,
                                           std::int64_t reduction) {
  TAPEDECK_CHECK_DEFINED("gaussian_nll_loss", input, target, var);
  const detail::OpScope scope("gaussian_nll_loss");
  check_floating("gaussian_nll_loss", input);
  Variable v = var;
  if (!var.sizes().equals(input.sizes())) {
    // One variance for a whole row, with or without an axis for it.
    const std::size_t dims = static_cast<std::size_t>(input.dim());
    if (dims > 0 && input.sizes().slice(0, dims - 1).equals(var.sizes())) v = var.unsqueeze(-1);
    const bool fits = v.dim() == input.dim() && dims > 0 && v.size(-1) == 1 &&
                      v.sizes().slice(0, dims - 1).equals(input.sizes().slice(0, dims - 1));
    TAPEDECK_CHECK_AS(ValueError, fits, "gaussian_nll_loss: var is of incorrect size: input ",
                      input.sizes(), ", var ", var.sizes());
  }
  {
    const NoGradGuard no_grad;
    TAPEDECK_CHECK_AS(ValueError, var.numel() == 0 || var.ge(0).all().item<bool>(),
                      "gaussian_nll_loss: var has negative entry/entries");
  }
  // The clamp does not count in the gradient.
  Variable lift;
  {
    const NoGradGuard no_grad;
    lift = v.detach().clamp_min(eps) - v.detach();
  }
  v = v + lift;
  Variable losses = (v.log() + (input - target).square() / v) * 0.5;
  if (full) losses = losses + 0.5 * std::log(2 * std::numbers::pi);
  return reduce_loss(losses, reduction, "gaussian_nll_loss");
}

}  // namespace tapedeck
