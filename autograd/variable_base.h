#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include <tapedeck/array/array.h>
#include <tapedeck/array/tensor_accessor.h>
#include <tapedeck/array/tensor_options.h>
#include <tapedeck/array/tensor_storage.h>
#include <tapedeck/autograd/variable_impl.h>

namespace tapedeck {

/// The handle of a tensor, and what it tells of its value without an operation: shape, dtype,
/// elements. Its names are those of PyTorch's documentation.
class VariableBase {
 public:
  /// Undefined: no value, no dtype.
  VariableBase() = default;
  explicit VariableBase(intrusive_ptr<autograd::VariableImpl> impl) : impl_(std::move(impl)) {}

  bool defined() const { return static_cast<bool>(impl_); }
  /// Forgets the value: the handle becomes undefined.
  void reset() { impl_.reset(); }
  bool is_same(const VariableBase& other) const { return impl_ == other.impl_; }
  bool is_alias_of(const VariableBase& other) const;
  std::size_t use_count() const { return impl_.use_count(); }
  /// The value, without a copy. \throws Error for an undefined tensor.
  const Array& array() const {
    if (!impl_) [[unlikely]]
      fail_undefined();
    return impl_->array;
  }
  autograd::VariableImpl* impl() const { return impl_.get(); }
  autograd::VariableImpl* unsafeGetTensorImpl() const { return impl_.get(); }

  // An undefined tensor has no elements: its shape is [0], as in libtorch.
  std::int64_t dim() const { return impl_ ? impl_->array.dim() : 1; }
  std::int64_t ndimension() const { return dim(); }
  IntArrayRef sizes() const {
    return impl_ ? IntArrayRef(impl_->array.sizes()) : IntArrayRef(kNoElements);
  }
  IntArrayRef strides() const { return array().strides(); }
  std::int64_t size(std::int64_t dim) const {
    return impl_ ? impl_->array.size(dim)
                 : sizes()[static_cast<std::size_t>(wrap_dim(dim, 1, "size"))];
  }
  std::int64_t stride(std::int64_t dim) const { return array().stride(dim); }
  std::int64_t numel() const { return impl_ ? impl_->array.numel() : 0; }
  std::int64_t storage_offset() const { return array().offset(); }
  std::int64_t element_size() const { return tapedeck::element_size(array().dtype()); }
  std::int64_t itemsize() const { return element_size(); }
  std::size_t nbytes() const { return static_cast<std::size_t>(array().nbytes()); }
  TypeMeta dtype() const { return TypeMeta(array().dtype()); }
  DeprecatedTypeProperties type() const { return DeprecatedTypeProperties(scalar_type()); }
  ScalarType scalar_type() const { return array().dtype(); }
  Device device() const { return Device(kCPU); }
  Layout layout() const { return kStrided; }
  TensorOptions options() const;
  bool is_floating_point() const { return tapedeck::is_floating_point(dtype()); }
  bool is_complex() const { return false; }
  bool is_signed() const { return dtype() != kUInt8 && dtype() != kBool; }
  bool is_contiguous(MemoryFormat = MemoryFormat::Contiguous) const {
    return array().is_contiguous();
  }
  /// -1, the index of the CPU.
  std::int64_t get_device() const { return -1; }
  bool is_cuda() const { return false; }
  bool is_cpu() const { return true; }
  bool is_sparse() const { return false; }
  bool is_quantized() const { return false; }
  bool is_mkldnn() const { return false; }
  bool is_meta() const { return false; }
  /// Tensors and variables have been one since long.
  bool is_variable() const { return true; }
  bool has_storage() const { return defined(); }
  /// The memory that this tensor and its views lie in.
  Storage storage() const { return Storage(array().storage()); }
  MemoryFormat suggest_memory_format(bool /*channels_last_strides_exact_match*/ = false) const {
    return MemoryFormat::Contiguous;
  }

  /// The first element. \throws Error unless T is the dtype's C++ type.
  template <typename T>
  T* data_ptr() const {
    check_dtype(dtype_of<T>, "data_ptr");
    return array().data<T>();
  }
  void* data_ptr() const { return array().raw(); }
  template <typename T>
  const T* const_data_ptr() const {
    return data_ptr<T>();
  }
  template <typename T>
  T* mutable_data_ptr() const {
    return data_ptr<T>();
  }
  /// Element access by index, unchecked: `auto a = t.accessor<float, 2>(); a[i][j]`.
  template <typename T, std::size_t N>
  TensorAccessor<T, N> accessor() const& {
    check_accessor(dtype_of<std::remove_const_t<T>>, N);
    return TensorAccessor<T, N>(array().data<std::remove_const_t<T>>(), array().sizes().data(),
                                array().strides().data());
  }
  template <typename T, std::size_t N>
  TensorAccessor<T, N> accessor() && = delete;
  /// An accessor with sizes and strides of its own.
  template <typename T, std::size_t N, template <typename> class PtrTraits = DefaultPtrTraits>
  PackedTensorAccessor64<T, N, PtrTraits> packed_accessor64() const& {
    return packed_accessor<PackedTensorAccessor64<T, N, PtrTraits>, T, N>();
  }
  template <typename T, std::size_t N, template <typename> class PtrTraits = DefaultPtrTraits>
  PackedTensorAccessor32<T, N, PtrTraits> packed_accessor32() const& {
    return packed_accessor<PackedTensorAccessor32<T, N, PtrTraits>, T, N>();
  }
  template <typename T, std::size_t N, template <typename> class PtrTraits = DefaultPtrTraits>
  PackedTensorAccessor64<T, N, PtrTraits> packed_accessor64() && = delete;
  template <typename T, std::size_t N, template <typename> class PtrTraits = DefaultPtrTraits>
  PackedTensorAccessor32<T, N, PtrTraits> packed_accessor32() && = delete;
  std::string toString() const;
  /// libtorch's tensors can be given names; here all are without. \throws Error if undefined.
  const std::string& name() const;

 protected:
  intrusive_ptr<autograd::VariableImpl> impl_;

 private:
  static constexpr std::int64_t kNoElements[] = {0};

  [[noreturn]] static void fail_undefined();
  void check_dtype(ScalarType wanted, const char* op) const;
  void check_accessor(ScalarType wanted, std::size_t dims) const;
  template <typename Accessor, typename T, std::size_t N>
  Accessor packed_accessor() const {
    check_accessor(dtype_of<std::remove_const_t<T>>, N);
    return Accessor(array().data<std::remove_const_t<T>>(), array().sizes().data(),
                    array().strides().data());
  }
};

}  // namespace tapedeck
