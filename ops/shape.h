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
inline Variable broadcast_to(const Variable& self, IntArrayRef size) { return self.expand(size); }

}  // namespace tapedeck
