#include <limits>
#include <type_traits>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/ops/kernels/binary_loops.h>

namespace tapedeck::kernels {

namespace {

// Signed overflow wraps, as the machine's does: computed in unsigned arithmetic.
template <typename T>
using Wrapping = std::make_unsigned_t<T>;

template <BinaryOp op, typename T>
T apply(T a, T b) {
  using U = std::common_type_t<Wrapping<T>, unsigned>;
  const U x = static_cast<U>(a);
  if constexpr (op == BinaryOp::Pow) {
    if (b < 0) return a == 1 ? T{1} : a == static_cast<T>(-1) ? (b & 1 ? a : T{1}) : T{0};
    U base = x, result = 1;
    for (T e = b; e > 0; e >>= 1, base *= base)
      if (e & 1) result *= base;
    return static_cast<T>(result);
  } else {
    TAPEDECK_CHECK_AS(ValueError, b != 0, name_of(op), ": integer division by zero");
    if (std::is_signed_v<T> && b == static_cast<T>(-1))  // the smallest value has no opposite
      return op == BinaryOp::FloorDivide || op == BinaryOp::TruncDivide ? static_cast<T>(U{0} - x)
                                                                        : T{0};
    const T r = static_cast<T>(a % b);
    const bool crosses = r != 0 && (r < 0) != (b < 0);
    if constexpr (op == BinaryOp::Fmod)
      return r;
    else if constexpr (op == BinaryOp::Remainder)
      return static_cast<T>(crosses ? r + b : r);
    else if constexpr (op == BinaryOp::TruncDivide)
      return static_cast<T>(a / b);
    else
      return static_cast<T>(a / b - (crosses ? 1 : 0));
  }
}

template <BinaryOp op, typename T>
void row(void* out, const void* const* in, unsigned scalars, std::int64_t n, const double*) {
  binary_row<T, T>(apply<op, T>, out, in, scalars, n);
}

template <typename T>
RowLoop find_integer(BinaryOp op) {
  switch (op) {
    case BinaryOp::Pow:
      return row<BinaryOp::Pow, T>;
    case BinaryOp::Fmod:
      return row<BinaryOp::Fmod, T>;
    case BinaryOp::Remainder:
      return row<BinaryOp::Remainder, T>;
    case BinaryOp::FloorDivide:
      return row<BinaryOp::FloorDivide, T>;
    case BinaryOp::TruncDivide:
      return row<BinaryOp::TruncDivide, T>;
    default:
      return nullptr;
  }
}

template <typename T>
RowLoop find_bitwise(BinaryOp op) {
  switch (op) {
    case BinaryOp::BitwiseAnd:
      return [](void* out, const void* const* in, unsigned scalars, std::int64_t n, const double*) {
        binary_row<T, T>([](T a, T b) { return static_cast<T>(a & b); }, out, in, scalars, n);
      };
    case BinaryOp::BitwiseOr:
      return [](void* out, const void* const* in, unsigned scalars, std::int64_t n, const double*) {
        binary_row<T, T>([](T a, T b) { return static_cast<T>(a | b); }, out, in, scalars, n);
      };
    case BinaryOp::BitwiseXor:
      return [](void* out, const void* const* in, unsigned scalars, std::int64_t n, const double*) {
        binary_row<T, T>([](T a, T b) { return static_cast<T>(a ^ b); }, out, in, scalars, n);
      };
    default:
      return nullptr;
  }
}

}  // namespace

RowLoop find_integral_arithmetic(BinaryOp op, ScalarType dtype) {
  if (is_floating_point(dtype)) return nullptr;
  if (const RowLoop loop = find_simd_integral(op, dtype); loop != nullptr) return loop;
  if (dtype == ScalarType::Bool) {
    switch (op) {
      case BinaryOp::Add:
      case BinaryOp::Maximum:
        return find_bitwise<bool>(BinaryOp::BitwiseOr);
      case BinaryOp::Mul:
      case BinaryOp::Minimum:
        return find_bitwise<bool>(BinaryOp::BitwiseAnd);
      default:
        return find_bitwise<bool>(op);
    }
  }
  return dispatch_integral(dtype, name_of(op), [op](auto tag) {
    using T = typename decltype(tag)::type;
    const RowLoop loop = find_integer<T>(op);
    return loop != nullptr ? loop : find_bitwise<T>(op);
  });
}

}  // namespace tapedeck::kernels
