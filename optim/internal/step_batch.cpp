#include <tapedeck/optim/internal/step_batch.h>

#include <tapedeck/autograd/grad_state.h>
#include <tapedeck/ops/kernels/copy.h>

namespace tapedeck::optim {

kernels::OptimTensor* StepBatch::add(const Variable& parameter) {
  const Variable& grad = autograd::peek_grad(parameter);
  if (!grad.defined()) return nullptr;
  const Array& p = parameter.array();
  const Array& g = grad.array();
  targets_.push_back({p, kernels::contiguous(p)});
  kernels::OptimTensor tensor;
  tensor.param = targets_.back().work.raw();
  if (g.is_contiguous()) {
    tensor.grad = g.raw();
  } else {
    grads_.push_back(kernels::contiguous(g));
    tensor.grad = grads_.back().raw();
  }
  tensor.numel = p.numel();
  std::vector<kernels::OptimTensor>& tensors = of(p.dtype());
  tensors.push_back(tensor);
  return &tensors.back();
}

void* StepBatch::slot(Variable& state, const char* name, double initial) const {
  const Array& p = targets_.back().parameter;
  if (!state.defined()) state = Variable(kernels::full(p.sizes(), initial, p.dtype()));
  const Array& s = state.array();
  TAPEDECK_CHECK(s.sizes() == p.sizes() && s.dtype() == p.dtype(), op_, ": the state '", name,
                 "' of a parameter of shape ", p.sizes().ref(), " and dtype ", p.dtype(),
                 " has shape ", s.sizes().ref(), " and dtype ", s.dtype());
  if (!s.is_contiguous()) state = Variable(kernels::contiguous(s));
  return state.data_ptr();
}

void StepBatch::finish() {
  for (Target& target : targets_) {
    if (!target.parameter.is_contiguous()) kernels::copy(target.work, target.parameter);
    target.parameter.storage()->bump_version();
  }
}

}  // namespace tapedeck::optim
