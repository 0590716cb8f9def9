#pragma once

#include <cstdint>

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

/// Uninitialised memory for the time of a kernel, from the caching allocator.
template <typename T>
class Scratch {
 public:
  Scratch() = default;
  explicit Scratch(std::int64_t elements)
      : array_(Array::empty({elements}, dtype_of<T>)), data_(array_.template data<T>()) {}

  T* data() const { return data_; }

 private:
  Array array_;
  T* data_ = nullptr;
};

}  // namespace tapedeck::kernels
