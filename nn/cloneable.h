#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/nn/module.h>

namespace tapedeck::nn {

class AnyModule;

namespace detail {
struct ModuleClass;
void check_same_count(const char* what, const char* register_function, std::size_t original,
                      std::size_t copy);
[[noreturn]] void wrong_clone_type();
void copy_tensors(const OrderedDict<std::string, Tensor>& from,
                  OrderedDict<std::string, Tensor>& to);
}  // namespace detail

/// Base of modules that can be copied: `class NetImpl : public Cloneable<NetImpl>`. The class
/// registers everything in `reset`, which its constructor calls.
template <typename Derived>
class Cloneable : public virtual Module {
 public:
  using Module::Module;
  Cloneable() = default;
  Cloneable(const Cloneable&) = default;
  Cloneable& operator=(const Cloneable&) = default;

  /// Makes the parameters, buffers and submodules anew, and registers them.
  virtual void reset() = 0;

  std::shared_ptr<Module> clone(const std::optional<Device>& device = std::nullopt) const override;

 private:
  friend class AnyModule;

  void clone_(Module& other, const std::optional<Device>& device) final;
  // Null for a module without a forward. Defined with AnyModule.
  static const detail::ModuleClass* module_class();
};

// Outside of the class, and so not inline: what the library instantiates is not compiled again.

template <typename Derived>
std::shared_ptr<Module> Cloneable<Derived>::clone(const std::optional<Device>& device) const {
  if (device) check_device(*device, "clone");
  const NoGradGuard no_grad;
  auto copy = std::make_shared<Derived>(static_cast<const Derived&>(*this));
  copy->parameters_.clear();
  copy->buffers_.clear();
  copy->children_.clear();
  copy->reset();
  detail::check_same_count("parameters", "register_parameter", parameters_.size(),
                           copy->parameters_.size());
  detail::check_same_count("buffers", "register_buffer", buffers_.size(), copy->buffers_.size());
  detail::check_same_count("child modules", "register_module", children_.size(),
                           copy->children_.size());
  detail::copy_tensors(parameters_, copy->parameters_);
  detail::copy_tensors(buffers_, copy->buffers_);
  for (const auto& child : children_) copy->children_[child.key()]->clone_(*child.value(), device);
  return copy;
}

template <typename Derived>
void Cloneable<Derived>::clone_(Module& other, const std::optional<Device>& device) {
  const auto copy = std::dynamic_pointer_cast<Derived>(other.clone(device));
  if (!copy) detail::wrong_clone_type();
  static_cast<Derived&>(*this) = *copy;
  adopt_children(copy.get());
}

}  // namespace tapedeck::nn

// For the modules of this library: their copies are compiled once, not in every user's file.
#define TAPEDECK_LIBRARY_MODULE(Name)          \
  extern template class Cloneable<Name##Impl>; \
  using Name = ModuleHolder<Name##Impl>
