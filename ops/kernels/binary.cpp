#include <tapedeck/ops/kernels/binary.h>

#include <cstring>
#include <utility>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/ops/kernels/binary_loops.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/loop_table.h>

namespace tapedeck::kernels {

namespace {

bool gives_bool(BinaryOp op) { return op >= BinaryOp::Eq && op <= BinaryOp::LogicalXor; }

// What takes less time for a vector than the memory for its lines.
RowCost cost_of(BinaryOp op) {
  switch (op) {
    case BinaryOp::Add:
    case BinaryOp::Sub:
    case BinaryOp::Mul:
    case BinaryOp::Div:
    case BinaryOp::Maximum:
    case BinaryOp::Minimum:
    case BinaryOp::BitwiseAnd:
    case BinaryOp::BitwiseOr:
    case BinaryOp::BitwiseXor:
    case BinaryOp::AddScaled:
    case BinaryOp::SigmoidBackward:
    case BinaryOp::TanhBackward:
    case BinaryOp::RsqrtBackward:
    case BinaryOp::ReciprocalBackward:
    case BinaryOp::ThresholdBackward:
    case BinaryOp::ClampBackward:
    case BinaryOp::LeakyReluBackward:
    case BinaryOp::Prelu:
    case BinaryOp::PreluSlope:
    case BinaryOp::HardtanhBackward:
    case BinaryOp::HardsigmoidBackward:
    case BinaryOp::HardswishBackward:
    case BinaryOp::ShrinkBackward:
    case BinaryOp::Lerp:
    case BinaryOp::Huber:
    case BinaryOp::HuberSlope:
    case BinaryOp::Reaches:
      return RowCost::Memory;
    default:
      return RowCost::Arithmetic;
  }
}

RowLoops search_loops(BinaryOp op, ScalarType dtype) {
  const RowLoop loop = gives_bool(op)              ? find_comparison(op, dtype)
                       : op >= BinaryOp::AddScaled ? find_fused(op, dtype)
                       : is_floating_point(dtype)  ? find_float_arithmetic(op, dtype)
                                                   : find_integral_arithmetic(op, dtype);
  TAPEDECK_CHECK_AS(TypeError, loop != nullptr, name_of(op), ": not implemented for dtype ", dtype);
  return {loop, cost_of(op), find_float_rows(op, dtype)};
}

RowLoops find_loops(BinaryOp op, ScalarType dtype) {
  static constinit LoopTable<BinaryOp, BinaryOp::Reaches> table;
  return table.get(op, dtype, search_loops);
}

// A scalar as one element of `dtype`.
struct Element {
  Element(Scalar value, ScalarType dtype) {
    dispatch_all(dtype, "scalar", [&](auto tag) {
      const auto element = value.to<typename decltype(tag)::type>();
      std::memcpy(bytes, &element, sizeof element);
    });
  }
  alignas(8) char bytes[8];
};

void check_same_dtype(BinaryOp op, const Array& a, const Array& b) {
  TAPEDECK_CHECK(a.dtype() == b.dtype(), name_of(op), ": expected operands of one dtype, got ",
                 a.dtype(), " and ", b.dtype());
}

// Whether the loop may write `out` while it reads `operand`.
bool may_share(const Array& out, const Array& operand) {
  return &out == &operand || !out.shares_storage(operand) || out.same_view(operand) ||
         !may_overlap(out, operand);
}

}  // namespace

const char* name_of(BinaryOp op) {
  switch (op) {
    case BinaryOp::Add:
      return "add";
    case BinaryOp::Sub:
      return "sub";
    case BinaryOp::Mul:
      return "mul";
    case BinaryOp::Div:
      return "div";
    case BinaryOp::Pow:
      return "pow";
    case BinaryOp::Maximum:
      return "maximum";
    case BinaryOp::Minimum:
      return "minimum";
    case BinaryOp::Atan2:
      return "atan2";
    case BinaryOp::Hypot:
      return "hypot";
    case BinaryOp::LogAddExp:
      return "logaddexp";
    case BinaryOp::Xlogy:
      return "xlogy";
    case BinaryOp::Fmod:
      return "fmod";
    case BinaryOp::Remainder:
      return "remainder";
    case BinaryOp::FloorDivide:
      return "floor_divide";
    case BinaryOp::TruncDivide:
      return "div";
    case BinaryOp::Eq:
      return "eq";
    case BinaryOp::Ne:
      return "ne";
    case BinaryOp::Lt:
      return "lt";
    case BinaryOp::Le:
      return "le";
    case BinaryOp::Gt:
      return "gt";
    case BinaryOp::Ge:
      return "ge";
    case BinaryOp::LogicalAnd:
      return "logical_and";
    case BinaryOp::LogicalOr:
      return "logical_or";
    case BinaryOp::LogicalXor:
      return "logical_xor";
    case BinaryOp::BitwiseAnd:
      return "bitwise_and";
    case BinaryOp::BitwiseOr:
      return "bitwise_or";
    case BinaryOp::BitwiseXor:
      return "bitwise_xor";
    case BinaryOp::AddScaled:
      return "add";
    case BinaryOp::SigmoidBackward:
      return "sigmoid_backward";
    case BinaryOp::TanhBackward:
      return "tanh_backward";
    case BinaryOp::RsqrtBackward:
      return "rsqrt_backward";
    case BinaryOp::ReciprocalBackward:
      return "reciprocal_backward";
    case BinaryOp::ThresholdBackward:
      return "threshold_backward";
    case BinaryOp::ClampBackward:
      return "clamp_backward";
    case BinaryOp::LeakyReluBackward:
      return "leaky_relu_backward";
    case BinaryOp::Prelu:
    case BinaryOp::PreluSlope:
      return "prelu";
    case BinaryOp::EluBackward:
      return "elu_backward";
    case BinaryOp::SoftplusBackward:
      return "softplus_backward";
    case BinaryOp::LogSigmoidBackward:
      return "log_sigmoid_backward";
    case BinaryOp::SiluBackward:
      return "silu_backward";
    case BinaryOp::MishBackward:
      return "mish_backward";
    case BinaryOp::GeluBackward:
      return "gelu_backward";
    case BinaryOp::GeluTanhBackward:
      return "gelu_backward";
    case BinaryOp::HardtanhBackward:
      return "hardtanh_backward";
    case BinaryOp::HardsigmoidBackward:
      return "hardsigmoid_backward";
    case BinaryOp::HardswishBackward:
      return "hardswish_backward";
    case BinaryOp::ShrinkBackward:
      return "shrink_backward";
    case BinaryOp::Lerp:
      return "lerp";
    case BinaryOp::Huber:
      return "huber";
    case BinaryOp::HuberSlope:
      return "huber_backward";
    case BinaryOp::Reaches:
      return "max_backward";
  }
  return "binary";
}

void check_destination(const char* op, const Array& out, IntArrayRef shape) {
  TAPEDECK_CHECK(out.sizes() == shape, op, ": output with shape ", out.sizes().ref(),
                 " doesn't match the broadcast shape ", shape);
  TAPEDECK_CHECK(!out.has_internal_overlap(), op,
                 ": the destination has elements that share memory (an expanded view): shape ",
                 out.sizes().ref(), ", strides ", out.strides().ref());
}

ScalarType result_dtype(BinaryOp op, ScalarType dtype) {
  return gives_bool(op) ? ScalarType::Bool : dtype;
}

Array binary(BinaryOp op, const Array& a, const Array& b, const OpParams& params) {
  check_same_dtype(op, a, b);
  const RowLoops loops = find_loops(op, a.dtype());
  const ScalarType dtype = result_dtype(op, a.dtype());
  const RowInput in[] = {a, b};
  Array out =
      a.sizes() == b.sizes()
          ? empty_for_rows(a.sizes(), dtype, in, 2)
          : empty_for_rows(broadcast_shapes(a.sizes(), b.sizes(), name_of(op)), dtype, in, 2);
  run_rows(loops, params.values, out, in, 2);
  return out;
}

Array binary(BinaryOp op, const Array& a, Scalar b) {
  const RowLoops loops = find_loops(op, a.dtype());
  const Element element(b, a.dtype());
  const RowInput in[] = {a, {element.bytes, element_size(a.dtype())}};
  Array out = empty_for_rows(a.sizes(), result_dtype(op, a.dtype()), in, 2);
  run_rows(loops, nullptr, out, in, 2);
  return out;
}

Array binary(BinaryOp op, Scalar a, const Array& b) {
  const RowLoops loops = find_loops(op, b.dtype());
  const Element element(a, b.dtype());
  const RowInput in[] = {{element.bytes, element_size(b.dtype())}, b};
  Array out = empty_for_rows(b.sizes(), result_dtype(op, b.dtype()), in, 2);
  run_rows(loops, nullptr, out, in, 2);
  return out;
}

void binary_out(BinaryOp op, Array& out, const Array& a, const Array& b, const OpParams& params) {
  check_same_dtype(op, a, b);
  if (out.dtype() != result_dtype(op, a.dtype())) {
    check_destination(name_of(op), out, broadcast_shapes(a.sizes(), b.sizes(), name_of(op)));
    return copy(binary(op, a, b, params), out);
  }
  const RowLoops loops = find_loops(op, a.dtype());
  if (a.sizes() == b.sizes())
    check_destination(name_of(op), out, a.sizes());
  else
    check_destination(name_of(op), out, broadcast_shapes(a.sizes(), b.sizes(), name_of(op)));
  if (!may_share(out, a)) return binary_out(op, out, clone(a), b, params);
  if (!may_share(out, b)) return binary_out(op, out, a, clone(b), params);
  const RowInput in[] = {a, b};
  run_rows(loops, params.values, out, in, 2);
}

void binary_out(BinaryOp op, Array& out, const Array& a, Scalar b) {
  check_destination(name_of(op), out, a.sizes());
  if (out.dtype() != result_dtype(op, a.dtype())) return copy(binary(op, a, b), out);
  const RowLoops loops = find_loops(op, a.dtype());
  const Element element(b, a.dtype());
  if (!may_share(out, a)) return binary_out(op, out, clone(a), b);
  const RowInput in[] = {a, {element.bytes, element_size(a.dtype())}};
  run_rows(loops, nullptr, out, in, 2);
}

}  // namespace tapedeck::kernels
