#include <tapedeck/ops/kernels/conv2d.h>

#include "bench/conv_directions.h"

namespace bench {

namespace {

namespace kernels = tapedeck::kernels;

// A transposed convolution is the grad_input of one whose geometry has the same numbers.
kernels::Conv2dGeometry geometry(const ConvCase& conv) {
  kernels::Conv2dGeometry g;
  for (int axis = 0; axis < 2; ++axis) {
    const bool is_row = conv.is_row && axis == 0;
    g.stride[axis] = is_row ? 1 : conv.stride;
    g.dilation[axis] = is_row ? 1 : conv.dilation;
    g.padding[2 * axis] = g.padding[2 * axis + 1] = is_row ? 0 : conv.padding;
  }
  g.groups = conv.groups;
  return g;
}

}  // namespace

lib::Tensor conv_forward(const ConvCase& conv, const lib::Tensor& input,
                         const lib::Tensor& weight) {
  const auto g = geometry(conv);
  if (conv.transposed)
    return lib::Tensor(
        kernels::conv2d_grad_input(input.array(), weight.array(), {}, conv.output(), g));
  return lib::Tensor(kernels::conv2d(input.array(), weight.array(), {}, g));
}

lib::Tensor conv_grad_input(const ConvCase& conv, const lib::Tensor& grad_output,
                            const lib::Tensor& input, const lib::Tensor& weight) {
  const auto g = geometry(conv);
  if (conv.transposed)
    return lib::Tensor(kernels::conv2d(grad_output.array(), weight.array(), {}, g));
  return lib::Tensor(
      kernels::conv2d_grad_input(grad_output.array(), weight.array(), {}, input.sizes(), g));
}

lib::Tensor conv_grad_weight(const ConvCase& conv, const lib::Tensor& grad_output,
                             const lib::Tensor& input, const lib::Tensor& weight) {
  const auto g = geometry(conv);
  if (conv.transposed)
    return lib::Tensor(
        kernels::conv2d_grad_weight(grad_output.array(), input.array(), weight.sizes(), g));
  return lib::Tensor(
      kernels::conv2d_grad_weight(input.array(), grad_output.array(), weight.sizes(), g));
}

}  // namespace bench
