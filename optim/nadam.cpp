#include <tapedeck/optim/nadam.h>

#include <tapedeck/optim/internal/checks.h>
#include <tapedeck/optim/internal/step_batch.h>

namespace tapedeck::optim {

void NAdamOptions::fields(FieldVisitor& visitor) {
  visitor.field("lr", lr_);
  visitor.field("betas", betas_);
  visitor.field("eps", eps_);
  visitor.field("weight_decay", weight_decay_);
  visitor.field("momentum_decay", momentum_decay_);
}

void NAdamOptions::check() const {
  check_not_negative("learning rate", lr_);
  check_not_negative("epsilon value", eps_);
  check_betas(betas_);
  check_not_negative("weight_decay value", weight_decay_);
  check_not_negative("momentum_decay value", momentum_decay_);
}

void NAdamParamState::fields(FieldVisitor& visitor) {
  visitor.field("step", step_);
  visitor.field("mu_product", mu_product_);
  visitor.field("exp_avg", exp_avg_);
  visitor.field("exp_avg_sq", exp_avg_sq_);
}

Variable NAdam::step(LossClosure closure) {
  const Variable loss = begin_step(closure);
  for (const OptimizerParamGroup& group : param_groups_) {
    const auto& options = static_cast<const NAdamOptions&>(group.options());
    StepBatch batch("NAdam");
    const auto [beta1, beta2] = options.betas();
    const kernels::NadamStep step_options{options.lr(),
                                          beta1,
                                          beta2,
                                          options.eps(),
                                          options.weight_decay(),
                                          options.momentum_decay()};
    for (const Variable& p : group.params()) {
      kernels::OptimTensor* t = batch.add(p);
      if (!t) continue;
      auto& state = state_of<NAdamParamState>(state_, p);
      t->state[0] = batch.slot(state.exp_avg(), "exp_avg");
      t->state[1] = batch.slot(state.exp_avg_sq(), "exp_avg_sq");
      t->step = ++state.step();
      t->running_product = state.mu_product() *= kernels::nadam_momentum(step_options, t->step);
    }
    batch.run([&](ScalarType dtype, ArrayRef<kernels::OptimTensor> tensors) {
      kernels::nadam_step(dtype, tensors, step_options);
    });
  }
  return loss;
}

template class OptimizerCloneableOptions<NAdamOptions>;
template class OptimizerCloneableParamState<NAdamParamState>;
template class OptimizerOf<NAdamOptions, NAdamParamState>;

}  // namespace tapedeck::optim
