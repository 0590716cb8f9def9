#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/integral_rows.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <type_traits>

#include <hwy/highway.h>

#include <tapedeck/ops/kernels/binary_loops.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>
#include <tapedeck/ops/kernels/unary_loops.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

// Plain loops, which the compiler makes vectors of for each instruction set. Arithmetic is that of
// unsigned numbers: signed overflow wraps, as the machine's does.

template <typename T>
using Unsigned = std::common_type_t<std::make_unsigned_t<T>, unsigned>;

struct NegOf {
  template <typename T>
  HWY_INLINE T operator()(T x) const {
    return static_cast<T>(Unsigned<T>{0} - static_cast<Unsigned<T>>(x));
  }
};
struct AbsOf {
  template <typename T>
  HWY_INLINE T operator()(T x) const {
    return x < 0 ? NegOf{}(x) : x;
  }
};
struct SignOf {
  template <typename T>
  HWY_INLINE T operator()(T x) const {
    return static_cast<T>((x > 0) - (x < 0));
  }
};
struct SquareOf {
  template <typename T>
  HWY_INLINE T operator()(T x) const {
    return static_cast<T>(static_cast<Unsigned<T>>(x) * static_cast<Unsigned<T>>(x));
  }
};
struct ReluOf {
  template <typename T>
  HWY_INLINE T operator()(T x) const {
    return x > 0 ? x : T{0};
  }
};
struct NotOf {
  template <typename T>
  HWY_INLINE T operator()(T x) const {
    return static_cast<T>(~x);
  }
};
// Of bools, too, which are bytes that hold 0 or 1.
struct IsZero {
  template <typename T>
  HWY_INLINE std::uint8_t operator()(T x) const {
    return x == T{0};
  }
};

template <class F, typename Out, typename T>
void PlainUnaryRow(void* out_row, const void* const* in, unsigned /*scalars*/, std::int64_t n,
                   const double* /*params*/) {
  const T* const x = static_cast<const T*>(in[0]);
  Out* const out = static_cast<Out*>(out_row);
  for (std::int64_t i = 0; i < n; ++i) out[i] = F{}(x[i]);
}

struct SumOf {
  template <typename T>
  HWY_INLINE T operator()(T a, T b) const {
    return static_cast<T>(static_cast<Unsigned<T>>(a) + static_cast<Unsigned<T>>(b));
  }
};
struct DifferenceOf {
  template <typename T>
  HWY_INLINE T operator()(T a, T b) const {
    return static_cast<T>(static_cast<Unsigned<T>>(a) - static_cast<Unsigned<T>>(b));
  }
};
struct ProductOf {
  template <typename T>
  HWY_INLINE T operator()(T a, T b) const {
    return static_cast<T>(static_cast<Unsigned<T>>(a) * static_cast<Unsigned<T>>(b));
  }
};
struct GreaterOf {
  template <typename T>
  HWY_INLINE T operator()(T a, T b) const {
    return a > b ? a : b;
  }
};
struct LesserOf {
  template <typename T>
  HWY_INLINE T operator()(T a, T b) const {
    return a < b ? a : b;
  }
};

template <class F, typename T>
void PlainBinaryRow(void* out_row, const void* const* in, unsigned scalars, std::int64_t n,
                    const double* /*params*/) {
  const T* const a = static_cast<const T*>(in[0]);
  const T* const b = static_cast<const T*>(in[1]);
  T* const out = static_cast<T*>(out_row);
  if (scalars == 0) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = F{}(a[i], b[i]);
  } else if (scalars == 2) {
    const T value = *b;
    for (std::int64_t i = 0; i < n; ++i) out[i] = F{}(a[i], value);
  } else {
    const T value = *a;
    for (std::int64_t i = 0; i < n; ++i) out[i] = F{}(value, b[i]);
  }
}

TAPEDECK_BINARY_OP(AddOp, hn::Add(a, b))
TAPEDECK_BINARY_OP(SubOp, hn::Sub(a, b))
TAPEDECK_BINARY_OP(MaximumOp, hn::Max(a, b))
TAPEDECK_BINARY_OP(MinimumOp, hn::Min(a, b))
TAPEDECK_BINARY_OP(AndOp, hn::And(a, b))
TAPEDECK_BINARY_OP(OrOp, hn::Or(a, b))
TAPEDECK_BINARY_OP(XorOp, hn::Xor(a, b))

template <typename T>
RowLoop FindUnaryFor(UnaryOp op) {
  switch (op) {
    case UnaryOp::Neg:
      return PlainUnaryRow<NegOf, T, T>;
    case UnaryOp::Abs:
      return PlainUnaryRow<AbsOf, T, T>;
    case UnaryOp::Sign:
      return PlainUnaryRow<SignOf, T, T>;
    case UnaryOp::Square:
      return PlainUnaryRow<SquareOf, T, T>;
    case UnaryOp::Relu:
      return PlainUnaryRow<ReluOf, T, T>;
    case UnaryOp::BitwiseNot:
      return PlainUnaryRow<NotOf, T, T>;
    case UnaryOp::LogicalNot:
      return PlainUnaryRow<IsZero, std::uint8_t, T>;
    default:
      return nullptr;
  }
}

template <typename T>
RowLoop FindBinaryFor(BinaryOp op) {
  switch (op) {
    case BinaryOp::Add:
      return CheapBinaryRow<AddOp, T>;
    case BinaryOp::Sub:
      return CheapBinaryRow<SubOp, T>;
    case BinaryOp::Mul:
      return PlainBinaryRow<ProductOf, T>;
    case BinaryOp::Maximum:
      return CheapBinaryRow<MaximumOp, T>;
    case BinaryOp::Minimum:
      return CheapBinaryRow<MinimumOp, T>;
    case BinaryOp::BitwiseAnd:
      return CheapBinaryRow<AndOp, T>;
    case BinaryOp::BitwiseOr:
      return CheapBinaryRow<OrOp, T>;
    case BinaryOp::BitwiseXor:
      return CheapBinaryRow<XorOp, T>;
    default:
      return nullptr;
  }
}

RowLoop FindByteBinary(BinaryOp op) {
  using Byte = std::uint8_t;
  switch (op) {
    case BinaryOp::Add:
      return PlainBinaryRow<SumOf, Byte>;
    case BinaryOp::Sub:
      return PlainBinaryRow<DifferenceOf, Byte>;
    case BinaryOp::Mul:
      return PlainBinaryRow<ProductOf, Byte>;
    case BinaryOp::Maximum:
      return PlainBinaryRow<GreaterOf, Byte>;
    case BinaryOp::Minimum:
      return PlainBinaryRow<LesserOf, Byte>;
    default:
      return nullptr;
  }
}

RowLoop FindUnary(UnaryOp op, ScalarType dtype) {
  switch (dtype) {
    case ScalarType::Long:
      return FindUnaryFor<std::int64_t>(op);
    case ScalarType::Int:
      return FindUnaryFor<std::int32_t>(op);
    case ScalarType::Byte:
      return FindUnaryFor<std::uint8_t>(op);
    case ScalarType::Bool:
      return op == UnaryOp::LogicalNot || op == UnaryOp::BitwiseNot
                 ? PlainUnaryRow<IsZero, std::uint8_t, std::uint8_t>
                 : nullptr;
    default:
      return nullptr;
  }
}
RowLoop FindBinary(BinaryOp op, ScalarType dtype) {
  switch (dtype) {
    case ScalarType::Long:
      return FindBinaryFor<std::int64_t>(op);
    case ScalarType::Int:
      return FindBinaryFor<std::int32_t>(op);
    case ScalarType::Byte:
      return FindByteBinary(op);
    default:
      return nullptr;
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {
namespace {
HWY_EXPORT(FindUnary);
HWY_EXPORT(FindBinary);
}  // namespace

RowLoop find_simd_integral(UnaryOp op, ScalarType dtype) {
  return HWY_DYNAMIC_DISPATCH(FindUnary)(op, dtype);
}
RowLoop find_simd_integral(BinaryOp op, ScalarType dtype) {
  return HWY_DYNAMIC_DISPATCH(FindBinary)(op, dtype);
}

}  // namespace tapedeck::kernels
#endif
