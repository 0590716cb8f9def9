#pragma once

#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>

#include <tapedeck/tapedeck.h>

#include <torch/functions.h>

// libtorch's functions that write their result into an argument: at::add_out(out, a, b).
namespace tapedeck {

namespace compat {

/// `result` in `out`, which takes on its shape and keeps its dtype.
/// \throws Error where a gradient would be lost, TypeError where the dtype cannot hold the result.
inline Tensor& write_out(const char* op, Tensor& out, const Tensor& result) {
  TAPEDECK_CHECK(out.defined(), op, ": expected an out tensor, got an undefined one");
  TAPEDECK_CHECK(!GradMode::is_enabled() || (!result.requires_grad() && !out.requires_grad()), op,
                 ": functions with out=... arguments don't support automatic differentiation, but "
                 "one of the arguments requires grad.");
  TAPEDECK_CHECK_AS(TypeError, can_cast(result.dtype(), out.dtype()), op, ": result type ",
                    result.dtype(), " can't be cast to the desired output type ", out.dtype());
  if (out.sizes() != result.sizes()) out.resize_(result.sizes());
  return out.copy_(result);
}

/// Sums and means are made in the dtype asked for, or else out's if that is floating.
inline std::optional<ScalarType> dtype_into(const Tensor& out,
                                            const std::optional<ScalarType>& dtype) {
  return dtype || !out.is_floating_point() ? dtype : out.scalar_type();
}

}  // namespace compat

// Those of one form are functions, no templates: programs pass them on as they are.
#define TAPEDECK_COMPAT_UNARY_OUT(name)                        \
  inline Tensor& name##_out(Tensor& out, const Tensor& self) { \
    return compat::write_out(#name "_out", out, name(self));   \
  }
TAPEDECK_COMPAT_UNARY_OUT(abs)
TAPEDECK_COMPAT_UNARY_OUT(acos)
TAPEDECK_COMPAT_UNARY_OUT(acosh)
TAPEDECK_COMPAT_UNARY_OUT(asin)
TAPEDECK_COMPAT_UNARY_OUT(asinh)
TAPEDECK_COMPAT_UNARY_OUT(atan)
TAPEDECK_COMPAT_UNARY_OUT(atanh)
TAPEDECK_COMPAT_UNARY_OUT(bitwise_not)
TAPEDECK_COMPAT_UNARY_OUT(ceil)
TAPEDECK_COMPAT_UNARY_OUT(cos)
TAPEDECK_COMPAT_UNARY_OUT(cosh)
TAPEDECK_COMPAT_UNARY_OUT(erf)
TAPEDECK_COMPAT_UNARY_OUT(erfc)
TAPEDECK_COMPAT_UNARY_OUT(erfinv)
TAPEDECK_COMPAT_UNARY_OUT(exp)
TAPEDECK_COMPAT_UNARY_OUT(exp2)
TAPEDECK_COMPAT_UNARY_OUT(expm1)
TAPEDECK_COMPAT_UNARY_OUT(floor)
TAPEDECK_COMPAT_UNARY_OUT(frac)
TAPEDECK_COMPAT_UNARY_OUT(log)
TAPEDECK_COMPAT_UNARY_OUT(log10)
TAPEDECK_COMPAT_UNARY_OUT(log1p)
TAPEDECK_COMPAT_UNARY_OUT(log2)
TAPEDECK_COMPAT_UNARY_OUT(logical_not)
TAPEDECK_COMPAT_UNARY_OUT(neg)
TAPEDECK_COMPAT_UNARY_OUT(reciprocal)
TAPEDECK_COMPAT_UNARY_OUT(rsqrt)
TAPEDECK_COMPAT_UNARY_OUT(sigmoid)
TAPEDECK_COMPAT_UNARY_OUT(sign)
TAPEDECK_COMPAT_UNARY_OUT(sin)
TAPEDECK_COMPAT_UNARY_OUT(sinh)
TAPEDECK_COMPAT_UNARY_OUT(sqrt)
TAPEDECK_COMPAT_UNARY_OUT(square)
TAPEDECK_COMPAT_UNARY_OUT(tan)
TAPEDECK_COMPAT_UNARY_OUT(tanh)
TAPEDECK_COMPAT_UNARY_OUT(trunc)
#undef TAPEDECK_COMPAT_UNARY_OUT

#define TAPEDECK_COMPAT_BINARY_OUT(name)                                            \
  inline Tensor& name##_out(Tensor& out, const Tensor& self, const Tensor& other) { \
    return compat::write_out(#name "_out", out, name(self, other));                 \
  }
TAPEDECK_COMPAT_BINARY_OUT(atan2)
TAPEDECK_COMPAT_BINARY_OUT(bmm)
TAPEDECK_COMPAT_BINARY_OUT(dot)
TAPEDECK_COMPAT_BINARY_OUT(fmax)
TAPEDECK_COMPAT_BINARY_OUT(fmin)
TAPEDECK_COMPAT_BINARY_OUT(logaddexp)
TAPEDECK_COMPAT_BINARY_OUT(logical_and)
TAPEDECK_COMPAT_BINARY_OUT(logical_or)
TAPEDECK_COMPAT_BINARY_OUT(logical_xor)
TAPEDECK_COMPAT_BINARY_OUT(masked_select)
TAPEDECK_COMPAT_BINARY_OUT(matmul)
TAPEDECK_COMPAT_BINARY_OUT(maximum)
TAPEDECK_COMPAT_BINARY_OUT(minimum)
TAPEDECK_COMPAT_BINARY_OUT(mm)
TAPEDECK_COMPAT_BINARY_OUT(mv)
TAPEDECK_COMPAT_BINARY_OUT(outer)
TAPEDECK_COMPAT_BINARY_OUT(sigmoid_backward)
#undef TAPEDECK_COMPAT_BINARY_OUT

#define TAPEDECK_COMPAT_SCALED_OUT(name)                                          \
  inline Tensor& name##_out(Tensor& out, const Tensor& self, const Tensor& other, \
                            const Scalar& alpha = 1) {                            \
    return compat::write_out(#name "_out", out, name(self, other, alpha));        \
  }                                                                               \
  inline Tensor& name##_out(Tensor& out, const Tensor& self, const Scalar& other, \
                            const Scalar& alpha = 1) {                            \
    return compat::write_out(#name "_out", out, name(self, other, alpha));        \
  }
TAPEDECK_COMPAT_SCALED_OUT(add)
TAPEDECK_COMPAT_SCALED_OUT(sub)
#undef TAPEDECK_COMPAT_SCALED_OUT

#define TAPEDECK_COMPAT_OUT(name)                                                             \
  template <typename... Arguments>                                                            \
  Tensor& name##_out(Tensor& out, Arguments&&... arguments) {                                 \
    return compat::write_out(#name "_out", out, name(std::forward<Arguments>(arguments)...)); \
  }
TAPEDECK_COMPAT_OUT(addbmm)
TAPEDECK_COMPAT_OUT(addcdiv)
TAPEDECK_COMPAT_OUT(addcmul)
TAPEDECK_COMPAT_OUT(addmm)
TAPEDECK_COMPAT_OUT(addmv)
TAPEDECK_COMPAT_OUT(argmax)
TAPEDECK_COMPAT_OUT(argmin)
TAPEDECK_COMPAT_OUT(baddbmm)
TAPEDECK_COMPAT_OUT(bitwise_and)
TAPEDECK_COMPAT_OUT(bitwise_or)
TAPEDECK_COMPAT_OUT(bitwise_xor)
TAPEDECK_COMPAT_OUT(clamp)
TAPEDECK_COMPAT_OUT(clamp_max)
TAPEDECK_COMPAT_OUT(clamp_min)
TAPEDECK_COMPAT_OUT(cumprod)
TAPEDECK_COMPAT_OUT(cumsum)
TAPEDECK_COMPAT_OUT(div)
TAPEDECK_COMPAT_OUT(eq)
TAPEDECK_COMPAT_OUT(floor_divide)
TAPEDECK_COMPAT_OUT(fmod)
TAPEDECK_COMPAT_OUT(gather)
TAPEDECK_COMPAT_OUT(ge)
TAPEDECK_COMPAT_OUT(gt)
TAPEDECK_COMPAT_OUT(index_select)
TAPEDECK_COMPAT_OUT(le)
TAPEDECK_COMPAT_OUT(lerp)
TAPEDECK_COMPAT_OUT(log_softmax)
TAPEDECK_COMPAT_OUT(lt)
TAPEDECK_COMPAT_OUT(mul)
TAPEDECK_COMPAT_OUT(ne)
TAPEDECK_COMPAT_OUT(norm)
TAPEDECK_COMPAT_OUT(pow)
TAPEDECK_COMPAT_OUT(prod)
TAPEDECK_COMPAT_OUT(remainder)
TAPEDECK_COMPAT_OUT(round)
TAPEDECK_COMPAT_OUT(softmax)
TAPEDECK_COMPAT_OUT(take)
TAPEDECK_COMPAT_OUT(tril)
TAPEDECK_COMPAT_OUT(triu)
TAPEDECK_COMPAT_OUT(where)
TAPEDECK_COMPAT_OUT(xlogy)
#undef TAPEDECK_COMPAT_OUT

// Of two tensors; of an axis, there are two results.
inline Tensor& max_out(Tensor& out, const Tensor& self, const Tensor& other) {
  return compat::write_out("max_out", out, max(self, other));
}
inline Tensor& min_out(Tensor& out, const Tensor& self, const Tensor& other) {
  return compat::write_out("min_out", out, min(self, other));
}
#define TAPEDECK_COMPAT_TWO_OUT(name)                                                          \
  template <typename... Arguments>                                                             \
  std::tuple<Tensor&, Tensor&> name##_out(Tensor& values, Tensor& indices, const Tensor& self, \
                                          std::int64_t first, Arguments... arguments) {        \
    const auto results = name(self, first, arguments...);                                      \
    compat::write_out(#name "_out", values, std::get<0>(results));                             \
    compat::write_out(#name "_out", indices, std::get<1>(results));                            \
    return {values, indices};                                                                  \
  }
TAPEDECK_COMPAT_TWO_OUT(kthvalue)
TAPEDECK_COMPAT_TWO_OUT(max)
TAPEDECK_COMPAT_TWO_OUT(median)
TAPEDECK_COMPAT_TWO_OUT(min)
TAPEDECK_COMPAT_TWO_OUT(sort)
TAPEDECK_COMPAT_TWO_OUT(topk)
#undef TAPEDECK_COMPAT_TWO_OUT

// Those that are called with braced lists.
inline Tensor& cat_out(Tensor& out, TensorList tensors, std::int64_t dim = 0) {
  return compat::write_out("cat_out", out, cat(tensors, dim));
}
inline Tensor& stack_out(Tensor& out, TensorList tensors, std::int64_t dim = 0) {
  return compat::write_out("stack_out", out, stack(tensors, dim));
}
inline Tensor& sum_out(Tensor& out, const Tensor& self, IntArrayRef dim, bool keepdim = false,
                       std::optional<ScalarType> dtype = std::nullopt) {
  return compat::write_out("sum_out", out, sum(self, dim, keepdim, compat::dtype_into(out, dtype)));
}
inline Tensor& mean_out(Tensor& out, const Tensor& self, IntArrayRef dim, bool keepdim = false,
                        std::optional<ScalarType> dtype = std::nullopt) {
  return compat::write_out("mean_out", out,
                           mean(self, dim, keepdim, compat::dtype_into(out, dtype)));
}

}  // namespace tapedeck
