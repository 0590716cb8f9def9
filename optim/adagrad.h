#pragma once

#include <tapedeck/optim/optimizer.h>

namespace tapedeck::optim {

struct AdagradOptions : public OptimizerCloneableOptions<AdagradOptions> {
  AdagradOptions(double lr = 1e-2) : lr_(lr) {}
  TAPEDECK_ARG(double, lr);
  TAPEDECK_ARG(double, lr_decay) = 0;
  TAPEDECK_ARG(double, weight_decay) = 0;
  TAPEDECK_ARG(double, initial_accumulator_value) = 0;
  TAPEDECK_ARG(double, eps) = 1e-10;

 public:
  void fields(FieldVisitor& visitor) override;
  void check() const override;
};
extern template class OptimizerCloneableOptions<AdagradOptions>;

struct AdagradParamState : public OptimizerCloneableParamState<AdagradParamState> {
  TAPEDECK_ARG(Variable, sum);
  TAPEDECK_ARG(std::int64_t, step) = 0;

 public:
  void fields(FieldVisitor& visitor) override;
};
extern template class OptimizerCloneableParamState<AdagradParamState>;
extern template class OptimizerOf<AdagradOptions, AdagradParamState>;

/// Adagrad: s += g^2; p -= lr / (1 + (step - 1) lr_decay) g / (sqrt(s) + eps). PyTorch's
/// torch.optim.Adagrad; Duchi, Hazan and Singer 2011.
class Adagrad : public OptimizerOf<AdagradOptions, AdagradParamState> {
 public:
  /// The parameters have their state from the start; those of groups added later from their first
  /// step.
  explicit Adagrad(std::vector<OptimizerParamGroup> param_groups, AdagradOptions defaults = {});
  explicit Adagrad(std::vector<Variable> params, AdagradOptions defaults = {});

  Variable step(LossClosure closure = nullptr) override;
  std::string name() const override { return "Adagrad"; }
};

}  // namespace tapedeck::optim
