#pragma once

#include <atomic>
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

  /// The gradient, for whoever may keep it, a reference to it or the address of its elements: from
  /// now on it is zeroed and added to in place.
  Variable& shown();
  /// The gradient, for the length of a call.
  const Variable& peek();
  /// Makes a gradient that nobody was ever shown undefined or known to be zero, without its memory:
  /// what the next backward pass computes becomes the gradient as it is, and neither zeros nor a
  /// sum are written. False where somebody was: then it has to be done in place.
  bool discard_unseen(bool to_zero);
  /// Adds `g`; takes its memory over where nobody else holds it and it lies as `strides` say, which
  /// are those of a dense tensor, or none for row-major.
  void add(Variable g, const DimVector& strides);
  /// add() for the gradient of a result, which others use as well.
  void add_copy(const Variable& g);

  std::mutex mutex;  ///< two threads may run backward into one leaf
  std::vector<std::pair<unsigned, Node::Hook>> leaf_hooks;
  unsigned next_hook_key = 0;
  bool retains_grad = false;
  unsigned retain_key = 0;  ///< of the hook that keeps the gradient of a result

 private:
  void write_known_zero();

  Variable grad_;
  bool known_zero_ = false;  ///< grad_ is undefined and stands for zeros
  DimVector zero_sizes_;
  ScalarType zero_dtype_ = ScalarType::Float;
  std::atomic<bool> was_shown_{false};
};

/// The gradient of `v` for the length of a call: see GradState::peek.
const Variable& peek_grad(const Variable& v);
/// GradState::discard_unseen for the gradient of `v`; true where there is none.
bool discard_unseen_grad(const Variable& v, bool to_zero);

/// The end of the tape at a leaf: adds what arrives to the leaf's gradient, which lies in the
/// memory as the leaf does where that is dense, and row-major elsewhere, as in PyTorch.
class AccumulateGrad final : public Node {
 public:
  AccumulateGrad(intrusive_ptr<GradState> state, const Array& leaf);
  Gradients apply(const Gradients& grads, const VjpContext& ctx) override;
  std::string name() const override { return "torch::autograd::AccumulateGrad"; }

  bool has_leaf_hooks() const { return !state_->leaf_hooks.empty(); }
  Variable run_leaf_hooks(Variable grad) const;
  /// Adds `grad` to the leaf's; takes its memory over where nobody else holds it.
  void accumulate(Variable grad) { state_->add(std::move(grad), strides_); }

 private:
  intrusive_ptr<GradState> state_;
  DimVector strides_;  // of the gradient; none for row-major
};

/// a + b; in a's memory where nobody else holds it and nothing is being recorded.
Variable add_gradients(Variable a, const Variable& b);

}  // namespace tapedeck::autograd
