#include <tapedeck/nn/functional/embedding.h>

#include <algorithm>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/embedding.h>

namespace tapedeck::nn::functional {

namespace {

// padding_idx in [0, rows); -1 for none.
std::int64_t wrapped(const char* op, const std::optional<std::int64_t>& padding_idx,
                     const Tensor& weight) {
  if (!padding_idx) return -1;
  const std::int64_t rows = weight.size(0);
  TAPEDECK_CHECK_AS(IndexError, *padding_idx >= -rows && *padding_idx < rows, op,
                    ": padding_idx must be within the number of embeddings, got ", *padding_idx,
                    " for ", rows);
  return *padding_idx < 0 ? *padding_idx + rows : *padding_idx;
}

void renormalize(const Tensor& weight, const Tensor& input, const std::optional<double>& max_norm,
                 double norm_type) {
  if (!max_norm) return;
  const NoGradGuard no_grad;
  Tensor target = weight;
  embedding_renorm_(target, input, *max_norm, norm_type);
}

}  // namespace

Tensor embedding(const Tensor& input, const Tensor& weight, const EmbeddingFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("embedding", input, weight);
  const tapedeck::detail::OpScope scope("embedding");
  const std::int64_t padding_idx = wrapped("embedding", options.padding_idx(), weight);
  renormalize(weight, input, options.max_norm(), options.norm_type());
  return tapedeck::embedding(weight, input, padding_idx, options.scale_grad_by_freq(),
                             options.sparse());
}

Tensor embedding_bag(const Tensor& input, const Tensor& weight,
                     const EmbeddingBagFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("embedding_bag", input, weight);
  const tapedeck::detail::OpScope scope("embedding_bag");
  const std::int64_t padding_idx = wrapped("embedding_bag", options.padding_idx(), weight);
  Tensor indices = input, offsets = options.offsets(), weights = options.per_sample_weights();
  TAPEDECK_CHECK(!weights.defined() || weights.sizes().equals(input.sizes()),
                 "embedding_bag: expected per_sample_weights of the input's shape ", input.sizes(),
                 ", got ", weights.sizes());
  if (input.dim() == 2) {
    TAPEDECK_CHECK(!offsets.defined(),
                   "embedding_bag: expected no offsets for a 2D input, whose rows are the bags");
    offsets = arange(0, input.numel(), std::max<std::int64_t>(1, input.size(1)), kLong);
    indices = input.reshape(-1);
    if (weights.defined()) weights = weights.reshape(-1);
  } else {
    TAPEDECK_CHECK(input.dim() == 1, "embedding_bag: expected a 1D or 2D input, got ",
                   input.sizes());
    TAPEDECK_CHECK(offsets.defined(), "embedding_bag: expected offsets for a 1D input");
  }
  std::int64_t mode = 0;
  if (holds_alternative<enumtype::kMean>(options.mode())) mode = 1;
  if (holds_alternative<enumtype::kMax>(options.mode())) mode = 2;
  renormalize(weight, indices, options.max_norm(), options.norm_type());
  return std::get<0>(tapedeck::embedding_bag(weight, indices, offsets, options.scale_grad_by_freq(),
                                             mode, options.sparse(), weights,
                                             options.include_last_offset(), padding_idx));
}

}  // namespace tapedeck::nn::functional
