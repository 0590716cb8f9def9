#pragma once

#include <tapedeck/ops/kernels/row_loop.h>
#include <tapedeck/ops/kernels/unary.h>

namespace tapedeck::kernels {

// Each finds the loop of an operation for a dtype, null where it has none.

/// Over vectors, on float32 and float64: arithmetic and rounding; elementary functions; the
/// error function's inverse and the gamma function's logarithm with its derivatives; activations.
RowLoop find_simd_arithmetic(UnaryOp op, ScalarType dtype);
RowLoop find_simd_math(UnaryOp op, ScalarType dtype);
RowLoop find_simd_special(UnaryOp op, ScalarType dtype);
RowLoop find_simd_activation(UnaryOp op, ScalarType dtype);
/// Of the first kind over several rows.
RowsLoop find_simd_arithmetic_rows(UnaryOp op, ScalarType dtype);
/// Of integers and bool.
RowLoop find_simd_integral(UnaryOp op, ScalarType dtype);
/// The rest, for every dtype.
RowLoop find_plain_unary(UnaryOp op, ScalarType dtype);

}  // namespace tapedeck::kernels
