#include <tapedeck/optim/adadelta.h>

#include <tapedeck/optim/internal/checks.h>
#include <tapedeck/optim/internal/step_batch.h>

namespace tapedeck::optim {

void AdadeltaOptions::fields(FieldVisitor& visitor) {
  visitor.field("lr", lr_);
  visitor.field("rho", rho_);
  visitor.field("eps", eps_);
  visitor.field("weight_decay", weight_decay_);
}

void AdadeltaOptions::check() const {
  check_not_negative("learning rate", lr_);
  TAPEDECK_CHECK(rho_ >= 0 && rho_ <= 1, "Invalid rho value: ", rho_);
  check_not_negative("epsilon value", eps_);
  check_not_negative("weight_decay value", weight_decay_);
}

void AdadeltaParamState::fields(FieldVisitor& visitor) {
  visitor.field("step", step_);
  visitor.field("square_avg", square_avg_);
  visitor.field("acc_delta", acc_delta_);
}

Variable Adadelta::step(LossClosure closure) {
  const Variable loss = begin_step(closure);
  for (const OptimizerParamGroup& group : param_groups_) {
    const auto& options = static_cast<const AdadeltaOptions&>(group.options());
    StepBatch batch("Adadelta");
    for (const Variable& p : group.params()) {
      kernels::OptimTensor* t = batch.add(p);
      if (!t) continue;
      auto& state = state_of<AdadeltaParamState>(state_, p);
      t->state[0] = batch.slot(state.square_avg(), "square_avg");
      t->state[1] = batch.slot(state.acc_delta(), "acc_delta");
      t->step = ++state.step();
    }
    batch.run([&](ScalarType dtype, ArrayRef<kernels::OptimTensor> tensors) {
      kernels::adadelta_step(dtype, tensors,
                             {options.lr(), options.rho(), options.eps(), options.weight_decay()});
    });
  }
  return loss;
}

template class OptimizerCloneableOptions<AdadeltaOptions>;
template class OptimizerCloneableParamState<AdadeltaParamState>;
template class OptimizerOf<AdadeltaOptions, AdadeltaParamState>;

}  // namespace tapedeck::optim
