#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/unary_math.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <cmath>

#include <hwy/highway.h>

#include <tapedeck/ops/kernels/simd_math-inl.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>
#include <tapedeck/ops/kernels/unary_loops.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

struct Plain {
  template <class D>
  Plain(D, const double*) {}
};
struct ExpOp : Plain {
  using Plain::Plain;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return vec::Exp(d, x);
  }
};
struct Expm1Op : Plain {
  using Plain::Plain;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return vec::Expm1(d, x);
  }
};
struct LogOp : Plain {
  using Plain::Plain;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return vec::Log(d, x);
  }
};
struct Log1pOp : Plain {
  using Plain::Plain;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return vec::Log1p(d, x);
  }
};
struct TanhOp : Plain {
  using Plain::Plain;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return vec::Tanh(d, x);
  }
};
struct SigmoidOp : Plain {
  using Plain::Plain;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return vec::Sigmoid(d, x);
  }
};
struct SinOp : Plain {
  using Plain::Plain;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return vec::Sin(d, x);
  }
};
struct CosOp : Plain {
  using Plain::Plain;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return vec::Cos(d, x);
  }
};
struct ErfOp : Plain {
  using Plain::Plain;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return vec::Erf(d, x);
  }
};
struct ErfcOp : Plain {
  using Plain::Plain;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return vec::Erfc(d, x);
  }
};

template <typename T>
RowLoop FindFor(UnaryOp op) {
  switch (op) {
    case UnaryOp::Exp:
      return UnaryRow<ExpOp, T>;
    case UnaryOp::Expm1:
      return UnaryRow<Expm1Op, T>;
    case UnaryOp::Log:
      return UnaryRow<LogOp, T>;
    case UnaryOp::Log1p:
      return UnaryRow<Log1pOp, T>;
    case UnaryOp::Tanh:
      return UnaryRow<TanhOp, T>;
    case UnaryOp::Sigmoid:
      return UnaryRow<SigmoidOp, T>;
    case UnaryOp::Sin:
      return UnaryRow<SinOp, T>;
    case UnaryOp::Cos:
      return UnaryRow<CosOp, T>;
    case UnaryOp::Erf:
      return UnaryRow<ErfOp, T>;
    case UnaryOp::Erfc:
      return UnaryRow<ErfcOp, T>;
    default:
      return nullptr;
  }
}

RowLoop Find(UnaryOp op, ScalarType dtype) {
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
}

RowLoop find_simd_math(UnaryOp op, ScalarType dtype) {
  return is_floating_point(dtype) ? HWY_DYNAMIC_DISPATCH(Find)(op, dtype) : nullptr;
}

}  // namespace tapedeck::kernels
#endif
