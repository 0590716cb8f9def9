#include <tapedeck/ops/kernels/unary.h>

#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/loop_table.h>
#include <tapedeck/ops/kernels/unary_loops.h>

namespace tapedeck::kernels {

namespace {

bool gives_bool(UnaryOp op) {
  return op == UnaryOp::LogicalNot || (op >= UnaryOp::IsNan && op <= UnaryOp::SignBit);
}

// What takes less time for a vector than the memory for its lines.
RowCost cost_of(UnaryOp op, ScalarType dtype) {
  switch (op) {
    case UnaryOp::Sqrt:
      return dtype == ScalarType::Double ? RowCost::Arithmetic : RowCost::Memory;
    case UnaryOp::Neg:
    case UnaryOp::Abs:
    case UnaryOp::Sign:
    case UnaryOp::Square:
    case UnaryOp::Relu:
    case UnaryOp::Reciprocal:
    case UnaryOp::Floor:
    case UnaryOp::Ceil:
    case UnaryOp::Round:
    case UnaryOp::Trunc:
    case UnaryOp::Frac:
    case UnaryOp::Clamp:
    case UnaryOp::LeakyRelu:
    case UnaryOp::Hardsigmoid:
    case UnaryOp::Hardswish:
    case UnaryOp::Softsign:
    case UnaryOp::Threshold:
    case UnaryOp::Hardshrink:
    case UnaryOp::Softshrink:
    case UnaryOp::BitwiseNot:
    case UnaryOp::Cube:
      return RowCost::Memory;
    default:
      return RowCost::Arithmetic;
  }
}

RowLoops search_loops(UnaryOp op, ScalarType dtype) {
  RowLoop loop = find_simd_arithmetic(op, dtype);
  if (loop == nullptr) loop = find_simd_math(op, dtype);
  if (loop == nullptr) loop = find_simd_special(op, dtype);
  if (loop == nullptr) loop = find_simd_activation(op, dtype);
  if (loop == nullptr) loop = find_simd_integral(op, dtype);
  if (loop == nullptr) loop = find_plain_unary(op, dtype);
  TAPEDECK_CHECK_AS(TypeError, loop != nullptr, name_of(op), ": not implemented for dtype ", dtype);
  return {loop, cost_of(op, dtype), find_simd_arithmetic_rows(op, dtype)};
}

RowLoops find_loops(UnaryOp op, ScalarType dtype) {
  static constinit LoopTable<UnaryOp, UnaryOp::Cube> table;
  return table.get(op, dtype, search_loops);
}

}  // namespace

const char* name_of(UnaryOp op) {
  switch (op) {
    case UnaryOp::Neg:
      return "neg";
    case UnaryOp::Abs:
      return "abs";
    case UnaryOp::Sign:
      return "sign";
    case UnaryOp::Square:
      return "square";
    case UnaryOp::Cube:
      return "pow";
    case UnaryOp::Relu:
      return "relu";
    case UnaryOp::Sqrt:
      return "sqrt";
    case UnaryOp::Rsqrt:
      return "rsqrt";
    case UnaryOp::Reciprocal:
      return "reciprocal";
    case UnaryOp::Floor:
      return "floor";
    case UnaryOp::Ceil:
      return "ceil";
    case UnaryOp::Round:
      return "round";
    case UnaryOp::Trunc:
      return "trunc";
    case UnaryOp::Frac:
      return "frac";
    case UnaryOp::Clamp:
      return "clamp";
    case UnaryOp::Exp:
      return "exp";
    case UnaryOp::Exp2:
      return "exp2";
    case UnaryOp::Expm1:
      return "expm1";
    case UnaryOp::Log:
      return "log";
    case UnaryOp::Log1p:
      return "log1p";
    case UnaryOp::Log2:
      return "log2";
    case UnaryOp::Log10:
      return "log10";
    case UnaryOp::Sin:
      return "sin";
    case UnaryOp::Cos:
      return "cos";
    case UnaryOp::Tan:
      return "tan";
    case UnaryOp::Asin:
      return "asin";
    case UnaryOp::Acos:
      return "acos";
    case UnaryOp::Atan:
      return "atan";
    case UnaryOp::Sinh:
      return "sinh";
    case UnaryOp::Cosh:
      return "cosh";
    case UnaryOp::Asinh:
      return "asinh";
    case UnaryOp::Acosh:
      return "acosh";
    case UnaryOp::Atanh:
      return "atanh";
    case UnaryOp::Tanh:
      return "tanh";
    case UnaryOp::Erf:
      return "erf";
    case UnaryOp::Erfc:
      return "erfc";
    case UnaryOp::Erfinv:
      return "erfinv";
    case UnaryOp::Lgamma:
      return "lgamma";
    case UnaryOp::Polygamma:
      return "polygamma";
    case UnaryOp::Sigmoid:
      return "sigmoid";
    case UnaryOp::LogSigmoid:
      return "log_sigmoid";
    case UnaryOp::Softplus:
      return "softplus";
    case UnaryOp::Silu:
      return "silu";
    case UnaryOp::Mish:
      return "mish";
    case UnaryOp::Gelu:
    case UnaryOp::GeluTanh:
      return "gelu";
    case UnaryOp::Elu:
      return "elu";
    case UnaryOp::LeakyRelu:
      return "leaky_relu";
    case UnaryOp::Hardsigmoid:
      return "hardsigmoid";
    case UnaryOp::Hardswish:
      return "hardswish";
    case UnaryOp::Softsign:
      return "softsign";
    case UnaryOp::Threshold:
      return "threshold";
    case UnaryOp::Hardshrink:
      return "hardshrink";
    case UnaryOp::Softshrink:
      return "softshrink";
    case UnaryOp::LogicalNot:
      return "logical_not";
    case UnaryOp::BitwiseNot:
      return "bitwise_not";
    case UnaryOp::IsNan:
      return "isnan";
    case UnaryOp::IsInf:
      return "isinf";
    case UnaryOp::IsFinite:
      return "isfinite";
    case UnaryOp::SignBit:
      return "signbit";
  }
  return "unary";
}

Array unary(UnaryOp op, const Array& x, const OpParams& params) {
  const RowLoops loops = find_loops(op, x.dtype());
  const RowInput in[] = {x};
  Array out = empty_for_rows(x.sizes(), gives_bool(op) ? ScalarType::Bool : x.dtype(), in, 1);
  run_rows(loops, params.values, out, in, 1);
  return out;
}

void unary_out(UnaryOp op, Array& out, const Array& x, const OpParams& params) {
  TAPEDECK_CHECK(out.sizes() == x.sizes(), name_of(op), ": output with shape ", out.sizes().ref(),
                 " doesn't match the input's shape ", x.sizes().ref());
  TAPEDECK_CHECK(!out.has_internal_overlap(), name_of(op),
                 ": the destination has elements that share memory (an expanded view): shape ",
                 out.sizes().ref(), ", strides ", out.strides().ref());
  if (out.dtype() != (gives_bool(op) ? ScalarType::Bool : x.dtype()) ||
      (!out.same_view(x) && may_overlap(out, x)))
    return copy(unary(op, x, params), out);
  const RowLoops loops = find_loops(op, x.dtype());
  const RowInput in[] = {x};
  run_rows(loops, params.values, out, in, 1);
}

}  // namespace tapedeck::kernels
