#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include <tapedeck/tapedeck.h>

namespace tapedeck {

/// What for_blob returns: a tensor over the caller's memory, described step by step.
class TensorMaker {
 public:
  TensorMaker(void* data, IntArrayRef sizes) : data_(data), sizes_(sizes) {}

  TensorMaker& strides(IntArrayRef strides) {
    strides_ = strides;
    return *this;
  }
  /// In elements, from `data`.
  TensorMaker& storage_offset(std::optional<std::int64_t> offset) {
    offset_ = offset.value_or(0);
    return *this;
  }
  TensorMaker& deleter(std::function<void(void*)> deleter) {
    deleter_ = std::move(deleter);
    return *this;
  }
  /// `context` goes to its deleter together with the memory.
  TensorMaker& context(void* context, std::function<void(void*)> deleter = nullptr) {
    deleter_ = [context, own = std::move(deleter)](void*) {
      if (own) own(context);
    };
    return *this;
  }
  TensorMaker& target_device(std::optional<Device> device) {
    options_ = options_.device(device);
    return *this;
  }
  TensorMaker& options(const TensorOptions& options) {
    options_ = options;
    return *this;
  }
  Tensor make_tensor() {
    char* first = static_cast<char*>(data_) + offset_ * element_size(options_.dtype());
    const std::function<void(void*)> release =
        deleter_ ? [own = deleter_, data = data_](void*) { own(data); }
                 : std::function<void(void*)>();
    return strides_ ? from_blob(first, sizes_, *strides_, release, options_)
                    : from_blob(first, sizes_, release, options_);
  }

 private:
  void* data_;
  DimVector sizes_;
  std::optional<DimVector> strides_;
  std::int64_t offset_ = 0;
  std::function<void(void*)> deleter_;
  TensorOptions options_;
};

inline TensorMaker for_blob(void* data, IntArrayRef sizes) { return TensorMaker(data, sizes); }

}  // namespace tapedeck
