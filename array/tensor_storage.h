#pragma once

#include <cstddef>
#include <utility>

#include <tapedeck/array/storage.h>
#include <tapedeck/array/tensor_options.h>

namespace tapedeck {

/// The address of a storage's first byte, which stays the storage's own.
class DataPtr {
 public:
  DataPtr() = default;
  explicit DataPtr(void* data) : data_(data) {}

  void* get() const { return data_; }
  void* operator->() const { return data_; }
  explicit operator bool() const { return data_ != nullptr; }
  bool operator==(std::nullptr_t) const { return data_ == nullptr; }
  Device device() const { return Device(kCPU); }

 private:
  void* data_ = nullptr;
};

/// The memory behind a tensor and its views, which a tensor's own elements may be a part of: what
/// Tensor::storage() gives, a handle that keeps it alive.
class Storage {
 public:
  Storage() = default;
  explicit Storage(intrusive_ptr<StorageImpl> impl) : impl_(std::move(impl)) {}

  explicit operator bool() const { return static_cast<bool>(impl_); }
  void* data() const { return impl_ ? impl_->data() : nullptr; }
  template <typename T>
  T* data() const {
    return static_cast<T*>(data());
  }
  template <typename T>
  T* unsafe_data() const {
    return data<T>();
  }
  DataPtr data_ptr() const { return DataPtr(data()); }
  std::size_t nbytes() const { return impl_ ? impl_->nbytes() : 0; }
  /// How many arrays and handles share it.
  std::size_t use_count() const { return impl_.use_count(); }
  bool unique() const { return use_count() == 1; }
  bool is_alias_of(const Storage& other) const { return impl_ == other.impl_; }
  Device device() const { return Device(kCPU); }
  DeviceType device_type() const { return kCPU; }
  StorageImpl* unsafeGetStorageImpl() const { return impl_.get(); }

 private:
  intrusive_ptr<StorageImpl> impl_;
};

}  // namespace tapedeck
