#include <tapedeck/optim/lbfgs.h>

#include <algorithm>
#include <cmath>

#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/joining.h>
#include <tapedeck/ops/matmul.h>
#include <tapedeck/optim/internal/checks.h>
#include <tapedeck/optim/internal/line_search.h>

namespace tapedeck::optim {

void LBFGSOptions::fields(FieldVisitor& visitor) {
  visitor.field("lr", lr_);
  visitor.field("max_iter", max_iter_);
  visitor.field("max_eval", max_eval_);
  visitor.field("tolerance_grad", tolerance_grad_);
  visitor.field("tolerance_change", tolerance_change_);
  visitor.field("history_size", history_size_);
  visitor.field("line_search_fn", line_search_fn_);
}

void LBFGSOptions::check() const {
  check_not_negative("learning rate", lr_);
  TAPEDECK_CHECK(history_size_ > 0, "Invalid history_size value: ", history_size_);
  TAPEDECK_CHECK(!line_search_fn_ || *line_search_fn_ == "strong_wolfe",
                 "only 'strong_wolfe' is supported, got '", line_search_fn_.value_or(""), "'");
}

void LBFGSParamState::fields(FieldVisitor& visitor) {
  visitor.field("func_evals", func_evals_);
  visitor.field("n_iter", n_iter_);
  visitor.field("t", t_);
  visitor.field("prev_loss", prev_loss_);
  visitor.field("d", d_);
  visitor.field("H_diag", H_diag_);
  visitor.field("prev_flat_grad", prev_flat_grad_);
  visitor.field("old_dirs", old_dirs_);
  visitor.field("old_stps", old_stps_);
  visitor.field("ro", ro_);
}

LBFGSParamState& LBFGSParamState::old_dirs(std::deque<Variable> value) {
  old_dirs_ = std::move(value);
  return *this;
}
LBFGSParamState& LBFGSParamState::old_stps(std::deque<Variable> value) {
  old_stps_ = std::move(value);
  return *this;
}
LBFGSParamState& LBFGSParamState::ro(std::deque<Variable> value) {
  ro_ = std::move(value);
  return *this;
}

LBFGS::LBFGS(std::vector<OptimizerParamGroup> param_groups, LBFGSOptions defaults)
    : OptimizerOf(std::move(param_groups), defaults.max_eval() ? defaults
                                                               : LBFGSOptions(defaults).max_eval(
                                                                     defaults.max_iter() * 5 / 4)) {
  TAPEDECK_CHECK(param_groups_.size() == 1,
                 "LBFGS doesn't support per-parameter options (parameter groups)");
}

LBFGS::LBFGS(std::vector<Variable> params, LBFGSOptions defaults)
    : LBFGS(std::vector<OptimizerParamGroup>{OptimizerParamGroup(std::move(params))},
            std::move(defaults)) {}

namespace {

double largest(const Variable& v) { return v.abs().max().item<double>(); }
double product(const Variable& a, const Variable& b) { return dot(a, b).item<double>(); }
Variable number(double value, const Variable& like) { return full({}, value, like.options()); }

// All parameters as one vector.
class FlatParameters {
 public:
  explicit FlatParameters(std::vector<Variable>& params) : params_(params) {
    for (const Variable& p : params_) {
      TAPEDECK_CHECK_AS(TypeError, p.dtype() == params_[0].dtype(),
                        "LBFGS: expected parameters of one dtype, got ", params_[0].dtype(),
                        " and ", p.dtype());
      numel_ += p.numel();
    }
  }

  std::int64_t numel() const { return numel_; }
  /// Zeros stand for a gradient that there is not.
  Variable grad() const {
    std::vector<Variable> parts;
    for (const Variable& p : params_)
      parts.push_back(p.grad().defined() ? p.grad().detach().reshape({-1})
                                         : zeros({p.numel()}, p.options()));
    return cat(parts);
  }
  void move(double t, const Variable& direction) {
    std::int64_t offset = 0;
    for (Variable& p : params_) {
      p.add_(direction.narrow(0, offset, p.numel()).view(p.sizes()), t);
      offset += p.numel();
    }
  }
  std::vector<Variable> values() const {
    std::vector<Variable> copies;
    for (const Variable& p : params_) copies.push_back(p.detach().clone());
    return copies;
  }
  void set(const std::vector<Variable>& values) {
    for (std::size_t i = 0; i < params_.size(); ++i) params_[i].copy_(values[i]);
  }

 private:
  std::vector<Variable>& params_;
  std::int64_t numel_ = 0;
};

// Takes up the last step: how the gradient changed along it.
void remember_step(LBFGSParamState& state, const Variable& grad, std::int64_t history_size) {
  const Variable y = grad - state.prev_flat_grad(), s = state.d() * state.t();
  const double ys = product(y, s);
  if (ys <= 1e-10) return;
  if (static_cast<std::int64_t>(state.old_dirs().size()) == history_size) {
    state.old_dirs().pop_front();
    state.old_stps().pop_front();
    state.ro().pop_front();
  }
  state.old_dirs().push_back(y);
  state.old_stps().push_back(s);
  state.ro().push_back(number(1 / ys, grad));
  state.H_diag(number(ys / product(y, y), grad));
}

// The two-loop recursion: minus the estimated inverse Hessian times the gradient.
Variable quasi_newton_direction(const LBFGSParamState& state, const Variable& grad) {
  const std::size_t n = state.old_dirs().size();
  std::vector<double> al(n);
  Variable r = -grad;
  for (std::size_t i = n; i-- > 0;) {
    al[i] = product(state.old_stps()[i], r) * state.ro()[i].item<double>();
    r.add_(state.old_dirs()[i], -al[i]);
  }
  r.mul_(state.H_diag());
  for (std::size_t i = 0; i < n; ++i) {
    const double be = product(state.old_dirs()[i], r) * state.ro()[i].item<double>();
    r.add_(state.old_stps()[i], al[i] - be);
  }
  return r;
}

}  // namespace

Variable LBFGS::step(LossClosure closure) {
  TAPEDECK_CHECK(closure, "LBFGS requires a closure function");
  TAPEDECK_CHECK(param_groups_.size() == 1,
                 "LBFGS doesn't support per-parameter options (parameter groups)");
  TAPEDECK_CHECK_AS(ValueError, size() > 0, "LBFGS: optimizer got an empty parameter list");
  const NoGradGuard no_grad;
  const auto& options = static_cast<const LBFGSOptions&>(param_groups_[0].options());
  const std::int64_t max_eval = options.max_eval().value_or(options.max_iter() * 5 / 4);
  FlatParameters params(param_groups_[0].params());
  std::unique_ptr<OptimizerParamState>& slot = state_[param_groups_[0].params()[0]];
  if (!slot) slot = new_state();
  auto& state = static_cast<LBFGSParamState&>(*slot);
  TAPEDECK_CHECK(!state.d().defined() || state.d().numel() == params.numel(),
                 "LBFGS: the state is for ", state.d().defined() ? state.d().numel() : 0,
                 " elements, the parameters have ", params.numel());

  const Variable first_loss = begin_step(closure);
  double loss = first_loss.item<double>();
  Variable grad = params.grad();
  std::int64_t evaluations = 1;
  ++state.func_evals();
  bool optimal = largest(grad) <= options.tolerance_grad();
  if (optimal) return first_loss;

  for (std::int64_t iteration = 1; iteration <= options.max_iter(); ++iteration) {
    ++state.n_iter();
    if (state.n_iter() == 1) {
      state.d(-grad);
      state.H_diag(number(1, grad));
    } else {
      remember_step(state, grad, options.history_size());
      state.d(quasi_newton_direction(state, grad));
    }
    state.prev_flat_grad(grad.clone());
    state.prev_loss(loss);
    const bool first = state.n_iter() == 1;
    state.t(first ? std::min(1.0, 1 / grad.abs().sum().item<double>()) * options.lr()
                  : options.lr());
    const double slope = product(grad, state.d());
    if (slope > -options.tolerance_change()) break;

    std::int64_t used = 0;
    if (options.line_search_fn()) {
      const std::vector<Variable> origin = params.values();
      const auto evaluate = [&](double t) {
        params.move(t, state.d());
        LinePoint point;
        point.t = t;
        point.loss = begin_step(closure).item<double>();
        point.grad = params.grad();
        point.slope = product(point.grad, state.d());
        params.set(origin);
        return point;
      };
      const LineSearchResult result =
          strong_wolfe(evaluate, state.t(), largest(state.d()), {0, loss, grad.clone(), slope});
      used = result.evaluations;
      loss = result.point.loss;
      grad = result.point.grad;
      state.t(result.point.t);
      params.move(state.t(), state.d());
      optimal = largest(grad) <= options.tolerance_grad();
    } else {
      params.move(state.t(), state.d());
      if (iteration < options.max_iter()) {
        // At the last iteration nobody would use the new gradient.
        loss = begin_step(closure).item<double>();
        grad = params.grad();
        optimal = largest(grad) <= options.tolerance_grad();
        used = 1;
      }
    }
    evaluations += used;
    state.func_evals() += used;
    if (evaluations >= max_eval || optimal) break;
    if (largest(state.d()) * state.t() <= options.tolerance_change()) break;
    if (std::abs(loss - state.prev_loss()) < options.tolerance_change()) break;
  }
  return first_loss;
}

template class OptimizerCloneableOptions<LBFGSOptions>;
template class OptimizerCloneableParamState<LBFGSParamState>;
template class OptimizerOf<LBFGSOptions, LBFGSParamState>;

}  // namespace tapedeck::optim
