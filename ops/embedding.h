#pragma once

#include <cstdint>
#include <optional>
#include <tuple>

#include <tapedeck/autograd/variable.h>

namespace tapedeck {

/// Rows of weight [V, D] at integer indices of any shape: [..., D]. The row padding_idx (-1: none)
/// gets no gradient; with scale_grad_by_freq a row's gradient is divided by how often it was looked
/// up. \throws IndexError for an index outside of [0, V). There are no sparse gradients.
Variable embedding(const Variable& weight, const Variable& indices, std::int64_t padding_idx = -1,
                   bool scale_grad_by_freq = false, bool sparse = false);
/// Scales the rows of weight that are looked up and longer than max_norm to that p-norm, in place.
Variable& embedding_renorm_(Variable& self, const Variable& indices, double max_norm,
                            double norm_type);

/// Rows of weight [V, D] reduced over bags: bag b is indices[offsets[b]], ..., those before the
/// next offset. mode 0 sums, 1 averages, 2 takes the largest; per_sample_weights, for sums only,
/// multiply the rows. Indices that equal padding_idx (-1: none) do not count; empty bags are zero.
/// With include_last_offset the last offset ends the last bag. Returns the bags [B, D], the bag of
/// each index, the sizes of the bags, and for mode 2 the indices [B, D] that were largest. \throws
/// IndexError for an index outside of [0, V), Error for offsets that do not rise from 0.
std::tuple<Variable, Variable, Variable, Variable> embedding_bag(
    const Variable& weight, const Variable& indices, const Variable& offsets,
    bool scale_grad_by_freq = false, std::int64_t mode = 0, bool sparse = false,
    const std::optional<Variable>& per_sample_weights = {}, bool include_last_offset = false,
    std::int64_t padding_idx = -1);

}  // namespace tapedeck
