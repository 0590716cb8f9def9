#pragma once

#include <tuple>

#include <tapedeck/optim/optimizer.h>

namespace tapedeck::optim {

struct NAdamOptions : public OptimizerCloneableOptions<NAdamOptions> {
  using betas_t = std::tuple<double, double>;
  NAdamOptions(double lr = 2e-3) : lr_(lr) {}
  TAPEDECK_ARG(double, lr);
  TAPEDECK_ARG(betas_t, betas) = std::make_tuple(0.9, 0.999);
  TAPEDECK_ARG(double, eps) = 1e-8;
  TAPEDECK_ARG(double, weight_decay) = 0;
  TAPEDECK_ARG(double, momentum_decay) = 4e-3;

 public:
  void fields(FieldVisitor& visitor) override;
  void check() const override;
};
extern template class OptimizerCloneableOptions<NAdamOptions>;

struct NAdamParamState : public OptimizerCloneableParamState<NAdamParamState> {
  TAPEDECK_ARG(std::int64_t, step) = 0;
  TAPEDECK_ARG(double, mu_product) = 1;
  TAPEDECK_ARG(Variable, exp_avg);
  TAPEDECK_ARG(Variable, exp_avg_sq);

 public:
  void fields(FieldVisitor& visitor) override;
};
extern template class OptimizerCloneableParamState<NAdamParamState>;
extern template class OptimizerOf<NAdamOptions, NAdamParamState>;

/// Adam with Nesterov's momentum, whose weight grows by momentum_decay. PyTorch's
/// torch.optim.NAdam; Dozat 2016.
class NAdam : public OptimizerOf<NAdamOptions, NAdamParamState> {
 public:
  using OptimizerOf::OptimizerOf;

  Variable step(LossClosure closure = nullptr) override;
  std::string name() const override { return "NAdam"; }
};

}  // namespace tapedeck::optim
