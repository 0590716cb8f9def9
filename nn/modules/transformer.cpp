#include <tapedeck/nn/modules/transformer.h>

#include <limits>
#include <ostream>
#include <utility>

#include <tapedeck/nn/any_module.h>
#include <tapedeck/nn/functional/attention.h>
#include <tapedeck/nn/init.h>
#include <tapedeck/nn/internal/print.h>
#include <tapedeck/ops/activation.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/rearrange.h>

namespace tapedeck::nn {

namespace F = functional;

// ---- attention ----

MultiheadAttentionImpl::MultiheadAttentionImpl(const MultiheadAttentionOptions& options_)
    : options(options_) {
  reset();
}
void MultiheadAttentionImpl::reset() {
  const std::int64_t E = options.embed_dim();
  TAPEDECK_CHECK(options.num_heads() > 0 && E % options.num_heads() == 0,
                 "MultiheadAttention: embed_dim must be divisible by num_heads, got ", E, " and ",
                 options.num_heads());
  _qkv_same_embed_dim = options.kdim() == E && options.vdim() == E;
  head_dim = E / options.num_heads();
  const auto parameter = [this](const char* name, bool wanted, IntArrayRef sizes) {
    return register_parameter(name, wanted ? empty(sizes) : Tensor(), wanted);
  };
  const bool apart = !_qkv_same_embed_dim;
  in_proj_weight = parameter("in_proj_weight", !apart, {3 * E, E});
  q_proj_weight = parameter("q_proj_weight", apart, {E, E});
  k_proj_weight = parameter("k_proj_weight", apart, {E, options.kdim()});
  v_proj_weight = parameter("v_proj_weight", apart, {E, options.vdim()});
  in_proj_bias = parameter("in_proj_bias", options.bias(), {3 * E});
  out_proj = register_module("out_proj", Linear(LinearOptions(E, E).bias(options.bias())));
  bias_k = parameter("bias_k", options.add_bias_kv(), {1, 1, E});
  bias_v = parameter("bias_v", options.add_bias_kv(), {1, 1, E});
  _reset_parameters();
}
void MultiheadAttentionImpl::_reset_parameters() {
  for (const Tensor& weight : {in_proj_weight, q_proj_weight, k_proj_weight, v_proj_weight})
    if (weight.defined()) init::xavier_uniform_(weight);
  if (in_proj_bias.defined()) {
    init::constant_(in_proj_bias, 0);
    init::constant_(out_proj->bias, 0);
  }
  for (const Tensor& bias : {bias_k, bias_v})
    if (bias.defined()) init::xavier_normal_(bias);
}
void MultiheadAttentionImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("MultiheadAttention");
}
std::tuple<Tensor, Tensor> MultiheadAttentionImpl::forward(
    const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& key_padding_mask,
    bool need_weights, const Tensor& attn_mask, bool average_attn_weights) {
  return detail::call_module(
      *this,
      [&](const Tensor& q, const Tensor& k, const Tensor& v) {
        return F::multi_head_attention_forward(
            q, k, v,
            F::MultiheadAttentionForwardFuncOptions(options.embed_dim(), options.num_heads(),
                                                    in_proj_weight, in_proj_bias, bias_k, bias_v,
                                                    options.add_zero_attn(), options.dropout(),
                                                    out_proj->weight, out_proj->bias)
                .training(is_training())
                .key_padding_mask(key_padding_mask)
                .need_weights(need_weights)
                .attn_mask(attn_mask)
                .use_separate_proj_weight(!_qkv_same_embed_dim)
                .q_proj_weight(q_proj_weight)
                .k_proj_weight(k_proj_weight)
                .v_proj_weight(v_proj_weight)
                .average_attn_weights(average_attn_weights));
      },
      query, key, value);
}

// ---- layers ----

namespace {

Tensor activate(const activation_t& activation, const Tensor& x) {
  if (std::holds_alternative<enumtype::kReLU>(activation)) return x.relu();
  if (std::holds_alternative<enumtype::kGELU>(activation)) return gelu(x);
  return std::get<std::function<Tensor(const Tensor&)>>(activation)(x);
}

MultiheadAttention attention_of(const TransformerLayerOptions& o) {
  return MultiheadAttention(MultiheadAttentionOptions(o.d_model(), o.nhead()).dropout(o.dropout()));
}
LayerNorm norm_of(const TransformerLayerOptions& o) {
  return LayerNorm(LayerNormOptions({o.d_model()}));
}

}  // namespace

TransformerEncoderLayerImpl::TransformerEncoderLayerImpl(std::int64_t d_model, std::int64_t nhead)
    : TransformerEncoderLayerImpl(TransformerEncoderLayerOptions(d_model, nhead)) {}
TransformerEncoderLayerImpl::TransformerEncoderLayerImpl(TransformerEncoderLayerOptions options_)
    : options(std::move(options_)) {
  reset();
}
void TransformerEncoderLayerImpl::reset() {
  self_attn = register_module("self_attn", attention_of(options));
  linear1 = register_module("linear1", Linear(options.d_model(), options.dim_feedforward()));
  dropout = register_module("dropout", Dropout(options.dropout()));
  linear2 = register_module("linear2", Linear(options.dim_feedforward(), options.d_model()));
  norm1 = register_module("norm1", norm_of(options));
  norm2 = register_module("norm2", norm_of(options));
  dropout1 = register_module("dropout1", Dropout(options.dropout()));
  dropout2 = register_module("dropout2", Dropout(options.dropout()));
}
void TransformerEncoderLayerImpl::reset_parameters() {
  self_attn->_reset_parameters();
  linear1->reset_parameters();
  linear2->reset_parameters();
  norm1->reset_parameters();
  norm2->reset_parameters();
}
Tensor TransformerEncoderLayerImpl::forward(const Tensor& src, const Tensor& src_mask,
                                            const Tensor& src_key_padding_mask) {
  return detail::call_module(
      *this,
      [&](const Tensor& x) {
        const Tensor seen =
            std::get<0>(self_attn->forward(x, x, x, src_key_padding_mask, false, src_mask));
        const Tensor y = norm1(x + dropout1(seen));
        return norm2(y + dropout2(linear2(dropout(activate(options.activation(), linear1(y))))));
      },
      src);
}

TransformerDecoderLayerImpl::TransformerDecoderLayerImpl(std::int64_t d_model, std::int64_t nhead)
    : TransformerDecoderLayerImpl(TransformerDecoderLayerOptions(d_model, nhead)) {}
TransformerDecoderLayerImpl::TransformerDecoderLayerImpl(TransformerDecoderLayerOptions options_)
    : options(std::move(options_)) {
  reset();
}
void TransformerDecoderLayerImpl::reset() {
  self_attn = register_module("self_attn", attention_of(options));
  multihead_attn = register_module("multihead_attn", attention_of(options));
  linear1 = register_module("linear1", Linear(options.d_model(), options.dim_feedforward()));
  dropout = register_module("dropout", Dropout(options.dropout()));
  linear2 = register_module("linear2", Linear(options.dim_feedforward(), options.d_model()));
  norm1 = register_module("norm1", norm_of(options));
  norm2 = register_module("norm2", norm_of(options));
  norm3 = register_module("norm3", norm_of(options));
  dropout1 = register_module("dropout1", Dropout(options.dropout()));
  dropout2 = register_module("dropout2", Dropout(options.dropout()));
  dropout3 = register_module("dropout3", Dropout(options.dropout()));
}
void TransformerDecoderLayerImpl::reset_parameters() {
  self_attn->_reset_parameters();
  norm1->reset_parameters();
  multihead_attn->_reset_parameters();
  norm2->reset_parameters();
  linear1->reset_parameters();
  linear2->reset_parameters();
  norm3->reset_parameters();
}
Tensor TransformerDecoderLayerImpl::forward(Tensor tgt, const Tensor& memory,
                                            const Tensor& tgt_mask, const Tensor& memory_mask,
                                            const Tensor& tgt_key_padding_mask,
                                            const Tensor& memory_key_padding_mask) {
  return detail::call_module(
      *this,
      [&](const Tensor& x, const Tensor& encoded) {
        const Tensor seen =
            std::get<0>(self_attn->forward(x, x, x, tgt_key_padding_mask, false, tgt_mask));
        const Tensor y = norm1(x + dropout1(seen));
        const Tensor read = std::get<0>(multihead_attn->forward(
            y, encoded, encoded, memory_key_padding_mask, false, memory_mask));
        const Tensor z = norm2(y + dropout2(read));
        return norm3(z + dropout3(linear2(dropout(activate(options.activation(), linear1(z))))));
      },
      tgt, memory);
}

// ---- stacks ----

namespace {

// `count` copies of a layer, and the norm, registered.
template <typename Stack, typename Layer>
void fill_stack(Stack& stack, const Layer& layer, std::int64_t count) {
  stack.layers = stack.register_module("layers", ModuleList());
  for (std::int64_t i = 0; i < count; ++i) stack.layers->push_back(layer->clone());
  if (stack.options.norm().is_empty()) return;
  stack.norm = stack.options.norm().clone();
  stack.register_module("norm", stack.norm.ptr());
}
template <typename LayerImpl, typename Stack>
void reset_stack(Stack& stack) {
  for (std::size_t i = 0; i < stack.layers->size(); ++i)
    stack.layers->template at<LayerImpl>(i).reset_parameters();
  if (!stack.norm.is_empty()) stack.norm.template get<LayerNorm>()->reset_parameters();
}

}  // namespace

TransformerEncoderOptions::TransformerEncoderOptions(TransformerEncoderLayer encoder_layer,
                                                     std::int64_t num_layers)
    : encoder_layer_(std::move(encoder_layer)), num_layers_(num_layers) {}
TransformerEncoderOptions::TransformerEncoderOptions(
    const TransformerEncoderLayerOptions& layer_options, std::int64_t num_layers)
    : TransformerEncoderOptions(TransformerEncoderLayer(layer_options), num_layers) {}

TransformerEncoderImpl::TransformerEncoderImpl(TransformerEncoderLayer encoder_layer,
                                               std::int64_t num_layers)
    : TransformerEncoderImpl(TransformerEncoderOptions(std::move(encoder_layer), num_layers)) {}
TransformerEncoderImpl::TransformerEncoderImpl(TransformerEncoderOptions options_)
    : options(std::move(options_)) {
  TransformerEncoderImpl::reset();
}
void TransformerEncoderImpl::reset() {
  fill_stack(*this, options.encoder_layer(), options.num_layers());
}
void TransformerEncoderImpl::reset_parameters() { reset_stack<TransformerEncoderLayerImpl>(*this); }
Tensor TransformerEncoderImpl::forward(const Tensor& src, const Tensor& src_mask,
                                       const Tensor& src_key_padding_mask) {
  return detail::call_module(
      *this,
      [&](Tensor x) {
        for (std::size_t i = 0; i < layers->size(); ++i)
          x = layers->at<TransformerEncoderLayerImpl>(i).forward(x, src_mask, src_key_padding_mask);
        return norm.is_empty() ? x : norm.forward<Tensor>(x);
      },
      src);
}

TransformerDecoderOptions::TransformerDecoderOptions(TransformerDecoderLayer decoder_layer,
                                                     std::int64_t num_layers)
    : decoder_layer_(std::move(decoder_layer)), num_layers_(num_layers) {}
TransformerDecoderOptions::TransformerDecoderOptions(
    const TransformerDecoderLayerOptions& layer_options, std::int64_t num_layers)
    : TransformerDecoderOptions(TransformerDecoderLayer(layer_options), num_layers) {}

TransformerDecoderImpl::TransformerDecoderImpl(TransformerDecoderLayer decoder_layer,
                                               std::int64_t num_layers)
    : TransformerDecoderImpl(TransformerDecoderOptions(std::move(decoder_layer), num_layers)) {}
TransformerDecoderImpl::TransformerDecoderImpl(TransformerDecoderOptions options_)
    : options(std::move(options_)) {
  TransformerDecoderImpl::reset();
}
void TransformerDecoderImpl::reset() {
  fill_stack(*this, options.decoder_layer(), options.num_layers());
}
void TransformerDecoderImpl::reset_parameters() { reset_stack<TransformerDecoderLayerImpl>(*this); }
Tensor TransformerDecoderImpl::forward(const Tensor& tgt, const Tensor& memory,
                                       const Tensor& tgt_mask, const Tensor& memory_mask,
                                       const Tensor& tgt_key_padding_mask,
                                       const Tensor& memory_key_padding_mask) {
  return detail::call_module(
      *this,
      [&](Tensor x, const Tensor& encoded) {
        for (std::size_t i = 0; i < layers->size(); ++i)
          x = layers->at<TransformerDecoderLayerImpl>(i).forward(
              x, encoded, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask);
        return norm.is_empty() ? x : norm.forward<Tensor>(x);
      },
      tgt, memory);
}

TransformerImpl::TransformerImpl(TransformerOptions options_) : options(std::move(options_)) {
  reset();
}
void TransformerImpl::reset() {
  const auto layer_options = TransformerLayerOptions(options.d_model(), options.nhead())
                                 .dim_feedforward(options.dim_feedforward())
                                 .dropout(options.dropout())
                                 .activation(options.activation());
  const LayerNormOptions norm({options.d_model()});
  encoder = options.custom_encoder().is_empty()
                ? AnyModule(TransformerEncoder(
                      TransformerEncoderOptions(layer_options, options.num_encoder_layers())
                          .norm(AnyModule(LayerNorm(norm)))))
                : options.custom_encoder().clone();
  register_module("encoder", encoder.ptr());
  decoder = options.custom_decoder().is_empty()
                ? AnyModule(TransformerDecoder(
                      TransformerDecoderOptions(layer_options, options.num_decoder_layers())
                          .norm(AnyModule(LayerNorm(norm)))))
                : options.custom_decoder().clone();
  register_module("decoder", decoder.ptr());
  reset_parameters();
}
void TransformerImpl::reset_parameters() {
  for (const Tensor& parameter : parameters())
    if (parameter.dim() > 1) init::xavier_uniform_(parameter);
}
Tensor TransformerImpl::forward(const Tensor& src, const Tensor& tgt, const Tensor& src_mask,
                                const Tensor& tgt_mask, const Tensor& memory_mask,
                                const Tensor& src_key_padding_mask,
                                const Tensor& tgt_key_padding_mask,
                                const Tensor& memory_key_padding_mask) {
  TAPEDECK_CHECK(src.dim() == 3 && tgt.dim() == 3,
                 "Transformer: src and tgt should have 3 dimensions, but got ", src.sizes(),
                 " and ", tgt.sizes());
  TAPEDECK_CHECK(src.size(1) == tgt.size(1),
                 "Transformer: src and tgt should have equal batch size (at dim 1), but got ",
                 src.sizes(), " and ", tgt.sizes());
  TAPEDECK_CHECK(src.size(2) == options.d_model() && tgt.size(2) == options.d_model(),
                 "Transformer: src and tgt should have same feature size as d_model (at dim 2), "
                 "but got ",
                 src.sizes(), " and ", tgt.sizes(), " with d_model ", options.d_model());
  return detail::call_module(
      *this,
      [&](const Tensor& source, const Tensor& target) {
        const Tensor memory = encoder.forward<Tensor>(source, src_mask, src_key_padding_mask);
        return decoder.forward<Tensor>(target, memory, tgt_mask, memory_mask, tgt_key_padding_mask,
                                       memory_key_padding_mask);
      },
      src, tgt);
}
Tensor TransformerImpl::generate_square_subsequent_mask(std::int64_t sz) {
  TAPEDECK_CHECK(sz >= 0,
                 "generate_square_subsequent_mask: expected a size that is not negative, "
                 "got ",
                 sz);
  return full({sz, sz}, -std::numeric_limits<double>::infinity(), kFloat32).triu(1);
}

TAPEDECK_DEFINE_DEFAULT_ARGS(MultiheadAttentionImpl, {3, AnyValue(Tensor())}, {4, AnyValue(true)},
                             {5, AnyValue(Tensor())}, {6, AnyValue(true)})
TAPEDECK_DEFINE_DEFAULT_ARGS(TransformerEncoderLayerImpl, {1, AnyValue(Tensor())},
                             {2, AnyValue(Tensor())})
TAPEDECK_DEFINE_DEFAULT_ARGS(TransformerDecoderLayerImpl, {2, AnyValue(Tensor())},
                             {3, AnyValue(Tensor())}, {4, AnyValue(Tensor())},
                             {5, AnyValue(Tensor())})
TAPEDECK_DEFINE_DEFAULT_ARGS(TransformerEncoderImpl, {1, AnyValue(Tensor())},
                             {2, AnyValue(Tensor())})
TAPEDECK_DEFINE_DEFAULT_ARGS(TransformerDecoderImpl, {2, AnyValue(Tensor())},
                             {3, AnyValue(Tensor())}, {4, AnyValue(Tensor())},
                             {5, AnyValue(Tensor())})
TAPEDECK_DEFINE_DEFAULT_ARGS(TransformerImpl, {2, AnyValue(Tensor())}, {3, AnyValue(Tensor())},
                             {4, AnyValue(Tensor())}, {5, AnyValue(Tensor())},
                             {6, AnyValue(Tensor())}, {7, AnyValue(Tensor())})

template class Cloneable<MultiheadAttentionImpl>;
template class Cloneable<TransformerEncoderLayerImpl>;
template class Cloneable<TransformerDecoderLayerImpl>;
template class Cloneable<TransformerEncoderImpl>;
template class Cloneable<TransformerDecoderImpl>;
template class Cloneable<TransformerImpl>;

}  // namespace tapedeck::nn
