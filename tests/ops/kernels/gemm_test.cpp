#include <tapedeck/ops/kernels/gemm.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/ops/kernels/binary.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/gemm_blas.h>
#include <tapedeck/ops/kernels/gemm_blocked.h>
#include <tests/support/arrays.h>
#include <tests/support/compare.h>
#include <tests/support/naive_product.h>

namespace tapedeck::kernels {
namespace {

using namespace tapedeck::testing;
using namespace tapedeck::testing_support;
using I64 = std::int64_t;

double tolerance(ScalarType dtype) { return dtype == kFloat32 ? 1e-5 : 1e-14; }

const I64 kSizes[][3] = {{1, 1, 1},   {2, 3, 5},    {7, 5, 3},      {1, 40, 17},   {17, 1, 40},
                         {40, 17, 1}, {16, 16, 16}, {33, 65, 31},   {130, 67, 90}, {300, 5, 400},
                         {5, 7, 900}, {700, 9, 70}, {65, 300, 129}, {300, 9, 3},   {201, 16, 4},
                         {129, 4, 2}, {1, 900, 3},  {3, 1500, 140}, {2, 50, 70},   {20, 110, 30},
                         {60, 90, 2}};

TEST(Gemm, EqualsTheDefinitionInEveryLayout) {
  for (const ScalarType dtype : {kFloat32, kFloat64, kInt64, kInt32, kUInt8})
    for (const auto& [M, K, N] : kSizes) {
      SCOPED_TRACE(::testing::Message() << dtype << " " << M << " " << K << " " << N);
      const bool small = dtype == kUInt8;  // so that sums stay in range
      const Array a = random_array({M, K}, dtype, 1, small ? 0 : -2, 2);
      const Array b = random_array({K, N}, dtype, 2, small ? 0 : -2, small ? 1 : 2);
      const Array expected = naive_product(a, b);
      for (const Array& x : layouts_of(a))
        for (const Array& y : layouts_of(b)) {
          const Array c = gemm(x, y);
          EXPECT_EQ(c.dtype(), dtype);
          EXPECT_LE(relative_error(c, expected), is_floating_point(dtype) ? tolerance(dtype) : 0);
        }
    }
}

// c = alpha a b + beta c in memory of any kind, through register tiles and through BLAS. Beyond
// each row of c is a gap, and behind the last one another row, which must stay as they are.
template <typename T>
void check_matrices(I64 M, I64 K, I64 N, bool a_transposed, bool b_transposed, bool c_transposed,
                    I64 gap) {
  SCOPED_TRACE(::testing::Message() << M << " " << K << " " << N << a_transposed << b_transposed
                                    << c_transposed << " " << gap);
  const Array a = random_array({M, K}, dtype_of<T>, 1), b = random_array({K, N}, dtype_of<T>, 2);
  const Array at = contiguous(a.transpose(0, 1)), bt = contiguous(b.transpose(0, 1));
  const Matrix<const T> left = a_transposed
                                   ? Matrix<const T>(row_major<T>(at.data<T>(), K, M)).transposed()
                                   : Matrix<const T>(row_major<T>(a.data<T>(), M, K));
  const Matrix<const T> right = b_transposed
                                    ? Matrix<const T>(row_major<T>(bt.data<T>(), N, K)).transposed()
                                    : Matrix<const T>(row_major<T>(b.data<T>(), K, N));
  const Array product = naive_product(a, b);
  const I64 rows = c_transposed ? N : M, columns = c_transposed ? M : N;
  const Array before = random_array({rows + 1, columns + gap}, dtype_of<T>, 3);
  const Array change = c_transposed ? product.transpose(0, 1) : product;
  for (const auto& [alpha, beta] : {std::pair<T, T>{1, 0}, {2, 1}, {1, -1}, {0.5, 3}}) {
    const Array expected = clone(cast(before, kFloat64));
    Array changed = expected.slice(0, 0, rows, 1).slice(1, 0, columns, 1);
    mul_out(changed, changed, full({}, beta, kFloat64));
    add_out(changed, changed, mul(change, full({}, alpha, kFloat64)));
    for (const auto multiply : {gemm_parallel<T>, gemm_serial<T>, gemm_blocked<T>, gemm_blas<T>}) {
      const Array c = clone(before);
      const Matrix<T> stored = row_major(c.data<T>(), rows, columns, columns + gap);
      multiply(alpha, left, right, beta, c_transposed ? stored.transposed() : stored);
      EXPECT_LT(largest_difference(c, expected),
                (std::is_same_v<T, float> ? 2e-5 : 1e-12) * static_cast<double>(K + 10));
    }
  }
}

TEST(Gemm, EqualsTheDefinitionInMemoryOfEveryKind) {
  const I64 sizes[][3] = {{1, 70, 33},
                          {2, 30, 40},
                          {14, 9, 32},
                          {15, 64, 31},
                          {49, 600, 97},
                          {97, 11, 49},
                          {100, 3, 10},
                          {29, 530, 4},
                          {64, 64, 64},
                          {33, 1, 65},
                          // a few columns behind whole vectors, in one and several parts
                          {40, 530, 100},
                          {45, 70, 83},
                          {230, 80, 103},
                          // the same beside rows in place
                          {50, 90, 36},
                          {100, 100, 100},
                          {27, 150, 66},
                          // few rows or columns: read in place, by parts of the depth, by dots; and
                          // long rows of little depth
                          {3, 70, 700},
                          {4, 2100, 130},
                          {2, 33, 1300},
                          {7, 2100, 41},
                          {16, 330, 50},
                          {9, 3, 1100},
                          {24, 130, 70},
                          {50, 80, 20},
                          {6, 1, 900},
                          {90, 6, 530},
                          // up to eight rows, of every number of vectors
                          {4, 90, 400},
                          {5, 70, 203},
                          {6, 150, 310},
                          {7, 40, 95},
                          {8, 500, 77},
                          // long columns of few, whose sums are stored side by side
                          {300, 20, 2},
                          {130, 70, 3},
                          {77, 5, 4},
                          // a few long sums
                          {3, 530, 3},
                          {2, 1500, 4},
                          {8, 400, 3},
                          // no wider than a tile: less than a vector, one and some, two; shallow
                          // or not
                          {40, 3, 5},
                          {9, 4, 3},
                          {8, 8, 8},
                          {37, 16, 13},
                          {6000, 10, 10},
                          {7, 0, 5},
                          {26, 100, 20},
                          // rows in place beside a panel or two; columns in place from every cache;
                          // either operand packed by pieces of the work, and both beforehand
                          {500, 7, 10},
                          {50, 270, 20},
                          {700, 6, 1},
                          {1, 6, 700},
                          {12, 300, 700},
                          {22, 270, 1024},
                          {27, 270, 1024},
                          {40, 300, 230},
                          {230, 300, 40},
                          {300, 40, 270},
                          {520, 20, 600}};
  for (const auto& [M, K, N] : sizes)
    for (int layout = 0; layout < 8; ++layout)
      for (const I64 gap : {0, 3}) {
        check_matrices<float>(M, K, N, layout & 1, layout & 2, layout & 4, gap);
        check_matrices<double>(M, K, N, layout & 1, layout & 2, layout & 4, gap);
      }
}

// Rows that are packed once serve every product: of few columns and many, of several parts of the
// depth, with an addend for each row or without.
template <typename T>
void check_packed_rows(I64 M, I64 K, bool transposed) {
  const Array a = random_array({M, K}, dtype_of<T>, 1), at = contiguous(a.transpose(0, 1));
  const Array addends = random_array({M, 1}, dtype_of<T>, 4);
  const PackedRows<T> rows(transposed
                               ? Matrix<const T>(row_major<T>(at.data<T>(), K, M)).transposed()
                               : Matrix<const T>(row_major<T>(a.data<T>(), M, K)));
  for (const I64 N : {3, 17, 32, 130, 700})
    for (const bool adds : {false, true}) {
      SCOPED_TRACE(::testing::Message() << M << " " << K << " " << N << transposed << adds);
      const Array b = random_array({K, N}, dtype_of<T>, 2),
                  c = random_array({M, N}, dtype_of<T>, 3);  // what is there does not count
      Array expected = naive_product(a, b);
      if (adds) expected = add(expected, cast(addends, kFloat64));
      rows.multiply(row_major<T>(b.data<T>(), K, N), row_major<T>(c.data<T>(), M, N),
                    adds ? addends.data<T>() : nullptr);
      EXPECT_LT(relative_error(c, expected), tolerance(dtype_of<T>) * 10);
    }
}

TEST(Gemm, RowsArePackedOnceForSeveralProducts) {
  for (const auto& [M, K] : {std::pair<I64, I64>{5, 7}, {50, 600}, {230, 300}, {700, 40}, {1, 0}})
    for (const bool transposed : {false, true}) {
      check_packed_rows<float>(M, K, transposed);
      check_packed_rows<double>(M, K, transposed);
    }
}

template <typename T>
void check_row_addends(I64 M, I64 K, I64 N) {
  SCOPED_TRACE(::testing::Message() << M << " " << K << " " << N << " " << dtype_of<T>);
  const Array a = random_array({M, K}, dtype_of<T>, 1), b = random_array({K, N}, dtype_of<T>, 2);
  const Array addends = random_array({M, 1}, dtype_of<T>, 3);
  const Array expected = add(naive_product(a, b), cast(addends, kFloat64));
  for (const bool transposed : {false, true}) {
    const Array stored = random_array({transposed ? N : M, transposed ? M : N}, dtype_of<T>, 4);
    const Matrix<T> all = row_major(stored.data<T>(), stored.size(0), stored.size(1));
    gemm_add_to_rows<T>(row_major<T>(a.data<T>(), M, K), row_major<T>(b.data<T>(), K, N),
                        addends.data<T>(), transposed ? all.transposed() : all);
    EXPECT_LT(largest_difference(transposed ? stored.transpose(0, 1) : stored, expected),
              (std::is_same_v<T, float> ? 2e-5 : 1e-12) * static_cast<double>(K + 10));
  }
}

TEST(Gemm, AddsOneNumberToEachRow) {
  for (const auto& [M, K, N] : kSizes) {
    check_row_addends<float>(M, K, N);
    check_row_addends<double>(M, K, N);
  }
  check_row_addends<float>(97, 600, 530);  // several parts of the depth, and columns left over
  check_row_addends<float>(3, 0, 5);
}

// What a tile computes beside c is not stored, and packing repeats rows instead of reading beyond.
TEST(Gemm, NothingBesideTheOperandsIsRead) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  for (const auto& [M, K, N] : {std::tuple<I64, I64, I64>{5, 40, 33}, {17, 40, 5}, {30, 40, 30}}) {
    Array a = full({M + 1, K + 1}, kNaN, kFloat32), b = full({K + 1, N + 1}, kNaN, kFloat32);
    Array x = a.slice(0, 0, M, 1).slice(1, 0, K, 1), y = b.slice(0, 0, K, 1).slice(1, 0, N, 1);
    copy(random_array({M, K}, kFloat32, 1), x);
    copy(random_array({K, N}, kFloat32, 2), y);
    EXPECT_LT(relative_error(gemm(x, y), naive_product(x, y)), 1e-5);
  }
}

TEST(Gemm, ExpandedOperands) {
  const Array row = random_array({1, 70}, kFloat64, 1), b = random_array({70, 50}, kFloat64, 2);
  const Array a = row.expand({60, 70});
  EXPECT_LT(relative_error(gemm(a, b), naive_product(a, b)), 1e-14);
  const Array column = random_array({70, 1}, kFloat64, 1).expand({70, 50});
  EXPECT_LT(relative_error(gemm(a, column), naive_product(a, column)), 1e-14);
  const Array one = random_array({1, 1}, kFloat64, 1).expand({70, 50});
  EXPECT_LT(relative_error(gemm(a, one), naive_product(a, one)), 1e-14);
}

TEST(Gemm, EmptyProductsAreZero) {
  for (const ScalarType dtype : {kFloat32, kFloat64, kInt64}) {
    for (const double value :
         values<double>(cast(gemm(zeros({3, 0}, dtype), zeros({0, 5}, dtype)), kFloat64)))
      EXPECT_EQ(value, 0);
    EXPECT_EQ(gemm(zeros({0, 4}, dtype), zeros({4, 5}, dtype)).sizes(), (DimVector{0, 5}));
    EXPECT_EQ(gemm(zeros({3, 4}, dtype), zeros({4, 0}, dtype)).sizes(), (DimVector{3, 0}));
    EXPECT_EQ(values<double>(cast(gemv(zeros({2, 0}, dtype), zeros({0}, dtype)), kFloat64)),
              (std::vector<double>{0, 0}));
    EXPECT_EQ(values<double>(cast(dot(zeros({0}, dtype), zeros({0}, dtype)), kFloat64)),
              (std::vector<double>{0}));
    EXPECT_EQ(batched_gemm(zeros({0, 3, 4}, dtype), zeros({0, 4, 5}, dtype)).sizes(),
              (DimVector{0, 3, 5}));
  }
  EXPECT_EQ(values<double>(batched_gemm(zeros({2, 1, 0}, kFloat64), zeros({2, 0, 1}, kFloat64))),
            (std::vector<double>{0, 0}));
  const Array input = ones({3, 5}, kFloat64);
  EXPECT_EQ(values<double>(addmm(input, zeros({3, 0}, kFloat64), zeros({0, 5}, kFloat64), 2)),
            std::vector<double>(15, 2.0));
}

TEST(Gemm, AddmmScalesAndBroadcasts) {
  for (const auto& [M, K, N] : {std::tuple<I64, I64, I64>{3, 5, 70}, {120, 5, 70}, {200, 9, 3}}) {
    const Array a = random_array({M, K}, kFloat64, 1), b = random_array({K, N}, kFloat64, 2);
    const Array product = naive_product(a, b);
    for (const DimVector& shape : {DimVector{M, N}, DimVector{N}, DimVector{M, 1}, DimVector{}}) {
      const Array input = random_array(shape, kFloat64, 3);
      const std::vector<double> add = values<double>(input.expand({M, N}));
      std::vector<double> expected = values<double>(product);
      for (std::size_t i = 0; i < expected.size(); ++i)
        expected[i] = 0.5 * add[i] - 3 * expected[i];
      expect_close(addmm(input, a, b, 0.5, -3), expected, 1e-13, 1e-13);
    }
    Array nan = full({N}, std::numeric_limits<double>::quiet_NaN(), kFloat64);
    EXPECT_LT(relative_error(addmm(nan, a, b, 0), product), 1e-14);
  }
}

TEST(Gemm, BatchesAreIndependentProducts) {
  const I64 sizes[][4] = {{3, 4, 5, 6},   {20, 17, 9, 30}, {2, 90, 80, 70}, {9, 64, 64, 64},
                          {300, 4, 4, 4}, {12, 7, 2, 3},   {9, 10, 7, 12},  {11, 1, 8, 1},
                          {20, 1, 40, 1}, {5, 1, 1, 1},    {50, 2, 2, 2}};
  for (const ScalarType dtype : {kFloat32, kFloat64, kInt64})
    for (const auto& [B, M, K, N] : sizes) {
      const Array a = random_array({B, M, K}, dtype, 1), b = random_array({B, K, N}, dtype, 2);
      for (const Array& x : layouts_of(a))
        for (const Array& y :
             {layouts_of(b)[0], layouts_of(b)[1], b.slice(0, 0, 1, 1).expand({B, K, N})}) {
          const Array c = batched_gemm(x, y), expected = zeros(c.sizes(), kFloat64);
          for (I64 i = 0; i < B; ++i) {
            Array product = expected.select(0, i);
            copy(cast(naive_product(x.select(0, i), y.select(0, i)), kFloat64), product);
          }
          EXPECT_LE(relative_error(c, expected), is_floating_point(dtype) ? tolerance(dtype) : 0);
        }
    }
}

TEST(Gemv, EqualsTheDefinition) {
  for (const ScalarType dtype : {kFloat32, kFloat64, kInt32})
    for (const auto& [M, K] : {std::pair<I64, I64>{1, 1},
                               {5, 7},
                               {60, 90},
                               {500, 3},
                               {3, 5000},
                               // many columns, whose sums are split along the depth
                               {130, 1500},
                               {7, 900},
                               {17, 333},
                               // short rows, whose vectors are put together across them
                               {77, 2},
                               {50, 4},
                               {49, 6},
                               {33, 16}}) {
      const Array a = random_array({M, K}, dtype, 1), x = random_array({K}, dtype, 2);
      const Array expected = naive_product(a, x.unsqueeze(1)).squeeze(1);
      for (const Array& matrix : layouts_of(a))
        for (const Array& vector : layouts_of(x))
          EXPECT_LE(relative_error(gemv(matrix, vector), expected),
                    is_floating_point(dtype) ? tolerance(dtype) : 0);
      const Array same = x.slice(0, 0, 1, 1).expand({K});
      EXPECT_LE(relative_error(gemv(a, same), naive_product(a, same.unsqueeze(1)).squeeze(1)),
                is_floating_point(dtype) ? tolerance(dtype) : 0);
    }
}

// An infinity that belongs to another row, or is behind the last one, is in no sum.
TEST(Gemv, ShortRowsKeepToThemselves) {
  for (const I64 K : {1, 2, 3, 5, 7, 11}) {
    Array a = full({70, K}, 1.0, kFloat32);
    a.data<float>()[35 * K] = std::numeric_limits<float>::infinity();
    const Array y = gemv(a.slice(0, 0, 66, 1), full({K}, 0.5, kFloat32));
    for (I64 i = 0; i < 66; ++i)
      EXPECT_EQ(y.data<float>()[i],
                i == 35 ? std::numeric_limits<float>::infinity() : 0.5f * static_cast<float>(K));
  }
}

// Vectors go beyond short columns, and overlap where the last ones do not fill one.
TEST(Gemv, ColumnsKeepToThemselves) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const I64 M : {1, 2, 3, 5, 9, 17, 70})
    for (const I64 K : {3, 50}) {
      Array columns = full({K, M}, 1.0, kFloat32);
      columns.data<float>()[(K - 2) * M + M - 1] = kInfinity;
      const Array y = gemv(columns.transpose(0, 1), full({K}, 0.5, kFloat32));
      for (I64 i = 0; i < M; ++i)
        EXPECT_EQ(y.data<float>()[i], i == M - 1 ? kInfinity : 0.5f * static_cast<float>(K));
    }
}

TEST(Dot, EqualsTheDefinition) {
  for (const ScalarType dtype : {kFloat32, kFloat64, kInt64})
    for (const I64 n : {1, 5, 100, 40000}) {
      const Array x = random_array({n}, dtype, 1), y = random_array({n}, dtype, 2);
      const double expected = inner_product(x, y);
      for (const Array& a : layouts_of(x))
        EXPECT_NEAR(values<double>(cast(dot(a, y), kFloat64))[0], expected,
                    dtype == kFloat32 ? 1e-2 : 1e-9);
    }
}

TEST(Gemm, DoesNotDependOnTheNumberOfThreads) {
  const I64 sizes[][3] = {{64, 500, 900}, {900, 70, 130}, {1024, 64, 1024}, {3, 4000, 2000},
                          {2, 9000, 130}, {500, 2, 2000}, {9000, 10, 10}};
  for (const auto& [M, K, N] : sizes) {
    const Array a = random_array({M, K}, kFloat32, 1), b = random_array({K, N}, kFloat32, 2);
    const Array x = random_array({K}, kFloat32, 3);
    EXPECT_TRUE(same_bits_for_any_threads([&] { return gemm(a, b); }));
    EXPECT_TRUE(same_bits_for_any_threads([&] { return gemv(a, x); }));
    const Array columns = contiguous(a.transpose(0, 1)).transpose(0, 1);
    EXPECT_TRUE(same_bits_for_any_threads([&] { return gemv(columns, x); }));
    const Array rows = random_array({12, K}, kFloat32, 4);
    const Array along_depth = random_array({N, K}, kFloat32, 5).transpose(0, 1);
    EXPECT_TRUE(same_bits_for_any_threads([&] { return gemm(rows, along_depth); }));
  }
  const Array x = random_array({100000}, kFloat32, 1), y = random_array({100000}, kFloat32, 2);
  EXPECT_TRUE(same_bits_for_any_threads([&] { return dot(x, y); }));
  const Array a = random_array({30, 40, 50}, kFloat32, 1),
              b = random_array({30, 50, 60}, kFloat32, 2);
  EXPECT_TRUE(same_bits_for_any_threads([&] { return batched_gemm(a, b); }));
}

TEST(Gemm, ErrorsSayWhatWasExpected) {
  const Array a = zeros({2, 3}, kFloat32), b = zeros({4, 5}, kFloat32), v = zeros({4}, kFloat32);
  EXPECT_EQ(error_of([&] { gemm(a, b); }),
            "mm: the shapes [2, 3] and [4, 5] cannot be multiplied: 3 columns against 4 rows");
  EXPECT_EQ(error_of([&] { gemm(a, v); }), "mm: expected the second operand to be 2-D, got [4]");
  EXPECT_EQ(error_of([&] {
              gemm(a, zeros({3, 2}, kFloat64));
            }),
            "mm: expected both operands to have the same dtype, got Float and Double");
  EXPECT_EQ(error_of([&] {
              gemm(zeros({2, 2}, kBool), zeros({2, 2}, kBool));
            }),
            "mm: not implemented for dtype Bool");
  EXPECT_EQ(error_of([&] { gemv(a, v); }),
            "mv: the shapes [2, 3] and [4] cannot be multiplied: 3 columns against 4 elements");
  EXPECT_EQ(error_of([&] { dot(v, zeros({3}, kFloat32)); }),
            "dot: expected operands of one length, got [4] and [3]");
  EXPECT_EQ(error_of([&] { dot(a, v); }), "dot: expected 1-D operands, got [2, 3] and [4]");
  EXPECT_EQ(error_of([&] {
              batched_gemm(zeros({2, 3, 4}, kFloat32), zeros({2, 3, 4}, kFloat32));
            }),
            "bmm: the batches [2, 3, 4] and [2, 3, 4] cannot be multiplied");
}

}  // namespace
}  // namespace tapedeck::kernels
