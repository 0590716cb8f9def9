#include <tapedeck/nn/functional/distance.h>

#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/loss.h>
#include <tapedeck/ops/reduction.h>

namespace tapedeck::nn::functional {

Tensor cosine_similarity(const Tensor& x1, const Tensor& x2,
                         const CosineSimilarityFuncOptions& options) {
  const std::int64_t dim = options.dim();
  const double eps = options.eps();
  const Tensor lengths = x1.square().sum(dim) * x2.square().sum(dim);
  return (x1 * x2).sum(dim) / lengths.clamp_min(eps * eps).sqrt();
}
Tensor pairwise_distance(const Tensor& x1, const Tensor& x2,
                         const PairwiseDistanceFuncOptions& options) {
  return tapedeck::pairwise_distance(x1, x2, options.p(), options.eps(), options.keepdim());
}

}  // namespace tapedeck::nn::functional
