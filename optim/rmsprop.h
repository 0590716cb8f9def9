#pragma once

#include <tapedeck/optim/optimizer.h>

namespace tapedeck::optim {

struct RMSpropOptions : public OptimizerCloneableOptions<RMSpropOptions> {
  RMSpropOptions(double lr = 1e-2) : lr_(lr) {}
  TAPEDECK_ARG(double, lr);
  TAPEDECK_ARG(double, alpha) = 0.99;
  TAPEDECK_ARG(double, eps) = 1e-8;
  TAPEDECK_ARG(double, weight_decay) = 0;
  TAPEDECK_ARG(double, momentum) = 0;
  TAPEDECK_ARG(bool, centered) = false;

 public:
  void fields(FieldVisitor& visitor) override;
  void check() const override;
};
extern template class OptimizerCloneableOptions<RMSpropOptions>;

struct RMSpropParamState : public OptimizerCloneableParamState<RMSpropParamState> {
  TAPEDECK_ARG(std::int64_t, step) = 0;
  TAPEDECK_ARG(Variable, square_avg);
  TAPEDECK_ARG(Variable, momentum_buffer);
  TAPEDECK_ARG(Variable, grad_avg);

 public:
  void fields(FieldVisitor& visitor) override;
};
extern template class OptimizerCloneableParamState<RMSpropParamState>;
extern template class OptimizerOf<RMSpropOptions, RMSpropParamState>;

/// RMSprop: s = alpha s + (1 - alpha) g^2; p -= lr g / (sqrt(s) + eps), through a momentum buffer
/// if momentum > 0; centered subtracts the square of the mean gradient from s. PyTorch's
/// torch.optim.RMSprop; Hinton's lecture 6e, Graves 2013.
class RMSprop : public OptimizerOf<RMSpropOptions, RMSpropParamState> {
 public:
  using OptimizerOf::OptimizerOf;

  Variable step(LossClosure closure = nullptr) override;
  std::string name() const override { return "RMSprop"; }
};

}  // namespace tapedeck::optim
