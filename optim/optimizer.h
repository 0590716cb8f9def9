#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <tapedeck/array/arg.h>
#include <tapedeck/autograd/variable.h>
#include <tapedeck/optim/fields.h>

namespace tapedeck {
namespace serialize {
class OutputArchive;
class InputArchive;
}  // namespace serialize

namespace optim {

/// What an optimiser keeps for one parameter.
class OptimizerParamState {
 public:
  virtual ~OptimizerParamState() = default;
  virtual std::unique_ptr<OptimizerParamState> clone() const;
  /// Saves and loads the fields, unless overridden.
  virtual void serialize(serialize::InputArchive& archive);
  virtual void serialize(serialize::OutputArchive& archive) const;
  /// Shows the members.
  virtual void fields(FieldVisitor& visitor);
  /// Whether every tensor among the fields has its parameter's shape and dtype.
  virtual bool mirrors_parameter() const { return true; }
};

template <typename Derived>
class OptimizerCloneableParamState : public OptimizerParamState {
  std::unique_ptr<OptimizerParamState> clone() const override;
};
// Not inline: what the library instantiates is not compiled again in every user's file.
template <typename Derived>
std::unique_ptr<OptimizerParamState> OptimizerCloneableParamState<Derived>::clone() const {
  return std::make_unique<Derived>(static_cast<const Derived&>(*this));
}

/// The hyperparameters of a parameter group.
class OptimizerOptions {
 public:
  virtual ~OptimizerOptions() = default;
  virtual std::unique_ptr<OptimizerOptions> clone() const;
  virtual void serialize(serialize::InputArchive& archive);
  virtual void serialize(serialize::OutputArchive& archive) const;
  virtual double get_lr() const;
  virtual void set_lr(double lr);
  /// Shows the members.
  virtual void fields(FieldVisitor& visitor);
  /// \throws Error for values that make no sense: "Invalid learning rate: -1".
  virtual void check() const {}
};

/// Options that are copied as `Derived`, and whose learning rate is its argument `lr`, if it has
/// one.
template <typename Derived>
class OptimizerCloneableOptions : public OptimizerOptions {
 public:
  double get_lr() const override;
  void set_lr(double lr) override;

 private:
  std::unique_ptr<OptimizerOptions> clone() const override;
};
template <typename Derived>
double OptimizerCloneableOptions<Derived>::get_lr() const {
  if constexpr (requires(const Derived& options) { options.lr(); })
    return static_cast<const Derived&>(*this).lr();
  else
    return OptimizerOptions::get_lr();
}
template <typename Derived>
void OptimizerCloneableOptions<Derived>::set_lr(double lr) {
  if constexpr (requires(Derived & options) { options.lr(lr); })
    static_cast<Derived&>(*this).lr(lr);
  else
    OptimizerOptions::set_lr(lr);
}
template <typename Derived>
std::unique_ptr<OptimizerOptions> OptimizerCloneableOptions<Derived>::clone() const {
  return std::make_unique<Derived>(static_cast<const Derived&>(*this));
}

/// Equal if they are of one type and so are all fields; tensors, if their elements are.
bool operator==(const OptimizerParamState& a, const OptimizerParamState& b);
bool operator==(const OptimizerOptions& a, const OptimizerOptions& b);

/// Parameters that share their options.
class OptimizerParamGroup {
 public:
  OptimizerParamGroup(const OptimizerParamGroup& other);
  OptimizerParamGroup(OptimizerParamGroup&&) noexcept;
  OptimizerParamGroup& operator=(OptimizerParamGroup&&) noexcept;
  OptimizerParamGroup(std::vector<Variable> params);
  OptimizerParamGroup(std::vector<Variable> params, std::unique_ptr<OptimizerOptions> options);
  ~OptimizerParamGroup();

  bool has_options() const { return options_ != nullptr; }
  OptimizerOptions& options();
  const OptimizerOptions& options() const;
  void set_options(std::unique_ptr<OptimizerOptions> options);
  /// The learning rate before any scheduler, once there is one.
  std::optional<double> initial_lr() const { return initial_lr_; }
  void set_initial_lr(std::optional<double> lr) { initial_lr_ = lr; }
  std::vector<Variable>& params() { return params_; }
  const std::vector<Variable>& params() const { return params_; }

 protected:
  std::vector<Variable> params_;
  std::unique_ptr<OptimizerOptions> options_;
  std::optional<double> initial_lr_;
};

/// Names a parameter by the identity of its tensor, given as the address or as the address's text.
class ParamKey {
 public:
  ParamKey(const void* impl) : impl_(impl) {}
  ParamKey(const Variable& parameter) : impl_(parameter.impl()) {}
  ParamKey(const std::string& address);
  bool operator==(const ParamKey&) const = default;
  operator std::string() const;

 private:
  friend struct ParamKeyHash;
  const void* impl_;
};
struct ParamKeyHash {
  std::size_t operator()(const ParamKey& key) const { return std::hash<const void*>()(key.impl_); }
};
using OptimizerState =
    std::unordered_map<ParamKey, std::unique_ptr<OptimizerParamState>, ParamKeyHash>;

/// The base of all optimisers: parameter groups with their options, and state per parameter.
class Optimizer {
 public:
  using LossClosure = std::function<Variable()>;

  /// The list may be empty while parameters are still to be added; step() wants some.
  /// \throws Error for a parameter that is undefined, no leaf, no float tensor, or
  /// there twice, and for options that make no sense.
  explicit Optimizer(std::vector<OptimizerParamGroup> param_groups,
                     std::unique_ptr<OptimizerOptions> defaults);
  explicit Optimizer(std::vector<Variable> parameters, std::unique_ptr<OptimizerOptions> defaults);
  Optimizer(const Optimizer&) = delete;
  Optimizer(Optimizer&&);
  virtual ~Optimizer();

  /// A group without options gets the defaults.
  void add_param_group(const OptimizerParamGroup& param_group);
  /// Adds to the first group.
  void add_parameters(const std::vector<Variable>& parameters);

  /// Changes the parameters by their gradients; those without one stay as they are. The closure, if
  /// any, computes the loss and its gradients anew, and its result is returned.
  virtual Variable step(LossClosure closure = nullptr) = 0;

  /// Zeroes the gradients, or forgets them: the next backward then stores its result instead of
  /// adding it.
  void zero_grad(bool set_to_none = false);

  /// The parameters of the first group.
  const std::vector<Variable>& parameters() const noexcept;
  std::vector<Variable>& parameters() noexcept;
  /// Number of parameters in all groups.
  std::size_t size() const noexcept;

  OptimizerOptions& defaults() noexcept { return *defaults_; }
  const OptimizerOptions& defaults() const noexcept { return *defaults_; }
  std::vector<OptimizerParamGroup>& param_groups() noexcept { return param_groups_; }
  const std::vector<OptimizerParamGroup>& param_groups() const noexcept { return param_groups_; }
  OptimizerState& state() noexcept { return state_; }
  const OptimizerState& state() const noexcept { return state_; }

  /// Options and state, parameters named by their place. Loading them back continues bit for bit.
  virtual void save(serialize::OutputArchive& archive) const;
  /// \throws Error, and leaves all as it was, where the archive holds another optimiser, other
  /// groups or other shapes.
  virtual void load(serialize::InputArchive& archive);

  /// "Adam"; PyTorch's name of the class.
  virtual std::string name() const { return "Optimizer"; }

 protected:
  /// An empty state of the kind that this optimiser keeps, for load(). Null: it keeps none.
  virtual std::unique_ptr<OptimizerParamState> new_state() const { return nullptr; }
  /// load() where states are made by `new_state`.
  void load_states(serialize::InputArchive& archive,
                   const std::function<std::unique_ptr<OptimizerParamState>()>& new_state);
  /// What a step begins with: calls the closure, if any, with the tape on, and returns its loss.
  /// \throws Error, before anything changes, where a gradient is not like its parameter.
  Variable begin_step(const LossClosure& closure) const;

  std::vector<OptimizerParamGroup> param_groups_;
  OptimizerState state_;
  std::unique_ptr<OptimizerOptions> defaults_;
};

/// An optimiser whose groups have `Options`, and whose parameters have `State`.
template <typename Options, typename State>
class OptimizerOf : public Optimizer {
 public:
  explicit OptimizerOf(std::vector<OptimizerParamGroup> param_groups, Options defaults = {});
  explicit OptimizerOf(std::vector<Variable> params, Options defaults = {});

 protected:
  std::unique_ptr<OptimizerParamState> new_state() const override;
};
template <typename Options, typename State>
OptimizerOf<Options, State>::OptimizerOf(std::vector<OptimizerParamGroup> param_groups,
                                         Options defaults)
    : Optimizer(std::move(param_groups), std::make_unique<Options>(std::move(defaults))) {}
template <typename Options, typename State>
OptimizerOf<Options, State>::OptimizerOf(std::vector<Variable> params, Options defaults)
    : Optimizer(std::move(params), std::make_unique<Options>(std::move(defaults))) {}
template <typename Options, typename State>
std::unique_ptr<OptimizerParamState> OptimizerOf<Options, State>::new_state() const {
  return std::make_unique<State>();
}

/// Prints as Python does: "SGD (\nParameter Group 0\n    dampening: 0\n ...)".
std::ostream& operator<<(std::ostream& out, const Optimizer& optimizer);

serialize::OutputArchive& operator<<(serialize::OutputArchive& archive, const Optimizer& optimizer);
serialize::InputArchive& operator>>(serialize::InputArchive& archive, Optimizer& optimizer);

}  // namespace optim
}  // namespace tapedeck
