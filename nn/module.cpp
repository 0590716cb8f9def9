#include <tapedeck/nn/internal/module_hooks.h>
#include <tapedeck/nn/internal/print.h>
#include <tapedeck/nn/module.h>

#include <cctype>
#include <ostream>
#include <sstream>
#include <unordered_set>

#include <tapedeck/array/warning.h>
#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/autograd/grad_state.h>
#include <tapedeck/nn/cloneable.h>
#include <tapedeck/nn/expanding_array.h>
#include <tapedeck/nn/module_holder.h>

namespace tapedeck {

namespace detail {
void wrong_value_count(std::size_t expected, std::size_t got) {
  fail<ValueError>(str("Expected ", expected, " values, but instead got ", got));
}
}  // namespace detail

namespace nn {

namespace detail {

void wrong_any_cast(const std::type_info& wanted, const std::type_info& held) {
  tapedeck::detail::fail<TypeError>(
      tapedeck::detail::str("Attempted to cast AnyValue to ", text::of_type(wanted),
                            ", but its actual type is ", text::of_type(held)));
}

void wrong_return_type(const std::type_info& wanted, const std::type_info& held) {
  tapedeck::detail::fail<TypeError>(
      tapedeck::detail::str("forward: The type of the return value is ", text::of_type(held),
                            ", but you asked for type ", text::of_type(wanted)));
}

void empty_module_holder() { tapedeck::detail::fail("Accessing empty ModuleHolder"); }

void check_same_count(const char* what, const char* register_function, std::size_t original,
                      std::size_t copy) {
  TAPEDECK_CHECK(original == copy, "clone: the module has ", original, " ", what,
                 ", but after reset() its copy has ", copy, ". Is ", register_function,
                 "() called inside reset() and not in the constructor?");
}

void wrong_clone_type() {
  tapedeck::detail::fail(
      "clone: a submodule is of another type than the one that reset() made in its place");
}

void copy_tensors(const OrderedDict<std::string, Tensor>& from,
                  OrderedDict<std::string, Tensor>& to) {
  for (const auto& item : from) {
    Tensor& target = to[item.key()];
    if (!item.value().defined()) {
      target = Tensor();
      continue;
    }
    const Tensor value = item.value().detach().clone();
    if (target.defined())
      target.set_data(value);
    else
      target = value;
    target.requires_grad_(item.value().requires_grad());
  }
}

}  // namespace detail

namespace {

std::string join(const std::string& prefix, const std::string& name) {
  if (prefix.empty()) return name;
  return name.empty() ? prefix : prefix + "." + name;
}

void check_name(const char* kind, const std::string& name) {
  TAPEDECK_CHECK(!name.empty(), kind, " name must not be empty");
  TAPEDECK_CHECK(name.find('.') == std::string::npos, kind, " name must not contain a dot (got '",
                 name, "')");
}

}  // namespace

Module::Module(std::string name) : Module() { name_ = std::move(name); }
Module::Module() = default;

Module::Module(const Module& other)
    : std::enable_shared_from_this<Module>(other),
      parameters_(other.parameters_),
      buffers_(other.buffers_),
      children_(other.children_),
      name_(other.name_),
      is_training_(other.is_training_) {
  if (other.hooks_) hooks_ = std::make_shared<detail::ModuleHooks>(*other.hooks_);
}
Module::Module(Module&& other) noexcept
    : std::enable_shared_from_this<Module>(other),
      parameters_(std::move(other.parameters_)),
      buffers_(std::move(other.buffers_)),
      children_(std::move(other.children_)),
      name_(std::move(other.name_)),
      hooks_(std::move(other.hooks_)),
      is_training_(other.is_training_) {
  adopt_children(&other);
}
Module& Module::operator=(const Module& other) {
  if (this == &other) return *this;
  Module copy(other);
  return *this = std::move(copy);
}
Module& Module::operator=(Module&& other) noexcept {
  if (this == &other) return *this;
  release_children();
  parameters_ = std::move(other.parameters_);
  buffers_ = std::move(other.buffers_);
  children_ = std::move(other.children_);
  name_ = std::move(other.name_);
  hooks_ = std::move(other.hooks_);
  is_training_ = other.is_training_;
  adopt_children(&other);
  return *this;
}
Module::~Module() { release_children(); }

void Module::adopt_children(const Module* from) noexcept {
  for (const auto& child : children_)
    if (child.value() && (child.value()->parent_ == from || !child.value()->parent_))
      child.value()->parent_ = this;
}
void Module::release_children() noexcept {
  for (const auto& child : children_)
    if (child.value() && child.value()->parent_ == this) child.value()->parent_ = nullptr;
}

const std::string& Module::name() const noexcept {
  if (!name_) {
    name_ = text::of_type(typeid(*this));
  }
  return *name_;
}

// The class's name as Python would have it: without namespaces, and Linear for LinearImpl.
std::string Module::short_name() const {
  std::string text = name();
  std::size_t start = 0;
  int depth = 0;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == '<') ++depth;
    if (text[i] == '>') --depth;
    if (depth == 0 && text[i] == ':' && text[i + 1] == ':') start = i + 2;
  }
  text.erase(0, start);
  if (text.size() > 4 && text.ends_with("Impl")) text.resize(text.size() - 4);
  return text;
}

std::string Module::path() const {
  if (!parent_) {
    std::string text = short_name();
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
  }
  std::string key;
  for (const auto& child : parent_->children_)
    if (child.value().get() == this) key = child.key();
  return join(parent_->path(), key);
}

std::shared_ptr<Module> Module::clone(const std::optional<Device>&) const {
  tapedeck::detail::fail<NotImplementedError>(tapedeck::detail::str(
      "clone() has not been implemented for ", name(), ". Subclass nn::Cloneable<", name(),
      "> instead of nn::Module to inherit the ability to clone."));
}
void Module::clone_(Module&, const std::optional<Device>&) {
  clone();  // throws
}

void Module::apply(const ModuleApplyFunction& function) {
  function(*this);
  apply_to_submodules(
      [&](const std::string&, const std::shared_ptr<Module>& module) { function(*module); });
}
void Module::apply(const ConstModuleApplyFunction& function) const {
  function(*this);
  apply_to_submodules(
      [&](const std::string&, const std::shared_ptr<Module>& module) { function(*module); });
}
void Module::apply(const NamedModuleApplyFunction& function, const std::string& name_prefix) {
  function(name_prefix, *this);
  apply_to_submodules([&](const std::string& name,
                          const std::shared_ptr<Module>& module) { function(name, *module); },
                      name_prefix);
}
void Module::apply(const ConstNamedModuleApplyFunction& function,
                   const std::string& name_prefix) const {
  function(name_prefix, *this);
  apply_to_submodules([&](const std::string& name,
                          const std::shared_ptr<Module>& module) { function(name, *module); },
                      name_prefix);
}
void Module::apply(const ModulePointerApplyFunction& function) const {
  function(shared_from_this_checked());
  apply_to_submodules(
      [&](const std::string&, const std::shared_ptr<Module>& module) { function(module); });
}
void Module::apply(const NamedModulePointerApplyFunction& function,
                   const std::string& name_prefix) const {
  function(name_prefix, shared_from_this_checked());
  apply_to_submodules(function, name_prefix);
}

void Module::apply_to_submodules(const NamedModulePointerApplyFunction& function,
                                 const std::string& name_prefix) const {
  for (const auto& child : children_) {
    if (!child.value()) continue;
    const std::string name = join(name_prefix, child.key());
    function(name, child.value());
    child.value()->apply_to_submodules(function, name);
  }
}

std::shared_ptr<Module> Module::shared_from_this_checked() const {
  std::shared_ptr<const Module> pointer = weak_from_this().lock();
  TAPEDECK_CHECK(pointer,
                 "modules: It looks like you attempted to retrieve your top-level module as a "
                 "shared_ptr, but it is not stored in a shared_ptr. Use std::make_shared<",
                 name(),
                 "> instead of creating it on the stack, or pass include_self = false to modules() "
                 "or named_modules()");
  return std::const_pointer_cast<Module>(pointer);
}

namespace {

// Adds those of `from` that are defined and were not seen before, under prefix.name.
void add_unseen(const OrderedDict<std::string, Tensor>& from, const std::string& prefix,
                std::unordered_set<const void*>& seen, OrderedDict<std::string, Tensor>& to) {
  for (const auto& item : from)
    if (item.value().defined() && seen.insert(item.value().impl()).second)
      to.insert(join(prefix, item.key()), item.value());
}

}  // namespace

OrderedDict<std::string, Tensor> Module::named_parameters(bool recurse) const {
  OrderedDict<std::string, Tensor> result("Parameter");
  std::unordered_set<const void*> seen;
  add_unseen(parameters_, "", seen, result);
  if (recurse)
    apply_to_submodules([&](const std::string& name, const std::shared_ptr<Module>& module) {
      add_unseen(module->parameters_, name, seen, result);
    });
  return result;
}
std::vector<Tensor> Module::parameters(bool recurse) const {
  return named_parameters(recurse).values();
}

OrderedDict<std::string, Tensor> Module::named_buffers(bool recurse) const {
  OrderedDict<std::string, Tensor> result("Buffer");
  std::unordered_set<const void*> seen;
  add_unseen(buffers_, "", seen, result);
  if (recurse)
    apply_to_submodules([&](const std::string& name, const std::shared_ptr<Module>& module) {
      add_unseen(module->buffers_, name, seen, result);
    });
  return result;
}
std::vector<Tensor> Module::buffers(bool recurse) const { return named_buffers(recurse).values(); }

OrderedDict<std::string, std::shared_ptr<Module>> Module::named_modules(
    const std::string& name_prefix, bool include_self) const {
  OrderedDict<std::string, std::shared_ptr<Module>> result("Submodule");
  if (include_self) result.insert(name_prefix, shared_from_this_checked());
  apply_to_submodules([&](const std::string& name,
                          const std::shared_ptr<Module>& module) { result.insert(name, module); },
                      name_prefix);
  return result;
}
std::vector<std::shared_ptr<Module>> Module::modules(bool include_self) const {
  return named_modules("", include_self).values();
}

OrderedDict<std::string, std::shared_ptr<Module>> Module::named_children() const {
  return children_;
}
std::vector<std::shared_ptr<Module>> Module::children() const { return children_.values(); }

void Module::train(bool on) {
  for (const auto& child : children_)
    if (child.value()) child.value()->train(on);
  is_training_ = on;
}
void Module::eval() { train(false); }
bool Module::is_training() const noexcept { return is_training_; }

template <typename... To>
void Module::convert(bool floating_target, To... to) {
  for (const auto& child : children_)
    if (child.value()) child.value()->to(to...);
  const NoGradGuard no_grad;
  for (const auto& parameter : parameters_) {
    const Tensor& value = parameter.value();
    if (!value.defined()) continue;
    const bool had_grad = value.grad().defined();
    const Tensor grad = had_grad ? value.grad().detach().to(to...) : Tensor();
    value.set_data(value.detach().to(to...));
    if (had_grad) value.mutable_grad() = grad;
  }
  for (const auto& buffer : buffers_) {
    const Tensor& value = buffer.value();
    if (value.defined() && (!floating_target || value.is_floating_point()))
      value.set_data(value.detach().to(to...));
  }
}

void Module::to(Device device, ScalarType dtype, bool non_blocking) {
  check_device(device, "Module::to");
  convert(is_floating_point(dtype), device, dtype, non_blocking);
}
void Module::to(ScalarType dtype, bool non_blocking) {
  convert(is_floating_point(dtype), dtype, non_blocking);
}
void Module::to(Device device, bool) { check_device(device, "Module::to"); }

void Module::zero_grad(bool set_to_none) {
  for (const auto& child : children_)
    if (child.value()) child.value()->zero_grad(set_to_none);
  for (const auto& parameter : parameters_) {
    if (!parameter.value().defined() ||
        autograd::discard_unseen_grad(parameter.value(), !set_to_none))
      continue;
    Tensor& grad = parameter.value().mutable_grad();
    if (!grad.defined()) continue;
    if (set_to_none) {
      grad.reset();
    } else {
      grad = grad.detach();
      grad.zero_();
    }
  }
}

Module& Module::requires_grad_(bool requires_grad) {
  for (const Tensor& parameter : parameters()) parameter.requires_grad_(requires_grad);
  return *this;
}

Tensor& Module::register_parameter(std::string name, Tensor tensor, bool requires_grad) {
  check_name("Parameter", name);
  TAPEDECK_CHECK(!buffers_.contains(name), "Parameter '", name, "' already defined as a buffer");
  if (tensor.defined())
    tensor.requires_grad_(requires_grad);
  else if (requires_grad)
    TAPEDECK_WARN("register_parameter: ", name,
                  " is undefined and cannot require grad. Ignoring the `requires_grad=true` "
                  "function parameter.");
  return parameters_.insert(std::move(name), std::move(tensor));
}
Tensor& Module::register_buffer(std::string name, Tensor tensor) {
  check_name("Buffer", name);
  TAPEDECK_CHECK(!parameters_.contains(name), "Buffer '", name, "' already defined as a parameter");
  return buffers_.insert(std::move(name), std::move(tensor));
}

namespace {

bool is_within(const Module& module, const Module& tree) {
  if (&module == &tree) return true;
  for (const std::shared_ptr<Module>& child : tree.children())
    if (child && is_within(module, *child)) return true;
  return false;
}

void check_not_within(const Module& module, const std::shared_ptr<Module>& child,
                      const std::string& name) {
  TAPEDECK_CHECK(!child || !is_within(module, *child), "Submodule '", name,
                 "' is or contains the module that it is to be registered in");
}

}  // namespace

void Module::add_child(std::string name, std::shared_ptr<Module> module) {
  check_name("Submodule", name);
  Module* child = module.get();
  check_not_within(*this, module, name);
  children_.insert(std::move(name), std::move(module));
  if (child && !child->parent_) child->parent_ = this;
}
void Module::replace_child(const std::string& name, std::shared_ptr<Module> module) {
  std::shared_ptr<Module>& place = children_[name];
  check_not_within(*this, module, name);
  if (place && place->parent_ == this) place->parent_ = nullptr;
  place = std::move(module);
  if (place && !place->parent_) place->parent_ = this;
}
void Module::unregister_module(const std::string& name) {
  std::shared_ptr<Module>* const child = children_.find(name);
  TAPEDECK_CHECK(child, "No Module with name `", name, "` is registered");
  if (*child && (*child)->parent_ == this) (*child)->parent_ = nullptr;
  children_.erase(name);
}

unsigned int Module::_forward_num_required_args() {
  tapedeck::detail::fail<NotImplementedError>(
      tapedeck::detail::str(name(),
                            ": a module with default arguments in `forward` must use the macro "
                            "TAPEDECK_FORWARD_HAS_DEFAULT_ARGS"));
}
std::vector<AnyValue> Module::_forward_populate_default_args(std::vector<AnyValue>&&) {
  _forward_num_required_args();
  return {};
}

bool Module::is_serializable() const { return true; }

void Module::pretty_print(std::ostream& stream) const {
  stream << (text::in_python() ? short_name() : name());
}

void Module::pretty_print_recursive(std::ostream& stream, const std::string& indentation) const {
  std::ostringstream text;
  pretty_print(text);
  const std::string own = text.str();
  stream << own;
  if (children_.is_empty()) {
    if (text::in_python() && (own.empty() || own.back() != ')')) stream << "()";
    return;
  }
  stream << "(\n";
  const std::string deeper = indentation + "  ";
  for (const auto& child : children_) {
    stream << deeper << "(" << child.key() << "): ";
    if (child.value())
      child.value()->pretty_print_recursive(stream, deeper);
    else
      stream << "None";
    stream << "\n";
  }
  stream << indentation << ")";
}

std::ostream& operator<<(std::ostream& stream, const Module& module) {
  module.pretty_print_recursive(stream, "");
  return stream;
}

}  // namespace nn
}  // namespace tapedeck
