#pragma once

#include <cstdint>
#include <optional>

#include <tapedeck/autograd/variable.h>

// Distances and similarities of vectors. pairwise_distance stands with the losses that use it.

namespace tapedeck {

/// The cosine of the angle between vectors along `dim`: x1 x2 / (|x1| |x2|), where the product of
/// the lengths is eps^2 at least. The operands broadcast.
Variable cosine_similarity(const Variable& x1, const Variable& x2, std::int64_t dim = 1,
                           double eps = 1e-8);
/// The p-norm of the distance of every row of x1 [..., P, M] from every row of x2 [..., R, M]:
/// [..., P, R]. The axes before broadcast. It is exact in any compute_mode.
/// \throws Error for fewer than two axes, rows of different lengths, or a negative p.
Variable cdist(const Variable& x1, const Variable& x2, double p = 2,
               std::optional<std::int64_t> compute_mode = std::nullopt);
/// ||x_i - x_j||_p for every pair of rows i < j of x [N, M]: [N (N - 1) / 2].
Variable pdist(const Variable& self, double p = 2);
/// The p-norm of self - other, over all elements.
Variable dist(const Variable& self, const Variable& other, Scalar p = 2);

}  // namespace tapedeck
