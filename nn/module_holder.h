#pragma once

#include <cstddef>
#include <memory>
#include <ostream>
#include <type_traits>
#include <utility>

#include <tapedeck/nn/module.h>

namespace tapedeck::nn {

namespace detail {
[[noreturn]] void empty_module_holder();
}

/// A shared pointer to a module with the manners of a value: `Linear fc(3, 5); fc(x);`. Copies are
/// the same module. TAPEDECK_MODULE makes one for a class.
template <typename Contained>
class ModuleHolder : detail::ModuleHolderIndicator {
 public:
  using ContainedType = Contained;
  using Impl = Contained;

  /// A module made by the default constructor of its class.
  ModuleHolder() : impl_(new Contained()) {
    static_assert(std::is_default_constructible_v<Contained>,
                  "the module has no default constructor: write `= nullptr` or `{nullptr}` for a "
                  "holder that is empty at first");
  }
  /// No module: to be assigned to.
  ModuleHolder(std::nullptr_t) {}
  /// A module made from these arguments.
  template <typename Head, typename... Tail>
  requires(!(sizeof...(Tail) == 0 && (std::is_base_of_v<ModuleHolder, std::decay_t<Head>> ||
                                      std::is_same_v<std::decay_t<Head>,
                                                     std::shared_ptr<Contained>>)))  //
      explicit ModuleHolder(Head&& head, Tail&&... tail)
      : impl_(new Contained(std::forward<Head>(head), std::forward<Tail>(tail)...)) {}
  ModuleHolder(std::shared_ptr<Contained> module) : impl_(std::move(module)) {}

  explicit operator bool() const noexcept { return !is_empty(); }
  bool is_empty() const noexcept { return impl_ == nullptr; }

  /// \throws Error where it is empty.
  Contained* get() { return check(), impl_.get(); }
  const Contained* get() const { return check(), impl_.get(); }
  const std::shared_ptr<Contained>& ptr() const { return check(), impl_; }
  Contained* operator->() { return get(); }
  const Contained* operator->() const { return get(); }
  Contained& operator*() { return *get(); }
  const Contained& operator*() const { return *get(); }

  /// The module's forward, with its hooks.
  template <typename... Args>
  auto operator()(Args&&... args) {
    Contained& module = *get();
    return detail::call_module(
        module,
        [&module](auto&&... each) -> decltype(auto) {
          return module.forward(std::forward<decltype(each)>(each)...);
        },
        std::forward<Args>(args)...);
  }
  template <typename Arg>
  decltype(auto) operator[](Arg&& arg) {
    return (*get())[std::forward<Arg>(arg)];
  }

 protected:
  std::shared_ptr<Contained> impl_;

 private:
  void check() const {
    if (!impl_) [[unlikely]]
      detail::empty_module_holder();
  }
};

template <typename ModuleType>
std::ostream& operator<<(std::ostream& stream, const ModuleHolder<ModuleType>& module) {
  return stream << *module;
}
template <typename ModuleType>
serialize::OutputArchive& operator<<(serialize::OutputArchive& archive,
                                     const ModuleHolder<ModuleType>& module) {
  return archive << std::shared_ptr<Module>(module.ptr());
}
template <typename ModuleType>
serialize::InputArchive& operator>>(serialize::InputArchive& archive,
                                    ModuleHolder<ModuleType>& module) {
  return archive >> std::shared_ptr<Module>(module.ptr());
}

}  // namespace tapedeck::nn

/// `TAPEDECK_MODULE(Net);` declares the holder Net of the class NetImpl.
#define TAPEDECK_MODULE(Name) TAPEDECK_MODULE_IMPL(Name, Name##Impl)
#define TAPEDECK_MODULE_IMPL(Name, ImplType)                    \
  class Name : public ::tapedeck::nn::ModuleHolder<ImplType> {  \
   public:                                                      \
    using ::tapedeck::nn::ModuleHolder<ImplType>::ModuleHolder; \
    using Impl [[maybe_unused]] = ImplType;                     \
  }
