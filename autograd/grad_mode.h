#pragma once

namespace tapedeck {

/// Whether operations on this thread are recorded. Each thread has its own; it starts enabled. In
/// inference mode it is off, whatever it is set to.
struct GradMode {
  static bool is_enabled();
  static void set_enabled(bool enabled);
};

/// Sets the mode while it lives.
class AutoGradMode {
 public:
  explicit AutoGradMode(bool enabled) : previous_(GradMode::is_enabled()) {
    GradMode::set_enabled(enabled);
  }
  ~AutoGradMode() { GradMode::set_enabled(previous_); }
  AutoGradMode(const AutoGradMode&) = delete;
  AutoGradMode& operator=(const AutoGradMode&) = delete;

 private:
  bool previous_;
};

/// Records nothing while it lives.
class NoGradGuard : public AutoGradMode {
 public:
  NoGradGuard() : AutoGradMode(false) {}
};

/// Records nothing while it lives, and what is made meanwhile are inference tensors: no later
/// operation that is recorded can save them, and only inference mode changes them in place. A
/// clone() outside of it is a normal tensor. `InferenceMode guard(false)` records again inside
/// another one.
class InferenceMode {
 public:
  explicit InferenceMode(bool enabled = true);
  ~InferenceMode();
  InferenceMode(const InferenceMode&) = delete;
  InferenceMode& operator=(const InferenceMode&) = delete;

  static bool is_enabled();

 private:
  bool was_inference_, was_recording_;
};

namespace autograd {
using tapedeck::InferenceMode;
}

}  // namespace tapedeck
