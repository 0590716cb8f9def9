#pragma once

#include <tuple>

#include <tapedeck/optim/optimizer.h>

namespace tapedeck::optim {

struct RAdamOptions : public OptimizerCloneableOptions<RAdamOptions> {
  using betas_t = std::tuple<double, double>;
  RAdamOptions(double lr = 1e-3) : lr_(lr) {}
  TAPEDECK_ARG(double, lr);
  TAPEDECK_ARG(betas_t, betas) = std::make_tuple(0.9, 0.999);
  TAPEDECK_ARG(double, eps) = 1e-8;
  TAPEDECK_ARG(double, weight_decay) = 0;

 public:
  void fields(FieldVisitor& visitor) override;
  void check() const override;
};
extern template class OptimizerCloneableOptions<RAdamOptions>;

struct RAdamParamState : public OptimizerCloneableParamState<RAdamParamState> {
  TAPEDECK_ARG(std::int64_t, step) = 0;
  TAPEDECK_ARG(Variable, exp_avg);
  TAPEDECK_ARG(Variable, exp_avg_sq);

 public:
  void fields(FieldVisitor& visitor) override;
};
extern template class OptimizerCloneableParamState<RAdamParamState>;
extern template class OptimizerOf<RAdamOptions, RAdamParamState>;

/// Adam whose step is damped while the variance of its adaptive rate is not yet known. PyTorch's
/// torch.optim.RAdam; Liu et al. 2019.
class RAdam : public OptimizerOf<RAdamOptions, RAdamParamState> {
 public:
  using OptimizerOf::OptimizerOf;

  Variable step(LossClosure closure = nullptr) override;
  std::string name() const override { return "RAdam"; }
};

}  // namespace tapedeck::optim
