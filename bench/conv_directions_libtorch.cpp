#include <array>

#include "bench/conv_directions.h"

namespace bench {

namespace {

using Sides = std::vector<std::int64_t>;
Sides stride(const ConvCase& conv) { return conv.sides(conv.stride, 1); }
Sides padding(const ConvCase& conv) { return conv.sides(conv.padding, 0); }
Sides dilation(const ConvCase& conv) { return conv.sides(conv.dilation, 1); }

lib::Tensor gradient(const ConvCase& conv, const lib::Tensor& grad_output, const lib::Tensor& input,
                     const lib::Tensor& weight, bool of_weight) {
  const lib::NoGradGuard no_grad;
  auto gradients = at::convolution_backward(
      grad_output, input, weight, c10::nullopt, stride(conv), padding(conv), dilation(conv),
      conv.transposed, Sides{0, 0}, conv.groups, std::array<bool, 3>{!of_weight, of_weight, false});
  return of_weight ? std::get<1>(gradients) : std::get<0>(gradients);
}

}  // namespace

lib::Tensor conv_forward(const ConvCase& conv, const lib::Tensor& input,
                         const lib::Tensor& weight) {
  const lib::NoGradGuard no_grad;
  return at::convolution(input, weight, {}, stride(conv), padding(conv), dilation(conv),
                         conv.transposed, Sides{0, 0}, conv.groups);
}

lib::Tensor conv_grad_input(const ConvCase& conv, const lib::Tensor& grad_output,
                            const lib::Tensor& input, const lib::Tensor& weight) {
  return gradient(conv, grad_output, input, weight, false);
}

lib::Tensor conv_grad_weight(const ConvCase& conv, const lib::Tensor& grad_output,
                             const lib::Tensor& input, const lib::Tensor& weight) {
  return gradient(conv, grad_output, input, weight, true);
}

}  // namespace bench
