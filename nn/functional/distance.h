#pragma once

#include <tapedeck/autograd/variable.h>
#include <tapedeck/nn/options/distance.h>

namespace tapedeck::nn::functional {

/// x1 . x2 / max(|x1| |x2|, eps) along an axis.
Tensor cosine_similarity(const Tensor& x1, const Tensor& x2,
                         const CosineSimilarityFuncOptions& options = {});
/// ||x1 - x2 + eps||_p over the last axis.
Tensor pairwise_distance(const Tensor& x1, const Tensor& x2,
                         const PairwiseDistanceFuncOptions& options = {});

/// ||x_i - x_j||_p for every pair of rows i < j of x [N, M]: [N (N - 1) / 2].
Tensor pdist(const Tensor& input, double p = 2.0);

}  // namespace tapedeck::nn::functional
