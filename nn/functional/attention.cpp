#include <tapedeck/nn/functional/attention.h>

#include <cmath>
#include <limits>
#include <vector>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/activation.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/dropout.h>
#include <tapedeck/ops/joining.h>
#include <tapedeck/ops/linear.h>
#include <tapedeck/ops/matmul.h>
#include <tapedeck/ops/shape.h>
#include <tapedeck/ops/ternary.h>

namespace tapedeck::nn::functional {

namespace {

constexpr const char* kOp = "multi_head_attention_forward";

Tensor rows(const Tensor& x, std::int64_t first, std::int64_t last) {
  return x.defined() ? x.slice(0, first, last) : x;
}

struct Projected {
  Tensor q, k, v;  // [T or S, N, E]
};

Projected project(const Tensor& query, const Tensor& key, const Tensor& value,
                  const MultiheadAttentionForwardFuncOptions& o) {
  const std::int64_t E = o.embed_dim_to_check();
  const Tensor &w = o.in_proj_weight(), &b = o.in_proj_bias();
  if (!o.use_separate_proj_weight() && query.is_same(key) && key.is_same(value)) {
    const std::vector<Tensor> parts = tapedeck::linear(query, w, b).chunk(3, -1);
    return {parts[0], parts[1], parts[2]};
  }
  const bool apart = o.use_separate_proj_weight();
  return {tapedeck::linear(query, apart ? o.q_proj_weight() : rows(w, 0, E), rows(b, 0, E)),
          tapedeck::linear(key, apart ? o.k_proj_weight() : rows(w, E, 2 * E), rows(b, E, 2 * E)),
          tapedeck::linear(value, apart ? o.v_proj_weight() : rows(w, 2 * E, 3 * E),
                           rows(b, 2 * E, 3 * E))};
}

// x with one more column of zeros, for a key that the mask says nothing about.
Tensor widened(const Tensor& mask) {
  if (!mask.defined()) return mask;
  DimVector sizes(mask.sizes());
  sizes[sizes.size() - 1] = 1;
  return cat({mask, zeros(sizes, mask.options())}, -1);
}

}  // namespace

std::tuple<Tensor, Tensor> multi_head_attention_forward(
    const Tensor& query, const Tensor& key, const Tensor& value,
    const MultiheadAttentionForwardFuncOptions& o) {
  TAPEDECK_CHECK_DEFINED("multi_head_attention_forward", query, key, value);
  const tapedeck::detail::OpScope scope("multi_head_attention_forward");
  TAPEDECK_CHECK(query.dim() == 3 && key.dim() == 3 && value.dim() == 3, kOp,
                 ": expected query, key and value of 3 dimensions, got ", query.sizes(), ", ",
                 key.sizes(), " and ", value.sizes());
  const std::int64_t T = query.size(0), N = query.size(1), E = query.size(2);
  const std::int64_t heads = o.num_heads();
  TAPEDECK_CHECK(E == o.embed_dim_to_check(), kOp, ": expected a query of ", o.embed_dim_to_check(),
                 " features, got ", query.sizes());
  TAPEDECK_CHECK(key.size(0) == value.size(0) && key.size(1) == N && value.size(1) == N, kOp,
                 ": expected keys and values of one length and of the query's batch size, got ",
                 query.sizes(), ", ", key.sizes(), " and ", value.sizes());
  TAPEDECK_CHECK(E % heads == 0, kOp, ": embed_dim must be divisible by num_heads, got ", E,
                 " and ", heads);
  const std::int64_t D = E / heads;
  auto [q, k, v] = project(query, key, value, o);
  q = q * (1 / std::sqrt(static_cast<double>(D)));
  Tensor attn_mask = o.attn_mask(), padding_mask = o.key_padding_mask();

  TAPEDECK_CHECK(o.bias_k().defined() == o.bias_v().defined(), kOp,
                 ": expected bias_k and bias_v both, or none");
  if (o.bias_k().defined()) {
    TAPEDECK_CHECK(!o.static_k().defined() && !o.static_v().defined(), kOp,
                   ": bias cannot be added to static keys and values");
    k = cat({k, o.bias_k().expand({1, N, E})}, 0);
    v = cat({v, o.bias_v().expand({1, N, E})}, 0);
    attn_mask = widened(attn_mask);
    padding_mask = widened(padding_mask);
  }
  const auto by_head = [&](const Tensor& x) {  // [N * heads, length, D]
    return x.contiguous().view({-1, N * heads, D}).transpose(0, 1);
  };
  q = by_head(q);
  k = o.static_k().defined() ? o.static_k() : by_head(k);
  v = o.static_v().defined() ? o.static_v() : by_head(v);
  if (o.add_zero_attn()) {
    const Tensor nothing = zeros({N * heads, 1, D}, k.options().requires_grad(false));
    k = cat({k, nothing}, 1);
    v = cat({v, nothing}, 1);
    attn_mask = widened(attn_mask);
    padding_mask = widened(padding_mask);
  }
  const std::int64_t S = k.size(1);
  constexpr double kNever = -std::numeric_limits<double>::infinity();

  Tensor scores = q.bmm(k.transpose(1, 2));  // [N * heads, T, D] x [N * heads, D, S]
  if (attn_mask.defined()) {
    if (attn_mask.dim() == 2) attn_mask = attn_mask.unsqueeze(0);
    scores =
        attn_mask.dtype() == kBool ? scores.masked_fill(attn_mask, kNever) : scores + attn_mask;
  }
  if (padding_mask.defined()) {
    TAPEDECK_CHECK(padding_mask.sizes().equals(DimVector{N, S}), kOp,
                   ": expected a key_padding_mask of shape ", DimVector{N, S}, ", got ",
                   padding_mask.sizes());
    const Tensor excluded = padding_mask.to(kBool).view({N, 1, 1, S});
    scores = scores.view({N, heads, T, S}).masked_fill(excluded, kNever).view({N * heads, T, S});
  }
  const Tensor weights = tapedeck::dropout(scores.softmax(-1), o.dropout_p(), o.training());
  // [N * heads, T, S] x [N * heads, S, D]
  const Tensor mixed = weights.bmm(v).transpose(0, 1).contiguous().view({T, N, E});
  const Tensor output = tapedeck::linear(mixed, o.out_proj_weight(), o.out_proj_bias());
  if (!o.need_weights()) return {output, Tensor()};
  const Tensor shown = weights.view({N, heads, T, S});
  return {output, o.average_attn_weights() ? shown.sum(1) / heads : shown};
}

}  // namespace tapedeck::nn::functional
