#pragma once

#include <cstdint>
#include <iosfwd>
#include <tuple>

#include <tapedeck/nn/modules/container/module_list.h>
#include <tapedeck/nn/modules/dropout.h>
#include <tapedeck/nn/modules/linear.h>
#include <tapedeck/nn/modules/normalization.h>
#include <tapedeck/nn/options/transformer.h>

// Attention Is All You Need (Vaswani et al., 2017). Sequences are [length, batch, features]. A mask
// [T, S] of numbers is added to the scores, and one of bools excludes where it is true; a
// key_padding_mask [N, S] excludes keys.

namespace tapedeck::nn {

/// See functional::multi_head_attention_forward. Projections start Xavier-uniform, biases at 0.
class MultiheadAttentionImpl : public Cloneable<MultiheadAttentionImpl> {
 public:
  MultiheadAttentionImpl(std::int64_t embed_dim, std::int64_t num_heads)
      : MultiheadAttentionImpl(MultiheadAttentionOptions(embed_dim, num_heads)) {}
  explicit MultiheadAttentionImpl(const MultiheadAttentionOptions& options_);
  void reset() override;
  void _reset_parameters();
  void pretty_print(std::ostream& stream) const override;
  /// The output [T, N, E], and the weights [N, T, S].
  std::tuple<Tensor, Tensor> forward(const Tensor& query, const Tensor& key, const Tensor& value,
                                     const Tensor& key_padding_mask = {}, bool need_weights = true,
                                     const Tensor& attn_mask = {},
                                     bool average_attn_weights = true);

  MultiheadAttentionOptions options;
  bool _qkv_same_embed_dim = true;
  Tensor in_proj_weight;  ///< [3 E, E], or undefined where keys or values have other features
  Tensor in_proj_bias;    ///< [3 E], or undefined
  Tensor bias_k, bias_v;  ///< [1, 1, E], or undefined
  Linear out_proj = nullptr;
  Tensor q_proj_weight, k_proj_weight, v_proj_weight;  ///< instead of in_proj_weight
  std::int64_t head_dim = 0;

  TAPEDECK_DECLARE_DEFAULT_ARGS()
};
TAPEDECK_LIBRARY_MODULE(MultiheadAttention);

/// x' = norm(x + attention(x)); norm(x' + feedforward(x')).
class TransformerEncoderLayerImpl : public Cloneable<TransformerEncoderLayerImpl> {
 public:
  TransformerEncoderLayerImpl(std::int64_t d_model, std::int64_t nhead);
  explicit TransformerEncoderLayerImpl(TransformerEncoderLayerOptions options_);
  void reset() override;
  void reset_parameters();
  Tensor forward(const Tensor& src, const Tensor& src_mask = {},
                 const Tensor& src_key_padding_mask = {});

  TransformerEncoderLayerOptions options;
  MultiheadAttention self_attn = nullptr;
  Linear linear1 = nullptr;
  Dropout dropout = nullptr;
  Linear linear2 = nullptr;
  LayerNorm norm1 = nullptr, norm2 = nullptr;
  Dropout dropout1 = nullptr, dropout2 = nullptr;

  TAPEDECK_DECLARE_DEFAULT_ARGS()
};
TAPEDECK_LIBRARY_MODULE(TransformerEncoderLayer);

/// As the encoder's layer, with attention to what the encoder returned in between.
class TransformerDecoderLayerImpl : public Cloneable<TransformerDecoderLayerImpl> {
 public:
  TransformerDecoderLayerImpl(std::int64_t d_model, std::int64_t nhead);
  explicit TransformerDecoderLayerImpl(TransformerDecoderLayerOptions options_);
  void reset() override;
  void reset_parameters();
  Tensor forward(Tensor tgt, const Tensor& memory, const Tensor& tgt_mask = {},
                 const Tensor& memory_mask = {}, const Tensor& tgt_key_padding_mask = {},
                 const Tensor& memory_key_padding_mask = {});

  TransformerDecoderLayerOptions options;
  MultiheadAttention self_attn = nullptr;
  Dropout dropout1 = nullptr;
  LayerNorm norm1 = nullptr;
  MultiheadAttention multihead_attn = nullptr;
  Dropout dropout2 = nullptr;
  LayerNorm norm2 = nullptr;
  Linear linear1 = nullptr;
  Dropout dropout = nullptr;
  Linear linear2 = nullptr;
  Dropout dropout3 = nullptr;
  LayerNorm norm3 = nullptr;

  TAPEDECK_DECLARE_DEFAULT_ARGS()
};
TAPEDECK_LIBRARY_MODULE(TransformerDecoderLayer);

/// Options of TransformerEncoder: a layer to copy, and how often; `norm` comes last, if given.
struct TransformerEncoderOptions {
  TransformerEncoderOptions(TransformerEncoderLayer encoder_layer, std::int64_t num_layers);
  TransformerEncoderOptions(const TransformerEncoderLayerOptions& layer_options,
                            std::int64_t num_layers);
  TAPEDECK_ARG(TransformerEncoderLayer, encoder_layer) = nullptr;
  TAPEDECK_ARG(std::int64_t, num_layers);
  TAPEDECK_ARG(AnyModule, norm);
};

/// Options of TransformerDecoder, likewise.
struct TransformerDecoderOptions {
  TransformerDecoderOptions(TransformerDecoderLayer decoder_layer, std::int64_t num_layers);
  TransformerDecoderOptions(const TransformerDecoderLayerOptions& layer_options,
                            std::int64_t num_layers);
  TAPEDECK_ARG(TransformerDecoderLayer, decoder_layer) = nullptr;
  TAPEDECK_ARG(std::int64_t, num_layers);
  TAPEDECK_ARG(AnyModule, norm);
};

/// A stack of encoder layers.
class TransformerEncoderImpl : public Cloneable<TransformerEncoderImpl> {
 public:
  TransformerEncoderImpl(TransformerEncoderLayer encoder_layer, std::int64_t num_layers);
  explicit TransformerEncoderImpl(TransformerEncoderOptions options_);
  void reset() override;
  void reset_parameters();
  Tensor forward(const Tensor& src, const Tensor& src_mask = {},
                 const Tensor& src_key_padding_mask = {});

  TransformerEncoderOptions options;
  ModuleList layers = nullptr;
  AnyModule norm;

  TAPEDECK_DECLARE_DEFAULT_ARGS()
};
TAPEDECK_LIBRARY_MODULE(TransformerEncoder);

/// A stack of decoder layers.
class TransformerDecoderImpl : public Cloneable<TransformerDecoderImpl> {
 public:
  TransformerDecoderImpl(TransformerDecoderLayer decoder_layer, std::int64_t num_layers);
  explicit TransformerDecoderImpl(TransformerDecoderOptions options_);
  void reset() override;
  void reset_parameters();
  Tensor forward(const Tensor& tgt, const Tensor& memory, const Tensor& tgt_mask = {},
                 const Tensor& memory_mask = {}, const Tensor& tgt_key_padding_mask = {},
                 const Tensor& memory_key_padding_mask = {});

  TransformerDecoderOptions options;
  ModuleList layers = nullptr;
  AnyModule norm;

  TAPEDECK_DECLARE_DEFAULT_ARGS()
};
TAPEDECK_LIBRARY_MODULE(TransformerDecoder);

/// An encoder of src [S, N, E] and a decoder of tgt [T, N, E] that attends to it: [T, N, E].
class TransformerImpl : public Cloneable<TransformerImpl> {
 public:
  explicit TransformerImpl(TransformerOptions options_ = {});
  void reset() override;
  void reset_parameters();
  Tensor forward(const Tensor& src, const Tensor& tgt, const Tensor& src_mask = {},
                 const Tensor& tgt_mask = {}, const Tensor& memory_mask = {},
                 const Tensor& src_key_padding_mask = {}, const Tensor& tgt_key_padding_mask = {},
                 const Tensor& memory_key_padding_mask = {});
  /// [sz, sz]: -infinity above the diagonal, so that no step sees those after it, and zeros.
  static Tensor generate_square_subsequent_mask(std::int64_t sz);

  TransformerOptions options;
  AnyModule encoder, decoder;

  TAPEDECK_DECLARE_DEFAULT_ARGS()
};
TAPEDECK_LIBRARY_MODULE(Transformer);

}  // namespace tapedeck::nn
