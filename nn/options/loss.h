#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include <tapedeck/array/arg.h>
#include <tapedeck/nn/enum.h>

namespace tapedeck::nn {

namespace detail {
/// kNone: the loss of each element; kMean: their mean; kSum: their sum.
using loss_reduction_t = OneOf<enumtype::kNone, enumtype::kMean, enumtype::kSum>;
}  // namespace detail

// Constructors that let `l1_loss(x, y, kSum)` name the reduction alone.
#define TAPEDECK_REDUCTION_ONLY(Options)                        \
  Options() = default;                                          \
  Options(enumtype::kNone reduction) : reduction_(reduction) {} \
  Options(enumtype::kMean reduction) : reduction_(reduction) {} \
  Options(enumtype::kSum reduction) : reduction_(reduction) {}

struct L1LossOptions {
  using reduction_t = detail::loss_reduction_t;
  TAPEDECK_REDUCTION_ONLY(L1LossOptions)
  TAPEDECK_ARG(reduction_t, reduction) = kMean;
};

struct MSELossOptions {
  using reduction_t = detail::loss_reduction_t;
  TAPEDECK_REDUCTION_ONLY(MSELossOptions)
  TAPEDECK_ARG(reduction_t, reduction) = kMean;
};

/// kMean divides by the number of elements, kBatchMean by that of rows, as the definition does.
struct KLDivLossOptions {
  using reduction_t = OneOf<enumtype::kNone, enumtype::kBatchMean, enumtype::kSum, enumtype::kMean>;
  TAPEDECK_REDUCTION_ONLY(KLDivLossOptions)
  KLDivLossOptions(enumtype::kBatchMean reduction) : reduction_(reduction) {}
  TAPEDECK_ARG(reduction_t, reduction) = kMean;
  TAPEDECK_ARG(bool, log_target) = false;
};

struct BCELossOptions {
  using reduction_t = detail::loss_reduction_t;
  TAPEDECK_ARG(Tensor, weight) = {};
  TAPEDECK_ARG(reduction_t, reduction) = kMean;
};

struct BCEWithLogitsLossOptions {
  using reduction_t = detail::loss_reduction_t;
  TAPEDECK_ARG(Tensor, weight) = {};
  TAPEDECK_ARG(reduction_t, reduction) = kMean;
  TAPEDECK_ARG(Tensor, pos_weight) = {};
};

struct HingeEmbeddingLossOptions {
  using reduction_t = detail::loss_reduction_t;
  TAPEDECK_ARG(double, margin) = 1.0;
  TAPEDECK_ARG(reduction_t, reduction) = kMean;
};

struct CosineEmbeddingLossOptions {
  using reduction_t = detail::loss_reduction_t;
  TAPEDECK_ARG(double, margin) = 0.0;
  TAPEDECK_ARG(reduction_t, reduction) = kMean;
};

struct MarginRankingLossOptions {
  using reduction_t = detail::loss_reduction_t;
  TAPEDECK_ARG(double, margin) = 0;
  TAPEDECK_ARG(reduction_t, reduction) = kMean;
};

struct MultiMarginLossOptions {
  using reduction_t = detail::loss_reduction_t;
  TAPEDECK_ARG(std::int64_t, p) = 1;
  TAPEDECK_ARG(double, margin) = 1.0;
  TAPEDECK_ARG(Tensor, weight) = Tensor();
  TAPEDECK_ARG(reduction_t, reduction) = kMean;
};

struct MultiLabelMarginLossOptions {
  using reduction_t = detail::loss_reduction_t;
  TAPEDECK_REDUCTION_ONLY(MultiLabelMarginLossOptions)
  TAPEDECK_ARG(reduction_t, reduction) = kMean;
};

struct SoftMarginLossOptions {
  using reduction_t = detail::loss_reduction_t;
  TAPEDECK_REDUCTION_ONLY(SoftMarginLossOptions)
  TAPEDECK_ARG(reduction_t, reduction) = kMean;
};

struct MultiLabelSoftMarginLossOptions {
  using reduction_t = detail::loss_reduction_t;
  TAPEDECK_ARG(Tensor, weight) = Tensor();
  TAPEDECK_ARG(reduction_t, reduction) = kMean;
};

struct TripletMarginLossOptions {
  using reduction_t = detail::loss_reduction_t;
  TAPEDECK_ARG(double, margin) = 1.0;
  TAPEDECK_ARG(double, p) = 2.0;
  TAPEDECK_ARG(double, eps) = 1e-6;
  TAPEDECK_ARG(bool, swap) = false;
  TAPEDECK_ARG(reduction_t, reduction) = kMean;
};

struct TripletMarginWithDistanceLossOptions {
  using reduction_t = detail::loss_reduction_t;
  using distance_function_t = std::function<Tensor(const Tensor&, const Tensor&)>;
  /// Default: the Euclidean distance. Not inline: to assign it takes a compiler long.
  TripletMarginWithDistanceLossOptions& distance_function(std::optional<distance_function_t> value);
  const std::optional<distance_function_t>& distance_function() const noexcept {
    return distance_function_;
  }
  std::optional<distance_function_t>& distance_function() noexcept { return distance_function_; }
  TAPEDECK_ARG(double, margin) = 1.0;
  TAPEDECK_ARG(bool, swap) = false;
  TAPEDECK_ARG(reduction_t, reduction) = kMean;

 private:
  std::optional<distance_function_t> distance_function_;
};

struct SmoothL1LossOptions {
  using reduction_t = detail::loss_reduction_t;
  TAPEDECK_REDUCTION_ONLY(SmoothL1LossOptions)
  TAPEDECK_ARG(reduction_t, reduction) = kMean;
  TAPEDECK_ARG(double, beta) = 1.0;
};

struct HuberLossOptions {
  using reduction_t = detail::loss_reduction_t;
  TAPEDECK_REDUCTION_ONLY(HuberLossOptions)
  TAPEDECK_ARG(reduction_t, reduction) = kMean;
  TAPEDECK_ARG(double, delta) = 1.0;
};

struct PoissonNLLLossOptions {
  using reduction_t = detail::loss_reduction_t;
  TAPEDECK_ARG(bool, log_input) = true;
  TAPEDECK_ARG(bool, full) = false;
  TAPEDECK_ARG(double, eps) = 1e-8;
  TAPEDECK_ARG(reduction_t, reduction) = kMean;
};

struct GaussianNLLLossOptions {
  using reduction_t = detail::loss_reduction_t;
  TAPEDECK_ARG(bool, full) = false;
  TAPEDECK_ARG(double, eps) = 1e-6;
  TAPEDECK_ARG(reduction_t, reduction) = kMean;
};

struct NLLLossOptions {
  using reduction_t = detail::loss_reduction_t;
  TAPEDECK_ARG(Tensor, weight) = {};
  TAPEDECK_ARG(std::int64_t, ignore_index) = -100;
  TAPEDECK_ARG(reduction_t, reduction) = kMean;
};

struct CrossEntropyLossOptions {
  using reduction_t = detail::loss_reduction_t;
  TAPEDECK_ARG(Tensor, weight) = {};
  TAPEDECK_ARG(std::int64_t, ignore_index) = -100;
  TAPEDECK_ARG(reduction_t, reduction) = kMean;
  TAPEDECK_ARG(double, label_smoothing) = 0.0;
};

struct CTCLossOptions {
  using reduction_t = detail::loss_reduction_t;
  TAPEDECK_ARG(std::int64_t, blank) = 0;
  TAPEDECK_ARG(reduction_t, reduction) = kMean;
  TAPEDECK_ARG(bool, zero_infinity) = false;
};

namespace functional {

using L1LossFuncOptions = L1LossOptions;
using KLDivFuncOptions = KLDivLossOptions;
using MSELossFuncOptions = MSELossOptions;
using BinaryCrossEntropyFuncOptions = BCELossOptions;
using BinaryCrossEntropyWithLogitsFuncOptions = BCEWithLogitsLossOptions;
using HingeEmbeddingLossFuncOptions = HingeEmbeddingLossOptions;
using MultiMarginLossFuncOptions = MultiMarginLossOptions;
using CosineEmbeddingLossFuncOptions = CosineEmbeddingLossOptions;
using MultilabelMarginLossFuncOptions = MultiLabelMarginLossOptions;
using SoftMarginLossFuncOptions = SoftMarginLossOptions;
using MultilabelSoftMarginLossFuncOptions = MultiLabelSoftMarginLossOptions;
using TripletMarginLossFuncOptions = TripletMarginLossOptions;
using TripletMarginWithDistanceLossFuncOptions = TripletMarginWithDistanceLossOptions;
using SmoothL1LossFuncOptions = SmoothL1LossOptions;
using HuberLossFuncOptions = HuberLossOptions;
using PoissonNLLLossFuncOptions = PoissonNLLLossOptions;
using GaussianNLLLossFuncOptions = GaussianNLLLossOptions;
using MarginRankingLossFuncOptions = MarginRankingLossOptions;
using NLLLossFuncOptions = NLLLossOptions;
using CTCLossFuncOptions = CTCLossOptions;
using CrossEntropyFuncOptions = CrossEntropyLossOptions;

}  // namespace functional
}  // namespace tapedeck::nn
