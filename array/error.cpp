#include <tapedeck/array/error.h>
#include <tapedeck/array/internal/op_scope.h>

#include <sstream>
#include <string_view>

namespace tapedeck {

namespace {
thread_local ErrorScope* innermost = nullptr;
thread_local const char* outermost_op = nullptr;

// "op: ..." for the operation that the user called. Where the message begins with another form of
// that name (`dropout` of `dropout_`, `max_pool2d` of `max_pool2d_with_indices`) it is replaced.
void name_outermost(std::string& message) {
  const std::string_view op = outermost_op;
  const std::string_view inner = std::string_view(message).substr(0, message.find_first_of(" (:"));
  const bool is_op = inner.size() < message.size() && message[inner.size()] != ' ';
  if (is_op && (op.starts_with(inner) || inner.starts_with(op)))
    message.replace(0, inner.size(), op);
  else if (inner != op)
    message.insert(0, std::string(op) + ": ");
}

}  // namespace

ErrorScope::ErrorScope(const void* subject, Describe describe) noexcept
    : subject_(subject), describe_(describe), outer_(innermost) {
  innermost = this;
}

ErrorScope::~ErrorScope() { innermost = outer_; }

std::string error_scope_path() {
  return innermost ? innermost->describe_(innermost->subject_) : std::string();
}

namespace detail {

struct StringStream::State {
  std::ostringstream out;
};
StringStream::StringStream() : state_(std::make_unique<State>()) {}
StringStream::~StringStream() = default;
std::ostream& StringStream::out() { return state_->out; }
std::string StringStream::take() { return std::move(state_->out).str(); }

OpScope::OpScope(const char* op) noexcept : outer_(outermost_op) {
  if (!outermost_op) outermost_op = op;
}

OpScope::~OpScope() { outermost_op = outer_; }

std::string located(std::string message) {
  if (outermost_op) name_outermost(message);
  const std::string path = error_scope_path();
  if (!path.empty()) message += " in " + path;
  return message;
}

}  // namespace detail
}  // namespace tapedeck
