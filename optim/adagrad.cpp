#include <tapedeck/optim/adagrad.h>

#include <tapedeck/ops/creation.h>
#include <tapedeck/optim/internal/checks.h>
#include <tapedeck/optim/internal/step_batch.h>

namespace tapedeck::optim {

void AdagradOptions::fields(FieldVisitor& visitor) {
  visitor.field("lr", lr_);
  visitor.field("lr_decay", lr_decay_);
  visitor.field("weight_decay", weight_decay_);
  visitor.field("initial_accumulator_value", initial_accumulator_value_);
  visitor.field("eps", eps_);
}

void AdagradOptions::check() const {
  check_not_negative("learning rate", lr_);
  check_not_negative("lr_decay value", lr_decay_);
  check_not_negative("weight_decay value", weight_decay_);
  check_not_negative("initial_accumulator_value value", initial_accumulator_value_);
  check_not_negative("epsilon value", eps_);
}

void AdagradParamState::fields(FieldVisitor& visitor) {
  visitor.field("sum", sum_);
  visitor.field("step", step_);
}

Adagrad::Adagrad(std::vector<OptimizerParamGroup> param_groups, AdagradOptions defaults)
    : OptimizerOf(std::move(param_groups), std::move(defaults)) {
  for (const OptimizerParamGroup& group : param_groups_) {
    const auto& options = static_cast<const AdagradOptions&>(group.options());
    for (const Variable& p : group.params())
      state_of<AdagradParamState>(state_, p).sum(
          full(p.sizes(), options.initial_accumulator_value(), p.options()));
  }
}
Adagrad::Adagrad(std::vector<Variable> params, AdagradOptions defaults)
    : Adagrad(std::vector<OptimizerParamGroup>{OptimizerParamGroup(std::move(params))},
              std::move(defaults)) {}

Variable Adagrad::step(LossClosure closure) {
  const Variable loss = begin_step(closure);
  for (const OptimizerParamGroup& group : param_groups_) {
    const auto& options = static_cast<const AdagradOptions&>(group.options());
    StepBatch batch("Adagrad");
    for (const Variable& p : group.params()) {
      kernels::OptimTensor* t = batch.add(p);
      if (!t) continue;
      auto& state = state_of<AdagradParamState>(state_, p);
      t->state[0] = batch.slot(state.sum(), "sum", options.initial_accumulator_value());
      t->step = ++state.step();
    }
    batch.run([&](ScalarType dtype, ArrayRef<kernels::OptimTensor> tensors) {
      kernels::adagrad_step(
          dtype, tensors,
          {options.lr(), options.lr_decay(), options.weight_decay(), options.eps()});
    });
  }
  return loss;
}

template class OptimizerCloneableOptions<AdagradOptions>;
template class OptimizerCloneableParamState<AdagradParamState>;
template class OptimizerOf<AdagradOptions, AdagradParamState>;

}  // namespace tapedeck::optim
