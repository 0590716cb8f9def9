#pragma once

#include <string_view>
#include <vector>

#include <tapedeck/autograd/variable.h>
#include <tapedeck/ops/indexing.h>

namespace tapedeck {

// Reading and writing at places that tensors of int64 indices or bool masks say. All are
// differentiable in the values. An index out of bounds \throws IndexError and nothing is written.

/// x[indices]: one int64 tensor, or a bool mask of as many axes as it has, for each leading axis;
/// std::nullopt leaves an axis whole. The tensors broadcast together; their joint shape stands in
/// the place of the axes where those are neighbours, and in front otherwise.
Variable index(const Variable& self, const std::vector<std::optional<Variable>>& indices);
/// A copy with values, broadcast to x[indices], written there, or added where `accumulate`.
Variable index_put(const Variable& self, const std::vector<std::optional<Variable>>& indices,
                   const Variable& values, bool accumulate = false);
/// As index_put, into `self` itself.
inline Variable& index_put_(Variable& self, const std::vector<std::optional<Variable>>& indices,
                            const Variable& values, bool accumulate = false) {
  return self.index_put_(indices, values, accumulate);
}

/// y[i][j] = self[index[i][j]][j] for dim 0; the shape of `index`.
Variable gather(const Variable& self, std::int64_t dim, const Variable& index,
                bool sparse_grad = false);
/// A copy with y[index[i][j]][j] = src[i][j] (dim 0), or a number everywhere.
Variable scatter(const Variable& self, std::int64_t dim, const Variable& index,
                 const Variable& src);
Variable scatter(const Variable& self, std::int64_t dim, const Variable& index, Scalar value);
/// The same with each place reduced with what is sent to it: "add" or "multiply".
Variable scatter(const Variable& self, std::int64_t dim, const Variable& index, const Variable& src,
                 std::string_view reduce);
Variable scatter(const Variable& self, std::int64_t dim, const Variable& index, Scalar value,
                 std::string_view reduce);
/// A copy with y[index[i][j]][j] += src[i][j] (dim 0).
Variable scatter_add(const Variable& self, std::int64_t dim, const Variable& index,
                     const Variable& src);
/// The slices of one axis that a vector of indices names.
Variable index_select(const Variable& self, std::int64_t dim, const Variable& index);
/// A copy with alpha * source added to those slices; set to a value; set to source's.
Variable index_add(const Variable& self, std::int64_t dim, const Variable& index,
                   const Variable& source, Scalar alpha = 1);
Variable index_fill(const Variable& self, std::int64_t dim, const Variable& index, Scalar value);
Variable index_fill(const Variable& self, std::int64_t dim, const Variable& index,
                    const Variable& value);
Variable index_copy(const Variable& self, std::int64_t dim, const Variable& index,
                    const Variable& source);
/// Elements by their number in row-major order; the shape of `index`.
Variable take(const Variable& self, const Variable& index);
/// A copy with the elements of those numbers replaced by source's, in order, or with those added.
Variable put(const Variable& self, const Variable& index, const Variable& source,
             bool accumulate = false);
/// gather with broadcasting of all other axes; without `dim`, take.
Variable take_along_dim(const Variable& self, const Variable& indices,
                        std::optional<std::int64_t> dim = std::nullopt);

/// The value where the mask is true. The mask broadcasts with self.
Variable masked_fill(const Variable& self, const Variable& mask, Scalar value);
Variable masked_fill(const Variable& self, const Variable& mask, const Variable& value);
/// The elements where the mask is true, as a vector.
Variable masked_select(const Variable& self, const Variable& mask);
/// The elements of source, in order, where the mask is true.
Variable masked_scatter(const Variable& self, const Variable& mask, const Variable& source);

/// The places of the elements that are not zero: int64 [count, dim].
Variable nonzero(const Variable& self);
Variable argwhere(const Variable& self);
/// The same as one vector for each axis.
std::vector<Variable> where(const Variable& condition);
/// A further axis of size num_classes that is 1 at the element's number and 0 elsewhere; int64.
/// num_classes -1 means the largest number plus one.
Variable one_hot(const Variable& self, std::int64_t num_classes = -1);

}  // namespace tapedeck
