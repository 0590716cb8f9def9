#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/binary_float.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <cmath>

#include <hwy/highway.h>

#include <tapedeck/ops/kernels/binary_loops.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

// Operators on vectors, for the loops of simd_rows-inl.h.
struct Plain {
  template <class D>
  Plain(D, const double*) {}
};
struct AddOp : Plain {
  using Plain::Plain;
  template <class D, class V>
  HWY_INLINE V operator()(D, V a, V b) const {
    return hn::Add(a, b);
  }
};
struct SubOp : Plain {
  using Plain::Plain;
  template <class D, class V>
  HWY_INLINE V operator()(D, V a, V b) const {
    return hn::Sub(a, b);
  }
};
struct MulOp : Plain {
  using Plain::Plain;
  template <class D, class V>
  HWY_INLINE V operator()(D, V a, V b) const {
    return hn::Mul(a, b);
  }
};
struct DivOp : Plain {
  using Plain::Plain;
  template <class D, class V>
  HWY_INLINE V operator()(D, V a, V b) const {
    return hn::Div(a, b);
  }
};
// The instructions return their second operand where one is NaN.
struct MaximumOp : Plain {
  using Plain::Plain;
  template <class D, class V>
  HWY_INLINE V operator()(D, V a, V b) const {
    return hn::IfThenElse(hn::IsNaN(a), a, hn::IfThenElse(hn::IsNaN(b), b, hn::Max(a, b)));
  }
};
struct MinimumOp : Plain {
  using Plain::Plain;
  template <class D, class V>
  HWY_INLINE V operator()(D, V a, V b) const {
    return hn::IfThenElse(hn::IsNaN(a), a, hn::IfThenElse(hn::IsNaN(b), b, hn::Min(a, b)));
  }
};

template <typename T>
RowLoop FindFor(BinaryOp op) {
  switch (op) {
    case BinaryOp::Add:
      return BinaryRow<AddOp, T>;
    case BinaryOp::Sub:
      return BinaryRow<SubOp, T>;
    case BinaryOp::Mul:
      return BinaryRow<MulOp, T>;
    case BinaryOp::Div:
      return BinaryRow<DivOp, T>;
    case BinaryOp::Maximum:
      return BinaryRow<MaximumOp, T>;
    case BinaryOp::Minimum:
      return BinaryRow<MinimumOp, T>;
    default:
      return nullptr;
  }
}

RowLoop Find(BinaryOp op, ScalarType dtype) {
  return dtype == ScalarType::Float ? FindFor<float>(op) : FindFor<double>(op);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {
namespace {

HWY_EXPORT(Find);

// NumPy's: the quotient that goes with the remainder, exact where a - b * floor(a / b) would not
// be.
template <typename T>
T floor_divide(T a, T b) {
  if (b == 0) return a / b;
  T remainder = std::fmod(a, b);
  T quotient = (a - remainder) / b;
  if (remainder != 0 && (b < 0) != (remainder < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(T{0}, a / b);
  const T floored = std::floor(quotient);
  return quotient - floored > T{0.5} ? floored + 1 : floored;
}

template <typename T>
T remainder(T a, T b) {
  const T r = std::fmod(a, b);
  return r != 0 && (b < 0) != (r < 0) ? r + b : r;
}

template <typename T>
RowLoop find_scalar_loop(BinaryOp op) {
  switch (op) {
    case BinaryOp::Pow:
      return [](void* out, const void* const* in, unsigned scalars, std::int64_t n, const double*) {
        binary_row<T, T>([](T a, T b) { return std::pow(a, b); }, out, in, scalars, n);
      };
    case BinaryOp::Atan2:
      return [](void* out, const void* const* in, unsigned scalars, std::int64_t n, const double*) {
        binary_row<T, T>([](T a, T b) { return std::atan2(a, b); }, out, in, scalars, n);
      };
    case BinaryOp::Fmod:
      return [](void* out, const void* const* in, unsigned scalars, std::int64_t n, const double*) {
        binary_row<T, T>([](T a, T b) { return std::fmod(a, b); }, out, in, scalars, n);
      };
    case BinaryOp::Remainder:
      return [](void* out, const void* const* in, unsigned scalars, std::int64_t n, const double*) {
        binary_row<T, T>(remainder<T>, out, in, scalars, n);
      };
    case BinaryOp::FloorDivide:
      return [](void* out, const void* const* in, unsigned scalars, std::int64_t n, const double*) {
        binary_row<T, T>(floor_divide<T>, out, in, scalars, n);
      };
    default:
      return nullptr;
  }
}

}  // namespace

RowLoop find_float_arithmetic(BinaryOp op, ScalarType dtype) {
  if (!is_floating_point(dtype)) return nullptr;
  if (const RowLoop loop = HWY_DYNAMIC_DISPATCH(Find)(op, dtype)) return loop;
  return dtype == ScalarType::Float ? find_scalar_loop<float>(op) : find_scalar_loop<double>(op);
}

}  // namespace tapedeck::kernels
#endif
