#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include <tapedeck/array/error.h>

namespace tapedeck {

/// Where in the sources something was said.
struct SourceLocation {
  const char* function;
  const char* file;
  std::uint32_t line;
};

/// Receives warnings. The first one made prints `[W file.cpp:12] Warning: ... (function f)` to
/// stderr.
class WarningHandler {
 public:
  virtual ~WarningHandler() = default;
  /// `verbatim`: the message is meant to be shown alone, without the place.
  virtual void process(const SourceLocation& source_location, const std::string& msg,
                       bool verbatim);
};

namespace Warning {

void warn(const SourceLocation& source_location, const std::string& msg, bool verbatim = false);

/// The handler of this thread, which must outlive its use; null brings the first one back.
void set_warning_handler(WarningHandler* handler) noexcept;
WarningHandler* get_warning_handler() noexcept;

/// Whether warnings that are given once are given every time.
void set_warnAlways(bool setting) noexcept;
bool get_warnAlways() noexcept;

/// Installs a handler while it lives.
class WarningHandlerGuard {
 public:
  explicit WarningHandlerGuard(WarningHandler* handler) : previous_(get_warning_handler()) {
    set_warning_handler(handler);
  }
  ~WarningHandlerGuard() { set_warning_handler(previous_); }
  WarningHandlerGuard(const WarningHandlerGuard&) = delete;
  WarningHandlerGuard& operator=(const WarningHandlerGuard&) = delete;

 private:
  WarningHandler* previous_;
};

/// set_warnAlways while it lives.
struct WarnAlways {
  explicit WarnAlways(bool setting = true) : previous(get_warnAlways()) { set_warnAlways(setting); }
  ~WarnAlways() { set_warnAlways(previous); }
  WarnAlways(const WarnAlways&) = delete;
  WarnAlways& operator=(const WarnAlways&) = delete;

  bool previous;
};

}  // namespace Warning
}  // namespace tapedeck

/// Gives a warning, made of the parts printed one after the other.
#define TAPEDECK_WARN(...)                                                              \
  ::tapedeck::Warning::warn({__func__, __FILE__, static_cast<std::uint32_t>(__LINE__)}, \
                            ::tapedeck::detail::str(__VA_ARGS__))

/// As TAPEDECK_WARN, but only the first time that this line is reached.
#define TAPEDECK_WARN_ONCE(...)                                                        \
  do {                                                                                 \
    static std::atomic<bool> tapedeck_warned_here{false};                              \
    if (!tapedeck_warned_here.exchange(true) || ::tapedeck::Warning::get_warnAlways()) \
      TAPEDECK_WARN(__VA_ARGS__);                                                      \
  } while (false)
