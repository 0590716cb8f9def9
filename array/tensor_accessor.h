#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <tapedeck/array/array_ref.h>
#include <tapedeck/array/error.h>

namespace tapedeck {

/// N nested indices into strided elements, unchecked. It points into the tensor and its sizes, and
/// must not outlive either.
template <typename T, std::size_t N>
class TensorAccessor {
 public:
  TensorAccessor(T* data, const std::int64_t* sizes, const std::int64_t* strides)
      : data_(data), sizes_(sizes), strides_(strides) {}

  decltype(auto) operator[](std::int64_t i) const {
    if constexpr (N == 1)
      return (data_[i * strides_[0]]);
    else
      return TensorAccessor<T, N - 1>(data_ + i * strides_[0], sizes_ + 1, strides_ + 1);
  }
  std::int64_t size(std::int64_t dim) const { return sizes_[dim]; }
  std::int64_t stride(std::int64_t dim) const { return strides_[dim]; }
  IntArrayRef sizes() const { return {sizes_, N}; }
  IntArrayRef strides() const { return {strides_, N}; }
  T* data() const { return data_; }

 private:
  T* data_;
  const std::int64_t* sizes_;
  const std::int64_t* strides_;
};

template <typename T>
struct DefaultPtrTraits {
  using PtrType = T*;
};

/// The same with sizes and strides of its own, so that it may outlive the handle it came from, but
/// not the elements. libtorch's are passed to kernels of CUDA, which is what the traits are for.
template <typename T, std::size_t N, template <typename> class PtrTraits = DefaultPtrTraits,
          typename Index = std::int64_t>
class GenericPackedTensorAccessor {
 public:
  using PtrType = typename PtrTraits<T>::PtrType;

  GenericPackedTensorAccessor(PtrType data, const std::int64_t* sizes, const std::int64_t* strides)
      : data_(data) {
    for (std::size_t i = 0; i < N; ++i) {
      sizes_[i] = sizes[i];
      strides_[i] = strides[i];
    }
  }

  decltype(auto) operator[](std::int64_t i) const {
    return TensorAccessor<T, N>(data_, sizes_.data(), strides_.data())[i];
  }
  Index size(std::int64_t dim) const {
    return static_cast<Index>(sizes_[static_cast<std::size_t>(dim)]);
  }
  Index stride(std::int64_t dim) const {
    return static_cast<Index>(strides_[static_cast<std::size_t>(dim)]);
  }
  PtrType data() const { return data_; }
  /// Two axes exchanged. \throws IndexError unless both are in [0, N).
  GenericPackedTensorAccessor transpose(Index dim1, Index dim2) const {
    GenericPackedTensorAccessor result = *this;
    const std::size_t a = checked(dim1), b = checked(dim2);
    std::swap(result.sizes_[a], result.sizes_[b]);
    std::swap(result.strides_[a], result.strides_[b]);
    return result;
  }

 private:
  static std::size_t checked(Index dim) {
    TAPEDECK_CHECK_AS(IndexError, dim >= 0 && static_cast<std::size_t>(dim) < N,
                      "transpose: Index ", dim, " is not within bounds of a tensor of dimension ",
                      N);
    return static_cast<std::size_t>(dim);
  }

  PtrType data_;
  std::array<std::int64_t, N> sizes_, strides_;
};

template <typename T, std::size_t N, template <typename> class PtrTraits = DefaultPtrTraits>
using PackedTensorAccessor32 = GenericPackedTensorAccessor<T, N, PtrTraits, std::int32_t>;
template <typename T, std::size_t N, template <typename> class PtrTraits = DefaultPtrTraits>
using PackedTensorAccessor64 = GenericPackedTensorAccessor<T, N, PtrTraits, std::int64_t>;

}  // namespace tapedeck
