#pragma once

namespace tapedeck::kernels {

/// log |Gamma(x)|; infinite at 0, -1, -2, ...
double lgamma(double x);
/// The n-th derivative of digamma, the derivative of lgamma; n >= 0. NaN at the poles, but -+inf
/// at +-0 for digamma itself.
double polygamma(int n, double x);
/// The x with erf(x) = y; infinite at +-1, NaN outside.
double erfinv(double y);

}  // namespace tapedeck::kernels
