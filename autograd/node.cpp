#include <tapedeck/autograd/node.h>

#include <atomic>

#include <tapedeck/autograd/anomaly.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/autograd/variable.h>

namespace tapedeck::autograd {

namespace {
std::atomic<std::uint64_t> next_sequence_nr{0};

// Nodes whose last reference went while another node was being destroyed.
thread_local Node* dead_nodes = nullptr;
thread_local bool destroying = false;
}  // namespace

Node::Node(EdgeList&& next_edges)
    : next_edges_(std::move(next_edges)),
      sequence_nr_(next_sequence_nr.fetch_add(1, std::memory_order_relaxed)) {
  if (AnomalyMode::is_enabled()) detail::remember_calls(sequence_nr_);
}

Node::~Node() { detail::forget_calls(sequence_nr_); }

// A graph of a million nodes hangs together by the edges alone: destroying the last one in the
// ordinary way would recurse as deep.
void Node::destroy() noexcept {
  if (destroying) {
    next_dead_ = dead_nodes;
    dead_nodes = this;
    return;
  }
  destroying = true;
  delete this;
  while (dead_nodes) {
    Node* node = dead_nodes;
    dead_nodes = node->next_dead_;
    delete node;
  }
  destroying = false;
}

std::uint32_t Node::add_output(const DimVector& sizes, ScalarType dtype) {
  outputs_.emplace_back(dtype, sizes);
  return static_cast<std::uint32_t>(outputs_.size() - 1);
}

unsigned Node::add_hook(std::uint32_t output_nr, Hook hook) {
  if (!hooks_) hooks_ = std::make_unique<std::vector<HookEntry>>();
  hooks_->push_back({next_hook_key_, output_nr, std::move(hook)});
  return next_hook_key_++;
}

void Node::remove_hook(unsigned key) {
  if (hooks_)
    for (auto it = hooks_->begin(); it != hooks_->end(); ++it)
      if (it->key == key) {
        hooks_->erase(it);
        return;
      }
  tapedeck::detail::fail<IndexError>(tapedeck::detail::str(
      "remove_hook: Invalid index: no hook at position ", key, " of ", name()));
}

Variable Node::run_hooks(std::uint32_t output_nr, Variable grad) const {
  if (hooks_ && grad.defined()) {
    // A hook may remove itself or add others: go by a copy.
    const auto hooks = *hooks_;
    for (const HookEntry& entry : hooks) {
      if (entry.output_nr != output_nr) continue;
      if (Variable replaced = entry.hook(grad); replaced.defined()) grad = std::move(replaced);
    }
  }
  return grad;
}

void detail::fail_released(const char* name) {
  tapedeck::detail::fail(tapedeck::detail::str(
      name,
      ": trying to backward through the graph a second time (or directly access saved tensors "
      "after they have already been freed). Saved intermediate values of the graph are freed when "
      "you call .backward() or autograd::grad(). Specify retain_graph=true if you need to backward "
      "through the graph a second time"));
}

void detail::check_gradient_count(const char* name, std::size_t expected, std::size_t got) {
  TAPEDECK_CHECK(expected == got, name, " returned an incorrect number of gradients (expected ",
                 expected, ", got ", got, ")");
}

}  // namespace tapedeck::autograd
