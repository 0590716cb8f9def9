#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace tapedeck {

/// Base of objects counted from inside. A class that wants another end than `delete` declares a
/// member `void destroy() noexcept`, which is called when the last reference goes.
class RefCounted {
 public:
  RefCounted() = default;
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

  void retain() const noexcept { count_.fetch_add(1, std::memory_order_relaxed); }
  /// True when that was the last reference.
  bool drop() const noexcept {
    // The only owner needs no atomic decrement: nobody else can see the object.
    if (count_.load(std::memory_order_acquire) == 1) return true;
    return count_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }
  std::uint32_t use_count() const noexcept { return count_.load(std::memory_order_relaxed); }
  /// The first reference, of the one who made the object: nobody else can see it yet.
  void retain_first() const noexcept { count_.store(1, std::memory_order_relaxed); }

 protected:
  ~RefCounted() = default;

 private:
  mutable std::atomic<std::uint32_t> count_{0};
};

/// Owning pointer to a RefCounted object: one word, no control block.
template <typename T>
class intrusive_ptr {
 public:
  using element_type = T;

  constexpr intrusive_ptr() noexcept = default;
  constexpr intrusive_ptr(std::nullptr_t) noexcept {}
  explicit intrusive_ptr(T* p) noexcept : p_(p) {
    if (p_) p_->retain();
  }
  /// The first owner of a fresh object.
  static intrusive_ptr of_new(T* p) noexcept {
    intrusive_ptr owner;
    owner.p_ = p;
    p->retain_first();
    return owner;
  }
  intrusive_ptr(const intrusive_ptr& other) noexcept : intrusive_ptr(other.p_) {}
  intrusive_ptr(intrusive_ptr&& other) noexcept : p_(std::exchange(other.p_, nullptr)) {}
  template <typename U>
  requires std::is_convertible_v<U*, T*> intrusive_ptr(const intrusive_ptr<U>& other)
  noexcept : intrusive_ptr(other.get()) {}
  template <typename U>
  requires std::is_convertible_v<U*, T*> intrusive_ptr(intrusive_ptr<U>&& other)
  noexcept : p_(other.release()) {}
  ~intrusive_ptr() { reset(); }

  intrusive_ptr& operator=(intrusive_ptr other) noexcept {
    std::swap(p_, other.p_);
    return *this;
  }

  void reset() noexcept {
    T* p = std::exchange(p_, nullptr);
    if (p && p->drop()) {
      if constexpr (requires { p->destroy(); })
        p->destroy();
      else
        delete p;
    }
  }
  /// Gives the reference away without dropping it.
  T* release() noexcept { return std::exchange(p_, nullptr); }

  T* get() const noexcept { return p_; }
  T& operator*() const noexcept { return *p_; }
  T* operator->() const noexcept { return p_; }
  explicit operator bool() const noexcept { return p_ != nullptr; }
  /// The same object, for those who hold it by shared_ptr: `std::shared_ptr<Node> f = x.grad_fn()`.
  operator std::shared_ptr<T>() const {
    if (!p_) return nullptr;
    return std::shared_ptr<T>(p_, [keep = *this](T*) {});
  }
  std::uint32_t use_count() const noexcept { return p_ ? p_->use_count() : 0; }

  friend bool operator==(const intrusive_ptr& a, const intrusive_ptr& b) { return a.p_ == b.p_; }
  friend bool operator==(const intrusive_ptr& a, std::nullptr_t) { return a.p_ == nullptr; }

 private:
  T* p_ = nullptr;
};

template <typename T, typename... Args>
intrusive_ptr<T> make_intrusive(Args&&... args) {
  return intrusive_ptr<T>::of_new(new T(std::forward<Args>(args)...));
}

}  // namespace tapedeck
