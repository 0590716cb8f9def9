#include <tapedeck/optim/radam.h>

#include <tapedeck/optim/internal/checks.h>
#include <tapedeck/optim/internal/step_batch.h>

namespace tapedeck::optim {

void RAdamOptions::fields(FieldVisitor& visitor) {
  visitor.field("lr", lr_);
  visitor.field("betas", betas_);
  visitor.field("eps", eps_);
  visitor.field("weight_decay", weight_decay_);
}

void RAdamOptions::check() const {
  check_not_negative("learning rate", lr_);
  check_not_negative("epsilon value", eps_);
  check_betas(betas_);
  check_not_negative("weight_decay value", weight_decay_);
}

void RAdamParamState::fields(FieldVisitor& visitor) {
  visitor.field("step", step_);
  visitor.field("exp_avg", exp_avg_);
  visitor.field("exp_avg_sq", exp_avg_sq_);
}

Variable RAdam::step(LossClosure closure) {
  const Variable loss = begin_step(closure);
  for (const OptimizerParamGroup& group : param_groups_) {
    const auto& options = static_cast<const RAdamOptions&>(group.options());
    StepBatch batch("RAdam");
    for (const Variable& p : group.params()) {
      kernels::OptimTensor* t = batch.add(p);
      if (!t) continue;
      auto& state = state_of<RAdamParamState>(state_, p);
      t->state[0] = batch.slot(state.exp_avg(), "exp_avg");
      t->state[1] = batch.slot(state.exp_avg_sq(), "exp_avg_sq");
      t->step = ++state.step();
    }
    batch.run([&](ScalarType dtype, ArrayRef<kernels::OptimTensor> tensors) {
      kernels::radam_step(dtype, tensors,
                          {options.lr(), std::get<0>(options.betas()), std::get<1>(options.betas()),
                           options.eps(), options.weight_decay()});
    });
  }
  return loss;
}

template class OptimizerCloneableOptions<RAdamOptions>;
template class OptimizerCloneableParamState<RAdamParamState>;
template class OptimizerOf<RAdamOptions, RAdamParamState>;

}  // namespace tapedeck::optim
