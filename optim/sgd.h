#pragma once

#include <tapedeck/optim/optimizer.h>

namespace tapedeck::optim {

struct SGDOptions : public OptimizerCloneableOptions<SGDOptions> {
  SGDOptions(double lr) : lr_(lr) {}
  TAPEDECK_ARG(double, lr);
  TAPEDECK_ARG(double, momentum) = 0;
  TAPEDECK_ARG(double, dampening) = 0;
  TAPEDECK_ARG(double, weight_decay) = 0;
  TAPEDECK_ARG(bool, nesterov) = false;
  /// Ascend instead of descend.
  TAPEDECK_ARG(bool, maximize) = false;

 public:
  void fields(FieldVisitor& visitor) override;
  void check() const override;
};
extern template class OptimizerCloneableOptions<SGDOptions>;

struct SGDParamState : public OptimizerCloneableParamState<SGDParamState> {
  TAPEDECK_ARG(Variable, momentum_buffer);

 public:
  void fields(FieldVisitor& visitor) override;
};
extern template class OptimizerCloneableParamState<SGDParamState>;
extern template class OptimizerOf<SGDOptions, SGDParamState>;

/// Stochastic gradient descent: g += weight_decay p; v = momentum v + (1 - dampening) g, v = g at
/// first; p -= lr v, or with nesterov p -= lr (g + momentum v). PyTorch's torch.optim.SGD.
class SGD : public OptimizerOf<SGDOptions, SGDParamState> {
 public:
  using OptimizerOf::OptimizerOf;

  Variable step(LossClosure closure = nullptr) override;
  std::string name() const override { return "SGD"; }
};

}  // namespace tapedeck::optim
