#pragma once

#include <cstdint>

namespace tapedeck {

/// A length of time, converted from and to the std::chrono::duration types, but without <chrono>,
/// which is slow to compile.
class Milliseconds {
 public:
  constexpr explicit Milliseconds(std::int64_t count) : count_(count) {}
  /// Rounds towards zero.
  template <typename Duration>
  requires requires { typename Duration::period; }
  constexpr Milliseconds(const Duration& duration)
      : count_(static_cast<std::int64_t>(duration.count() * Duration::period::num * 1000 /
                                         Duration::period::den)) {}

  constexpr std::int64_t count() const { return count_; }
  template <typename Duration>
  requires requires { typename Duration::period; }
  constexpr operator Duration() const {
    return Duration(static_cast<typename Duration::rep>(count_ * Duration::period::den /
                                                        (Duration::period::num * 1000)));
  }
  bool operator==(const Milliseconds&) const = default;

 private:
  std::int64_t count_;
};

}  // namespace tapedeck
