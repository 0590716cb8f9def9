#pragma once

#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>

#include <tapedeck/array/dtype.h>

namespace tapedeck {

/// Every error of the library. The message says which operation, what it expected and what it got,
/// with shapes; inside a module's forward, the module's path is appended.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}
  const char* what_without_backtrace() const noexcept { return what(); }
  std::string msg() const { return what(); }
};

/// An index outside its range; a subclass so that it can be told apart.
class IndexError : public Error {
 public:
  using Error::Error;
};
/// An argument of the right type with an impossible value.
class ValueError : public Error {
 public:
  using Error::Error;
};
/// An argument of the wrong type or dtype.
class TypeError : public Error {
 public:
  using Error::Error;
};
/// Something the library does not do.
class NotImplementedError : public Error {
 public:
  using Error::Error;
};

/// While it lives, errors made on this thread end in " in <path>". Modules open one around their
/// forward; it costs two stores and no allocation.
class ErrorScope {
 public:
  using Describe = std::string (*)(const void*);
  ErrorScope(const void* subject, Describe describe) noexcept;
  ~ErrorScope();
  ErrorScope(const ErrorScope&) = delete;
  ErrorScope& operator=(const ErrorScope&) = delete;

 private:
  friend std::string error_scope_path();
  const void* subject_;
  Describe describe_;
  ErrorScope* outer_;
};
/// The innermost scope's path on this thread, empty outside all scopes.
std::string error_scope_path();

namespace detail {

/// What a message shows of a value: itself, or, for a dtype, PyTorch's name of it.
template <typename T>
const T& shown(const T& value) {
  return value;
}
inline ScalarType shown(const TypeMeta& dtype) { return dtype; }

/// A stream into a string. It keeps the standard library's out of this header, which everybody
/// includes.
class StringStream {
 public:
  StringStream();
  ~StringStream();
  StringStream(const StringStream&) = delete;
  StringStream& operator=(const StringStream&) = delete;

  std::ostream& out();
  std::string take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Where argument-dependent lookup does not search: a program's own str of a tensor is its own.
namespace no_adl {

template <typename... Parts>
std::string str(const Parts&... parts) {
  StringStream stream;
  (stream.out() << ... << shown(parts));
  return stream.take();
}

}  // namespace no_adl
using namespace no_adl;

/// Appends the module path, if any.
std::string located(std::string message);

template <typename E = Error>
[[noreturn]] void fail(std::string message) {
  throw E(located(std::move(message)));
}

}  // namespace detail
using namespace detail::no_adl;

}  // namespace tapedeck

/// Throws tapedeck::Error with the parts printed one after the other unless `condition` holds. The
/// parts are evaluated only when it does not.
#define TAPEDECK_CHECK(condition, ...)                                \
  do {                                                                \
    if (!(condition)) [[unlikely]]                                    \
      ::tapedeck::detail::fail(::tapedeck::detail::str(__VA_ARGS__)); \
  } while (false)

#define TAPEDECK_CHECK_AS(type, condition, ...)                             \
  do {                                                                      \
    if (!(condition)) [[unlikely]]                                          \
      ::tapedeck::detail::fail<type>(::tapedeck::detail::str(__VA_ARGS__)); \
  } while (false)
