#include <tapedeck/nn/init.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/random.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck::nn::init {

double calculate_gain(NonlinearityType nonlinearity, double param) {
  if (holds_alternative<enumtype::kTanh>(nonlinearity)) return 5.0 / 3.0;
  if (holds_alternative<enumtype::kReLU>(nonlinearity)) return std::sqrt(2.0);
  if (holds_alternative<enumtype::kLeakyReLU>(nonlinearity))
    return std::sqrt(2.0 / (1 + param * param));
  if (holds_alternative<enumtype::kSELU>(nonlinearity)) return 3.0 / 4;
  return 1.0;
}

std::tuple<std::int64_t, std::int64_t> _calculate_fan_in_and_fan_out(const Tensor& tensor) {
  TAPEDECK_CHECK(tensor.dim() >= 2,
                 "init: fan in and fan out cannot be computed for a tensor with fewer than 2 "
                 "dimensions (shape ",
                 tensor.sizes(), ")");
  const std::int64_t receptive_field = numel_of(tensor.sizes().slice(2));
  return {tensor.size(1) * receptive_field, tensor.size(0) * receptive_field};
}

Tensor constant_(Tensor tensor, Scalar value) {
  const NoGradGuard no_grad;
  return tensor.fill_(value);
}
Tensor ones_(Tensor tensor) { return constant_(std::move(tensor), 1); }
Tensor zeros_(Tensor tensor) { return constant_(std::move(tensor), 0); }

Tensor eye_(Tensor matrix) {
  const NoGradGuard no_grad;
  TAPEDECK_CHECK(matrix.dim() == 2, "init::eye_: expected a tensor of 2 dimensions, got ",
                 matrix.sizes());
  return matrix.copy_(eye(matrix.size(0), matrix.size(1), matrix.options()));
}

Tensor dirac_(Tensor tensor) {
  const NoGradGuard no_grad;
  TAPEDECK_CHECK(tensor.dim() >= 3 && tensor.dim() <= 5,
                 "init::dirac_: expected a tensor of 3, 4, or 5 dimensions, got ", tensor.sizes());
  tensor.zero_();
  for (std::int64_t c = 0; c < std::min(tensor.size(0), tensor.size(1)); ++c) {
    Tensor centre = tensor.select(0, c).select(0, c);
    while (centre.dim() > 0) centre = centre.select(0, centre.size(0) / 2);
    centre.fill_(1);
  }
  return tensor;
}

Tensor normal_(Tensor tensor, double mean, double std) {
  const NoGradGuard no_grad;
  return tensor.normal_(mean, std);
}
Tensor uniform_(Tensor tensor, double low, double high) {
  const NoGradGuard no_grad;
  return tensor.uniform_(low, high);
}

namespace {

double normal_cdf(double x) { return (1 + std::erf(x / std::numbers::sqrt2)) / 2; }

// Newton's method on erf(x) = y, with steps of at most 1/2, from a guess for either region.
double inverse_erf(double y) {
  if (y <= -1 || y >= 1) return y < 0 ? -HUGE_VAL : HUGE_VAL;
  const double w = -std::log((1 - y) * (1 + y));
  double x = w < 5 ? y * (0.886227 + 0.232014 * y * y) : std::copysign(std::sqrt(w), y);
  for (int step = 0; step < 60; ++step) {
    const double delta = (std::erf(x) - y) * std::sqrt(std::numbers::pi) / 2 * std::exp(x * x);
    const double limited = std::clamp(delta, -0.5, 0.5);
    x -= limited;
    if (std::abs(limited) <= 1e-15 * std::abs(x)) break;
  }
  return x;
}

}  // namespace

Tensor trunc_normal_(Tensor tensor, double mean, double std, double a, double b) {
  const NoGradGuard no_grad;
  const double low = normal_cdf((a - mean) / std), high = normal_cdf((b - mean) / std);
  // Uniform numbers go through the inverse of the distribution function.
  tensor.uniform_(2 * low - 1, 2 * high - 1);
  const Tensor values = tensor.contiguous();
  dispatch_floating(tensor.dtype(), "init::trunc_normal_", [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* const v = values.array().data<T>();
    for (std::int64_t i = 0; i < values.numel(); ++i)
      v[i] = static_cast<T>(std::clamp(
          mean + std * std::numbers::sqrt2 * inverse_erf(static_cast<double>(v[i])), a, b));
  });
  if (values.is_same(tensor)) return finish_inplace(tensor);
  return tensor.copy_(values);
}

namespace {

// Replaces the columns of a [rows x columns], rows >= columns, by those of Q in A = Q R, where R
// has a positive diagonal: Gram and Schmidt's method, twice for orthogonality to the last digit.
void orthonormalize(std::vector<double>& a, std::int64_t rows, std::int64_t columns) {
  const auto at = [&](std::int64_t r, std::int64_t c) -> double& {
    return a[static_cast<std::size_t>(r * columns + c)];
  };
  for (std::int64_t c = 0; c < columns; ++c) {
    for (int round = 0; round < 2; ++round)
      for (std::int64_t k = 0; k < c; ++k) {
        double dot = 0;
        for (std::int64_t r = 0; r < rows; ++r) dot += at(r, k) * at(r, c);
        for (std::int64_t r = 0; r < rows; ++r) at(r, c) -= dot * at(r, k);
      }
    double squares = 0;
    for (std::int64_t r = 0; r < rows; ++r) squares += at(r, c) * at(r, c);
    for (std::int64_t r = 0; r < rows; ++r) at(r, c) /= std::sqrt(squares);
  }
}

}  // namespace

Tensor orthogonal_(Tensor tensor, double gain) {
  const NoGradGuard no_grad;
  TAPEDECK_CHECK(tensor.dim() >= 2,
                 "init::orthogonal_: expected a tensor of at least 2 dimensions, got ",
                 tensor.sizes());
  if (tensor.numel() == 0) return tensor;
  const std::int64_t rows = tensor.size(0), columns = tensor.numel() / rows;
  const bool wide = rows < columns;
  const Tensor flat = randn({rows, columns}).to(kFloat64);
  const Tensor tall = wide ? flat.t().contiguous() : flat;
  std::vector<double> a(tall.data_ptr<double>(), tall.data_ptr<double>() + tall.numel());
  orthonormalize(a, tall.size(0), tall.size(1));
  std::transform(a.begin(), a.end(), tall.data_ptr<double>(), [&](double v) { return gain * v; });
  return tensor.copy_((wide ? tall.t() : tall).reshape(tensor.sizes()));
}

Tensor sparse_(Tensor tensor, double sparsity, double std) {
  const NoGradGuard no_grad;
  TAPEDECK_CHECK(tensor.dim() == 2, "init::sparse_: expected a tensor of 2 dimensions, got ",
                 tensor.sizes());
  TAPEDECK_CHECK_AS(ValueError, 0 <= sparsity && sparsity <= 1,
                    "init::sparse_: expected a sparsity of [0, 1], got ", sparsity);
  const std::int64_t rows = tensor.size(0);
  const auto zeros = static_cast<std::int64_t>(std::ceil(sparsity * static_cast<double>(rows)));
  tensor.normal_(0, std);
  for (std::int64_t column = 0; column < tensor.size(1); ++column) {
    const Tensor order = randperm(rows);
    for (std::int64_t i = 0; i < zeros; ++i)
      tensor.select(1, column).select(0, order.data_ptr<std::int64_t>()[i]).fill_(0);
  }
  return tensor;
}

Tensor xavier_uniform_(Tensor tensor, double gain) {
  const auto [fan_in, fan_out] = _calculate_fan_in_and_fan_out(tensor);
  const double std = gain * std::sqrt(2.0 / static_cast<double>(fan_in + fan_out));
  const double bound = std::sqrt(3.0) * std;
  return uniform_(std::move(tensor), -bound, bound);
}
Tensor xavier_normal_(Tensor tensor, double gain) {
  const auto [fan_in, fan_out] = _calculate_fan_in_and_fan_out(tensor);
  const double std = gain * std::sqrt(2.0 / static_cast<double>(fan_in + fan_out));
  return normal_(std::move(tensor), 0, std);
}

namespace {

double kaiming_std(const Tensor& tensor, double a, FanModeType mode,
                   NonlinearityType nonlinearity) {
  const auto [fan_in, fan_out] = _calculate_fan_in_and_fan_out(tensor);
  const std::int64_t fan = holds_alternative<enumtype::kFanIn>(mode) ? fan_in : fan_out;
  return calculate_gain(nonlinearity, a) / std::sqrt(static_cast<double>(fan));
}

}  // namespace

Tensor kaiming_uniform_(Tensor tensor, double a, FanModeType mode, NonlinearityType nonlinearity) {
  if (tensor.numel() == 0) return tensor;
  const double bound = std::sqrt(3.0) * kaiming_std(tensor, a, mode, nonlinearity);
  return uniform_(std::move(tensor), -bound, bound);
}
Tensor kaiming_normal_(Tensor tensor, double a, FanModeType mode, NonlinearityType nonlinearity) {
  if (tensor.numel() == 0) return tensor;
  const double std = kaiming_std(tensor, a, mode, nonlinearity);
  return normal_(std::move(tensor), 0, std);
}

}  // namespace tapedeck::nn::init
