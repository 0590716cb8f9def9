#pragma once

#include <cstdint>

#include <tapedeck/tapedeck.h>

// libtorch's macros. Those that programs use, not those of its own build.

#define TORCH_VERSION_MAJOR 1
#define TORCH_VERSION_MINOR 13
#define TORCH_VERSION_PATCH 1
#define TORCH_VERSION "1.13.1"

#define TORCH_API
#define C10_API
#define C10_EXPORT
#define C10_UNUSED [[maybe_unused]]
#define C10_NODISCARD [[nodiscard]]
#define C10_LIKELY(condition) (__builtin_expect(static_cast<bool>(condition), 1))
#define C10_UNLIKELY(condition) (__builtin_expect(static_cast<bool>(condition), 0))
#define C10_ALWAYS_INLINE __attribute__((__always_inline__)) inline
#define C10_NOINLINE __attribute__((noinline))
#define C10_CONCATENATE_IMPL(a, b) a##b
#define C10_CONCATENATE(a, b) C10_CONCATENATE_IMPL(a, b)
#define C10_STRINGIZE_IMPL(x) #x
#define C10_STRINGIZE(x) C10_STRINGIZE_IMPL(x)

#define TORCH_ARG(T, name) TAPEDECK_ARG(T, name)

// struct NameImpl : torch::nn::Module { ... }; TORCH_MODULE(Name);
#define TORCH_MODULE(Name) TAPEDECK_MODULE(Name)
#define TORCH_MODULE_IMPL(Name, ImplType) TAPEDECK_MODULE_IMPL(Name, ImplType)

// In a class whose forward has default arguments: {position, torch::nn::AnyValue(default)}, ...
#define FORWARD_HAS_DEFAULT_ARGS(...) TAPEDECK_FORWARD_HAS_DEFAULT_ARGS(__VA_ARGS__)

#define TORCH_CHECK_WITH(type, condition, ...)                                               \
  do {                                                                                       \
    if (!(condition)) [[unlikely]]                                                           \
      ::tapedeck::detail::fail<::tapedeck::type>(::tapedeck::compat::failure_message(        \
          "Expected " #condition " to be true, but got false." __VA_OPT__(, ) __VA_ARGS__)); \
  } while (false)
#define TORCH_CHECK(condition, ...) TORCH_CHECK_WITH(Error, condition, __VA_ARGS__)
#define TORCH_CHECK_INDEX(condition, ...) TORCH_CHECK_WITH(IndexError, condition, __VA_ARGS__)
#define TORCH_CHECK_VALUE(condition, ...) TORCH_CHECK_WITH(ValueError, condition, __VA_ARGS__)
#define TORCH_CHECK_TYPE(condition, ...) TORCH_CHECK_WITH(TypeError, condition, __VA_ARGS__)
#define TORCH_CHECK_NOT_IMPLEMENTED(condition, ...) \
  TORCH_CHECK_WITH(NotImplementedError, condition, __VA_ARGS__)

#define TORCH_CHECK_OP(a, b, op) \
  TORCH_CHECK((a)op(b), "Check failed: " #a " " #op " " #b " (", a, " vs. ", b, ").")
#define TORCH_CHECK_EQ(a, b) TORCH_CHECK_OP(a, b, ==)
#define TORCH_CHECK_NE(a, b) TORCH_CHECK_OP(a, b, !=)
#define TORCH_CHECK_LE(a, b) TORCH_CHECK_OP(a, b, <=)
#define TORCH_CHECK_LT(a, b) TORCH_CHECK_OP(a, b, <)
#define TORCH_CHECK_GE(a, b) TORCH_CHECK_OP(a, b, >=)
#define TORCH_CHECK_GT(a, b) TORCH_CHECK_OP(a, b, >)
#define C10_LOG_API_USAGE_ONCE(...) \
  do {                              \
  } while (false)

#define TORCH_INTERNAL_ASSERT(condition, ...)                                                      \
  do {                                                                                             \
    if (!(condition)) [[unlikely]]                                                                 \
      ::tapedeck::detail::fail(::tapedeck::str(#condition " INTERNAL ASSERT FAILED at ", __FILE__, \
                                               ":", __LINE__ __VA_OPT__(, ". ", ) __VA_ARGS__));   \
  } while (false)
#ifdef NDEBUG
#define TORCH_INTERNAL_ASSERT_DEBUG_ONLY(condition, ...)                    \
  do {                                                                      \
    if (false) TORCH_INTERNAL_ASSERT(condition __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)
#else
#define TORCH_INTERNAL_ASSERT_DEBUG_ONLY(condition, ...) \
  TORCH_INTERNAL_ASSERT(condition __VA_OPT__(, ) __VA_ARGS__)
#endif

#define AT_ASSERT(condition) TORCH_INTERNAL_ASSERT(condition)
#define AT_ASSERTM(condition, ...) TORCH_CHECK(condition, __VA_ARGS__)
#define AT_CHECK(condition, ...) TORCH_CHECK(condition, __VA_ARGS__)
#define AT_ERROR(...) ::tapedeck::detail::fail(::tapedeck::str(__VA_ARGS__))
#define AT_INDEX_ERROR(...) \
  ::tapedeck::detail::fail<::tapedeck::IndexError>(::tapedeck::str(__VA_ARGS__))

#define TORCH_WARN(...) TAPEDECK_WARN(__VA_ARGS__)
#define TORCH_WARN_ONCE(...) TAPEDECK_WARN_ONCE(__VA_ARGS__)
#define AT_WARN(...) TAPEDECK_WARN(__VA_ARGS__)

namespace tapedeck::compat {

/// What a check says: the message given, or else the condition.
inline std::string failure_message(const char* condition) { return condition; }
template <typename... Parts>
std::string failure_message(const char*, const Parts&... parts) {
  return str(parts...);
}

}  // namespace tapedeck::compat
