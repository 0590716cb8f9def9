#pragma once

#include <utility>

/// A member of an options struct: `TAPEDECK_ARG(bool, bias) = true;` declares the value, a getter
/// and setters that return the struct, so that calls chain: `LinearOptions(3, 5).bias(false)`.
#define TAPEDECK_ARG(T, name)                              \
 public:                                                   \
  auto name(const T& new_##name)->decltype(*this) {        \
    this->name##_ = new_##name;                            \
    return *this;                                          \
  }                                                        \
  auto name(T&& new_##name)->decltype(*this) {             \
    this->name##_ = std::move(new_##name);                 \
    return *this;                                          \
  }                                                        \
  const T& name() const noexcept { return this->name##_; } \
  T& name() noexcept { return this->name##_; }             \
                                                           \
 private:                                                  \
  T name##_
