#pragma once

#include <cstdint>
#include <exception>

#include <tapedeck/autograd/node.h>

// Finding the operation that is to blame for an error or a NaN in a backward pass.

namespace tapedeck::autograd {

/// While enabled, recorded operations remember the calls that led to them. An error in the VJP of
/// one gives these as a warning, and a NaN in what it returns is an error. All threads share it.
struct AnomalyMode {
  static bool is_enabled();
  static bool should_check_nan();
  static void set_enabled(bool enabled, bool check_nan = true);
};

/// Turns AnomalyMode on while it lives.
class DetectAnomalyGuard {
 public:
  explicit DetectAnomalyGuard(bool check_nan = true)
      : enabled_(AnomalyMode::is_enabled()), check_nan_(AnomalyMode::should_check_nan()) {
    AnomalyMode::set_enabled(true, check_nan);
  }
  ~DetectAnomalyGuard() { AnomalyMode::set_enabled(enabled_, check_nan_); }
  DetectAnomalyGuard(const DetectAnomalyGuard&) = delete;
  DetectAnomalyGuard& operator=(const DetectAnomalyGuard&) = delete;

 private:
  bool enabled_, check_nan_;
};

namespace detail {

/// Remembers where the node of this number is made, and which node's VJP makes it.
void remember_calls(std::uint64_t sequence_nr);
/// Forgets it.
void forget_calls(std::uint64_t sequence_nr) noexcept;
/// node.apply; a VJP that throws or returns NaN is told about.
Gradients apply_watched(Node& node, const Gradients& grads, const VjpContext& ctx);

}  // namespace detail
}  // namespace tapedeck::autograd
