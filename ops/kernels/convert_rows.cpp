#include <tapedeck/ops/kernels/convert_rows.h>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/convert_rows.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <type_traits>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

template <typename From, typename To>
void Convert(const void* from_row, void* to_row, std::int64_t n) {
  const From* const from = static_cast<const From*>(from_row);
  To* const to = static_cast<To*>(to_row);
  // By way of int64: a byte is the lowest one of any whole number.
  using Middle = std::conditional_t<std::is_floating_point_v<From> && std::is_integral_v<To> &&
                                        sizeof(To) == 1,
                                    std::int64_t, From>;
  for (std::int64_t i = 0; i < n; ++i) to[i] = static_cast<To>(static_cast<Middle>(from[i]));
}

template <typename From>
ConvertRow FindFor(ScalarType to) {
  switch (to) {
    case ScalarType::Float:
      return Convert<From, float>;
    case ScalarType::Double:
      return Convert<From, double>;
    case ScalarType::Long:
      return Convert<From, std::int64_t>;
    case ScalarType::Int:
      return Convert<From, std::int32_t>;
    case ScalarType::Byte:
      return Convert<From, std::uint8_t>;
    default:
      return nullptr;
  }
}

ConvertRow FindConversion(ScalarType from, ScalarType to) {
  switch (from) {
    case ScalarType::Float:
      return FindFor<float>(to);
    case ScalarType::Double:
      return FindFor<double>(to);
    case ScalarType::Long:
      return FindFor<std::int64_t>(to);
    case ScalarType::Int:
      return FindFor<std::int32_t>(to);
    case ScalarType::Byte:
    case ScalarType::Bool:  // bytes that hold 0 or 1
      return FindFor<std::uint8_t>(to);
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
HWY_EXPORT(FindConversion);
}  // namespace

ConvertRow find_conversion(ScalarType from, ScalarType to) {
  return HWY_DYNAMIC_DISPATCH(FindConversion)(from, to);
}

}  // namespace tapedeck::kernels
#endif
