#pragma once

#include <cstdint>

#include <tapedeck/tapedeck.h>

// AT_DISPATCH_*: run a lambda with `scalar_t` standing for the element type of a dtype.

#define TAPEDECK_COMPAT_CASE(dtype, type, ...) \
  case ::tapedeck::dtype: {                    \
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
    switch (tapedeck_dtype) {                                                                    \
      cases default : ::tapedeck::detail::fail<::tapedeck::NotImplementedError>(::tapedeck::str( \
                          "\"", name, "\" not implemented for '", tapedeck_dtype, "'"));         \
    }                                                                                            \
  }()

#define AT_DISPATCH_FLOATING_TYPES(dtype, name, ...) \
  TAPEDECK_COMPAT_SWITCH(dtype, name, TAPEDECK_COMPAT_FLOATING_CASES(__VA_ARGS__))
#define AT_DISPATCH_INTEGRAL_TYPES(dtype, name, ...) \
  TAPEDECK_COMPAT_SWITCH(dtype, name, TAPEDECK_COMPAT_INTEGRAL_CASES(__VA_ARGS__))
#define AT_DISPATCH_ALL_TYPES(dtype, name, ...)                      \
  TAPEDECK_COMPAT_SWITCH(dtype, name,                                \
                         TAPEDECK_COMPAT_FLOATING_CASES(__VA_ARGS__) \
                             TAPEDECK_COMPAT_INTEGRAL_CASES(__VA_ARGS__))
