#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <tapedeck/array/ordered_dict.h>
#include <tapedeck/autograd/variable.h>
#include <tapedeck/nn/any_value.h>
#include <tapedeck/nn/module_hooks.h>

namespace tapedeck {

namespace serialize {
class OutputArchive;
class InputArchive;
}  // namespace serialize

namespace nn {

template <typename Contained>
class ModuleHolder;
class Module;

namespace detail {
struct ModuleHolderIndicator {};
template <typename T>
concept is_module_holder = std::is_base_of_v<ModuleHolderIndicator, std::decay_t<T>>;
template <typename T>
concept is_module = std::is_base_of_v<Module, std::decay_t<T>>;
}  // namespace detail

/// What load_state_dict could not match.
struct IncompatibleKeys {
  std::vector<std::string> missing_keys;
  std::vector<std::string> unexpected_keys;
};

/// A building block of models: named parameters, buffers and submodules. A subclass registers them
/// in its constructor and has a function `forward` of any signature. The interface is libtorch's,
/// with state_dict and hooks as in Python, and the printed form is Python's.
///
///   struct Net : nn::Module {
///     Net() { fc = register_module("fc", nn::Linear(784, 10)); }
///     Tensor forward(Tensor x) { return fc(x.flatten(1)); }
///     nn::Linear fc{nullptr};
///   };
class Module : public std::enable_shared_from_this<Module> {
 public:
  using ModuleApplyFunction = std::function<void(Module&)>;
  using ConstModuleApplyFunction = std::function<void(const Module&)>;
  using NamedModuleApplyFunction = std::function<void(const std::string&, Module&)>;
  using ConstNamedModuleApplyFunction = std::function<void(const std::string&, const Module&)>;
  using ModulePointerApplyFunction = std::function<void(const std::shared_ptr<Module>&)>;
  using NamedModulePointerApplyFunction =
      std::function<void(const std::string&, const std::shared_ptr<Module>&)>;

  /// The name defaults to the class's.
  explicit Module(std::string name);
  Module();
  /// A copy has the same parameters and submodules, not copies of them: see clone.
  Module(const Module& other);
  Module(Module&& other) noexcept;
  Module& operator=(const Module& other);
  Module& operator=(Module&& other) noexcept;
  virtual ~Module();

  /// The name given, or the class's full name.
  const std::string& name() const noexcept;
  /// Where the module is in its model: "net.layer2.conv1". Errors made in its forward end in it.
  std::string path() const;

  /// A deep copy. \throws Error unless the class derives from Cloneable.
  virtual std::shared_ptr<Module> clone(const std::optional<Device>& device = std::nullopt) const;

  /// Calls `function` with this module, then with all below it, in depth-first order.
  void apply(const ModuleApplyFunction& function);
  void apply(const ConstModuleApplyFunction& function) const;
  /// The same with dotted names, which begin with `name_prefix`; this module's is `name_prefix`.
  void apply(const NamedModuleApplyFunction& function,
             const std::string& name_prefix = std::string());
  void apply(const ConstNamedModuleApplyFunction& function,
             const std::string& name_prefix = std::string()) const;
  /// The same with pointers. \throws Error unless this module is held by a shared_ptr.
  void apply(const ModulePointerApplyFunction& function) const;
  void apply(const NamedModulePointerApplyFunction& function,
             const std::string& name_prefix = std::string()) const;

  /// The module's own parameters, then, with `recurse`, its submodules'. A parameter that several
  /// modules share is listed once, as in Python.
  std::vector<Tensor> parameters(bool recurse = true) const;
  /// The same with dotted names: "layer1.conv.weight".
  OrderedDict<std::string, Tensor> named_parameters(bool recurse = true) const;
  std::vector<Tensor> buffers(bool recurse = true) const;
  OrderedDict<std::string, Tensor> named_buffers(bool recurse = true) const;
  /// This module (unless !include_self) and all below it, depth first.
  /// \throws Error with include_self, unless this module is held by a shared_ptr.
  std::vector<std::shared_ptr<Module>> modules(bool include_self = true) const;
  OrderedDict<std::string, std::shared_ptr<Module>> named_modules(
      const std::string& name_prefix = std::string(), bool include_self = true) const;
  /// The direct submodules.
  std::vector<std::shared_ptr<Module>> children() const;
  OrderedDict<std::string, std::shared_ptr<Module>> named_children() const;

  /// Sets training mode here and below: dropout and batch normalisation behave accordingly.
  virtual void train(bool on = true);
  void eval();
  virtual bool is_training() const noexcept;

  /// Converts all parameters, and the buffers that hold floating-point numbers.
  /// \throws Error for a device other than the CPU.
  virtual void to(Device device, ScalarType dtype, bool non_blocking = false);
  virtual void to(ScalarType dtype, bool non_blocking = false);
  virtual void to(Device device, bool non_blocking = false);
  template <std::same_as<TensorOptions> Options>
  void to(const Options& options, bool non_blocking = false) {
    if (options.dtype_opt())
      to(options.device(), *options.dtype_opt(), non_blocking);
    else
      to(options.device(), non_blocking);
  }

  /// Clears the gradients of all parameters: to zero, or to none at all.
  virtual void zero_grad(bool set_to_none = false);
  /// Whether the parameters, here and below, ask for gradients. Returns the module.
  Module& requires_grad_(bool requires_grad = true);

  /// This module as a `ModuleType` (Linear or LinearImpl), or null where it is none.
  template <typename ModuleType>
  auto* as() noexcept {
    if constexpr (detail::is_module_holder<ModuleType>)
      return dynamic_cast<typename ModuleType::ContainedType*>(this);
    else
      return dynamic_cast<ModuleType*>(this);
  }
  template <typename ModuleType>
  const auto* as() const noexcept {
    if constexpr (detail::is_module_holder<ModuleType>)
      return dynamic_cast<const typename ModuleType::ContainedType*>(this);
    else
      return dynamic_cast<const ModuleType*>(this);
  }

  /// All parameters and buffers by dotted name. The tensors share memory with the module's.
  OrderedDict<std::string, Tensor> state_dict(const std::string& prefix = std::string()) const;
  /// Copies the values of `state` into the parameters and buffers of the same names, all or none.
  /// \throws Error that lists them, where shapes differ, or, if `strict`, keys are missing or
  /// unexpected.
  IncompatibleKeys load_state_dict(const OrderedDict<std::string, Tensor>& state,
                                   bool strict = true);

  /// Writes parameters, buffers and submodules.
  virtual void save(serialize::OutputArchive& archive) const;
  /// Reads what save wrote. \throws Error for missing or misshapen values; the module is then as it
  /// was before.
  virtual void load(serialize::InputArchive& archive);
  virtual bool is_serializable() const;

  /// What stands for this module, without its submodules, in a printed model: "Linear(...)".
  virtual void pretty_print(std::ostream& stream) const;

  RemovableHandle register_forward_pre_hook(ForwardPreHook hook);
  RemovableHandle register_forward_hook(ForwardHook hook);
  RemovableHandle register_full_backward_hook(BackwardHook hook);

  /// Registers a tensor under a name, to be optimised and saved. Returns the registered tensor.
  /// \throws Error for a name that is empty, has a dot, or is taken.
  Tensor& register_parameter(std::string name, Tensor tensor, bool requires_grad = true);
  /// Registers a tensor to be saved, but not optimised.
  Tensor& register_buffer(std::string name, Tensor tensor);
  /// Registers a submodule and returns it.
  template <typename ModuleType>
  std::shared_ptr<ModuleType> register_module(std::string name,
                                              std::shared_ptr<ModuleType> module) {
    add_child(std::move(name), module);
    return module;
  }
  template <typename ModuleType>
  std::shared_ptr<ModuleType> register_module(std::string name,
                                              ModuleHolder<ModuleType> module_holder) {
    return register_module(std::move(name), module_holder.ptr());
  }
  /// Registers another submodule in the place of a registered one.
  template <typename ModuleType>
  std::shared_ptr<ModuleType> replace_module(const std::string& name,
                                             std::shared_ptr<ModuleType> module) {
    replace_child(name, module);
    return module;
  }
  template <typename ModuleType>
  std::shared_ptr<ModuleType> replace_module(const std::string& name,
                                             ModuleHolder<ModuleType> module_holder) {
    return replace_module(name, module_holder.ptr());
  }
  /// \throws Error where there is no such submodule.
  void unregister_module(const std::string& name);

  /// What a class with default arguments in its forward says, by TAPEDECK_FORWARD_HAS_DEFAULT_ARGS,
  /// so that AnyModule and Sequential can fill them in.
  virtual bool _forward_has_default_args() { return false; }
  virtual unsigned int _forward_num_required_args();
  virtual std::vector<AnyValue> _forward_populate_default_args(std::vector<AnyValue>&& arguments);

 protected:
  OrderedDict<std::string, Tensor> parameters_{"Parameter"};

 private:
  template <typename Derived>
  friend class Cloneable;
  friend class detail::ForwardCall;
  friend std::ostream& operator<<(std::ostream& stream, const Module& module);

  virtual void clone_(Module& other, const std::optional<Device>& device);
  template <typename... To>
  void convert(bool floating_target, To... to);
  void add_child(std::string name, std::shared_ptr<Module> module);
  void replace_child(const std::string& name, std::shared_ptr<Module> module);
  void adopt_children(const Module* from) noexcept;
  void release_children() noexcept;
  void apply_to_submodules(const NamedModulePointerApplyFunction& function,
                           const std::string& name_prefix = std::string()) const;
  std::shared_ptr<Module> shared_from_this_checked() const;
  void pretty_print_recursive(std::ostream& stream, const std::string& indentation) const;
  void collect_state(const std::string& prefix, OrderedDict<std::string, Tensor>& state) const;
  std::string short_name() const;

  OrderedDict<std::string, Tensor> buffers_{"Buffer"};
  OrderedDict<std::string, std::shared_ptr<Module>> children_{"Submodule"};
  mutable std::optional<std::string> name_;
  const Module* parent_ = nullptr;  // the first that this was registered with
  std::shared_ptr<detail::ModuleHooks> hooks_;
  bool is_training_ = true;
};

/// Prints the module and all below it as Python's print(model) does.
std::ostream& operator<<(std::ostream& stream, const Module& module);

serialize::OutputArchive& operator<<(serialize::OutputArchive& archive,
                                     const std::shared_ptr<Module>& module);
serialize::InputArchive& operator>>(serialize::InputArchive& archive,
                                    const std::shared_ptr<Module>& module);

}  // namespace nn
}  // namespace tapedeck
