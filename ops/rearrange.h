#pragma once

#include <string_view>

#include <tapedeck/autograd/variable.h>

namespace tapedeck {

// The elements in another order, several times, or among zeros: copies.

/// The whole tensor repeated along each axis; more repeats than axes add leading ones.
Variable repeat(const Variable& self, IntArrayRef repeats);
/// The same, with missing leading repeats taken as 1.
Variable tile(const Variable& self, IntArrayRef dims);
/// Every slice of an axis repeated on the spot, as often as `repeats` says for all or for each of
/// them; without `dim`, of the flattened tensor. \throws Error where the result's axis is not of
/// `output_size`, if given.
Variable repeat_interleave(const Variable& self, std::int64_t repeats,
                           std::optional<std::int64_t> dim = std::nullopt,
                           std::optional<std::int64_t> output_size = std::nullopt);
Variable repeat_interleave(const Variable& self, const Variable& repeats,
                           std::optional<std::int64_t> dim = std::nullopt,
                           std::optional<std::int64_t> output_size = std::nullopt);
/// Reverses axes.
Variable flip(const Variable& self, IntArrayRef dims);
Variable fliplr(const Variable& self);
Variable flipud(const Variable& self);
/// Moves the elements of each axis in `dims` by a number of places; what leaves at one end comes in
/// at the other. Without dims, in the order of the flattened tensor.
Variable roll(const Variable& self, IntArrayRef shifts, IntArrayRef dims = {});
/// Rotates the plane of two axes by k quarter turns, from the first towards the second.
Variable rot90(const Variable& self, std::int64_t k = 1, IntArrayRef dims = {0, 1});
/// Views of vectors expanded to the grid of all of them: output i varies along axis i ("ij"), or
/// with the first two axes exchanged ("xy").
std::vector<Variable> meshgrid(TensorList tensors, std::string_view indexing = "ij");
/// Matrices with zeros above (below) a diagonal.
Variable tril(const Variable& self, std::int64_t diagonal = 0);
Variable triu(const Variable& self, std::int64_t diagonal = 0);
/// A matrix with the vector on its diagonal, or the diagonal of a matrix.
Variable diag(const Variable& self, std::int64_t diagonal = 0);
/// Matrices of two new axes with the last axis of self on their diagonal, zeros elsewhere.
Variable diag_embed(const Variable& self, std::int64_t offset = 0, std::int64_t dim1 = -2,
                    std::int64_t dim2 = -1);
Variable diagflat(const Variable& self, std::int64_t offset = 0);
/// The sum of the diagonal of a matrix.
Variable trace(const Variable& self);

}  // namespace tapedeck
