#include <tapedeck/autograd/function.h>

#include <tapedeck/autograd/record.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/kernels/copy.h>

namespace tapedeck {

namespace autograd {

namespace {

bool contains(const variable_list& list, const Variable& v) {
  for (const Variable& other : list)
    if (other.is_same(v)) return true;
  return false;
}

bool expands_to(IntArrayRef from, IntArrayRef to) {
  if (from.size() > to.size()) return false;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::int64_t size = from[from.size() - 1 - i];
    if (size != 1 && size != to[to.size() - 1 - i]) return false;
  }
  return true;
}

}  // namespace

void AutogradContext::save_for_backward(variable_list to_save) { to_save_ = std::move(to_save); }
void AutogradContext::mark_dirty(const variable_list& inputs) { dirty_ = inputs; }
void AutogradContext::mark_non_differentiable(const variable_list& outputs) {
  non_differentiable_ = outputs;
}

variable_list AutogradContext::get_saved_variables() const {
  if (released_) detail::fail_released(node_->name().c_str());
  if (saved_.empty()) return to_save_;
  const VjpContext anywhere(*node_, nullptr);
  variable_list values;
  for (const Saved& s : saved_)
    values.push_back(s.get(node_->running_ ? *node_->running_ : anywhere));
  return values;
}

bool AutogradContext::needs_input_grad(std::size_t i) const {
  if (!node_ || i >= node_->next_edges().size()) return false;
  return node_->running_ ? node_->running_->needs(i) : node_->next_edge(i).is_valid();
}

bool AutogradContext::needs_input_grad(std::initializer_list<IndexRange> ranges) const {
  for (const auto& [first, last] : ranges)
    for (std::size_t i = first; i < last; ++i)
      if (needs_input_grad(i)) return true;
  return false;
}

EdgeList FunctionNode::edges_of(const variable_list& tensors) {
  EdgeList list;
  for (const Variable& v : tensors) list.push_back(gradient_edge(v));
  return list;
}

variable_list FunctionNode::finish_forward(const variable_list& tensors,
                                           std::vector<bool> is_tensor, variable_list outputs,
                                           bool recorded) {
  context.node_ = this;
  is_tensor_ = std::move(is_tensor);
  for (const Variable& v : tensors)
    input_metadata_.emplace_back(v.defined() ? v.array().sizes() : DimVector(),
                                 v.defined() ? v.dtype() : kFloat32);
  for (const Variable& v : context.dirty_) {
    const bool was_input = contains(tensors, v);
    TAPEDECK_CHECK(was_input, name(), ": mark_dirty names a tensor that is no input of forward");
    TAPEDECK_CHECK(contains(outputs, v), name(),
                   ": an input that was modified in place must be returned by forward");
  }
  if (!recorded) {
    context.to_save_.clear();
    return outputs;
  }
  const intrusive_ptr<Node> self(this);
  for (Variable& output : outputs) {
    if (!output.defined()) {
      add_output({}, kFloat32);
      continue;
    }
    if (contains(context.non_differentiable_, output) || !output.is_floating_point()) {
      add_output(output.sizes(), output.dtype());
      continue;
    }
    if (contains(context.dirty_, output)) {
      // The input itself goes on as the output.
      check_inplace(output, name().c_str());
      output.array().storage()->bump_version();
      set_history(output, self);
      continue;
    }
    // An input returned as it is, or something forward took from elsewhere, must keep its history.
    const bool foreign = contains(tensors, output) || output.requires_grad();
    Variable fresh = foreign || output.is_view() ? Variable(output.array()) : output;
    set_history(fresh, self);
    for (Variable& saved : context.to_save_)
      if (saved.is_same(output) && !foreign) saved = fresh;
    output = fresh;
  }
  for (const Variable& v : context.to_save_) {
    const bool is_output = v.defined() && v.impl()->grad_fn == self;
    context.saved_.push_back(is_output ? save_output(v, v.output_nr()) : save(v));
  }
  context.to_save_.clear();
  return outputs;
}

Gradients FunctionNode::apply(const Gradients& grads, const VjpContext& ctx) {
  if (context.released_ && !context.saved_.empty()) detail::fail_released(name().c_str());
  variable_list inputs(grads.begin(), grads.end());
  if (context.materialize_grads_)
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (!inputs[i].defined()) {
        const OutputMetadata& m = output_metadata(i);
        inputs[i] = Variable(kernels::full(m.sizes, 0, m.dtype));
      }
  running_ = &ctx;
  struct Stop {
    const VjpContext** running;
    ~Stop() { *running = nullptr; }
  } stop{&running_};
  variable_list results = run_backward(std::move(inputs));

  // libtorch lets backward leave out trailing undefined gradients beyond forward's arguments only.
  while (results.size() > is_tensor_.size() && !results.back().defined()) results.pop_back();
  detail::check_gradient_count(name().c_str(), is_tensor_.size(), results.size());
  Gradients out;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!is_tensor_[i]) {
      TAPEDECK_CHECK(!results[i].defined(), name(),
                     " returned a gradient different from undefined at position ", i,
                     ", but the corresponding forward input was not a Variable");
      continue;
    }
    Variable g = std::move(results[i]);
    const auto& [sizes, dtype] = input_metadata_[out.size()];
    if (g.defined() && next_edge(out.size()).is_valid()) {
      if (!(g.array().sizes() == sizes)) {
        TAPEDECK_CHECK(expands_to(sizes, g.sizes()), name(),
                       " returned an invalid gradient at index ", i, " - got ", g.sizes(),
                       " but expected shape compatible with ", sizes.ref());
        g = g.sum_to_size(sizes);
      }
      if (g.dtype() != dtype) g = g.to(dtype);
    }
    out.push_back(std::move(g));
  }
  return out;
}

void FunctionNode::release_saved() {
  context.released_ = !context.saved_.empty();
  for (Saved& s : context.saved_) s = Saved();
}

}  // namespace autograd
}  // namespace tapedeck
