#include <tapedeck/ops/kernels/special_functions.h>

#include <cmath>
#include <iterator>
#include <limits>
#include <numbers>

namespace tapedeck::kernels {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// B_2, B_4, ...
constexpr double kBernoulli[] = {1.0 / 6,       -1.0 / 30,      1.0 / 42, -1.0 / 30,
                                 5.0 / 66,      -691.0 / 2730,  7.0 / 6,  -3617.0 / 510,
                                 43867.0 / 798, -174611.0 / 330};

// log x - 1/2x - sum B_2k / (2k x^2k), above 10 by recurrence (Abramowitz and Stegun 6.3.18).
double digamma(double x) {
  if (x == 0) return std::copysign(kInfinity, -x);
  double sum = 0;
  if (x < 0) {
    if (x == std::floor(x)) return kNan;
    const double turn = std::numbers::pi * (x - std::floor(x));
    sum = -std::numbers::pi / std::tan(turn);
    x = 1 - x;
  }
  for (; x < 10; x += 1) sum -= 1 / x;
  const double square = 1 / (x * x);
  double power = square, series = 0;
  for (std::size_t k = 0; k < 8; ++k, power *= square)
    series += kBernoulli[k] / (2.0 * static_cast<double>(k + 1)) * power;
  return sum + std::log(x) - 0.5 / x - series;
}

// sum over k >= 0 of (x + k)^-s for s > 1 and x > 0: the first terms, then Euler and Maclaurin's
// formula.
double zeta_of_positive(double s, double x) {
  constexpr int kFirst = 12;
  const double far = x + kFirst;
  double sum = std::pow(far, 1 - s) / (s - 1) + 0.5 * std::pow(far, -s);
  double factor = s * std::pow(far, -s - 1) / 2;
  for (std::size_t k = 0; k < std::size(kBernoulli); ++k) {
    sum += kBernoulli[k] * factor;
    const double m = 2 * static_cast<double>(k + 1);
    factor *= (s + m - 1) * (s + m) / ((m + 1) * (m + 2) * far * far);
  }
  // The largest term last, for it may cancel with that of the other side.
  for (int k = kFirst - 1; k >= 0; --k) sum += std::pow(x + k, -s);
  return sum;
}

// The same for any x, and s a whole number.
double hurwitz_zeta(double s, double x) {
  if (x > 0) return zeta_of_positive(s, x);
  // The terms of x = rest - n left of 0 are those of 1 - rest, ..., n - rest, up to a sign.
  const double rest = x - std::nearbyint(x);
  if (rest == 0) return kNan;
  const double left = zeta_of_positive(s, 1 - rest) - zeta_of_positive(s, 1 - x);
  return std::pow(rest, -s) + zeta_of_positive(s, 1 + rest) + (std::fmod(s, 2) ? -left : left);
}

}  // namespace

double lgamma(double x) {
  // std::lgamma writes a global sign; this one says what thread asked.
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

// (-1)^(n+1) n! zeta(n + 1, x)
double polygamma(int n, double x) {
  if (n == 0) return digamma(x);
  const double size = std::tgamma(n + 1.0) * hurwitz_zeta(n + 1.0, x);
  return n % 2 ? size : -size;
}

// Winitzki's approximation by elementary functions, and Halley's steps to full precision.
double erfinv(double y) {
  if (!(std::abs(y) <= 1)) return kNan;
  if (std::abs(y) == 1) return std::copysign(kInfinity, y);
  if (y == 0) return y;
  constexpr double a = 0.147;
  const double tail = std::log1p(-y * y), half = 2 / (std::numbers::pi * a) + tail / 2;
  double x = std::copysign(std::sqrt(std::sqrt(half * half - tail / a) - half), y);
  for (int step = 0; step < 3; ++step) {
    // Near 1 the difference of the complements keeps the digits that 1 - y has.
    const double error = std::abs(y) < 0.5 ? std::erf(x) - y
                         : y > 0           ? (1 - y) - std::erfc(x)
                                           : std::erfc(-x) - (1 + y);
    const double slope = 2 * std::numbers::inv_sqrtpi * std::exp(-x * x);
    const double newton = error / slope;
    x -= newton / (1 + x * newton);
  }
  return x;
}

}  // namespace tapedeck::kernels
