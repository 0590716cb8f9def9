#pragma once

#include <tapedeck/array/array.h>
#include <tapedeck/ops/kernels/op_params.h>

namespace tapedeck::kernels {

/// What ternary() computes of three elements: float32 and float64.
enum class TernaryOp : std::uint8_t {
  AddProduct,   ///< a + p0 b c
  AddQuotient,  ///< a + p0 b / c
};

/// op(a, b, c) of operands of one dtype that broadcast to `shape`, into a fresh array.
Array ternary(TernaryOp op, IntArrayRef shape, const Array& a, const Array& b, const Array& c,
              const OpParams& params);
/// The same into `out`, without elements that share memory; it may be or overlap the operands.
void ternary_out(TernaryOp op, Array& out, const Array& a, const Array& b, const Array& c,
                 const OpParams& params);

}  // namespace tapedeck::kernels
