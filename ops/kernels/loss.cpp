#include <tapedeck/ops/kernels/loss.h>

#include <algorithm>
#include <vector>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/binary_loops.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/cross_entropy_rows.h>
#include <tapedeck/ops/kernels/grain.h>
#include <tapedeck/ops/kernels/reducer.h>
#include <tapedeck/ops/kernels/within.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kErrorGrain = 65536;

template <typename T>
double class_weight(const T* weight, std::int64_t c) {
  return weight ? static_cast<double>(weight[c]) : 1.0;
}

template <typename T>
double total_weight(const T* weight, std::int64_t C) {
  double total = 0;
  for (std::int64_t c = 0; c < C; ++c) total += class_weight(weight, c);
  return total;
}

// Calls f(n, s, i) for the labels [N, S], in order: i is a label's number.
template <typename F>
void for_each_label(const Array& labels, F&& f) {
  const std::int64_t N = labels.size(0), S = labels.size(1);
  if (S == 1) {
    for (std::int64_t n = 0; n < N; ++n) f(n, std::int64_t{0}, n);
    return;
  }
  for (std::int64_t n = 0, i = 0; n < N; ++n)
    for (std::int64_t s = 0; s < S; ++s, ++i) f(n, s, i);
}

template <typename T>
const T* data_or_null(const Array& a) {
  return a.defined() ? a.data<T>() : nullptr;
}

}  // namespace

// Differences of a few thousand elements at a time stay in the cache.
Array squared_error(const Array& left, const Array& right, bool mean) {
  constexpr std::int64_t kBlock = 2048;
  const Array a = contiguous(left), b = contiguous(right);
  const std::int64_t n = a.numel(), item = element_size(a.dtype());
  Array out = Array::empty({}, a.dtype());
  dispatch_floating(a.dtype(), "mse_loss", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const RowLoop subtract = find_float_arithmetic(BinaryOp::Sub, a.dtype());
    const auto add_squares = find_simd_sums(ReduceOp::Norm2, a.dtype()).runs;
    const T* const x = a.data<T>();
    const T* const y = b.data<T>();
    std::vector<double> sums(static_cast<std::size_t>((n + kErrorGrain - 1) / kErrorGrain));
    parallel_for(n, kErrorGrain, [&](std::int64_t begin, std::int64_t end) {
      alignas(64) T difference[kBlock];
      for (std::int64_t i = begin; i < end; i += kBlock) {
        const std::int64_t count = std::min(kBlock, end - i);
        const void* const in[] = {x + i, y + i};
        subtract(difference, in, 0, count, nullptr);
        add_squares(&sums[static_cast<std::size_t>(i / kErrorGrain)], difference, count * item, 1,
                    count);
      }
    });
    double sum = 0;
    for (const double part : sums) sum += part;
    *out.data<T>() = static_cast<T>(mean ? sum / static_cast<double>(n) : sum);
  });
  return out;
}

void check_labels(const char* op, const ClassLabels& labels, std::int64_t C, IntArrayRef input,
                  IntArrayRef target) {
  const std::int64_t* const t = labels.target.data<std::int64_t>();
  if (all_within(t, 1, labels.target.numel(), C)) return;
  for (std::int64_t i = 0; i < labels.target.numel(); ++i)
    TAPEDECK_CHECK_AS(IndexError, (t[i] >= 0 && t[i] < C) || t[i] == labels.ignore_index, op,
                      ": Target ", t[i], " is out of bounds: expected labels from 0 to ", C - 1,
                      " (input ", input, ", target ", target, ")");
}

Array label_weights(const ClassLabels& labels, ScalarType dtype, double factor) {
  Array out = Array::empty(labels.target.sizes(), dtype);
  dispatch_floating(dtype, "nll_loss", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const std::int64_t* const t = labels.target.data<std::int64_t>();
    const T* const w = data_or_null<T>(labels.weight);
    T* const to = out.data<T>();
    const std::int64_t n = out.numel(), ignored = labels.ignore_index;
    // A negative score times a zero of the factor's sign is a loss of +0.
    const T sign = static_cast<T>(factor), none = sign * T{0};
    if (w)
      for (std::int64_t i = 0; i < n; ++i) to[i] = t[i] == ignored ? none : sign * w[t[i]];
    else
      for (std::int64_t i = 0; i < n; ++i) to[i] = t[i] == ignored ? none : sign;
  });
  return out;
}

double total_of(const Array& weights) {
  double total = 0;
  find_simd_sums(ReduceOp::Sum, weights.dtype())
      .runs(&total, weights.raw(), weights.nbytes(), 1, weights.numel());
  return total;
}

Array pick(const Array& x, const Array& target, const Array& row_weight) {
  const std::int64_t C = x.size(1), S = x.size(2);
  Array y = Array::empty(target.sizes(), x.dtype());
  dispatch_floating(x.dtype(), "nll_loss", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const from = x.data<T>();
    const T* const w = row_weight.data<T>();
    const std::int64_t* const t = target.data<std::int64_t>();
    T* const to = y.data<T>();
    for_each_label(target, [=](std::int64_t n, std::int64_t s, std::int64_t i) {
      to[i] = w[i] == T{0} ? T{0} : w[i] * from[(n * C + t[i]) * S + s];
    });
  });
  return y;
}

Array unpick(const Array& g, const Array& target, const Array& row_weight, std::int64_t C) {
  const std::int64_t N = target.size(0), S = target.size(1);
  Array x = full({N, C, S}, 0, g.dtype());
  dispatch_floating(g.dtype(), "nll_loss", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const from = g.data<T>();
    const T* const w = row_weight.data<T>();
    const std::int64_t* const t = target.data<std::int64_t>();
    T* const to = x.data<T>();
    for_each_label(target, [=](std::int64_t n, std::int64_t s, std::int64_t i) {
      if (w[i] != T{0}) to[(n * C + t[i]) * S + s] = w[i] * from[i];
    });
  });
  return x;
}

Array cross_entropy(const Array& x, const ClassLabels& labels, Array& lse) {
  const std::int64_t N = x.size(0), C = x.size(1), S = x.size(2);
  Array losses = Array::empty({N, S}, x.dtype());
  lse = Array::empty({N, 2, S}, x.dtype());
  if (losses.numel() == 0) return losses;
  dispatch_floating(x.dtype(), "cross_entropy_loss", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const CrossEntropyRows<T>& loops = cross_entropy_rows<T>();
    const T* const from = x.data<T>();
    const T* const w = data_or_null<T>(labels.weight);
    const std::int64_t* const target = labels.target.data<std::int64_t>();
    const std::int64_t ignored = labels.ignore_index;
    const double smoothing = labels.smoothing;
    const double W = smoothing == 0 ? 0 : total_weight(w, C);
    T* const to = losses.data<T>();
    T* const sums = lse.data<T>();
    // Single labels some at a time, the scores of the rest while they are in the cache.
    const std::int64_t together = S == 1 ? grain_for(C, 2048) : 1;
    parallel_for(N, grain_for(C * S), [=, &loops](std::int64_t begin, std::int64_t end) {
      std::vector<double> weighted(static_cast<std::size_t>(smoothing == 0 ? 0 : S));
      for (std::int64_t n = begin; n < end; ++n) {
        const T* const scores = from + n * C * S;
        T* const lse_n = sums + 2 * n * S;
        if ((n - begin) % together == 0)
          loops.log_sum_exp(scores, std::min(together, end - n), C, S, lse_n);
        if (smoothing != 0) loops.weighted_sums(scores, w, C, S, weighted.data());
        for (std::int64_t s = 0; s < S; ++s) {
          const std::int64_t i = n * S + s, t = target[i];
          if (t == ignored) {
            to[i] = 0;
            continue;
          }
          // -log softmax of a class is log_sum less its score.
          const double largest = static_cast<double>(lse_n[s]);
          const double log_sum = static_cast<double>(lse_n[S + s]);
          double loss =
              class_weight(w, t) * (largest - static_cast<double>(scores[t * S + s]) + log_sum);
          if (smoothing != 0) {
            const double spread = W * (largest + log_sum) - weighted[static_cast<std::size_t>(s)];
            loss = (1 - smoothing) * loss + smoothing / static_cast<double>(C) * spread;
          }
          to[i] = static_cast<T>(loss);
        }
      }
    });
  });
  return losses;
}

Array cross_entropy_grad(const Array& g, const Array& x, const Array& lse,
                         const ClassLabels& labels) {
  const std::int64_t N = x.size(0), C = x.size(1), S = x.size(2);
  Array out = Array::empty(x.sizes(), x.dtype());
  if (out.numel() == 0) return out;
  dispatch_floating(x.dtype(), "cross_entropy_loss", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const CrossEntropyRows<T>& loops = cross_entropy_rows<T>();
    const T* const from = x.data<T>();
    const T* const w = data_or_null<T>(labels.weight);
    const T* const grad = g.data<T>();
    const T* const sums = lse.data<T>();
    const std::int64_t* const target = labels.target.data<std::int64_t>();
    const std::int64_t ignored = labels.ignore_index;
    const double spread = labels.smoothing / static_cast<double>(C), kept = 1 - labels.smoothing;
    const double W = total_weight(w, C);
    T* const to = out.data<T>();
    // dx = g ((kept w[t] + spread W) softmax(x) - spread w[c] - kept w[t] [c = t])
    parallel_for(N, grain_for(C * S), [=, &loops](std::int64_t begin, std::int64_t end) {
      const Array buffer = Array::empty({2, S}, dtype_of<T>);
      T* const a = buffer.data<T>();
      T* const b = a + S;
      for (std::int64_t n = begin; n < end; ++n) {
        for (std::int64_t s = 0; s < S; ++s) {
          const std::int64_t i = n * S + s, t = target[i];
          const double gi = t == ignored ? 0 : static_cast<double>(grad[i]);
          a[s] =
              t == ignored ? T{0} : static_cast<T>(gi * (kept * class_weight(w, t) + spread * W));
          b[s] = static_cast<T>(gi * spread);
        }
        loops.softmax_minus(from + n * C * S, sums + 2 * n * S, a, b, spread == 0 ? nullptr : w,
                            spread != 0, C, S, to + n * C * S);
        for (std::int64_t s = 0; s < S; ++s) {
          const std::int64_t i = n * S + s, t = target[i];
          if (t != ignored)
            to[(n * C + t) * S + s] -=
                static_cast<T>(static_cast<double>(grad[i]) * kept * class_weight(w, t));
        }
      }
    });
  });
  return out;
}

Array label_distribution(const ClassLabels& labels, std::int64_t C, ScalarType dtype,
                         Array& total) {
  const std::int64_t N = labels.target.size(0), S = labels.target.size(1);
  Array out = full({N, C, S}, 0, dtype);
  total = full({N, 1, S}, 0, dtype);
  dispatch_floating(dtype, "cross_entropy_loss", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const w = data_or_null<T>(labels.weight);
    const std::int64_t* const target = labels.target.data<std::int64_t>();
    const double spread = labels.smoothing / static_cast<double>(C), kept = 1 - labels.smoothing;
    const double W = total_weight(w, C);
    for (std::int64_t i = 0; i < N * S; ++i) {
      const std::int64_t t = target[i];
      if (t == labels.ignore_index) continue;
      T* const column = out.data<T>() + i / S * C * S + i % S;
      for (std::int64_t c = 0; c < C; ++c)
        column[c * S] = static_cast<T>((spread + (c == t ? kept : 0)) * class_weight(w, c));
      total.data<T>()[i] = static_cast<T>(kept * class_weight(w, t) + spread * W);
    }
  });
  return out;
}

}  // namespace tapedeck::kernels
