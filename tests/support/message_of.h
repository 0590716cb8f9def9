#pragma once

#include <exception>
#include <string>

namespace tapedeck::testing {

/// What the exception says that `f` throws; "no error" for none.
template <typename F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace tapedeck::testing
