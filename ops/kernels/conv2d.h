#pragma once

#include <cstdint>
#include <iosfwd>

#include <tapedeck/array/array.h>
#include <tapedeck/ops/kernels/conv_geometry.h>

namespace tapedeck::kernels {

/// How a convolution is computed. All give the same result up to rounding, for any number of
/// threads the same bits.
enum class ConvAlgorithm : std::uint8_t {
  Auto,               ///< what conv2d_plan() finds fastest
  Im2col,             ///< columns and matrix products: any geometry, the reference
  Product,            ///< kernels of the image's size: a linear layer
  Direct,             ///< implicit columns, vectors over output channels: any geometry
  Pixels,             ///< vectors over pixels, for few channels: any geometry
  Taps,               ///< weight gradients of few channels, vectors over filters: any geometry
  Winograd,           ///< minimal filtering at 0, 1, -1 and infinity: kernels of some sizes
  WinogradSix,        ///< also at 2 and -2: 3x3 and 5x5 of stride 1, fewer products, less accurate
  Depthwise,          ///< one input channel in each group
  DepthwiseChannels,  ///< the same with vectors over channels
  Sampled,            ///< kernels no larger than their stride: pointwise on what they read
  Dilated,            ///< a dilation without a stride: dense on the pixels that meet each other
};
std::ostream& operator<<(std::ostream& out, ConvAlgorithm algorithm);
/// Those that can be forced.
inline constexpr ConvAlgorithm kConvAlgorithms[] = {
    ConvAlgorithm::Im2col,      ConvAlgorithm::Product,   ConvAlgorithm::Direct,
    ConvAlgorithm::Pixels,      ConvAlgorithm::Taps,      ConvAlgorithm::Winograd,
    ConvAlgorithm::WinogradSix, ConvAlgorithm::Depthwise, ConvAlgorithm::DepthwiseChannels,
    ConvAlgorithm::Sampled,     ConvAlgorithm::Dilated};

/// The three faces of the trilinear form sum(grad_output * conv(input, weight)).
enum class ConvDirection : std::uint8_t { Forward, GradInput, GradWeight };

/// Whether an algorithm does this convolution.
bool conv2d_supports(ConvAlgorithm algorithm, const Conv2dShape& shape, ConvDirection direction,
                     ScalarType dtype);
/// The algorithm that Auto stands for.
ConvAlgorithm conv2d_plan(const Conv2dShape& shape, ConvDirection direction, ScalarType dtype);

/// input [N, C, H, W], weight [K, C / groups, KH, KW], bias [K] or undefined -> [N, K, OH, OW].
/// float32 or float64. geometry.output_padding takes no part.
/// \throws Error where conv_output_sizes() does, or `algorithm` does not do this convolution.
Array conv2d(const Array& input, const Array& weight, const Array& bias,
             const Conv2dGeometry& geometry, ConvAlgorithm algorithm = ConvAlgorithm::Auto);

/// The gradient of conv2d's input, which is also the forward of a transposed convolution with
/// geometry = its adjoint(): grad_output [N, K, OH, OW], weight [K, C / groups, KH, KW], bias [C]
/// or undefined -> input_sizes [N, C, H, W].
Array conv2d_grad_input(const Array& grad_output, const Array& weight, const Array& bias,
                        IntArrayRef input_sizes, const Conv2dGeometry& geometry,
                        ConvAlgorithm algorithm = ConvAlgorithm::Auto);

/// The gradient of conv2d's weight: input [N, C, H, W], grad_output [N, K, OH, OW] ->
/// weight_sizes [K, C / groups, KH, KW].
Array conv2d_grad_weight(const Array& input, const Array& grad_output, IntArrayRef weight_sizes,
                         const Conv2dGeometry& geometry,
                         ConvAlgorithm algorithm = ConvAlgorithm::Auto);

/// The same and the gradient of conv2d's bias, which is the sum of grad_output over images and
/// pixels: algorithms that copy grad_output add up the copy, for the others it is read once more.
struct Conv2dFilterGradients {
  Array weight, bias;
};
Conv2dFilterGradients conv2d_grad_filters(const Array& input, const Array& grad_output,
                                          IntArrayRef weight_sizes, const Conv2dGeometry& geometry,
                                          ConvAlgorithm algorithm = ConvAlgorithm::Auto);

}  // namespace tapedeck::kernels
