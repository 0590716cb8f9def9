#pragma once

#include <utility>

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

// What runs along one axis, `dim` in [-x.dim(), x.dim()). A scalar counts as one-dimensional.

/// From which end an axis is walked.
enum class Direction { Forward, Backward };
/// Running sums and products along `dim`; the dtype stays. Floats accumulate in float64.
Array cumsum(const Array& x, std::int64_t dim, Direction direction = Direction::Forward);
Array cumprod(const Array& x, std::int64_t dim);

/// The largest (smallest) element so far at each place along `dim` and its int64 index, the last
/// where there are several; a NaN wins over everything. `op` is what an error about `dim` names.
std::pair<Array, Array> running_best(const Array& x, std::int64_t dim, bool largest,
                                     const char* op);

/// y[i] = log(exp(x[0]) + ... + exp(x[i])) along `dim`, floating.
Array logcumsumexp(const Array& x, std::int64_t dim);
/// The gradient of sum(g y), where y is what the above gave. Elements of -inf with nothing but such
/// before them have 0.
Array logcumsumexp_grad(const Array& g, const Array& x, const Array& y, std::int64_t dim);

}  // namespace tapedeck::kernels
