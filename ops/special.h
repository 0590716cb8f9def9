#pragma once

#include <optional>

#include <tapedeck/ops/activation.h>
#include <tapedeck/ops/pointwise.h>
#include <tapedeck/ops/reduction.h>

// Functions, element by element, beyond the elementary ones of pointwise.h. Integers and bool are
// taken to the default floating dtype unless said; two operands broadcast and are promoted.

namespace tapedeck {

Variable asinh(const Variable& self);
Variable acosh(const Variable& self);
Variable atanh(const Variable& self);
inline Variable arcsinh(const Variable& self) { return asinh(self); }
inline Variable arccosh(const Variable& self) { return acosh(self); }
inline Variable arctanh(const Variable& self) { return atanh(self); }
/// log |Gamma(x)|, its derivative, and the derivative of order n of that.
Variable lgamma(const Variable& self);
Variable digamma(const Variable& self);
Variable polygamma(std::int64_t n, const Variable& self);
/// The logarithm of the multivariate gamma function of dimension p. \throws Error where an element
/// is not above (p - 1) / 2.
Variable mvlgamma(const Variable& self, std::int64_t p);
/// The inverse of erf.
Variable erfinv(const Variable& self);
/// log(x / (1 - x)), of x clamped to [eps, 1 - eps] if given.
Variable logit(const Variable& self, std::optional<double> eps = std::nullopt);
/// sin(pi x) / (pi x), 1 at 0.
Variable sinc(const Variable& self);
Variable deg2rad(const Variable& self);
Variable rad2deg(const Variable& self);
/// Finite numbers in the place of NaN (0 unless given) and of the infinities (the largest of the
/// dtype unless given). Other dtypes stay.
Variable nan_to_num(const Variable& self, std::optional<double> nan = std::nullopt,
                    std::optional<double> posinf = std::nullopt,
                    std::optional<double> neginf = std::nullopt);
/// self. \throws TypeError for bool.
Variable positive(const Variable& self);
/// Bool tensors, of any dtype.
Variable signbit(const Variable& self);
Variable isposinf(const Variable& self);
Variable isneginf(const Variable& self);
Variable isreal(const Variable& self);

/// log(exp(x) + exp(y)), without overflow; log2(2^x + 2^y). Floating dtypes only.
Variable logaddexp(const Variable& self, const Variable& other);
Variable logaddexp2(const Variable& self, const Variable& other);
/// sqrt(x^2 + y^2), without overflow. Floating dtypes only.
Variable hypot(const Variable& self, const Variable& other);
/// x log(y), and 0 where x is 0 and y not NaN.
Variable xlogy(const Variable& self, const Variable& other);
Variable xlogy(const Variable& self, Scalar other);
Variable xlogy(Scalar self, const Variable& other);
/// |x| with the sign of y.
Variable copysign(const Variable& self, const Variable& other);
Variable copysign(const Variable& self, Scalar other);
/// The larger (smaller); where one is NaN, the other.
Variable fmax(const Variable& self, const Variable& other);
Variable fmin(const Variable& self, const Variable& other);
/// pow in float64.
Variable float_power(const Variable& self, const Variable& exponent);
Variable float_power(const Variable& self, Scalar exponent);
Variable float_power(Scalar self, const Variable& exponent);
/// 0 for x < 0, 1 for x > 0, and the value at 0. Dtypes agree and stay; no gradient.
Variable heaviside(const Variable& self, const Variable& values);
/// x 2^y.
Variable ldexp(const Variable& self, const Variable& other);
/// Integers times, or divided (rounding down) by, 2^y.
Variable bitwise_left_shift(const Variable& self, const Variable& other);
Variable bitwise_left_shift(const Variable& self, Scalar other);
Variable bitwise_right_shift(const Variable& self, const Variable& other);
Variable bitwise_right_shift(const Variable& self, Scalar other);
/// The greatest common divisor, and the least common multiple, of the sizes of integers: at least
/// 0.
Variable gcd(const Variable& self, const Variable& other);
Variable lcm(const Variable& self, const Variable& other);

/// The window functions of spectra, of `window_length` samples: one period's, or, unless
/// `periodic`, symmetric ones.
Variable hann_window(std::int64_t window_length, TensorOptions options = {});
Variable hann_window(std::int64_t window_length, bool periodic, TensorOptions options = {});
Variable hamming_window(std::int64_t window_length, TensorOptions options = {});
Variable hamming_window(std::int64_t window_length, bool periodic, TensorOptions options = {});
Variable hamming_window(std::int64_t window_length, bool periodic, double alpha,
                        TensorOptions options = {});
Variable hamming_window(std::int64_t window_length, bool periodic, double alpha, double beta,
                        TensorOptions options = {});
Variable blackman_window(std::int64_t window_length, TensorOptions options = {});
Variable blackman_window(std::int64_t window_length, bool periodic, TensorOptions options = {});
Variable bartlett_window(std::int64_t window_length, TensorOptions options = {});
Variable bartlett_window(std::int64_t window_length, bool periodic, TensorOptions options = {});

/// The names of torch.special, where they differ: expit is sigmoid, psi digamma.
namespace special {

using tapedeck::digamma;
using tapedeck::erf;
using tapedeck::erfc;
using tapedeck::erfinv;
using tapedeck::exp2;
using tapedeck::expm1;
using tapedeck::log1p;
using tapedeck::log_softmax;
using tapedeck::logit;
using tapedeck::logsumexp;
using tapedeck::polygamma;
using tapedeck::round;
using tapedeck::sinc;
using tapedeck::softmax;
using tapedeck::xlogy;
inline Variable expit(const Variable& self) { return self.sigmoid(); }
inline Variable psi(const Variable& self) { return digamma(self); }
inline Variable gammaln(const Variable& self) { return lgamma(self); }
inline Variable multigammaln(const Variable& self, std::int64_t p) { return mvlgamma(self, p); }
/// The standard normal distribution function.
Variable ndtr(const Variable& self);
/// -x log(x), 0 at 0, -infinity below.
Variable entr(const Variable& self);
/// x log(1 + y), and 0 where x is 0 and y not NaN.
Variable xlog1py(const Variable& self, const Variable& other);

}  // namespace special
}  // namespace tapedeck
