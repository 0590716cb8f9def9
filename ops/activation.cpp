#include <tapedeck/ops/activation.h>

#include <cmath>
#include <limits>
#include <numbers>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/comparison.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/index.h>
#include <tapedeck/ops/internal/unary_recording.h>
#include <tapedeck/ops/kernels/binary.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/pointwise.h>
#include <tapedeck/ops/ternary.h>

namespace tapedeck {

using detail::floating;
using detail::Reads;
using detail::smooth_backward;
using detail::unary_in_place;
using detail::unary_of_input;
using detail::unary_of_output;
using kernels::BinaryOp;
using kernels::OpParams;
using kernels::UnaryOp;
using V = Variable;

namespace {

V kernel(BinaryOp op, const V& g, const V& x, const OpParams& params = {}) {
  return V(kernels::binary(op, g.array(), x.array(), params));
}

// z = g f'(x) with f' constant between kinks;  dg = gg f'(x)
V kinked_backward(BinaryOp op, const V& g, const V& x, const OpParams& params = {}) {
  V z = kernel(op, g, x, params);
  if (should_record(g))
    record(z, "KinkedBackward0", edges(g),
           [op, params, x = save(x.detach())](const V& gg, const VjpContext& ctx) {
             return kinked_backward(op, gg, x.get(ctx), params);
           });
  return z;
}

// y = f(x) whose f' is piecewise constant.
V kinked(UnaryOp op, BinaryOp backward, const V& self, const char* node,
         const OpParams& params = {}, const OpParams& backward_params = {}) {
  return unary_of_input(
      op, self, node,
      [backward, backward_params](const V& g, const V& x) {
        return kinked_backward(backward, g, x, backward_params);
      },
      params);
}

}  // namespace

// y = max(x, 0);  dx = g where y > 0
V relu(const V& x) {
  TAPEDECK_CHECK_DEFINED("relu", x);
  TAPEDECK_CHECK_AS(TypeError, x.dtype() != kBool, "relu: boolean inputs are not supported");
  return unary_of_output(UnaryOp::Relu, x, "ReluBackward0", [](const V& g, const V& y) {
    return kinked_backward(BinaryOp::ThresholdBackward, g, y, {{0}});
  });
}

namespace {

// z = g y (1 - y);  dg = gg y (1 - y), dy = gg g (1 - 2y)
V sigmoid_backward(const V& g, const V& y) {
  return smooth_backward(BinaryOp::SigmoidBackward, g, y, "SigmoidBackwardBackward0",
                         [](const V& out) { return 1 - out * 2; });
}

}  // namespace

// y = 1 / (1 + exp(-x));  dx = g y (1 - y)
V sigmoid(const V& x) {
  TAPEDECK_CHECK_DEFINED("sigmoid", x);
  return unary_of_output(UnaryOp::Sigmoid, floating(x), "SigmoidBackward0", sigmoid_backward);
}

// y = log(sigmoid(x));  dx = g sigmoid(-x)
V log_sigmoid(const V& self) {
  TAPEDECK_CHECK_DEFINED("log_sigmoid", self);
  return unary_of_input(UnaryOp::LogSigmoid, self, "LogSigmoidBackward0",
                        [](const V& g, const V& x) {
                          return smooth_backward(BinaryOp::LogSigmoidBackward, g, x,
                                                 "LogSigmoidBackwardBackward0", [](const V& in) {
                                                   const V s = sigmoid(in);
                                                   return s * (s - 1);
                                                 });
                        });
}

// y = log(1 + exp(b x)) / b, x above the threshold;  dx = g sigmoid(b x), g above
V softplus(const V& self, Scalar beta, Scalar threshold) {
  TAPEDECK_CHECK_DEFINED("softplus", self);
  const double b = beta.toDouble(), limit = threshold.toDouble();
  const OpParams params{{b, limit}};
  return unary_of_input(
      UnaryOp::Softplus, self, "SoftplusBackward0",
      [=](const V& g, const V& x) {
        return smooth_backward(
            BinaryOp::SoftplusBackward, g, x, "SoftplusBackwardBackward0",
            [=](const V& in) {
              const V s = sigmoid(in * b);
              return where(in * b > limit, 0, s * (1 - s) * b);
            },
            params);
      },
      params);
}

namespace {

// y = x Phi(x);  f' = Phi(x) + x phi(x), f'' = (2 - x^2) phi(x)
V gelu_exact(const V& self) {
  return unary_of_input(UnaryOp::Gelu, self, "GeluBackward0", [](const V& g, const V& x) {
    return smooth_backward(BinaryOp::GeluBackward, g, x, "GeluBackwardBackward0", [](const V& in) {
      const V x2 = in * in;
      const V density = exp(x2 * -0.5) * (std::numbers::inv_sqrtpi / std::numbers::sqrt2);
      return (2 - x2) * density;
    });
  });
}

// y = x (1 + t) / 2 with t = tanh u, u = k (x + c x^3);  f'' = (1 - t^2) (u' + x (u'' - 2 t u'^2) /
// 2)
V gelu_tanh(const V& self) {
  return unary_of_input(UnaryOp::GeluTanh, self, "GeluBackward0", [](const V& g, const V& x) {
    return smooth_backward(BinaryOp::GeluTanhBackward, g, x, "GeluBackwardBackward0",
                           [](const V& in) {
                             constexpr double c = 0.044715;
                             const double k = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
                             const V x2 = in * in, t = tanh(in * (x2 * c + 1) * k);
                             const V u1 = (x2 * (3 * c) + 1) * k, u2 = in * (6 * c * k);
                             return (1 - t * t) * (u1 + in * (u2 - t * 2 * (u1 * u1)) * 0.5);
                           });
  });
}

}  // namespace

V gelu(const V& self, std::string_view approximate) {
  TAPEDECK_CHECK_DEFINED("gelu", self);
  TAPEDECK_CHECK(approximate == "none" || approximate == "tanh",
                 "gelu: approximate argument must be either none or tanh, got '", approximate, "'");
  return approximate == "none" ? gelu_exact(self) : gelu_tanh(self);
}

// y = x s with s = sigmoid(x);  f' = s (1 + x (1 - s)), f'' = s (1 - s) (2 + x (1 - 2s))
V silu(const V& self) {
  TAPEDECK_CHECK_DEFINED("silu", self);
  return unary_of_input(UnaryOp::Silu, self, "SiluBackward0", [](const V& g, const V& x) {
    return smooth_backward(BinaryOp::SiluBackward, g, x, "SiluBackwardBackward0", [](const V& in) {
      const V s = sigmoid(in);
      return s * (1 - s) * (in * (1 - s * 2) + 2);
    });
  });
}

// y = x t with t = tanh(softplus(x)), s = sigmoid(x);  f' = t + x t', t' = (1 - t^2) s,
// f'' = t' (2 + x (1 - s - 2 t s))
V mish(const V& self) {
  TAPEDECK_CHECK_DEFINED("mish", self);
  return unary_of_input(UnaryOp::Mish, self, "MishBackward0", [](const V& g, const V& x) {
    return smooth_backward(BinaryOp::MishBackward, g, x, "MishBackwardBackward0", [](const V& in) {
      const V s = sigmoid(in), t = tanh(-log_sigmoid(-in));
      return (1 - t * t) * s * (in * (1 - s - t * s * 2) + 2);
    });
  });
}

// y = scale x for x > 0, else scale alpha (exp(k x) - 1);  f'' = scale alpha k^2 exp(k x) below 0
V elu(const V& self, Scalar alpha, Scalar scale, Scalar input_scale) {
  TAPEDECK_CHECK_DEFINED("elu", self);
  const double a = alpha.toDouble(), c = scale.toDouble(), k = input_scale.toDouble();
  const OpParams params{{a, c, k}};
  return unary_of_input(
      UnaryOp::Elu, self, "EluBackward0",
      [=](const V& g, const V& x) {
        return smooth_backward(
            BinaryOp::EluBackward, g, x, "EluBackwardBackward0",
            [=](const V& in) { return where(in > 0, 0, exp(in * k) * (a * c * k * k)); }, params);
      },
      params);
}

namespace {
constexpr double kSeluAlpha = 1.6732632423543772848170429916717;
constexpr double kSeluScale = 1.0507009873554804934193349852946;
}  // namespace

V selu(const V& self) {
  TAPEDECK_CHECK_DEFINED("selu", self);
  const detail::OpScope scope("selu");
  return elu(self, kSeluAlpha, kSeluScale);
}

V celu(const V& self, Scalar alpha) {
  TAPEDECK_CHECK_DEFINED("celu", self);
  const detail::OpScope scope("celu");
  TAPEDECK_CHECK(alpha.toDouble() != 0, "celu: alpha cannot be 0");
  return elu(self, alpha, 1, 1 / alpha.toDouble());
}

// y = x for x > 0, else s x;  dx = g or s g
V leaky_relu(const V& self, Scalar negative_slope) {
  TAPEDECK_CHECK_DEFINED("leaky_relu", self);
  const OpParams params{{negative_slope.toDouble()}};
  return kinked(UnaryOp::LeakyRelu, BinaryOp::LeakyReluBackward, self, "LeakyReluBackward0", params,
                params);
}

namespace {

// z = 1 right of 0, else w;  dw = g but right of 0
V prelu_slope(const V& x, const V& w) {
  V z = kernel(BinaryOp::PreluSlope, x, w);
  if (should_record(w))
    record(z, "PreluSlopeBackward0", edges(w),
           [x = save(x.detach())](const V& g, const VjpContext& ctx) {
             return where(x.get(ctx) > 0, 0, g).sum_to_size(ctx.input_sizes(0));
           });
  return z;
}

}  // namespace

// y = x right of 0, else w x;  dx = g slope, dw = g min(x, 0)
V prelu(const V& self, const V& weight) {
  TAPEDECK_CHECK_DEFINED("prelu", self, weight);
  TAPEDECK_CHECK_AS(TypeError, self.dtype() == weight.dtype(),
                    "prelu: expected input and weight of one dtype, got ", self.dtype(), " and ",
                    weight.dtype());
  V slopes = weight;
  if (weight.numel() != 1) {
    const std::int64_t channels = self.dim() > 1 ? self.size(1) : 1;
    TAPEDECK_CHECK(self.dim() > 0 && weight.numel() == channels,
                   "prelu: mismatch of parameter numbers and input channel size. Found parameter "
                   "numbers = ",
                   weight.numel(), " and channel size = ", channels, " (input ", self.sizes(), ")");
    DimVector shape(static_cast<std::size_t>(self.dim()), 1);
    if (self.dim() > 1) shape[1] = channels;
    slopes = weight.reshape(shape);
  } else {
    slopes = weight.reshape({});
  }
  V y = kernel(BinaryOp::Prelu, self, slopes);
  if (should_record(self, slopes))
    record(y, "PreluBackward0", edges(self, slopes),
           [x = save(self), w = save(slopes)](const V& g, const VjpContext& ctx) {
             const V in = x.get(ctx);
             return Gradients{
                 ctx.needs(0) ? g * prelu_slope(in, w.get(ctx)) : V(),
                 ctx.needs(1) ? (g * in.clamp_max(0)).sum_to_size(ctx.input_sizes(1)) : V()};
           });
  return y;
}

V rrelu(const V& self, Scalar lower, Scalar upper, bool training,
        std::optional<Generator> generator) {
  TAPEDECK_CHECK_DEFINED("rrelu", self);
  const detail::OpScope scope("rrelu");
  const double low = lower.toDouble(), high = upper.toDouble();
  TAPEDECK_CHECK(low <= high, "rrelu: lower bound should be less than or equal to the upper bound");
  if (!training) return leaky_relu(self, (low + high) / 2);
  // One number for each element that is not positive, in float64: as PyTorch draws them.
  V slopes;
  {
    const NoGradGuard no_grad;
    const V negative = self <= 0;
    const V drawn = empty({negative.sum().item<std::int64_t>()}, kFloat64)
                        .uniform_(low, high, std::move(generator));
    slopes = masked_scatter(ones_like(self), negative, drawn.to(self.dtype()));
  }
  return where(self > 0, self, self * slopes);
}

// y = min(max(x, low), high);  dx = g where low < x < high
V hardtanh(const V& self, Scalar min_val, Scalar max_val) {
  TAPEDECK_CHECK_DEFINED("hardtanh", self);
  const detail::OpScope scope("hardtanh");
  const OpParams params{{min_val.toDouble(), max_val.toDouble()}};
  TAPEDECK_CHECK(params.values[0] <= params.values[1],
                 "hardtanh: min_val cannot be greater than max_val, got ", min_val, " and ",
                 max_val);
  if (!self.is_floating_point()) {
    TAPEDECK_CHECK(self.dtype() != kByte || params.values[0] >= 0,
                   "hardtanh: cannot do hardtanh on an unsigned type with negative limits, got ",
                   min_val);
    return clamp(self, min_val.toLong(), max_val.toLong());
  }
  return kinked(UnaryOp::Clamp, BinaryOp::HardtanhBackward, self, "HardtanhBackward0", params,
                params);
}
V relu6(const V& self) {
  TAPEDECK_CHECK_DEFINED("relu6", self);
  const detail::OpScope scope("relu6");
  return hardtanh(self, 0, 6);
}

// y = min(max(x + 3, 0), 6) / 6;  dx = g / 6 where -3 < x < 3
V hardsigmoid(const V& self) {
  TAPEDECK_CHECK_DEFINED("hardsigmoid", self);
  return kinked(UnaryOp::Hardsigmoid, BinaryOp::HardsigmoidBackward, self, "HardsigmoidBackward0");
}

// y = x hardsigmoid(x);  f' = x / 3 + 1/2 within (-3, 3), f'' = 1/3 there
V hardswish(const V& self) {
  TAPEDECK_CHECK_DEFINED("hardswish", self);
  return unary_of_input(UnaryOp::Hardswish, self, "HardswishBackward0", [](const V& g, const V& x) {
    return smooth_backward(BinaryOp::HardswishBackward, g, x, "HardswishBackwardBackward0",
                           [](const V& in) { return (abs(in) < 3).to(in.dtype()) / 3; });
  });
}

// y = x for x > t, else v;  dx = g where x > t
V threshold(const V& self, Scalar threshold, Scalar value) {
  TAPEDECK_CHECK_DEFINED("threshold", self);
  if (!self.is_floating_point()) {
    TAPEDECK_CHECK_AS(TypeError, self.dtype() != kBool,
                      "threshold: not implemented for dtype Bool");
    return where(self > threshold.toLong(), self, value.toLong());
  }
  return kinked(UnaryOp::Threshold, BinaryOp::ThresholdBackward, self, "ThresholdBackward0",
                {{threshold.toDouble(), value.toDouble()}}, {{threshold.toDouble()}});
}

// y = x / (1 + |x|);  dx = g / (1 + |x|)^2
V detail::no_adl::softsign(const V& self) {
  TAPEDECK_CHECK_DEFINED("softsign", self);
  return unary_of_input(UnaryOp::Softsign, self, "SoftsignBackward0", [](const V& g, const V& x) {
    const V scale = abs(x) + 1;
    return g / (scale * scale);
  });
}

// y = 0 for -l <= x <= l, else x;  dx = g where y is not 0
V hardshrink(const V& self, Scalar lambd) {
  TAPEDECK_CHECK_DEFINED("hardshrink", self);
  const OpParams bound{{lambd.toDouble()}};
  return kinked(UnaryOp::Hardshrink, BinaryOp::ShrinkBackward, self, "HardshrinkBackward0", bound,
                bound);
}
// y = x - l above l, x + l below -l, 0 between;  dx = g where y is not 0
V softshrink(const V& self, Scalar lambd) {
  TAPEDECK_CHECK_DEFINED("softshrink", self);
  const detail::OpScope scope("softshrink");
  const OpParams bound{{lambd.toDouble()}};
  TAPEDECK_CHECK(bound.values[0] >= 0, "lambda must be greater or equal to 0, but found to be ",
                 bound.values[0], ".");
  return kinked(UnaryOp::Softshrink, BinaryOp::ShrinkBackward, self, "SoftshrinkBackward0", bound,
                bound);
}
V detail::no_adl::tanhshrink(const V& self) {
  TAPEDECK_CHECK_DEFINED("tanhshrink", self);
  const detail::OpScope scope("tanhshrink");
  return self - tanh(self);
}

V glu(const V& self, std::int64_t dim) {
  TAPEDECK_CHECK_DEFINED("glu", self);
  const detail::OpScope scope("glu");
  TAPEDECK_CHECK(self.dim() > 0, "glu does not support 0-dimensional tensors");
  const std::int64_t size = self.size(dim);
  TAPEDECK_CHECK(size % 2 == 0, "Halving dimension must be even, but dimension ",
                 wrap_dim(dim, self.dim(), "glu"), " is size ", size);
  return self.narrow(dim, 0, size / 2) * sigmoid(self.narrow(dim, size / 2, size / 2));
}

V& relu_(V& self) { return self.relu_(); }
V& relu6_(V& self) {
  TAPEDECK_CHECK_DEFINED("relu6_", self);
  const detail::OpScope scope("relu6_");
  return hardtanh_(self, 0, 6);
}
V& sigmoid_(V& self) { return self.sigmoid_(); }
V& tanh_(V& self) { return self.tanh_(); }
V& silu_(V& self) { return unary_in_place(UnaryOp::Silu, Reads::Input, self, "silu_", silu); }
V& mish_(V& self) { return unary_in_place(UnaryOp::Mish, Reads::Input, self, "mish_", mish); }
V& elu_(V& self, Scalar alpha, Scalar scale, Scalar input_scale) {
  TAPEDECK_CHECK_DEFINED("elu_", self);
  return unary_in_place(UnaryOp::Elu, Reads::Input, self, "elu_",
                        [&](const V& x) { return elu(x, alpha, scale, input_scale); },
                        {{alpha.toDouble(), scale.toDouble(), input_scale.toDouble()}});
}
V& selu_(V& self) {
  TAPEDECK_CHECK_DEFINED("selu_", self);
  const detail::OpScope scope("selu_");
  return elu_(self, kSeluAlpha, kSeluScale);
}
V& celu_(V& self, Scalar alpha) {
  TAPEDECK_CHECK_DEFINED("celu_", self);
  const detail::OpScope scope("celu_");
  TAPEDECK_CHECK(alpha.toDouble() != 0, "celu: alpha cannot be 0");
  return elu_(self, alpha, 1, 1 / alpha.toDouble());
}
V& leaky_relu_(V& self, Scalar negative_slope) {
  TAPEDECK_CHECK_DEFINED("leaky_relu_", self);
  return unary_in_place(UnaryOp::LeakyRelu, Reads::Input, self, "leaky_relu_",
                        [&](const V& x) { return leaky_relu(x, negative_slope); },
                        {{negative_slope.toDouble()}});
}
V& rrelu_(V& self, Scalar lower, Scalar upper, bool training, std::optional<Generator> generator) {
  TAPEDECK_CHECK_DEFINED("rrelu_", self);
  const detail::OpScope scope("rrelu_");
  return assign_inplace(self, rrelu(self.clone(), lower, upper, training, std::move(generator)),
                        "rrelu_");
}
V& hardtanh_(V& self, Scalar min_val, Scalar max_val) {
  TAPEDECK_CHECK_DEFINED("hardtanh_", self);
  const detail::OpScope scope("hardtanh_");
  return unary_in_place(UnaryOp::Clamp, Reads::Input, self, "hardtanh_",
                        [&](const V& x) { return hardtanh(x, min_val, max_val); },
                        {{min_val.toDouble(), max_val.toDouble()}});
}
V& hardsigmoid_(V& self) {
  TAPEDECK_CHECK_DEFINED("hardsigmoid_", self);
  return unary_in_place(UnaryOp::Hardsigmoid, Reads::Input, self, "hardsigmoid_", hardsigmoid);
}
V& hardswish_(V& self) {
  TAPEDECK_CHECK_DEFINED("hardswish_", self);
  return unary_in_place(UnaryOp::Hardswish, Reads::Input, self, "hardswish_", hardswish);
}
V& threshold_(V& self, Scalar threshold, Scalar value) {
  TAPEDECK_CHECK_DEFINED("threshold_", self);
  return unary_in_place(UnaryOp::Threshold, Reads::Input, self, "threshold_",
                        [&](const V& x) { return tapedeck::threshold(x, threshold, value); },
                        {{threshold.toDouble(), value.toDouble()}});
}

V Variable::relu() const { return tapedeck::relu(*this); }
V& Variable::relu_() const {
  TAPEDECK_CHECK_DEFINED("relu_", *this);
  return unary_in_place(UnaryOp::Relu, Reads::Output, *this, "relu_", tapedeck::relu);
}
V Variable::sigmoid() const { return tapedeck::sigmoid(*this); }
V& Variable::sigmoid_() const {
  TAPEDECK_CHECK_DEFINED("sigmoid_", *this);
  return unary_in_place(UnaryOp::Sigmoid, Reads::Output, *this, "sigmoid_", tapedeck::sigmoid);
}
V Variable::hardshrink(Scalar lambd) const { return tapedeck::hardshrink(*this, lambd); }
V Variable::prelu(const V& weight) const { return tapedeck::prelu(*this, weight); }

}  // namespace tapedeck
