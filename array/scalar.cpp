#include <tapedeck/array/scalar.h>

#include <cmath>
#include <limits>
#include <ostream>

#include <tapedeck/array/error.h>

namespace tapedeck {

std::ostream& operator<<(std::ostream& out, const Scalar& value) {
  if (value.isFloatingPoint()) return out << value.toDouble();
  if (value.isBoolean()) return out << (value.toBool() ? "true" : "false");
  return out << value.toLong();
}

namespace detail {

namespace {

// A double is in the range of int64 below 2^63, which it can tell, and not at the largest int64,
// which it cannot.
template <typename T>
bool fits(const Scalar& value) {
  using Limits = std::numeric_limits<T>;
  if (value.isFloatingPoint()) {
    const double v = value.toDouble();
    if constexpr (!Limits::is_integer)
      return !std::isfinite(v) || std::abs(v) <= static_cast<double>(Limits::max());
    else
      return v >= static_cast<double>(Limits::lowest()) && v < std::ldexp(1.0, Limits::digits);
  }
  const std::int64_t v = value.toLong();
  if constexpr (!Limits::is_integer || sizeof(T) == sizeof(v)) return true;
  const auto largest = static_cast<std::int64_t>(Limits::max());
  const auto least = Limits::is_signed ? static_cast<std::int64_t>(Limits::lowest()) : -largest;
  return least <= v && v <= largest;
}

struct Target {
  bool holds;
  const char* name;
};
Target target(const Scalar& value, ScalarType dtype) {
  switch (dtype) {
    case kUInt8:
      return {fits<std::uint8_t>(value), "uint8_t"};
    case kInt32:
      return {fits<std::int32_t>(value), "int"};
    case kInt64:
      return {fits<std::int64_t>(value), "int64_t"};
    case kFloat32:
      return {fits<float>(value), "float"};
    default:
      return {true, ""};
  }
}

}  // namespace

void check_fits(const Scalar& value, ScalarType dtype, const char* op) {
  const Target to = target(value, dtype);
  TAPEDECK_CHECK(to.holds, op, ": value cannot be converted to type ", to.name,
                 " without overflow, got ", value);
}

}  // namespace detail
}  // namespace tapedeck
