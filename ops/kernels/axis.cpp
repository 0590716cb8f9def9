#include <tapedeck/ops/kernels/axis.h>

#include <algorithm>
#include <limits>
#include <type_traits>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/binary.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/grain.h>
#include <tapedeck/ops/kernels/reducer.h>
#include <tapedeck/ops/kernels/select.h>
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
  const std::int64_t grain = grain_for(tile_size, kGrain);
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
  const AxisView view(x.sizes(), dim, name);
  const DimVector shape = reduced_shape(x.sizes(), {dim}, keepdim, name);
  Array values = Array::empty(shape, x.dtype()), indices = Array::empty(shape, ScalarType::Long);
  TAPEDECK_CHECK_AS(IndexError, view.axis > 0, name, ": expected dim ", dim,
                    " to have a non-zero size, got shape ", x.sizes().ref());
  if (values.numel() == 0) return {values, indices};
  if (view.axis == 1) return {clone(x).view(shape), zeros(shape, ScalarType::Long)};
  std::int64_t* const to_index = indices.data<std::int64_t>();
  if (const BestRowsLoop loop = find_best_rows(largest, x.dtype()); loop && view.inner == 1) {
    const std::int64_t size = element_size(x.dtype());
    const char* const rows = static_cast<const char*>(x.raw());
    char* const best = static_cast<char*>(values.raw());
    parallel_for(view.outer, std::max<std::int64_t>(1, kGrain / view.axis),
                 [=](std::int64_t begin, std::int64_t end) {
                   loop(rows + begin * view.axis * size, best + begin * size, to_index + begin,
                        end - begin, view.axis);
                 });
    return {values, indices};
  }
  const BestColumnsLoop columns_loop = view.axis <= std::numeric_limits<std::int32_t>::max()
                                           ? find_best_columns(largest, x.dtype())
                                           : nullptr;
  dispatch_all(x.dtype(), name, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const from = x.data<T>();
    T* const to = values.data<T>();
    for_each_tile(view, [&](std::int64_t outer, std::int64_t first, std::int64_t columns) {
      const T* row = from + outer * view.axis * view.inner + first;
      T* const best = to + outer * view.inner + first;
      std::int64_t* const at = to_index + outer * view.inner + first;
      if (columns_loop != nullptr)
        return columns_loop(row, view.inner, view.axis, columns, best, at);
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

}  // namespace

std::pair<Array, Array> max_along(const Array& x, std::int64_t dim, bool keepdim) {
  return best_along<true>(x, dim, keepdim, "max");
}
std::pair<Array, Array> min_along(const Array& x, std::int64_t dim, bool keepdim) {
  return best_along<false>(x, dim, keepdim, "min");
}

std::pair<Array, Array> median_along(const Array& input, std::int64_t dim, bool keepdim) {
  const Array x = contiguous(input);
  const AxisView view(x.sizes(), dim, "median");
  const DimVector shape = reduced_shape(x.sizes(), {dim}, keepdim, "median");
  Array values = Array::empty(shape, x.dtype()), indices = Array::empty(shape, ScalarType::Long);
  TAPEDECK_CHECK_AS(IndexError, view.axis > 0, "median: expected dim ", dim,
                    " to have a non-zero size, got shape ", x.sizes().ref());
  if (values.numel() == 0) return {values, indices};
  dispatch_numeric(x.dtype(), "median", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const from = x.data<T>();
    T* const to = values.data<T>();
    std::int64_t* const to_index = indices.data<std::int64_t>();
    parallel_for(view.outer * view.inner, std::max<std::int64_t>(1, kGrain / 8 / view.axis),
                 [&, from, to, to_index](std::int64_t begin, std::int64_t end) {
                   Selection<T> selection;
                   for (std::int64_t line = begin; line < end; ++line) {
                     const T* const x0 =
                         from + line / view.inner * view.axis * view.inner + line % view.inner;
                     const auto at = [&](std::int64_t i) { return x0[i * view.inner]; };
                     // The first NaN is the median of all.
                     std::int64_t middle = 0;
                     if constexpr (std::is_floating_point_v<T>)
                       while (middle < view.axis && at(middle) == at(middle)) ++middle;
                     else
                       middle = view.axis;
                     if (middle == view.axis)
                       middle = selection.kth(x0, view.inner, view.axis, (view.axis - 1) / 2);
                     to[line] = at(middle);
                     to_index[line] = middle;
                   }
                 });
  });
  return {values, indices};
}

Array pick_along(const Array& input, const Array& index, std::int64_t dim) {
  const Array x = contiguous(input), at = contiguous(index);
  const AxisView view(x.sizes(), dim, "pick_along");
  Array out = Array::empty(index.sizes(), x.dtype());
  dispatch_all(x.dtype(), "pick_along", [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (std::int64_t line = 0; line < out.numel(); ++line)
      out.data<T>()[line] =
          x.data<T>()[(line / view.inner * view.axis + at.data<std::int64_t>()[line]) * view.inner +
                      line % view.inner];
  });
  return out;
}

Array scatter_along(const Array& input, const Array& index, std::int64_t dim, std::int64_t size) {
  const Array x = contiguous(input), at = contiguous(index);
  DimVector shape = x.sizes();
  if (!shape.empty()) shape[wrap_dim(dim, x.dim(), "scatter_along")] = size;
  Array out = zeros(shape, x.dtype());
  const AxisView view(shape, dim, "scatter_along");
  dispatch_all(x.dtype(), "scatter_along", [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (std::int64_t line = 0; line < x.numel(); ++line)
      out.data<T>()[(line / view.inner * view.axis + at.data<std::int64_t>()[line]) * view.inner +
                    line % view.inner] = x.data<T>()[line];
  });
  return out;
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
