#pragma once

#include <tapedeck/optim/optimizer.h>

namespace tapedeck::optim {

struct AdadeltaOptions : public OptimizerCloneableOptions<AdadeltaOptions> {
  AdadeltaOptions(double lr = 1.0) : lr_(lr) {}
  TAPEDECK_ARG(double, lr);
  TAPEDECK_ARG(double, rho) = 0.9;
  TAPEDECK_ARG(double, eps) = 1e-6;
  TAPEDECK_ARG(double, weight_decay) = 0;

 public:
  void fields(FieldVisitor& visitor) override;
  void check() const override;
};
extern template class OptimizerCloneableOptions<AdadeltaOptions>;

struct AdadeltaParamState : public OptimizerCloneableParamState<AdadeltaParamState> {
  TAPEDECK_ARG(std::int64_t, step) = 0;
  TAPEDECK_ARG(Variable, square_avg);
  TAPEDECK_ARG(Variable, acc_delta);

 public:
  void fields(FieldVisitor& visitor) override;
};
extern template class OptimizerCloneableParamState<AdadeltaParamState>;
extern template class OptimizerOf<AdadeltaOptions, AdadeltaParamState>;

/// Adadelta: s = rho s + (1 - rho) g^2; d = sqrt(u + eps) / sqrt(s + eps) g; u = rho u + (1 - rho)
/// d^2; p -= lr d. PyTorch's torch.optim.Adadelta; Zeiler 2012.
class Adadelta : public OptimizerOf<AdadeltaOptions, AdadeltaParamState> {
 public:
  using OptimizerOf::OptimizerOf;

  Variable step(LossClosure closure = nullptr) override;
  std::string name() const override { return "Adadelta"; }
};

}  // namespace tapedeck::optim
