#include <tapedeck/ops/distance.h>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/index.h>
#include <tapedeck/ops/reduction.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck {

Variable cosine_similarity(const Variable& x1, const Variable& x2, std::int64_t dim, double eps) {
  TAPEDECK_CHECK_DEFINED("cosine_similarity", x1, x2);
  const detail::OpScope scope("cosine_similarity");
  TAPEDECK_CHECK_AS(TypeError, x1.is_floating_point() && x2.is_floating_point(),
                    "cosine_similarity: expected floating point dtypes, got ", x1.dtype(), " and ",
                    x2.dtype());
  // x over its length, which counts as eps at least. The square that is raised to eps^2 keeps the
  // derivative of a square, as in libtorch.
  const auto direction = [&](const Variable& x) {
    const Variable square = x.square().sum({dim}, true);
    const Variable missing = square.detach().clamp_min(eps * eps) - square.detach();
    return x / (square + missing).sqrt();
  };
  const auto both = broadcast_tensors({x1, x2});
  return (direction(both[0]) * direction(both[1])).sum(dim);
}

Variable cdist(const Variable& x1, const Variable& x2, double p, std::optional<std::int64_t>) {
  TAPEDECK_CHECK_DEFINED("cdist", x1, x2);
  const detail::OpScope scope("cdist");
  TAPEDECK_CHECK(x1.dim() >= 2 && x2.dim() >= 2 && x1.size(-1) == x2.size(-1),
                 "cdist: expected two axes at least, and rows of one length, got ", x1.sizes(),
                 " and ", x2.sizes());
  TAPEDECK_CHECK(p >= 0, "cdist: expected a p that is not negative, got ", p);
  // [..., P, 1, M] - [..., 1, R, M]
  return (x1.unsqueeze(-2) - x2.unsqueeze(-3)).norm(Scalar(p), -1);
}

Variable pdist(const Variable& self, double p) {
  TAPEDECK_CHECK_DEFINED("pdist", self);
  const detail::OpScope scope("pdist");
  TAPEDECK_CHECK(self.dim() == 2, "pdist: only supports 2D tensors, got: ", self.sizes());
  TAPEDECK_CHECK(p >= 0, "pdist: only supports non-negative p values, got ", p);
  const std::int64_t N = self.size(0), pairs = N * (N - 1) / 2;
  Variable first = empty({pairs}, kInt64), second = empty({pairs}, kInt64);
  for (std::int64_t i = 0, pair = 0; i < N; ++i)
    for (std::int64_t j = i + 1; j < N; ++j, ++pair) {
      first.data_ptr<std::int64_t>()[pair] = i;
      second.data_ptr<std::int64_t>()[pair] = j;
    }
  return (self.index_select(0, first) - self.index_select(0, second)).norm(Scalar(p), -1);
}

Variable dist(const Variable& self, const Variable& other, Scalar p) {
  TAPEDECK_CHECK_DEFINED("dist", self, other);
  const detail::OpScope scope("dist");
  return (self - other).norm(p);
}

}  // namespace tapedeck
