#pragma once

#include <tuple>

#include <tapedeck/nn/options/transformer.h>

namespace tapedeck::nn::functional {

/// softmax(q k^T / sqrt(d)) v in each of several heads (Vaswani et al., 2017), where q, k and v are
/// linear in query [T, N, E], key [S, N, K] and value [S, N, V]. attn_mask [T, S] or
/// [N * heads, T, S] is added to the scores; a bool one, as key_padding_mask [N, S] is, excludes
/// where it is true. Returns the output [T, N, E] and the weights [N, T, S], averaged over the
/// heads unless told otherwise ([N, heads, T, S]); undefined if not needed.
std::tuple<Tensor, Tensor> multi_head_attention_forward(
    const Tensor& query, const Tensor& key, const Tensor& value,
    const MultiheadAttentionForwardFuncOptions& options);

}  // namespace tapedeck::nn::functional
