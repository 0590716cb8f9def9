#pragma once

#include <cstdint>
#include <optional>

#include <tapedeck/array/arg.h>
#include <tapedeck/nn/enum.h>

namespace tapedeck::nn {

/// Options of Embedding. Rows longer than max_norm (in norm_type) are scaled to it when they are
/// looked up; padding_idx is a row without a gradient. There are no sparse gradients.
struct EmbeddingOptions {
  EmbeddingOptions(std::int64_t num_embeddings, std::int64_t embedding_dim)
      : num_embeddings_(num_embeddings), embedding_dim_(embedding_dim) {}
  TAPEDECK_ARG(std::int64_t, num_embeddings);
  TAPEDECK_ARG(std::int64_t, embedding_dim);
  TAPEDECK_ARG(std::optional<std::int64_t>, padding_idx) = std::nullopt;
  TAPEDECK_ARG(std::optional<double>, max_norm) = std::nullopt;
  TAPEDECK_ARG(double, norm_type) = 2.;
  TAPEDECK_ARG(bool, scale_grad_by_freq) = false;
  TAPEDECK_ARG(bool, sparse) = false;
  TAPEDECK_ARG(Tensor, _weight) = Tensor();
};

/// Options of Embedding::from_pretrained.
struct EmbeddingFromPretrainedOptions {
  TAPEDECK_ARG(bool, freeze) = true;
  TAPEDECK_ARG(std::optional<std::int64_t>, padding_idx) = std::nullopt;
  TAPEDECK_ARG(std::optional<double>, max_norm) = std::nullopt;
  TAPEDECK_ARG(double, norm_type) = 2.;
  TAPEDECK_ARG(bool, scale_grad_by_freq) = false;
  TAPEDECK_ARG(bool, sparse) = false;
};

using EmbeddingBagMode = OneOf<enumtype::kSum, enumtype::kMean, enumtype::kMax>;

/// Options of EmbeddingBag, which reduces the rows of each bag to one.
struct EmbeddingBagOptions {
  EmbeddingBagOptions(std::int64_t num_embeddings, std::int64_t embedding_dim)
      : num_embeddings_(num_embeddings), embedding_dim_(embedding_dim) {}
  TAPEDECK_ARG(std::int64_t, num_embeddings);
  TAPEDECK_ARG(std::int64_t, embedding_dim);
  TAPEDECK_ARG(std::optional<double>, max_norm) = std::nullopt;
  TAPEDECK_ARG(double, norm_type) = 2.;
  TAPEDECK_ARG(bool, scale_grad_by_freq) = false;
  TAPEDECK_ARG(EmbeddingBagMode, mode) = kMean;
  TAPEDECK_ARG(bool, sparse) = false;
  TAPEDECK_ARG(Tensor, _weight) = Tensor();
  TAPEDECK_ARG(bool, include_last_offset) = false;
  TAPEDECK_ARG(std::optional<std::int64_t>, padding_idx) = std::nullopt;
};

/// Options of EmbeddingBag::from_pretrained.
struct EmbeddingBagFromPretrainedOptions {
  TAPEDECK_ARG(bool, freeze) = true;
  TAPEDECK_ARG(std::optional<double>, max_norm) = std::nullopt;
  TAPEDECK_ARG(double, norm_type) = 2.;
  TAPEDECK_ARG(bool, scale_grad_by_freq) = false;
  TAPEDECK_ARG(EmbeddingBagMode, mode) = kMean;
  TAPEDECK_ARG(bool, sparse) = false;
  TAPEDECK_ARG(bool, include_last_offset) = false;
  TAPEDECK_ARG(std::optional<std::int64_t>, padding_idx) = std::nullopt;
};

namespace functional {

struct EmbeddingFuncOptions {
  TAPEDECK_ARG(std::optional<std::int64_t>, padding_idx) = std::nullopt;
  TAPEDECK_ARG(std::optional<double>, max_norm) = std::nullopt;
  TAPEDECK_ARG(double, norm_type) = 2.;
  TAPEDECK_ARG(bool, scale_grad_by_freq) = false;
  TAPEDECK_ARG(bool, sparse) = false;
};

struct EmbeddingBagFuncOptions {
  TAPEDECK_ARG(Tensor, offsets) = Tensor();
  TAPEDECK_ARG(std::optional<double>, max_norm) = std::nullopt;
  TAPEDECK_ARG(double, norm_type) = 2.;
  TAPEDECK_ARG(bool, scale_grad_by_freq) = false;
  TAPEDECK_ARG(EmbeddingBagMode, mode) = kMean;
  TAPEDECK_ARG(bool, sparse) = false;
  TAPEDECK_ARG(Tensor, per_sample_weights) = Tensor();
  TAPEDECK_ARG(bool, include_last_offset) = false;
  TAPEDECK_ARG(std::optional<std::int64_t>, padding_idx) = std::nullopt;
};

}  // namespace functional
}  // namespace tapedeck::nn
