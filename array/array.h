#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include <tapedeck/array/dim_vector.h>
#include <tapedeck/array/dtype.h>
#include <tapedeck/array/error.h>
#include <tapedeck/array/storage.h>

namespace tapedeck {

/// Product of the sizes; 1 for none.
std::int64_t numel_of(IntArrayRef sizes);
/// Row-major strides, in elements.
DimVector contiguous_strides(IntArrayRef sizes);
/// The shape that both broadcast to by NumPy's rule. \throws Error that names `op` and both shapes.
DimVector broadcast_shapes(IntArrayRef a, IntArrayRef b, const char* op);
/// Maps an axis in [-dims, dims) to [0, dims); a scalar counts as one-dimensional.
/// \throws IndexError that names `op` otherwise.
std::int64_t wrap_dim(std::int64_t dim, std::int64_t dims, const char* op);
/// The same for an axis that is there: a scalar has none.
std::int64_t wrap_axis(std::int64_t dim, std::int64_t dims, const char* op);
/// Fills in at most one -1 so that the product is `numel`. \throws Error where that cannot be.
DimVector infer_size(IntArrayRef sizes, std::int64_t numel);

/// An n-dimensional strided view of a storage. Copies share the elements: an Array is a handle.
/// It is never null except when default-constructed, and knows nothing of gradients.
class Array {
 public:
  Array() = default;

  /// Uninitialised. \throws Error for a negative size.
  static Array empty(IntArrayRef sizes, ScalarType dtype);
  /// The elements from a storage's start, row-major; they lie within it.
  static Array row_major(intrusive_ptr<StorageImpl> storage, IntArrayRef sizes, ScalarType dtype) {
    return Array(std::move(storage), dtype, sizes, numel_of(sizes));
  }
  /// Wraps memory of the caller's, without a copy; strides in elements, row-major where empty.
  static Array from_blob(void* data, IntArrayRef sizes, IntArrayRef strides, ScalarType dtype,
                         std::function<void(void*)> deleter = {});

  bool defined() const { return static_cast<bool>(storage_); }
  ScalarType dtype() const { return dtype_; }
  std::int64_t dim() const { return static_cast<std::int64_t>(sizes_.size()); }
  const DimVector& sizes() const { return sizes_; }
  const DimVector& strides() const { return strides_; }
  std::int64_t size(std::int64_t dim) const { return sizes_[wrap_axis(dim, this->dim(), "size")]; }
  std::int64_t stride(std::int64_t dim) const {
    return strides_[wrap_axis(dim, this->dim(), "stride")];
  }
  std::int64_t numel() const { return numel_; }
  std::int64_t nbytes() const { return numel_ * element_size(dtype_); }
  /// Elements between the storage's start and this array's first.
  std::int64_t offset() const { return offset_; }
  /// Row-major without gaps.
  bool is_contiguous() const { return contiguous_; }
  /// True where two indices may name the same element (an expanded axis).
  bool has_internal_overlap() const;

  const intrusive_ptr<StorageImpl>& storage() const { return storage_; }
  bool shares_storage(const Array& other) const { return storage_ == other.storage_; }
  bool same_view(const Array& other) const {
    return shares_storage(other) && offset_ == other.offset_ && dtype_ == other.dtype_ &&
           sizes_ == other.sizes_ && strides_ == other.strides_;
  }

  /// The first element, untyped.
  void* raw() const {
    return static_cast<char*>(storage_->data()) + offset_ * element_size(dtype_);
  }
  /// The first element. Unchecked: kernels call it after dispatch on dtype().
  template <typename T>
  T* data() const {
    return static_cast<T*>(raw());
  }

  // Views: they share the storage and cost no more than their sizes and strides.

  /// \throws Error where the view would leave the storage.
  Array as_strided(IntArrayRef sizes, IntArrayRef strides, std::int64_t offset) const;
  /// Whether a view of these sizes (no -1) exists without a copy.
  bool can_view(IntArrayRef sizes) const;
  /// \throws Error that shows sizes and strides where !can_view(sizes).
  Array view(IntArrayRef sizes) const;
  Array transpose(std::int64_t dim0, std::int64_t dim1) const;
  Array permute(IntArrayRef dims) const;
  /// Broadcasts by zero strides; -1 keeps a size. \throws Error that shows both shapes.
  Array expand(IntArrayRef sizes) const;
  /// Elements start, start + step, ... below end of one axis; the range is in bounds already.
  Array slice(std::int64_t dim, std::int64_t start, std::int64_t end, std::int64_t step) const;
  /// One index of one axis, which goes away; the index is in bounds already.
  Array select(std::int64_t dim, std::int64_t index) const;
  Array unsqueeze(std::int64_t dim) const;
  Array squeeze(std::int64_t dim) const;
  /// A handle on the same bytes under another dtype. Where its elements are smaller, or larger, the
  /// last axis grows or shrinks. \throws Error where its strides do not allow that.
  Array reinterpret(ScalarType dtype) const;

 private:
  Array(intrusive_ptr<StorageImpl> storage, ScalarType dtype, IntArrayRef sizes,
        IntArrayRef strides, std::int64_t offset);
  // Row-major from the storage's start, with `numel` elements.
  Array(intrusive_ptr<StorageImpl> storage, ScalarType dtype, IntArrayRef sizes,
        std::int64_t numel);

  intrusive_ptr<StorageImpl> storage_;
  std::int64_t offset_ = 0;
  std::int64_t numel_ = 0;
  ScalarType dtype_ = ScalarType::Undefined;
  bool contiguous_ = true;
  DimVector sizes_;
  DimVector strides_;
};

}  // namespace tapedeck
