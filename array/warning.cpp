#include <tapedeck/array/warning.h>

#include <atomic>
#include <ios>
#include <iostream>

namespace tapedeck {

void WarningHandler::process(const SourceLocation& source_location, const std::string& msg, bool) {
  const std::string line =
      detail::str("[W ", source_location.file, ":", source_location.line, "] Warning: ", msg,
                  " (function ", source_location.function, ")\n");
  const std::ios_base::Init streams;  // a warning may come before main()
  std::cerr << line << std::flush;
}

namespace Warning {

namespace {

WarningHandler* first_handler() {
  static WarningHandler handler;
  return &handler;
}

thread_local WarningHandler* current_handler = nullptr;
std::atomic<bool> warn_always{false};

}  // namespace

void warn(const SourceLocation& source_location, const std::string& msg, bool verbatim) {
  get_warning_handler()->process(source_location, msg, verbatim);
}

void set_warning_handler(WarningHandler* handler) noexcept { current_handler = handler; }

WarningHandler* get_warning_handler() noexcept {
  return current_handler ? current_handler : first_handler();
}

void set_warnAlways(bool setting) noexcept { warn_always = setting; }
bool get_warnAlways() noexcept { return warn_always; }

}  // namespace Warning
}  // namespace tapedeck
