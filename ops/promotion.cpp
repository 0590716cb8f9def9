#include <tapedeck/ops/promotion.h>

namespace tapedeck {

namespace {

struct Ranks {
  ScalarType dimensioned = ScalarType::Undefined;
  ScalarType zero_dim = ScalarType::Undefined;
  ScalarType number = ScalarType::Undefined;
};

ScalarType promote_known(ScalarType a, ScalarType b) {
  if (a == ScalarType::Undefined) return b;
  if (b == ScalarType::Undefined) return a;
  return promote_types(a, b);
}

ScalarType combine(ScalarType higher, ScalarType lower) {
  if (is_floating_point(higher)) return higher;
  if (higher == kBool || is_floating_point(lower)) return promote_known(higher, lower);
  return higher != ScalarType::Undefined ? higher : lower;
}

void include(Ranks& ranks, const Variable& v) {
  ScalarType& rank = v.dim() > 0 ? ranks.dimensioned : ranks.zero_dim;
  rank = promote_known(rank, v.dtype());
}

void include(Ranks& ranks, Scalar s) {
  const ScalarType dtype = s.isFloatingPoint() ? get_default_dtype() : s.type();
  ranks.number = promote_known(ranks.number, dtype);
}

template <typename... Operands>
ScalarType type_of(const Operands&... operands) {
  Ranks ranks;
  (include(ranks, operands), ...);
  return combine(ranks.dimensioned, combine(ranks.zero_dim, ranks.number));
}

}  // namespace

ScalarType result_type(const Variable& a, const Variable& b) {
  return a.dtype() == b.dtype() ? a.dtype() : type_of(a, b);
}
ScalarType result_type(const Variable& a, const Variable& b, const Variable& c) {
  return a.dtype() == b.dtype() && a.dtype() == c.dtype() ? a.dtype() : type_of(a, b, c);
}
ScalarType result_type(const Variable& a, Scalar b) { return type_of(a, b); }
ScalarType result_type(Scalar a, const Variable& b) { return type_of(b, a); }

void detail::check_can_cast(ScalarType from, ScalarType to, const char* op) {
  TAPEDECK_CHECK_AS(TypeError, can_cast(from, to), op, ": result type ", from,
                    " can't be cast to the desired output type ", to);
}

ScalarType detail::floating_type(ScalarType dtype) {
  return is_floating_point(dtype) ? dtype : get_default_dtype();
}

}  // namespace tapedeck
