#pragma once

#include <tapedeck/nn/options/embedding.h>
#include <tapedeck/ops/index.h>

namespace tapedeck::nn::functional {

using tapedeck::one_hot;

/// Rows of weight [V, D] at integer indices of any shape: [..., D].
Tensor embedding(const Tensor& input, const Tensor& weight,
                 const EmbeddingFuncOptions& options = {});
/// Rows of weight [V, D] reduced over bags: indices [B, N], or [N] with the option `offsets`.
Tensor embedding_bag(const Tensor& input, const Tensor& weight,
                     const EmbeddingBagFuncOptions& options = {});

}  // namespace tapedeck::nn::functional
