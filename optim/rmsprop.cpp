#include <tapedeck/optim/rmsprop.h>

#include <tapedeck/optim/internal/checks.h>
#include <tapedeck/optim/internal/step_batch.h>

namespace tapedeck::optim {

void RMSpropOptions::fields(FieldVisitor& visitor) {
  visitor.field("lr", lr_);
  visitor.field("alpha", alpha_);
  visitor.field("eps", eps_);
  visitor.field("weight_decay", weight_decay_);
  visitor.field("momentum", momentum_);
  visitor.field("centered", centered_);
}

void RMSpropOptions::check() const {
  check_not_negative("learning rate", lr_);
  check_not_negative("epsilon value", eps_);
  check_not_negative("momentum value", momentum_);
  check_not_negative("weight_decay value", weight_decay_);
  check_not_negative("alpha value", alpha_);
}

void RMSpropParamState::fields(FieldVisitor& visitor) {
  visitor.field("step", step_);
  visitor.field("square_avg", square_avg_);
  visitor.field("momentum_buffer", momentum_buffer_);
  visitor.field("grad_avg", grad_avg_);
}

Variable RMSprop::step(LossClosure closure) {
  const Variable loss = begin_step(closure);
  for (const OptimizerParamGroup& group : param_groups_) {
    const auto& options = static_cast<const RMSpropOptions&>(group.options());
    StepBatch batch("RMSprop");
    for (const Variable& p : group.params()) {
      kernels::OptimTensor* t = batch.add(p);
      if (!t) continue;
      auto& state = state_of<RMSpropParamState>(state_, p);
      std::size_t next = 0;
      t->state[next++] = batch.slot(state.square_avg(), "square_avg");
      if (options.centered()) t->state[next++] = batch.slot(state.grad_avg(), "grad_avg");
      if (options.momentum() > 0)
        t->state[next++] = batch.slot(state.momentum_buffer(), "momentum_buffer");
      t->step = ++state.step();
    }
    batch.run([&](ScalarType dtype, ArrayRef<kernels::OptimTensor> tensors) {
      kernels::rmsprop_step(dtype, tensors,
                            {options.lr(), options.alpha(), options.eps(), options.weight_decay(),
                             options.momentum(), options.centered()});
    });
  }
  return loss;
}

template class OptimizerCloneableOptions<RMSpropOptions>;
template class OptimizerCloneableParamState<RMSpropParamState>;
template class OptimizerOf<RMSpropOptions, RMSpropParamState>;

}  // namespace tapedeck::optim
