#include <tapedeck/ops/kernels/norm.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/grain.h>
#include <tapedeck/ops/kernels/norm_loops.h>
#include <tapedeck/ops/kernels/reduce.h>

namespace tapedeck::kernels {

namespace {

// Below this many pixels a channel, channels go through the vector lanes instead.
constexpr std::int64_t kShortRow = 4;

template <typename T>
const T* data_or_null(const Array& array) {
  return array.defined() ? array.data<T>() : nullptr;
}
template <typename T>
double element(const T* data, std::int64_t i, double otherwise) {
  return data ? static_cast<double>(data[i]) : otherwise;
}

struct Extents {
  std::int64_t N, C, S;
  std::int64_t pitch;  // elements from one of the N to the next
  explicit Extents(const Array& x) : Extents(x.size(0), x.size(1), x.size(2)) {}
  Extents(std::int64_t n, std::int64_t c, std::int64_t s) : N(n), C(c), S(s), pitch(c * s) {}
  std::int64_t per_channel() const { return N * S; }
  // Somewhat longer rows are worth a column for each pixel, too, if there are enough of them for
  // what has to be laid out first.
  template <typename T>
  bool by_columns() const {
    constexpr std::int64_t kBytes = 128;
    return S > 0 && (S < kShortRow || (S * std::int64_t{sizeof(T)} < kBytes && N >= 8));
  }
  // The same of `count` of the channels.
  Extents with_channels(std::int64_t count) const {
    Extents some = *this;
    some.C = count;
    return some;
  }
};

// Calls body(channels, first one) for channels whose numbers, several for each column, stay in the
// cache: some at a time where columns have few rows, else all at once.
template <typename T, typename Body>
void for_channels(const Extents& e, Body body) {
  constexpr std::int64_t kFewRows = 16, kColumns = 1024;
  const std::int64_t together =
      std::max<std::int64_t>(1, kColumns / std::max<std::int64_t>(1, e.S));
  if (!e.by_columns<T>() || e.N > kFewRows || e.C <= 2 * together) return body(e, std::int64_t{0});
  parallel_for((e.C + together - 1) / together, grain_for(together * e.S * e.N),
               [=](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t c = begin * together; c < std::min(e.C, end * together);
                      c += together)
                   body(e.with_channels(std::min(together, e.C - c)), c);
               });
}

// Parts of the rows [N, C S] whose columns are added up by themselves.
constexpr std::int64_t kPartElements = 65536, kMaxParts = 16, kPartColumns = 2048;

// `kinds` sums for each of the C S columns, one kind behind the other: body(n0, n1, j, count, sums)
// adds rows [n0, n1) of columns [j, j + count) to sums + j, sums + j + C S and so on. Parts are
// merged in order.
template <typename Body>
std::vector<double> column_sums(const Extents& e, std::int64_t kinds, Body body) {
  const std::int64_t columns = e.C * e.S;
  const std::int64_t part_rows = std::max<std::int64_t>(
      (e.N + kMaxParts - 1) / kMaxParts,
      std::max<std::int64_t>(16, kPartElements / std::max<std::int64_t>(1, columns)));
  const std::int64_t parts = std::max<std::int64_t>(1, (e.N + part_rows - 1) / part_rows);
  const std::int64_t blocks = (columns + kPartColumns - 1) / kPartColumns;
  std::vector<double> sums(static_cast<std::size_t>(parts * kinds * columns));
  double* const out = sums.data();
  const std::int64_t grain = grain_for(std::min(part_rows, e.N) * std::min(columns, kPartColumns));
  parallel_for(parts * blocks, grain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t part = i / blocks, j = i % blocks * kPartColumns;
      body(part * part_rows, std::min(e.N, (part + 1) * part_rows), j,
           std::min(kPartColumns, columns - j), out + part * kinds * columns);
    }
  });
  for (std::int64_t part = 1; part < parts; ++part)
    for (std::int64_t i = 0; i < kinds * columns; ++i) out[i] += out[part * kinds * columns + i];
  sums.resize(static_cast<std::size_t>(kinds * columns));
  return sums;
}

// value(c) for each column.
template <typename To, typename Value>
std::vector<To> columns_of(const Extents& e, Value value) {
  std::vector<To> columns(static_cast<std::size_t>(e.C * e.S));
  To* to = columns.data();
  if (e.S == 1) {
    for (std::int64_t c = 0; c < e.C; ++c) to[c] = static_cast<To>(value(c));
    return columns;
  }
  for (std::int64_t c = 0; c < e.C; ++c, to += e.S) std::fill_n(to, e.S, static_cast<To>(value(c)));
  return columns;
}
// values[c] for each column.
template <typename To>
std::vector<To> per_column(const Extents& e, const double* values) {
  return columns_of<To>(e, [=](std::int64_t c) { return values[c]; });
}

// The sum over the S columns of channel c.
double channel_sum(const double* columns, std::int64_t c, std::int64_t S) {
  double sum = 0;
  for (std::int64_t i = c * S; i < (c + 1) * S; ++i) sum += columns[i];
  return sum;
}

// Calls body(first, last) for channels [c0, c1), some at a time: a row of a channel is far from its
// next one, so that short rows are better read with those of the channels beside it.
template <typename Body>
void for_each_bunch(const Extents& e, std::int64_t c0, std::int64_t c1, Body body) {
  constexpr std::int64_t kElements = 1024;
  const std::int64_t together =
      std::max<std::int64_t>(1, kElements / std::max<std::int64_t>(1, e.S));
  for (std::int64_t c = c0; c < c1; c += together) body(c, std::min(c1, c + together));
}

template <typename T>
void channel_stats(const T* x, const Extents& e, double eps, double* mean, double* variance,
                   double* rstd) {
  const NormLoops<T>& loops = norm_loops<T>();
  const double count = static_cast<double>(e.per_channel());
  if (e.by_columns<T>()) {
    std::vector<double> sums = column_sums(
        e, 1,
        [=, &loops](std::int64_t n0, std::int64_t n1, std::int64_t j, std::int64_t n, double* to) {
          loops.add(x + n0 * e.pitch + j, e.pitch, n1 - n0, to + j, n);
        });
    for (std::int64_t c = 0; c < e.C; ++c) mean[c] = channel_sum(sums.data(), c, e.S) / count;
    const std::vector<double> means = per_column<double>(e, mean);
    const double* const m = means.data();
    sums = column_sums(
        e, 1,
        [=, &loops](std::int64_t n0, std::int64_t n1, std::int64_t j, std::int64_t n, double* to) {
          loops.add_squares(x + n0 * e.pitch + j, e.pitch, n1 - n0, m + j, to + j, n);
        });
    for (std::int64_t c = 0; c < e.C; ++c) variance[c] = channel_sum(sums.data(), c, e.S) / count;
  } else {
    parallel_for(e.C, grain_for(e.per_channel()), [&](std::int64_t c0, std::int64_t c1) {
      for_each_bunch(e, c0, c1, [&](std::int64_t first, std::int64_t last) {
        std::fill(mean + first, mean + last, 0.0);
        std::fill(variance + first, variance + last, 0.0);
        for (std::int64_t n = 0; n < e.N; ++n)
          for (std::int64_t c = first; c < last; ++c)
            mean[c] += loops.sum(x + (n * e.C + c) * e.S, e.S);
        for (std::int64_t c = first; c < last; ++c) mean[c] /= count;
        for (std::int64_t n = 0; n < e.N; ++n)
          for (std::int64_t c = first; c < last; ++c)
            variance[c] += loops.squares(x + (n * e.C + c) * e.S, mean[c], e.S);
        for (std::int64_t c = first; c < last; ++c) variance[c] /= count;
      });
    });
  }
  loops.reciprocal_roots(variance, eps, rstd, e.C);
}

template <typename T>
void channel_affine(const T* x, const T* weight, const T* bias, const Extents& e,
                    const double* mean, const double* rstd, T* y) {
  const NormLoops<T>& loops = norm_loops<T>();
  if (e.by_columns<T>()) {
    const std::vector<T> means = per_column<T>(e, mean);
    const std::vector<T> a =
        columns_of<T>(e, [=](std::int64_t c) { return rstd[c] * element(weight, c, 1); });
    const std::vector<T> b = columns_of<T>(e, [=](std::int64_t c) { return element(bias, c, 0); });
    const std::int64_t columns = e.C * e.S;
    parallel_for(e.N, grain_for(columns), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t at = begin * e.pitch; at < end * e.pitch; at += e.pitch)
        loops.affine_columns(x + at, means.data(), a.data(), b.data(), y + at, columns);
    });
  } else {
    parallel_for(e.N * e.C, grain_for(e.S), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t c = row % e.C;
        loops.affine(x + row * e.S, mean[c], rstd[c] * element(weight, c, 1), nullptr,
                     element(bias, c, 0), nullptr, y + row * e.S, e.S);
      }
    });
  }
}

// dots[2 c] = sum grad, dots[2 c + 1] = sum grad (x - mean) over channel c.
template <typename T>
std::vector<double> channel_dots(const T* grad, const T* x, const Extents& e, const double* mean) {
  const NormLoops<T>& loops = norm_loops<T>();
  std::vector<double> dots(static_cast<std::size_t>(2 * e.C));
  if (e.by_columns<T>()) {
    const std::int64_t columns = e.C * e.S;
    const std::vector<double> means = per_column<double>(e, mean);
    const double* const m = means.data();
    const std::vector<double> sums = column_sums(
        e, 2,
        [=, &loops](std::int64_t n0, std::int64_t n1, std::int64_t j, std::int64_t n, double* to) {
          const std::int64_t at = n0 * e.pitch + j;
          loops.add_dots(grad + at, x + at, e.pitch, n1 - n0, m + j, to + j, to + columns + j, n);
        });
    for (std::int64_t c = 0; c < e.C; ++c) {
      dots[static_cast<std::size_t>(2 * c)] = channel_sum(sums.data(), c, e.S);
      dots[static_cast<std::size_t>(2 * c + 1)] = channel_sum(sums.data() + columns, c, e.S);
    }
  } else {
    parallel_for(e.C, grain_for(e.per_channel()), [&](std::int64_t c0, std::int64_t c1) {
      for_each_bunch(e, c0, c1, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t n = 0; n < e.N; ++n)
          for (std::int64_t c = first; c < last; ++c) {
            const std::int64_t at = (n * e.C + c) * e.S;
            loops.dots(grad + at, nullptr, x + at, mean[c], &dots[static_cast<std::size_t>(2 * c)],
                       e.S);
          }
      });
    });
  }
  return dots;
}

// dx = a[c] grad + b[c] (x - mean[c]) + k[c]
template <typename T>
void channel_combine(const T* grad, const T* x, const Extents& e, const double* mean,
                     const std::vector<double>& a, const std::vector<double>& b,
                     const std::vector<double>& k, T* out) {
  const NormLoops<T>& loops = norm_loops<T>();
  if (e.by_columns<T>()) {
    const std::vector<T> means = per_column<T>(e, mean), as = per_column<T>(e, a.data()),
                         bs = per_column<T>(e, b.data()), ks = per_column<T>(e, k.data());
    const std::int64_t columns = e.C * e.S;
    parallel_for(e.N, grain_for(columns), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t at = begin * e.pitch; at < end * e.pitch; at += e.pitch)
        loops.combine_columns(grad + at, x + at, means.data(), as.data(), bs.data(), ks.data(),
                              out + at, columns);
    });
  } else {
    parallel_for(e.N * e.C, grain_for(e.S), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const auto c = static_cast<std::size_t>(row % e.C);
        loops.combine(grad + row * e.S, nullptr, x + row * e.S, mean[c], a[c], b[c], k[c],
                      out + row * e.S, e.S);
      }
    });
  }
}

template <typename T>
Array array_of(const std::vector<double>& values, ScalarType dtype) {
  Array out = Array::empty(static_cast<std::int64_t>(values.size()), dtype);
  std::transform(values.begin(), values.end(), out.data<T>(),
                 [](double v) { return static_cast<T>(v); });
  return out;
}

}  // namespace

Array reciprocal_roots(const Array& variance, double eps) {
  const Array from = contiguous(cast(variance, kFloat64));
  Array to = Array::empty(from.sizes(), kFloat64);
  norm_loops<double>().reciprocal_roots(from.data<double>(), eps, to.data<double>(), to.numel());
  return to;
}

Array channel_norm(const Array& x, const Array& weight, const Array& bias, double eps,
                   NormStats& stats, Array* variance) {
  const Extents e(x);
  stats.mean = Array::empty(e.C, kFloat64);
  stats.rstd = Array::empty(e.C, kFloat64);
  const Array var = Array::empty(e.C, kFloat64);
  if (variance) *variance = var;
  dispatch_floating(x.dtype(), "batch_norm", [&](auto tag) {
    using T = typename decltype(tag)::type;
    for_channels<T>(e, [&](const Extents& some, std::int64_t c) {
      channel_stats(x.data<T>() + c * e.S, some, eps, stats.mean.data<double>() + c,
                    var.data<double>() + c, stats.rstd.data<double>() + c);
    });
  });
  return channel_norm_with(x, weight, bias, stats);
}

Array channel_norm_with(const Array& x, const Array& weight, const Array& bias,
                        const NormStats& stats) {
  Array y = Array::empty(x.sizes(), x.dtype());
  if (x.numel() == 0) return y;
  dispatch_floating(x.dtype(), "batch_norm", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const w = data_or_null<T>(weight);
    const T* const b = data_or_null<T>(bias);
    const Extents e(x);
    for_channels<T>(e, [&](const Extents& some, std::int64_t c) {
      channel_affine(x.data<T>() + c * e.S, w ? w + c : nullptr, b ? b + c : nullptr, some,
                     stats.mean.data<double>() + c, stats.rstd.data<double>() + c,
                     y.data<T>() + c * e.S);
    });
  });
  return y;
}

namespace {

// Where the gradients of some channels go: null for those that nobody wants.
template <typename T>
struct ChannelGradients {
  T *input, *weight, *bias;
};

template <typename T>
void channel_gradients(const T* grad, const T* x, const T* w, const Extents& e, const double* mean,
                       const double* rstd, bool constant_stats, const ChannelGradients<T>& to) {
  const auto C = static_cast<std::size_t>(e.C);
  std::vector<double> dots(2 * C);
  if (e.S > 0 && (to.weight || to.bias || !constant_stats)) dots = channel_dots(grad, x, e, mean);
  for (std::size_t c = 0; c < C; ++c) {
    if (to.bias) to.bias[c] = static_cast<T>(dots[2 * c]);
    if (to.weight) to.weight[c] = static_cast<T>(dots[2 * c + 1] * rstd[c]);
  }
  if (!to.input || e.N == 0 || e.S == 0) return;
  if (constant_stats) {  // dx = w rstd g
    const std::vector<double> zeros(C);
    return channel_affine<T>(grad, w, nullptr, e, zeros.data(), rstd, to.input);
  }
  // dx = w rstd (g - mean(g) - (x - mean) rstd^2 mean(g (x - mean)))
  const double count = static_cast<double>(e.per_channel());
  std::vector<double> a(C), b(C), k(C);
  for (std::size_t c = 0; c < C; ++c) {
    a[c] = rstd[c] * element(w, static_cast<std::int64_t>(c), 1);
    b[c] = -a[c] * rstd[c] * rstd[c] * dots[2 * c + 1] / count;
    k[c] = -a[c] * dots[2 * c] / count;
  }
  channel_combine(grad, x, e, mean, a, b, k, to.input);
}

}  // namespace

NormGradients channel_norm_grad(const Array& grad, const Array& x, const Array& weight,
                                const NormStats& stats, bool constant_stats,
                                const NormWanted& wanted) {
  const Extents e(x);
  NormGradients result;
  if (wanted.input) result.input = Array::empty(x.sizes(), x.dtype());
  if (wanted.weight) result.weight = Array::empty(e.C, x.dtype());
  if (wanted.bias) result.bias = Array::empty(e.C, x.dtype());
  dispatch_floating(x.dtype(), "batch_norm", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const w = data_or_null<T>(weight);
    for_channels<T>(e, [&](const Extents& some, std::int64_t c) {
      channel_gradients<T>(grad.data<T>() + c * e.S, x.data<T>() + c * e.S, w ? w + c : nullptr,
                           some, stats.mean.data<double>() + c, stats.rstd.data<double>() + c,
                           constant_stats,
                           {wanted.input ? result.input.data<T>() + c * e.S : nullptr,
                            wanted.weight ? result.weight.data<T>() + c : nullptr,
                            wanted.bias ? result.bias.data<T>() + c : nullptr});
    });
  });
  return result;
}

namespace {

// Whether each of the D places has so few elements that a call for each takes longer than they do:
// these are places of their own then, of which several have the same weight.
bool has_short_places(std::int64_t D, std::int64_t S) { return D > 1 && S > 1 && S <= 32; }

// Every element S times, or undefined.
Array repeated(const Array& a, std::int64_t S) {
  return a.defined() ? contiguous(a.unsqueeze(1).expand({a.numel(), S})).view({a.numel() * S}) : a;
}

}  // namespace

Array row_norm(const Array& x, const Array& weight, const Array& bias, double eps,
               std::int64_t groups, NormStats& stats) {
  const std::int64_t R = x.size(0), D = x.size(1), S = x.size(2), L = D * S;
  if (has_short_places(D, S))
    return row_norm(x.view({R, L, 1}), repeated(weight, S), repeated(bias, S), eps, groups, stats)
        .view(x.sizes());
  stats.mean = Array::empty(R, kFloat64);
  stats.rstd = Array::empty(R, kFloat64);
  Array y = Array::empty(x.sizes(), x.dtype());
  if (x.numel() == 0) return y;
  dispatch_floating(x.dtype(), "layer_norm", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const NormLoops<T>& loops = norm_loops<T>();
    const T* const w = data_or_null<T>(weight);
    const T* const b = data_or_null<T>(bias);
    const T* const from = x.data<T>();
    T* const to = y.data<T>();
    double* const mean = stats.mean.data<double>();
    double* const rstd = stats.rstd.data<double>();
    parallel_for(R, grain_for(L), [=, &loops](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        const T* const row = from + r * L;
        mean[r] = loops.sum(row, L) / static_cast<double>(L);
        rstd[r] = 1 / std::sqrt(loops.squares(row, mean[r], L) / static_cast<double>(L) + eps);
        const std::int64_t k0 = (r % groups) * D;
        if (S == 1) {
          loops.affine(row, mean[r], rstd[r], w ? w + k0 : nullptr, 0, b ? b + k0 : nullptr,
                       to + r * L, D);
        } else {
          for (std::int64_t d = 0; d < D; ++d)
            loops.affine(row + d * S, mean[r], rstd[r] * element(w, k0 + d, 1), nullptr,
                         element(b, k0 + d, 0), nullptr, to + r * L + d * S, S);
        }
      }
    });
  });
  return y;
}

namespace {

// The sums over S of grad and of grad (x - mean), for each of the D places of each row: [R, D, 2].
// Empty where S is 1 and they are the elements.
template <typename T>
std::vector<double> place_dots(const T* grad, const T* x, const double* mean, std::int64_t R,
                               std::int64_t D, std::int64_t S) {
  if (S == 1) return {};
  std::vector<double> dots(static_cast<std::size_t>(2 * R * D));
  const NormLoops<T>& loops = norm_loops<T>();
  parallel_for(R, grain_for(D * S),
               [=, &loops, to = dots.data()](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t r = begin; r < end; ++r)
                   for (std::int64_t k = r * D; k < (r + 1) * D; ++k)
                     loops.dots(grad + k * S, nullptr, x + k * S, mean[r], to + 2 * k, S);
               });
  return dots;
}

template <typename T>
void row_grad_input(const T* grad, const T* x, const T* w, const double* mean, const double* rstd,
                    const double* of_places, std::int64_t R, std::int64_t D, std::int64_t S,
                    std::int64_t groups, T* out) {
  const NormLoops<T>& loops = norm_loops<T>();
  const std::int64_t L = D * S;
  parallel_for(R, grain_for(L), [=, &loops](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const T* const g = grad + r * L;
      const T* const row = x + r * L;
      const std::int64_t k0 = (r % groups) * D;
      // dx = rstd (g w - mean(g w) - (x - mean) rstd^2 mean(g w (x - mean)))
      double dots[2] = {0, 0};
      if (S == 1) {
        loops.dots(g, w ? w + k0 : nullptr, row, mean[r], dots, D);
      } else {
        for (std::int64_t d = 0; d < D; ++d) {
          const double* const part = of_places + 2 * (r * D + d);
          dots[0] += part[0] * element(w, k0 + d, 1);
          dots[1] += part[1] * element(w, k0 + d, 1);
        }
      }
      const double a = rstd[r], count = static_cast<double>(L);
      const double b = -a * a * a * dots[1] / count, c = -a * dots[0] / count;
      if (S == 1) {
        loops.combine(g, w ? w + k0 : nullptr, row, mean[r], a, b, c, out + r * L, D);
      } else {
        for (std::int64_t d = 0; d < D; ++d)
          loops.combine(g + d * S, nullptr, row + d * S, mean[r], a * element(w, k0 + d, 1), b, c,
                        out + r * L + d * S, S);
      }
    }
  });
}

// Sums over the rows [R / groups, groups D] of each group: dw of grad (x - mean) rstd, db of grad.
template <typename T>
void row_grad_affine_columns(const T* grad, const T* x, const double* mean, const double* rstd,
                             std::int64_t R, std::int64_t D, std::int64_t groups,
                             std::vector<double>& dw, std::vector<double>& db) {
  const NormLoops<T>& loops = norm_loops<T>();
  const std::int64_t columns = groups * D;
  const std::vector<double> sums = column_sums(
      Extents(R / groups, columns, 1), 2,
      [=, &loops](std::int64_t n0, std::int64_t n1, std::int64_t j, std::int64_t n, double* to) {
        for (const std::int64_t end = j + n; j < end;) {
          const std::int64_t group = j / D, count = std::min(end, (group + 1) * D) - j;
          const std::int64_t at = n0 * columns + j, row = n0 * groups + group;
          loops.add_scaled_dots(grad + at, x + at, columns, n1 - n0, mean + row, rstd + row, groups,
                                to + j, to + columns + j, count);
          j += count;
        }
      });
  std::copy_n(sums.begin(), columns, db.begin());
  std::copy_n(sums.begin() + columns, columns, dw.begin());
}

// The same sums, and over S.
template <typename T>
void row_grad_affine(const T* grad, const T* x, const double* mean, const double* rstd,
                     const double* of_places, std::int64_t R, std::int64_t D, std::int64_t S,
                     std::int64_t groups, std::vector<double>& dw, std::vector<double>& db) {
  if (S == 1) return row_grad_affine_columns(grad, x, mean, rstd, R, D, groups, dw, db);
  for (std::int64_t r = 0; r < R; ++r)
    for (std::int64_t d = 0; d < D; ++d, of_places += 2) {
      const auto k = static_cast<std::size_t>(r % groups * D + d);
      db[k] += of_places[0];
      dw[k] += of_places[1] * rstd[r];
    }
}

}  // namespace

NormGradients row_norm_grad(const Array& grad, const Array& x, const Array& weight,
                            const NormStats& stats, std::int64_t groups, const NormWanted& wanted) {
  const std::int64_t R = x.size(0), D = x.size(1), S = x.size(2);
  NormGradients result;
  if (has_short_places(D, S)) {
    result = row_norm_grad(grad.view({R, D * S, 1}), x.view({R, D * S, 1}), repeated(weight, S),
                           stats, groups, wanted);
    if (wanted.input) result.input = result.input.view(x.sizes());
    for (Array* const of_places : {&result.weight, &result.bias})
      if (of_places->defined()) *of_places = sum(of_places->view({groups * D, S}), {1}, false);
    return result;
  }
  dispatch_floating(x.dtype(), "layer_norm", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const double* const mean = stats.mean.data<double>();
    const double* const rstd = stats.rstd.data<double>();
    const std::vector<double> dots = x.numel() == 0
                                         ? std::vector<double>()
                                         : place_dots(grad.data<T>(), x.data<T>(), mean, R, D, S);
    if (wanted.input) {
      result.input = Array::empty(x.sizes(), x.dtype());
      if (x.numel() != 0)
        row_grad_input(grad.data<T>(), x.data<T>(), data_or_null<T>(weight), mean, rstd,
                       dots.data(), R, D, S, groups, result.input.data<T>());
    }
    if (!wanted.weight && !wanted.bias) return;
    std::vector<double> dw(static_cast<std::size_t>(groups * D)), db(dw.size());
    if (x.numel() != 0)
      row_grad_affine(grad.data<T>(), x.data<T>(), mean, rstd, dots.data(), R, D, S, groups, dw,
                      db);
    if (wanted.weight) result.weight = array_of<T>(dw, x.dtype());
    if (wanted.bias) result.bias = array_of<T>(db, x.dtype());
  });
  return result;
}

}  // namespace tapedeck::kernels
