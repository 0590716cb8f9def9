#include <tapedeck/ops/kernels/unary.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include <tapedeck/ops/kernels/binary.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tests/support/arrays.h>

namespace tapedeck {
namespace {

using namespace testing;
using kernels::BinaryOp;
using kernels::OpParams;
using kernels::unary;
using kernels::unary_out;
using kernels::UnaryOp;

template <typename T>
class UnaryTest : public ::testing::Test {};
using FloatTypes = ::testing::Types<float, double>;
TYPED_TEST_SUITE(UnaryTest, FloatTypes);

template <typename T>
double ulps_between(T got, long double expected) {
  const T rounded = static_cast<T>(expected);
  if (got == rounded || (std::isnan(got) && std::isnan(rounded))) return 0;
  if (!std::isfinite(got) || !std::isfinite(rounded)) return 1e30;
  const T magnitude = std::abs(rounded);
  const auto ulp = static_cast<long double>(
      std::nextafter(magnitude, std::numeric_limits<T>::infinity()) - magnitude);
  return static_cast<double>(std::abs(static_cast<long double>(got) - expected) / ulp);
}

// Random bit patterns (every magnitude, denormals, infinities, NaN), values near one, and the ends
// of the ranges.
template <typename T>
Array every_kind_of_value(std::int64_t n) {
  Array x = Array::empty({n}, dtype_of<T>);
  std::mt19937_64 generator(1);
  std::uniform_real_distribution<double> near_one(-20, 20);
  for (std::int64_t i = 0; i < n; ++i) {
    const std::uint64_t bits = generator();
    T value = static_cast<T>(near_one(generator));
    if (i % 2 == 0) std::memcpy(&value, &bits, sizeof value);
    x.data<T>()[i] = value;
  }
  using Limits = std::numeric_limits<T>;
  const std::vector<T> special = {0,
                                  T(-0.0),
                                  1,
                                  -1,
                                  Limits::infinity(),
                                  -Limits::infinity(),
                                  Limits::quiet_NaN(),
                                  1000,
                                  -1000,
                                  Limits::denorm_min(),
                                  -Limits::denorm_min(),
                                  Limits::max(),
                                  Limits::lowest(),
                                  T(88.7228),
                                  T(-87.4),
                                  T(-103.9),
                                  T(709.7),
                                  T(-745)};
  for (std::size_t i = 0; i < special.size(); ++i) x.data<T>()[7 * i] = special[i];
  return x;
}

template <typename T, typename F>
void expect_accurate(UnaryOp op, F f, double ulps = 4) {
  const Array x = every_kind_of_value<T>(20000);
  const Array y = unary(op, x);
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const T from = x.data<T>()[i], got = y.data<T>()[i];
    const long double expected = f(static_cast<long double>(from));
    EXPECT_LE(ulps_between(got, expected), ulps)
        << kernels::name_of(op) << "(" << from << ") = " << got << ", expected " << expected;
  }
}

// Four units in the last place, but for the long polynomials of the error functions.
TYPED_TEST(UnaryTest, AccurateEverywhere) {
  using T = TypeParam;
  using L = long double;
  expect_accurate<T>(UnaryOp::Exp, [](L x) { return std::exp(x); });
  expect_accurate<T>(UnaryOp::Expm1, [](L x) { return std::expm1(x); });
  expect_accurate<T>(UnaryOp::Exp2, [](L x) { return std::exp2(x); });
  expect_accurate<T>(UnaryOp::Log, [](L x) { return std::log(x); });
  expect_accurate<T>(UnaryOp::Log1p, [](L x) { return std::log1p(x); });
  expect_accurate<T>(UnaryOp::Log2, [](L x) { return std::log2(x); });
  expect_accurate<T>(UnaryOp::Log10, [](L x) { return std::log10(x); });
  expect_accurate<T>(UnaryOp::Sin, [](L x) { return std::sin(x); });
  expect_accurate<T>(UnaryOp::Cos, [](L x) { return std::cos(x); });
  expect_accurate<T>(UnaryOp::Tan, [](L x) { return std::tan(x); });
  expect_accurate<T>(UnaryOp::Asin, [](L x) { return std::asin(x); });
  expect_accurate<T>(UnaryOp::Acos, [](L x) { return std::acos(x); });
  expect_accurate<T>(UnaryOp::Atan, [](L x) { return std::atan(x); });
  expect_accurate<T>(UnaryOp::Sinh, [](L x) { return std::sinh(x); });
  expect_accurate<T>(UnaryOp::Cosh, [](L x) { return std::cosh(x); });
  expect_accurate<T>(UnaryOp::Tanh, [](L x) { return std::tanh(x); });
  expect_accurate<T>(UnaryOp::Asinh, [](L x) { return std::asinh(x); });
  expect_accurate<T>(UnaryOp::Acosh, [](L x) { return std::acosh(x); });
  expect_accurate<T>(UnaryOp::Atanh, [](L x) { return std::atanh(x); });
  expect_accurate<T>(UnaryOp::Lgamma, [](L x) { return std::lgamma(x); });
  expect_accurate<T>(
      UnaryOp::Erf, [](L x) { return std::erf(x); }, 5);
  expect_accurate<T>(
      UnaryOp::Erfc, [](L x) { return std::erfc(x); }, 8);
  expect_accurate<T>(
      UnaryOp::Sqrt, [](L x) { return std::sqrt(x); }, 0.5);
  expect_accurate<T>(UnaryOp::Sigmoid, [](L x) {
    return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
  });
  expect_accurate<T>(UnaryOp::LogSigmoid, [](L x) {
    return x < 0 ? x - std::log1p(std::exp(x)) : -std::log1p(std::exp(-x));
  });
}

// Vectors of which every exponential is a normal number go a shorter way than others.
TYPED_TEST(UnaryTest, ExponentialsDoNotDependOnTheirNeighbours) {
  using T = TypeParam;
  Array normal = Array::empty({4099}, dtype_of<T>);
  std::mt19937_64 generator(2);
  std::uniform_real_distribution<double> wide(-87, 87);
  for (std::int64_t i = 0; i < normal.numel(); ++i)
    normal.data<T>()[i] = static_cast<T>(wide(generator));
  Array mixed = kernels::clone(normal);
  for (std::int64_t i = 0; i < mixed.numel(); i += 3)
    mixed.data<T>()[i] = i % 2 == 0 ? std::numeric_limits<T>::quiet_NaN() : T(1000);
  for (const UnaryOp op : {UnaryOp::Exp, UnaryOp::Expm1, UnaryOp::Sigmoid, UnaryOp::Tanh,
                           UnaryOp::Silu, UnaryOp::Gelu, UnaryOp::LogSigmoid, UnaryOp::Sinh,
                           UnaryOp::Cosh, UnaryOp::Tan, UnaryOp::Log10, UnaryOp::Lgamma}) {
    const Array y = unary(op, normal), z = unary(op, mixed);
    for (std::int64_t i = 0; i < normal.numel(); ++i) {
      const T got = y.data<T>()[i], from = normal.data<T>()[i];
      if (i % 3 != 0) {
        EXPECT_EQ(ulps_between(got, z.data<T>()[i]), 0)
            << kernels::name_of(op) << "(" << from << ")";
      }
      if (op == UnaryOp::Exp) {
        EXPECT_LE(ulps_between(got, std::exp(static_cast<long double>(from))), 1) << from;
      }
    }
  }
}

template <typename T>
T apply(UnaryOp op, double x, OpParams params = {}) {
  return values<T>(unary(op, kernels::full({3}, x, dtype_of<T>), params))[2];
}

// Where the results are 0, overflow, or come from another formula than those beside them.
TYPED_TEST(UnaryTest, AccurateAtEdges) {
  using T = TypeParam;
  using L = long double;
  struct Function {
    UnaryOp op;
    L (*f)(L);
  };
  const Function functions[] = {{UnaryOp::Log2, [](L x) { return std::log2(x); }},
                                {UnaryOp::Log10, [](L x) { return std::log10(x); }},
                                {UnaryOp::Tan, [](L x) { return std::tan(x); }},
                                {UnaryOp::Sinh, [](L x) { return std::sinh(x); }},
                                {UnaryOp::Cosh, [](L x) { return std::cosh(x); }},
                                {UnaryOp::Asinh, [](L x) { return std::asinh(x); }},
                                {UnaryOp::Acosh, [](L x) { return std::acosh(x); }},
                                {UnaryOp::Atanh, [](L x) { return std::atanh(x); }},
                                {UnaryOp::Lgamma, [](L x) { return std::lgamma(x); }}};
  const double edges[] = {
      0,   1e-10, 1e-5, 0.5, M_PI / 4, 1,   M_PI / 2, 2,    3,    8,       10,    11 * M_PI / 2,
      20,  88.7,  89.2, 100, 709,      710, 710.4,    1000, 1024, 29999.5, 30000, 19097 * M_PI / 2,
      1e6, 1e30};
  for (const double edge : edges)
    for (const T sign : {T(1), T(-1)})
      for (const int steps : {-1, 0, 1}) {
        T x = sign * static_cast<T>(edge);
        if (steps != 0) x = std::nextafter(x, static_cast<T>(steps * INFINITY));
        for (const auto& [op, f] : functions) {
          const T got = unary(op, kernels::full({3}, x, dtype_of<T>)).template data<T>()[1];
          EXPECT_LE(ulps_between(got, f(static_cast<L>(x))), 4)
              << kernels::name_of(op) << "(" << x << ") = " << got;
        }
      }
  for (int power = -20; power <= 20; ++power) {
    EXPECT_EQ(apply<T>(UnaryOp::Log2, std::ldexp(1, power)), T(power));
    if (power >= 0 && (sizeof(T) == 8 || power <= 10)) {
      EXPECT_EQ(apply<T>(UnaryOp::Log10, std::pow(10.0, power)), T(power));
    }
  }
}

TYPED_TEST(UnaryTest, Arithmetic) {
  using T = TypeParam;
  using L = long double;
  expect_accurate<T>(
      UnaryOp::Neg, [](L x) { return -x; }, 0);
  expect_accurate<T>(
      UnaryOp::Abs, [](L x) { return std::abs(x); }, 0);
  expect_accurate<T>(
      UnaryOp::Sign, [](L x) { return L((x > 0) - (x < 0)); }, 0);
  expect_accurate<T>(
      UnaryOp::Square, [](L x) { return x * x; }, 0.5001);
  expect_accurate<T>(
      UnaryOp::Relu, [](L x) { return x < 0 ? L(0) : x; }, 0);
  expect_accurate<T>(
      UnaryOp::Rsqrt, [](L x) { return 1 / std::sqrt(x); }, 1.5);
  expect_accurate<T>(
      UnaryOp::Reciprocal, [](L x) { return 1 / x; }, 0.5001);
  expect_accurate<T>(
      UnaryOp::Floor, [](L x) { return std::floor(x); }, 0);
  expect_accurate<T>(
      UnaryOp::Ceil, [](L x) { return std::ceil(x); }, 0);
  expect_accurate<T>(
      UnaryOp::Round, [](L x) { return std::nearbyint(x); }, 0);
  expect_accurate<T>(
      UnaryOp::Trunc, [](L x) { return std::trunc(x); }, 0);
}

TYPED_TEST(UnaryTest, RoundsHalvesToEven) {
  using T = TypeParam;
  for (const auto& [x, y] : std::vector<std::pair<double, double>>{{0.5, 0},
                                                                   {1.5, 2},
                                                                   {2.5, 2},
                                                                   {-0.5, 0},
                                                                   {-1.5, -2},
                                                                   {0.49999997, 0},
                                                                   {8388609, 8388609}})
    EXPECT_EQ(apply<T>(UnaryOp::Round, x), T(y)) << x;
}

TYPED_TEST(UnaryTest, Activations) {
  using T = TypeParam;
  const double e = sizeof(T) == 4 ? 1e-6 : 1e-14;
  for (const double x :
       {-1000.0, -30.0, -4.0, -3.0, -1.25, -0.1, 0.0, 0.1, 1.5, 3.0, 4.0, 30.0, 1000.0}) {
    const double s = 1 / (1 + std::exp(-x)), scale = 1 + std::abs(x);
    const double softplus = x > 30 ? x : std::log1p(std::exp(x));
    EXPECT_NEAR(apply<T>(UnaryOp::Softplus, x, {{1, 20}}), x > 20 ? x : softplus, e * scale);
    EXPECT_NEAR(apply<T>(UnaryOp::Softplus, x, {{2, 20}}),
                2 * x > 20 ? x : std::log1p(std::exp(2 * x)) / 2, e * scale);
    EXPECT_NEAR(apply<T>(UnaryOp::Silu, x), x * s, e * scale);
    EXPECT_NEAR(apply<T>(UnaryOp::Mish, x), x * std::tanh(softplus), e * scale);
    EXPECT_NEAR(apply<T>(UnaryOp::Gelu, x), x * 0.5 * std::erfc(-x / std::sqrt(2.0)), e * scale);
    EXPECT_NEAR(apply<T>(UnaryOp::GeluTanh, x),
                0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))),
                e * scale);
    EXPECT_NEAR(apply<T>(UnaryOp::Elu, x, {{1.5, 2, 0.5}}), x > 0 ? 2 * x : 3 * std::expm1(0.5 * x),
                e * scale);
    EXPECT_NEAR(apply<T>(UnaryOp::LeakyRelu, x, {{0.25}}), x > 0 ? x : 0.25 * x, e * scale);
    EXPECT_NEAR(apply<T>(UnaryOp::Hardsigmoid, x), std::clamp((x + 3) / 6, 0.0, 1.0), e);
    EXPECT_NEAR(apply<T>(UnaryOp::Hardswish, x), x * std::clamp((x + 3) / 6, 0.0, 1.0), e * scale);
    EXPECT_NEAR(apply<T>(UnaryOp::Softsign, x), x / (1 + std::abs(x)), e);
    EXPECT_EQ(apply<T>(UnaryOp::Threshold, x, {{1.5, -7}}), x > 1.5 ? T(x) : T(-7));
    EXPECT_EQ(apply<T>(UnaryOp::Clamp, x, {{-1, 3}}), T(std::clamp(x, -1.0, 3.0)));
  }
}

TYPED_TEST(UnaryTest, NaNPassesThroughActivations) {
  using T = TypeParam;
  for (const UnaryOp op :
       {UnaryOp::Relu, UnaryOp::Clamp, UnaryOp::LeakyRelu, UnaryOp::Threshold, UnaryOp::Hardsigmoid,
        UnaryOp::Hardswish, UnaryOp::Softplus, UnaryOp::Elu, UnaryOp::Silu, UnaryOp::Mish,
        UnaryOp::Gelu, UnaryOp::GeluTanh})
    EXPECT_TRUE(std::isnan(apply<T>(op, NAN, {{1, 2, 1}}))) << kernels::name_of(op);
}

// Each fused backward against a central difference of its forward.
TYPED_TEST(UnaryTest, FusedBackwards) {
  struct Pair {
    UnaryOp forward;
    BinaryOp backward;
    bool of_output;
    OpParams params;
    double low = -4;  // of what it is tried on, up to 4
  };
  const Pair pairs[] = {{UnaryOp::Rsqrt, BinaryOp::RsqrtBackward, true, {}, 0.5},
                        {UnaryOp::Reciprocal, BinaryOp::ReciprocalBackward, true, {}, 0.5},
                        {UnaryOp::Sigmoid, BinaryOp::SigmoidBackward, true, {}},
                        {UnaryOp::Tanh, BinaryOp::TanhBackward, true, {}},
                        {UnaryOp::Relu, BinaryOp::ThresholdBackward, true, {}},
                        {UnaryOp::Clamp, BinaryOp::ClampBackward, false, {{-1, 0.75}}},
                        {UnaryOp::LeakyRelu, BinaryOp::LeakyReluBackward, false, {{0.25}}},
                        {UnaryOp::Elu, BinaryOp::EluBackward, false, {{1.5, 2, 0.5}}},
                        {UnaryOp::Softplus, BinaryOp::SoftplusBackward, false, {{2, 3}}},
                        {UnaryOp::LogSigmoid, BinaryOp::LogSigmoidBackward, false, {}},
                        {UnaryOp::Silu, BinaryOp::SiluBackward, false, {}},
                        {UnaryOp::Mish, BinaryOp::MishBackward, false, {}},
                        {UnaryOp::Gelu, BinaryOp::GeluBackward, false, {}},
                        {UnaryOp::GeluTanh, BinaryOp::GeluTanhBackward, false, {}},
                        {UnaryOp::Hardsigmoid, BinaryOp::HardsigmoidBackward, false, {}},
                        {UnaryOp::Hardswish, BinaryOp::HardswishBackward, false, {}}};
  const Array g = random_array({3, 29}, kFloat64, 6, 1, 2);
  for (const Pair& p : pairs) {
    const Array x = random_array({3, 29}, kFloat64, 5, p.low, 4);
    const double h = 1e-6;
    const auto above = values<double>(unary(p.forward, binary(BinaryOp::Add, x, h), p.params));
    const auto below = values<double>(unary(p.forward, binary(BinaryOp::Sub, x, h), p.params));
    std::vector<TypeParam> expected;
    for (std::size_t i = 0; i < above.size(); ++i)
      expected.push_back(
          static_cast<TypeParam>((above[i] - below[i]) / (2 * h) * g.data<double>()[i]));
    const Array of = p.of_output ? unary(p.forward, x, p.params) : x;
    for (const Array& y : layouts_of(kernels::cast(of, dtype_of<TypeParam>)))
      expect_close(binary(p.backward, kernels::cast(g, dtype_of<TypeParam>), y, p.params), expected,
                   sizeof(TypeParam) == 4 ? 1e-5 : 1e-7, 1e-6);
  }
}

TYPED_TEST(UnaryTest, Layouts) {
  using T = TypeParam;
  const std::vector<std::vector<std::int64_t>> shapes = {{},       {5},       {3, 7},
                                                         {33, 20}, {2, 3, 5}, {0, 2}};
  for (const auto& shape : shapes) {
    const Array a = random_array(shape, dtype_of<T>, 3);
    const std::vector<T> expected = values<T>(unary(UnaryOp::Exp, a));
    for (const Array& x : layouts_of(a)) {
      EXPECT_EQ(values<T>(unary(UnaryOp::Exp, x)), expected);
      Array same = kernels::clone(x);
      unary_out(UnaryOp::Exp, same, same);
      EXPECT_EQ(values<T>(same), expected);
    }
    for (Array out : layouts_of(kernels::zeros(shape, dtype_of<T>))) {
      unary_out(UnaryOp::Exp, out, a);
      EXPECT_EQ(values<T>(out), expected);
    }
  }
  const Array row = random_array({1, 7}, dtype_of<T>, 3);
  const Array expanded = unary(UnaryOp::Neg, row.expand({4, 7}));
  EXPECT_EQ(values<T>(expanded),
            values<T>(kernels::contiguous(unary(UnaryOp::Neg, row).expand({4, 7}))));
}

// Some columns of a matrix, of every width around vectors: in place, and from and into such.
TYPED_TEST(UnaryTest, OverSomeColumns) {
  using T = TypeParam;
  for (const std::int64_t width : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 70})
    for (const UnaryOp op : {UnaryOp::Neg, UnaryOp::Clamp, UnaryOp::Exp}) {
      const OpParams params{{-0.5, 0.25}};
      const Array all = random_array({9, 80}, dtype_of<T>, 3, -1, 1);
      Array inside = kernels::clone(all);
      const Array part = all.slice(1, 3, 3 + width, 1);
      const std::vector<T> expected = values<T>(unary(op, kernels::clone(part), params));
      EXPECT_EQ(values<T>(unary(op, part, params)), expected) << width;
      Array columns = inside.slice(1, 3, 3 + width, 1);
      kernels::unary_out(op, columns, columns, params);
      EXPECT_EQ(values<T>(columns), expected) << width;
      kernels::copy(part, columns);
      EXPECT_EQ(values<T>(inside), values<T>(all)) << width;  // nothing beside them was changed
    }
}

TEST(Unary, Integers) {
  using I = std::int64_t;
  const Array x = array_of<I>({-3, 0, 5, std::numeric_limits<I>::min()}, {4});
  EXPECT_EQ(values<I>(unary(UnaryOp::Neg, x)),
            (std::vector<I>{3, 0, -5, std::numeric_limits<I>::min()}));
  EXPECT_EQ(values<I>(unary(UnaryOp::Abs, x)),
            (std::vector<I>{3, 0, 5, std::numeric_limits<I>::min()}));
  EXPECT_EQ(values<I>(unary(UnaryOp::Sign, x)), (std::vector<I>{-1, 0, 1, -1}));
  EXPECT_EQ(values<I>(unary(UnaryOp::BitwiseNot, x)),
            (std::vector<I>{2, -1, -6, std::numeric_limits<I>::max()}));
  EXPECT_EQ(values<bool>(unary(UnaryOp::LogicalNot, x)), (std::vector<bool>{0, 1, 0, 0}));
  EXPECT_EQ(values<bool>(unary(UnaryOp::IsFinite, x)), std::vector<bool>(4, true));
  EXPECT_THROW(unary(UnaryOp::Exp, x), TypeError);
  EXPECT_THROW(unary(UnaryOp::Neg, kernels::ones({2}, kBool)), TypeError);
}

TEST(Unary, Predicates) {
  const Array x = array_of<float>({NAN, INFINITY, -INFINITY, 0, 3}, {5});
  EXPECT_EQ(values<bool>(unary(UnaryOp::IsNan, x)), (std::vector<bool>{1, 0, 0, 0, 0}));
  EXPECT_EQ(values<bool>(unary(UnaryOp::IsInf, x)), (std::vector<bool>{0, 1, 1, 0, 0}));
  EXPECT_EQ(values<bool>(unary(UnaryOp::IsFinite, x)), (std::vector<bool>{0, 0, 0, 1, 1}));
}

TEST(Where, BroadcastsAllThree) {
  const Array c = array_of<bool>({true, false, true}, {3});
  const Array a = array_of<float>({1, 2}, {2, 1}), b = kernels::full({}, -1, kFloat32);
  EXPECT_EQ(values<float>(kernels::where(c, a, b)), (std::vector<float>{1, -1, 1, 2, -1, 2}));
  EXPECT_EQ(values<float>(kernels::where(c, b, a)), (std::vector<float>{-1, 1, -1, -1, 2, -1}));
  const Array wide = random_array({4, 40}, kFloat64, 1), other = random_array({4, 40}, kFloat64, 2);
  const Array mask = random_array({4, 40}, kBool, 3);
  std::vector<double> expected;
  for (std::size_t i = 0; i < 160; ++i)
    expected.push_back((mask.data<bool>()[i] ? wide : other).data<double>()[i]);
  for (const Array& m : layouts_of(mask))
    for (const Array& x : layouts_of(wide))
      EXPECT_EQ(values<double>(kernels::where(m, x, other)), expected);
  EXPECT_THROW(kernels::where(a, a, a), TypeError);
}

}  // namespace
}  // namespace tapedeck
