#pragma once

#include <utility>

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

/// What reduce() computes of the elements along the reduced axes.
enum class ReduceOp : std::uint8_t {
  Sum,      ///< integers and bool give int64
  Mean,     ///< float32 and float64
  Prod,     ///< integers and bool give int64
  Max,      ///< keeps the dtype; NaN where one is
  Min,      ///< keeps the dtype; NaN where one is
  Any,      ///< some element is not zero: bool
  All,      ///< no element is zero: bool
  Norm1,    ///< sum of |x|; float32 and float64, as the two below
  Norm2,    ///< square root of the sum of squares
  NormInf,  ///< largest |x|
};

/// "sum", "amax", ...: for messages.
const char* name_of(ReduceOp op);

/// Reduces over `dims` (in [-dim, dim), distinct; none means all), which keep a size of 1 with
/// `keepdim` and go away otherwise. Fresh row-major result. Float sums are accumulated in blocks
/// and those in float64; the partition depends on the shape alone, so the bits never depend on the
/// number of threads. \throws IndexError for an axis out of range, Error for a repeated one or for
/// the largest or smallest of nothing, TypeError for a dtype without the operation.
Array reduce(ReduceOp op, const Array& x, IntArrayRef dims = {}, bool keepdim = false);

inline Array sum(const Array& x, IntArrayRef dims = {}, bool keepdim = false) {
  return reduce(ReduceOp::Sum, x, dims, keepdim);
}

/// Sum of squared deviations from the mean over (count - correction), computed from block means;
/// NaN where that divisor is not positive. float32 and float64.
Array var(const Array& x, IntArrayRef dims, std::int64_t correction, bool keepdim);

/// Sums `x` down to `shape`, which broadcasts to x's: the adjoint of expand(). x itself where the
/// shapes agree. \throws Error where `shape` does not broadcast to x's.
Array sum_to(const Array& x, IntArrayRef shape);

/// The shape that reduce() gives.
DimVector reduced_shape(IntArrayRef sizes, IntArrayRef dims, bool keepdim, const char* op);

}  // namespace tapedeck::kernels
