#pragma once

#include <utility>

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

// Kernels along one axis, `dim` in [-x.dim(), x.dim()). A scalar counts as one-dimensional.

/// The largest (smallest) elements along `dim` and their int64 indices, the first where there are
/// several; a NaN wins over everything. The axis keeps a size of 1 with `keepdim`.
/// \throws Error for an axis without elements.
std::pair<Array, Array> max_along(const Array& x, std::int64_t dim, bool keepdim);
std::pair<Array, Array> min_along(const Array& x, std::int64_t dim, bool keepdim);

/// The same for the lower of the two middle elements; the first NaN where there is one.
std::pair<Array, Array> median_along(const Array& x, std::int64_t dim, bool keepdim);

/// The element of x at the index for each line along `dim`; `index` has x's shape with 1 there, and
/// so has the result. Indices are in bounds.
Array pick_along(const Array& x, const Array& index, std::int64_t dim);
/// Its adjoint: zeros of `size` along `dim`, with the elements of x at the indices.
Array scatter_along(const Array& x, const Array& index, std::int64_t dim, std::int64_t size);

/// exp(x) over its sum along `dim`, and the logarithm of that, by way of the largest element.
/// Float32 and float64.
Array softmax(const Array& x, std::int64_t dim);
Array log_softmax(const Array& x, std::int64_t dim);
/// The gradient for x from that of the output y: y (g - sum(g y)), and g - exp(y) sum(g).
Array softmax_backward(const Array& g, const Array& y, std::int64_t dim);
Array log_softmax_backward(const Array& g, const Array& y, std::int64_t dim);

/// log(sum(exp(x))) over `dims` (none means all), by way of the largest element.
Array logsumexp(const Array& x, IntArrayRef dims, bool keepdim);

/// The axes around `dim` of a row-major array: element (o, i, k) is at (o * axis + i) * inner + k.
/// `op` is what an error about `dim` names.
struct AxisView {
  AxisView(IntArrayRef sizes, std::int64_t dim, const char* op) {
    const auto count = static_cast<std::int64_t>(sizes.size());
    const std::int64_t at = wrap_dim(dim, count, op);
    for (std::int64_t d = 0; d < count; ++d) (d < at ? outer : d == at ? axis : inner) *= sizes[d];
  }
  std::int64_t outer = 1, axis = 1, inner = 1;
};

}  // namespace tapedeck::kernels
