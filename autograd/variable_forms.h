#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include <tapedeck/array/dtype.h>
#include <tapedeck/array/scalar.h>

namespace tapedeck {

class Variable;

namespace autograd {
Variable& assign_inplace(const Variable& self, const Variable& result, const char* op);
}

namespace detail {

/// Methods of Variable that follow from others of its methods: second names, and in-place forms
/// that compute the value and then take it over, cast to self's dtype.
template <typename Self>
class VariableForms {
 public:
  // ---- second names ----

#define TAPEDECK_SECOND_NAME(name, first)                \
  template <typename... Args>                            \
  auto name(Args&&... args) const {                      \
    return self().first(std::forward<Args>(args)...);    \
  }                                                      \
  template <typename... Args>                            \
  Self& name##_(Args&&... args) const {                  \
    return self().first##_(std::forward<Args>(args)...); \
  }
  TAPEDECK_SECOND_NAME(subtract, sub)
  TAPEDECK_SECOND_NAME(multiply, mul)
  TAPEDECK_SECOND_NAME(divide, div)
  TAPEDECK_SECOND_NAME(true_divide, div)
  TAPEDECK_SECOND_NAME(negative, neg)
  TAPEDECK_SECOND_NAME(absolute, abs)
  TAPEDECK_SECOND_NAME(sgn, sign)
  TAPEDECK_SECOND_NAME(fix, trunc)
  TAPEDECK_SECOND_NAME(clip, clamp)
  TAPEDECK_SECOND_NAME(arcsin, asin)
  TAPEDECK_SECOND_NAME(arccos, acos)
  TAPEDECK_SECOND_NAME(arctan, atan)
  TAPEDECK_SECOND_NAME(arctan2, atan2)
  TAPEDECK_SECOND_NAME(not_equal, ne)
  TAPEDECK_SECOND_NAME(less, lt)
  TAPEDECK_SECOND_NAME(less_equal, le)
  TAPEDECK_SECOND_NAME(greater, gt)
  TAPEDECK_SECOND_NAME(greater_equal, ge)
  TAPEDECK_SECOND_NAME(swapaxes, transpose)
  TAPEDECK_SECOND_NAME(swapdims, transpose)
#undef TAPEDECK_SECOND_NAME
  Self ger(const Self& vec2) const { return self().outer(vec2); }
  Self vdot(const Self& other) const { return self().dot(other); }

  // ---- in place: \throws TypeError where the result's dtype cannot be cast to self's ----

#define TAPEDECK_IN_PLACE_FORM(name) \
  Self& name##_(const Self& other) const { return take(self().name(other), #name "_"); }
#define TAPEDECK_IN_PLACE_FORMS(name) \
  TAPEDECK_IN_PLACE_FORM(name)        \
  Self& name##_(Scalar other) const { return take(self().name(other), #name "_"); }
  TAPEDECK_IN_PLACE_FORMS(eq)
  TAPEDECK_IN_PLACE_FORMS(ne)
  TAPEDECK_IN_PLACE_FORMS(lt)
  TAPEDECK_IN_PLACE_FORMS(le)
  TAPEDECK_IN_PLACE_FORMS(gt)
  TAPEDECK_IN_PLACE_FORMS(ge)
  TAPEDECK_IN_PLACE_FORMS(bitwise_and)
  TAPEDECK_IN_PLACE_FORMS(bitwise_or)
  TAPEDECK_IN_PLACE_FORMS(bitwise_xor)
  TAPEDECK_IN_PLACE_FORMS(floor_divide)
  TAPEDECK_IN_PLACE_FORM(logical_and)
  TAPEDECK_IN_PLACE_FORM(logical_or)
  TAPEDECK_IN_PLACE_FORM(logical_xor)
#undef TAPEDECK_IN_PLACE_FORMS
#undef TAPEDECK_IN_PLACE_FORM
  // Of a copy where the derivative reads self, which has changed by then.
  Self& atan2_(const Self& other) const { return take(self().clone().atan2(other), "atan2_"); }
  Self& logical_not_() const { return take(self().logical_not(), "logical_not_"); }
  Self& bitwise_not_() const { return take(self().bitwise_not(), "bitwise_not_"); }
  Self& cumsum_(std::int64_t dim, std::optional<ScalarType> dtype = std::nullopt) const {
    return take(self().cumsum(dim, dtype).to(self().scalar_type()), "cumsum_");
  }
  Self& cumprod_(std::int64_t dim, std::optional<ScalarType> dtype = std::nullopt) const {
    return take(self().clone().cumprod(dim, dtype).to(self().scalar_type()), "cumprod_");
  }
  Self& tril_(std::int64_t diagonal = 0) const { return take(self().tril(diagonal), "tril_"); }
  Self& triu_(std::int64_t diagonal = 0) const { return take(self().triu(diagonal), "triu_"); }
  Self& addmv_(const Self& mat, const Self& vec, Scalar beta = 1, Scalar alpha = 1) const {
    return take(self().addmv(mat, vec, beta, alpha), "addmv_");
  }
  Self& baddbmm_(const Self& batch1, const Self& batch2, Scalar beta = 1, Scalar alpha = 1) const {
    return take(self().baddbmm(batch1, batch2, beta, alpha), "baddbmm_");
  }

 private:
  const Self& self() const { return static_cast<const Self&>(*this); }
  Self& take(const Self& result, const char* op) const {
    return autograd::assign_inplace(self(), result, op);
  }
};

}  // namespace detail
}  // namespace tapedeck
