#include <tapedeck/nn/modules/distance.h>

#include <ostream>

#include <tapedeck/nn/functional/distance.h>

namespace tapedeck::nn {

namespace F = functional;

void CosineSimilarityImpl::pretty_print(std::ostream& stream) const {
  stream << "CosineSimilarity()";
}
Tensor CosineSimilarityImpl::forward(const Tensor& x1, const Tensor& x2) {
  return detail::call_module(
      *this,
      [this](const Tensor& a, const Tensor& b) { return F::cosine_similarity(a, b, options); }, x1,
      x2);
}

void PairwiseDistanceImpl::pretty_print(std::ostream& stream) const {
  stream << "PairwiseDistance()";
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
