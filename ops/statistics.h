#pragma once

#include <optional>
#include <string_view>
#include <tuple>

#include <tapedeck/autograd/variable.h>

// Statistics beyond sums and moments. An absent `dim` means all elements.

namespace tapedeck {

/// sum and mean over the elements that are not NaN.
Variable nansum(const Variable& self, OptionalIntArrayRef dim = std::nullopt, bool keepdim = false,
                std::optional<ScalarType> dtype = std::nullopt);
Variable nanmean(const Variable& self, OptionalIntArrayRef dim = std::nullopt, bool keepdim = false,
                 std::optional<ScalarType> dtype = std::nullopt);
/// The largest (smallest) element so far, along an axis, and its index: the last where several are
/// equal. A NaN stays.
std::tuple<Variable, Variable> cummax(const Variable& self, std::int64_t dim);
std::tuple<Variable, Variable> cummin(const Variable& self, std::int64_t dim);
/// log of the running sum of exp, without overflow.
Variable logcumsumexp(const Variable& self, std::int64_t dim);
/// The most frequent element along an axis, the smallest where there are several, and the last
/// index at which it stands.
std::tuple<Variable, Variable> mode(const Variable& self, std::int64_t dim = -1,
                                    bool keepdim = false);
/// The element at the share q, in [0, 1], of the sorted ones. Between two elements it follows
/// `interpolation`: "linear", "lower", "higher", "nearest" or "midpoint". A vector q adds a leading
/// axis. A NaN among the elements gives NaN.
Variable quantile(const Variable& self, double q, std::optional<std::int64_t> dim = std::nullopt,
                  bool keepdim = false, std::string_view interpolation = "linear");
Variable quantile(const Variable& self, const Variable& q,
                  std::optional<std::int64_t> dim = std::nullopt, bool keepdim = false,
                  std::string_view interpolation = "linear");
/// How many elements fall into each of `bins` equal parts of [min, max]; both 0 mean the smallest
/// and largest element. Elements outside are not counted. Floating dtypes; no gradient.
Variable histc(const Variable& self, std::int64_t bins = 100, Scalar min = 0, Scalar max = 0);
/// Differences of neighbours along an axis, n times.
Variable diff(const Variable& self, std::int64_t n = 1, std::int64_t dim = -1);
/// The integral of y along an axis by trapezoids, at distances dx or places x.
Variable trapezoid(const Variable& y, Scalar dx = 1, std::int64_t dim = -1);
Variable trapezoid(const Variable& y, const Variable& x, std::int64_t dim = -1);
inline Variable trapz(const Variable& y, double dx = 1, std::int64_t dim = -1) {
  return trapezoid(y, dx, dim);
}
inline Variable trapz(const Variable& y, const Variable& x, std::int64_t dim = -1) {
  return trapezoid(y, x, dim);
}
/// The matrix of covariances, and of correlations, of variables that are rows of observations.
Variable cov(const Variable& self, std::int64_t correction = 1);
Variable corrcoef(const Variable& self);
/// Every slice of an axis with a p-norm above maxnorm scaled down to it.
Variable renorm(const Variable& self, Scalar p, std::int64_t dim, Scalar maxnorm);

}  // namespace tapedeck
