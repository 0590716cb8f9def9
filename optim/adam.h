#pragma once

#include <tuple>

#include <tapedeck/optim/optimizer.h>

namespace tapedeck::optim {

struct AdamOptions : public OptimizerCloneableOptions<AdamOptions> {
  using betas_t = std::tuple<double, double>;
  AdamOptions(double lr = 1e-3) : lr_(lr) {}
  TAPEDECK_ARG(double, lr);
  TAPEDECK_ARG(betas_t, betas) = std::make_tuple(0.9, 0.999);
  TAPEDECK_ARG(double, eps) = 1e-8;
  /// Coupled: weight_decay times the parameter is added to its gradient.
  TAPEDECK_ARG(double, weight_decay) = 0;
  TAPEDECK_ARG(bool, amsgrad) = false;

 public:
  void fields(FieldVisitor& visitor) override;
  void check() const override;
};
extern template class OptimizerCloneableOptions<AdamOptions>;

struct AdamParamState : public OptimizerCloneableParamState<AdamParamState> {
  TAPEDECK_ARG(std::int64_t, step) = 0;
  TAPEDECK_ARG(Variable, exp_avg);
  TAPEDECK_ARG(Variable, exp_avg_sq);
  TAPEDECK_ARG(Variable, max_exp_avg_sq);

 public:
  void fields(FieldVisitor& visitor) override;
};
extern template class OptimizerCloneableParamState<AdamParamState>;
extern template class OptimizerOf<AdamOptions, AdamParamState>;

/// Adam: m and v are running means of the gradient and its square, corrected for their start at
/// zero; p -= lr m' / (sqrt(v') + eps). amsgrad takes the largest v so far. PyTorch's
/// torch.optim.Adam; Kingma and Ba 2014, Reddi et al. 2018.
class Adam : public OptimizerOf<AdamOptions, AdamParamState> {
 public:
  using OptimizerOf::OptimizerOf;

  Variable step(LossClosure closure = nullptr) override;
  std::string name() const override { return "Adam"; }
};

struct AdamWOptions : public OptimizerCloneableOptions<AdamWOptions> {
  using betas_t = std::tuple<double, double>;
  AdamWOptions(double lr = 1e-3) : lr_(lr) {}
  TAPEDECK_ARG(double, lr);
  TAPEDECK_ARG(betas_t, betas) = std::make_tuple(0.9, 0.999);
  TAPEDECK_ARG(double, eps) = 1e-8;
  /// Decoupled: the parameter shrinks by lr * weight_decay, whatever its gradient.
  TAPEDECK_ARG(double, weight_decay) = 1e-2;
  TAPEDECK_ARG(bool, amsgrad) = false;

 public:
  void fields(FieldVisitor& visitor) override;
  void check() const override;
};
extern template class OptimizerCloneableOptions<AdamWOptions>;

struct AdamWParamState : public OptimizerCloneableParamState<AdamWParamState> {
  TAPEDECK_ARG(std::int64_t, step) = 0;
  TAPEDECK_ARG(Variable, exp_avg);
  TAPEDECK_ARG(Variable, exp_avg_sq);
  TAPEDECK_ARG(Variable, max_exp_avg_sq);

 public:
  void fields(FieldVisitor& visitor) override;
};
extern template class OptimizerCloneableParamState<AdamWParamState>;
extern template class OptimizerOf<AdamWOptions, AdamWParamState>;

/// Adam with decoupled weight decay. PyTorch's torch.optim.AdamW; Loshchilov and Hutter 2017.
class AdamW : public OptimizerOf<AdamWOptions, AdamWParamState> {
 public:
  using OptimizerOf::OptimizerOf;

  Variable step(LossClosure closure = nullptr) override;
  std::string name() const override { return "AdamW"; }
};

}  // namespace tapedeck::optim
