#include <tapedeck/autograd/grad_state.h>

#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/kernels/binary.h>

namespace tapedeck::autograd {

namespace {

// Nobody else can see the memory, so it may be written to or taken over.
bool is_exclusive(const Variable& v) {
  return v.use_count() == 1 && v.array().storage().use_count() == 1 && !v.requires_grad();
}

}  // namespace

Variable add_gradients(Variable a, const Variable& b) {
  if (!GradMode::is_enabled() && is_exclusive(a) && !a.array().has_internal_overlap()) {
    Array sum = a.array();
    kernels::add_out(sum, sum, b.array());
    return a;
  }
  return a.add(b);
}

AccumulateGrad::AccumulateGrad(intrusive_ptr<GradState> state, IntArrayRef sizes, ScalarType dtype)
    : state_(std::move(state)) {
  is_accumulator_ = true;
  add_output(sizes, dtype);
}

Gradients AccumulateGrad::apply(const Gradients& grads, const VjpContext&) {
  if (grads[0].defined()) accumulate(grads[0]);
  return {};
}

Variable AccumulateGrad::run_leaf_hooks(Variable grad) const {
  const auto hooks = state_->leaf_hooks;
  for (const auto& [key, hook] : hooks)
    if (Variable replaced = hook(grad); replaced.defined()) grad = std::move(replaced);
  return grad;
}

void AccumulateGrad::accumulate(Variable grad) {
  // What a reshape returns as a gradient is a view of memory that nobody else holds, and then need
  // not be one.
  VariableImpl& impl = *grad.impl();
  if (!GradMode::is_enabled() && impl.base && grad.use_count() == 1 && impl.base.use_count() == 1 &&
      impl.array.numel() == impl.base->array.numel())
    impl.base.reset();
  const std::lock_guard lock(state_->mutex);
  Variable& sum = state_->grad;
  if (!sum.defined()) {
    const bool take = GradMode::is_enabled() || (is_exclusive(grad) && grad.is_contiguous());
    sum = take ? std::move(grad) : grad.clone();
  } else if (GradMode::is_enabled()) {
    sum = sum.add(grad);
  } else {
    // Users hold `.grad` tensors across steps and expect them to be updated.
    Array total = sum.array();
    if (total.sizes() == grad.array().sizes() && total.dtype() == grad.dtype() &&
        !total.has_internal_overlap()) {
      kernels::add_out(total, total, grad.array());
      finish_inplace(sum);
    } else {
      sum.add_(grad);
    }
  }
}

}  // namespace tapedeck::autograd
