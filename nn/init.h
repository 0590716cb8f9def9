#pragma once

#include <cstdint>
#include <tuple>

#include <tapedeck/nn/enum.h>

/// Fills of parameters, as PyTorch's torch.nn.init; with the same seed they draw the same numbers.
/// Nothing is recorded. All return the tensor.
namespace tapedeck::nn::init {

using NonlinearityType =
    OneOf<enumtype::kLinear, enumtype::kConv1D, enumtype::kConv2D, enumtype::kConv3D,
          enumtype::kConvTranspose1D, enumtype::kConvTranspose2D, enumtype::kConvTranspose3D,
          enumtype::kSigmoid, enumtype::kTanh, enumtype::kReLU, enumtype::kLeakyReLU,
          enumtype::kSELU>;
using FanModeType = OneOf<enumtype::kFanIn, enumtype::kFanOut>;

/// What the activation should be multiplied by to keep the variance: 5/3 for tanh, sqrt(2) for
/// relu, ...; `param` is the negative slope of leaky_relu.
double calculate_gain(NonlinearityType nonlinearity, double param = 0.01);

Tensor constant_(Tensor tensor, Scalar value);
Tensor ones_(Tensor tensor);
Tensor zeros_(Tensor tensor);
/// The identity. \throws Error unless the tensor is a matrix.
Tensor eye_(Tensor matrix);
/// A convolution that keeps its input, in as many channels as possible. \throws Error unless the
/// tensor is a weight of 3, 4 or 5 dimensions.
Tensor dirac_(Tensor tensor);
Tensor normal_(Tensor tensor, double mean = 0, double std = 1);
Tensor uniform_(Tensor tensor, double low = 0, double high = 1);
/// A normal distribution cut off outside of [a, b].
Tensor trunc_normal_(Tensor tensor, double mean = 0, double std = 1, double a = -2, double b = 2);
/// A (semi-)orthogonal matrix, from the QR decomposition of a random one (Saxe et al., 2013). Axes
/// after the first count as one.
Tensor orthogonal_(Tensor tensor, double gain = 1.0);
/// Normal, with a fraction `sparsity` of zeros in each column. \throws Error unless a matrix.
Tensor sparse_(Tensor tensor, double sparsity, double std = 0.01);

/// uniform(-b, b) with b = gain sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010).
Tensor xavier_uniform_(Tensor tensor, double gain = 1.0);
/// normal with std = gain sqrt(2 / (fan_in + fan_out)).
Tensor xavier_normal_(Tensor tensor, double gain = 1.0);
/// uniform(-b, b) with b = gain sqrt(3 / fan) (He et al., 2015); `a` is the negative slope.
Tensor kaiming_uniform_(Tensor tensor, double a = 0, FanModeType mode = kFanIn,
                        NonlinearityType nonlinearity = kLeakyReLU);
/// normal with std = gain / sqrt(fan).
Tensor kaiming_normal_(Tensor tensor, double a = 0, FanModeType mode = kFanIn,
                       NonlinearityType nonlinearity = kLeakyReLU);

/// Inputs of one output, and outputs of one input. \throws Error for fewer than two dimensions.
std::tuple<std::int64_t, std::int64_t> _calculate_fan_in_and_fan_out(const Tensor& tensor);

}  // namespace tapedeck::nn::init
