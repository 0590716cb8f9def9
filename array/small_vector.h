#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include <tapedeck/array/array_ref.h>

namespace tapedeck {

/// A vector whose first N elements live inside it: no allocation for the usual few.
template <typename T, std::size_t N>
class SmallVector {
 public:
  using value_type = T;

  SmallVector() = default;
  explicit SmallVector(std::size_t size) { resize(size); }
  /// These elements. Not a list, out of which elements can be copied only, not moved.
  template <typename... Values>
  requires(sizeof...(Values) > 0 && (std::is_same_v<std::remove_cvref_t<Values>, T> && ...))
      SmallVector(Values&&... values) {
    if constexpr (sizeof...(Values) > N) reserve(sizeof...(Values));
    (new (data_ + size_++) T(std::forward<Values>(values)), ...);
  }
  SmallVector(std::initializer_list<T> values) requires std::is_trivially_copyable_v<T>
      : SmallVector(values.begin(), values.end()) {}
  template <std::input_iterator Iterator>
  SmallVector(Iterator first, Iterator last) {
    for (; first != last; ++first) push_back(*first);
  }
  SmallVector(std::size_t size, const T& value) { resize(size, value); }
  SmallVector(const SmallVector& other) {
    reserve(other.size_);
    for (const T& v : other) push_back(v);
  }
  SmallVector(SmallVector&& other) noexcept { take(std::move(other)); }
  SmallVector& operator=(SmallVector other) noexcept {
    clear();
    free_heap();
    take(std::move(other));
    return *this;
  }
  ~SmallVector() {
    clear();
    free_heap();
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  T& back() { return data_[size_ - 1]; }
  const T& back() const { return data_[size_ - 1]; }
  T& front() { return data_[0]; }
  const T& front() const { return data_[0]; }
  operator ArrayRef<T>() const { return {data_, size_}; }

  void reserve(std::size_t wanted) {
    if (wanted <= capacity_) return;
    const std::size_t doubled = std::size_t{2} * capacity_;
    const std::size_t capacity = wanted < doubled ? doubled : wanted;
    T* fresh = static_cast<T*>(::operator new(capacity * sizeof(T), std::align_val_t(alignof(T))));
    std::uninitialized_move(begin(), end(), fresh);
    std::destroy(begin(), end());
    free_heap();
    data_ = fresh;
    capacity_ = static_cast<std::uint32_t>(capacity);
  }
  void push_back(T value) {
    if (size_ == capacity_) reserve(size() + 1);
    new (data_ + size_) T(std::move(value));
    ++size_;
  }
  template <typename... Args>
  T& emplace_back(Args&&... args) {
    if (size_ == capacity_) reserve(size() + 1);
    return *new (data_ + size_++) T{std::forward<Args>(args)...};
  }
  void pop_back() { data_[--size_].~T(); }
  void resize(std::size_t size) {
    reserve(size);
    while (size_ > size) data_[--size_].~T();
    while (size_ < size) new (data_ + size_++) T();
  }
  void resize(std::size_t size, const T& value) {
    reserve(size);
    while (size_ > size) data_[--size_].~T();
    while (size_ < size) push_back(value);
  }
  void clear() {
    std::destroy(begin(), end());
    size_ = 0;
  }

 private:
  T* inline_data() { return reinterpret_cast<T*>(buffer_); }
  void free_heap() {
    if (data_ != inline_data()) {
      ::operator delete(data_, std::align_val_t(alignof(T)));
      data_ = inline_data();
      capacity_ = N;
    }
  }
  // Precondition: *this is empty and inline.
  void take(SmallVector&& other) noexcept {
    if (other.data_ != other.inline_data()) {
      data_ = std::exchange(other.data_, other.inline_data());
      size_ = std::exchange(other.size_, 0);
      capacity_ = std::exchange(other.capacity_, N);
    } else {
      size_ = std::exchange(other.size_, 0);
      for (std::uint32_t i = 0; i < size_; ++i) {
        new (data_ + i) T(std::move(other.data_[i]));
        other.data_[i].~T();
      }
    }
  }

  T* data_ = inline_data();
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = N;
  alignas(T) std::byte buffer_[N * sizeof(T)];
};

}  // namespace tapedeck
