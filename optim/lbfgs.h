#pragma once

#include <deque>
#include <optional>
#include <string>

#include <tapedeck/optim/optimizer.h>

namespace tapedeck::optim {

struct LBFGSOptions : public OptimizerCloneableOptions<LBFGSOptions> {
  LBFGSOptions(double lr = 1) : lr_(lr) {}
  TAPEDECK_ARG(double, lr);
  /// Iterations in one step().
  TAPEDECK_ARG(std::int64_t, max_iter) = 20;
  /// Evaluations of the closure in one step(); default: 5/4 of max_iter.
  TAPEDECK_ARG(std::optional<std::int64_t>, max_eval) = std::nullopt;
  TAPEDECK_ARG(double, tolerance_grad) = 1e-7;
  TAPEDECK_ARG(double, tolerance_change) = 1e-9;
  TAPEDECK_ARG(std::int64_t, history_size) = 100;
  /// "strong_wolfe" or none.
  TAPEDECK_ARG(std::optional<std::string>, line_search_fn) = std::nullopt;

 public:
  void fields(FieldVisitor& visitor) override;
  void check() const override;
};
extern template class OptimizerCloneableOptions<LBFGSOptions>;

/// Kept for the first parameter, on behalf of all.
struct LBFGSParamState : public OptimizerCloneableParamState<LBFGSParamState> {
  TAPEDECK_ARG(std::int64_t, func_evals) = 0;
  TAPEDECK_ARG(std::int64_t, n_iter) = 0;
  TAPEDECK_ARG(double, t) = 0;
  TAPEDECK_ARG(double, prev_loss) = 0;
  TAPEDECK_ARG(Variable, d);
  TAPEDECK_ARG(Variable, H_diag);
  TAPEDECK_ARG(Variable, prev_flat_grad);
  /// Always empty: the coefficients of the two-loop recursion, which no step takes from another.
  TAPEDECK_ARG(std::optional<std::vector<Variable>>, al) = std::nullopt;

 public:
  LBFGSParamState& old_dirs(std::deque<Variable> value);
  const std::deque<Variable>& old_dirs() const noexcept { return old_dirs_; }
  std::deque<Variable>& old_dirs() noexcept { return old_dirs_; }
  LBFGSParamState& old_stps(std::deque<Variable> value);
  const std::deque<Variable>& old_stps() const noexcept { return old_stps_; }
  std::deque<Variable>& old_stps() noexcept { return old_stps_; }
  LBFGSParamState& ro(std::deque<Variable> value);
  const std::deque<Variable>& ro() const noexcept { return ro_; }
  std::deque<Variable>& ro() noexcept { return ro_; }

  void fields(FieldVisitor& visitor) override;
  bool mirrors_parameter() const override { return false; }

 private:
  std::deque<Variable> old_dirs_, old_stps_, ro_;
};
extern template class OptimizerCloneableParamState<LBFGSParamState>;
extern template class OptimizerOf<LBFGSOptions, LBFGSParamState>;

/// Quasi-Newton steps with the inverse Hessian estimated from the last history_size steps, and a
/// line search that satisfies the strong Wolfe conditions if asked for. step() needs a closure,
/// which it calls several times. PyTorch's torch.optim.LBFGS; Nocedal and Wright 2006, chapter 7.
class LBFGS : public OptimizerOf<LBFGSOptions, LBFGSParamState> {
 public:
  /// \throws Error for more than one group.
  explicit LBFGS(std::vector<OptimizerParamGroup> param_groups, LBFGSOptions defaults = {});
  explicit LBFGS(std::vector<Variable> params, LBFGSOptions defaults = {});

  Variable step(LossClosure closure) override;
  std::string name() const override { return "LBFGS"; }
};

}  // namespace tapedeck::optim
