#pragma once

#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include <tapedeck/autograd/variable.h>

// Tensors put together from parts, or with a part replaced, in the less usual ways.

namespace tapedeck {

/// A copy with the slice, range or diagonal replaced by `src`, of that view's shape.
Variable select_scatter(const Variable& self, const Variable& src, std::int64_t dim,
                        std::int64_t index);
Variable slice_scatter(const Variable& self, const Variable& src, std::int64_t dim = 0,
                       std::optional<std::int64_t> start = std::nullopt,
                       std::optional<std::int64_t> end = std::nullopt, std::int64_t step = 1);
Variable diagonal_scatter(const Variable& self, const Variable& src, std::int64_t offset = 0,
                          std::int64_t dim1 = 0, std::int64_t dim2 = 1);
/// A copy in which each element is reduced with the elements of src that `index` sends to it, as
/// scatter_add does: "sum", "prod", "mean", "amax" or "amin", with self's own element unless
/// include_self is false. Elements that nothing is sent to stay. Equal extremes share the gradient.
Variable scatter_reduce(const Variable& self, std::int64_t dim, const Variable& index,
                        const Variable& src, std::string_view reduce, bool include_self = true);
/// Writes a number onto the diagonal (all indices equal); with `wrap` the diagonal of a matrix
/// taller than wide starts again below.
Variable& fill_diagonal_(const Variable& self, Scalar value, bool wrap = false);

/// tensor_split along the second axis (the first of a vector), the first, the third.
std::vector<Variable> hsplit(const Variable& self, std::int64_t sections);
std::vector<Variable> hsplit(const Variable& self, IntArrayRef indices);
std::vector<Variable> vsplit(const Variable& self, std::int64_t sections);
std::vector<Variable> vsplit(const Variable& self, IntArrayRef indices);
std::vector<Variable> dsplit(const Variable& self, std::int64_t sections);
std::vector<Variable> dsplit(const Variable& self, IntArrayRef indices);
Variable moveaxis(const Variable& self, IntArrayRef source, IntArrayRef destination);

/// Second names of cat and vstack.
Variable concatenate(TensorList tensors, std::int64_t dim = 0);
Variable row_stack(TensorList tensors);
/// The matrices along the diagonal of one matrix of zeros; vectors count as rows.
Variable block_diag(TensorList tensors);
/// All choices of one element of each vector, as rows; of r elements of one vector.
Variable cartesian_prod(TensorList tensors);
Variable combinations(const Variable& self, std::int64_t r = 2, bool with_replacement = false);
/// [N, C, ...] with the channels of `groups` groups interleaved.
Variable channel_shuffle(const Variable& self, std::int64_t groups);
/// The powers 0, 1, ..., N - 1 of a vector's elements as columns, in descending order unless
/// `increasing`.
Variable vander(const Variable& x, std::optional<std::int64_t> N = std::nullopt,
                bool increasing = false);
/// Whether each element is one of the test elements (is not, where `invert`).
Variable isin(const Variable& elements, const Variable& test_elements, bool assume_unique = false,
              bool invert = false);
Variable isin(const Variable& elements, Scalar test_element, bool assume_unique = false,
              bool invert = false);
/// The distinct slices along an axis in lexicographic order; of which of them each slice is a copy,
/// and how often each occurs (empty unless asked for).
std::tuple<Variable, Variable, Variable> unique_dim(const Variable& self, std::int64_t dim,
                                                    bool sorted = true, bool return_inverse = false,
                                                    bool return_counts = false);
bool is_same_size(const Variable& self, const Variable& other);

}  // namespace tapedeck
