#include <tapedeck/optim/optimizer.h>

#include <charconv>
#include <typeinfo>
#include <unordered_set>

#include <tapedeck/array/error.h>
#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/autograd/grad_state.h>

namespace tapedeck::optim {

std::unique_ptr<OptimizerParamState> OptimizerParamState::clone() const {
  detail::fail<NotImplementedError>("OptimizerParamState: clone is not implemented");
}
void OptimizerParamState::fields(FieldVisitor&) {}

std::unique_ptr<OptimizerOptions> OptimizerOptions::clone() const {
  detail::fail<NotImplementedError>("OptimizerOptions: clone is not implemented");
}
void OptimizerOptions::fields(FieldVisitor&) {}
double OptimizerOptions::get_lr() const {
  detail::fail<NotImplementedError>("OptimizerOptions: get_lr is not implemented");
}
void OptimizerOptions::set_lr(double) {
  detail::fail<NotImplementedError>("OptimizerOptions: set_lr is not implemented");
}

OptimizerParamGroup::OptimizerParamGroup(const OptimizerParamGroup& other)
    : params_(other.params_),
      options_(other.options_ ? other.options_->clone() : nullptr),
      initial_lr_(other.initial_lr_) {}
OptimizerParamGroup::OptimizerParamGroup(OptimizerParamGroup&&) noexcept = default;
OptimizerParamGroup& OptimizerParamGroup::operator=(OptimizerParamGroup&&) noexcept = default;
OptimizerParamGroup::OptimizerParamGroup(std::vector<Variable> params)
    : params_(std::move(params)) {}
OptimizerParamGroup::OptimizerParamGroup(std::vector<Variable> params,
                                         std::unique_ptr<OptimizerOptions> options)
    : params_(std::move(params)), options_(std::move(options)) {}
OptimizerParamGroup::~OptimizerParamGroup() = default;

void OptimizerParamGroup::set_options(std::unique_ptr<OptimizerOptions> options) {
  options_ = std::move(options);
}
OptimizerOptions& OptimizerParamGroup::options() {
  TAPEDECK_CHECK(options_, "OptimizerParamGroup: this group has no options");
  return *options_;
}
const OptimizerOptions& OptimizerParamGroup::options() const {
  TAPEDECK_CHECK(options_, "OptimizerParamGroup: this group has no options");
  return *options_;
}

ParamKey::ParamKey(const std::string& address) : impl_(nullptr) {
  std::uintptr_t value = 0;
  const std::size_t skip = address.rfind("0x", 0) == 0 ? 2 : 0;
  const char* end = address.data() + address.size();
  const auto [stop, error] = std::from_chars(address.data() + skip, end, value, 16);
  TAPEDECK_CHECK(error == std::errc() && stop == end, "optimizer state: '", address,
                 "' is no address of a parameter");
  impl_ = reinterpret_cast<const void*>(value);
}
ParamKey::operator std::string() const { return detail::str(impl_); }

Optimizer::Optimizer(std::vector<OptimizerParamGroup> param_groups,
                     std::unique_ptr<OptimizerOptions> defaults)
    : defaults_(std::move(defaults)) {
  TAPEDECK_CHECK_AS(ValueError, !param_groups.empty(), "optimizer got no parameter groups");
  defaults_->check();
  for (const OptimizerParamGroup& group : param_groups) add_param_group(group);
}

Optimizer::Optimizer(std::vector<Variable> parameters, std::unique_ptr<OptimizerOptions> defaults)
    : Optimizer(std::vector<OptimizerParamGroup>{OptimizerParamGroup(std::move(parameters))},
                std::move(defaults)) {}
Optimizer::Optimizer(Optimizer&&) = default;
Optimizer::~Optimizer() = default;

const std::vector<Variable>& Optimizer::parameters() const noexcept {
  return param_groups_.at(0).params();
}
std::vector<Variable>& Optimizer::parameters() noexcept { return param_groups_.at(0).params(); }

namespace {

void check_new_parameters(const std::vector<OptimizerParamGroup>& groups,
                          const std::vector<Variable>& added) {
  std::unordered_set<const void*> known;
  for (const OptimizerParamGroup& group : groups)
    for (const Variable& p : group.params()) known.insert(p.impl());
  for (std::size_t i = 0; i < added.size(); ++i) {
    const Variable& p = added[i];
    TAPEDECK_CHECK(p.defined(), "optimizer: parameter ", i, " is undefined");
    TAPEDECK_CHECK(p.is_leaf(), "can't optimize a non-leaf Tensor");
    TAPEDECK_CHECK_AS(TypeError, p.is_floating_point(), "optimizer: parameter ", i, " is of dtype ",
                      p.dtype(), ", expected a floating point type");
    TAPEDECK_CHECK_AS(ValueError, known.insert(p.impl()).second, "optimizer: parameter ", i,
                      " (shape ", p.sizes(),
                      "): some parameters appear in more than one parameter group");
  }
}

}  // namespace

void Optimizer::add_param_group(const OptimizerParamGroup& param_group) {
  check_new_parameters(param_groups_, param_group.params());
  OptimizerParamGroup group(param_group);
  if (!group.has_options()) group.set_options(defaults_->clone());
  const OptimizerOptions &options = group.options(), &defaults = *defaults_;
  TAPEDECK_CHECK_AS(TypeError, typeid(options) == typeid(defaults),
                    "optimizer: the options of parameter group ", param_groups_.size(),
                    " are those of another optimizer");
  options.check();
  param_groups_.push_back(std::move(group));
}

void Optimizer::add_parameters(const std::vector<Variable>& added) {
  check_new_parameters(param_groups_, added);
  std::vector<Variable>& first = parameters();
  first.insert(first.end(), added.begin(), added.end());
}

void Optimizer::zero_grad(bool set_to_none) {
  for (OptimizerParamGroup& group : param_groups_)
    for (Variable& p : group.params()) {
      if (autograd::discard_unseen_grad(p, !set_to_none) || !p.grad().defined()) continue;
      Variable& grad = p.mutable_grad();
      if (set_to_none) {
        grad.reset();
      } else {
        grad.detach_();
        grad.zero_();
      }
    }
}

std::size_t Optimizer::size() const noexcept {
  std::size_t count = 0;
  for (const OptimizerParamGroup& group : param_groups_) count += group.params().size();
  return count;
}

Variable Optimizer::begin_step(const LossClosure& closure) const {
  TAPEDECK_CHECK_AS(ValueError, size() > 0, name(), ": optimizer got an empty parameter list");
  Variable loss;
  if (closure) {
    AutoGradMode recording(true);
    loss = closure();
  }
  for (const OptimizerParamGroup& group : param_groups_)
    for (const Variable& p : group.params()) {
      const Variable& grad = autograd::peek_grad(p);
      if (!grad.defined()) continue;
      const Array &x = p.array(), &g = grad.array();
      TAPEDECK_CHECK(g.sizes() == x.sizes() && g.dtype() == x.dtype(), name(),
                     ": a parameter of shape ", x.sizes().ref(), " and dtype ", x.dtype(),
                     " has a gradient of shape ", g.sizes().ref(), " and dtype ", g.dtype());
    }
  return loss;
}

}  // namespace tapedeck::optim
