#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include <tapedeck/array/array.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/norm.h>

namespace tapedeck::kernels {
namespace {

template <typename T>
Array values(IntArrayRef sizes, ScalarType dtype, int seed) {
  const Array out = Array::empty(sizes, dtype);
  for (std::int64_t i = 0; i < out.numel(); ++i)
    out.data<T>()[i] = static_cast<T>(std::sin(0.37 * static_cast<double>(i * (seed + 1))) + seed);
  return out;
}

template <typename T>
void expect_near(const Array& got, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(got.numel(), static_cast<std::int64_t>(expected.size()));
  for (std::int64_t i = 0; i < got.numel(); ++i) {
    const double want = expected[static_cast<std::size_t>(i)];
    ASSERT_NEAR(static_cast<double>(got.data<T>()[i]), want, tolerance * (1 + std::abs(want))) << i;
  }
}

// Forward and gradients of x [N, C, S] against loops over single elements.
template <typename T>
void check(std::int64_t N, std::int64_t C, std::int64_t S, ScalarType dtype, double tolerance) {
  SCOPED_TRACE(testing::Message() << "N " << N << " C " << C << " S " << S);
  const Array x = values<T>({N, C, S}, dtype, 2), g = values<T>({N, C, S}, dtype, 1);
  const Array w = values<T>({C}, dtype, 3), b = values<T>({C}, dtype, 4);
  const auto at = [&](std::int64_t n, std::int64_t c, std::int64_t s) {
    return (n * C + c) * S + s;
  };
  const auto size = static_cast<std::size_t>(x.numel()), channels = static_cast<std::size_t>(C);
  const double eps = 1e-5, count = static_cast<double>(N * S);
  std::vector<double> y(size), dx(size), dw(channels), db(channels);
  for (std::int64_t c = 0; c < C; ++c) {
    const auto each = [&](const auto& body) {
      for (std::int64_t n = 0; n < N; ++n)
        for (std::int64_t s = 0; s < S; ++s) body(at(n, c, s));
    };
    const auto of = [](const Array& a, std::int64_t i) {
      return static_cast<double>(a.data<T>()[i]);
    };
    double mean = 0, var = 0, sum = 0, dot = 0;
    each([&](std::int64_t i) { mean += of(x, i) / count; });
    each([&](std::int64_t i) { var += (of(x, i) - mean) * (of(x, i) - mean) / count; });
    const double rstd = 1 / std::sqrt(var + eps);
    each([&](std::int64_t i) {
      sum += of(g, i);
      dot += of(g, i) * (of(x, i) - mean) * rstd;
    });
    db[static_cast<std::size_t>(c)] = sum;
    dw[static_cast<std::size_t>(c)] = dot;
    each([&](std::int64_t i) {
      const double xhat = (of(x, i) - mean) * rstd;
      y[static_cast<std::size_t>(i)] = xhat * of(w, c) + of(b, c);
      dx[static_cast<std::size_t>(i)] =
          of(w, c) * rstd * (of(g, i) - sum / count - xhat * dot / count);
    });
  }
  NormStats stats;
  expect_near<T>(channel_norm(x, w, b, eps, stats), y, tolerance);
  const NormGradients grads = channel_norm_grad(g, x, w, stats, false, {});
  expect_near<T>(grads.input, dx, tolerance);
  expect_near<T>(grads.weight, dw, tolerance);
  expect_near<T>(grads.bias, db, tolerance);

  const Array of_constants = channel_norm_grad(g, x, w, stats, true, {}).input;
  for (std::int64_t i = 0; i < g.numel(); ++i) {
    const std::int64_t c = i / S % C;
    dx[static_cast<std::size_t>(i)] = static_cast<double>(g.data<T>()[i]) *
                                      static_cast<double>(w.data<T>()[c]) *
                                      stats.rstd.data<double>()[c];
  }
  expect_near<T>(of_constants, dx, tolerance);
}

// Channels in the vector lanes (S < 4, and somewhat more of many images): few rows, ends of
// vectors, several blocks of rows, several parts of rows and of columns. And rows of pixels: of
// several bunches of channels, too. Some channels at a time of few rows.
TEST(ChannelNorm, IsItsDefinition) {
  const std::int64_t shapes[][3] = {
      {2, 1, 3},      {3, 7, 1},    {17, 33, 2},  {40, 100, 3},  {5000, 17, 1}, {3000, 64, 1},
      {100, 2051, 1}, {33, 700, 3}, {20, 1, 1},   {4, 3, 5},     {2, 5, 33},    {3, 300, 7},
      {9, 6, 16},     {70, 33, 11}, {9, 3000, 1}, {16, 1100, 2}, {8, 5000, 1}};
  for (const auto& [N, C, S] : shapes) {
    check<float>(N, C, S, kFloat32, 2e-4);
    check<double>(N, C, S, kFloat64, 1e-9);
  }
}

// Forward and gradients of x [R, D, S] in groups of channels against loops over single elements.
template <typename T>
void check_rows(std::int64_t R, std::int64_t D, std::int64_t S, std::int64_t groups, bool affine,
                ScalarType dtype, double tolerance) {
  SCOPED_TRACE(testing::Message() << "R " << R << " D " << D << " S " << S << " of " << groups);
  const Array x = values<T>({R, D, S}, dtype, 2), g = values<T>({R, D, S}, dtype, 1);
  const Array w = affine ? values<T>({groups * D}, dtype, 3) : Array();
  const Array b = affine ? values<T>({groups * D}, dtype, 4) : Array();
  const auto channels = static_cast<std::size_t>(groups * D);
  const std::int64_t L = D * S;
  const double eps = 1e-5, count = static_cast<double>(L);
  std::vector<double> y, dx, dw(channels), db(channels);
  const auto of = [](const Array& a, std::int64_t i, double otherwise = 0) {
    return a.defined() ? static_cast<double>(a.data<T>()[i]) : otherwise;
  };
  for (std::int64_t r = 0; r < R; ++r) {
    double mean = 0, var = 0, sum = 0, dot = 0;
    const auto each = [&](const auto& body) {
      for (std::int64_t i = 0; i < L; ++i) body(r * L + i, r % groups * D + i / S);
    };
    each([&](std::int64_t i, std::int64_t) { mean += of(x, i) / count; });
    each([&](std::int64_t i, std::int64_t) {
      var += (of(x, i) - mean) * (of(x, i) - mean) / count;
    });
    const double rstd = 1 / std::sqrt(var + eps);
    each([&](std::int64_t i, std::int64_t k) {
      const double xhat = (of(x, i) - mean) * rstd;
      y.push_back(xhat * of(w, k, 1) + of(b, k));
      sum += of(g, i) * of(w, k, 1);
      dot += of(g, i) * of(w, k, 1) * xhat;
      dw[static_cast<std::size_t>(k)] += of(g, i) * xhat;
      db[static_cast<std::size_t>(k)] += of(g, i);
    });
    each([&](std::int64_t i, std::int64_t k) {
      const double xhat = (of(x, i) - mean) * rstd;
      dx.push_back(rstd * (of(g, i) * of(w, k, 1) - sum / count - xhat * dot / count));
    });
  }
  NormStats stats;
  expect_near<T>(row_norm(x, w, b, eps, groups, stats), y, tolerance);
  const NormGradients grads = row_norm_grad(g, x, w, stats, groups, {});
  EXPECT_EQ(grads.input.sizes(), x.sizes());
  expect_near<T>(grads.input, dx, tolerance);
  expect_near<T>(grads.weight, dw, tolerance);
  expect_near<T>(grads.bias, db, tolerance);
}

// One element a place, few of them, as many as a call for each is worth, and more.
TEST(RowNorm, IsItsDefinition) {
  for (const std::int64_t S : {1, 2, 4, 7, 16, 31, 32, 33, 49})
    for (const auto& [R, D, groups] : {std::array<std::int64_t, 3>{6, 5, 2}, {4, 1, 4}, {3, 9, 1}})
      for (const bool affine : {true, false}) {
        if (D * S == 1) continue;  // nothing but rounding, times 1 / sqrt(eps)
        check_rows<float>(R, D, S, groups, affine, kFloat32, 2e-4);
        check_rows<double>(R, D, S, groups, affine, kFloat64, 1e-9);
      }
}

TEST(ChannelNorm, TheSameBitsWithAnyNumberOfThreads) {
  const Array x = values<float>({3000, 129, 1}, kFloat32, 2);
  const auto run = [&](int threads) {
    const int before = get_num_threads();
    set_num_threads(threads);
    NormStats stats;
    const Array y = channel_norm(x, {}, {}, 1e-5, stats);
    const NormGradients grads = channel_norm_grad(y, x, {}, stats, false, {});
    set_num_threads(before);
    std::vector<float> all(y.data<float>(), y.data<float>() + y.numel());
    for (const Array& a : {grads.input, grads.weight, grads.bias})
      all.insert(all.end(), a.data<float>(), a.data<float>() + a.numel());
    return all;
  };
  EXPECT_EQ(run(1), run(3));
}

}  // namespace
}  // namespace tapedeck::kernels
