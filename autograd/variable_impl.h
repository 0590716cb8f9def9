#pragma once

#include <cstddef>
#include <cstdint>

#include <tapedeck/array/array.h>
#include <tapedeck/array/intrusive_ptr.h>
#include <tapedeck/autograd/node.h>

namespace tapedeck {

namespace autograd {
class GradState;
class AccumulateGrad;

/// How a view came about, by PyTorch's names.
enum class CreationMeta : std::uint8_t {
  DEFAULT,
  IN_CUSTOM_FUNCTION,
  MULTI_OUTPUT_NODE,
  NO_GRAD_MODE,
  INFERENCE_MODE
};

/// How often a storage was changed in place.
class VersionCounter {
 public:
  explicit VersionCounter(const StorageImpl& storage) : storage_(storage) {}
  /// \throws Error for an inference tensor, whose changes are not counted.
  std::uint32_t current_version() const;

 private:
  const StorageImpl& storage_;
};

/// The value, the gradient and the place on the tape that the handles of one Variable share.
class VariableImpl final : public RefCounted {
 public:
  explicit VariableImpl(Array&& value);
  ~VariableImpl();

  static void* operator new(std::size_t bytes) { return tapedeck::detail::allocate(bytes); }
  static void operator delete(void* impl, std::size_t bytes) {
    tapedeck::detail::deallocate(impl, bytes);
  }

  // The array comes last: of its sizes and strides the first few are in use, so that the cache
  // lines at the end are seldom touched.
  bool requires_grad = false;                          ///< said of a leaf
  CreationMeta creation_meta = CreationMeta::DEFAULT;  ///< of a view
  bool counts_versions = true;                         ///< false for `.data()`
  std::uint32_t output_nr = 0;
  std::uint32_t grad_fn_version = 0;  ///< storage version for which a view's grad_fn holds
  /// What recorded it; null for a leaf. Of a view that may be out of date: see gradient_edge.
  intrusive_ptr<Node> grad_fn;
  intrusive_ptr<VariableImpl> base;  ///< what this is a view of
  intrusive_ptr<GradState> grad_state;
  intrusive_ptr<AccumulateGrad> accumulator;
  Array array;

  /// libtorch keeps what concerns the tape in an object of its own.
  VariableImpl* autograd_meta() { return this; }
  bool has_bw_view() const { return static_cast<bool>(base); }
  CreationMeta get_creation_meta() const { return creation_meta; }
  VersionCounter version_counter() const { return VersionCounter(*array.storage()); }
  void bump_version();

  /// False for a view that was made without recording: it follows nobody's history.
  bool follows_base() const { return creation_meta == CreationMeta::DEFAULT; }
};
using DifferentiableViewMeta = VariableImpl;
}  // namespace autograd

}  // namespace tapedeck
