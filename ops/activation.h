#pragma once

#include <optional>
#include <string_view>

#include <tapedeck/array/generator.h>
#include <tapedeck/autograd/variable.h>

// Activation functions, element by element unless an axis is named. Float32 and float64. The forms
// that end in `_` write their result into `self`.

namespace tapedeck {

/// max(x, 0); integers too.
Variable relu(const Variable& self);
Variable& relu_(Variable& self);
/// min(max(x, 0), 6).
Variable relu6(const Variable& self);
Variable& relu6_(Variable& self);
/// 1 / (1 + exp(-x)).
Variable sigmoid(const Variable& self);
Variable& sigmoid_(Variable& self);
Variable& tanh_(Variable& self);
Variable log_sigmoid(const Variable& self);
/// log(1 + exp(beta x)) / beta, and x itself where beta x > threshold.
Variable softplus(const Variable& self, Scalar beta = 1, Scalar threshold = 20);
/// x Phi(x) with the normal distribution function, or its approximation by "tanh".
/// \throws Error for another approximation than "none" or "tanh".
Variable gelu(const Variable& self, std::string_view approximate = "none");
/// x sigmoid(x).
Variable silu(const Variable& self);
Variable& silu_(Variable& self);
/// x tanh(softplus(x)).
Variable mish(const Variable& self);
Variable& mish_(Variable& self);
/// scale x for x > 0, else scale alpha (exp(input_scale x) - 1).
Variable elu(const Variable& self, Scalar alpha = 1, Scalar scale = 1, Scalar input_scale = 1);
Variable& elu_(Variable& self, Scalar alpha = 1, Scalar scale = 1, Scalar input_scale = 1);
/// elu with the constants of Klambauer et al. 2017.
Variable selu(const Variable& self);
Variable& selu_(Variable& self);
/// x for x > 0, else alpha (exp(x / alpha) - 1). \throws Error for alpha = 0.
Variable celu(const Variable& self, Scalar alpha = 1.0);
Variable& celu_(Variable& self, Scalar alpha = 1.0);
/// x for x > 0, else negative_slope x.
Variable leaky_relu(const Variable& self, Scalar negative_slope = 0.01);
Variable& leaky_relu_(Variable& self, Scalar negative_slope = 0.01);
/// x for x > 0, else weight x, with one weight or one for each channel (axis 1).
Variable prelu(const Variable& self, const Variable& weight);
/// leaky_relu with slopes drawn from [lower, upper) for each negative element in training, and
/// their mean otherwise.
Variable rrelu(const Variable& self, Scalar lower = 0.125, Scalar upper = 1.0 / 3,
               bool training = false, std::optional<Generator> generator = std::nullopt);
Variable& rrelu_(Variable& self, Scalar lower = 0.125, Scalar upper = 1.0 / 3,
                 bool training = false, std::optional<Generator> generator = std::nullopt);
/// min(max(x, min_val), max_val), without a gradient at the bounds.
Variable hardtanh(const Variable& self, Scalar min_val = -1, Scalar max_val = 1);
Variable& hardtanh_(Variable& self, Scalar min_val = -1, Scalar max_val = 1);
/// min(max(x + 3, 0), 6) / 6.
Variable hardsigmoid(const Variable& self);
Variable& hardsigmoid_(Variable& self);
/// x hardsigmoid(x).
Variable hardswish(const Variable& self);
Variable& hardswish_(Variable& self);
/// x outside [-lambd, lambd], else 0.
Variable hardshrink(const Variable& self, Scalar lambd = 0.5);
/// x moved towards 0 by lambd, and 0 within it. \throws Error for a negative lambd.
Variable softshrink(const Variable& self, Scalar lambd = 0.5);
// Not for argument-dependent lookup to find: libtorch does not have these names, but programs have
// functions of their own by them, which would be ambiguous then.
namespace detail::no_adl {

/// x - tanh(x).
Variable tanhshrink(const Variable& self);
/// x / (1 + |x|).
Variable softsign(const Variable& self);

}  // namespace detail::no_adl
using namespace detail::no_adl;

/// x for x > threshold, else value.
Variable threshold(const Variable& self, Scalar threshold, Scalar value);
Variable& threshold_(Variable& self, Scalar threshold, Scalar value);
/// The first half along `dim` times the sigmoid of the second. \throws Error for an odd size.
Variable glu(const Variable& self, std::int64_t dim = -1);

/// exp(x) over its sum along `dim`, computed in `dtype` if given.
Variable softmax(const Variable& self, std::int64_t dim,
                 std::optional<ScalarType> dtype = std::nullopt);
/// The logarithm of softmax.
Variable log_softmax(const Variable& self, std::int64_t dim,
                     std::optional<ScalarType> dtype = std::nullopt);

}  // namespace tapedeck
