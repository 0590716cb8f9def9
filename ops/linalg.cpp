#include <tapedeck/ops/linalg.h>

#include <algorithm>
#include <limits>

#include <tapedeck/autograd/record.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/comparison.h>
#include <tapedeck/ops/joining.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/lapack.h>
#include <tapedeck/ops/matmul.h>
#include <tapedeck/ops/pointwise.h>
#include <tapedeck/ops/rearrange.h>
#include <tapedeck/ops/reduction.h>
#include <tapedeck/ops/shape.h>
#include <tapedeck/ops/ternary.h>

// Solutions and decompositions. What is made of them stands in matrix_functions.cpp. The
// derivatives are those of M. Giles, "An extended collection of matrix derivative results" (2008).

namespace tapedeck::linalg {

using V = Variable;

namespace {

void check_matrix(const V& A, const char* op) {
  TAPEDECK_CHECK(A.dim() >= 2, op,
                 ": The input tensor A must have at least 2 dimensions, got shape ", A.sizes());
  TAPEDECK_CHECK_AS(TypeError, A.is_floating_point(), op,
                    ": Expected a floating point tensor as input. Got ", A.dtype());
}
void check_square(const V& A, const char* op) {
  check_matrix(A, op);
  TAPEDECK_CHECK(A.size(-1) == A.size(-2), op, ": A must be batches of square matrices, got shape ",
                 A.sizes());
}

V mT(const V& A) { return A.transpose(-2, -1); }

// The axes before the matrix, and those broadcast with another's.
IntArrayRef batch_of(const V& A) {
  return A.sizes().slice(0, static_cast<std::size_t>(A.dim() - 2));
}
V expand_batch(const V& A, IntArrayRef batch) {
  DimVector sizes(batch);
  sizes.push_back(A.size(-2));
  sizes.push_back(A.size(-1));
  return A.expand(sizes);
}

void check_system(const V& A, const V& B, const char* op) {
  check_square(A, op);
  TAPEDECK_CHECK_AS(TypeError, A.dtype() == B.dtype(), op,
                    ": Expected A and B to have the same dtype, but found A of type ", A.dtype(),
                    " and B of type ", B.dtype());
  TAPEDECK_CHECK(B.dim() >= 2 && A.size(-1) == B.size(-2), op,
                 ": Incompatible shapes of A and B for the equation AX = B (", A.sizes(), " and ",
                 B.sizes(), ")");
}

V identity_like(const V& A) {
  return expand_batch(diag(V(kernels::ones({A.size(-1)}, A.dtype()))), batch_of(A));
}

// X = A^-1 B;  dB = A^-T g, dA = -dB X^T
V solve_system(const V& A, const V& B, const char* op) {
  V X(kernels::solve(A.array(), B.array(), op));
  if (should_record(A, B))
    record(X, "LinalgSolveExBackward0", edges(A, B),
           [A = save(A), X = save_output(X), op](const V& g, const VjpContext& ctx) {
             const V dB = solve_system(mT(A.get(ctx)), g, op);
             return Gradients{ctx.needs(0) ? -matmul(dB, mT(X.get(ctx))) : V(), dB};
           });
  return X;
}

V triangle(const V& A, bool upper, bool unit) {
  return upper ? triu(A, unit ? 1 : 0) : tril(A, unit ? -1 : 0);
}

// X = A^-1 B;  dB = A^-T g, dA = the triangle of -dB X^T
V solve_triangle(const V& A, const V& B, bool upper, bool unit) {
  V X(kernels::solve_triangular(A.array(), B.array(), upper, unit));
  if (should_record(A, B))
    record(X, "LinalgSolveTriangularBackward0", edges(A, B),
           [A = save(A), X = save_output(X), upper, unit](const V& g, const VjpContext& ctx) {
             const V dB = solve_triangle(mT(A.get(ctx)), g, !upper, unit);
             return Gradients{
                 ctx.needs(0) ? triangle(-matmul(dB, mT(X.get(ctx))), upper, unit) : V(), dB};
           });
  return X;
}

V or_zeros(const V& g, const V& like) {
  return g.defined() ? g : V(kernels::zeros(like.sizes(), like.dtype()));
}

// 1 / (x_j - x_i), and 0 on the diagonal.
V gaps(const V& x) {
  const V difference = x.unsqueeze(-2) - x.unsqueeze(-1);
  const V on_diagonal = diag(V(kernels::ones({x.size(-1)}, kBool)));
  return where(on_diagonal, 0, where(on_diagonal, 1, difference).reciprocal());
}

}  // namespace

V solve(const V& A, const V& B, bool left) {
  if (B.dim() == 1 || (A.dim() > 2 && A.dim() - 1 == B.dim() &&
                       B.sizes().equals(A.sizes().slice(0, static_cast<std::size_t>(B.dim())))))
    return left ? solve(A, B.unsqueeze(-1)).squeeze(-1) : solve(mT(A), B.unsqueeze(-1)).squeeze(-1);
  if (!left) return mT(solve(mT(A), mT(B)));
  check_system(A, B, "linalg.solve");
  const DimVector batch = broadcast_shapes(batch_of(A), batch_of(B), "linalg.solve");
  return solve_system(expand_batch(A, batch), expand_batch(B, batch), "linalg.solve");
}

V solve_triangular(const V& A, const V& B, bool upper, bool left, bool unitriangular) {
  if (!left) return mT(solve_triangular(mT(A), mT(B), !upper, true, unitriangular));
  check_system(A, B, "linalg.solve_triangular");
  const DimVector batch = broadcast_shapes(batch_of(A), batch_of(B), "linalg.solve_triangular");
  return solve_triangle(expand_batch(A, batch), expand_batch(B, batch), upper, unitriangular);
}

// Y = A^-1;  dA = -Y^T g Y^T
V inv(const V& A) {
  check_square(A, "linalg.inv");
  V Y(kernels::solve(A.array(), identity_like(A).array(), "linalg.inv"));
  if (should_record(A))
    record(Y, "LinalgInvExBackward0", edges(A),
           [Y = save_output(Y)](const V& g, const VjpContext& ctx) {
             const V inverse_t = mT(Y.get(ctx));
             return -matmul(matmul(inverse_t, g), inverse_t);
           });
  return Y;
}

namespace {

// det(A) A^-T of matrices that may be singular: from the singular values, without each in turn.
V cofactors(const V& A) {
  const auto [U, S, Vh] = linalg::svd(A.detach(), false);
  const std::int64_t n = S.size(-1);
  const V sign = linalg::det(U) * linalg::det(Vh);
  std::vector<V> products;
  for (std::int64_t i = 0; i < n; ++i)
    products.push_back(prod(S.narrow(-1, 0, i), -1) * prod(S.narrow(-1, i + 1, n - i - 1), -1));
  return matmul(U * (stack(products, -1) * sign.unsqueeze(-1)).unsqueeze(-2), Vh);
}

}  // namespace

// y = |A|;  dA = g y A^-T
V det(const V& A) {
  check_square(A, "linalg.det");
  V y(kernels::det(A.array()));
  if (should_record(A))
    record(y, "LinalgDetBackward0", edges(A),
           [A = save(A), y = save_output(y)](const V& g, const VjpContext& ctx) {
             const V in = A.get(ctx), out = y.get(ctx);
             if (in.numel() == 0) return V(kernels::zeros(in.sizes(), in.dtype()));
             const V each = g.unsqueeze(-1).unsqueeze(-1);
             if ((out.detach() == 0).any().item<bool>()) return each * cofactors(in);
             return mT(inv(in)) * (each * out.unsqueeze(-1).unsqueeze(-1));
           });
  return y;
}

// y = log ||A||;  dA = g A^-T
std::tuple<V, V> slogdet(const V& A) {
  check_square(A, "linalg.slogdet");
  auto [sign, size] = kernels::slogdet(A.array());
  V y(size);
  if (should_record(A))
    record(y, "LinalgSlogdetBackward0", edges(A), [A = save(A)](const V& g, const VjpContext& ctx) {
      return mT(inv(A.get(ctx))) * g.unsqueeze(-1).unsqueeze(-1);
    });
  return {V(sign), y};
}

// A = L L^T;  dA = the symmetric part of L^-T phi(L^T g) L^-1, phi the lower triangle with half of
// the diagonal
V cholesky(const V& A, bool upper) {
  check_square(A, "linalg.cholesky");
  if (upper) return mT(linalg::cholesky(mT(A)));
  V L(kernels::cholesky(A.array(), false));
  if (should_record(A))
    record(L, "LinalgCholeskyExBackward0", edges(A),
           [L = save_output(L)](const V& g, const VjpContext& ctx) {
             const V factor = L.get(ctx), product = matmul(mT(factor), g);
             const V phi = (tril(product) + tril(product, -1)) / 2;
             const V left = solve_triangle(mT(factor), phi, true, false);
             const V dA = mT(solve_triangle(mT(factor), mT(left), true, false));
             return (dA + mT(dA)) / 2;
           });
  return L;
}

namespace {

// A = Q R of a matrix at least as tall as wide;  dA = (dQ + Q sym(M)) R^-T with
// M = R dR^T - dQ^T Q and sym its lower triangle, mirrored
std::tuple<V, V> tall_qr(const V& A) {
  const auto [q_array, r_array] = kernels::qr(A.array(), false);
  V Q(q_array), R(r_array);
  if (should_record(A))
    record({&Q, &R}, "LinalgQrBackward0", edges(A),
           [Q = save_output(Q), R = save_output(R, 1)](const Gradients& g, const VjpContext& ctx) {
             const V q = Q.get(ctx), r = R.get(ctx);
             const V dQ = or_zeros(g[0], q), dR = or_zeros(g[1], r);
             const V M = matmul(r, mT(dR)) - matmul(mT(dQ), q);
             const V mirrored = tril(M) + mT(tril(M, -1));
             // X R^T = Y  <=>  R X^T = Y^T
             return Gradients{mT(solve_triangle(r, mT(dQ + matmul(q, mirrored)), true, false))};
           });
  return {Q, R};
}

}  // namespace

std::tuple<V, V> qr(const V& A, std::string_view mode) {
  check_matrix(A, "linalg.qr");
  TAPEDECK_CHECK(mode == "reduced" || mode == "complete" || mode == "r",
                 "qr received unrecognized mode '", mode,
                 "' but expected one of 'reduced' (default), 'r', or 'complete'");
  const std::int64_t m = A.size(-2), n = A.size(-1);
  if (mode == "r" || (mode == "complete" && m > n)) {
    TAPEDECK_CHECK(!should_record(A), "linalg.qr: the derivative is not defined for mode '", mode,
                   "' of a matrix of shape ", A.sizes());
    auto [q, r] = kernels::qr(A.array(), mode == "complete");
    return {mode == "r" ? V(Array::empty({0}, A.dtype())) : V(q), V(r)};
  }
  if (m >= n) return tall_qr(A);
  // The first columns make Q; the others follow from it.
  const auto [Q, R] = tall_qr(A.narrow(-1, 0, m));
  return {Q, cat({R, matmul(mT(Q), A.narrow(-1, m, n - m))}, -1)};
}

// A = U S V^T;  dA = U [ (skew(U^T dU) / E) S + S (skew(V^T dV) / E) + dS ] V^T
//                 + (1 - U U^T) dU S^-1 V^T + U S^-1 dV^T (1 - V V^T),  E_ij = s_j^2 - s_i^2
std::tuple<V, V, V> svd(const V& A, bool full_matrices) {
  check_matrix(A, "linalg.svd");
  const bool square = A.size(-2) == A.size(-1);
  if (full_matrices && !square) {
    TAPEDECK_CHECK(!should_record(A),
                   "linalg.svd: the derivative is not defined for the full matrices of a matrix of "
                   "shape ",
                   A.sizes(), "; use full_matrices=false");
  }
  const auto [u_array, s_array, vh_array] = kernels::svd(A.array(), full_matrices);
  V U(u_array), S(s_array), Vh(vh_array);
  if (should_record(A))
    record({&U, &S, &Vh}, "LinalgSvdBackward0", edges(A),
           [U = save_output(U), S = save_output(S, 1), Vh = save_output(Vh, 2)](
               const Gradients& g, const VjpContext& ctx) {
             const V u = U.get(ctx), s = S.get(ctx), vh = Vh.get(ctx);
             V inner = or_zeros(g[1], s).diag_embed();
             V outer;
             const auto add = [&](const V& term) { outer = outer.defined() ? outer + term : term; };
             const V F = g[0].defined() || g[2].defined() ? gaps(s * s) : V();
             if (g[0].defined()) {
               const V turn = matmul(mT(u), g[0]);
               inner = inner + (turn - mT(turn)) * F * s.unsqueeze(-2);
               if (u.size(-2) > s.size(-1))
                 add(matmul((g[0] - matmul(u, turn)) / s.unsqueeze(-2), vh));
             }
             if (g[2].defined()) {
               const V turn = matmul(vh, mT(g[2]));
               inner = inner + s.unsqueeze(-1) * ((turn - mT(turn)) * F);
               if (vh.size(-1) > s.size(-1))
                 add(matmul(u, (g[2] - matmul(mT(turn), vh)) / s.unsqueeze(-1)));
             }
             add(matmul(matmul(u, inner), vh));
             return Gradients{outer};
           });
  return {U, S, Vh};
}

V svdvals(const V& A) { return std::get<1>(linalg::svd(A, false)); }

// A = V w V^T;  dA = V (dw + (V^T dV) / E) V^T,  E_ij = w_j - w_i
std::tuple<V, V> eigh(const V& A, std::string_view UPLO) {
  check_square(A, "linalg.eigh");
  TAPEDECK_CHECK(UPLO == "L" || UPLO == "U" || UPLO == "l" || UPLO == "u",
                 "Expected UPLO argument to be 'L' or 'U', but got ", UPLO);
  const auto [w_array, v_array] = kernels::eigh(A.array(), UPLO == "U" || UPLO == "u");
  V values(w_array), vectors(v_array);
  if (should_record(A))
    record({&values, &vectors}, "LinalgEighBackward0", edges(A),
           [values = save_output(values), vectors = save_output(vectors, 1)](
               const Gradients& g, const VjpContext& ctx) {
             const V w = values.get(ctx), v = vectors.get(ctx);
             V inner = or_zeros(g[0], w).diag_embed();
             if (g[1].defined()) inner = inner + matmul(mT(v), g[1]) * gaps(w);
             return Gradients{matmul(matmul(v, inner), mT(v))};
           });
  return {values, vectors};
}

V eigvalsh(const V& A, std::string_view UPLO) { return std::get<0>(eigh(A, UPLO)); }

}  // namespace tapedeck::linalg
