#include <tapedeck/array/error.h>

namespace tapedeck {

namespace {
thread_local ErrorScope* innermost = nullptr;
}

ErrorScope::ErrorScope(const void* subject, Describe describe) noexcept
    : subject_(subject), describe_(describe), outer_(innermost) {
  innermost = this;
}

ErrorScope::~ErrorScope() { innermost = outer_; }

std::string error_scope_path() {
  return innermost ? innermost->describe_(innermost->subject_) : std::string();
}

namespace detail {

std::string located(std::string message) {
  const std::string path = error_scope_path();
  if (!path.empty()) message += " in " + path;
  return message;
}

}  // namespace detail
}  // namespace tapedeck
