#include <algorithm>
#include <exception>
#include <optional>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/array/warning.h>
#include <tapedeck/autograd/anomaly.h>
#include <tapedeck/autograd/autograd.h>
#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/autograd/grad_state.h>
#include <tapedeck/ops/kernels/copy.h>

// The backward pass. Nodes that have received a gradient wait in a heap, the latest created on top.
// When a node is taken out, every node that uses its outputs was created after it and has run
// already, so its gradients are complete. Nothing here recurses, however deep the graph. A node
// that waits alone, as all those of a chain do, needs no heap.

namespace tapedeck::autograd {

namespace {

// Where a gradient is to be caught instead of running on into a leaf.
struct Capture {
  Edge edge;
  Variable grad;
};

// The nodes on a path from the roots to a captured input.
class PathFilter final : public NodeFilter {
 public:
  PathFilter(ArrayRef<Edge> roots, const std::vector<Capture>& captures) {
    std::unordered_set<const Node*> targets;
    for (const Capture& c : captures) targets.insert(c.edge.function.get());
    // Depth first with an explicit stack: a node is needed if it is a target or leads to one.
    struct Frame {
      const Node* node;
      std::size_t next = 0;
    };
    std::unordered_set<const Node*> seen;
    std::vector<Frame> stack;
    const auto enter = [&](const Node* node) {
      if (!node || !seen.insert(node).second) return;
      if (targets.count(node)) needed_.insert(node);
      stack.push_back({node});
    };
    for (const Edge& root : roots) {
      enter(root.function.get());
      while (!stack.empty()) {
        Frame& frame = stack.back();
        const Node* node = frame.node;
        if (frame.next < node->next_edges().size()) {
          const Node* parent = node->next_edge(frame.next).function.get();
          ++frame.next;
          if (parent && needed_.count(parent)) needed_.insert(node);
          enter(parent);
        } else {
          stack.pop_back();
          if (!stack.empty() && needed_.count(node)) needed_.insert(stack.back().node);
        }
      }
    }
  }

  bool contains(const Node* node) const override { return needed_.count(node) != 0; }

 private:
  std::unordered_set<const Node*> needed_;
};

}  // namespace

class BackwardPass {
 public:
  BackwardPass(bool keep_graph, const NodeFilter* filter, std::vector<Capture>* captures,
               bool accumulate_captured)
      : keep_graph_(keep_graph),
        filter_(filter),
        captures_(captures),
        accumulate_captured_(accumulate_captured) {
    if (!captures_) return;
    captures_of_.emplace();
    for (std::size_t i = 0; i < captures_->size(); ++i)
      (*captures_of_)[(*captures_)[i].edge.function.get()].push_back(i);
  }

  void receive(const Edge& edge, Variable grad, const char* from) {
    if (!edge.is_valid() || !grad.defined()) return;
    Node* node = edge.function.get();
    if (filter_ && !filter_->contains(node)) return;
    check(*node, edge.input_nr, grad, from);
    // A leaf without hooks can take each part as it comes; nothing then waits for the rest.
    if (!captures_ && node->is_accumulator())
      if (auto& leaf = static_cast<AccumulateGrad&>(*node); !leaf.has_leaf_hooks()) {
        leaf.accumulate(std::move(grad));
        return;
      }
    Variable& sum = gathered_for(node)[edge.input_nr];
    sum = sum.defined() ? add_gradients(std::move(sum), grad) : std::move(grad);
  }

  void run() {
    while (alone_.node || !heap_.empty()) {
      Pending latest = take_latest();
      run_node(*latest.node, std::move(latest.grads));
    }
  }

  ~BackwardPass() {
    // After an error some nodes still wait.
    for (const Pending& task : pending_)
      if (task.node) forget(*task.node);
  }
  BackwardPass(const BackwardPass&) = delete;
  BackwardPass& operator=(const BackwardPass&) = delete;

 private:
  // The roots, which whoever runs the pass holds, keep every node alive.
  struct Pending {
    Node* node = nullptr;
    Gradients grads;
  };
  struct HeapEntry {
    std::uint64_t sequence_nr;
    std::size_t slot;
    bool operator<(const HeapEntry& other) const { return sequence_nr < other.sequence_nr; }
  };

  // Where the gradients of a node gather.
  Gradients& gathered_for(Node* node) {
    if (alone_.node == node) return alone_.grads;
    if (!alone_.node && heap_.empty()) {
      alone_.node = node;
      alone_.grads.resize(node->num_inputs());
      return alone_.grads;
    }
    if (Node* const first = std::exchange(alone_.node, nullptr))
      pending_[slot_of(first)].grads = std::move(alone_.grads);
    return pending_[slot_of(node)].grads;
  }

  Pending take_latest() {
    if (alone_.node) return {std::exchange(alone_.node, nullptr), std::move(alone_.grads)};
    std::pop_heap(heap_.begin(), heap_.end());
    const std::size_t slot = heap_.back().slot;
    heap_.pop_back();
    free_slots_.push_back(slot);
    Pending& latest = pending_[slot];
    forget(*latest.node);
    return {std::exchange(latest.node, nullptr), std::move(latest.grads)};
  }

  // The place of a node that does not wait alone. The node itself remembers it, unless another
  // thread's pass is at the same node: then a map does.
  std::size_t slot_of(Node* node) {
    const void* owner = node->pass_.load(std::memory_order_acquire);
    if (owner == this) return node->slot_;
    if (shared_slots_)
      if (const auto it = shared_slots_->find(node); it != shared_slots_->end()) return it->second;
    std::size_t slot = pending_.size();
    if (free_slots_.empty()) {
      pending_.emplace_back();
    } else {
      slot = free_slots_.back();
      free_slots_.pop_back();
    }
    pending_[slot].node = node;
    pending_[slot].grads.resize(node->num_inputs());
    heap_.push_back({node->sequence_nr(), slot});
    std::push_heap(heap_.begin(), heap_.end());
    const void* nobody = nullptr;
    if (node->pass_.compare_exchange_strong(nobody, this, std::memory_order_acq_rel)) {
      node->slot_ = slot;
    } else {
      if (!shared_slots_) shared_slots_.emplace();
      (*shared_slots_)[node] = slot;
    }
    return slot;
  }
  void forget(Node& node) {
    if (node.pass_.load(std::memory_order_acquire) == this)
      node.pass_.store(nullptr, std::memory_order_release);
    else
      shared_slots_->erase(&node);
  }

  void run_node(Node& node, Gradients&& grads) {
    if (node.has_hooks())
      for (std::size_t i = 0; i < grads.size(); ++i) {
        grads[i] = node.run_hooks(static_cast<std::uint32_t>(i), std::move(grads[i]));
        if (grads[i].defined()) check(node, i, grads[i], "a hook");
      }
    auto* leaf = node.is_accumulator() ? static_cast<AccumulateGrad*>(&node) : nullptr;
    if (leaf && leaf->has_leaf_hooks()) {
      grads[0] = leaf->run_leaf_hooks(std::move(grads[0]));
      check(node, 0, grads[0], "a hook");
    }
    if (captures_) {
      if (const auto caught = captures_of_->find(&node); caught != captures_of_->end())
        for (const std::size_t i : caught->second) {
          Capture& capture = (*captures_)[i];
          capture.grad = grads[capture.edge.input_nr];
        }
      if (leaf) {
        if (accumulate_captured_) leaf->accumulate(std::move(grads[0]));
        return;
      }
      if (!any_parent_needed(node)) return;
    }
    const VjpContext ctx(node, filter_);
    Gradients results = AnomalyMode::is_enabled() ? detail::apply_watched(node, grads, ctx)
                                                  : node.apply(grads, ctx);
    if (!keep_graph_) node.release_saved();
    grads.clear();
    const EdgeList& edges = node.next_edges();
    TAPEDECK_CHECK(results.size() == edges.size(), node.name(),
                   " returned an incorrect number of gradients (expected ", edges.size(), ", got ",
                   results.size(), ")");
    for (std::size_t i = 0; i < edges.size(); ++i) {
      if (!results[i].defined()) continue;
      if (edges[i].is_valid()) receive_from(node, edges[i], std::move(results[i]));
    }
  }

  void receive_from(const Node& node, const Edge& edge, Variable grad) {
    from_ = &node;
    receive(edge, std::move(grad), nullptr);
  }

  bool any_parent_needed(const Node& node) const {
    if (!filter_) return true;
    for (const Edge& edge : node.next_edges())
      if (edge.is_valid() && filter_->contains(edge.function.get())) return true;
    return false;
  }

  // The exact shape and dtype: a rule that is wrong must not be hidden by broadcasting.
  void check(const Node& node, std::size_t input_nr, const Variable& grad, const char* from) const {
    const OutputMetadata& expected = node.output_metadata(input_nr);
    if (grad.array().sizes() == expected.sizes && grad.dtype() == expected.dtype) return;
    tapedeck::detail::fail(tapedeck::detail::str(
        from ? std::string(from) : from_->name(), " returned an invalid gradient for ", node.name(),
        ": got ", grad.dtype(), " ", grad.sizes(), " but expected ", expected.dtype, " ",
        expected.sizes.ref()));
  }

  bool keep_graph_;
  const NodeFilter* filter_;
  std::vector<Capture>* captures_;
  bool accumulate_captured_;
  const Node* from_ = nullptr;
  std::optional<std::unordered_map<const Node*, std::vector<std::size_t>>> captures_of_;
  Pending alone_;  // the only node that waits, while the heap is empty
  // Small passes allocate nothing for themselves, and make no map that is not needed.
  SmallVector<Pending, 4> pending_;
  SmallVector<std::size_t, 8> free_slots_;
  SmallVector<HeapEntry, 8> heap_;
  std::optional<std::unordered_map<const Node*, std::size_t>> shared_slots_;
};

namespace {

Variable root_gradient(const Variable& output, TensorList grads, std::size_t i) {
  if (i < grads.size() && grads[i].defined()) {
    const Variable& g = grads[i];
    TAPEDECK_CHECK(g.array().sizes() == output.array().sizes(), "Mismatch in shape: grad_output[",
                   i, "] has a shape of ", g.sizes(), " and output[", i, "] has a shape of ",
                   output.sizes());
    TAPEDECK_CHECK_AS(TypeError, g.dtype() == output.dtype(), "grad_output[", i, "] has dtype ",
                      g.dtype(), " and output[", i, "] has dtype ", output.dtype());
    return g;
  }
  TAPEDECK_CHECK(output.numel() == 1,
                 "grad can be implicitly created only for scalar outputs, got shape ",
                 output.sizes());
  return Variable(kernels::full(output.sizes(), 1, output.dtype()));
}

// Runs a pass. Backward passes that VJPs start within each other take a new stack every so often:
// however deep they go, no stack is used up.
void run_nested(BackwardPass& pass) {
  constexpr int kDeepest = 60;
  static thread_local int depth = 0;
  struct Leave {
    ~Leave() { --depth; }
  } leave;
  if (++depth <= kDeepest) {
    pass.run();
    return;
  }
  std::exception_ptr error;
  const bool recording = GradMode::is_enabled();
  WarningHandler* const warnings = Warning::get_warning_handler();
  std::thread([&] {
    const AutoGradMode mode(recording);
    const Warning::WarningHandlerGuard handler(warnings);
    try {
      pass.run();
    } catch (...) {
      error = std::current_exception();
    }
  }).join();
  if (error) std::rethrow_exception(error);
}

void run_backward(TensorList outputs, TensorList grad_outputs, bool keep_graph, bool create_graph,
                  std::vector<Capture>* captures, bool accumulate_captured, const char* op) {
  std::optional<tapedeck::detail::OpScope> scope(std::in_place, op);
  TAPEDECK_CHECK(grad_outputs.empty() || grad_outputs.size() == outputs.size(), "got ",
                 outputs.size(), " tensors and ", grad_outputs.size(), " gradients");
  EdgeList roots;
  Gradients root_gradients;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    TAPEDECK_CHECK(outputs[i].defined(),
                   "expected a defined tensor, got an undefined one (a default-constructed Tensor) "
                   "as element ",
                   i, " of tensors");
    TAPEDECK_CHECK(outputs[i].requires_grad(), "element ", i,
                   " of tensors does not require grad and does not have a grad_fn");
    roots.push_back(gradient_edge(outputs[i]));
    root_gradients.push_back(root_gradient(outputs[i], grad_outputs, i));
  }
  // What hooks and derivatives throw is theirs.
  scope.reset();
  const AutoGradMode mode(create_graph);
  std::optional<PathFilter> filter;
  if (captures) filter.emplace(ArrayRef<Edge>(roots.data(), roots.size()), *captures);
  BackwardPass pass(keep_graph, filter ? &*filter : nullptr, captures, accumulate_captured);
  for (std::size_t i = 0; i < outputs.size(); ++i)
    pass.receive(roots[i], std::move(root_gradients[i]), op);
  run_nested(pass);
}

std::vector<Capture> captures_for(TensorList inputs, const char* op) {
  std::vector<Capture> captures;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    TAPEDECK_CHECK(inputs[i].defined() && inputs[i].requires_grad(), op, ": input ", i,
                   ": One of the differentiated Tensors does not require grad");
    captures.push_back({gradient_edge(inputs[i]), {}});
  }
  return captures;
}

}  // namespace

void backward(TensorList tensors, TensorList grad_tensors, std::optional<bool> retain_graph,
              bool create_graph, TensorList inputs) {
  const bool keep = retain_graph.value_or(create_graph);
  if (create_graph)
    TAPEDECK_WARN_ONCE(
        "Using backward() with create_graph=True ties each leaf to its gradient and the gradient "
        "to "
        "the leaf, which keeps both in memory: use autograd::grad, or reset the gradients after "
        "use.");
  if (inputs.empty()) {
    run_backward(tensors, grad_tensors, keep, create_graph, nullptr, false, "backward");
    return;
  }
  auto captures = captures_for(inputs, "backward");
  run_backward(tensors, grad_tensors, keep, create_graph, &captures, true, "backward");
  // Leaves have gathered theirs on the way.
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    Variable& g = captures[i].grad;
    if (!g.defined() || inputs[i].is_leaf() || inputs[i].retains_grad()) continue;
    Variable& sum = inputs[i].mutable_grad();
    sum = sum.defined() ? add_gradients(std::move(sum), g) : create_graph ? g : g.clone();
  }
}

variable_list grad(const variable_list& outputs, const variable_list& inputs,
                   const variable_list& grad_outputs, std::optional<bool> retain_graph,
                   bool create_graph, bool allow_unused) {
  TAPEDECK_CHECK(!inputs.empty(), "grad: grad requires non-empty inputs.");
  auto captures = captures_for(inputs, "grad");
  run_backward(outputs, grad_outputs, retain_graph.value_or(create_graph), create_graph, &captures,
               false, "grad");
  variable_list grads;
  for (Capture& c : captures) {
    TAPEDECK_CHECK(
        c.grad.defined() || allow_unused,
        "grad: One of the differentiated Tensors appears to not have been used in the graph. "
        "Set allow_unused=True if this is the desired behavior.");
    grads.push_back(std::move(c.grad));
  }
  return grads;
}

}  // namespace tapedeck::autograd
