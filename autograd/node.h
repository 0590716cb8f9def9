#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <tapedeck/array/allocator.h>
#include <tapedeck/array/dim_vector.h>
#include <tapedeck/array/dtype.h>
#include <tapedeck/array/intrusive_ptr.h>
#include <tapedeck/array/small_vector.h>

// The tape. Every recorded operation is a Node. Its edges point to the nodes of its inputs, parents
// only, so there are no cycles; an edge is a node and the number of that node's output. Nodes are
// numbered in order of creation, and since an operation can only use what exists already, that is a
// topological order: the engine (engine.cpp) goes through them from the highest number down. The
// gradient of output i of a node arrives as element i of what `apply` is given; `apply` returns one
// gradient for each edge.

namespace tapedeck {

class Variable;

namespace autograd {

class Node;

/// Where a gradient goes: output `input_nr` of `function`. Without a function it goes nowhere.
struct Edge {
  intrusive_ptr<Node> function;
  std::uint32_t input_nr = 0;

  bool is_valid() const { return static_cast<bool>(function); }
  bool operator==(const Edge& other) const = default;
};

using EdgeList = SmallVector<Edge, 3>;
/// One gradient for each input (or output) of a node; undefined where there is none.
using Gradients = SmallVector<Variable, 3>;

/// Shape and dtype of one output of an operation: what its gradient must have.
struct OutputMetadata {
  ScalarType dtype = ScalarType::Undefined;
  DimVector sizes;
};

/// The nodes that a backward pass limited to some inputs runs.
class NodeFilter {
 public:
  virtual bool contains(const Node* node) const = 0;

 protected:
  ~NodeFilter() = default;
};

/// What a VJP may ask of the backward pass that runs it.
class VjpContext {
 public:
  /// Without a filter the pass runs every node that it reaches.
  VjpContext(const Node& node, const NodeFilter* filter) : node_(node), filter_(filter) {}

  /// Whether anybody wants the gradient of input i: where not, return an undefined one.
  bool needs(std::size_t i) const;
  /// The shape of input i, which its gradient must have. Only where needs(i).
  const DimVector& input_sizes(std::size_t i) const;
  const Node& node() const { return node_; }

 private:
  const Node& node_;
  const NodeFilter* filter_;
};

/// One recorded operation.
class Node : public RefCounted {
 public:
  explicit Node(EdgeList&& next_edges = {});
  virtual ~Node();

  /// Vector-Jacobian product: from the gradients of the outputs to those of the inputs. It must not
  /// change its arguments, the `.grad` of anything, or what was saved.
  virtual Gradients apply(const Gradients& grads, const VjpContext& ctx) = 0;
  /// Lets go of saved values after their only use. A later `apply` throws if there were any.
  virtual void release_saved() {}
  /// "MulBackward0".
  virtual std::string name() const = 0;

  const EdgeList& next_edges() const { return next_edges_; }
  const Edge& next_edge(std::size_t i) const { return next_edges_[i]; }
  /// Gradients that `apply` returns.
  std::size_t num_outputs() const { return next_edges_.size(); }
  std::uint64_t sequence_nr() const { return sequence_nr_; }

  /// Declares one more output of the operation, and returns its number.
  std::uint32_t add_output(const DimVector& sizes, ScalarType dtype);
  /// Gradients that `apply` is given.
  std::size_t num_inputs() const { return outputs_.size(); }
  const OutputMetadata& output_metadata(std::size_t i) const { return outputs_[i]; }

  using Hook = std::function<Variable(const Variable&)>;
  /// Called with the gradient of output `output_nr` before `apply`; what it returns replaces the
  /// gradient, unless it is undefined. Returns a key for remove_hook.
  unsigned add_hook(std::uint32_t output_nr, Hook hook);
  void remove_hook(unsigned key);
  bool has_hooks() const { return hooks_ != nullptr; }
  Variable run_hooks(std::uint32_t output_nr, Variable grad) const;

  void destroy() noexcept;

  // Nodes come and go with every operation: from the caching allocator, which keeps small blocks.
  static void* operator new(std::size_t bytes) { return tapedeck::detail::allocate(bytes); }
  static void operator delete(void* node, std::size_t bytes) {
    tapedeck::detail::deallocate(node, bytes);
  }

  /// True for the end of the tape at a leaf.
  bool is_accumulator() const { return is_accumulator_; }

 protected:
  bool is_accumulator_ = false;
  EdgeList next_edges_;

 private:
  struct HookEntry {
    unsigned key;
    std::uint32_t output_nr;
    Hook hook;
  };

  std::uint64_t sequence_nr_;
  std::unique_ptr<std::vector<HookEntry>> hooks_;
  unsigned next_hook_key_ = 0;
  Node* next_dead_ = nullptr;

  // The backward pass that this node waits in, and where; other passes look it up in a map.
  friend class BackwardPass;
  std::atomic<const void*> pass_{nullptr};
  std::size_t slot_ = 0;

  SmallVector<OutputMetadata, 1> outputs_;  // last: most of its room is seldom touched
};

inline const DimVector& VjpContext::input_sizes(std::size_t i) const {
  const Edge& edge = node_.next_edge(i);
  return edge.function->output_metadata(edge.input_nr).sizes;
}

inline bool VjpContext::needs(std::size_t i) const {
  const Edge& edge = node_.next_edge(i);
  return edge.is_valid() && (!filter_ || filter_->contains(edge.function.get()));
}

}  // namespace autograd
}  // namespace tapedeck
