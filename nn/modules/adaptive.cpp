#include <tapedeck/nn/modules/adaptive.h>

#include <cmath>
#include <ostream>

#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/nn/any_module.h>
#include <tapedeck/nn/internal/print.h>
#include <tapedeck/nn/modules/container/sequential.h>
#include <tapedeck/ops/activation.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/comparison.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/joining.h>

namespace tapedeck::nn {

AdaptiveLogSoftmaxWithLossImpl::AdaptiveLogSoftmaxWithLossImpl(
    AdaptiveLogSoftmaxWithLossOptions options_)
    : options(std::move(options_)) {
  reset();
}

void AdaptiveLogSoftmaxWithLossImpl::reset() {
  std::int64_t before = 0;
  bool ascending = !options.cutoffs().empty();
  for (const std::int64_t cutoff : options.cutoffs()) {
    ascending = ascending && cutoff > before && cutoff < options.n_classes();
    before = cutoff;
  }
  TAPEDECK_CHECK_AS(ValueError, ascending,
                    "AdaptiveLogSoftmaxWithLoss: cutoffs should be a sequence of unique, positive "
                    "integers sorted in an increasing order, where each value is between 1 and "
                    "n_classes-1, got ",
                    IntArrayRef(options.cutoffs()), " of ", options.n_classes(), " classes");
  TAPEDECK_CHECK_AS(ValueError, options.div_value() > 0,
                    "AdaptiveLogSoftmaxWithLoss: expected div_value > 0, got ",
                    options.div_value());
  cutoffs = options.cutoffs();
  cutoffs.push_back(options.n_classes());
  shortlist_size = cutoffs[0];
  n_clusters = static_cast<std::int64_t>(cutoffs.size()) - 1;
  head_size = shortlist_size + n_clusters;

  const std::int64_t in = options.in_features();
  head = register_module("head", Linear(LinearOptions(in, head_size).bias(options.head_bias())));
  tail = register_module("tail", ModuleList());
  for (std::size_t i = 0; i + 1 < cutoffs.size(); ++i) {
    const auto features = static_cast<std::int64_t>(
        static_cast<double>(in) / std::pow(options.div_value(), static_cast<double>(i + 1)));
    const std::int64_t classes = cutoffs[i + 1] - cutoffs[i];
    tail->push_back(Sequential(Linear(LinearOptions(in, features).bias(false)),
                               Linear(LinearOptions(features, classes).bias(false))));
  }
}

void AdaptiveLogSoftmaxWithLossImpl::reset_parameters() {
  head->reset_parameters();
  for (const auto& projection : *tail)
    for (const auto& layer : *projection->as<Sequential>())
      layer.ptr()->as<Linear>()->reset_parameters();
}

void AdaptiveLogSoftmaxWithLossImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("AdaptiveLogSoftmaxWithLoss");
}

Tensor AdaptiveLogSoftmaxWithLossImpl::cluster_log_prob(std::int64_t cluster, const Tensor& input) {
  return (*tail)[static_cast<std::size_t>(cluster)]->as<Sequential>()->forward(input).log_softmax(
      1);
}

ASMoutput AdaptiveLogSoftmaxWithLossImpl::forward(const Tensor& input_, const Tensor& target_) {
  TAPEDECK_CHECK_DEFINED("AdaptiveLogSoftmaxWithLoss", input_, target_);
  const bool batched = target_.dim() > 0;
  const Tensor input = batched ? input_ : input_.unsqueeze(0);
  const Tensor target = batched ? target_ : target_.unsqueeze(0);
  TAPEDECK_CHECK(input.dim() == 2 && target.dim() == 1 && input.size(0) == target.size(0),
                 "AdaptiveLogSoftmaxWithLoss: Input and target should have the same size in the "
                 "batch dimension, got ",
                 input_.sizes(), " and ", target_.sizes());
  const bool inside =
      target.numel() == 0 || (target.min().item<std::int64_t>() >= 0 &&
                              target.max().item<std::int64_t>() < options.n_classes());
  TAPEDECK_CHECK_AS(IndexError, inside,
                    "AdaptiveLogSoftmaxWithLoss: Target values should be in [0, ",
                    options.n_classes() - 1, "], got target ", target.sizes());
  // Of a class in a cluster: log p(cluster) + log p(class in the cluster).
  Tensor in_head = target, output = zeros({target.size(0)}, input.options());
  for (std::int64_t i = 0; i < n_clusters; ++i) {
    const std::int64_t low = cutoffs[static_cast<std::size_t>(i)];
    const Tensor mask =
        target.ge(low).logical_and(target.lt(cutoffs[static_cast<std::size_t>(i) + 1]));
    const Tensor rows = mask.nonzero().squeeze(1);
    if (rows.numel() == 0) continue;
    in_head = in_head.masked_fill(mask, shortlist_size + i);
    const Tensor relative = (target.index_select(0, rows) - low).unsqueeze(1);
    const Tensor log_probs = cluster_log_prob(i, input.index_select(0, rows));
    output = output.index_add(0, rows, log_probs.gather(1, relative).squeeze(1));
  }
  const Tensor in_head_prob = head->forward(input).log_softmax(1);
  output = output + in_head_prob.gather(1, in_head.unsqueeze(1)).squeeze(1);
  const double loss = (-output).mean().item<double>();
  return ASMoutput(batched ? output : output.squeeze(0), loss);
}

Tensor AdaptiveLogSoftmaxWithLossImpl::log_prob(const Tensor& input) {
  const Tensor in_head = head->forward(input).log_softmax(1);
  std::vector<Tensor> parts{in_head.narrow(1, 0, shortlist_size)};
  for (std::int64_t i = 0; i < n_clusters; ++i)
    parts.push_back(cluster_log_prob(i, input) + in_head.narrow(1, shortlist_size + i, 1));
  return cat(parts, 1);
}

Tensor AdaptiveLogSoftmaxWithLossImpl::predict(const Tensor& input) {
  const Tensor likeliest = head->forward(input).argmax(1);
  const Tensor rare = likeliest.ge(shortlist_size).nonzero().squeeze(1);
  if (rare.numel() == 0) return likeliest;
  return likeliest.index_copy(0, rare, log_prob(input.index_select(0, rare)).argmax(1));
}

template class Cloneable<AdaptiveLogSoftmaxWithLossImpl>;

}  // namespace tapedeck::nn
