#include <tapedeck/ops/kernels/ctc_loss.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>

namespace tapedeck::kernels {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// What is added to the largest term is of the scores' precision, as they are themselves.
template <typename T>
double log_sum_exp(double a, double b, double c) {
  const double top = std::max({a, b, c});
  if (top == -kInfinity) return top;
  const auto share = [=](double x) {
    return x == top ? T{1} : x == -kInfinity ? T{0} : std::exp(static_cast<T>(x - top));
  };
  return top + static_cast<double>(std::log(share(a) + share(b) + share(c)));
}

// One sequence: its scores, and its states, the labels with a blank before, between and after.
template <typename T>
struct Lattice {
  Lattice(const T* log_probs, std::int64_t step_stride, std::int64_t n, const CtcTargets& targets)
      : scores(log_probs), stride(step_stride) {
    const auto& labels = targets.labels[static_cast<std::size_t>(n)];
    steps = targets.input_lengths[static_cast<std::size_t>(n)];
    states.assign(2 * labels.size() + 1, targets.blank);
    for (std::size_t i = 0; i < labels.size(); ++i) states[2 * i + 1] = labels[i];
    count = static_cast<std::int64_t>(states.size());
  }

  double score(std::int64_t t, std::int64_t s) const {
    return static_cast<double>(scores[t * stride + states[static_cast<std::size_t>(s)]]);
  }
  // Whether a path may go from state s - 2 to s: past the blank between two different labels.
  bool skips_to(std::int64_t s) const {
    const auto at = static_cast<std::size_t>(s);
    return s >= 2 && s % 2 == 1 && states[at] != states[at - 2];
  }

  // alpha[t, s]: log of the probability of all beginnings that are in state s at step t.
  std::vector<double> forward() const {
    std::vector<double> alpha(static_cast<std::size_t>(steps * count), -kInfinity);
    for (std::int64_t s = 0; s < std::min<std::int64_t>(2, count) && steps > 0; ++s)
      alpha[static_cast<std::size_t>(s)] = score(0, s);
    for (std::int64_t t = 1; t < steps; ++t) {
      const double* const before = alpha.data() + (t - 1) * count;
      double* const now = alpha.data() + t * count;
      for (std::int64_t s = 0; s < count; ++s)
        now[s] = score(t, s) + log_sum_exp<T>(before[s], s >= 1 ? before[s - 1] : -kInfinity,
                                              skips_to(s) ? before[s - 2] : -kInfinity);
    }
    return alpha;
  }

  // beta[t, s]: the same of all endings after step t, whose own score is not counted.
  std::vector<double> backward() const {
    std::vector<double> beta(static_cast<std::size_t>(steps * count), -kInfinity);
    for (std::int64_t s = std::max<std::int64_t>(0, count - 2); s < count && steps > 0; ++s)
      beta[static_cast<std::size_t>((steps - 1) * count + s)] = 0;
    const auto step = [&](std::int64_t t, std::int64_t s, const double* after) {
      return s < count ? after[s] + score(t, s) : -kInfinity;
    };
    for (std::int64_t t = steps - 2; t >= 0; --t) {
      const double* const after = beta.data() + (t + 1) * count;
      double* const now = beta.data() + t * count;
      for (std::int64_t s = 0; s < count; ++s)
        now[s] = log_sum_exp<T>(
            step(t + 1, s, after), step(t + 1, s + 1, after),
            s + 2 < count && skips_to(s + 2) ? step(t + 1, s + 2, after) : -kInfinity);
    }
    return beta;
  }

  // log of the probability of the labels. Without a step only the empty sequence is spelled.
  double total(const std::vector<double>& alpha) const {
    if (steps == 0) return count == 1 ? 0.0 : -kInfinity;
    const double* const last = alpha.data() + (steps - 1) * count;
    return log_sum_exp<T>(last[count - 1], count > 1 ? last[count - 2] : -kInfinity, -kInfinity);
  }

  const T* scores;
  std::int64_t stride;  // elements from one step to the next
  std::int64_t steps, count;
  std::vector<std::int64_t> states;
};

}  // namespace

Array ctc_loss(const Array& log_probs, const CtcTargets& targets) {
  const std::int64_t N = log_probs.size(1), C = log_probs.size(2);
  Array losses = Array::empty(N, log_probs.dtype());
  dispatch_floating(log_probs.dtype(), "ctc_loss", [&](auto tag) {
    using T = typename decltype(tag)::type;
    parallel_for(N, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n) {
        const Lattice<T> lattice(log_probs.data<T>() + n * C, N * C, n, targets);
        const double total = lattice.total(lattice.forward());
        const bool counts = total != -kInfinity || !targets.zero_infinity;
        losses.data<T>()[n] = counts ? static_cast<T>(-total) : T{0};
      }
    });
  });
  return losses;
}

Array ctc_posterior(const Array& log_probs, const CtcTargets& targets) {
  const std::int64_t N = log_probs.size(1), C = log_probs.size(2);
  Array posterior = Array::empty(log_probs.sizes(), log_probs.dtype());
  dispatch_floating(log_probs.dtype(), "ctc_loss", [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* const out = posterior.data<T>();
    std::fill_n(out, posterior.numel(), T{0});
    parallel_for(N, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n) {
        const Lattice<T> lattice(log_probs.data<T>() + n * C, N * C, n, targets);
        const std::vector<double> alpha = lattice.forward(), beta = lattice.backward();
        const double total = lattice.total(alpha);
        const bool impossible = total == -kInfinity;
        if (impossible && targets.zero_infinity) continue;
        for (std::int64_t t = 0; t < lattice.steps; ++t) {
          T* const row = out + (t * N + n) * C;
          if (impossible) std::fill_n(row, C, std::numeric_limits<T>::quiet_NaN());
          for (std::int64_t s = 0; s < lattice.count && !impossible; ++s) {
            const auto at = static_cast<std::size_t>(t * lattice.count + s);
            row[lattice.states[static_cast<std::size_t>(s)]] +=
                std::exp(static_cast<T>(alpha[at] + beta[at] - total));
          }
        }
      }
    });
  });
  return posterior;
}

}  // namespace tapedeck::kernels
