#pragma once

#include <tapedeck/array/array.h>
#include <tapedeck/ops/kernels/op_params.h>

namespace tapedeck::kernels {

/// What unary() computes of each element. Float32 and float64 unless said; the dtype stays unless
/// said.
enum class UnaryOp : std::uint8_t {
  Neg,  ///< integers too, as the three below
  Abs,
  Sign,  ///< -1, 0 or 1; 0 for NaN
  Square,
  Relu,  ///< integers too; NaN stays
  Sqrt,
  Rsqrt,
  Reciprocal,
  Floor,
  Ceil,
  Round,  ///< halves to even
  Trunc,
  Frac,   ///< x - trunc(x)
  Clamp,  ///< min(max(x, p0), p1); NaN stays
  Exp,
  Exp2,
  Expm1,
  Log,
  Log1p,
  Log2,
  Log10,
  Sin,
  Cos,
  Tan,
  Asin,
  Acos,
  Atan,
  Sinh,
  Cosh,
  Asinh,
  Acosh,
  Atanh,
  Tanh,
  Erf,
  Erfc,
  Erfinv,     ///< the x with erf(x) = argument
  Lgamma,     ///< log |Gamma(x)|
  Polygamma,  ///< the derivative of order p0 >= 0 of Lgamma's derivative
  Sigmoid,
  LogSigmoid,
  Softplus,     ///< log(1 + exp(p0 x)) / p0, and x where p0 x > p1
  Silu,         ///< x sigmoid(x)
  Mish,         ///< x tanh(softplus(x))
  Gelu,         ///< x Phi(x)
  GeluTanh,     ///< its approximation by tanh
  Elu,          ///< p1 x for x > 0, else p1 p0 (exp(p2 x) - 1)
  LeakyRelu,    ///< x for x > 0, else p0 x
  Hardsigmoid,  ///< clamp(x + 3, 0, 6) / 6
  Hardswish,    ///< x hardsigmoid(x)
  Softsign,     ///< x / (1 + |x|)
  Threshold,    ///< x for x > p0 and NaN, else p1
  Hardshrink,   ///< 0 for -p0 <= x <= p0, else x
  Softshrink,   ///< x - p0 above p0, x + p0 below -p0, else 0; NaN stays
  LogicalNot,   ///< x == 0: bool, of any dtype
  BitwiseNot,   ///< bool and integers
  IsNan,        ///< bool, of any dtype, as the three below
  IsInf,
  IsFinite,
  SignBit,
  Cube,  ///< x^3, of the dtype again
};

/// "exp", "leaky_relu", ...: for messages.
const char* name_of(UnaryOp op);

/// op(x) into a fresh row-major array. \throws TypeError where the operation does not exist for the
/// dtype.
Array unary(UnaryOp op, const Array& x, const OpParams& params = {});
/// The same into `out`, of x's shape and any strides and dtype; it may be or overlap x.
void unary_out(UnaryOp op, Array& out, const Array& x, const OpParams& params = {});

}  // namespace tapedeck::kernels
