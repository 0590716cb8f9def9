#pragma once

#include <initializer_list>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/autograd/node.h>
#include <tapedeck/autograd/saved.h>
#include <tapedeck/autograd/variable.h>

// How an operation is recorded. The forward computes its output from arrays; where a gradient may
// be wanted, the output is joined to the tape with a VJP, a lambda that captures what it needs:
//
//   // y = exp(x);  dx = g y
//   Variable exp(const Variable& x) {
//     Variable y(kernels::exp(x.array()));
//     if (should_record(x))
//       record(y, "ExpBackward0", edges(x),
//              [y = save_output(y)](const Variable& g, const VjpContext& ctx) {
//                return g * y.get(ctx);
//              });
//     return y;
//   }
//
// The VJP is written on Variables with differentiable operations, so that its own derivatives come
// for free. It returns one gradient for each edge, undefined where `ctx.needs(i)` says that nobody
// wants it: a Variable for one edge, Gradients for several. Values are captured through `save` and
// `save_output` only: a closure that captures nothing else but sizes and numbers is trivially
// destructible, and counts as having saved nothing.

namespace tapedeck::autograd {

/// Whether an operation on these is to be recorded: one requires grad, and not all of them are
/// inference tensors.
template <typename... Variables>
bool should_record(const Variables&... inputs) {
  const auto is_normal = [](const Variable& v) { return v.defined() && !v.is_inference(); };
  return GradMode::is_enabled() && (inputs.requires_grad() || ...) && (is_normal(inputs) || ...);
}
inline bool should_record_list(ArrayRef<Variable> inputs) {
  if (!GradMode::is_enabled()) return false;
  bool requires_grad = false, is_normal = false;
  for (const Variable& v : inputs) {
    requires_grad |= v.requires_grad();
    is_normal |= v.defined() && !v.is_inference();
  }
  return requires_grad && is_normal;
}

/// The edges of a node with these inputs, in order.
template <typename... Variables>
EdgeList edges(const Variables&... inputs) {
  return EdgeList(gradient_edge(inputs)...);
}
inline EdgeList edge_list(ArrayRef<Variable> inputs) {
  EdgeList list;
  list.reserve(inputs.size());
  for (const Variable& v : inputs) list.push_back(gradient_edge(v));
  return list;
}

namespace detail {

[[noreturn]] void fail_released(const char* name);
void check_gradient_count(const char* name, std::size_t expected, std::size_t got);

/// A node whose VJP is a closure: what it saved is what the closure captured.
template <typename Vjp>
class VjpNode final : public Node {
 public:
  VjpNode(const char* name, EdgeList&& next_edges, Vjp&& vjp)
      : Node(std::move(next_edges)), name_(name), vjp_(std::move(vjp)) {}

  Gradients apply(const Gradients& grads, const VjpContext& ctx) override {
    if (!vjp_) fail_released(name_);
    if constexpr (std::is_invocable_v<const Vjp&, const Gradients&, const VjpContext&>) {
      return (*vjp_)(grads, ctx);
    } else {
      if (!grads[0].defined()) return Gradients(num_outputs());
      if constexpr (std::is_invocable_v<const Vjp&, const Variable&, const VjpContext&>)
        return Gradients((*vjp_)(grads[0], ctx));
      else
        return Gradients((*vjp_)(grads[0]));
    }
  }

  void release_saved() override {
    // A VJP that saved nothing may run any number of times.
    if constexpr (!std::is_trivially_destructible_v<Vjp>) vjp_.reset();
  }

  std::string name() const override { return name_; }

 private:
  const char* name_;
  std::optional<Vjp> vjp_;
};

}  // namespace detail

/// Makes `output` the result of a node of this name (a literal), these edges and this VJP, which is
/// called as vjp(g, ctx) or vjp(g) with the output's gradient.
template <typename Vjp>
void record(Variable& output, const char* name, EdgeList&& next_edges, Vjp vjp) {
  set_history(output,
              make_intrusive<detail::VjpNode<Vjp>>(name, std::move(next_edges), std::move(vjp)));
}

/// The same for several outputs: vjp(grads, ctx) gets one gradient for each, undefined where none
/// arrived. Outputs that can have no gradient (indices) are not listed.
template <typename Vjp>
void record(std::initializer_list<Variable*> outputs, const char* name, EdgeList&& next_edges,
            Vjp vjp) {
  intrusive_ptr<Node> node =
      make_intrusive<detail::VjpNode<Vjp>>(name, std::move(next_edges), std::move(vjp));
  for (Variable* output : outputs) set_history(*output, node);
}
template <typename Vjp>
void record(std::vector<Variable>& outputs, const char* name, EdgeList next_edges, Vjp vjp) {
  intrusive_ptr<Node> node =
      make_intrusive<detail::VjpNode<Vjp>>(name, std::move(next_edges), std::move(vjp));
  for (Variable& output : outputs) set_history(output, node);
}

}  // namespace tapedeck::autograd

namespace tapedeck {
// Operations live in namespace tapedeck and are written with these words.
using autograd::edge_list;
using autograd::edges;
using autograd::Gradients;
using autograd::record;
using autograd::save;
using autograd::save_output;
using autograd::Saved;
using autograd::should_record;
using autograd::should_record_list;
using autograd::VjpContext;
}  // namespace tapedeck
