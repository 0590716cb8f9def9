#pragma once

#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <tapedeck/tapedeck.h>

// What libtorch's <ATen/ExpandUtils.h> does with shapes: operands brought to a common one, and
// results that may be an operand itself.
namespace tapedeck {

/// A value, or a reference to one that outlives it.
template <typename T>
class MaybeOwned final {
 public:
  MaybeOwned() : held_(static_cast<const T*>(nullptr)) {}
  static MaybeOwned borrowed(const T& value) { return MaybeOwned(&value); }
  static MaybeOwned owned(T&& value) { return MaybeOwned(std::move(value)); }
  template <typename... Arguments>
  static MaybeOwned owned(std::in_place_t, Arguments&&... arguments) {
    return MaybeOwned(T(std::forward<Arguments>(arguments)...));
  }

  bool unsafeIsBorrowed() const { return held_.index() == 0; }
  const T& operator*() const& {
    return unsafeIsBorrowed() ? *std::get<0>(held_) : std::get<1>(held_);
  }
  const T* operator->() const { return &**this; }
  T operator*() && {
    return unsafeIsBorrowed() ? *std::get<0>(held_) : std::get<1>(std::move(held_));
  }

 private:
  explicit MaybeOwned(const T* borrowed) : held_(borrowed) {}
  explicit MaybeOwned(T&& owned) : held_(std::move(owned)) {}

  std::variant<const T*, T> held_;
};

/// The shape that both broadcast to. \throws Error where there is none.
inline std::vector<std::int64_t> infer_size(IntArrayRef a, IntArrayRef b) {
  return IntArrayRef(broadcast_shapes(a, b, "infer_size")).vec();
}
inline DimVector infer_size_dimvector(IntArrayRef a, IntArrayRef b) {
  return broadcast_shapes(a, b, "infer_size");
}

/// Whether a tensor of `shape` broadcasts to `desired`.
inline bool is_expandable_to(IntArrayRef shape, IntArrayRef desired) {
  if (shape.size() > desired.size()) return false;
  for (std::size_t i = 1; i <= shape.size(); ++i) {
    const std::int64_t size = shape[shape.size() - i];
    if (size != 1 && size != desired[desired.size() - i]) return false;
  }
  return true;
}

inline MaybeOwned<Tensor> expand_size(const Tensor& to_expand, IntArrayRef sizes) {
  return to_expand.sizes() == sizes ? MaybeOwned<Tensor>::borrowed(to_expand)
                                    : MaybeOwned<Tensor>::owned(to_expand.expand(sizes));
}
inline MaybeOwned<Tensor> expand_inplace(const Tensor& tensor, const Tensor& to_expand) {
  return expand_size(to_expand, tensor.sizes());
}
inline std::tuple<MaybeOwned<Tensor>, MaybeOwned<Tensor>> expand_inplace(const Tensor& tensor,
                                                                         const Tensor& to_expand1,
                                                                         const Tensor& to_expand2) {
  return {expand_inplace(tensor, to_expand1), expand_inplace(tensor, to_expand2)};
}
inline std::tuple<MaybeOwned<Tensor>, MaybeOwned<Tensor>> expand_outplace(const Tensor& a,
                                                                          const Tensor& b) {
  const DimVector shape = infer_size_dimvector(a.sizes(), b.sizes());
  return {expand_size(a, shape), expand_size(b, shape)};
}
inline std::tuple<MaybeOwned<Tensor>, MaybeOwned<Tensor>, MaybeOwned<Tensor>> expand_outplace(
    const Tensor& a, const Tensor& b, const Tensor& c) {
  const DimVector shape =
      infer_size_dimvector(infer_size_dimvector(a.sizes(), b.sizes()), c.sizes());
  return {expand_size(a, shape), expand_size(b, shape), expand_size(c, shape)};
}
/// All of them at their common shape; undefined ones stay undefined.
inline std::vector<Tensor> expand_outplace(TensorList tensors) {
  std::vector<Tensor> expanded(tensors.begin(), tensors.end());
  DimVector shape;
  for (const Tensor& t : expanded)
    if (t.defined()) shape = infer_size_dimvector(shape, t.sizes());
  for (Tensor& t : expanded)
    if (t.defined()) t = t.expand(shape);
  return expanded;
}

/// A broadcast tensor summed back to `shape`.
inline Tensor sum_to(const Tensor& tensor, IntArrayRef shape) { return tensor.sum_to_size(shape); }

}  // namespace tapedeck
