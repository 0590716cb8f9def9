#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include <tapedeck/ops/kernels/special_functions.h>
#include <tests/support/errors.h>
#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

using testing_support::OpRow;
using testing_support::pointwise;
using testing_support::row;

using V = Variable;

TAPEDECK_OP_TABLE(
    SpecialOps,
    (std::vector<OpRow>{
        pointwise("asinh", [](const V& x) { return asinh(x); }),
        pointwise("acosh", [](const V& x) { return acosh(x); }, {1.3, 3}),
        pointwise("atanh", [](const V& x) { return atanh(x); }, {-0.8, 0.8}),
        pointwise("lgamma", [](const V& x) { return lgamma(x); }, {0.3, 4}),
        pointwise("lgamma_negative", [](const V& x) { return lgamma(x); }, {-0.8, -0.2}),
        pointwise("digamma", [](const V& x) { return digamma(x); }, {0.5, 4}),
        pointwise("digamma_negative", [](const V& x) { return digamma(x); }, {-1.8, -1.2}),
        pointwise("polygamma", [](const V& x) { return polygamma(2, x); }, {0.8, 4}),
        pointwise("trigamma_negative", [](const V& x) { return polygamma(1, x); }, {-0.8, -0.2}),
        pointwise("polygamma_negative", [](const V& x) { return polygamma(3, x); }, {-0.7, -0.3}),
        pointwise("mvlgamma", [](const V& x) { return mvlgamma(x, 3); }, {1.4, 4}),
        pointwise("erfinv", [](const V& x) { return erfinv(x); }, {-0.8, 0.8}),
        pointwise("logit", [](const V& x) { return logit(x); }, {0.2, 0.8}),
        pointwise("logit_eps", [](const V& x) { return logit(x, 0.3); }, {0.1, 0.9, {0.3, 0.7}}),
        pointwise("sinc", [](const V& x) { return sinc(x); }, {-2, 2, {0}}),
        pointwise("deg2rad", [](const V& x) { return deg2rad(x); }),
        pointwise("rad2deg", [](const V& x) { return rad2deg(x); }),
        pointwise("nan_to_num", [](const V& x) { return nan_to_num(x); }),
        pointwise("logaddexp", [](const V& x, const V& y) { return logaddexp(x, y); }),
        pointwise("logaddexp2", [](const V& x, const V& y) { return logaddexp2(x, y); }),
        pointwise("hypot", [](const V& x, const V& y) { return hypot(x, y); }, {{-2, 2}, {0.5, 2}}),
        pointwise("xlogy", [](const V& x, const V& y) { return xlogy(x, y); }, {{-2, 2}, {0.3, 3}}),
        pointwise("xlogy_number", [](const V& x) { return xlogy(x, 3); }),
        pointwise("number_xlogy", [](const V& x) { return xlogy(3, x); }, {0.3, 3}),
        pointwise("copysign", [](const V& x, const V& y) { return copysign(x, y.detach()); },
                  {{-2, 2, {0}}, {-2, 2, {0}}}),
        pointwise("fmax", [](const V& x, const V& y) { return fmax(x, y + 0.01); }),
        pointwise("fmin", [](const V& x, const V& y) { return fmin(x, y + 0.01); }),
        pointwise("ldexp", [](const V& x, const V& y) { return ldexp(x, y); }),
        pointwise("float_power",
                  [](const V& x, const V& y) { return float_power(x, y).to(x.dtype()); },
                  {{0.3, 2}, {-2, 2}}),
        // Second names.
        pointwise("arcsinh", [](const V& x) { return arcsinh(x); }),
        pointwise("arccosh", [](const V& x) { return arccosh(x); }, {1.3, 3}),
        pointwise("arctanh", [](const V& x) { return arctanh(x); }, {-0.8, 0.8}),
        pointwise("expit", [](const V& x) { return special::expit(x); }),
        pointwise("psi", [](const V& x) { return special::psi(x); }, {0.5, 4}),
        pointwise("gammaln", [](const V& x) { return special::gammaln(x); }, {0.3, 4}),
        pointwise("multigammaln", [](const V& x) { return special::multigammaln(x, 2); }, {1.4, 4}),
        pointwise("ndtr", [](const V& x) { return special::ndtr(x); }),
        pointwise("entr", [](const V& x) { return special::entr(x); }, {0.3, 3}),
        pointwise("xlog1py", [](const V& x, const V& y) { return special::xlog1py(x, y); },
                  {{-2, 2}, {-0.5, 3}}),
    }));

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double value(const V& x) { return x.item<double>(); }
V number(double x) { return tensor(x, kFloat64); }

// Abramowitz and Stegun, tables 6.1, 6.2 and 7.1.
TEST(Special, ValuesFromTables) {
  EXPECT_NEAR(value(digamma(number(1))), -0.57721566490153286, 1e-14);
  EXPECT_NEAR(value(digamma(number(0.5))), -1.96351002602142348, 1e-14);
  EXPECT_NEAR(value(digamma(number(-0.5))), 0.03648997397857652, 1e-14);
  EXPECT_NEAR(value(polygamma(1, number(1))), 1.64493406684822644, 1e-14);
  EXPECT_NEAR(value(polygamma(1, number(-0.5))), 8.93480220054467931, 1e-13);
  EXPECT_NEAR(value(polygamma(3, number(2))), 0.49393940226682914, 1e-14);
  EXPECT_NEAR(value(lgamma(number(-1.5))), std::log(2.36327180120735470), 1e-14);
}

TEST(Special, PolygammaOfVectorsIsThatOfNumbers) {
  const V x = cat({linspace(-6.3, 40, 1003, kFloat64),
                   tensor({-1e-3, 1e-3, -0.0, 0.0, -4.0, 1e8, 1e300, kInf}, kFloat64)});
  for (const int order : {0, 1, 2, 3, 4, 7, 8, 9, 20})
    for (const auto dtype : {kFloat32, kFloat64}) {
      const V of = x.to(dtype), y = polygamma(order, of);
      const double tolerance = dtype == kFloat32 ? 1e-6 : 1e-12;
      for (std::int64_t i = 0; i < x.numel(); ++i) {
        const double exact = kernels::polygamma(order, of[i].item<double>());
        const double value = y[i].item<double>();
        // Terms of both sides of a pole cancel where the sum is small.
        if (std::isfinite(exact) && std::abs(exact) < 1e38)
          EXPECT_NEAR(value, exact, tolerance * (1 + std::abs(exact))) << order << ' ' << of[i];
        else
          EXPECT_EQ(std::isnan(value), std::isnan(exact)) << order << ' ' << of[i];
      }
    }
}

// polygamma(n, x + 1) = polygamma(n, x) + (-1)^n n! x^-(n + 1)
TEST(Special, PolygammaByRecurrence) {
  const V x = linspace(-4.7, 9.3, 57, kFloat64);
  double step = 1;
  for (const int order : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
    if (order != 0) step *= -order;
    const V here = polygamma(order, x), next = polygamma(order, x + 1);
    const V term = step * x.pow(-(order + 1));
    const V off = (next - here - term).abs() / (next.abs() + here.abs() + term.abs());
    EXPECT_LT(off.max().item<double>(), 1e-14) << order;
  }
}

TEST(Special, PolygammaFarLeftOfZero) {
  for (const int order : {1, 2, 20}) {
    EXPECT_TRUE(std::isnan(value(polygamma(order, number(-1e20))))) << order;
    EXPECT_TRUE(std::isnan(value(polygamma(order, number(-kInf))))) << order;
  }
  const double pi = 3.14159265358979323846;
  EXPECT_NEAR(value(polygamma(1, number(-1e6 - 0.5))), pi * pi, 2e-6);
}

TEST(Special, ErfinvOfVectorsIsThatOfNumbers) {
  const V x = cat({linspace(-1, 1, 2003, kFloat64),
                   1 - tensor({1e-16, 1.2e-16, 1e-13, 1e-10, 1e-7, 1e-4}, kFloat64),
                   tensor({5e-324, -1e-300, 1e-20, -1e-9, 1.5, kNan}, kFloat64)});
  const V y = erfinv(x);
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const double exact = kernels::erfinv(x[i].item<double>()), value = y[i].item<double>();
    if (std::isfinite(exact))
      EXPECT_NEAR(value, exact, 1e-15 * std::abs(exact)) << x[i];
    else
      EXPECT_EQ(std::isnan(value), std::isnan(exact)) << x[i];
  }
  EXPECT_TRUE(std::signbit(erfinv(tensor({-0.0, 0.0, 0.0, 0.0}, kFloat64))[0].item<double>()));
}

TEST(Special, ErfinvInvertsErf) {
  const V x = linspace(-4, 4, 81, kFloat64);
  EXPECT_TRUE(allclose(erfinv(erf(x)), x, 1e-8, 1e-9));
  const V small = tensor({1e-12, -3e-5, 0.0, 0.999999999}, kFloat64);
  EXPECT_TRUE(allclose(erf(erfinv(small)), small, 1e-15, 0));
}

TEST(Special, ErfinvOfFloat32) {
  const V x =
      cat({linspace(-1, 1, 2001), tensor({1e-30, 0.9999999, -0.99999994, 2e-8}), tensor({0.0})})
          .to(kFloat32);
  const V exact = erfinv(x.to(kFloat64)), y = erfinv(x);
  EXPECT_EQ(y.dtype(), kFloat32);
  EXPECT_TRUE(allclose(y.to(kFloat64), exact, 1e-6, 0));
  EXPECT_TRUE(isnan(erfinv(tensor({1.5, -3.0, kNan}).to(kFloat32))).all().item<bool>());
}

TEST(Special, AtTheBoundsOfTheirDomains) {
  EXPECT_EQ(value(erfinv(number(1))), kInf);
  EXPECT_TRUE(std::isnan(value(erfinv(number(1.5)))));
  EXPECT_EQ(value(digamma(number(0))), -kInf);
  EXPECT_EQ(value(logaddexp(number(-kInf), number(-kInf))), -kInf);
  EXPECT_EQ(value(logaddexp(number(1000), number(1000))), 1000 + std::log(2));
  EXPECT_EQ(value(logaddexp(number(-kInf), number(kInf))), kInf);
  EXPECT_EQ(value(logaddexp(number(kInf), number(kInf))), kInf);
  EXPECT_EQ(value(logaddexp(number(-kInf), number(3))), 3);
  EXPECT_TRUE(std::isnan(value(logaddexp(number(kNan), number(3)))));
  EXPECT_TRUE(std::isnan(value(logaddexp(number(3), number(kNan)))));
  EXPECT_NEAR(value(logaddexp(number(-40), number(1e-3))), 1e-3 + std::exp(-40.001), 1e-18);
  EXPECT_EQ(value(xlogy(number(0), number(-1))), 0);
  EXPECT_TRUE(std::isnan(value(xlogy(number(kNan), number(0)))));
  EXPECT_EQ(value(xlogy(number(0), number(0))), 0);
  EXPECT_TRUE(std::isnan(value(xlogy(number(0), number(kNan)))));
  EXPECT_EQ(value(sinc(number(0))), 1);
  EXPECT_EQ(value(fmax(number(kNan), number(2))), 2);
  EXPECT_EQ(value(copysign(number(3), number(-0.0))), -3);
}

TEST(Special, PredicatesAndReplacements) {
  const V x = tensor({-kInf, kInf, kNan, -0.0, 1.0}, kFloat64);
  EXPECT_TRUE(equal(isposinf(x), tensor({false, true, false, false, false})));
  EXPECT_TRUE(equal(isneginf(x), tensor({true, false, false, false, false})));
  EXPECT_TRUE(equal(signbit(x.slice(0, 3)), tensor({true, false})));
  EXPECT_TRUE(equal(nan_to_num(x, 7, 8, 9), tensor({9.0, 8.0, 7.0, -0.0, 1.0}, kFloat64)));
  const V largest = tensor({std::numeric_limits<double>::max()}, kFloat64);
  EXPECT_TRUE(equal(nan_to_num(x), cat({-largest, largest, tensor({0.0, -0.0, 1.0}, kFloat64)})));
  const V leaf = x.clone().requires_grad_();
  nan_to_num(leaf).sum().backward();
  EXPECT_TRUE(equal(leaf.grad(), tensor({0.0, 0.0, 0.0, 1.0, 1.0}, kFloat64)));
  EXPECT_TRUE(equal(heaviside(tensor({-1.0, 0.0, 2.0}), tensor(0.5)), tensor({0.0, 0.5, 1.0})));
}

// Of an integer and a double in double precision.
TEST(Special, LogarithmsOfSumsInTheDtypeOfTheResult) {
  const V x = tensor({5, 2}), y = tensor({0.25, 2.0}, kFloat64);
  EXPECT_NEAR(logaddexp2(x, y)[0].item<double>(), std::log2(32 + std::exp2(0.25)), 1e-14);
  EXPECT_EQ(logaddexp2(x, y)[1].item<double>(), 3);
  EXPECT_ERROR(logaddexp2(x, x), "logaddexp2: not implemented for dtype Long");
}

TEST(Special, Shifts) {
  const V x = tensor({5, -5});
  EXPECT_TRUE(equal(bitwise_left_shift(x, 2), tensor({20, -20})));
  EXPECT_TRUE(equal(bitwise_right_shift(x, tensor({1, 1})), tensor({2, -3})));
  EXPECT_TRUE(equal(bitwise_left_shift(x, tensor({true, false})), tensor({10, -5})));
  EXPECT_ERROR(bitwise_left_shift(ones({2}), x), "bitwise_left_shift: not implemented for dtype");
}

TEST(Special, DivisorsAndMultiples) {
  const V x = tensor({{12, -18, 0}, {7, 0, -4}}), y = tensor({8, 27, 0});
  EXPECT_TRUE(equal(gcd(x, y), tensor({{4, 9, 0}, {1, 27, 4}})));
  EXPECT_TRUE(equal(lcm(x, y), tensor({{24, 54, 0}, {56, 0, 0}})));
  EXPECT_TRUE(equal(gcd(x.t(), tensor(6)), tensor({{6, 1}, {6, 6}, {6, 2}})));
  EXPECT_EQ(gcd(tensor({12}, kInt32), tensor({8}, kUInt8)).dtype(), kInt32);
  EXPECT_TRUE(equal(lcm(tensor({200}, kUInt8), tensor({100}, kUInt8)), tensor({200}, kUInt8)));
  const std::int64_t least = std::numeric_limits<std::int64_t>::lowest();
  EXPECT_EQ(gcd(tensor(least), tensor(12)).item<std::int64_t>(), 4);
  EXPECT_EQ(gcd(ones({0, 3}, kInt64), y).sizes(), (std::vector<std::int64_t>{0, 3}));
  V z = x.clone();
  EXPECT_TRUE(equal(z.gcd_(y).lcm_(tensor(2)), tensor({{4, 18, 0}, {2, 54, 4}})));
  EXPECT_ERROR(gcd(x, ones({3})), "gcd: expected integers, got Long and Float");
  EXPECT_ERROR(lcm(ones({2}, kBool), ones({2}, kBool)), "lcm: expected integers, got Bool");
  EXPECT_ERROR(gcd(x, tensor({1, 2})), "gcd");
}

TEST(Special, WindowsArePeriodicOrSymmetric) {
  EXPECT_TRUE(allclose(hann_window(4), tensor({0.0, 0.5, 1.0, 0.5}).to(kFloat32), 0, 1e-7));
  EXPECT_TRUE(
      allclose(hann_window(5, false), tensor({0.0, 0.5, 1.0, 0.5, 0.0}).to(kFloat32), 0, 1e-7));
  EXPECT_TRUE(allclose(bartlett_window(5, false), tensor({0.0, 0.5, 1.0, 0.5, 0.0}).to(kFloat32)));
  EXPECT_EQ(hamming_window(3, kFloat64).dtype(), kFloat64);
}

TEST(Special, InPlaceFormsKeepTheirGradient) {
  const V x = tensor({0.2, 0.4}, TensorOptions(kFloat64).requires_grad(true));
  V y = x.clone();
  y.atanh_();
  y.sum().backward();
  EXPECT_TRUE(allclose(x.grad(), 1 / (1 - x.detach() * x.detach())));
}

TEST(Special, Errors) {
  EXPECT_ERROR(mvlgamma(ones({2}), 3), "greater than (p - 1) / 2 with p = 3");
  EXPECT_ERROR(polygamma(-1, ones({2})), "does not support negative n, got -1");
  EXPECT_ERROR(logaddexp(ones({2}, kInt64), ones({2}, kInt64)),
               "logaddexp: not implemented for dtype Long");
}

}  // namespace
}  // namespace tapedeck
