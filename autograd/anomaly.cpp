#include <tapedeck/autograd/anomaly.h>

#include <execinfo.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <mutex>
#include <string>
#include <unordered_map>

#include <tapedeck/array/warning.h>
#include <tapedeck/autograd/variable.h>
#include <tapedeck/ops/kernels/copy.h>

namespace tapedeck::autograd {

namespace {

std::atomic<bool> enabled{false}, check_nan{true};

// What is known of a node: the calls, and, if it was recorded by another's VJP, that one's name and
// calls.
struct Origin {
  std::string calls, parent, parent_calls;
};

std::mutex mutex;
std::unordered_map<std::uint64_t, Origin>& origins() {
  // Never destroyed: nodes with static storage may outlive it otherwise.
  static auto* const map = new std::unordered_map<std::uint64_t, Origin>;
  return *map;
}
std::atomic<bool> any_remembered{false};

// The node whose VJP this thread runs.
thread_local const Node* running = nullptr;

std::string calls_here() {
  void* frames[64];
  const int count = backtrace(frames, 64);
  char** const symbols = backtrace_symbols(frames, count);
  std::string text;
  for (int i = 0; symbols && i < count; ++i) text.append(symbols[i]).append("\n");
  std::free(symbols);
  return text;
}

void tell(const Node& node) {
  const std::lock_guard lock(mutex);
  const auto found = origins().find(node.sequence_nr());
  if (found == origins().end()) {
    TAPEDECK_WARN("Error detected in ", node.name(),
                  ". No forward pass information available. Enable detect anomaly during forward "
                  "pass for more information.");
    return;
  }
  const Origin& origin = found->second;
  TAPEDECK_WARN("Error detected in ", node.name(),
                ". Traceback of forward call that caused the error:\n", origin.calls);
  if (!origin.parent.empty())
    TAPEDECK_WARN("Previous calculation was induced by ", origin.parent,
                  ". Traceback of forward call that induced the previous calculation:\n",
                  origin.parent_calls);
}

template <typename T>
bool any_nan(const Array& values) {
  const Array whole = kernels::contiguous(values);
  for (std::int64_t i = 0; i < whole.numel(); ++i)
    if (std::isnan(whole.data<T>()[i])) return true;
  return false;
}
bool has_nan(const Variable& v) {
  if (!v.defined()) return false;
  return v.dtype() == kFloat32 ? any_nan<float>(v.array()) : any_nan<double>(v.array());
}

}  // namespace

bool AnomalyMode::is_enabled() { return enabled.load(std::memory_order_relaxed); }
bool AnomalyMode::should_check_nan() { return check_nan.load(std::memory_order_relaxed); }
void AnomalyMode::set_enabled(bool on, bool with_nan) {
  enabled = on;
  check_nan = with_nan;
}

namespace detail {

void remember_calls(std::uint64_t sequence_nr) {
  Origin origin{calls_here(), {}, {}};
  const std::lock_guard lock(mutex);
  if (running) {
    origin.parent = running->name();
    if (const auto found = origins().find(running->sequence_nr()); found != origins().end())
      origin.parent_calls = found->second.calls;
  }
  origins().emplace(sequence_nr, std::move(origin));
  any_remembered = true;
}

void forget_calls(std::uint64_t sequence_nr) noexcept {
  if (!any_remembered.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex);
  origins().erase(sequence_nr);
}

Gradients apply_watched(Node& node, const Gradients& grads, const VjpContext& ctx) {
  struct Running {
    const Node* previous;
    ~Running() { running = previous; }
  } restore{std::exchange(running, &node)};
  try {
    Gradients results = node.apply(grads, ctx);
    if (AnomalyMode::should_check_nan())
      for (std::size_t i = 0; i < results.size(); ++i)
        TAPEDECK_CHECK(!has_nan(results[i]), "Function '", node.name(),
                       "' returned nan values in its ", i, "th output.");
    return results;
  } catch (...) {
    tell(node);
    throw;
  }
}

}  // namespace detail
}  // namespace tapedeck::autograd
