#include <tapedeck/nn/internal/print.h>
#include <tapedeck/nn/modules/loss.h>

#include <ostream>
#include <utility>

#include <tapedeck/nn/any_module.h>
#include <tapedeck/nn/functional/loss.h>

namespace tapedeck::nn {

namespace F = functional;

L1LossImpl::L1LossImpl(L1LossOptions options_) : options(std::move(options_)) { reset(); }
void L1LossImpl::reset() {}
void L1LossImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("L1Loss") << "()";
}
Tensor L1LossImpl::forward(const Tensor& input, const Tensor& target) {
  return detail::call_module(
      *this, [this](const Tensor& a, const Tensor& b) { return F::l1_loss(a, b, options); }, input,
      target);
}

MSELossImpl::MSELossImpl(MSELossOptions options_) : options(std::move(options_)) { reset(); }
void MSELossImpl::reset() {}
void MSELossImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("MSELoss") << "()";
}
Tensor MSELossImpl::forward(const Tensor& input, const Tensor& target) {
  return detail::call_module(
      *this, [this](const Tensor& a, const Tensor& b) { return F::mse_loss(a, b, options); }, input,
      target);
}

SmoothL1LossImpl::SmoothL1LossImpl(SmoothL1LossOptions options_) : options(std::move(options_)) {
  reset();
}
void SmoothL1LossImpl::reset() {}
void SmoothL1LossImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("SmoothL1Loss");
  if (text::in_python()) stream << "()";
}
Tensor SmoothL1LossImpl::forward(const Tensor& input, const Tensor& target) {
  return detail::call_module(
      *this, [this](const Tensor& a, const Tensor& b) { return F::smooth_l1_loss(a, b, options); },
      input, target);
}

HuberLossImpl::HuberLossImpl(HuberLossOptions options_) : options(std::move(options_)) { reset(); }
void HuberLossImpl::reset() {}
void HuberLossImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("HuberLoss");
  if (text::in_python()) stream << "()";
}
Tensor HuberLossImpl::forward(const Tensor& input, const Tensor& target) {
  return detail::call_module(
      *this, [this](const Tensor& a, const Tensor& b) { return F::huber_loss(a, b, options); },
      input, target);
}

CrossEntropyLossImpl::CrossEntropyLossImpl(CrossEntropyLossOptions options_)
    : options(std::move(options_)) {
  reset();
}
void CrossEntropyLossImpl::reset() { weight = register_buffer("weight", options.weight()); }
void CrossEntropyLossImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("CrossEntropyLoss") << "()";
}
Tensor CrossEntropyLossImpl::forward(const Tensor& input, const Tensor& target) {
  return detail::call_module(
      *this,
      [this](const Tensor& a, const Tensor& b) {
        return F::cross_entropy(a, b, CrossEntropyLossOptions(options).weight(weight));
      },
      input, target);
}

NLLLossImpl::NLLLossImpl(NLLLossOptions options_) : options(std::move(options_)) { reset(); }
void NLLLossImpl::reset() { weight = register_buffer("weight", options.weight()); }
void NLLLossImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("NLLLoss") << "()";
}
Tensor NLLLossImpl::forward(const Tensor& input, const Tensor& target) {
  return detail::call_module(
      *this,
      [this](const Tensor& a, const Tensor& b) {
        return F::nll_loss(a, b, NLLLossOptions(options).weight(weight));
      },
      input, target);
}

BCELossImpl::BCELossImpl(BCELossOptions options_) : options(std::move(options_)) { reset(); }
void BCELossImpl::reset() { weight = register_buffer("weight", options.weight()); }
void BCELossImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("BCELoss") << "()";
}
Tensor BCELossImpl::forward(const Tensor& input, const Tensor& target) {
  return detail::call_module(
      *this,
      [this](const Tensor& a, const Tensor& b) {
        return F::binary_cross_entropy(a, b, BCELossOptions(options).weight(weight));
      },
      input, target);
}

BCEWithLogitsLossImpl::BCEWithLogitsLossImpl(BCEWithLogitsLossOptions options_)
    : options(std::move(options_)) {
  reset();
}
void BCEWithLogitsLossImpl::reset() {
  weight = register_buffer("weight", options.weight());
  pos_weight = register_buffer("pos_weight", options.pos_weight());
}
void BCEWithLogitsLossImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("BCEWithLogitsLoss") << "()";
}
Tensor BCEWithLogitsLossImpl::forward(const Tensor& input, const Tensor& target) {
  return detail::call_module(
      *this,
      [this](const Tensor& a, const Tensor& b) {
        return F::binary_cross_entropy_with_logits(
            a, b, BCEWithLogitsLossOptions(options).weight(weight).pos_weight(pos_weight));
      },
      input, target);
}

KLDivLossImpl::KLDivLossImpl(KLDivLossOptions options_) : options(std::move(options_)) { reset(); }
void KLDivLossImpl::reset() {}
void KLDivLossImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("KLDivLoss") << "()";
}
Tensor KLDivLossImpl::forward(const Tensor& input, const Tensor& target) {
  return detail::call_module(
      *this, [this](const Tensor& a, const Tensor& b) { return F::kl_div(a, b, options); }, input,
      target);
}

HingeEmbeddingLossImpl::HingeEmbeddingLossImpl(HingeEmbeddingLossOptions options_)
    : options(std::move(options_)) {
  reset();
}
void HingeEmbeddingLossImpl::reset() {}
void HingeEmbeddingLossImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("HingeEmbeddingLoss");
  stream << "(";
  if (!text::in_python()) stream << "margin=" << text::of_float(options.margin());
  stream << ")";
}
Tensor HingeEmbeddingLossImpl::forward(const Tensor& input, const Tensor& target) {
  return detail::call_module(
      *this,
      [this](const Tensor& a, const Tensor& b) { return F::hinge_embedding_loss(a, b, options); },
      input, target);
}

MarginRankingLossImpl::MarginRankingLossImpl(MarginRankingLossOptions options_)
    : options(std::move(options_)) {
  reset();
}
void MarginRankingLossImpl::reset() {}
void MarginRankingLossImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("MarginRankingLoss") << "()";
}
Tensor MarginRankingLossImpl::forward(const Tensor& input1, const Tensor& input2,
                                      const Tensor& target) {
  return detail::call_module(
      *this,
      [this](const Tensor& a, const Tensor& b, const Tensor& c) {
        return F::margin_ranking_loss(a, b, c, options);
      },
      input1, input2, target);
}

CosineEmbeddingLossImpl::CosineEmbeddingLossImpl(CosineEmbeddingLossOptions options_)
    : options(std::move(options_)) {
  reset();
}
void CosineEmbeddingLossImpl::reset() {}
void CosineEmbeddingLossImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("CosineEmbeddingLoss");
  stream << "(";
  if (!text::in_python()) stream << "margin=" << text::of_float(options.margin());
  stream << ")";
}
Tensor CosineEmbeddingLossImpl::forward(const Tensor& input1, const Tensor& input2,
                                        const Tensor& target) {
  return detail::call_module(
      *this,
      [this](const Tensor& a, const Tensor& b, const Tensor& c) {
        return F::cosine_embedding_loss(a, b, c, options);
      },
      input1, input2, target);
}

TripletMarginLossImpl::TripletMarginLossImpl(TripletMarginLossOptions options_)
    : options(std::move(options_)) {
  reset();
}
void TripletMarginLossImpl::reset() {}
void TripletMarginLossImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("TripletMarginLoss");
  stream << "(";
  if (!text::in_python())
    stream << "margin=" << text::of_float(options.margin()) << ", p=" << text::of_float(options.p())
           << ", eps=" << text::of_float(options.eps())
           << ", swap=" << text::of_bool(options.swap());
  stream << ")";
}
Tensor TripletMarginLossImpl::forward(const Tensor& anchor, const Tensor& positive,
                                      const Tensor& negative) {
  return detail::call_module(
      *this,
      [this](const Tensor& a, const Tensor& b, const Tensor& c) {
        return F::triplet_margin_loss(a, b, c, options);
      },
      anchor, positive, negative);
}

TripletMarginWithDistanceLossImpl::TripletMarginWithDistanceLossImpl(
    TripletMarginWithDistanceLossOptions options_)
    : options(std::move(options_)) {
  reset();
}
void TripletMarginWithDistanceLossImpl::reset() {}
void TripletMarginWithDistanceLossImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("TripletMarginWithDistanceLoss");
  stream << "(";
  if (!text::in_python())
    stream << "margin=" << text::of_float(options.margin())
           << ", swap=" << text::of_bool(options.swap());
  stream << ")";
}
Tensor TripletMarginWithDistanceLossImpl::forward(const Tensor& anchor, const Tensor& positive,
                                                  const Tensor& negative) {
  return detail::call_module(
      *this,
      [this](const Tensor& a, const Tensor& b, const Tensor& c) {
        return F::triplet_margin_with_distance_loss(a, b, c, options);
      },
      anchor, positive, negative);
}

SoftMarginLossImpl::SoftMarginLossImpl(SoftMarginLossOptions options_)
    : options(std::move(options_)) {
  reset();
}
void SoftMarginLossImpl::reset() {}
void SoftMarginLossImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("SoftMarginLoss") << "()";
}
Tensor SoftMarginLossImpl::forward(const Tensor& input, const Tensor& target) {
  return detail::call_module(
      *this,
      [this](const Tensor& a, const Tensor& b) { return F::soft_margin_loss(a, b, options); },
      input, target);
}

MultiMarginLossImpl::MultiMarginLossImpl(MultiMarginLossOptions options_)
    : options(std::move(options_)) {
  reset();
}
void MultiMarginLossImpl::reset() { weight = register_buffer("weight", options.weight()); }
void MultiMarginLossImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("MultiMarginLoss");
  stream << "(";
  if (!text::in_python())
    stream << "p=" << options.p() << ", margin=" << text::of_float(options.margin())
           << ", weight=" << options.weight()
           << ", reduction=" << text::of_choice(options.reduction().held());
  stream << ")";
}
Tensor MultiMarginLossImpl::forward(const Tensor& input, const Tensor& target) {
  return detail::call_module(
      *this,
      [this](const Tensor& a, const Tensor& b) {
        return F::multi_margin_loss(a, b, MultiMarginLossOptions(options).weight(weight));
      },
      input, target);
}

MultiLabelMarginLossImpl::MultiLabelMarginLossImpl(MultiLabelMarginLossOptions options_)
    : options(std::move(options_)) {
  reset();
}
void MultiLabelMarginLossImpl::reset() {}
void MultiLabelMarginLossImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("MultiLabelMarginLoss") << "()";
}
Tensor MultiLabelMarginLossImpl::forward(const Tensor& input, const Tensor& target) {
  return detail::call_module(
      *this,
      [this](const Tensor& a, const Tensor& b) { return F::multilabel_margin_loss(a, b, options); },
      input, target);
}

MultiLabelSoftMarginLossImpl::MultiLabelSoftMarginLossImpl(MultiLabelSoftMarginLossOptions options_)
    : options(std::move(options_)) {
  reset();
}
void MultiLabelSoftMarginLossImpl::reset() { weight = register_buffer("weight", options.weight()); }
void MultiLabelSoftMarginLossImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("MultiLabelSoftMarginLoss") << "()";
}
Tensor MultiLabelSoftMarginLossImpl::forward(const Tensor& input, const Tensor& target) {
  return detail::call_module(
      *this,
      [this](const Tensor& a, const Tensor& b) {
        return F::multilabel_soft_margin_loss(
            a, b, MultiLabelSoftMarginLossOptions(options).weight(weight));
      },
      input, target);
}

PoissonNLLLossImpl::PoissonNLLLossImpl(PoissonNLLLossOptions options_)
    : options(std::move(options_)) {
  reset();
}
void PoissonNLLLossImpl::reset() {}
void PoissonNLLLossImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("PoissonNLLLoss") << "()";
}
Tensor PoissonNLLLossImpl::forward(const Tensor& input, const Tensor& target) {
  return detail::call_module(
      *this,
      [this](const Tensor& a, const Tensor& b) { return F::poisson_nll_loss(a, b, options); },
      input, target);
}

GaussianNLLLossImpl::GaussianNLLLossImpl(GaussianNLLLossOptions options_)
    : options(std::move(options_)) {
  reset();
}
void GaussianNLLLossImpl::reset() {}
void GaussianNLLLossImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("GaussianNLLLoss") << "()";
}
Tensor GaussianNLLLossImpl::forward(const Tensor& input, const Tensor& target, const Tensor& var) {
  return detail::call_module(
      *this,
      [this](const Tensor& a, const Tensor& b, const Tensor& c) {
        return F::gaussian_nll_loss(a, b, c, options);
      },
      input, target, var);
}

CTCLossImpl::CTCLossImpl(CTCLossOptions options_) : options(std::move(options_)) { reset(); }
void CTCLossImpl::reset() {}
void CTCLossImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("CTCLoss") << "()";
}
Tensor CTCLossImpl::forward(const Tensor& log_probs, const Tensor& targets,
                            const Tensor& input_lengths, const Tensor& target_lengths) {
  return detail::call_module(
      *this,
      [this](const Tensor& a, const Tensor& b, const Tensor& c, const Tensor& d) {
        return F::ctc_loss(a, b, c, d, options);
      },
      log_probs, targets, input_lengths, target_lengths);
}

template class Cloneable<L1LossImpl>;
template class Cloneable<MSELossImpl>;
template class Cloneable<SmoothL1LossImpl>;
template class Cloneable<HuberLossImpl>;
template class Cloneable<CrossEntropyLossImpl>;
template class Cloneable<NLLLossImpl>;
template class Cloneable<BCELossImpl>;
template class Cloneable<BCEWithLogitsLossImpl>;
template class Cloneable<KLDivLossImpl>;
template class Cloneable<HingeEmbeddingLossImpl>;
template class Cloneable<MarginRankingLossImpl>;
template class Cloneable<CosineEmbeddingLossImpl>;
template class Cloneable<TripletMarginLossImpl>;
template class Cloneable<TripletMarginWithDistanceLossImpl>;
template class Cloneable<SoftMarginLossImpl>;
template class Cloneable<MultiMarginLossImpl>;
template class Cloneable<MultiLabelMarginLossImpl>;
template class Cloneable<MultiLabelSoftMarginLossImpl>;
template class Cloneable<PoissonNLLLossImpl>;
template class Cloneable<GaussianNLLLossImpl>;
template class Cloneable<CTCLossImpl>;

}  // namespace tapedeck::nn
