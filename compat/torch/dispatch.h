#pragma once

#include <cstdint>
#include <type_traits>

#include <tapedeck/tapedeck.h>

// AT_DISPATCH_*: run a lambda with `scalar_t` standing for the element type of a dtype.

#define TAPEDECK_COMPAT_CASE(dtype, type, ...) \
  case static_cast<int>(::tapedeck::dtype): {  \
    using scalar_t [[maybe_unused]] = type;    \
    return __VA_ARGS__();                      \
  }
#define TAPEDECK_COMPAT_FLOATING_CASES(...)          \
  TAPEDECK_COMPAT_CASE(kFloat32, float, __VA_ARGS__) \
  TAPEDECK_COMPAT_CASE(kFloat64, double, __VA_ARGS__)
#define TAPEDECK_COMPAT_INTEGRAL_CASES(...)               \
  TAPEDECK_COMPAT_CASE(kUInt8, std::uint8_t, __VA_ARGS__) \
  TAPEDECK_COMPAT_CASE(kInt32, std::int32_t, __VA_ARGS__) \
  TAPEDECK_COMPAT_CASE(kInt64, std::int64_t, __VA_ARGS__)
#define TAPEDECK_COMPAT_SWITCH(dtype, name, cases)                                               \
  [&] {                                                                                          \
    const ::tapedeck::ScalarType tapedeck_dtype = (dtype);                                       \
    switch (static_cast<int>(tapedeck_dtype)) {                                                  \
      cases default : ::tapedeck::detail::fail<::tapedeck::NotImplementedError>(::tapedeck::str( \
                          "\"", name, "\" not implemented for '", tapedeck_dtype, "'"));         \
    }                                                                                            \
  }()

// The case of a further dtype. Those that do not exist here (kHalf, kBFloat16) never come up: any
// type stands for them.
#define TAPEDECK_COMPAT_MORE(dtype, ...)                                                 \
  case static_cast<int>(dtype): {                                                        \
    using scalar_t [[maybe_unused]] = ::tapedeck::compat::ScalarTypeToCPPTypeT<(dtype)>; \
    return __VA_ARGS__();                                                                \
  }
#define TAPEDECK_COMPAT_ALL_CASES(...)        \
  TAPEDECK_COMPAT_FLOATING_CASES(__VA_ARGS__) \
  TAPEDECK_COMPAT_INTEGRAL_CASES(__VA_ARGS__)

#define AT_DISPATCH_FLOATING_TYPES(dtype, name, ...) \
  TAPEDECK_COMPAT_SWITCH(dtype, name, TAPEDECK_COMPAT_FLOATING_CASES(__VA_ARGS__))
#define AT_DISPATCH_FLOATING_TYPES_AND_HALF(dtype, name, ...) \
  AT_DISPATCH_FLOATING_TYPES(dtype, name, __VA_ARGS__)
#define AT_DISPATCH_FLOATING_TYPES_AND(type1, dtype, name, ...)      \
  TAPEDECK_COMPAT_SWITCH(dtype, name,                                \
                         TAPEDECK_COMPAT_FLOATING_CASES(__VA_ARGS__) \
                             TAPEDECK_COMPAT_MORE(type1, __VA_ARGS__))
#define AT_DISPATCH_FLOATING_TYPES_AND2(type1, type2, dtype, name, ...)                    \
  TAPEDECK_COMPAT_SWITCH(dtype, name,                                                      \
                         TAPEDECK_COMPAT_FLOATING_CASES(__VA_ARGS__) TAPEDECK_COMPAT_MORE( \
                             type1, __VA_ARGS__) TAPEDECK_COMPAT_MORE(type2, __VA_ARGS__))
#define AT_DISPATCH_FLOATING_AND_COMPLEX_TYPES(dtype, name, ...) \
  AT_DISPATCH_FLOATING_TYPES(dtype, name, __VA_ARGS__)
#define AT_DISPATCH_INTEGRAL_TYPES(dtype, name, ...) \
  TAPEDECK_COMPAT_SWITCH(dtype, name, TAPEDECK_COMPAT_INTEGRAL_CASES(__VA_ARGS__))
#define AT_DISPATCH_INTEGRAL_TYPES_AND(type1, dtype, name, ...)      \
  TAPEDECK_COMPAT_SWITCH(dtype, name,                                \
                         TAPEDECK_COMPAT_INTEGRAL_CASES(__VA_ARGS__) \
                             TAPEDECK_COMPAT_MORE(type1, __VA_ARGS__))
#define AT_DISPATCH_ALL_TYPES(dtype, name, ...) \
  TAPEDECK_COMPAT_SWITCH(dtype, name, TAPEDECK_COMPAT_ALL_CASES(__VA_ARGS__))
#define AT_DISPATCH_ALL_TYPES_AND(type1, dtype, name, ...)      \
  TAPEDECK_COMPAT_SWITCH(dtype, name,                           \
                         TAPEDECK_COMPAT_ALL_CASES(__VA_ARGS__) \
                             TAPEDECK_COMPAT_MORE(type1, __VA_ARGS__))
#define AT_DISPATCH_ALL_TYPES_AND2(type1, type2, dtype, name, ...)                    \
  TAPEDECK_COMPAT_SWITCH(dtype, name,                                                 \
                         TAPEDECK_COMPAT_ALL_CASES(__VA_ARGS__) TAPEDECK_COMPAT_MORE( \
                             type1, __VA_ARGS__) TAPEDECK_COMPAT_MORE(type2, __VA_ARGS__))
#define AT_DISPATCH_ALL_TYPES_AND3(type1, type2, type3, dtype, name, ...)             \
  TAPEDECK_COMPAT_SWITCH(                                                             \
      dtype, name,                                                                    \
      TAPEDECK_COMPAT_ALL_CASES(__VA_ARGS__) TAPEDECK_COMPAT_MORE(type1, __VA_ARGS__) \
          TAPEDECK_COMPAT_MORE(type2, __VA_ARGS__) TAPEDECK_COMPAT_MORE(type3, __VA_ARGS__))
#define AT_DISPATCH_ALL_TYPES_AND_COMPLEX(dtype, name, ...) \
  AT_DISPATCH_ALL_TYPES(dtype, name, __VA_ARGS__)
#define AT_DISPATCH_INDEX_TYPES(dtype, name, ...)                                      \
  TAPEDECK_COMPAT_SWITCH(dtype, name,                                                  \
                         TAPEDECK_COMPAT_INDEX_CASE(kInt32, std::int32_t, __VA_ARGS__) \
                             TAPEDECK_COMPAT_INDEX_CASE(kInt64, std::int64_t, __VA_ARGS__))
#define TAPEDECK_COMPAT_INDEX_CASE(dtype, type, ...) \
  case static_cast<int>(::tapedeck::dtype): {        \
    using index_t [[maybe_unused]] = type;           \
    return __VA_ARGS__();                            \
  }

namespace tapedeck::compat {

template <ScalarType dtype>
using ScalarTypeToCPPTypeT = std::conditional_t<dtype == kBool, bool, float>;

}  // namespace tapedeck::compat
