#pragma once

#include <utility>

/// Declares a named argument of an options struct: `options.name(value)` sets it and returns the
/// options, `options.name()` reads it. An initialiser may follow: `TAPEDECK_ARG(double, lr) = 0.1;`
#define TAPEDECK_ARG(T, name)                              \
 public:                                                   \
  auto name(T value)->decltype(*this) {                    \
    this->name##_ = std::move(value);                      \
    return *this;                                          \
  }                                                        \
  const T& name() const noexcept { return this->name##_; } \
  T& name() noexcept { return this->name##_; }             \
                                                           \
 private:                                                  \
  T name##_
