// From xtensor to a Variable and back: an expression becomes data, gradients are looked at as
// xtensor arrays without a copy, and a parameter is changed in place by an xtensor expression.

#include <iostream>

#include <xtensor/xbuilder.hpp>
#include <xtensor/xio.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xview.hpp>

#include <tapedeck/tapedeck.h>
#include <tapedeck/xtensor.h>

int main() {
  using tapedeck::as_xtensor;

  // y = sin(x) at 64 places, fitted by c0 + c1 x + c2 x^2 + c3 x^3.
  const xt::xtensor<double, 1> x = xt::linspace<double>(-3.0, 3.0, 64);
  xt::xtensor<double, 2> powers = xt::ones<double>({64, 4});
  for (std::size_t power = 1; power < 4; ++power)
    xt::view(powers, xt::all(), power) = xt::pow(x, static_cast<double>(power));

  const tapedeck::Tensor features = tapedeck::from_xtensor(powers);
  const tapedeck::Tensor targets = tapedeck::from_xtensor(xt::sin(x));
  const tapedeck::Tensor coefficients =
      tapedeck::from_xtensor(xt::zeros<double>({4}), /*requires_grad=*/true);

  // Steps scaled by the largest value of each power, written as xtensor expressions.
  const xt::xtensor<double, 1> scale = xt::amax(powers, {0});
  for (int step = 0; step < 2000; ++step) {
    const tapedeck::Tensor loss = (features.mv(coefficients) - targets).square().mean();
    if (step % 500 == 0) std::cout << "step " << step << ": loss " << loss.item<double>() << '\n';
    loss.backward();
    auto values = as_xtensor<double>(coefficients);
    const auto gradient = as_xtensor<const double>(coefficients.grad());
    values -= 0.4 * gradient / (scale * scale);
    coefficients.grad().zero_();
  }

  const auto fitted = as_xtensor<const double>(coefficients);
  const tapedeck::Tensor residual = (features.mv(coefficients) - targets).detach();
  std::cout << "coefficients: " << fitted << '\n'
            << "largest error: " << xt::amax(xt::abs(as_xtensor<const double>(residual)))() << '\n';
}
