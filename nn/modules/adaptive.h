#pragma once

#include <cstdint>
#include <iosfwd>
#include <utility>
#include <vector>

#include <tapedeck/nn/cloneable.h>
#include <tapedeck/nn/module_holder.h>
#include <tapedeck/nn/modules/container/module_list.h>
#include <tapedeck/nn/modules/linear.h>
#include <tapedeck/nn/options/adaptive.h>

namespace tapedeck::nn {

/// The log-probabilities of the targets, and the mean of their negatives.
struct ASMoutput {
  ASMoutput(Tensor output_, double loss_) : output(std::move(output_)), loss(loss_) {}
  Tensor output;
  double loss;
};

/// A softmax over many classes, ordered by how frequent they are (Grave et al., 2017): the frequent
/// ones have scores of their own, the others are in clusters that are computed where a target needs
/// them.
class AdaptiveLogSoftmaxWithLossImpl : public Cloneable<AdaptiveLogSoftmaxWithLossImpl> {
 public:
  AdaptiveLogSoftmaxWithLossImpl(std::int64_t in_features, std::int64_t n_classes,
                                 std::vector<std::int64_t> cutoffs_)
      : AdaptiveLogSoftmaxWithLossImpl(
            AdaptiveLogSoftmaxWithLossOptions(in_features, n_classes, std::move(cutoffs_))) {}
  /// \throws ValueError unless the cutoffs ascend within [1, n_classes - 1].
  explicit AdaptiveLogSoftmaxWithLossImpl(AdaptiveLogSoftmaxWithLossOptions options_);
  void reset() override;
  void reset_parameters();
  void pretty_print(std::ostream& stream) const override;
  /// input [N, in_features] and target [N], or [in_features] and [].
  ASMoutput forward(const Tensor& input, const Tensor& target);
  /// The log-probabilities of all classes, [N, n_classes], of input [N, in_features].
  Tensor log_prob(const Tensor& input);
  /// The likeliest class of each row, where a cluster counts as one.
  Tensor predict(const Tensor& input);

  AdaptiveLogSoftmaxWithLossOptions options;
  std::vector<std::int64_t> cutoffs;  ///< with n_classes as the last
  std::int64_t shortlist_size = 0, n_clusters = 0, head_size = 0;
  Linear head{nullptr};
  ModuleList tail;

 private:
  Tensor cluster_log_prob(std::int64_t cluster, const Tensor& input);
};
TAPEDECK_LIBRARY_MODULE(AdaptiveLogSoftmaxWithLoss);

}  // namespace tapedeck::nn
