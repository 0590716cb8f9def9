#pragma once

#include <tapedeck/array/array.h>
#include <tapedeck/array/scalar.h>
#include <tapedeck/ops/kernels/op_params.h>

namespace tapedeck::kernels {

/// What binary() computes for each pair of elements. Arithmetic keeps the dtype; comparisons and
/// logical operations give bool.
enum class BinaryOp : std::uint8_t {
  Add,          ///< a + b; for bool: or
  Sub,          ///< a - b; not for bool
  Mul,          ///< a * b; for bool: and
  Div,          ///< a / b; float32 and float64
  Pow,          ///< a to the power b; for integers by wrapping products
  Maximum,      ///< the larger; NaN where one is
  Minimum,      ///< the smaller; NaN where one is
  Atan2,        ///< the angle of (b, a); float32 and float64
  Hypot,        ///< sqrt(a^2 + b^2); float32 and float64, as the two below
  LogAddExp,    ///< log(exp(a) + exp(b))
  Xlogy,        ///< a log(b), and 0 where a is; NaN where b is
  Fmod,         ///< the remainder with a's sign; not for bool
  Remainder,    ///< the remainder with b's sign (Python's %); not for bool
  FloorDivide,  ///< floor(a / b); not for bool
  TruncDivide,  ///< a / b towards zero; integers
  Eq,
  Ne,
  Lt,
  Le,
  Gt,
  Ge,
  LogicalAnd,
  LogicalOr,
  LogicalXor,
  BitwiseAnd,  ///< bool and integers, as the two below
  BitwiseOr,
  BitwiseXor,
  // Fused forms, for float32 and float64; p0, p1, p2 are parameters.
  AddScaled,           ///< a + p0 b
  SigmoidBackward,     ///< a (1 - b) b, of the output b
  TanhBackward,        ///< a (1 - b^2), of the output b
  RsqrtBackward,       ///< -a b^3 / 2, of the output b
  ReciprocalBackward,  ///< -a b^2, of the output b
  ThresholdBackward,   ///< b <= p0 ? 0 : a; for relu with p0 = 0
  ClampBackward,       ///< p0 <= b <= p1 ? a : 0
  LeakyReluBackward,   ///< b > 0 ? a : p0 a
  Prelu,               ///< a > 0 ? a : a b
  PreluSlope,          ///< a > 0 ? 1 : b
  EluBackward,         ///< of the input b; parameters as UnaryOp::Elu
  SoftplusBackward,    ///< of the input b; parameters as UnaryOp::Softplus
  LogSigmoidBackward,  ///< of the input b, as all below
  SiluBackward,
  MishBackward,
  GeluBackward,
  GeluTanhBackward,
  HardtanhBackward,  ///< p0 < b < p1 ? a : 0
  HardsigmoidBackward,
  HardswishBackward,
  ShrinkBackward,  ///< -p0 <= b <= p0 ? 0 : a
  Lerp,            ///< a + p0 (b - a), from the nearer end; p1 = p0 - 1
  Huber,           ///< p1 c (|d| - c / 2) with d = a - b and c = min(|d|, p0)
  HuberSlope,      ///< p1 d, with d clamped to [-p0, p0]
  Reaches,         ///< 1 where a == b or both are NaN, else 0
};

/// "add", "floor_divide", ...: for messages.
const char* name_of(BinaryOp op);
/// Throws unless `out` has the shape that operands broadcast to and its elements share no memory.
void check_destination(const char* op, const Array& out, IntArrayRef shape);
/// The dtype of the result for operands of `dtype`.
ScalarType result_dtype(BinaryOp op, ScalarType dtype);

/// op(a, b) with NumPy broadcasting, into a fresh row-major array. Both have one dtype: promotion
/// is the caller's. \throws Error for shapes that do not broadcast or dtypes that differ, TypeError
/// where the operation does not exist for the dtype, ValueError for an integer division by zero.
Array binary(BinaryOp op, const Array& a, const Array& b, const OpParams& params = {});
/// The scalar is converted to the array's dtype.
Array binary(BinaryOp op, const Array& a, Scalar b);
Array binary(BinaryOp op, Scalar a, const Array& b);

/// condition ? a : b with NumPy broadcasting of all three; the condition is bool or uint8, a and b
/// have one dtype. \throws Error as binary().
Array where(const Array& condition, const Array& a, const Array& b);

/// The same as binary() into `out`, of any strides and dtype; `out` may be or overlap an operand.
/// \throws Error where the operands do not broadcast to out's shape, or out overlaps itself.
void binary_out(BinaryOp op, Array& out, const Array& a, const Array& b,
                const OpParams& params = {});
void binary_out(BinaryOp op, Array& out, const Array& a, Scalar b);

inline Array add(const Array& a, const Array& b) { return binary(BinaryOp::Add, a, b); }
inline Array sub(const Array& a, const Array& b) { return binary(BinaryOp::Sub, a, b); }
inline Array mul(const Array& a, const Array& b) { return binary(BinaryOp::Mul, a, b); }
inline Array div(const Array& a, const Array& b) { return binary(BinaryOp::Div, a, b); }
inline void add_out(Array& out, const Array& a, const Array& b) {
  binary_out(BinaryOp::Add, out, a, b);
}
inline void sub_out(Array& out, const Array& a, const Array& b) {
  binary_out(BinaryOp::Sub, out, a, b);
}
inline void mul_out(Array& out, const Array& a, const Array& b) {
  binary_out(BinaryOp::Mul, out, a, b);
}
inline void div_out(Array& out, const Array& a, const Array& b) {
  binary_out(BinaryOp::Div, out, a, b);
}

}  // namespace tapedeck::kernels
