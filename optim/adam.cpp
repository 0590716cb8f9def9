#include <tapedeck/optim/adam.h>

#include <tapedeck/optim/internal/checks.h>
#include <tapedeck/optim/internal/step_batch.h>

namespace tapedeck::optim {

namespace {

// Adam and AdamW have the same options and state; they differ in where the weight decay acts.

template <typename State>
void step_group(const OptimizerParamGroup& group, OptimizerState& states,
                const kernels::AdamStep& options) {
  StepBatch batch(options.decoupled ? "AdamW" : "Adam");
  for (const Variable& p : group.params()) {
    kernels::OptimTensor* t = batch.add(p);
    if (!t) continue;
    auto& state = state_of<State>(states, p);
    t->state[0] = batch.slot(state.exp_avg(), "exp_avg");
    t->state[1] = batch.slot(state.exp_avg_sq(), "exp_avg_sq");
    if (options.amsgrad) t->state[2] = batch.slot(state.max_exp_avg_sq(), "max_exp_avg_sq");
    t->step = ++state.step();
  }
  batch.run([&](ScalarType dtype, ArrayRef<kernels::OptimTensor> tensors) {
    kernels::adam_step(dtype, tensors, options);
  });
}

template <typename Options>
kernels::AdamStep step_options(const Options& o, bool decoupled) {
  return {o.lr(),     std::get<0>(o.betas()), std::get<1>(o.betas()),
          o.eps(),    o.weight_decay(),       decoupled,
          o.amsgrad()};
}

template <typename Options>
void check_options(const Options& o) {
  check_not_negative("learning rate", o.lr());
  check_not_negative("epsilon value", o.eps());
  check_betas(o.betas());
  check_not_negative("weight_decay value", o.weight_decay());
}

template <typename Options>
void visit_options(Options& o, FieldVisitor& visitor) {
  visitor.field("lr", o.lr());
  visitor.field("betas", o.betas());
  visitor.field("eps", o.eps());
  visitor.field("weight_decay", o.weight_decay());
  visitor.field("amsgrad", o.amsgrad());
}

template <typename State>
void visit_state(State& s, FieldVisitor& visitor) {
  visitor.field("step", s.step());
  visitor.field("exp_avg", s.exp_avg());
  visitor.field("exp_avg_sq", s.exp_avg_sq());
  visitor.field("max_exp_avg_sq", s.max_exp_avg_sq());
}

}  // namespace

void AdamOptions::fields(FieldVisitor& visitor) { visit_options(*this, visitor); }
void AdamOptions::check() const { check_options(*this); }
void AdamParamState::fields(FieldVisitor& visitor) { visit_state(*this, visitor); }

Variable Adam::step(LossClosure closure) {
  const Variable loss = begin_step(closure);
  for (const OptimizerParamGroup& group : param_groups_)
    step_group<AdamParamState>(
        group, state_, step_options(static_cast<const AdamOptions&>(group.options()), false));
  return loss;
}

void AdamWOptions::fields(FieldVisitor& visitor) { visit_options(*this, visitor); }
void AdamWOptions::check() const { check_options(*this); }
void AdamWParamState::fields(FieldVisitor& visitor) { visit_state(*this, visitor); }

Variable AdamW::step(LossClosure closure) {
  const Variable loss = begin_step(closure);
  for (const OptimizerParamGroup& group : param_groups_)
    step_group<AdamWParamState>(
        group, state_, step_options(static_cast<const AdamWOptions&>(group.options()), true));
  return loss;
}

template class OptimizerCloneableOptions<AdamOptions>;
template class OptimizerCloneableParamState<AdamParamState>;
template class OptimizerOf<AdamOptions, AdamParamState>;
template class OptimizerCloneableOptions<AdamWOptions>;
template class OptimizerCloneableParamState<AdamWParamState>;
template class OptimizerOf<AdamWOptions, AdamWParamState>;

}  // namespace tapedeck::optim
