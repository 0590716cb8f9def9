#pragma once

#include <memory>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace tapedeck::nn {

namespace detail {
[[noreturn]] void wrong_any_cast(const std::type_info& wanted, const std::type_info& held);
[[noreturn]] void wrong_return_type(const std::type_info& wanted, const std::type_info& held);
}  // namespace detail

/// A value of any copyable type: what goes into and comes out of an AnyModule.
class AnyValue {
 public:
  AnyValue(AnyValue&&) noexcept = default;
  AnyValue& operator=(AnyValue&&) noexcept = default;
  AnyValue(const AnyValue& other) : content_(other.content_->clone()) {}
  AnyValue& operator=(const AnyValue& other) {
    content_ = other.content_->clone();
    return *this;
  }
  template <typename T>
  requires(!std::is_same_v<std::decay_t<T>, AnyValue>)  //
      explicit AnyValue(T&& value)
      : content_(std::make_unique<Holder<std::decay_t<T>>>(std::forward<T>(value))) {}

  /// The value, or null where it is of another type.
  template <typename T>
  T* try_get() {
    static_assert(std::is_same_v<T, std::decay_t<T>>, "AnyValue stores decayed types");
    if (typeid(T) != type_info()) return nullptr;
    return &static_cast<Holder<T>&>(*content_).value;
  }
  /// A copy of the value. \throws Error that names both types where it is of another one.
  template <typename T>
  T get() {
    T* value = try_get<T>();
    if (!value) detail::wrong_any_cast(typeid(T), type_info());
    return *value;
  }
  const std::type_info& type_info() const noexcept { return content_->type(); }

 private:
  struct Content {
    virtual ~Content() = default;
    virtual std::unique_ptr<Content> clone() const = 0;
    virtual const std::type_info& type() const noexcept = 0;
  };
  template <typename T>
  struct Holder final : Content {
    template <typename U>
    explicit Holder(U&& v) : value(std::forward<U>(v)) {}
    std::unique_ptr<Content> clone() const override { return std::make_unique<Holder>(value); }
    const std::type_info& type() const noexcept override { return typeid(T); }
    T value;
  };

  std::unique_ptr<Content> content_;
};

}  // namespace tapedeck::nn
