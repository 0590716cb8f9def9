#pragma once

#include <tapedeck/ops/kernels/binary.h>
#include <tapedeck/ops/kernels/row_loop.h>

namespace tapedeck::kernels {

// Each finds the loop of an operation for a dtype, null where it has none.

/// Add to FloorDivide on float32 and float64.
RowLoop find_float_arithmetic(BinaryOp op, ScalarType dtype);
/// The loops over several rows of those of them that are cheap.
RowsLoop find_float_rows(BinaryOp op, ScalarType dtype);
/// Add to FloorDivide and the bitwise operations on bool and integers.
RowLoop find_integral_arithmetic(BinaryOp op, ScalarType dtype);
/// Those of them that have vectors, on integers.
RowLoop find_simd_integral(BinaryOp op, ScalarType dtype);
/// Eq to LogicalXor on every dtype.
RowLoop find_comparison(BinaryOp op, ScalarType dtype);
/// AddScaled and below, on float32 and float64.
RowLoop find_fused(BinaryOp op, ScalarType dtype);

/// A row loop made of a function of two elements.
template <typename Out, typename T, typename F>
void binary_row(F f, void* out_row, const void* const* in, unsigned scalars, std::int64_t n) {
  const T* const a = static_cast<const T*>(in[0]);
  const T* const b = static_cast<const T*>(in[1]);
  Out* const out = static_cast<Out*>(out_row);
  if (scalars == 0) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = f(a[i], b[i]);
  } else if (scalars == 2) {
    const T value = *b;
    for (std::int64_t i = 0; i < n; ++i) out[i] = f(a[i], value);
  } else {
    const T value = *a;
    for (std::int64_t i = 0; i < n; ++i) out[i] = f(value, b[i]);
  }
}

}  // namespace tapedeck::kernels
