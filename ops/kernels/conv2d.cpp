#include <tapedeck/ops/kernels/conv2d.h>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/ops/kernels/conv2d_depthwise.h>
#include <tapedeck/ops/kernels/conv2d_dilated.h>
#include <tapedeck/ops/kernels/conv2d_direct.h>
#include <tapedeck/ops/kernels/conv2d_im2col.h>
#include <tapedeck/ops/kernels/conv2d_pixels.h>
#include <tapedeck/ops/kernels/conv2d_product.h>
#include <tapedeck/ops/kernels/conv2d_sampled.h>
#include <tapedeck/ops/kernels/conv2d_winograd.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/reduce.h>

namespace tapedeck::kernels {

namespace {

void check_dtypes(const char* op, const Array& a, const char* a_name, const Array& b,
                  const char* b_name, const Array& bias) {
  TAPEDECK_CHECK_AS(TypeError, a.dtype() == b.dtype(), op, ": expected ", a_name, " and ", b_name,
                    " to have the same dtype, got ", a.dtype(), " and ", b.dtype());
  TAPEDECK_CHECK_AS(TypeError, !bias.defined() || bias.dtype() == a.dtype(), op,
                    ": expected the bias to have dtype ", a.dtype(), " of ", a_name, ", got ",
                    bias.dtype());
}

Array contiguous_or_undefined(const Array& a) { return a.defined() ? contiguous(a) : a; }

template <typename T>
const T* data_or_null(const Array& a) {
  return a.defined() ? a.data<T>() : nullptr;
}

// The shape of a gradient kernel's arguments, after checking that they belong to one convolution.
Conv2dShape gradient_shape(const char* op, IntArrayRef input, IntArrayRef weight,
                           IntArrayRef grad_output, const Conv2dGeometry& geometry) {
  TAPEDECK_CHECK(input.size() == 4 && weight.size() == 4 && grad_output.size() == 4, op,
                 ": expected 4-D shapes, got input ", input, ", weight ", weight, ", grad_output ",
                 grad_output);
  const DimVector output = conv_output_sizes(op, 2, input, weight, geometry);
  TAPEDECK_CHECK(output == grad_output, op, ": expected a grad_output of shape ", output.ref(),
                 ", got ", grad_output, " (input ", input, ", weight ", weight, ")");
  return Conv2dShape(input, weight, output, geometry);
}

ConvAlgorithm choose(const char* op, ConvAlgorithm wanted, const Conv2dShape& s,
                     ConvDirection direction, ScalarType dtype) {
  dispatch_floating(dtype, op, [](auto) {});  // no algorithm does any other
  const ConvAlgorithm algorithm =
      wanted == ConvAlgorithm::Auto ? conv2d_plan(s, direction, dtype) : wanted;
  TAPEDECK_CHECK(conv2d_supports(algorithm, s, direction, dtype), op, ": the ", algorithm,
                 " algorithm does not do this convolution (input ",
                 DimVector{s.N, s.C, s.H, s.W}.ref(), ", weight ",
                 DimVector{s.K, s.group_channels(), s.KH, s.KW}.ref(), ", groups ", s.groups, ", ",
                 dtype, ")");
  return algorithm;
}

// Of an algorithm that conv2d_supports() has been asked for.
WinogradVariant winograd_variant(ConvAlgorithm algorithm, const Conv2dShape& s,
                                 ConvDirection direction) {
  return *winograd_variant(
      algorithm == ConvAlgorithm::WinogradSix ? WinogradPoints::Six : WinogradPoints::Four, s,
      direction);
}

// The pointwise convolution that ConvAlgorithm::Sampled becomes: its geometry, and its weight,
// which has a channel for every tap.
Conv2dGeometry pointwise(const Conv2dShape& s) {
  Conv2dGeometry geometry;
  geometry.groups = s.groups;
  return geometry;
}
DimVector pointwise_weight(const Conv2dShape& s) {
  return {s.K, s.group_channels() * s.taps(), 1, 1};
}

bool reads_in_place(const Conv2dShape& s, ScalarType dtype) {
  return dtype == kFloat32 ? depthwise_reads_in_place<float>(s)
                           : depthwise_reads_in_place<double>(s);
}

// The weight's gradient, and the bias's where somebody wants it.
Array grad_weight(const Array& input, const Array& grad_output, IntArrayRef weight_sizes,
                  const Conv2dGeometry& geometry, ConvAlgorithm algorithm, Array* grad_bias) {
  constexpr const char* op = "conv2d_grad_weight";
  check_dtypes(op, input, "input", grad_output, "grad_output", Array());
  const Conv2dShape s =
      gradient_shape(op, input.sizes(), weight_sizes, grad_output.sizes(), geometry);
  const Array x = contiguous(input), dy = contiguous(grad_output);
  const ConvAlgorithm a = choose(op, algorithm, s, ConvDirection::GradWeight, x.dtype());
  if (a == ConvAlgorithm::Sampled)
    return grad_weight(sample_pixels(s, x), dy, pointwise_weight(s), pointwise(s),
                       ConvAlgorithm::Auto, grad_bias)
        .view(weight_sizes);
  if (a == ConvAlgorithm::Dilated)
    return grad_weight(split_dilated(s, x), split_dilated(s, dy), weight_sizes, dilated_geometry(s),
                       ConvAlgorithm::Auto, grad_bias);
  Array dw = Array::empty(weight_sizes, input.dtype());
  const bool in_place = a == ConvAlgorithm::Depthwise && s.N > 0 && reads_in_place(s, x.dtype());
  const bool reads_planes = (a == ConvAlgorithm::Depthwise && !in_place) ||
                            a == ConvAlgorithm::Pixels || a == ConvAlgorithm::Product;
  const bool sums_grad_output = s.group_channels() > 0 && !reads_planes;
  if (grad_bias)
    *grad_bias = sums_grad_output ? Array::empty({s.K}, dy.dtype()) : sum(dy, {0, 2, 3});
  dispatch_floating(dw.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* const db = grad_bias ? grad_bias->template data<T>() : nullptr;
    switch (a) {
      case ConvAlgorithm::Depthwise:
        if (in_place)
          return conv2d_grad_filters_depthwise<T>(s, x.data<T>(), dy.data<T>(), dw.data<T>(), db);
        return conv2d_grad_weight_depthwise<T>(s, x.data<T>(), dy.data<T>(), dw.data<T>());
      case ConvAlgorithm::DepthwiseChannels:
        return conv2d_grad_weight_depthwise_channels<T>(s, x.data<T>(), dy.data<T>(), dw.data<T>(),
                                                        db);
      case ConvAlgorithm::Product:
        return conv2d_grad_weight_product<T>(s, x.data<T>(), dy.data<T>(), dw.data<T>());
      case ConvAlgorithm::Direct:
        return conv2d_grad_weight_direct<T>(s, x.data<T>(), dy.data<T>(), dw.data<T>(), db);
      case ConvAlgorithm::Pixels:
        return conv2d_grad_weight_pixels<T>(s, x.data<T>(), dy.data<T>(), dw.data<T>());
      case ConvAlgorithm::Taps:
        return conv2d_grad_weight_taps<T>(s, x.data<T>(), dy.data<T>(), dw.data<T>(), db);
      case ConvAlgorithm::Winograd:
      case ConvAlgorithm::WinogradSix:
        return conv2d_grad_weight_winograd<T>(winograd_variant(a, s, ConvDirection::GradWeight), s,
                                              x.data<T>(), dy.data<T>(), dw.data<T>(), db);
      default:
        return conv2d_grad_weight_im2col<T>(s, x.data<T>(), dy.data<T>(), dw.data<T>(), db);
    }
  });
  return dw;
}

}  // namespace

Array conv2d(const Array& input, const Array& weight, const Array& bias,
             const Conv2dGeometry& geometry, ConvAlgorithm algorithm) {
  check_dtypes("conv2d", input, "input", weight, "weight", bias);
  TAPEDECK_CHECK(input.dim() == 4 && weight.dim() == 4,
                 "conv2d: expected a 4-D input and weight, got ", input.sizes().ref(), " and ",
                 weight.sizes().ref());
  const DimVector sizes = conv_output_sizes("conv2d", 2, input.sizes(), weight.sizes(), geometry);
  if (bias.defined())
    check_conv_bias("conv2d", bias.sizes(), weight.size(0), input.sizes(), weight.sizes());
  const Conv2dShape s(input.sizes(), weight.sizes(), sizes, geometry);
  const Array x = contiguous(input), w = contiguous(weight), b = contiguous_or_undefined(bias);
  const ConvAlgorithm a = choose("conv2d", algorithm, s, ConvDirection::Forward, input.dtype());
  if (a == ConvAlgorithm::Sampled)
    return conv2d(sample_pixels(s, x), w.view(pointwise_weight(s)), b, pointwise(s));
  if (a == ConvAlgorithm::Dilated)
    return join_dilated(s, conv2d(split_dilated(s, x), w, b, dilated_geometry(s)), sizes);
  Array y = Array::empty(sizes, input.dtype());
  dispatch_floating(input.dtype(), "conv2d", [&](auto tag) {
    using T = typename decltype(tag)::type;
    switch (a) {
      case ConvAlgorithm::Depthwise:
        return conv2d_depthwise<T>(s, x.data<T>(), w.data<T>(), data_or_null<T>(b), y.data<T>());
      case ConvAlgorithm::DepthwiseChannels:
        return conv2d_depthwise_channels<T>(ConvWindow::forward(s), x.data<T>(), w.data<T>(),
                                            data_or_null<T>(b), y.data<T>());
      case ConvAlgorithm::Product:
        return conv2d_product<T>(s, x.data<T>(), w.data<T>(), data_or_null<T>(b), y.data<T>());
      case ConvAlgorithm::Direct:
        return conv2d_direct<T>(ConvWindow::forward(s), x.data<T>(), w.data<T>(),
                                data_or_null<T>(b), y.data<T>());
      case ConvAlgorithm::Pixels:
        return conv2d_pixels<T>(ConvWindow::forward(s), x.data<T>(), w.data<T>(),
                                data_or_null<T>(b), y.data<T>());
      case ConvAlgorithm::Winograd:
      case ConvAlgorithm::WinogradSix:
        return conv2d_winograd<T>(winograd_variant(a, s, ConvDirection::Forward), s, x.data<T>(),
                                  w.data<T>(), data_or_null<T>(b), y.data<T>());
      default:
        return conv2d_im2col<T>(s, x.data<T>(), w.data<T>(), data_or_null<T>(b), y.data<T>());
    }
  });
  return y;
}

Array conv2d_grad_input(const Array& grad_output, const Array& weight, const Array& bias,
                        IntArrayRef input_sizes, const Conv2dGeometry& geometry,
                        ConvAlgorithm algorithm) {
  constexpr const char* op = "conv2d_grad_input";
  check_dtypes(op, grad_output, "grad_output", weight, "weight", bias);
  const Conv2dShape s =
      gradient_shape(op, input_sizes, weight.sizes(), grad_output.sizes(), geometry);
  if (bias.defined()) check_conv_bias(op, bias.sizes(), s.C, input_sizes, weight.sizes());
  const Array dy = contiguous(grad_output), w = contiguous(weight);
  const Array b = contiguous_or_undefined(bias);
  const ConvAlgorithm a = choose(op, algorithm, s, ConvDirection::GradInput, dy.dtype());
  if (a == ConvAlgorithm::Sampled) {
    const DimVector sampled{s.N, s.C * s.taps(), s.OH, s.OW};
    const Array weights = w.view(pointwise_weight(s));
    return spread_pixels(
        s, conv2d_grad_input(dy, weights, bias_of_taps(s, b), sampled, pointwise(s)), b);
  }
  if (a == ConvAlgorithm::Dilated) {
    const Conv2dShape dense = dilated_shape(s);
    const DimVector images{dense.N, dense.C, dense.H, dense.W};
    return join_dilated(
        s, conv2d_grad_input(split_dilated(s, dy), w, b, images, dilated_geometry(s)), input_sizes);
  }
  Array dx = Array::empty(input_sizes, grad_output.dtype());
  dispatch_floating(dx.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    switch (a) {
      case ConvAlgorithm::Depthwise:
        return conv2d_grad_input_depthwise<T>(s, dy.data<T>(), w.data<T>(), data_or_null<T>(b),
                                              dx.data<T>());
      case ConvAlgorithm::DepthwiseChannels:
        return conv2d_depthwise_channels<T>(ConvWindow::grad_input(s), dy.data<T>(), w.data<T>(),
                                            data_or_null<T>(b), dx.data<T>());
      case ConvAlgorithm::Product:
        return conv2d_grad_input_product<T>(s, dy.data<T>(), w.data<T>(), data_or_null<T>(b),
                                            dx.data<T>());
      case ConvAlgorithm::Direct:
        return conv2d_direct<T>(ConvWindow::grad_input(s), dy.data<T>(), w.data<T>(),
                                data_or_null<T>(b), dx.data<T>());
      case ConvAlgorithm::Pixels:
        return conv2d_pixels<T>(ConvWindow::grad_input(s), dy.data<T>(), w.data<T>(),
                                data_or_null<T>(b), dx.data<T>());
      case ConvAlgorithm::Winograd:
      case ConvAlgorithm::WinogradSix:
        return conv2d_grad_input_winograd<T>(winograd_variant(a, s, ConvDirection::GradInput), s,
                                             dy.data<T>(), w.data<T>(), data_or_null<T>(b),
                                             dx.data<T>());
      default:
        return conv2d_grad_input_im2col<T>(s, dy.data<T>(), w.data<T>(), data_or_null<T>(b),
                                           dx.data<T>());
    }
  });
  return dx;
}

Array conv2d_grad_weight(const Array& input, const Array& grad_output, IntArrayRef weight_sizes,
                         const Conv2dGeometry& geometry, ConvAlgorithm algorithm) {
  return grad_weight(input, grad_output, weight_sizes, geometry, algorithm, nullptr);
}

Conv2dFilterGradients conv2d_grad_filters(const Array& input, const Array& grad_output,
                                          IntArrayRef weight_sizes, const Conv2dGeometry& geometry,
                                          ConvAlgorithm algorithm) {
  Conv2dFilterGradients gradients;
  gradients.weight =
      grad_weight(input, grad_output, weight_sizes, geometry, algorithm, &gradients.bias);
  return gradients;
}

}  // namespace tapedeck::kernels
