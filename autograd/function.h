#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <unordered_map>
#include <utility>
#include <vector>

#include <tapedeck/array/type_name.h>
#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/autograd/ivalue.h>
#include <tapedeck/autograd/node.h>
#include <tapedeck/autograd/saved.h>
#include <tapedeck/autograd/variable.h>

namespace tapedeck::autograd {

class FunctionNode;
using IndexRange = std::pair<std::size_t, std::size_t>;

/// What the two halves of a custom function share, as in libtorch.
class AutogradContext {
 public:
  AutogradContext() = default;
  AutogradContext(const AutogradContext&) = delete;
  AutogradContext& operator=(const AutogradContext&) = delete;

  /// Anything that is no tensor of the graph: `ctx->saved_data["alpha"] = 0.5`.
  std::unordered_map<std::string, IValue> saved_data;

  /// Keeps inputs or outputs for backward. To be called once in forward.
  void save_for_backward(variable_list to_save);
  /// What was saved. \throws Error where a saved tensor was modified in place or released.
  variable_list get_saved_variables() const;
  /// Names inputs that forward changed in place. They must be returned too.
  void mark_dirty(const variable_list& inputs);
  /// Names outputs that have no gradient.
  void mark_non_differentiable(const variable_list& outputs);
  /// Whether backward is given zeros (default) or undefined tensors for outputs without a gradient.
  void set_materialize_grads(bool value) { materialize_grads_ = value; }
  /// Whether the gradient of input i of forward (tensors only are counted) is wanted.
  bool needs_input_grad(std::size_t i) const;
  /// Whether that of any input in the ranges [first, last) is.
  bool needs_input_grad(std::initializer_list<IndexRange> ranges) const;

 private:
  friend class FunctionNode;

  variable_list to_save_;
  std::vector<Saved> saved_;
  variable_list dirty_;
  variable_list non_differentiable_;
  bool materialize_grads_ = true;
  bool released_ = false;
  FunctionNode* node_ = nullptr;
};

/// The node of a custom function.
class FunctionNode : public Node {
 public:
  using Node::Node;
  Gradients apply(const Gradients& grads, const VjpContext& ctx) final;
  void release_saved() final;

  AutogradContext context;

 protected:
  virtual variable_list run_backward(variable_list grads) = 0;
  /// Joins the outputs of forward to this node. `tensors` are the inputs, `is_tensor` has an entry
  /// for each argument of forward.
  variable_list finish_forward(const variable_list& tensors, std::vector<bool> is_tensor,
                               variable_list outputs, bool recorded);
  static EdgeList edges_of(const variable_list& tensors);

 private:
  friend class AutogradContext;

  std::vector<bool> is_tensor_;
  std::vector<std::pair<DimVector, ScalarType>> input_metadata_;
  const VjpContext* running_ = nullptr;
};

namespace detail {

template <typename T>
class FunctionNodeOf final : public FunctionNode {
 public:
  template <typename Forward>
  static variable_list run(const variable_list& tensors, std::vector<bool> is_tensor,
                           Forward&& forward) {
    bool recorded = false;
    for (const Variable& v : tensors) recorded |= v.requires_grad();
    recorded &= GradMode::is_enabled();
    auto node = make_intrusive<FunctionNodeOf>(recorded ? edges_of(tensors) : EdgeList());
    variable_list outputs;
    {
      const NoGradGuard no_grad;
      outputs = forward(&node->context);
    }
    return node->finish_forward(tensors, std::move(is_tensor), std::move(outputs), recorded);
  }

  explicit FunctionNodeOf(EdgeList next_edges) : FunctionNode(std::move(next_edges)) {}
  std::string name() const override {
    return "torch::autograd::CppNode<" + type_name(typeid(T)) + ">";
  }

 protected:
  variable_list run_backward(variable_list grads) override {
    return T::backward(&context, std::move(grads));
  }
};

inline void collect_tensors(variable_list&, std::vector<bool>&) {}
template <typename First, typename... Rest>
void collect_tensors(variable_list& tensors, std::vector<bool>& is_tensor, const First& first,
                     const Rest&... rest) {
  using F = std::remove_cvref_t<First>;
  if constexpr (std::is_same_v<F, Variable>) {
    tensors.push_back(first);
    is_tensor.push_back(true);
  } else if constexpr (std::is_same_v<F, std::optional<Variable>>) {
    tensors.push_back(first.value_or(Variable()));
    is_tensor.push_back(true);
  } else if constexpr (std::is_same_v<F, variable_list> || std::is_same_v<F, TensorList>) {
    for (const Variable& v : first) {
      tensors.push_back(v);
      is_tensor.push_back(true);
    }
  } else {
    is_tensor.push_back(false);
  }
  collect_tensors(tensors, is_tensor, rest...);
}

}  // namespace detail

/// Base of a user's own differentiable operation, as in libtorch:
///
///   struct Square : autograd::Function<Square> {
///     static Tensor forward(AutogradContext* ctx, Tensor x) {
///       ctx->save_for_backward({x});
///       return x * x;
///     }
///     static tensor_list backward(AutogradContext* ctx, tensor_list grads) {
///       return {grads[0] * 2 * ctx->get_saved_variables()[0]};
///     }
///   };
///   Tensor y = Square::apply(x);
///
/// backward returns one gradient for each argument of forward, undefined for those that are no
/// tensors; a gradient of broadcast shape is summed to the input's, as PyTorch does.
template <typename T>
struct Function {
  template <typename X = T, typename... Args>
  static auto apply(Args&&... args) {
    using Result = decltype(X::forward(std::declval<AutogradContext*>(), std::declval<Args>()...));
    variable_list tensors;
    std::vector<bool> is_tensor;
    detail::collect_tensors(tensors, is_tensor, args...);
    variable_list outputs = detail::FunctionNodeOf<X>::run(
        tensors, std::move(is_tensor), [&](AutogradContext* ctx) -> variable_list {
          if constexpr (std::is_same_v<Result, variable_list>)
            return X::forward(ctx, std::forward<Args>(args)...);
          else
            return {X::forward(ctx, std::forward<Args>(args)...)};
        });
    if constexpr (std::is_same_v<Result, variable_list>)
      return outputs;
    else
      return std::move(outputs[0]);
  }
};

}  // namespace tapedeck::autograd
