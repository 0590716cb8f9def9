#include <tapedeck/ops/kernels/lapack.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/error.h>
#include <tapedeck/ops/kernels/blas.h>
#include <tapedeck/ops/kernels/copy.h>

// LAPACK's own functions; it has no header. Matrices are column-major, integers of 32 bits.
extern "C" {
#define TAPEDECK_LAPACK(p, T)                                                                   \
  void p##getrf_(const int* m, const int* n, T* a, const int* lda, int* pivots, int* info);     \
  void p##getrs_(const char* trans, const int* n, const int* nrhs, const T* a, const int* lda,  \
                 const int* pivots, T* b, const int* ldb, int* info);                           \
  void p##trsm_(const char* side, const char* uplo, const char* trans, const char* diag,        \
                const int* m, const int* n, const T* alpha, const T* a, const int* lda, T* b,   \
                const int* ldb);                                                                \
  void p##potrf_(const char* uplo, const int* n, T* a, const int* lda, int* info);              \
  void p##geqrf_(const int* m, const int* n, T* a, const int* lda, T* tau, T* work,             \
                 const int* lwork, int* info);                                                  \
  void p##orgqr_(const int* m, const int* n, const int* k, T* a, const int* lda, const T* tau,  \
                 T* work, const int* lwork, int* info);                                         \
  void p##gesdd_(const char* job, const int* m, const int* n, T* a, const int* lda, T* s, T* u, \
                 const int* ldu, T* vt, const int* ldvt, T* work, const int* lwork, int* iwork, \
                 int* info);                                                                    \
  void p##syevd_(const char* job, const char* uplo, const int* n, T* a, const int* lda, T* w,   \
                 T* work, const int* lwork, int* iwork, const int* liwork, int* info);
TAPEDECK_LAPACK(s, float)
TAPEDECK_LAPACK(d, double)
#undef TAPEDECK_LAPACK
}

namespace tapedeck::kernels {

namespace {

// The same names for both precisions.
#define TAPEDECK_LAPACK(name)           \
  template <typename... Args>           \
  void name(float tag, Args... args) {  \
    static_cast<void>(tag);             \
    s##name##_(args...);                \
  }                                     \
  template <typename... Args>           \
  void name(double tag, Args... args) { \
    static_cast<void>(tag);             \
    d##name##_(args...);                \
  }
TAPEDECK_LAPACK(getrf)
TAPEDECK_LAPACK(getrs)
TAPEDECK_LAPACK(trsm)
TAPEDECK_LAPACK(potrf)
TAPEDECK_LAPACK(geqrf)
TAPEDECK_LAPACK(orgqr)
TAPEDECK_LAPACK(gesdd)
TAPEDECK_LAPACK(syevd)
#undef TAPEDECK_LAPACK

// A copy whose matrices lie column by column: what LAPACK reads, and writes its results into.
Array by_columns(const Array& a) { return clone(a.transpose(-2, -1)); }
// Back to row-major.
Array by_rows(const Array& a) { return contiguous(a.transpose(-2, -1)); }

DimVector with_matrix(const Array& a, std::initializer_list<std::int64_t> last) {
  DimVector sizes;
  for (std::int64_t d = 0; d < a.dim() - 2; ++d) sizes.push_back(a.size(d));
  for (const std::int64_t size : last) sizes.push_back(size);
  return sizes;
}

// How many matrices, and the extents of each.
struct Batch {
  explicit Batch(const Array& a)
      : m(static_cast<int>(a.size(-2))), n(static_cast<int>(a.size(-1))) {
    for (std::int64_t d = 0; d < a.dim() - 2; ++d) count *= a.size(d);
  }
  std::int64_t matrix() const { return std::int64_t{m} * n; }
  std::int64_t count = 1;
  int m, n;
};

// The leading dimension of a matrix of so many rows: LAPACK wants 1 at least.
int leading(int rows) { return std::max(rows, 1); }

// factor(lu, pivots, info) of each matrix of `columns`, which it overwrites.
template <typename T, typename F>
void for_each_lu(const Array& columns, const Batch& batch, F use) {
  const SerialBlas serial;
  std::vector<int> pivots(static_cast<std::size_t>(batch.n));
  const int ld = leading(batch.n);
  for (std::int64_t i = 0; i < batch.count; ++i) {
    T* const lu = columns.data<T>() + i * batch.matrix();
    int info = 0;
    getrf(T{}, &batch.n, &batch.n, lu, &ld, pivots.data(), &info);
    use(i, lu, pivots.data(), info);
  }
}

// The workspace that a routine asks for when called with a length of -1.
template <typename T, typename Call>
std::vector<T> workspace(Call call) {
  T wanted = 0;
  const int query = -1;
  call(&wanted, &query);
  return std::vector<T>(static_cast<std::size_t>(std::max<T>(wanted, 1)));
}

}  // namespace

Array solve(const Array& a, const Array& b, const char* op) {
  const Batch batch(a);
  const int columns = static_cast<int>(b.size(-1)), ld = leading(batch.n);
  const Array lu = by_columns(a), x = by_columns(b);
  dispatch_floating(a.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for_each_lu<T>(lu, batch, [&](std::int64_t i, const T* factors, const int* pivots, int info) {
      TAPEDECK_CHECK(info == 0, op, ": the diagonal element ", info,
                     " of the factor U is zero, the solve could not be completed because the input "
                     "matrix is singular (input ",
                     a.sizes().ref(), ")");
      getrs(T{}, "N", &batch.n, &columns, factors, &ld, pivots, x.data<T>() + i * batch.n * columns,
            &ld, &info);
    });
  });
  return by_rows(x);
}

Array solve_triangular(const Array& a, const Array& b, bool upper, bool unit) {
  const Batch batch(a);
  const int columns = static_cast<int>(b.size(-1)), ld = leading(batch.n);
  const Array triangles = by_columns(a), x = by_columns(b);
  const SerialBlas serial;
  dispatch_floating(a.dtype(), "solve_triangular", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T one = 1;
    for (std::int64_t i = 0; i < batch.count; ++i)
      trsm(T{}, "L", upper ? "U" : "L", "N", unit ? "U" : "N", &batch.n, &columns, &one,
           triangles.data<T>() + i * batch.matrix(), &ld, x.data<T>() + i * batch.n * columns, &ld);
  });
  return by_rows(x);
}

Array det(const Array& a) {
  const Batch batch(a);
  const Array lu = by_columns(a), result = Array::empty(with_matrix(a, {}), a.dtype());
  dispatch_floating(a.dtype(), "det", [&](auto tag) {
    using T = typename decltype(tag)::type;
    for_each_lu<T>(lu, batch, [&](std::int64_t i, const T* factors, const int* pivots, int) {
      T product = 1;
      for (int k = 0; k < batch.n; ++k)
        product *= pivots[k] == k + 1 ? factors[k * (batch.n + 1)] : -factors[k * (batch.n + 1)];
      result.data<T>()[i] = product;
    });
  });
  return result;
}

std::pair<Array, Array> slogdet(const Array& a) {
  const Batch batch(a);
  const Array lu = by_columns(a), sign = Array::empty(with_matrix(a, {}), a.dtype());
  const Array logarithm = Array::empty(sign.sizes(), a.dtype());
  dispatch_floating(a.dtype(), "slogdet", [&](auto tag) {
    using T = typename decltype(tag)::type;
    for_each_lu<T>(lu, batch, [&](std::int64_t i, const T* factors, const int* pivots, int) {
      T sum = 0, direction = 1;
      for (int k = 0; k < batch.n; ++k) {
        const T d = factors[k * (batch.n + 1)];
        sum += std::log(std::abs(d));
        direction *= d == 0 ? T{0} : (d < 0) != (pivots[k] != k + 1) ? T{-1} : T{1};
      }
      sign.data<T>()[i] = direction;
      logarithm.data<T>()[i] = sum;
    });
  });
  return {sign, logarithm};
}

Array cholesky(const Array& a, bool upper) {
  const Batch batch(a);
  const Array factors = by_columns(a);
  const int ld = leading(batch.n);
  const SerialBlas serial;
  dispatch_floating(a.dtype(), "cholesky", [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (std::int64_t i = 0; i < batch.count; ++i) {
      T* const l = factors.data<T>() + i * batch.matrix();
      int info = 0;
      potrf(T{}, upper ? "U" : "L", &batch.n, l, &ld, &info);
      TAPEDECK_CHECK(info == 0,
                     "linalg.cholesky: The factorization could not be completed because the input "
                     "is not positive-definite (the leading minor of order ",
                     info, " is not positive-definite; input ", a.sizes().ref(), ")");
      for (int c = 0; c < batch.n; ++c)
        for (int r = upper ? c + 1 : 0; r < (upper ? batch.n : c); ++r) l[c * batch.n + r] = 0;
    }
  });
  return by_rows(factors);
}

std::pair<Array, Array> qr(const Array& a, bool complete) {
  const Batch batch(a);
  const int m = batch.m, n = batch.n, k = std::min(m, n), width = complete ? m : k;
  const int ld = leading(m);
  const Array reduced = by_columns(a);
  // Q is made in place of the reflectors, so that there must be room for all its columns.
  const Array q = Array::empty(with_matrix(a, {width, m}), a.dtype());
  const Array r = zeros(with_matrix(a, {width, n}), a.dtype());
  const SerialBlas serial;
  dispatch_floating(a.dtype(), "qr", [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::vector<T> tau(static_cast<std::size_t>(std::max(k, 1)));
    int info = 0;
    const auto factor = [&](T* x, T* work, const int* length) {
      geqrf(T{}, &m, &n, x, &ld, tau.data(), work, length, &info);
    };
    const auto assemble = [&](T* x, T* work, const int* length) {
      orgqr(T{}, &m, &width, &k, x, &ld, tau.data(), work, length, &info);
    };
    std::vector<T> factor_work =
        workspace<T>([&](T* work, const int* length) { factor(reduced.data<T>(), work, length); });
    std::vector<T> assemble_work =
        workspace<T>([&](T* work, const int* length) { assemble(q.data<T>(), work, length); });
    const int factor_length = static_cast<int>(factor_work.size());
    const int assemble_length = static_cast<int>(assemble_work.size());
    for (std::int64_t i = 0; i < batch.count; ++i) {
      T* const x = reduced.data<T>() + i * batch.matrix();
      T* const to_q = q.data<T>() + i * m * width;
      T* const to_r = r.data<T>() + i * width * n;
      factor(x, factor_work.data(), &factor_length);
      for (int c = 0; c < n; ++c)
        for (int row = 0; row <= std::min(c, k - 1); ++row) to_r[row * n + c] = x[c * m + row];
      std::copy_n(x, std::int64_t{m} * k, to_q);
      assemble(to_q, assemble_work.data(), &assemble_length);
    }
  });
  return {by_rows(q), r};
}

std::tuple<Array, Array, Array> svd(const Array& a, bool full) {
  const Batch batch(a);
  const int m = batch.m, n = batch.n, k = std::min(m, n);
  const int u_columns = full ? m : k, v_rows = full ? n : k;
  const int ld = leading(m), ldv = leading(v_rows);
  const Array x = by_columns(a), s = Array::empty(with_matrix(a, {k}), a.dtype());
  const Array u = Array::empty(with_matrix(a, {u_columns, m}), a.dtype());
  const Array vt = Array::empty(with_matrix(a, {n, v_rows}), a.dtype());
  const SerialBlas serial;
  dispatch_floating(a.dtype(), "svd", [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::vector<int> integers(static_cast<std::size_t>(8 * std::max(k, 1)));
    for (std::int64_t i = 0; i < batch.count; ++i) {
      int info = 0;
      const auto call = [&](T* work, const int* length) {
        gesdd(T{}, full ? "A" : "S", &m, &n, x.data<T>() + i * batch.matrix(), &ld,
              s.data<T>() + i * k, u.data<T>() + i * u_columns * m, &ld,
              vt.data<T>() + i * n * v_rows, &ldv, work, length, integers.data(), &info);
      };
      std::vector<T> work = workspace<T>(call);
      const int length = static_cast<int>(work.size());
      call(work.data(), &length);
      TAPEDECK_CHECK(info == 0, "linalg.svd: the algorithm failed to converge (input ",
                     a.sizes().ref(), ", LAPACK's info ", info, ")");
    }
  });
  return {by_rows(u), s, by_rows(vt)};
}

std::pair<Array, Array> eigh(const Array& a, bool upper) {
  const Batch batch(a);
  const int n = batch.n, ld = leading(n);
  const Array vectors = by_columns(a), values = Array::empty(with_matrix(a, {n}), a.dtype());
  const SerialBlas serial;
  dispatch_floating(a.dtype(), "eigh", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const int integer_length = 3 + 5 * n;
    std::vector<int> integers(static_cast<std::size_t>(integer_length));
    for (std::int64_t i = 0; i < batch.count; ++i) {
      int info = 0;
      const auto call = [&](T* work, const int* length) {
        syevd(T{}, "V", upper ? "U" : "L", &n, vectors.data<T>() + i * batch.matrix(), &ld,
              values.data<T>() + i * n, work, length, integers.data(),
              *length < 0 ? length : &integer_length, &info);
      };
      std::vector<T> work = workspace<T>(call);
      const int length = static_cast<int>(work.size());
      call(work.data(), &length);
      TAPEDECK_CHECK(info == 0, "linalg.eigh: the algorithm failed to converge (input ",
                     a.sizes().ref(), ", LAPACK's info ", info, ")");
    }
  });
  return {values, by_rows(vectors)};
}

}  // namespace tapedeck::kernels
