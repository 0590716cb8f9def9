#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/indexing.h>
#include <tapedeck/ops/joining.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/ctc_loss.h>
#include <tapedeck/ops/loss.h>
#include <tapedeck/ops/pointwise.h>
#include <tapedeck/ops/reduction.h>
#include <tapedeck/ops/shape.h>
#include <tapedeck/ops/tensor_data.h>

namespace tapedeck {

namespace {

using kernels::CtcTargets;

// Stands for log(0) where an infinity would make NaN of a derivative.
constexpr double kNever = -1e30;

void check_lengths(const char* what, IntArrayRef lengths, std::int64_t N, std::int64_t most) {
  TAPEDECK_CHECK(static_cast<std::int64_t>(lengths.size()) == N, "ctc_loss: ", what,
                 " must be of size batch_size, ", N, ", got ", lengths);
  for (const std::int64_t length : lengths)
    TAPEDECK_CHECK(length >= 0 && length <= most, "ctc_loss: Expected ", what,
                   " to have value at most ", most, ", but got value ", length);
}

// The labels of each sequence, from rows or one after the other.
std::vector<std::vector<std::int64_t>> labels_of(const Variable& targets, IntArrayRef lengths,
                                                 std::int64_t C) {
  TAPEDECK_CHECK_AS(TypeError, targets.dtype() == kInt64 || targets.dtype() == kInt32,
                    "ctc_loss: expected targets of dtype Long or Int, got ", targets.dtype());
  const std::int64_t N = static_cast<std::int64_t>(lengths.size());
  const std::int64_t total = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
  const std::int64_t longest = N > 0 ? *std::max_element(lengths.begin(), lengths.end()) : 0;
  const bool rows = targets.dim() == 2;
  TAPEDECK_CHECK(rows || targets.dim() == 1,
                 "ctc_loss: expected targets of 1 or 2 dimensions, got ", targets.sizes());
  if (rows) {
    TAPEDECK_CHECK(targets.size(0) == N, "ctc_loss: Expected tensor to have size ", N,
                   " at dimension 0, but got size ", targets.size(0), " for targets");
    TAPEDECK_CHECK(targets.size(1) >= longest, "ctc_loss: Expected tensor to have size at least ",
                   longest, " at dimension 1, but got size ", targets.size(1), " for targets");
  } else {
    TAPEDECK_CHECK(targets.size(0) == total, "ctc_loss: Expected tensor to have size ", total,
                   " at dimension 0, but got size ", targets.size(0), " for targets");
  }
  const Array dense = kernels::cast(targets.contiguous().array(), kInt64);
  std::vector<std::vector<std::int64_t>> labels;
  const std::int64_t* next = dense.data<std::int64_t>();
  for (std::size_t n = 0; n < lengths.size(); ++n) {
    labels.emplace_back(next, next + lengths[n]);
    next += rows ? targets.size(1) : lengths[n];
    for (const std::int64_t label : labels.back())
      TAPEDECK_CHECK_AS(IndexError, label >= 0 && label < C, "ctc_loss: Target ", label,
                        " is out of bounds for ", C, " classes");
  }
  return labels;
}

Variable shifted(const Variable& a, std::int64_t by) {
  const std::int64_t S = a.size(0), filled = std::min(std::abs(by), S);
  const Variable never = full({filled}, kNever, a.options());
  return by > 0 ? cat({never, a.narrow(0, 0, S - filled)})
                : cat({a.narrow(0, filled, S - filled), never});
}

// kernels::ctc_posterior of one sequence's x [T, C], by operations that can be differentiated.
Variable posterior_of(const Variable& x, const std::vector<std::int64_t>& labels,
                      std::int64_t blank) {
  std::vector<std::int64_t> states(2 * labels.size() + 1, blank);
  for (std::size_t i = 0; i < labels.size(); ++i) states[2 * i + 1] = labels[i];
  const std::int64_t T = x.size(0);
  const Variable index = tensor(states, kInt64);
  std::vector<double> skip(states.size(), kNever), first = skip, last = skip;
  for (std::size_t s = 3; s < states.size(); s += 2)
    if (states[s] != states[s - 2]) skip[s] = 0;
  for (std::size_t s = 0; s < std::min<std::size_t>(2, states.size()); ++s)
    first[s] = last[states.size() - 1 - s] = 0;
  const Variable skips = tensor(skip, x.options());
  const Variable scores = x.index_select(1, index);  // [T, S]
  const auto sum_of_paths = [](const Variable& a, const Variable& b, const Variable& c) {
    return stack({a, b, c}).logsumexp(0);
  };
  std::vector<Variable> alpha{scores[0] + tensor(first, x.options())};
  for (std::int64_t t = 1; t < T; ++t) {
    const Variable& a = alpha.back();
    alpha.push_back(scores[t] + sum_of_paths(a, shifted(a, 1), shifted(a, 2) + skips));
  }
  std::vector<Variable> beta{tensor(last, x.options())};
  for (std::int64_t t = T - 1; t > 0; --t) {
    const Variable b = beta.back() + scores[t];
    beta.push_back(sum_of_paths(b, shifted(b, -1), shifted(b + skips, -2)));
  }
  std::reverse(beta.begin(), beta.end());
  const Variable total = (alpha.back() + tensor(last, x.options())).logsumexp(0);
  return zeros({T, x.size(1)}, x.options())
      .index_add(1, index, (stack(alpha) + stack(beta) - total).exp());
}

Variable differentiable_posterior(const Variable& x, const CtcTargets& targets) {
  CtcTargets counted = targets;
  counted.zero_infinity = false;
  const Array losses = kernels::cast(kernels::ctc_loss(x.array(), counted), kFloat64);
  const std::int64_t T = x.size(0), N = x.size(1), C = x.size(2);
  const Variable constant(kernels::ctc_posterior(x.array(), targets));
  std::vector<Variable> columns;
  for (std::int64_t n = 0; n < N; ++n) {
    const auto at = static_cast<std::size_t>(n);
    const std::int64_t steps = targets.input_lengths[at];
    if (steps == 0 || !std::isfinite(losses.data<double>()[n])) {
      columns.push_back(constant.select(1, n));
      continue;
    }
    const Variable used =
        posterior_of(x.select(1, n).narrow(0, 0, steps), targets.labels[at], targets.blank);
    columns.push_back(steps == T ? used : cat({used, zeros({T - steps, C}, x.options())}));
  }
  return stack(columns, 1);
}

// y[n] = -log p(labels of n | x);  dx = -g posterior
Variable ctc_loss_each(const Variable& log_probs, const CtcTargets& targets) {
  const Variable x = log_probs.contiguous();
  Variable losses(kernels::ctc_loss(x.array(), targets));
  if (should_record(x))
    record(losses, "CtcLossBackward0", edges(x),
           [x = save(x), targets](const Variable& g, const VjpContext& ctx) {
             const Variable xv = x.get(ctx);
             const Variable posterior = should_record(xv)
                                            ? differentiable_posterior(xv, targets)
                                            : Variable(kernels::ctc_posterior(xv.array(), targets));
             return 0 - g.view({1, -1, 1}) * posterior;
           });
  return losses;
}

std::vector<std::int64_t> list_of(const char* what, const Variable& lengths) {
  TAPEDECK_CHECK_AS(TypeError, is_integral(lengths.dtype(), false), "ctc_loss: ", what,
                    " must be integral, got ", lengths.dtype());
  TAPEDECK_CHECK(lengths.dim() <= 1, "ctc_loss: expected ", what, " of one dimension, got ",
                 lengths.sizes());
  const Array dense = kernels::cast(lengths.contiguous().array(), kInt64);
  const std::int64_t* const first = dense.data<std::int64_t>();
  return {first, first + dense.numel()};
}

}  // namespace

Variable ctc_loss(const Variable& log_probs, const Variable& targets, IntArrayRef input_lengths,
                  IntArrayRef target_lengths, std::int64_t blank, std::int64_t reduction,
                  bool zero_infinity) {
  TAPEDECK_CHECK_DEFINED("ctc_loss", log_probs, targets);
  TAPEDECK_CHECK(log_probs.dim() == 2 || log_probs.dim() == 3,
                 "ctc_loss: expected log_probs of 2 (unbatched) or 3 dimensions, got ",
                 log_probs.sizes());
  TAPEDECK_CHECK_AS(TypeError, log_probs.is_floating_point(),
                    "ctc_loss: not implemented for dtype ", log_probs.dtype());
  const bool batched = log_probs.dim() == 3;
  const Variable x = batched ? log_probs : log_probs.unsqueeze(1);
  const std::int64_t T = x.size(0), N = x.size(1), C = x.size(2);
  TAPEDECK_CHECK(blank >= 0 && blank < C, "ctc_loss: blank must be in label range [0, ", C,
                 "), got ", blank);
  check_lengths("input_lengths", input_lengths, N, T);
  check_lengths("target_lengths", target_lengths, N, targets.numel());
  CtcTargets aligned;
  aligned.labels = labels_of(targets, target_lengths, C);
  aligned.input_lengths.assign(input_lengths.begin(), input_lengths.end());
  aligned.blank = blank;
  aligned.zero_infinity = zero_infinity;
  const Variable losses = ctc_loss_each(x, aligned);
  if (reduction != Reduction::Mean)
    return detail::reduce_loss(batched ? losses : losses.squeeze(0), reduction, "ctc_loss");
  std::vector<double> divisors;
  for (const std::int64_t length : target_lengths)
    divisors.push_back(static_cast<double>(std::max<std::int64_t>(1, length)));
  return (losses / tensor(divisors, x.options().requires_grad(false))).mean();
}
Variable ctc_loss(const Variable& log_probs, const Variable& targets, const Variable& input_lengths,
                  const Variable& target_lengths, std::int64_t blank, std::int64_t reduction,
                  bool zero_infinity) {
  TAPEDECK_CHECK_DEFINED("ctc_loss", log_probs, targets, input_lengths, target_lengths);
  return ctc_loss(log_probs, targets, list_of("input_lengths", input_lengths),
                  list_of("target_lengths", target_lengths), blank, reduction, zero_infinity);
}

}  // namespace tapedeck
