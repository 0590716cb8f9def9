#include <limits>

#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/comparison.h>
#include <tapedeck/ops/index.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/loss.h>
#include <tapedeck/ops/kernels/margin_loss.h>
#include <tapedeck/ops/loss.h>
#include <tapedeck/ops/reduction.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck {

using detail::reduce_loss;

namespace {

// Scores [N, C, d1, ...] as [N, C, S], or [C] as [1, C, 1].
DimVector class_view(const char* op, const Variable& self) {
  TAPEDECK_CHECK(self.dim() >= 1, op, ": expected scores of at least one dimension, got ",
                 self.sizes());
  TAPEDECK_CHECK_AS(TypeError, self.is_floating_point(), op, ": not implemented for dtype ",
                    self.dtype());
  if (self.dim() == 1) return {1, self.size(0), 1};
  return {self.size(0), self.size(1), numel_of(self.sizes().slice(2))};
}

kernels::ClassLabels labels_of(const char* op, const Variable& self, const Variable& target,
                               const std::optional<Variable>& weight, std::int64_t ignore_index,
                               const DimVector& view) {
  DimVector expected(self.sizes());
  expected.erase(self.dim() == 1 ? 0 : 1);
  TAPEDECK_CHECK(target.sizes().equals(expected), op, ": expected labels of shape ", expected,
                 ", got target ", target.sizes(), " (input ", self.sizes(), ")");
  TAPEDECK_CHECK_AS(
      TypeError, target.dtype() == kInt64 || target.dtype() == kInt32 || target.dtype() == kUInt8,
      op, ": expected integer labels, got target of dtype ", target.dtype());
  kernels::ClassLabels labels;
  labels.target = kernels::cast(target.contiguous().array(), kInt64).view({view[0], view[2]});
  labels.ignore_index = ignore_index;
  if (weight && weight->defined()) {
    TAPEDECK_CHECK(weight->dim() == 1 && weight->size(0) == view[1], op,
                   ": expected a weight for each of ", view[1], " classes, got weight ",
                   weight->sizes());
    TAPEDECK_CHECK_AS(TypeError, weight->dtype() == self.dtype(), op,
                      ": expected weight to have the input's dtype ", self.dtype(), ", got ",
                      weight->dtype());
    labels.weight = weight->contiguous().array();
  }
  kernels::check_labels(op, labels, view[1], self.sizes(), target.sizes());
  return labels;
}

Variable unpick(const Variable& g, const Array& target, const Array& row_weight, std::int64_t C);

// y[n, s] = w[n, s] x[n, t[n, s], s];  dx = unpick(g)
Variable pick(const Variable& input, const Array& target, const Array& row_weight) {
  const Variable x = input.contiguous();
  Variable y(kernels::pick(x.array(), target, row_weight));
  if (should_record(x))
    record(y, "NllLossBackward0", edges(x), [target, row_weight, C = x.size(1)](const Variable& g) {
      return unpick(g, target, row_weight, C);
    });
  return y;
}

// the adjoint of pick, linear too;  dg = pick(gg)
Variable unpick(const Variable& grad, const Array& target, const Array& row_weight,
                std::int64_t C) {
  const Variable g = grad.contiguous();
  Variable x(kernels::unpick(g.array(), target, row_weight, C));
  if (should_record(g))
    record(x, "NllLossBackwardBackward0", edges(g),
           [target, row_weight](const Variable& gg) { return pick(gg, target, row_weight); });
  return x;
}

// The sum of the losses over that of the labels' weights. Where every label is ignored that is
// 0 / 0, but with a gradient of zero: no score plays a part.
Variable weighted_mean(const Variable& losses, double total) {
  if (total == 0) return losses.sum() * 0 + std::numeric_limits<double>::quiet_NaN();
  return losses.sum() / total;
}

// dx = g (total softmax(x) - distribution), for the gradient of each position's loss g [N, 1, S].
Variable differentiable_grad(const Variable& g, const Variable& x,
                             const kernels::ClassLabels& labels) {
  Array total;
  const Variable distribution(kernels::label_distribution(labels, x.size(1), x.dtype(), total));
  return g * (x.softmax(1) * Variable(total) - distribution);
}

// losses[n, s] = -sum over c of q[c] log softmax(x)[c], q the smoothed label;
// dx = g (softmax(x) sum(q) - q)
Variable cross_entropy_each(const Variable& x, const kernels::ClassLabels& labels) {
  Array lse;
  Variable losses(kernels::cross_entropy(x.array(), labels, lse));
  if (should_record(x))
    record(losses, "CrossEntropyLossBackward0", edges(x),
           [x = save(x), lse, labels](const Variable& g, const VjpContext& ctx) {
             const Variable xv = x.get(ctx);
             if (GradMode::is_enabled()) return differentiable_grad(g.unsqueeze(1), xv, labels);
             return Variable(
                 kernels::cross_entropy_grad(g.contiguous().array(), xv.array(), lse, labels));
           });
  return losses;
}

Variable cross_entropy_probabilities(const Variable& self, const Variable& target,
                                     const std::optional<Variable>& weight, std::int64_t reduction,
                                     double label_smoothing) {
  const std::int64_t axis = self.dim() == 1 ? 0 : 1, C = self.size(axis);
  Variable q = target;
  if (label_smoothing > 0) q = q * (1 - label_smoothing) + label_smoothing / static_cast<double>(C);
  if (weight && weight->defined()) {
    TAPEDECK_CHECK(weight->dim() == 1 && weight->size(0) == C,
                   "cross_entropy_loss: expected a weight for each of ", C, " classes, got weight ",
                   weight->sizes());
    DimVector broadcast(static_cast<std::size_t>(self.dim()), 1);
    broadcast[static_cast<std::size_t>(axis)] = C;
    q = q * weight->view(broadcast);
  }
  const Variable losses = -(self.log_softmax(axis) * q).sum(axis);
  if (reduction != Reduction::Mean) return reduce_loss(losses, reduction, "cross_entropy_loss");
  return losses.sum() / (static_cast<double>(self.numel()) / static_cast<double>(C));
}

// [N, S] as the labels were.
Variable as_target(const Variable& losses, const Variable& target) {
  return losses.reshape(target.sizes());
}

}  // namespace

Variable nll_loss(const Variable& self, const Variable& target,
                  const std::optional<Variable>& weight, std::int64_t reduction,
                  std::int64_t ignore_index) {
  TAPEDECK_CHECK_DEFINED("nll_loss", self, target);
  const DimVector view = class_view("nll_loss", self);
  const kernels::ClassLabels labels =
      labels_of("nll_loss", self, target, weight, ignore_index, view);
  const Array minus_weights = kernels::label_weights(labels, self.dtype(), -1);
  const Variable losses = pick(self.reshape(view), labels.target, minus_weights);
  if (reduction == Reduction::Mean) return weighted_mean(losses, -kernels::total_of(minus_weights));
  return reduce_loss(as_target(losses, target), reduction, "nll_loss");
}

Variable cross_entropy_loss(const Variable& self, const Variable& target,
                            const std::optional<Variable>& weight, std::int64_t reduction,
                            std::int64_t ignore_index, double label_smoothing) {
  TAPEDECK_CHECK_DEFINED("cross_entropy_loss", self, target);
  TAPEDECK_CHECK_AS(
      ValueError, label_smoothing >= 0 && label_smoothing <= 1,
      "cross_entropy_loss: label_smoothing must be between 0.0 and 1.0. Got: ", label_smoothing);
  const DimVector view = class_view("cross_entropy_loss", self);
  if (target.is_floating_point() && target.sizes().equals(self.sizes()))
    return cross_entropy_probabilities(self, target, weight, reduction, label_smoothing);
  kernels::ClassLabels labels =
      labels_of("cross_entropy_loss", self, target, weight, ignore_index, view);
  labels.smoothing = label_smoothing;
  const Variable losses = cross_entropy_each(self.contiguous().view(view), labels);
  if (reduction == Reduction::Mean)
    return weighted_mean(losses, kernels::total_of(kernels::label_weights(labels, self.dtype())));
  return reduce_loss(as_target(losses, target), reduction, "cross_entropy_loss");
}

namespace {

// dx of multi_margin_each, as a function of g [N] and x that is differentiable itself.
Variable multi_margin_slopes(const Variable& g, const Variable& x,
                             const kernels::MultiMargin& loss) {
  const Variable target = Variable(loss.target).unsqueeze(1);
  const Variable others =
      scatter(Variable(kernels::ones(x.array().sizes(), x.dtype())), 1, target, 0);
  const Variable z = (x - x.gather(1, target) + loss.margin).clamp_min(0);
  const Variable slope = loss.square ? z * 2 : (z > 0).to(x.dtype());
  const Variable scale = g * Variable(loss.weights) / static_cast<double>(x.size(1));
  const Variable d = slope * others * scale.unsqueeze(1);
  return d - (1 - others) * d.sum(1, true);
}

// losses[n] = w[n] / C sum over c != t of max(0, margin - x[n, t] + x[n, c])^p;
// dx = g times the slopes, and less their sum at the label
Variable multi_margin_each(const Variable& x, const kernels::MultiMargin& loss) {
  Variable losses(kernels::multi_margin(x.array(), loss));
  if (should_record(x))
    record(losses, "MultiMarginLossBackward0", edges(x),
           [x = save(x), loss](const Variable& g, const VjpContext& ctx) {
             const Variable xv = x.get(ctx);
             if (GradMode::is_enabled()) return multi_margin_slopes(g, xv, loss);
             return Variable(kernels::multi_margin_grad(g.contiguous().array(), xv.array(), loss));
           });
  return losses;
}

// dx of multilabel_margin_each, differentiable by g: the slopes do not depend on x.
Variable multilabel_margin_slopes(const Variable& g, const Variable& x, const Array& is_label) {
  const Variable label = Variable(is_label).to(x.dtype());
  const Variable pairs = label.unsqueeze(2) * (1 - label).unsqueeze(1);  // [N, label, other]
  const Variable z = 1 - x.unsqueeze(2) + x.unsqueeze(1);
  const Variable d =
      (z > 0).to(x.dtype()) * pairs * (g / static_cast<double>(x.size(1))).view({-1, 1, 1});
  return d.sum(1) - d.sum(2);
}

// losses[n] = 1 / C sum over labels j and others c of max(0, 1 - x[n, j] + x[n, c])
Variable multilabel_margin_each(const Variable& x, const Array& is_label) {
  Variable losses(kernels::multilabel_margin(x.array(), is_label));
  if (should_record(x))
    record(losses, "MultilabelMarginLossBackward0", edges(x),
           [x = save(x), is_label](const Variable& g, const VjpContext& ctx) {
             const Variable xv = x.get(ctx);
             if (GradMode::is_enabled()) return multilabel_margin_slopes(g, xv, is_label);
             return Variable(
                 kernels::multilabel_margin_grad(g.contiguous().array(), xv.array(), is_label));
           });
  return losses;
}

}  // namespace

Variable multi_margin_loss(const Variable& self, const Variable& target, Scalar p, Scalar margin,
                           const std::optional<Variable>& weight, std::int64_t reduction) {
  TAPEDECK_CHECK_DEFINED("multi_margin_loss", self, target);
  constexpr const char* kOp = "multi_margin_loss";
  TAPEDECK_CHECK_AS(ValueError, p.toDouble() == 1 || p.toDouble() == 2, kOp,
                    ": only p == 1 and p == 2 supported, got ", p);
  TAPEDECK_CHECK(self.dim() == 1 || self.dim() == 2, kOp,
                 ": expected an input of one or two dimensions, got ", self.sizes());
  const DimVector view = class_view(kOp, self);
  const kernels::ClassLabels labels =
      labels_of(kOp, self, target, weight, std::numeric_limits<std::int64_t>::min(), view);
  kernels::MultiMargin loss;
  loss.target = labels.target.view({view[0]});
  loss.weights = kernels::label_weights(labels, self.dtype()).view({view[0]});
  loss.margin = margin.toDouble();
  loss.square = p.toDouble() == 2;
  const Variable losses = multi_margin_each(self.contiguous().view({view[0], view[1]}), loss);
  // The mean over no rows is 0 here, as in libtorch.
  if (view[0] == 0 && reduction == Reduction::Mean) return losses.sum();
  return reduce_loss(as_target(losses, target), reduction, kOp);
}

Variable multilabel_margin_loss(const Variable& self, const Variable& target,
                                std::int64_t reduction) {
  TAPEDECK_CHECK_DEFINED("multilabel_margin_loss", self, target);
  constexpr const char* kOp = "multilabel_margin_loss";
  TAPEDECK_CHECK((self.dim() == 1 || self.dim() == 2) && target.sizes().equals(self.sizes()), kOp,
                 ": expected input and target of one shape, [C] or [N, C], got input ",
                 self.sizes(), " and target ", target.sizes());
  class_view(kOp, self);  // checks the dtype
  TAPEDECK_CHECK_AS(TypeError, target.dtype() == kInt64 || target.dtype() == kInt32, kOp,
                    ": expected integer labels, got target of dtype ", target.dtype());
  const std::int64_t C = self.size(-1), N = self.dim() == 2 ? self.size(0) : 1;
  const Array labels = kernels::cast(target.contiguous().array(), kInt64);
  // is_label[n, c]: whether c is among the labels of row n, which end before the first -1.
  const Array is_label = kernels::zeros({N, C}, kUInt8);
  const std::int64_t* const label_of = labels.data<std::int64_t>();
  for (std::int64_t n = 0; n < N; ++n)
    for (std::int64_t j = 0; j < C; ++j) {
      const std::int64_t label = label_of[n * C + j];
      TAPEDECK_CHECK_AS(IndexError, label >= -1 && label < C, kOp, ": Target ", label,
                        " is out of bounds: expected labels from -1 to ", C - 1, " (input ",
                        self.sizes(), ")");
      if (label == -1) break;
      is_label.data<std::uint8_t>()[n * C + label] = 1;
    }
  const Variable losses = multilabel_margin_each(self.contiguous().view({N, C}), is_label);
  return reduce_loss(self.dim() == 2 ? losses : losses.squeeze(0), reduction, kOp);
}

}  // namespace tapedeck
