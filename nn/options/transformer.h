#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <variant>

#include <tapedeck/array/arg.h>
#include <tapedeck/nn/any_module.h>
#include <tapedeck/nn/enum.h>

namespace tapedeck::nn {

/// Options of MultiheadAttention. kdim and vdim are the features of keys and values.
struct MultiheadAttentionOptions {
  MultiheadAttentionOptions(std::int64_t embed_dim, std::int64_t num_heads)
      : embed_dim_(embed_dim), num_heads_(num_heads), kdim_(embed_dim), vdim_(embed_dim) {}
  TAPEDECK_ARG(std::int64_t, embed_dim);
  TAPEDECK_ARG(std::int64_t, num_heads);
  TAPEDECK_ARG(double, dropout) = 0.0;
  TAPEDECK_ARG(bool, bias) = true;
  TAPEDECK_ARG(bool, add_bias_kv) = false;
  TAPEDECK_ARG(bool, add_zero_attn) = false;
  TAPEDECK_ARG(std::int64_t, kdim);
  TAPEDECK_ARG(std::int64_t, vdim);
};

using activation_t =
    std::variant<enumtype::kReLU, enumtype::kGELU, std::function<Tensor(const Tensor&)>>;

/// Options of one layer of a transformer's encoder or decoder.
struct TransformerLayerOptions {
  TransformerLayerOptions(std::int64_t d_model, std::int64_t nhead);
  /// Default: kReLU, the first alternative. Not inline: to assign a variant takes a compiler long.
  TransformerLayerOptions& activation(activation_t value);
  const activation_t& activation() const noexcept { return activation_; }
  activation_t& activation() noexcept { return activation_; }
  TAPEDECK_ARG(std::int64_t, d_model);
  TAPEDECK_ARG(std::int64_t, nhead);
  TAPEDECK_ARG(std::int64_t, dim_feedforward) = 2048;
  TAPEDECK_ARG(double, dropout) = 0.1;

 private:
  activation_t activation_;
};
using TransformerEncoderLayerOptions = TransformerLayerOptions;
using TransformerDecoderLayerOptions = TransformerLayerOptions;

/// Options of Transformer.
struct TransformerOptions {
  TransformerOptions();
  TransformerOptions(std::int64_t d_model, std::int64_t nhead);
  TransformerOptions(std::int64_t d_model, std::int64_t nhead, std::int64_t num_encoder_layers,
                     std::int64_t num_decoder_layers);
  /// Default: kReLU, the first alternative.
  TransformerOptions& activation(activation_t value);
  const activation_t& activation() const noexcept { return activation_; }
  activation_t& activation() noexcept { return activation_; }
  TAPEDECK_ARG(std::int64_t, d_model) = 512;
  TAPEDECK_ARG(std::int64_t, nhead) = 8;
  TAPEDECK_ARG(std::int64_t, num_encoder_layers) = 6;
  TAPEDECK_ARG(std::int64_t, num_decoder_layers) = 6;
  TAPEDECK_ARG(std::int64_t, dim_feedforward) = 2048;
  TAPEDECK_ARG(double, dropout) = 0.1;
  TAPEDECK_ARG(AnyModule, custom_encoder);
  TAPEDECK_ARG(AnyModule, custom_decoder);

 private:
  activation_t activation_;
};

namespace functional {

/// Options of functional::multi_head_attention_forward: the parameters of MultiheadAttention.
struct MultiheadAttentionForwardFuncOptions {
  MultiheadAttentionForwardFuncOptions(std::int64_t embed_dim_to_check, std::int64_t num_heads,
                                       Tensor in_proj_weight, Tensor in_proj_bias, Tensor bias_k,
                                       Tensor bias_v, bool add_zero_attn, double dropout_p,
                                       Tensor out_proj_weight, Tensor out_proj_bias)
      : embed_dim_to_check_(embed_dim_to_check),
        num_heads_(num_heads),
        in_proj_weight_(std::move(in_proj_weight)),
        in_proj_bias_(std::move(in_proj_bias)),
        bias_k_(std::move(bias_k)),
        bias_v_(std::move(bias_v)),
        add_zero_attn_(add_zero_attn),
        dropout_p_(dropout_p),
        out_proj_weight_(std::move(out_proj_weight)),
        out_proj_bias_(std::move(out_proj_bias)) {}
  TAPEDECK_ARG(std::int64_t, embed_dim_to_check);
  TAPEDECK_ARG(std::int64_t, num_heads);
  TAPEDECK_ARG(Tensor, in_proj_weight);
  TAPEDECK_ARG(Tensor, in_proj_bias);
  TAPEDECK_ARG(Tensor, bias_k);
  TAPEDECK_ARG(Tensor, bias_v);
  TAPEDECK_ARG(bool, add_zero_attn);
  TAPEDECK_ARG(double, dropout_p);
  TAPEDECK_ARG(Tensor, out_proj_weight);
  TAPEDECK_ARG(Tensor, out_proj_bias);
  TAPEDECK_ARG(bool, training) = true;
  TAPEDECK_ARG(Tensor, key_padding_mask) = {};
  TAPEDECK_ARG(bool, need_weights) = true;
  TAPEDECK_ARG(Tensor, attn_mask) = {};
  TAPEDECK_ARG(bool, use_separate_proj_weight) = false;
  TAPEDECK_ARG(Tensor, q_proj_weight) = {};
  TAPEDECK_ARG(Tensor, k_proj_weight) = {};
  TAPEDECK_ARG(Tensor, v_proj_weight) = {};
  TAPEDECK_ARG(Tensor, static_k) = {};
  TAPEDECK_ARG(Tensor, static_v) = {};
  TAPEDECK_ARG(bool, average_attn_weights) = true;
};

}  // namespace functional
}  // namespace tapedeck::nn
