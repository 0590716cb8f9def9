#pragma once

#include <initializer_list>

#include <tapedeck/autograd/variable.h>

namespace tapedeck::detail {

inline bool is_defined(const Variable& v) { return v.defined(); }
inline bool is_defined(ArrayRef<Variable> list) {
  for (const Variable& v : list)
    if (!v.defined()) return false;
  return true;
}

/// `names` are the arguments as written, separated by commas; `defined` says which of them are.
[[noreturn]] void fail_undefined(const char* op, const char* names,
                                 std::initializer_list<bool> defined);

template <typename... Arguments>
bool all_defined(const Arguments&... arguments) {
  return (is_defined(arguments) && ...);
}
template <typename... Arguments>
[[noreturn]] void fail_undefined_of(const char* op, const char* names,
                                    const Arguments&... arguments) {
  fail_undefined(op, names, {is_defined(arguments)...});
}

}  // namespace tapedeck::detail

/// Throws an Error that names the operation and the argument unless all tensors (or lists of
/// tensors) that follow are defined.
#define TAPEDECK_CHECK_DEFINED(op, ...)                                     \
  do {                                                                      \
    if (!::tapedeck::detail::all_defined(__VA_ARGS__)) [[unlikely]]         \
      ::tapedeck::detail::fail_undefined_of(op, #__VA_ARGS__, __VA_ARGS__); \
  } while (false)
