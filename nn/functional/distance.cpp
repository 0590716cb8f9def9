#include <tapedeck/nn/functional/distance.h>

#include <tapedeck/ops/distance.h>
#include <tapedeck/ops/loss.h>

namespace tapedeck::nn::functional {

Tensor cosine_similarity(const Tensor& x1, const Tensor& x2,
                         const CosineSimilarityFuncOptions& options) {
  return tapedeck::cosine_similarity(x1, x2, options.dim(), options.eps());
}
Tensor pairwise_distance(const Tensor& x1, const Tensor& x2,
                         const PairwiseDistanceFuncOptions& options) {
  return tapedeck::pairwise_distance(x1, x2, options.p(), options.eps(), options.keepdim());
}

Tensor pdist(const Tensor& input, double p) { return tapedeck::pdist(input, p); }

}  // namespace tapedeck::nn::functional
