#include <tapedeck/autograd/grad_state.h>

#include <tapedeck/array/layout.h>
#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/kernels/binary.h>
#include <tapedeck/ops/kernels/copy.h>

namespace tapedeck::autograd {

namespace {

// Nobody else can see the memory, so it may be written to or taken over.
bool is_exclusive(const Variable& v) {
  return v.use_count() == 1 && v.array().storage().use_count() == 1 && !v.requires_grad();
}

bool lies_as(const Array& array, const DimVector& strides) {
  if (strides.empty()) return array.is_contiguous();
  for (std::int64_t i = 0; i < array.dim(); ++i)
    if (array.sizes()[i] != 1 && array.strides()[i] != strides[i]) return false;
  return true;
}

Variable clone_as(const Variable& v, const DimVector& strides) {
  if (strides.empty()) return v.clone(MemoryFormat::Contiguous);
  Array out = Array::empty(v.sizes(), v.dtype()).as_strided(v.sizes(), strides, 0);
  kernels::copy(v.array(), out);
  return Variable(std::move(out));
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

AccumulateGrad::AccumulateGrad(intrusive_ptr<GradState> state, const Array& leaf)
    : state_(std::move(state)) {
  is_accumulator_ = true;
  add_output(leaf.sizes(), leaf.dtype());
  if (!leaf.is_contiguous() && is_dense(leaf)) strides_ = leaf.strides();
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

Variable& GradState::shown() {
  if (!was_shown_.load(std::memory_order_acquire)) {
    const std::lock_guard lock(mutex);
    write_known_zero();
    was_shown_.store(true, std::memory_order_release);
  }
  return grad_;
}

const Variable& GradState::peek() {
  if (!was_shown_.load(std::memory_order_acquire)) {
    const std::lock_guard lock(mutex);
    write_known_zero();
  }
  return grad_;
}

void GradState::write_known_zero() {
  if (!known_zero_) return;
  known_zero_ = false;
  const InferenceMode off(false);
  grad_ = Variable(kernels::full(zero_sizes_, 0, zero_dtype_));
}

bool GradState::discard_unseen(bool to_zero) {
  const std::lock_guard lock(mutex);
  if (was_shown_.load(std::memory_order_relaxed)) return false;
  if (grad_.defined()) {
    if (!is_exclusive(grad_)) return false;
    zero_sizes_ = grad_.array().sizes();
    zero_dtype_ = grad_.dtype();
    known_zero_ = true;
    grad_.reset();
  }
  if (!to_zero) known_zero_ = false;
  return true;
}

void GradState::add(Variable g, const DimVector& strides) {
  // What a reshape returns as a gradient is a view of memory that nobody else holds, and then need
  // not be one.
  VariableImpl& impl = *g.impl();
  if (!GradMode::is_enabled() && impl.base && g.use_count() == 1 && impl.base.use_count() == 1 &&
      impl.array.numel() == impl.base->array.numel())
    impl.base.reset();
  const std::lock_guard lock(mutex);
  if (!grad_.defined()) {
    const bool take = GradMode::is_enabled() || (is_exclusive(g) && lies_as(g.array(), strides));
    known_zero_ = false;
    grad_ = take ? std::move(g) : clone_as(g, strides);
  } else if (GradMode::is_enabled()) {
    grad_ = grad_.add(g);
  } else {
    // Users hold `.grad` tensors across steps and expect them to be updated.
    Array& total = grad_.impl()->array;
    if (total.sizes() == g.array().sizes() && total.dtype() == g.dtype() &&
        !total.has_internal_overlap()) {
      kernels::add_out(total, total, g.array());
      finish_inplace(grad_);
    } else {
      grad_.add_(g);
    }
  }
}

void GradState::add_copy(const Variable& g) {
  const std::lock_guard lock(mutex);
  write_known_zero();
  grad_ = grad_.defined()          ? add_gradients(std::move(grad_), g)
          : GradMode::is_enabled() ? g
                                   : g.clone(MemoryFormat::Contiguous);
}

const Variable& peek_grad(const Variable& v) {
  static const Variable none;
  const intrusive_ptr<GradState>& state = v.impl()->grad_state;
  return state ? state->peek() : none;
}

bool discard_unseen_grad(const Variable& v, bool to_zero) {
  GradState* const state = v.impl()->grad_state.get();
  return !state || state->discard_unseen(to_zero);
}

}  // namespace tapedeck::autograd
