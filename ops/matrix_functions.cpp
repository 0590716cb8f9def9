#include <algorithm>
#include <cmath>
#include <limits>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/comparison.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/linalg.h>
#include <tapedeck/ops/matmul.h>
#include <tapedeck/ops/pointwise.h>
#include <tapedeck/ops/rearrange.h>
#include <tapedeck/ops/reduction.h>
#include <tapedeck/ops/shape.h>
#include <tapedeck/ops/ternary.h>

// Functions of matrices that are made of the solutions and decompositions of linalg.cpp.

namespace tapedeck {

using V = Variable;

namespace {

V mT(const V& A) { return A.transpose(-2, -1); }

V identity(std::int64_t n, ScalarType dtype) { return diag(V(kernels::ones({n}, dtype))); }

double epsilon_of(ScalarType dtype) {
  return dtype == kFloat32 ? std::numeric_limits<float>::epsilon()
                           : std::numeric_limits<double>::epsilon();
}

// Below this share of the largest a singular value counts as zero.
double rank_tolerance(const V& A) {
  return static_cast<double>(std::max(A.size(-2), A.size(-1))) * epsilon_of(A.dtype());
}

V in_dtype(const V& x, std::optional<ScalarType> dtype) { return dtype ? x.to(*dtype) : x; }

}  // namespace

namespace linalg {

V pinv(const V& A, std::optional<double> rcond) {
  if (A.numel() == 0) return mT(A).clone();
  const auto [U, S, Vh] = linalg::svd(A, false);
  const V limit = amax(S, -1, true) * rcond.value_or(rank_tolerance(A));
  const V kept = S.detach() > limit.detach();
  const V reciprocals = where(kept, where(kept, S, 1).reciprocal(), 0);
  return matmul(mT(Vh) * reciprocals.unsqueeze(-2), mT(U));
}

// X = A^+ B
std::tuple<V, V, V, V> lstsq(const V& A, const V& B, std::optional<double> rcond,
                             const std::optional<std::string_view>& driver) {
  const std::string_view routine = driver.value_or("gelsy");
  TAPEDECK_CHECK(
      routine == "gels" || routine == "gelsy" || routine == "gelsd" || routine == "gelss",
      "linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss), got ",
      routine);
  TAPEDECK_CHECK(A.dim() >= 2, "linalg.lstsq: input must have at least 2 dimensions, got shape ",
                 A.sizes());
  TAPEDECK_CHECK_AS(TypeError, A.is_floating_point() && A.dtype() == B.dtype(),
                    "linalg.lstsq: expected input and other of one floating point dtype, got ",
                    A.dtype(), " and ", B.dtype());
  const IntArrayRef rows = A.sizes().slice(0, static_cast<std::size_t>(A.dim() - 1));
  const bool vectors = B.dim() == 1 || (B.dim() == A.dim() - 1 && B.sizes().equals(rows));
  const V columns = vectors ? B.unsqueeze(-1) : B;
  TAPEDECK_CHECK(columns.dim() >= 2 && columns.size(-2) == A.size(-2),
                 "linalg.lstsq: input and other should have the same number of rows, got shapes ",
                 A.sizes(), " and ", B.sizes());

  const V X = matmul(linalg::pinv(A, rcond), columns);
  const V S = svdvals(A.detach());
  const V rank = A.numel() == 0
                     ? V(kernels::zeros(S.sizes().slice(0, S.sizes().size() - 1), kInt64))
                     : (S > amax(S, -1, true) * rcond.value_or(rank_tolerance(A))).sum(-1);
  V residuals(kernels::zeros({0}, A.dtype()));
  if (routine != "gelsy" && A.size(-2) > A.size(-1) && rank.eq(A.size(-1)).all().item<bool>())
    residuals = square(matmul(A.detach(), X.detach()) - columns.detach()).sum(-2);
  const bool no_values = routine == "gels" || routine == "gelsy";
  return {vectors ? X.squeeze(-1) : X, residuals,
          routine == "gels" ? V(kernels::zeros({0}, kInt64)) : rank,
          no_values ? V(kernels::zeros({0}, A.dtype())) : S};
}

V matrix_rank(const V& A, std::optional<double> tol, bool hermitian) {
  const V S = hermitian ? abs(eigvalsh(A.detach())) : svdvals(A.detach());
  const V limit =
      tol ? V(kernels::full({1}, *tol, A.dtype())) : amax(S, -1, true) * rank_tolerance(A);
  return (S > limit).sum(-1);
}

V matrix_power(const V& A, std::int64_t n) {
  TAPEDECK_CHECK(A.dim() >= 2 && A.size(-1) == A.size(-2),
                 "linalg.matrix_power: A must be batches of square matrices, got shape ",
                 A.sizes());
  if (n == 0) return identity(A.size(-1), A.dtype()).expand(A.sizes()).clone();
  auto left = static_cast<std::uint64_t>(n);  // the smallest number's absolute value fits
  if (n < 0) left = 0 - left;
  V power, square = n < 0 ? linalg::inv(A) : A;
  for (;; square = matmul(square, square)) {
    if (left & 1) power = power.defined() ? matmul(power, square) : square;
    left >>= 1;
    if (left == 0) return power;
  }
}

// exp(A) = exp(A / 2^s)^(2^s), with the series of a matrix whose norm is at most 1/2.
V matrix_exp(const V& A) {
  TAPEDECK_CHECK(A.dim() >= 2 && A.size(-1) == A.size(-2) && A.is_floating_point(),
                 "linalg.matrix_exp: expected batches of floating point square matrices, got ",
                 A.sizes(), " of dtype ", A.dtype());
  if (A.numel() == 0) return A.clone();
  const double size = abs(A.detach()).sum(-2).max().item<double>();
  const int halvings =
      std::isfinite(size) && size > 0.5 ? static_cast<int>(std::ceil(std::log2(size))) + 1 : 0;
  const V scaled = A / std::ldexp(1.0, halvings), one = identity(A.size(-1), A.dtype());
  constexpr int kTerms = 16;  // 0.5^17 / 17! is below the precision of float64
  V sum = one + scaled / kTerms;
  for (int k = kTerms - 1; k > 0; --k) sum = one + matmul(scaled / k, sum);
  for (int k = 0; k < halvings; ++k) sum = matmul(sum, sum);
  return sum;
}

V multi_dot(TensorList tensors) {
  TAPEDECK_CHECK(tensors.size() >= 2, "multi_dot(): expected at least 2 tensors but got ",
                 tensors.size());
  // The cheapest order, by dynamic programming over the chain's extents.
  const std::size_t n = tensors.size();
  std::vector<V> chain(tensors.begin(), tensors.end());
  const bool row = chain.front().dim() == 1, column = chain.back().dim() == 1;
  if (row) chain.front() = chain.front().unsqueeze(0);
  if (column) chain.back() = chain.back().unsqueeze(-1);
  std::vector<double> extents;
  for (const V& matrix : chain) {
    TAPEDECK_CHECK(matrix.dim() == 2, "multi_dot(): expected matrices, got shape ", matrix.sizes());
    extents.push_back(static_cast<double>(matrix.size(0)));
  }
  extents.push_back(static_cast<double>(chain.back().size(1)));
  std::vector<std::vector<double>> cost(n, std::vector<double>(n));
  std::vector<std::vector<std::size_t>> cut(n, std::vector<std::size_t>(n));
  for (std::size_t length = 1; length < n; ++length)
    for (std::size_t i = 0; i + length < n; ++i) {
      const std::size_t j = i + length;
      cost[i][j] = std::numeric_limits<double>::infinity();
      for (std::size_t k = i; k < j; ++k) {
        const double c = cost[i][k] + cost[k + 1][j] + extents[i] * extents[k + 1] * extents[j + 1];
        if (c < cost[i][j]) cost[i][j] = c, cut[i][j] = k;
      }
    }
  const auto product = [&](const auto& self, std::size_t i, std::size_t j) -> V {
    if (i == j) return chain[i];
    return mm(self(self, i, cut[i][j]), self(self, cut[i][j] + 1, j));
  };
  V result = product(product, 0, n - 1);
  if (column) result = result.squeeze(-1);
  return row ? result.squeeze(0) : result;
}

V vector_norm(const V& x, Scalar ord, OptionalIntArrayRef dim, bool keepdim,
              std::optional<ScalarType> dtype) {
  return tapedeck::norm(in_dtype(x, dtype), ord, dim ? *dim : IntArrayRef(), keepdim);
}

namespace {

// The matrices of two axes, brought to the end, for norms of singular values.
V singular_values(const V& A, IntArrayRef dim) { return svdvals(A.movedim(dim, {-2, -1})); }

V put_back(const V& y, const V& A, IntArrayRef dim, bool keepdim) {
  if (!keepdim) return y;
  DimVector sizes(A.sizes());
  for (const std::int64_t d : dim) sizes[wrap_dim(d, A.dim(), "linalg.matrix_norm")] = 1;
  return y.reshape(sizes);
}

void check_axes(const V& A, IntArrayRef dim) {
  TAPEDECK_CHECK(dim.size() == 2 && A.dim() >= 2,
                 "linalg.matrix_norm: dim must be a 2-tuple and the input a matrix at least, got ",
                 dim, " for shape ", A.sizes());
}

}  // namespace

V matrix_norm(const V& self, std::string_view ord, IntArrayRef dim, bool keepdim,
              std::optional<ScalarType> dtype) {
  check_axes(self, dim);
  const V A = in_dtype(self, dtype);
  if (ord == "fro") return tapedeck::norm(A, 2, dim, keepdim);
  TAPEDECK_CHECK(ord == "nuc", "linalg.matrix_norm: Order ", ord, " not supported.");
  return put_back(singular_values(A, dim).sum(-1), A, dim, keepdim);
}

V matrix_norm(const V& self, Scalar ord, IntArrayRef dim, bool keepdim,
              std::optional<ScalarType> dtype) {
  check_axes(self, dim);
  const V A = in_dtype(self, dtype);
  const double p = ord.toDouble(), size = std::abs(p);
  TAPEDECK_CHECK(size == 1 || size == 2 || std::isinf(size), "linalg.matrix_norm: Order ", p,
                 " not supported.");
  V candidates;
  if (size == 2) {
    candidates = singular_values(A, dim);
  } else {
    // Sums over one of the two axes, which stands last in what is left.
    const std::int64_t first = wrap_dim(dim[0], A.dim(), "linalg.matrix_norm");
    const std::int64_t second = wrap_dim(dim[1], A.dim(), "linalg.matrix_norm");
    const std::int64_t summed = size == 1 ? first : second, left = size == 1 ? second : first;
    candidates = abs(A).sum(summed, true).movedim({left, summed}, {-1, -2}).squeeze(-2);
  }
  return put_back(p > 0 ? amax(candidates, -1) : amin(candidates, -1), A, dim, keepdim);
}

V norm(const V& A, const std::optional<Scalar>& ord, OptionalIntArrayRef dim, bool keepdim,
       std::optional<ScalarType> dtype) {
  const bool is_matrix = dim ? (*dim).size() == 2 : A.dim() == 2;
  if (!ord || !is_matrix) return vector_norm(A, ord.value_or(2), dim, keepdim, dtype);
  return matrix_norm(A, *ord, dim ? *dim : IntArrayRef({-2, -1}), keepdim, dtype);
}
V norm(const V& A, std::string_view ord, OptionalIntArrayRef dim, bool keepdim,
       std::optional<ScalarType> dtype) {
  return matrix_norm(A, ord, dim ? *dim : IntArrayRef({-2, -1}), keepdim, dtype);
}

V cond(const V& A, const std::optional<Scalar>& p) {
  const double order = p.value_or(2).toDouble();
  if (std::abs(order) == 2) {
    const V S = svdvals(A);
    return order > 0 ? amax(S, -1) / amin(S, -1) : amin(S, -1) / amax(S, -1);
  }
  return matrix_norm(A, *p) * matrix_norm(inv(A), *p);
}

V vecdot(const V& x, const V& y, std::int64_t dim) { return (x * y).sum(dim); }
V cross(const V& self, const V& other, std::int64_t dim) {
  return tapedeck::cross(self, other, dim);
}
V diagonal(const V& A, std::int64_t offset, std::int64_t dim1, std::int64_t dim2) {
  return tapedeck::diagonal(A, offset, dim1, dim2);
}

}  // namespace linalg

V logdet(const V& self) {
  const detail::OpScope scope("logdet");
  const auto [sign, size] = linalg::slogdet(self);
  return where(sign == -1, std::numeric_limits<double>::quiet_NaN(), size);
}

V cholesky_solve(const V& self, const V& factor, bool upper) {
  const V L = upper ? mT(factor) : factor;
  const V y = linalg::solve_triangular(L, self, false);
  return linalg::solve_triangular(mT(L), y, true);
}
V cholesky_inverse(const V& self, bool upper) {
  return cholesky_solve(identity(self.size(-1), self.dtype()), self, upper);
}

std::tuple<V, V> triangular_solve(const V& self, const V& A, bool upper, bool transpose,
                                  bool unitriangular) {
  return {transpose ? linalg::solve_triangular(mT(A), self, !upper, true, unitriangular)
                    : linalg::solve_triangular(A, self, upper, true, unitriangular),
          A.clone()};
}

std::tuple<V, V, V> svd(const V& self, bool some, bool compute_uv) {
  const auto [U, S, Vh] = linalg::svd(self, !some);
  if (!compute_uv) return {zeros_like(U), S, zeros_like(mT(Vh))};
  return {U, S, mT(Vh)};
}

// [..., a, b] x [..., c, d] -> [..., a c, b d], axis by axis
V kron(const V& self, const V& other) {
  const std::int64_t dims = std::max(self.dim(), other.dim());
  DimVector left, right, joined;
  for (std::int64_t d = 0; d < dims; ++d) {
    const std::int64_t at_self = d - (dims - self.dim()), at_other = d - (dims - other.dim());
    const std::int64_t m = at_self < 0 ? 1 : self.size(at_self);
    const std::int64_t n = at_other < 0 ? 1 : other.size(at_other);
    left.push_back(m), left.push_back(1);
    right.push_back(1), right.push_back(n);
    joined.push_back(m * n);
  }
  return (self.reshape(left) * other.reshape(right)).reshape(joined);
}

V VariableMath::inner(const V& other) const { return tapedeck::inner(self(), other); }
V VariableMath::kron(const V& other) const { return tapedeck::kron(self(), other); }
V VariableMath::cross(const V& other, std::optional<std::int64_t> dim) const {
  return tapedeck::cross(self(), other, dim);
}
V VariableMath::addr(const V& vec1, const V& vec2, Scalar beta, Scalar alpha) const {
  return tapedeck::addr(self(), vec1, vec2, beta, alpha);
}
V& VariableMath::addr_(const V& vec1, const V& vec2, Scalar beta, Scalar alpha) const {
  return autograd::assign_inplace(self(), addr(vec1, vec2, beta, alpha), "addr_");
}
V VariableMath::addbmm(const V& batch1, const V& batch2, Scalar beta, Scalar alpha) const {
  return tapedeck::addbmm(self(), batch1, batch2, beta, alpha);
}
V& VariableMath::addbmm_(const V& batch1, const V& batch2, Scalar beta, Scalar alpha) const {
  return autograd::assign_inplace(self(), addbmm(batch1, batch2, beta, alpha), "addbmm_");
}
V VariableMath::inverse() const { return tapedeck::inverse(self()); }
V VariableMath::pinverse(double rcond) const { return tapedeck::pinverse(self(), rcond); }
V VariableMath::det() const { return tapedeck::det(self()); }
V VariableMath::logdet() const { return tapedeck::logdet(self()); }
std::tuple<V, V> VariableMath::slogdet() const { return tapedeck::slogdet(self()); }
V VariableMath::cholesky(bool upper) const { return tapedeck::cholesky(self(), upper); }
V VariableMath::cholesky_solve(const V& factor, bool upper) const {
  return tapedeck::cholesky_solve(self(), factor, upper);
}
V VariableMath::cholesky_inverse(bool upper) const {
  return tapedeck::cholesky_inverse(self(), upper);
}
std::tuple<V, V> VariableMath::triangular_solve(const V& A, bool upper, bool transpose,
                                                bool unitriangular) const {
  return tapedeck::triangular_solve(self(), A, upper, transpose, unitriangular);
}
std::tuple<V, V> VariableMath::qr(bool some) const { return tapedeck::qr(self(), some); }
std::tuple<V, V, V> VariableMath::svd(bool some, bool compute_uv) const {
  return tapedeck::svd(self(), some, compute_uv);
}
V VariableMath::matrix_power(std::int64_t n) const { return tapedeck::matrix_power(self(), n); }
V VariableMath::matrix_exp() const { return tapedeck::matrix_exp(self()); }

}  // namespace tapedeck
