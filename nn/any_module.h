#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include <tapedeck/nn/any_value.h>
#include <tapedeck/nn/cloneable.h>
#include <tapedeck/nn/module_holder.h>

namespace tapedeck::nn {

namespace detail {

/// What an AnyModule knows of its module's class. `module` points to an object of that class.
struct ModuleClass {
  const std::type_info& type;
  AnyValue (*forward)(void* module, std::vector<AnyValue>&& arguments);
  /// value = forward(value), for a module from a tensor to a tensor; false for any other.
  bool (*forward_tensor)(void* module, Tensor& value);
  /// The object of the class that this is, or null.
  void* (*cast)(Module& module);
};

[[noreturn]] void wrong_argument_type(std::size_t index, const std::type_info& expected,
                                      const std::type_info& got);
[[noreturn]] void wrong_module_cast(const std::type_info& wanted, const std::type_info& held);
[[noreturn]] void empty_any_module(const char* function);
/// Fills in default arguments, and checks that there are `count`.
[[noreturn]] void wrong_clone(const std::type_info& type);
std::vector<AnyValue> complete_arguments(Module& module, const std::type_info& type,
                                         std::size_t count, std::vector<AnyValue>&& arguments);

/// Positions of arguments with their defaults, from the first that has one.
class DefaultArguments {
 public:
  DefaultArguments(std::initializer_list<std::pair<unsigned int, AnyValue>> defaults);
  unsigned int first() const { return defaults_.front().first; }
  /// The arguments, with the defaults of those that are missing.
  std::vector<AnyValue> complete(std::vector<AnyValue>&& arguments) const;

 private:
  std::vector<std::pair<unsigned int, AnyValue>> defaults_;
};

template <typename Argument>
std::decay_t<Argument>&& take_argument(std::vector<AnyValue>& arguments, std::size_t index) {
  using T = std::decay_t<Argument>;
  T* value = arguments[index].try_get<T>();
  if (!value) wrong_argument_type(index, typeid(T), arguments[index].type_info());
  return std::move(*value);
}

/// The types of a forward that is neither overloaded nor a template.
template <typename F>
struct Signature;
template <typename R, typename C, typename... A>
struct Signature<R (C::*)(A...)> {
  using Result = std::decay_t<R>;
  static constexpr std::size_t count = sizeof...(A);
  static constexpr bool tensor_to_tensor =
      std::is_same_v<Result, Tensor> &&
      std::is_same_v<std::tuple<std::decay_t<A>...>, std::tuple<Tensor>>;

  template <typename M>
  static Result call(M& module, A... arguments) {
    return call_module(
        module,
        [&module](auto&&... each) -> Result {
          return module.forward(std::forward<decltype(each)>(each)...);
        },
        std::forward<A>(arguments)...);
  }
  template <typename M, std::size_t... I>
  static Result unpack(M& module, std::vector<AnyValue>& arguments, std::index_sequence<I...>) {
    return call(module, take_argument<A>(arguments, I)...);
  }
};
template <typename R, typename C, typename... A>
struct Signature<R (C::*)(A...) const> : Signature<R (C::*)(A...)> {};
template <typename R, typename C, typename... A>
struct Signature<R (C::*)(A...) noexcept> : Signature<R (C::*)(A...)> {};
template <typename R, typename C, typename... A>
struct Signature<R (C::*)(A...) const noexcept> : Signature<R (C::*)(A...)> {};

template <typename M>
concept has_plain_forward = requires {
  &M::forward;
};
template <typename M>
concept has_boxed_forward = requires(M& module, std::vector<AnyValue>&& arguments) {
  module.any_forward(std::move(arguments));
};

template <typename M>
AnyValue forward_boxed(void* object, std::vector<AnyValue>&& arguments) {
  M& module = *static_cast<M*>(object);
  if constexpr (has_plain_forward<M>) {
    using S = Signature<decltype(&M::forward)>;
    if (arguments.size() != S::count)
      arguments = complete_arguments(module, typeid(M), S::count, std::move(arguments));
    return AnyValue(S::unpack(module, arguments, std::make_index_sequence<S::count>()));
  } else {
    return module.any_forward(std::move(arguments));
  }
}

template <typename M>
bool forward_tensor([[maybe_unused]] void* object, [[maybe_unused]] Tensor& value) {
  if constexpr (has_plain_forward<M>) {
    using S = Signature<decltype(&M::forward)>;
    if constexpr (S::tensor_to_tensor) {
      value = S::call(*static_cast<M*>(object), std::move(value));
      return true;
    }
  }
  return false;
}

template <typename M>
const ModuleClass& make_module_class() {
  static constexpr ModuleClass result = {
      typeid(M), &forward_boxed<M>, &forward_tensor<M>,
      [](Module& module) -> void* { return dynamic_cast<M*>(&module); }};
  return result;
}

}  // namespace detail

template <typename Derived>
const detail::ModuleClass* Cloneable<Derived>::module_class() {
  if constexpr (detail::has_plain_forward<Derived> || detail::has_boxed_forward<Derived>)
    return &detail::make_module_class<Derived>();
  else
    return nullptr;
}

/// A module of any type, with a forward of any signature. Arguments must have exactly the types of
/// the signature (references apart). A copy holds the same module.
class AnyModule {
 public:
  /// Holds nothing.
  AnyModule() = default;
  template <typename M>
  requires detail::is_module<M>
  explicit AnyModule(std::shared_ptr<M> module)
      : object_(module.get()), module_(std::move(module)), class_(class_of<M>()) {}
  template <typename M>
  requires detail::is_module<M>
  explicit AnyModule(M&& module)
      : AnyModule(std::make_shared<std::decay_t<M>>(std::forward<M>(module))) {}
  template <typename M>
  explicit AnyModule(const ModuleHolder<M>& holder) : AnyModule(holder.ptr()) {}
  template <typename M>
  requires detail::is_module<M> AnyModule& operator=(std::shared_ptr<M> module) {
    return *this = AnyModule(std::move(module));
  }

  /// \throws Error where the module's clone() makes one of another class.
  AnyModule clone(const std::optional<Device>& device = std::nullopt) const;

  /// The module's forward. \throws Error where the number or the types of arguments are wrong.
  template <typename... Arguments>
  AnyValue any_forward(Arguments&&... arguments) {
    std::vector<AnyValue> values;
    values.reserve(sizeof...(Arguments));
    (values.push_back(AnyValue(std::forward<Arguments>(arguments))), ...);
    return forward_boxed(std::move(values));
  }
  AnyValue forward_boxed(std::vector<AnyValue>&& arguments);
  /// The same with a result of known type. \throws Error where it is of another one.
  template <typename ReturnType = Tensor, typename... Arguments>
  ReturnType forward(Arguments&&... arguments) {
    return any_forward(std::forward<Arguments>(arguments)...).template get<ReturnType>();
  }
  /// value = forward(value), if the module goes from a tensor to a tensor; whether it does.
  bool forward_tensor(Tensor& value);

  /// The module. \throws Error where it is not a T.
  template <typename T>
  requires detail::is_module<T> T& get() const {
    check_holds("get");
    return *ptr<T>();
  }
  template <typename T, typename Contained = typename T::ContainedType>
  T get() const {
    check_holds("get");
    return T(ptr<Contained>());
  }
  std::shared_ptr<Module> ptr() const;
  template <typename T>
  requires detail::is_module<T> std::shared_ptr<T> ptr()
  const {
    if constexpr (std::is_same_v<T, Module>) {
      return ptr();
    } else {
      check_holds("ptr");
      if (typeid(T) != class_->type) detail::wrong_module_cast(typeid(T), class_->type);
      return std::shared_ptr<T>(module_, static_cast<T*>(object_));
    }
  }
  const std::type_info& type_info() const;
  bool is_empty() const noexcept { return class_ == nullptr; }

 private:
  // A class that derives from another's Cloneable without one of its own has no table there.
  template <typename M>
  static const detail::ModuleClass* class_of() {
    static_assert(detail::has_plain_forward<M> || detail::has_boxed_forward<M>,
                  "the module has no forward that is neither overloaded nor a template, and no "
                  "any_forward");
    if constexpr (std::is_base_of_v<Cloneable<M>, M>)
      return Cloneable<M>::module_class();
    else
      return &detail::make_module_class<M>();
  }
  void check_holds(const char* function) const {
    if (!class_) detail::empty_any_module(function);
  }

  void* object_ = nullptr;  // what module_ points to, as its own class
  std::shared_ptr<Module> module_;
  const detail::ModuleClass* class_ = nullptr;
};

/// A module with a name, for named Sequentials: `{"fc", Linear(3, 5)}`.
class NamedAnyModule {
 public:
  template <typename M>
  NamedAnyModule(std::string name, std::shared_ptr<M> module)
      : NamedAnyModule(std::move(name), AnyModule(std::move(module))) {}
  template <typename M>
  requires detail::is_module<M> NamedAnyModule(std::string name, M&& module)
      : NamedAnyModule(std::move(name), AnyModule(std::forward<M>(module))) {}
  template <typename M>
  NamedAnyModule(std::string name, const ModuleHolder<M>& holder)
      : NamedAnyModule(std::move(name), AnyModule(holder.ptr())) {}
  NamedAnyModule(std::string name, AnyModule module)
      : name_(std::move(name)), module_(std::move(module)) {}

  const std::string& name() const noexcept { return name_; }
  AnyModule& module() noexcept { return module_; }
  const AnyModule& module() const noexcept { return module_; }

 private:
  std::string name_;
  AnyModule module_;
};

}  // namespace tapedeck::nn

/// To stand in a module whose forward has default arguments, so that AnyModule and Sequential know
/// them: `TAPEDECK_FORWARD_HAS_DEFAULT_ARGS({1, AnyValue(2)})` names the second argument and 2.
#define TAPEDECK_FORWARD_HAS_DEFAULT_ARGS(...)                                                   \
 public:                                                                                         \
  bool _forward_has_default_args() override { return true; }                                     \
  unsigned int _forward_num_required_args() override {                                           \
    return ::tapedeck::nn::detail::DefaultArguments{__VA_ARGS__}.first();                        \
  }                                                                                              \
  std::vector<::tapedeck::nn::AnyValue> _forward_populate_default_args(                          \
      std::vector<::tapedeck::nn::AnyValue>&& arguments) override {                              \
    return ::tapedeck::nn::detail::DefaultArguments{__VA_ARGS__}.complete(std::move(arguments)); \
  }

// The same in two halves, for the class and for its .cpp.
#define TAPEDECK_DECLARE_DEFAULT_ARGS()                      \
 public:                                                     \
  bool _forward_has_default_args() override { return true; } \
  unsigned int _forward_num_required_args() override;        \
  std::vector<AnyValue> _forward_populate_default_args(std::vector<AnyValue>&& arguments) override;
#define TAPEDECK_DEFINE_DEFAULT_ARGS(Class, ...)                                                   \
  unsigned int Class::_forward_num_required_args() {                                               \
    return detail::DefaultArguments{__VA_ARGS__}.first();                                          \
  }                                                                                                \
  std::vector<AnyValue> Class::_forward_populate_default_args(std::vector<AnyValue>&& arguments) { \
    return detail::DefaultArguments{__VA_ARGS__}.complete(std::move(arguments));                   \
  }
