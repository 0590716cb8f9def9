#pragma once

#include <cstdint>
#include <optional>

#include <tapedeck/autograd/variable.h>

// Other shapes of the same elements. All but `reshape` of memory that cannot be viewed that way
// share storage with their input: a change in place through one is seen through the other.

namespace tapedeck {

/// The elements in row-major order under another shape, one size of which may be -1; a view where
/// the memory allows it, a copy otherwise. \throws Error where the number of elements differs.
Variable reshape(const Variable& self, IntArrayRef shape);
/// Axes start_dim ... end_dim as one.
Variable flatten(const Variable& self, std::int64_t start_dim = 0, std::int64_t end_dim = -1);
/// Axis `dim` as several; one size may be -1.
Variable unflatten(const Variable& self, std::int64_t dim, IntArrayRef sizes);
Variable ravel(const Variable& self);
/// Without its axes of size 1, or without axis `dim` if its size is 1.
Variable squeeze(const Variable& self);
Variable squeeze(const Variable& self, std::int64_t dim);
/// With an axis of size 1 inserted before `dim`.
Variable unsqueeze(const Variable& self, std::int64_t dim);
Variable transpose(const Variable& self, std::int64_t dim0, std::int64_t dim1);
inline Variable swapaxes(const Variable& self, std::int64_t axis0, std::int64_t axis1) {
  return transpose(self, axis0, axis1);
}
/// The transpose of a matrix; a vector as it is. \throws Error for more than two dimensions.
Variable t(const Variable& self);
Variable permute(const Variable& self, IntArrayRef dims);
/// A view of any sizes and strides into self's storage.
Variable as_strided(const Variable& self, IntArrayRef size, IntArrayRef stride,
                    std::optional<std::int64_t> storage_offset = std::nullopt);
/// One index of an axis, which goes away. \throws IndexError out of range.
Variable select(const Variable& self, std::int64_t dim, std::int64_t index);
/// Indices start, start + step, ... below end of an axis, clamped to its size.
Variable slice(const Variable& self, std::int64_t dim = 0,
               std::optional<std::int64_t> start = std::nullopt,
               std::optional<std::int64_t> end = std::nullopt, std::int64_t step = 1);
/// `length` indices from `start` on. \throws Error where they are not all there.
Variable narrow(const Variable& self, std::int64_t dim, std::int64_t start, std::int64_t length);
Variable narrow(const Variable& self, std::int64_t dim, const Variable& start, std::int64_t length);
inline Variable broadcast_to(const Variable& self, IntArrayRef size) { return self.expand(size); }
/// The tensors expanded to the shape that all broadcast to.
std::vector<Variable> broadcast_tensors(TensorList tensors);
/// The diagonal of each matrix of two axes, as the last axis; `offset` above it, or below.
Variable diagonal(const Variable& self, std::int64_t offset = 0, std::int64_t dim1 = 0,
                  std::int64_t dim2 = 1);
/// The axes `source` moved to the places `destination`; the others keep their order.
Variable movedim(const Variable& self, IntArrayRef source, IntArrayRef destination);
Variable movedim(const Variable& self, std::int64_t source, std::int64_t destination);
inline Variable moveaxis(const Variable& self, std::int64_t source, std::int64_t destination) {
  return movedim(self, source, destination);
}
inline Variable swapdims(const Variable& self, std::int64_t dim0, std::int64_t dim1) {
  return transpose(self, dim0, dim1);
}
/// The last two axes exchanged.
inline Variable adjoint(const Variable& self) { return transpose(self, -2, -1); }

// Several views at once, recorded as one operation (ops/splitting.cpp).

/// Every index of one axis.
std::vector<Variable> unbind(const Variable& self, std::int64_t dim = 0);
/// Pieces of `split_size` along one axis, the last possibly smaller; or pieces of these sizes.
/// \throws Error where the sizes do not add up to the axis.
std::vector<Variable> split(const Variable& self, std::int64_t split_size, std::int64_t dim = 0);
std::vector<Variable> split(const Variable& self, IntArrayRef split_sizes, std::int64_t dim = 0);
std::vector<Variable> split_with_sizes(const Variable& self, IntArrayRef split_sizes,
                                       std::int64_t dim = 0);
/// At most `chunks` pieces of equal size, the last possibly smaller.
std::vector<Variable> chunk(const Variable& self, std::int64_t chunks, std::int64_t dim = 0);
/// Exactly `sections` pieces whose sizes differ by at most one; or pieces that end at `indices`.
std::vector<Variable> tensor_split(const Variable& self, std::int64_t sections,
                                   std::int64_t dim = 0);
std::vector<Variable> tensor_split(const Variable& self, IntArrayRef indices, std::int64_t dim = 0);

/// At least that many axes: new ones of size one are put in front (atleast_3d: a matrix gets its
/// third one at the end).
Variable atleast_1d(const Variable& self);
Variable atleast_2d(const Variable& self);
Variable atleast_3d(const Variable& self);

}  // namespace tapedeck
