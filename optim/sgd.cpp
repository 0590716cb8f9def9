#include <tapedeck/optim/sgd.h>

#include <tapedeck/optim/internal/step_batch.h>

namespace tapedeck::optim {

void SGDOptions::fields(FieldVisitor& visitor) {
  visitor.field("lr", lr_);
  visitor.field("momentum", momentum_);
  visitor.field("dampening", dampening_);
  visitor.field("weight_decay", weight_decay_);
  visitor.field("nesterov", nesterov_);
  visitor.field("maximize", maximize_);
}

void SGDOptions::check() const {
  TAPEDECK_CHECK(lr_ >= 0, "Invalid learning rate: ", lr_);
  TAPEDECK_CHECK(momentum_ >= 0, "Invalid momentum value: ", momentum_);
  TAPEDECK_CHECK(weight_decay_ >= 0, "Invalid weight_decay value: ", weight_decay_);
  TAPEDECK_CHECK(!nesterov_ || (momentum_ > 0 && dampening_ == 0),
                 "Nesterov momentum requires a momentum and zero dampening");
}

void SGDParamState::fields(FieldVisitor& visitor) {
  visitor.field("momentum_buffer", momentum_buffer_);
}

Variable SGD::step(LossClosure closure) {
  const Variable loss = begin_step(closure);
  for (const OptimizerParamGroup& group : param_groups_) {
    const auto& options = static_cast<const SGDOptions&>(group.options());
    StepBatch batch("SGD");
    for (const Variable& p : group.params()) {
      kernels::OptimTensor* t = batch.add(p);
      if (!t || options.momentum() == 0) continue;
      auto& state = state_of<SGDParamState>(state_, p);
      t->step = state.momentum_buffer().defined() ? 2 : 1;
      t->state[0] = batch.slot(state.momentum_buffer(), "momentum_buffer");
    }
    batch.run([&](ScalarType dtype, ArrayRef<kernels::OptimTensor> tensors) {
      kernels::sgd_step(dtype, tensors,
                        {options.lr(), options.momentum(), options.dampening(),
                         options.weight_decay(), options.nesterov(), options.maximize()});
    });
  }
  return loss;
}

template class OptimizerCloneableOptions<SGDOptions>;
template class OptimizerCloneableParamState<SGDParamState>;
template class OptimizerOf<SGDOptions, SGDParamState>;

}  // namespace tapedeck::optim
