#include <tapedeck/ops/kernels/scan.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/axis.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/scan_loops.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kGrain = 16384;
constexpr std::int64_t kTile = 256;  // columns taken together where the axis is not the last
constexpr std::int64_t kLines = 4;   // rows taken together where it is

// Calls body(offset of the first element, columns) for tiles of columns that are adjacent and are
// walked along the axis together.
template <typename Body>
void for_each_tile(const AxisView& view, Body body) {
  const std::int64_t tiles = (view.inner + kTile - 1) / kTile;
  const std::int64_t tile_size = view.axis * std::min(view.inner, kTile);
  const std::int64_t grain =
      std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, tile_size));
  parallel_for(view.outer * tiles, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t job = begin; job < end; ++job) {
      const std::int64_t first = job % tiles * kTile;
      body(job / tiles * view.axis * view.inner + first, std::min(kTile, view.inner - first));
    }
  });
}

// `count` elements of a row, each of which waits for the one before it.
template <bool forward, typename Acc, typename T, typename Combine>
[[gnu::always_inline]] inline Acc scan_part(const T* from, T* to, std::int64_t count, Acc acc,
                                            Combine combine) {
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t at = forward ? i : -i;
    acc = combine(acc, static_cast<Acc>(from[at]));
    to[at] = static_cast<T>(acc);
  }
  return acc;
}

// `lines` rows of n elements from one end to the other: several at once take hardly longer than
// one. By about a line of the cache, asked for ahead of its turn, of short rows that of the next
// ones: CPUs read ahead along one row, but not along many.
template <std::int64_t lines, bool forward, typename Acc, typename T, typename Combine>
void scan_rows(const T* from, T* to, std::int64_t n, Combine combine) {
  constexpr std::int64_t kBlock = 8, kMostAhead = 8192 / sizeof(T), kAhead = 512 / sizeof(T);
  const std::int64_t distance = lines * n <= kMostAhead ? lines * n : kAhead;
  const std::int64_t ahead = forward ? distance : -distance;
  Acc acc[lines];
  const auto walk = [&](std::int64_t begin, std::int64_t count) {
    for (std::int64_t k = 0; k < lines; ++k) {
      const std::int64_t at = k * n + (forward ? begin : n - 1 - begin);
      if constexpr (lines > 1) {
        __builtin_prefetch(from + at + ahead);
        __builtin_prefetch(to + at + ahead, 1);
      }
      acc[k] = scan_part<forward>(from + at, to + at, count, acc[k], combine);
    }
  };
  for (std::int64_t k = 0; k < lines; ++k) {
    const std::int64_t at = k * n + (forward ? 0 : n - 1);
    acc[k] = static_cast<Acc>(from[at]);
    to[at] = from[at];
  }
  std::int64_t i = 1;
  for (; i + kBlock <= n; i += kBlock) walk(i, kBlock);
  walk(i, n - i);
}

// Rows that are not worth another loop around theirs, of `known` elements if that is not 0.
constexpr std::int64_t kTiny = 8;
template <std::int64_t known, bool forward, typename Acc, typename T, typename Combine>
void scan_tiny(const T* from, T* to, std::int64_t rows, std::int64_t n, Combine combine) {
  if constexpr (known != 0) n = known;
  const std::int64_t first = forward ? 0 : n - 1, step = forward ? 1 : -1;
  for (from += first, to += first; rows > 0; --rows, from += n, to += n) {
    to[0] = from[0];
    scan_part<forward>(from + step, to + step, n - 1, static_cast<Acc>(from[0]), combine);
  }
}

template <bool forward, typename Acc, typename T, typename Combine>
void scan_lines(const T* from, T* to, std::int64_t rows, std::int64_t n, Combine combine) {
  constexpr std::int64_t kVeryShort = 32;  // rows that do not wait for each other anyway
  constexpr std::int64_t kShort = 64;      // of which the next ones begin before these end
  if (n == 2) return scan_tiny<2, forward, Acc>(from, to, rows, n, combine);
  if (n == 3) return scan_tiny<3, forward, Acc>(from, to, rows, n, combine);
  if (n == 4) return scan_tiny<4, forward, Acc>(from, to, rows, n, combine);
  if (n <= kTiny) return scan_tiny<0, forward, Acc>(from, to, rows, n, combine);
  std::int64_t row = 0;
  for (; row + kLines <= rows && n > kShort; row += kLines)
    scan_rows<kLines, forward, Acc>(from + row * n, to + row * n, n, combine);
  for (; row + 2 <= rows && n >= kVeryShort; row += 2)
    scan_rows<2, forward, Acc>(from + row * n, to + row * n, n, combine);
  for (; row < rows; ++row) scan_rows<1, forward, Acc>(from + row * n, to + row * n, n, combine);
}

// Columns along an axis of n rows, `step` apart: of a `known` number, if that is not 0, they stay
// in registers.
template <std::int64_t known, typename Acc, typename T, typename Combine>
void scan_columns(const T* from, T* to, std::int64_t n, std::int64_t step, std::int64_t columns,
                  Combine combine) {
  if constexpr (known != 0) columns = known;
  Acc acc[known != 0 ? known : kTile];
  for (std::int64_t j = 0; j < columns; ++j) {
    acc[j] = static_cast<Acc>(from[j]);
    to[j] = from[j];
  }
  for (std::int64_t i = 1; i < n; ++i) {
    from += step;
    to += step;
    for (std::int64_t j = 0; j < columns; ++j) {
      acc[j] = combine(acc[j], static_cast<Acc>(from[j]));
      to[j] = static_cast<T>(acc[j]);
    }
  }
}

template <typename Combine>
Array scan(const Array& input, std::int64_t dim, Direction direction, const char* name,
           Combine combine) {
  const Array x = contiguous(input);
  const AxisView view(x.sizes(), dim, name);
  Array out = Array::empty(x.sizes(), x.dtype());
  if (out.numel() == 0) return out;
  const bool forward = direction == Direction::Forward;
  dispatch_numeric(x.dtype(), name, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Acc = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;
    const T* const from = x.data<T>();
    T* const to = out.data<T>();
    const std::int64_t n = view.axis;
    if (view.inner == 1) {
      parallel_for(view.outer, std::max<std::int64_t>(kLines, kGrain / n),
                   [=](std::int64_t begin, std::int64_t end) {
                     const auto loop = forward ? scan_lines<true, Acc, T, Combine>
                                               : scan_lines<false, Acc, T, Combine>;
                     loop(from + begin * n, to + begin * n, end - begin, n, combine);
                   });
      return;
    }
    for_each_tile(view, [=](std::int64_t at, std::int64_t columns) {
      const std::int64_t step = forward ? view.inner : -view.inner;
      if (!forward) at += (n - 1) * view.inner;
      const auto loop = columns == 2   ? scan_columns<2, Acc, T, Combine>
                        : columns == 3 ? scan_columns<3, Acc, T, Combine>
                        : columns == 4 ? scan_columns<4, Acc, T, Combine>
                                       : scan_columns<0, Acc, T, Combine>;
      loop(from + at, to + at, n, step, columns, combine);
    });
  });
  return out;
}

// Whether a later element takes the place of the best so far. Without branches, so that loops over
// columns are vectorised.
template <bool largest, typename T>
bool replaces(T x, T best) {
  const bool better = largest ? x >= best : x <= best;
  if constexpr (std::is_floating_point_v<T>) return ((best == best) & better) | (x != x);
  return better;
}

// Elements of which one is rarely better than the best before them are looked at a few at a time.
template <bool largest, typename T>
void best_of_row(const T* from, T* to, std::int64_t* index, std::int64_t n) {
  constexpr std::int64_t kTogether = 16;
  T best = from[0];
  std::int64_t at = 0;
  for (std::int64_t first = 0; first < n; first += kTogether) {
    const std::int64_t count = std::min(kTogether, n - first);
    if (count == kTogether) {
      bool better = false;
      for (std::int64_t k = 0; k < kTogether; ++k)
        better |= replaces<largest>(from[first + k], best);
      if (!better) [[likely]] {
        std::fill_n(to + first, kTogether, best);
        std::fill_n(index + first, kTogether, at);
        continue;
      }
    }
    for (std::int64_t i = first; i < first + count; ++i) {
      if (replaces<largest>(from[i], best)) {
        best = from[i];
        at = i;
      }
      to[i] = best;
      index[i] = at;
    }
  }
}

// Columns [0, columns) along an axis of n places, `step` apart. Places have the elements' size, as
// vectors want it.
template <bool largest, typename T>
void best_of_columns(const void* from_columns, void* to_columns, std::int64_t* index,
                     std::int64_t n, std::int64_t step, std::int64_t columns) {
  const T* from = static_cast<const T*>(from_columns);
  T* to = static_cast<T*>(to_columns);
  using Place = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  T best[kTile];
  Place place[kTile] = {};
  std::copy_n(from, columns, best);
  for (std::int64_t i = 0; i < n; ++i, from += step, to += step, index += step) {
    for (std::int64_t j = 0; j < columns; ++j) {
      const T x = from[j];
      const bool better = replaces<largest>(x, best[j]);
      best[j] = better ? x : best[j];
      place[j] = better ? static_cast<Place>(i) : place[j];
    }
    std::copy_n(best, columns, to);
    for (std::int64_t j = 0; j < columns; ++j) index[j] = place[j];
  }
}

template <bool largest, typename T>
void best_so_far(const T* from, T* to, std::int64_t* index, const AxisView& view) {
  const std::int64_t n = view.axis;
  const BestSoFarLoop by_vectors = n <= std::numeric_limits<std::int32_t>::max()
                                       ? find_best_so_far(largest, dtype_of<T>)
                                       : nullptr;
  const BestOfColumnsLoop few_columns = n <= std::numeric_limits<std::int32_t>::max()
                                            ? find_best_of_columns(largest, dtype_of<T>)
                                            : nullptr;
  if (view.inner == 1)
    parallel_for(view.outer, std::max<std::int64_t>(1, kGrain / n),
                 [=](std::int64_t begin, std::int64_t end) {
                   const std::int64_t first = begin * n;
                   if (by_vectors != nullptr)
                     return by_vectors(from + first, to + first, index + first, n, end - begin);
                   for (std::int64_t at = begin * n; at < end * n; at += n)
                     best_of_row<largest>(from + at, to + at, index + at, n);
                 });
  else
    for_each_tile(view, [=](std::int64_t at, std::int64_t columns) {
      constexpr std::int64_t kFew = 16;
      const bool in_registers = columns < kFew && few_columns != nullptr;
      const auto loop = in_registers ? few_columns : best_of_columns<largest, T>;
      loop(from + at, to + at, index + at, n, view.inner, columns);
    });
}

// Calls body(offset of the first element) for each line along the axis.
template <typename Body>
void for_each_line(const AxisView& view, Body body) {
  constexpr std::int64_t kSlow = 16;  // as long as so many additions take
  const std::int64_t grain = std::max<std::int64_t>(1, kGrain / kSlow / view.axis);
  parallel_for(view.outer * view.inner, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t line = begin; line < end; ++line)
      body(line / view.inner * view.axis * view.inner + line % view.inner);
  });
}

}  // namespace

Array cumsum(const Array& x, std::int64_t dim, Direction direction) {
  return scan(x, dim, direction, "cumsum", [](auto a, auto b) { return a + b; });
}
Array cumprod(const Array& x, std::int64_t dim) {
  return scan(x, dim, Direction::Forward, "cumprod", [](auto a, auto b) { return a * b; });
}

Array logcumsumexp(const Array& input, std::int64_t dim) {
  const Array x = contiguous(input);
  const AxisView view(x.sizes(), dim, "logcumsumexp");
  const Array out = Array::empty(x.sizes(), x.dtype());
  if (out.numel() == 0) return out;
  dispatch_floating(x.dtype(), "logcumsumexp", [&](auto tag) {
    using T = typename decltype(tag)::type;
    for_each_line(view, [&, step = view.inner](std::int64_t first) {
      const T* from = x.data<T>() + first;
      T* to = out.data<T>() + first;
      // The sum so far is exp(largest) sum: no power overflows, and none waits for another.
      T largest = -std::numeric_limits<T>::infinity();
      double sum = 0;
      for (std::int64_t i = 0; i < view.axis; ++i, from += step, to += step) {
        const T value = *from;
        if (value > largest) {
          sum = sum * static_cast<double>(std::exp(largest - value)) + 1;
          largest = value;
        } else {
          sum += value == largest ? 1.0 : static_cast<double>(std::exp(value - largest));
        }
        *to = std::isinf(largest) && sum == sum ? largest : largest + std::log(static_cast<T>(sum));
      }
    });
  });
  return out;
}

Array logcumsumexp_grad(const Array& grad, const Array& input, const Array& output,
                        std::int64_t dim) {
  const Array g = contiguous(grad), x = contiguous(input), y = contiguous(output);
  const AxisView view(x.sizes(), dim, "logcumsumexp");
  const Array out = Array::empty(x.sizes(), x.dtype());
  if (out.numel() == 0) return out;
  dispatch_floating(x.dtype(), "logcumsumexp", [&](auto tag) {
    using T = typename decltype(tag)::type;
    for_each_line(view, [&, step = view.inner](std::int64_t first) {
      // dx[i] = exp(x[i] - y[i]) s[i] with s[i] = g[i] + exp(y[i] - y[i + 1]) s[i + 1]: y does not
      // fall, so that no power exceeds 1.
      constexpr T kNothing = -std::numeric_limits<T>::infinity();
      T after = std::numeric_limits<T>::infinity(), sum = 0;
      for (std::int64_t i = view.axis, at = first + (i - 1) * step; i-- > 0; at -= step) {
        const T value = y.data<T>()[at];
        const T kept = value == kNothing ? T{0} : value == after ? T{1} : std::exp(value - after);
        sum = g.data<T>()[at] + (sum == 0 ? T{0} : kept * sum);
        out.data<T>()[at] = value == kNothing ? T{0} : std::exp(x.data<T>()[at] - value) * sum;
        after = value;
      }
    });
  });
  return out;
}

std::pair<Array, Array> running_best(const Array& input, std::int64_t dim, bool largest,
                                     const char* op) {
  const Array x = contiguous(input);
  const AxisView view(x.sizes(), dim, op);
  const Array values = Array::empty(x.sizes(), x.dtype());
  const Array indices = Array::empty(x.sizes(), ScalarType::Long);
  if (x.numel() == 0) return {values, indices};
  dispatch_all(x.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto loop = largest ? best_so_far<true, T> : best_so_far<false, T>;
    loop(x.data<T>(), values.data<T>(), indices.data<std::int64_t>(), view);
  });
  return {values, indices};
}

}  // namespace tapedeck::kernels
