#pragma once

#include <cstdint>

#include <tapedeck/array/array_ref.h>

namespace tapedeck {

/// The most dimensions an Array can have.
inline constexpr int kMaxDims = 12;

namespace detail {
[[noreturn]] void too_many_dims(std::int64_t dims);
}

/// Sizes or strides held inline: no allocation, trivially destroyed. The first four are copied
/// without a branch for each, the others only where they are in use.
class DimVector {
 public:
  using value_type = std::int64_t;

  DimVector() noexcept {
    for (int i = 0; i < kUsual; ++i) data_[i] = 0;
  }
  explicit DimVector(std::size_t size, std::int64_t value = 0) : DimVector() {
    resize(size, value);
  }
  DimVector(std::initializer_list<std::int64_t> values) : DimVector(IntArrayRef(values)) {}
  DimVector(IntArrayRef values) { assign(values); }
  DimVector(const std::vector<std::int64_t>& values) { assign(values); }
  DimVector(const DimVector& other) noexcept { copy(other); }
  DimVector& operator=(const DimVector& other) noexcept {
    copy(other);
    return *this;
  }

  std::size_t size() const { return static_cast<std::size_t>(size_); }
  bool empty() const { return size_ == 0; }
  std::int64_t* data() { return data_; }
  const std::int64_t* data() const { return data_; }
  std::int64_t& operator[](std::size_t i) { return data_[i]; }
  const std::int64_t& operator[](std::size_t i) const { return data_[i]; }
  std::int64_t* begin() { return data_; }
  std::int64_t* end() { return data_ + size_; }
  const std::int64_t* begin() const { return data_; }
  const std::int64_t* end() const { return data_ + size_; }
  std::int64_t& front() { return data_[0]; }
  std::int64_t& back() { return data_[size_ - 1]; }
  const std::int64_t& front() const { return data_[0]; }
  const std::int64_t& back() const { return data_[size_ - 1]; }

  void resize(std::size_t size, std::int64_t value = 0) {
    if (size > kMaxDims) detail::too_many_dims(static_cast<std::int64_t>(size));
    for (int i = size_; i < static_cast<int>(size); ++i) data_[i] = value;
    size_ = static_cast<std::int32_t>(size);
  }
  void push_back(std::int64_t value) { insert(size(), value); }
  void pop_back() { --size_; }
  void clear() { size_ = 0; }
  void insert(std::size_t position, std::int64_t value) {
    if (size_ == kMaxDims) detail::too_many_dims(kMaxDims + 1);
    for (std::size_t i = size(); i > position; --i) data_[i] = data_[i - 1];
    data_[position] = value;
    ++size_;
  }
  void erase(std::size_t position) {
    for (std::size_t i = position; i + 1 < size(); ++i) data_[i] = data_[i + 1];
    --size_;
  }
  void assign(IntArrayRef values) {
    if (values.size() > kMaxDims) detail::too_many_dims(static_cast<std::int64_t>(values.size()));
    size_ = static_cast<std::int32_t>(values.size());
    for (int i = 0; i < kUsual; ++i) data_[i] = i < size_ ? values[i] : 0;
    for (int i = kUsual; i < size_; ++i) data_[i] = values[i];
  }

  operator IntArrayRef() const { return {data_, size()}; }
  IntArrayRef ref() const { return {data_, size()}; }

  friend bool operator==(const DimVector& a, const DimVector& b) { return a.ref().equals(b.ref()); }
  friend bool operator==(const DimVector& a, IntArrayRef b) { return a.ref().equals(b); }

 private:
  static constexpr int kUsual = 4;  // these are never uninitialised

  void copy(const DimVector& other) {
    size_ = other.size_;
    for (int i = 0; i < kUsual; ++i) data_[i] = other.data_[i];
    for (int i = kUsual; i < size_; ++i) data_[i] = other.data_[i];
  }

  std::int32_t size_ = 0;
  std::int64_t data_[kMaxDims];
};

}  // namespace tapedeck
