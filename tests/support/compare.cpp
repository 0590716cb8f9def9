#include <tests/support/compare.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include <tapedeck/ops/kernels/copy.h>
#include <tests/support/arrays.h>

namespace tapedeck::testing_support {

namespace {

std::vector<double> doubles(const Array& a) {
  return testing::values<double>(kernels::cast(a, kFloat64));
}

}  // namespace

double relative_error(const Array& a, const Array& b) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (!(a.sizes() == b.sizes())) return kInfinity;
  const std::vector<double> x = doubles(a), y = doubles(b);
  double error = 0, scale = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))) continue;
    if (!std::isfinite(x[i] - y[i])) return kInfinity;
    error = std::max(error, std::abs(x[i] - y[i]));
  }
  for (const double value : y)
    if (std::isfinite(value)) scale = std::max(scale, std::abs(value));
  return scale > 0 ? error / scale : error;
}

double largest_difference(const Array& a, const Array& b) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (!(a.sizes() == b.sizes())) return kInfinity;
  const std::vector<double> x = doubles(a), y = doubles(b);
  double largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x[i] - y[i])) return kInfinity;
    largest = std::max(largest, std::abs(x[i] - y[i]));
  }
  return largest;
}

double inner_product(const Array& a, const Array& b) {
  if (!(a.sizes() == b.sizes())) return std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> x = doubles(a), y = doubles(b);
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
  return sum;
}

bool same_bits(const Array& a, const Array& b) {
  return a.sizes() == b.sizes() && a.dtype() == b.dtype() && a.is_contiguous() &&
         b.is_contiguous() &&
         std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.nbytes())) == 0;
}

bool same_bits_for_any_threads(const std::function<Array()>& f) {
  const auto with = [&](int threads) {
    const testing::ThreadCount count(threads);
    return f();
  };
  const Array expected = with(1);
  return same_bits(with(2), expected) && same_bits(with(3), expected) &&
         same_bits(with(5), expected);
}

std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace tapedeck::testing_support
