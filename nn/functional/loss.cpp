#include <tapedeck/nn/functional/loss.h>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/loss.h>

namespace tapedeck::nn::functional {

namespace {
template <typename Options>
std::int64_t reduction_of(const Options& options) {
  return enumtype::reduction_get_enum(options.reduction());
}
}  // namespace

Tensor l1_loss(const Tensor& input, const Tensor& target, const L1LossFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("l1_loss", input, target);
  const tapedeck::detail::OpScope scope("l1_loss");
  return tapedeck::l1_loss(input, target, reduction_of(options));
}
Tensor mse_loss(const Tensor& input, const Tensor& target, const MSELossFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("mse_loss", input, target);
  const tapedeck::detail::OpScope scope("mse_loss");
  return tapedeck::mse_loss(input, target, reduction_of(options));
}
Tensor smooth_l1_loss(const Tensor& input, const Tensor& target,
                      const SmoothL1LossFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("smooth_l1_loss", input, target);
  const tapedeck::detail::OpScope scope("smooth_l1_loss");
  return tapedeck::smooth_l1_loss(input, target, reduction_of(options), options.beta());
}
Tensor smooth_l1_loss(const Tensor& input, const Tensor& target,
                      const SmoothL1LossFuncOptions& options, double beta) {
  TAPEDECK_CHECK_DEFINED("smooth_l1_loss", input, target);
  const tapedeck::detail::OpScope scope("smooth_l1_loss");
  return tapedeck::smooth_l1_loss(input, target, reduction_of(options), beta);
}
Tensor huber_loss(const Tensor& input, const Tensor& target, const HuberLossFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("huber_loss", input, target);
  const tapedeck::detail::OpScope scope("huber_loss");
  return tapedeck::huber_loss(input, target, reduction_of(options), options.delta());
}
Tensor cross_entropy(const Tensor& input, const Tensor& target,
                     const CrossEntropyFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("cross_entropy", input, target);
  const tapedeck::detail::OpScope scope("cross_entropy");
  return cross_entropy_loss(input, target, options.weight(), reduction_of(options),
                            options.ignore_index(), options.label_smoothing());
}
Tensor nll_loss(const Tensor& input, const Tensor& target, const NLLLossFuncOptions& options) {
  return tapedeck::nll_loss(input, target, options.weight(), reduction_of(options),
                            options.ignore_index());
}
Tensor binary_cross_entropy(const Tensor& input, const Tensor& target,
                            const BinaryCrossEntropyFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("binary_cross_entropy", input, target);
  TAPEDECK_CHECK_AS(ValueError, input.sizes().equals(target.sizes()),
                    "binary_cross_entropy: expected input and target of the same shape, got input ",
                    input.sizes(), " and target ", target.sizes());
  return tapedeck::binary_cross_entropy(input, target, options.weight(), reduction_of(options));
}
Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target,
                                        const BinaryCrossEntropyWithLogitsFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("binary_cross_entropy_with_logits", input, target);
  const tapedeck::detail::OpScope scope("binary_cross_entropy_with_logits");
  return tapedeck::binary_cross_entropy_with_logits(input, target, options.weight(),
                                                    options.pos_weight(), reduction_of(options));
}
Tensor kl_div(const Tensor& input, const Tensor& target, const KLDivFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("kl_div", input, target);
  const tapedeck::detail::OpScope scope("kl_div");
  if (holds_alternative<enumtype::kBatchMean>(options.reduction())) {
    const Tensor sum = tapedeck::kl_div(input, target, Reduction::Sum, options.log_target());
    return input.dim() == 0 ? sum : sum / input.size(0);
  }
  const std::int64_t reduction =
      holds_alternative<enumtype::kNone>(options.reduction())  ? Reduction::None
      : holds_alternative<enumtype::kSum>(options.reduction()) ? Reduction::Sum
                                                               : Reduction::Mean;
  return tapedeck::kl_div(input, target, reduction, options.log_target());
}
Tensor hinge_embedding_loss(const Tensor& input, const Tensor& target,
                            const HingeEmbeddingLossFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("hinge_embedding_loss", input, target);
  const tapedeck::detail::OpScope scope("hinge_embedding_loss");
  return tapedeck::hinge_embedding_loss(input, target, options.margin(), reduction_of(options));
}
Tensor margin_ranking_loss(const Tensor& input1, const Tensor& input2, const Tensor& target,
                           const MarginRankingLossFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("margin_ranking_loss", input1, input2, target);
  const tapedeck::detail::OpScope scope("margin_ranking_loss");
  return tapedeck::margin_ranking_loss(input1, input2, target, options.margin(),
                                       reduction_of(options));
}
Tensor cosine_embedding_loss(const Tensor& input1, const Tensor& input2, const Tensor& target,
                             const CosineEmbeddingLossFuncOptions& options) {
  return tapedeck::cosine_embedding_loss(input1, input2, target, options.margin(),
                                         reduction_of(options));
}
Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                           const TripletMarginLossFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("triplet_margin_loss", anchor, positive, negative);
  const tapedeck::detail::OpScope scope("triplet_margin_loss");
  return tapedeck::triplet_margin_loss(anchor, positive, negative, options.margin(), options.p(),
                                       options.eps(), options.swap(), reduction_of(options));
}
Tensor triplet_margin_with_distance_loss(const Tensor& anchor, const Tensor& positive,
                                         const Tensor& negative,
                                         const TripletMarginWithDistanceLossFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("triplet_margin_with_distance_loss", anchor, positive, negative);
  const tapedeck::detail::OpScope scope("triplet_margin_with_distance_loss");
  const auto distance = [&](const Tensor& a, const Tensor& b) {
    return options.distance_function() ? (*options.distance_function())(a, b)
                                       : tapedeck::pairwise_distance(a, b);
  };
  const Tensor near = distance(anchor, positive);
  Tensor far = distance(anchor, negative);
  if (options.swap()) far = far.minimum(distance(positive, negative));
  return tapedeck::detail::reduce_loss((near - far + options.margin()).clamp_min(0),
                                       reduction_of(options), "triplet_margin_with_distance_loss");
}
Tensor soft_margin_loss(const Tensor& input, const Tensor& target,
                        const SoftMarginLossFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("soft_margin_loss", input, target);
  const tapedeck::detail::OpScope scope("soft_margin_loss");
  return tapedeck::soft_margin_loss(input, target, reduction_of(options));
}
Tensor multi_margin_loss(const Tensor& input, const Tensor& target,
                         const MultiMarginLossFuncOptions& options) {
  return tapedeck::multi_margin_loss(input, target, options.p(), options.margin(), options.weight(),
                                     reduction_of(options));
}
Tensor multilabel_margin_loss(const Tensor& input, const Tensor& target,
                              const MultilabelMarginLossFuncOptions& options) {
  return tapedeck::multilabel_margin_loss(input, target, reduction_of(options));
}
Tensor multilabel_soft_margin_loss(const Tensor& input, const Tensor& target,
                                   const MultilabelSoftMarginLossFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("multilabel_soft_margin_loss", input, target);
  const tapedeck::detail::OpScope scope("multilabel_soft_margin_loss");
  return tapedeck::multilabel_soft_margin_loss(input, target, options.weight(),
                                               reduction_of(options));
}
Tensor poisson_nll_loss(const Tensor& input, const Tensor& target,
                        const PoissonNLLLossFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("poisson_nll_loss", input, target);
  const tapedeck::detail::OpScope scope("poisson_nll_loss");
  return tapedeck::poisson_nll_loss(input, target, options.log_input(), options.full(),
                                    options.eps(), reduction_of(options));
}
Tensor gaussian_nll_loss(const Tensor& input, const Tensor& target, const Tensor& var,
                         const GaussianNLLLossFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("gaussian_nll_loss", input, target, var);
  const tapedeck::detail::OpScope scope("gaussian_nll_loss");
  return tapedeck::gaussian_nll_loss(input, target, var, options.full(), options.eps(),
                                     reduction_of(options));
}
Tensor ctc_loss(const Tensor& log_probs, const Tensor& targets, const Tensor& input_lengths,
                const Tensor& target_lengths, const CTCLossFuncOptions& options) {
  return tapedeck::ctc_loss(log_probs, targets, input_lengths, target_lengths, options.blank(),
                            reduction_of(options), options.zero_infinity());
}

}  // namespace tapedeck::nn::functional
