#pragma once

#include <cstdint>
#include <optional>

#include <tapedeck/autograd/variable.h>

namespace tapedeck {

// Losses, with the signatures and definitions of PyTorch's functions of the same names. `reduction`
// is Reduction::None (the loss of each element or row), Mean or Sum. All are differentiable to any
// order in `self` and its like; in targets too where they are numbers and not labels.

/// -weight[target] self[target], of log-probabilities self [N, C], [N, C, d1, ...] or [C] and
/// labels target [N], [N, d1, ...] or []. Mean divides by the sum of the weights. Labels that equal
/// ignore_index do not count. \throws IndexError for a label outside of [0, C).
Variable nll_loss(const Variable& self, const Variable& target,
                  const std::optional<Variable>& weight = {},
                  std::int64_t reduction = Reduction::Mean, std::int64_t ignore_index = -100);
inline Variable nll_loss2d(const Variable& self, const Variable& target,
                           const std::optional<Variable>& weight = {},
                           std::int64_t reduction = Reduction::Mean,
                           std::int64_t ignore_index = -100) {
  return nll_loss(self, target, weight, reduction, ignore_index);
}
inline Variable nll_loss_nd(const Variable& self, const Variable& target,
                            const std::optional<Variable>& weight = {},
                            std::int64_t reduction = Reduction::Mean,
                            std::int64_t ignore_index = -100) {
  return nll_loss(self, target, weight, reduction, ignore_index);
}

/// nll_loss of the log-softmax of the scores `self`, computed as one. A floating target of self's
/// shape holds the probabilities of the classes instead of labels. label_smoothing spreads that
/// part of each label over all classes.
Variable cross_entropy_loss(const Variable& self, const Variable& target,
                            const std::optional<Variable>& weight = {},
                            std::int64_t reduction = Reduction::Mean,
                            std::int64_t ignore_index = -100, double label_smoothing = 0.0);

/// (self - target)^2
Variable mse_loss(const Variable& self, const Variable& target,
                  std::int64_t reduction = Reduction::Mean);
/// |self - target|
Variable l1_loss(const Variable& self, const Variable& target,
                 std::int64_t reduction = Reduction::Mean);
/// d^2 / (2 beta) where d = |self - target| < beta, else d - beta / 2.
Variable smooth_l1_loss(const Variable& self, const Variable& target,
                        std::int64_t reduction = Reduction::Mean, double beta = 1.0);
/// d^2 / 2 where d = |self - target| <= delta, else delta (d - delta / 2).
Variable huber_loss(const Variable& self, const Variable& target,
                    std::int64_t reduction = Reduction::Mean, double delta = 1.0);

/// -weight (target log(self) + (1 - target) log(1 - self)), where no logarithm is below -100.
/// \throws Error unless self is in [0, 1].
Variable binary_cross_entropy(const Variable& self, const Variable& target,
                              const std::optional<Variable>& weight = {},
                              std::int64_t reduction = Reduction::Mean);
/// The same of sigmoid(self), finite for any score; pos_weight multiplies the positive part.
Variable binary_cross_entropy_with_logits(const Variable& self, const Variable& target,
                                          const std::optional<Variable>& weight = {},
                                          const std::optional<Variable>& pos_weight = {},
                                          std::int64_t reduction = Reduction::Mean);
/// target (log(target) - self), or exp(target) (target - self) with log_target.
Variable kl_div(const Variable& self, const Variable& target,
                std::int64_t reduction = Reduction::Mean, bool log_target = false);

/// self where target is 1, max(0, margin - self) where it is -1.
Variable hinge_embedding_loss(const Variable& self, const Variable& target, double margin = 1.0,
                              std::int64_t reduction = Reduction::Mean);
/// 1 - cos(input1, input2) where target is 1, max(0, cos - margin) where it is -1; over the last
/// axis.
Variable cosine_embedding_loss(const Variable& input1, const Variable& input2,
                               const Variable& target, double margin = 0.0,
                               std::int64_t reduction = Reduction::Mean);
/// max(0, -target (input1 - input2) + margin)
Variable margin_ranking_loss(const Variable& input1, const Variable& input2, const Variable& target,
                             double margin = 0.0, std::int64_t reduction = Reduction::Mean);
/// max(0, d(anchor, positive) - d(anchor, negative) + margin) with d the p-norm over the last axis;
/// with `swap`, d(positive, negative) stands in where it is the smaller one.
Variable triplet_margin_loss(const Variable& anchor, const Variable& positive,
                             const Variable& negative, double margin = 1.0, double p = 2,
                             double eps = 1e-6, bool swap = false,
                             std::int64_t reduction = Reduction::Mean);
/// ||x1 - x2 + eps||_p over the last axis.
Variable pairwise_distance(const Variable& x1, const Variable& x2, double p = 2, double eps = 1e-6,
                           bool keepdim = false);
/// log(1 + exp(-target self))
Variable soft_margin_loss(const Variable& self, const Variable& target,
                          std::int64_t reduction = Reduction::Mean);
/// sum of max(0, 1 - (self[y] - self[i])) / C over the labels y, which a -1 ends, and all other i.
/// self and target [N, C] or [C]. \throws IndexError for a label outside of [-1, C).
Variable multilabel_margin_loss(const Variable& self, const Variable& target,
                                std::int64_t reduction = Reduction::Mean);
/// sum of weight[y] max(0, margin - self[y] + self[i])^p / C over all i but the label y; p is 1
/// or 2. \throws IndexError for a label outside of [0, C).
Variable multi_margin_loss(const Variable& self, const Variable& target, Scalar p = 1,
                           Scalar margin = 1, const std::optional<Variable>& weight = {},
                           std::int64_t reduction = Reduction::Mean);
/// exp(input) - target input, or input - target log(input + eps) without log_input; `full` adds
/// Stirling's term for targets above 1.
Variable poisson_nll_loss(const Variable& input, const Variable& target, bool log_input = true,
                          bool full = false, double eps = 1e-8,
                          std::int64_t reduction = Reduction::Mean);
/// -log of the probability that the rows of log_probs [T, N, C], or [T, C], spell the labels of
/// targets: summed over all alignments of the labels with the steps, where a step may hold `blank`
/// and a label may last for several (Graves et al., 2006). targets are [N, S] or one row after the
/// other; sequence n has input_lengths[n] steps and target_lengths[n] labels. Mean divides each
/// loss by the number of its labels. A sequence too short for its labels has an infinite loss, or
/// with zero_infinity none. The gradient is that of log_probs as they are: PyTorch's differs by a
/// term that a log_softmax before it cancels. \throws IndexError for a label outside of [0, C).
Variable ctc_loss(const Variable& log_probs, const Variable& targets, IntArrayRef input_lengths,
                  IntArrayRef target_lengths, std::int64_t blank = 0,
                  std::int64_t reduction = Reduction::Mean, bool zero_infinity = false);
Variable ctc_loss(const Variable& log_probs, const Variable& targets, const Variable& input_lengths,
                  const Variable& target_lengths, std::int64_t blank = 0,
                  std::int64_t reduction = Reduction::Mean, bool zero_infinity = false);

namespace detail::no_adl {  // see activation.h

/// Mean over the classes of -weight (target log(sigmoid(self)) + (1 - target) log(sigmoid(-self))).
Variable multilabel_soft_margin_loss(const Variable& self, const Variable& target,
                                     const std::optional<Variable>& weight = {},
                                     std::int64_t reduction = Reduction::Mean);
/// (log(v) + (input - target)^2 / v) / 2 with v = max(var, eps); `full` adds log(2 pi) / 2.
/// \throws ValueError for a negative variance.
Variable gaussian_nll_loss(const Variable& input, const Variable& target, const Variable& var,
                           bool full = false, double eps = 1e-6,
                           std::int64_t reduction = Reduction::Mean);
/// Sum of squares of the difference over the number of rows: sum (self - target)^2 / N.
Variable sum_squared_error(const Variable& self, const Variable& target);

}  // namespace detail::no_adl
using namespace detail::no_adl;

namespace detail {
/// The mean, the sum or `losses` itself. \throws ValueError for another reduction.
Variable reduce_loss(const Variable& losses, std::int64_t reduction, const char* op);
}  // namespace detail
}  // namespace tapedeck
