#include <tapedeck/ops/kernels/axis.h>

#include <algorithm>
#include <type_traits>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/binary.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/reduce.h>
#include <tapedeck/ops/kernels/unary.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kGrain = 16384;
constexpr std::int64_t kTile = 256;  // columns taken together where the axis is not the last

// Calls body(offset of the first element, columns) for tiles of columns that are adjacent and are
// walked along the axis together.
template <typename Body>
void for_each_tile(const AxisView& view, Body&& body) {
  const std::int64_t tiles = (view.inner + kTile - 1) / kTile;
  const std::int64_t tile_size = view.axis * std::min(view.inner, kTile);
  const std::int64_t grain =
      std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, tile_size));
  parallel_for(view.outer * tiles, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t job = begin; job < end; ++job) {
      const std::int64_t outer = job / tiles, first = job % tiles * kTile;
      body(outer, first, std::min(kTile, view.inner - first));
    }
  });
}

template <bool largest, typename T>
bool beats(T x, T best) {
  if constexpr (std::is_floating_point_v<T>)
    if (best != best) return false;
  return (largest ? x > best : x < best) || x != x;
}

template <bool largest>
std::pair<Array, Array> best_along(const Array& input, std::int64_t dim, bool keepdim,
                                   const char* name) {
  const Array x = contiguous(input);
  const AxisView view(x.sizes(), dim);
  const DimVector shape = reduced_shape(x.sizes(), {dim}, keepdim, name);
  Array values = Array::empty(shape, x.dtype()), indices = Array::empty(shape, ScalarType::Long);
  if (values.numel() == 0) return {values, indices};
  TAPEDECK_CHECK_AS(IndexError, view.axis > 0, name, ": expected dim ", dim,
                    " to have a non-zero size, got shape ", x.sizes().ref());
  dispatch_all(x.dtype(), name, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const from = x.data<T>();
    T* const to = values.data<T>();
    std::int64_t* const to_index = indices.data<std::int64_t>();
    for_each_tile(view, [&](std::int64_t outer, std::int64_t first, std::int64_t columns) {
      const T* row = from + outer * view.axis * view.inner + first;
      T* const best = to + outer * view.inner + first;
      std::int64_t* const at = to_index + outer * view.inner + first;
      if (columns == 1) {
        T value = *row;
        std::int64_t index = 0;
        for (std::int64_t i = 1; i < view.axis; ++i)
          if (beats<largest>(row[i * view.inner], value)) {
            value = row[i * view.inner];
            index = i;
          }
        *best = value;
        *at = index;
        return;
      }
      std::copy_n(row, columns, best);
      std::fill_n(at, columns, 0);
      for (std::int64_t i = 1; i < view.axis; ++i) {
        row += view.inner;
        for (std::int64_t j = 0; j < columns; ++j) {
          const bool better = beats<largest>(row[j], best[j]);
          best[j] = better ? row[j] : best[j];
          at[j] = better ? i : at[j];
        }
      }
    });
  });
  return {values, indices};
}

template <typename Combine>
Array scan(const Array& input, std::int64_t dim, const char* name, Combine combine) {
  const Array x = contiguous(input);
  const AxisView view(x.sizes(), dim);
  Array out = Array::empty(x.sizes(), x.dtype());
  if (out.numel() == 0) return out;
  dispatch_numeric(x.dtype(), name, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Acc = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;
    const T* const from = x.data<T>();
    T* const to = out.data<T>();
    for_each_tile(view, [&](std::int64_t outer, std::int64_t first, std::int64_t columns) {
      Acc acc[kTile];
      std::int64_t at = outer * view.axis * view.inner + first;
      for (std::int64_t j = 0; j < columns; ++j) {
        acc[j] = static_cast<Acc>(from[at + j]);
        to[at + j] = from[at + j];
      }
      for (std::int64_t i = 1; i < view.axis; ++i) {
        at += view.inner;
        for (std::int64_t j = 0; j < columns; ++j) {
          acc[j] = combine(acc[j], static_cast<Acc>(from[at + j]));
          to[at + j] = static_cast<T>(acc[j]);
        }
      }
    });
  });
  return out;
}

}  // namespace

std::pair<Array, Array> max_along(const Array& x, std::int64_t dim, bool keepdim) {
  return best_along<true>(x, dim, keepdim, "max");
}
std::pair<Array, Array> min_along(const Array& x, std::int64_t dim, bool keepdim) {
  return best_along<false>(x, dim, keepdim, "min");
}

Array cumsum(const Array& x, std::int64_t dim) {
  return scan(x, dim, "cumsum", [](auto a, auto b) { return a + b; });
}
Array cumprod(const Array& x, std::int64_t dim) {
  return scan(x, dim, "cumprod", [](auto a, auto b) { return a * b; });
}

Array logsumexp(const Array& x, IntArrayRef dims, bool keepdim) {
  if (x.numel() == 0) {  // the logarithm of sums of nothing
    Array out = sum(x, dims, keepdim);
    unary_out(UnaryOp::Log, out, out);
    return out;
  }
  Array largest = reduce(ReduceOp::Max, x, dims, true);
  // Where all are -inf, or one is +inf, the difference would be NaN.
  largest = where(unary(UnaryOp::IsInf, largest), zeros({}, x.dtype()), largest);
  Array terms = sub(x, largest);
  unary_out(UnaryOp::Exp, terms, terms);
  Array out = sum(terms, dims, true);
  unary_out(UnaryOp::Log, out, out);
  add_out(out, out, largest);
  return out.view(reduced_shape(x.sizes(), dims, keepdim, "logsumexp"));
}

}  // namespace tapedeck::kernels
