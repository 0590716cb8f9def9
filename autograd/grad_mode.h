#pragma once

namespace tapedeck {

/// Whether operations on this thread are recorded. Each thread has its own; it starts enabled.
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

/// As NoGradGuard; `InferenceMode guard(false)` records again inside another one.
class InferenceMode : public AutoGradMode {
 public:
  explicit InferenceMode(bool enabled = true) : AutoGradMode(!enabled) {}
  static bool is_enabled() { return !GradMode::is_enabled(); }
};

}  // namespace tapedeck
