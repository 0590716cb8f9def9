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
#include <tapedeck/nn/module_holder.h>

namespace tapedeck::nn {

namespace detail {

/// A module whose type is known inside only.
class AnyModuleContent {
 public:
  virtual ~AnyModuleContent() = default;
  virtual AnyValue forward(std::vector<AnyValue>&& arguments) = 0;
  /// value = forward(value), for a module from a tensor to a tensor; false for any other.
  virtual bool forward_tensor(Tensor& value) = 0;
  virtual std::shared_ptr<Module> ptr() const = 0;
  virtual std::unique_ptr<AnyModuleContent> copy() const = 0;
  virtual std::unique_ptr<AnyModuleContent> clone(const std::optional<Device>& device) const = 0;
  virtual const std::type_info& type() const noexcept = 0;
};

[[noreturn]] void wrong_argument_type(std::size_t index, const std::type_info& expected,
                                      const std::type_info& got);
[[noreturn]] void wrong_module_cast(const std::type_info& wanted, const std::type_info& held);
[[noreturn]] void empty_any_module(const char* function);
/// Fills in default arguments, and checks that there are `count`.
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
class AnyModuleHolder final : public AnyModuleContent {
 public:
  explicit AnyModuleHolder(std::shared_ptr<M> module) : module_(std::move(module)) {}

  AnyValue forward(std::vector<AnyValue>&& arguments) override {
    if constexpr (has_plain_forward<M>) {
      using S = Signature<decltype(&M::forward)>;
      if (arguments.size() != S::count)
        arguments = complete_arguments(*module_, typeid(M), S::count, std::move(arguments));
      return AnyValue(S::unpack(*module_, arguments, std::make_index_sequence<S::count>()));
    } else {
      return module_->any_forward(std::move(arguments));
    }
  }
  bool forward_tensor(Tensor& value) override {
    if constexpr (has_plain_forward<M>) {
      using S = Signature<decltype(&M::forward)>;
      if constexpr (S::tensor_to_tensor) {
        value = S::call(*module_, std::move(value));
        return true;
      } else {
        return false;
      }
    } else {
      return false;
    }
  }
  std::shared_ptr<Module> ptr() const override { return module_; }
  std::unique_ptr<AnyModuleContent> copy() const override {
    return std::make_unique<AnyModuleHolder>(module_);
  }
  std::unique_ptr<AnyModuleContent> clone(const std::optional<Device>& device) const override {
    return std::make_unique<AnyModuleHolder>(
        std::dynamic_pointer_cast<M>(static_cast<const Module&>(*module_).clone(device)));
  }
  const std::type_info& type() const noexcept override { return typeid(M); }

 private:
  std::shared_ptr<M> module_;
};

}  // namespace detail

/// A module of any type, with a forward of any signature. Arguments must have exactly the types of
/// the signature (references apart).
class AnyModule {
 public:
  /// Holds nothing.
  AnyModule() = default;
  template <typename M>
  requires detail::is_module<M>
  explicit AnyModule(std::shared_ptr<M> module)
      : content_(std::make_unique<detail::AnyModuleHolder<M>>(std::move(module))) {}
  template <typename M>
  requires detail::is_module<M>
  explicit AnyModule(M&& module)
      : AnyModule(std::make_shared<std::decay_t<M>>(std::forward<M>(module))) {}
  template <typename M>
  explicit AnyModule(const ModuleHolder<M>& holder) : AnyModule(holder.ptr()) {}
  AnyModule(AnyModule&&) noexcept = default;
  AnyModule& operator=(AnyModule&&) noexcept = default;
  /// A copy holds the same module.
  AnyModule(const AnyModule& other) : content_(other.content_ ? other.content_->copy() : nullptr) {}
  AnyModule& operator=(const AnyModule& other) {
    content_ = other.content_ ? other.content_->copy() : nullptr;
    return *this;
  }
  template <typename M>
  requires detail::is_module<M> AnyModule& operator=(std::shared_ptr<M> module) {
    return *this = AnyModule(std::move(module));
  }

  AnyModule clone(const std::optional<Device>& device = std::nullopt) const {
    AnyModule result;
    result.content_ = content_ ? content_->clone(device) : nullptr;
    return result;
  }

  /// The module's forward. \throws Error where the number or the types of arguments are wrong.
  template <typename... Arguments>
  AnyValue any_forward(Arguments&&... arguments) {
    std::vector<AnyValue> values;
    values.reserve(sizeof...(Arguments));
    (values.push_back(AnyValue(std::forward<Arguments>(arguments))), ...);
    return forward_boxed(std::move(values));
  }
  AnyValue forward_boxed(std::vector<AnyValue>&& arguments) {
    return content("forward").forward(std::move(arguments));
  }
  /// The same with a result of known type. \throws Error where it is of another one.
  template <typename ReturnType = Tensor, typename... Arguments>
  ReturnType forward(Arguments&&... arguments) {
    return any_forward(std::forward<Arguments>(arguments)...).template get<ReturnType>();
  }
  /// value = forward(value), if the module goes from a tensor to a tensor; whether it does.
  bool forward_tensor(Tensor& value) { return content("forward").forward_tensor(value); }

  /// The module. \throws Error where it is not a T.
  template <typename T>
  requires detail::is_module<T> T& get() const {
    content("get");
    return *ptr<T>();
  }
  template <typename T, typename Contained = typename T::ContainedType>
  T get() const {
    content("get");
    return T(ptr<Contained>());
  }
  std::shared_ptr<Module> ptr() const { return content("ptr").ptr(); }
  template <typename T>
  requires detail::is_module<T> std::shared_ptr<T> ptr()
  const {
    if constexpr (std::is_same_v<T, Module>) {
      return ptr();
    } else {
      const std::type_info& held = content("ptr").type();
      if (typeid(T) != held) detail::wrong_module_cast(typeid(T), held);
      return std::dynamic_pointer_cast<T>(ptr());
    }
  }
  const std::type_info& type_info() const { return content("type_info").type(); }
  bool is_empty() const noexcept { return content_ == nullptr; }

 private:
  detail::AnyModuleContent& content(const char* function) const {
    if (!content_) detail::empty_any_module(function);
    return *content_;
  }

  std::unique_ptr<detail::AnyModuleContent> content_;
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
