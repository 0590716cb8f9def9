#pragma once

#include <algorithm>
#include <cstdint>

#include <tapedeck/ops/kernels/transpose.h>

namespace tapedeck::kernels {

// Planes whose rows are too short for vectors along them go in bundles: the elements of one place
// of all planes side by side, as those of the channels of a pixel are.

inline constexpr std::int64_t kBundle = 16;

namespace detail {

inline const std::uint32_t* words(const float* x) {
  return reinterpret_cast<const std::uint32_t*>(x);
}
inline std::uint32_t* words(float* x) { return reinterpret_cast<std::uint32_t*>(x); }
template <typename T>
const std::uint64_t* words(const T* x) {
  static_assert(sizeof(T) == 8);
  return reinterpret_cast<const std::uint64_t*>(x);
}
template <typename T>
std::uint64_t* words(T* x) {
  static_assert(sizeof(T) == 8);
  return reinterpret_cast<std::uint64_t*>(x);
}

}  // namespace detail

/// Whether planes of `size` elements, read and written, fit into the cache as a bundle.
constexpr bool fits_bundle(std::int64_t size, std::int64_t element_size) {
  constexpr std::int64_t kBytes = std::int64_t{1} << 18;
  return size * element_size * kBundle <= kBytes;
}

/// Planes of `size` elements on their way to [size][count], as far as somebody needs them.
template <typename T>
class PlanesToBundle {
 public:
  PlanesToBundle(const T* planes, std::int64_t count, std::int64_t size, T* bundle)
      : planes_(planes), count_(count), size_(size), bundle_(bundle) {}

  /// The elements before `end` are in the bundle from here on.
  void bundle_up_to(std::int64_t end) {
    constexpr std::int64_t kTogether = 64;  // of all planes fit into a cache of 32 KB
    while (done_ < end) {
      const std::int64_t n = std::min(kTogether, size_ - done_);
      transpose(detail::words(planes_ + done_), size_, count_, n,
                detail::words(bundle_ + done_ * count_), count_);
      done_ += n;
    }
  }

 private:
  const T* planes_;
  std::int64_t count_, size_;
  T* bundle_;
  std::int64_t done_ = 0;
};

/// The way back.
template <typename T>
void unbundle_planes(const T* bundle, std::int64_t count, std::int64_t size, T* planes) {
  transpose(detail::words(bundle), count, size, count, detail::words(planes), size);
}

}  // namespace tapedeck::kernels
