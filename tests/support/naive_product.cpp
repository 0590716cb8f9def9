#include <tests/support/naive_product.h>

#include <vector>

#include <tapedeck/ops/kernels/copy.h>
#include <tests/support/arrays.h>

namespace tapedeck::testing_support {

Array naive_product(const Array& a, const Array& b) {
  const std::int64_t M = a.size(0), K = a.size(1), N = b.size(1);
  const std::vector<double> x = testing::values<double>(kernels::cast(a, kFloat64));
  const std::vector<double> y = testing::values<double>(kernels::cast(b, kFloat64));
  Array out = kernels::zeros({M, N}, kFloat64);
  double* z = out.data<double>();
  for (std::int64_t i = 0; i < M; ++i)
    for (std::int64_t k = 0; k < K; ++k)
      for (std::int64_t j = 0; j < N; ++j) z[i * N + j] += x[i * K + k] * y[k * N + j];
  return out;
}

}  // namespace tapedeck::testing_support
