#include <tapedeck/nn/functional/distance.h>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/distance.h>
#include <tapedeck/ops/loss.h>

namespace tapedeck::nn::functional {

Tensor cosine_similarity(const Tensor& x1, const Tensor& x2,
                         const CosineSimilarityFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("cosine_similarity", x1, x2);
  const tapedeck::detail::OpScope scope("cosine_similarity");
  return tapedeck::cosine_similarity(x1, x2, options.dim(), options.eps());
}
Tensor pairwise_distance(const Tensor& x1, const Tensor& x2,
                         const PairwiseDistanceFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("pairwise_distance", x1, x2);
  const tapedeck::detail::OpScope scope("pairwise_distance");
  return tapedeck::pairwise_distance(x1, x2, options.p(), options.eps(), options.keepdim());
}

Tensor pdist(const Tensor& input, double p) {
  TAPEDECK_CHECK_DEFINED("pdist", input);
  const tapedeck::detail::OpScope scope("pdist");
  return tapedeck::pdist(input, p);
}

}  // namespace tapedeck::nn::functional
