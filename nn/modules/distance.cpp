#include <tapedeck/nn/internal/print.h>
#include <tapedeck/nn/modules/distance.h>

#include <ostream>

#include <tapedeck/nn/any_module.h>
#include <tapedeck/nn/functional/distance.h>

namespace tapedeck::nn {

namespace F = functional;

void CosineSimilarityImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("CosineSimilarity") << "(";
  if (!text::in_python())
    stream << "dim=" << options.dim() << ", eps=" << text::of_float(options.eps());
  stream << ")";
}
Tensor CosineSimilarityImpl::forward(const Tensor& x1, const Tensor& x2) {
  return detail::call_module(
      *this,
      [this](const Tensor& a, const Tensor& b) { return F::cosine_similarity(a, b, options); }, x1,
      x2);
}

void PairwiseDistanceImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("PairwiseDistance") << "(";
  if (!text::in_python())
    stream << "p=" << text::of_float(options.p()) << ", eps=" << text::of_float(options.eps())
           << ", keepdim=" << text::of_bool(options.keepdim());
  stream << ")";
}
Tensor PairwiseDistanceImpl::forward(const Tensor& x1, const Tensor& x2) {
  return detail::call_module(
      *this,
      [this](const Tensor& a, const Tensor& b) { return F::pairwise_distance(a, b, options); }, x1,
      x2);
}

template class Cloneable<CosineSimilarityImpl>;
template class Cloneable<PairwiseDistanceImpl>;

}  // namespace tapedeck::nn
