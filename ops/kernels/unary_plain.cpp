#include <cmath>
#include <type_traits>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/ops/kernels/special_functions.h>
#include <tapedeck/ops/kernels/unary_loops.h>

namespace tapedeck::kernels {

namespace {

// A row loop made of a function without state.
template <typename Out, typename T, typename F>
RowLoop loop_of(F) {
  return [](void* out_row, const void* const* in, unsigned, std::int64_t n, const double*) {
    const T* const x = static_cast<const T*>(in[0]);
    Out* const out = static_cast<Out*>(out_row);
    for (std::int64_t i = 0; i < n; ++i) out[i] = F{}(x[i]);
  };
}
template <typename T, typename F>
RowLoop loop_of(F f) {
  return loop_of<T, T>(f);
}

template <typename T>
RowLoop find_floating(UnaryOp op) {
  switch (op) {
    case UnaryOp::Exp2:
      return loop_of<T>([](T x) { return std::exp2(x); });
    case UnaryOp::Log2:
      return loop_of<T>([](T x) { return std::log2(x); });
    case UnaryOp::Log10:
      return loop_of<T>([](T x) { return std::log10(x); });
    case UnaryOp::Tan:
      return loop_of<T>([](T x) { return std::tan(x); });
    case UnaryOp::Sinh:
      return loop_of<T>([](T x) { return std::sinh(x); });
    case UnaryOp::Cosh:
      return loop_of<T>([](T x) { return std::cosh(x); });
    case UnaryOp::Asinh:
      return loop_of<T>([](T x) { return std::asinh(x); });
    case UnaryOp::Acosh:
      return loop_of<T>([](T x) { return std::acosh(x); });
    case UnaryOp::Atanh:
      return loop_of<T>([](T x) { return std::atanh(x); });
    case UnaryOp::Erfinv:
      return loop_of<T>([](T x) { return static_cast<T>(erfinv(x)); });
    case UnaryOp::Lgamma:
      return loop_of<T>([](T x) { return static_cast<T>(lgamma(x)); });
    case UnaryOp::Polygamma:
      return [](void* out, const void* const* in, unsigned, std::int64_t n, const double* p) {
        const T* const x = static_cast<const T*>(in[0]);
        for (std::int64_t i = 0; i < n; ++i)
          static_cast<T*>(out)[i] = static_cast<T>(polygamma(static_cast<int>(p[0]), x[i]));
      };
    default:
      return nullptr;
  }
}

template <typename T>
RowLoop find_predicate(UnaryOp op) {
  constexpr bool kFloating = std::is_floating_point_v<T>;
  switch (op) {
    case UnaryOp::LogicalNot:
      return loop_of<bool, T>([](T x) { return x == T{}; });
    case UnaryOp::IsNan:
      return loop_of<bool, T>([](T x) {
        if constexpr (kFloating) return std::isnan(x);
        return static_cast<void>(x), false;
      });
    case UnaryOp::IsInf:
      return loop_of<bool, T>([](T x) {
        if constexpr (kFloating) return std::isinf(x);
        return static_cast<void>(x), false;
      });
    case UnaryOp::IsFinite:
      return loop_of<bool, T>([](T x) {
        if constexpr (kFloating) return std::isfinite(x);
        return static_cast<void>(x), true;
      });
    case UnaryOp::SignBit:
      return loop_of<bool, T>([](T x) {
        if constexpr (kFloating) return std::signbit(x);
        return x < T{};
      });
    default:
      return nullptr;
  }
}

}  // namespace

RowLoop find_plain_unary(UnaryOp op, ScalarType dtype) {
  return dispatch_all(dtype, name_of(op), [op](auto tag) {
    using T = typename decltype(tag)::type;
    RowLoop loop = find_predicate<T>(op);
    if (loop != nullptr) return loop;
    if constexpr (std::is_floating_point_v<T>) return find_floating<T>(op);
    return loop;
  });
}

}  // namespace tapedeck::kernels
