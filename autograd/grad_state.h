#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include <tapedeck/autograd/node.h>
#include <tapedeck/autograd/variable.h>

namespace tapedeck::autograd {

/// Where the gradient of one variable gathers. The variable and the nodes that write to it own it
/// together, so a graph may outlive its leaves and the leaves their graph.
class GradState final : public RefCounted {
 public:
  ~GradState() = default;

  Variable grad;
  std::mutex mutex;  ///< two threads may run backward into one leaf
  std::vector<std::pair<unsigned, Node::Hook>> leaf_hooks;
  unsigned next_hook_key = 0;
  bool retains_grad = false;
  unsigned retain_key = 0;  ///< of the hook that keeps the gradient of a result
};

/// The end of the tape at a leaf: adds what arrives to the leaf's gradient.
class AccumulateGrad final : public Node {
 public:
  AccumulateGrad(intrusive_ptr<GradState> state, IntArrayRef sizes, ScalarType dtype);
  Gradients apply(const Gradients& grads, const VjpContext& ctx) override;
  std::string name() const override { return "AccumulateGrad"; }

  bool has_leaf_hooks() const { return !state_->leaf_hooks.empty(); }
  Variable run_leaf_hooks(Variable grad) const;
  /// Adds `grad` to the leaf's; takes its memory over where nobody else holds it.
  void accumulate(Variable grad);

 private:
  intrusive_ptr<GradState> state_;
};

/// a + b; in a's memory where nobody else holds it and nothing is being recorded.
Variable add_gradients(Variable a, const Variable& b);

}  // namespace tapedeck::autograd
