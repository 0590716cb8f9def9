#include <tapedeck/ops/conv.h>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/ops/kernels/conv2d.h>
#include <tapedeck/ops/kernels/conv_geometry.h>
#include <tapedeck/ops/kernels/im2col.h>
#include <tapedeck/ops/spatial.h>

namespace tapedeck {

using kernels::Conv2dGeometry;

namespace {

// The three faces of the form sum(dy * conv(x, w)): each is linear in its two arguments, and its
// VJPs are the other two. `bias` may be undefined.
Variable convolution(const Variable& x, const Variable& w, const Variable& bias,
                     const Conv2dGeometry& geometry);
Variable grad_input(const Variable& dy, const Variable& w, const Variable& bias,
                    const DimVector& input_sizes, const Conv2dGeometry& geometry);
Variable grad_weight(const Variable& x, const Variable& dy, const DimVector& weight_sizes,
                     const Conv2dGeometry& geometry);

Array array_or_undefined(const Variable& v) { return v.defined() ? v.array() : Array(); }
Variable over_channels(const Variable& g) { return g.sum({0, 2, 3}); }

// dw = grad_weight(x, dy), and db = sum of dy if somebody wants it: in one pass over dy where no
// derivatives of theirs are.
struct FilterGradients {
  Variable dw, db;
};
FilterGradients grad_filters(const Variable& x, const Variable& dy, const DimVector& weight_sizes,
                             const Conv2dGeometry& geometry, bool with_bias) {
  if (!with_bias) return {grad_weight(x, dy, weight_sizes, geometry), {}};
  if (should_record(x, dy)) return {grad_weight(x, dy, weight_sizes, geometry), over_channels(dy)};
  kernels::Conv2dFilterGradients gradients =
      kernels::conv2d_grad_filters(x.array(), dy.array(), weight_sizes, geometry);
  return {Variable(std::move(gradients.weight)), Variable(std::move(gradients.bias))};
}

// y = conv(x, w) + b;  dx = grad_input(g, w), dw = grad_weight(x, g), db = sum of g
Variable convolution(const Variable& x, const Variable& w, const Variable& bias,
                     const Conv2dGeometry& geometry) {
  Variable y(kernels::conv2d(x.array(), w.array(), array_or_undefined(bias), geometry));
  if (should_record(x, w, bias))
    record(y, "ConvolutionBackward0", edges(x, w, bias),
           [x = save(x, w.requires_grad()), w = save(w, x.requires_grad()), xs = x.array().sizes(),
            ws = w.array().sizes(), geometry](const Variable& g, const VjpContext& ctx) {
             FilterGradients filters;
             if (ctx.needs(1))
               filters = grad_filters(x.get(ctx), g, ws, geometry, ctx.needs(2));
             else if (ctx.needs(2))
               filters.db = over_channels(g);
             return Gradients{
                 ctx.needs(0) ? grad_input(g, w.get(ctx), {}, xs, geometry) : Variable(),
                 filters.dw, filters.db};
           });
  return y;
}

// dx = grad_input(dy, w) + b;  ddy = conv(g, w), dw = grad_weight(g, dy), db = sum of g
Variable grad_input(const Variable& dy, const Variable& w, const Variable& bias,
                    const DimVector& input_sizes, const Conv2dGeometry& geometry) {
  Variable dx(kernels::conv2d_grad_input(dy.array(), w.array(), array_or_undefined(bias),
                                         input_sizes, geometry));
  if (should_record(dy, w, bias))
    record(dx, "ConvolutionGradInputBackward0", edges(dy, w, bias),
           [dy = save(dy, w.requires_grad()), w = save(w, dy.requires_grad()),
            ws = w.array().sizes(), geometry](const Variable& g, const VjpContext& ctx) {
             return Gradients{ctx.needs(0) ? convolution(g, w.get(ctx), {}, geometry) : Variable(),
                              ctx.needs(1) ? grad_weight(g, dy.get(ctx), ws, geometry) : Variable(),
                              ctx.needs(2) ? over_channels(g) : Variable()};
           });
  return dx;
}

// dw = grad_weight(x, dy);  dx = grad_input(dy, g), ddy = conv(x, g)
Variable grad_weight(const Variable& x, const Variable& dy, const DimVector& weight_sizes,
                     const Conv2dGeometry& geometry) {
  Variable dw(kernels::conv2d_grad_weight(x.array(), dy.array(), weight_sizes, geometry));
  if (should_record(x, dy))
    record(dw, "ConvolutionGradWeightBackward0", edges(x, dy),
           [x = save(x, dy.requires_grad()), dy = save(dy, x.requires_grad()),
            xs = x.array().sizes(), geometry](const Variable& g, const VjpContext& ctx) {
             return Gradients{
                 ctx.needs(0) ? grad_input(dy.get(ctx), g, {}, xs, geometry) : Variable(),
                 ctx.needs(1) ? convolution(x.get(ctx), g, {}, geometry) : Variable()};
           });
  return dw;
}

// The arguments of a convolution over one or two axes, as numbers.
struct Arguments {
  const char* op;
  int dims;
  Conv2dGeometry geometry;

  Arguments(const char* op_, int dims_, IntArrayRef stride, IntArrayRef dilation,
            std::int64_t groups)
      : op(op_), dims(dims_) {
    detail::read_pair(op, "stride", dims, stride, geometry.stride);
    detail::read_pair(op, "dilation", dims, dilation, geometry.dilation);
    geometry.groups = groups;
  }

  void read_padding(const ConvPadding& padding) {
    if (padding.is_same()) return;
    const IntArrayRef list = padding.values();
    for (const std::int64_t value : list)
      TAPEDECK_CHECK(value >= 0, op, ": padding must not be negative, got ", list);
    if (list.size() == 2 * static_cast<std::size_t>(dims)) {
      for (std::size_t side = 0; side < list.size(); ++side)
        geometry.padding[4 - list.size() + side] = list[side];
      return;
    }
    std::int64_t pair[2] = {0, 0};
    TAPEDECK_CHECK(list.size() == 1 || list.size() == static_cast<std::size_t>(dims), op,
                   ": expected padding to have ", dims == 1 ? "1 or 2" : "1, 2 or 4",
                   " values, got ", list);
    detail::read_pair(op, "padding", dims, list, pair);
    for (int side = 0; side < 4; ++side) geometry.padding[side] = pair[side / 2];
  }
};

void check_dtypes(const char* op, const Variable& input, const Variable& weight,
                  const Variable& bias) {
  TAPEDECK_CHECK_AS(TypeError, input.dtype() == weight.dtype(), op,
                    ": expected input and weight to have the same dtype, got ", input.dtype(),
                    " and ", weight.dtype());
  TAPEDECK_CHECK_AS(TypeError, !bias.defined() || bias.dtype() == input.dtype(), op,
                    ": expected the bias to have dtype ", input.dtype(), " of the input, got ",
                    bias.dtype());
  TAPEDECK_CHECK_AS(TypeError, input.is_floating_point(), op, ": not implemented for dtype ",
                    input.dtype());
}

Variable conv(Arguments a, const Variable& input, const Variable& weight,
              const std::optional<Variable>& bias, const ConvPadding& padding) {
  const Variable b = bias.value_or(Variable());
  check_dtypes(a.op, input, weight, b);
  a.read_padding(padding);
  if (padding.is_same()) a.geometry.set_same_padding(a.op, a.dims, input.sizes(), weight.sizes());
  kernels::conv_output_sizes(a.op, a.dims, input.sizes(), weight.sizes(), a.geometry);
  if (b.defined())
    kernels::check_conv_bias(a.op, b.sizes(), weight.size(0), input.sizes(), weight.sizes());
  const detail::SpatialForm form(a.dims, input);
  return form.lower(convolution(form.lift(input), form.lift_weight(weight), b, a.geometry));
}

Variable conv_transpose(Arguments a, const Variable& input, const Variable& weight,
                        const std::optional<Variable>& bias, const ConvPadding& padding,
                        IntArrayRef output_padding) {
  const Variable b = bias.value_or(Variable());
  check_dtypes(a.op, input, weight, b);
  a.read_padding(padding);
  detail::read_pair(a.op, "output_padding", a.dims, output_padding, a.geometry.output_padding);
  if (padding.is_same())
    a.geometry.set_same_padding_transposed(a.op, a.dims, input.sizes(), weight.sizes());
  kernels::conv_transpose_output_sizes(a.op, a.dims, input.sizes(), weight.sizes(), a.geometry);
  if (b.defined())
    kernels::check_conv_bias(a.op, b.sizes(), weight.size(1) * a.geometry.groups, input.sizes(),
                             weight.sizes());
  const detail::SpatialForm form(a.dims, input);
  const Variable x = form.lift(input), w = form.lift_weight(weight);
  const DimVector sizes =
      kernels::conv_transpose_output_sizes(a.op, 2, x.sizes(), w.sizes(), a.geometry);
  return form.lower(grad_input(x, w, b, sizes, a.geometry.adjoint()));
}

Variable fold(const Variable& columns, const DimVector& output_size, const DimVector& kernel,
              const Conv2dGeometry& geometry);

// columns = unfold(x);  dx = fold(g)
Variable unfold(const Variable& x, const DimVector& kernel, const Conv2dGeometry& geometry) {
  Variable y(kernels::unfold(x.array(), kernel, geometry));
  if (should_record(x))
    record(y, "Im2ColBackward0", edges(x),
           [size = DimVector{x.size(2), x.size(3)}, kernel, geometry](const Variable& g) {
             return fold(g, size, kernel, geometry);
           });
  return y;
}

// image = fold(columns);  dcolumns = unfold(g)
Variable fold(const Variable& columns, const DimVector& output_size, const DimVector& kernel,
              const Conv2dGeometry& geometry) {
  Variable y(kernels::fold(columns.array(), output_size, kernel, geometry));
  if (should_record(columns))
    record(y, "Col2ImBackward0", edges(columns),
           [kernel, geometry](const Variable& g) { return unfold(g, kernel, geometry); });
  return y;
}

DimVector pair_of(const char* op, const char* what, IntArrayRef list) {
  DimVector pair(2);
  detail::read_pair(op, what, 2, list, pair.data());
  return pair;
}

}  // namespace

ConvPadding::ConvPadding(ByName, std::string_view name) : values_{0} {
  same_ = name == "same" || name == "kSame";
  TAPEDECK_CHECK_AS(ValueError, same_ || name == "valid" || name == "kValid",
                    "a convolution's padding must be numbers, \"same\" or \"valid\", got \"", name,
                    "\"");
}

Variable conv1d(const Variable& input, const Variable& weight, const std::optional<Variable>& bias,
                IntArrayRef stride, const ConvPadding& padding, IntArrayRef dilation,
                std::int64_t groups) {
  TAPEDECK_CHECK_DEFINED("conv1d", input, weight);
  const detail::OpScope scope("conv1d");
  return conv(Arguments("conv1d", 1, stride, dilation, groups), input, weight, bias, padding);
}

Variable conv2d(const Variable& input, const Variable& weight, const std::optional<Variable>& bias,
                IntArrayRef stride, const ConvPadding& padding, IntArrayRef dilation,
                std::int64_t groups) {
  TAPEDECK_CHECK_DEFINED("conv2d", input, weight);
  return conv(Arguments("conv2d", 2, stride, dilation, groups), input, weight, bias, padding);
}

Variable conv_transpose1d(const Variable& input, const Variable& weight,
                          const std::optional<Variable>& bias, IntArrayRef stride,
                          const ConvPadding& padding, IntArrayRef output_padding,
                          std::int64_t groups, IntArrayRef dilation) {
  TAPEDECK_CHECK_DEFINED("conv_transpose1d", input, weight);
  const detail::OpScope scope("conv_transpose1d");
  return conv_transpose(Arguments("conv_transpose1d", 1, stride, dilation, groups), input, weight,
                        bias, padding, output_padding);
}

Variable conv_transpose2d(const Variable& input, const Variable& weight,
                          const std::optional<Variable>& bias, IntArrayRef stride,
                          const ConvPadding& padding, IntArrayRef output_padding,
                          std::int64_t groups, IntArrayRef dilation) {
  TAPEDECK_CHECK_DEFINED("conv_transpose2d", input, weight);
  return conv_transpose(Arguments("conv_transpose2d", 2, stride, dilation, groups), input, weight,
                        bias, padding, output_padding);
}

Variable im2col(const Variable& self, IntArrayRef kernel_size, IntArrayRef dilation,
                IntArrayRef padding, IntArrayRef stride) {
  TAPEDECK_CHECK_DEFINED("im2col", self);
  const detail::OpScope scope("im2col");
  Arguments a("im2col", 2, stride, dilation, 1);
  a.read_padding(padding);
  TAPEDECK_CHECK(self.dim() == 3 || self.dim() == 4,
                 "im2col: expected a 3-D (unbatched) or 4-D (batched) input, got ", self.sizes());
  const bool batched = self.dim() == 4;
  const Variable columns = unfold(batched ? self : self.unsqueeze(0),
                                  pair_of(a.op, "kernel_size", kernel_size), a.geometry);
  return batched ? columns : columns.squeeze(0);
}

Variable col2im(const Variable& self, IntArrayRef output_size, IntArrayRef kernel_size,
                IntArrayRef dilation, IntArrayRef padding, IntArrayRef stride) {
  TAPEDECK_CHECK_DEFINED("col2im", self);
  const detail::OpScope scope("col2im");
  Arguments a("col2im", 2, stride, dilation, 1);
  a.read_padding(padding);
  TAPEDECK_CHECK(self.dim() == 2 || self.dim() == 3,
                 "col2im: expected a 2-D (unbatched) or 3-D (batched) input, got ", self.sizes());
  const bool batched = self.dim() == 3;
  const Variable image =
      fold(batched ? self : self.unsqueeze(0), pair_of(a.op, "output_size", output_size),
           pair_of(a.op, "kernel_size", kernel_size), a.geometry);
  return batched ? image : image.squeeze(0);
}

// Of a side, so that the square of the factor is exact whatever axes are empty.
constexpr std::int64_t kMostPixels = std::int64_t{1} << 20;

Variable pixel_shuffle(const Variable& self, std::int64_t upscale_factor) {
  TAPEDECK_CHECK_DEFINED("pixel_shuffle", self);
  const std::int64_t r = upscale_factor;
  TAPEDECK_CHECK(self.dim() >= 3, "pixel_shuffle: expected at least 3 dimensions, got ",
                 self.sizes());
  TAPEDECK_CHECK(r > 0 && r <= kMostPixels && self.size(-3) % (r * r) == 0,
                 "pixel_shuffle: expected ", self.size(-3),
                 " channels to be divisible by the square of upscale_factor ", r, " (input ",
                 self.sizes(), ")");
  const std::int64_t H = self.size(-2), W = self.size(-1), C = self.size(-3) / (r * r);
  const DimVector lead(self.sizes().slice(0, self.sizes().size() - 3));
  const std::int64_t batch = numel_of(lead);
  DimVector out = lead;
  for (const std::int64_t size : {C, H * r, W * r}) out.push_back(size);
  // [N, C, r, r, H, W] -> [N, C, H, r, W, r]
  return self.reshape({batch, C, r, r, H, W}).permute({0, 1, 4, 2, 5, 3}).reshape(out);
}

Variable pixel_unshuffle(const Variable& self, std::int64_t downscale_factor) {
  TAPEDECK_CHECK_DEFINED("pixel_unshuffle", self);
  const std::int64_t r = downscale_factor;
  TAPEDECK_CHECK(self.dim() >= 3, "pixel_unshuffle: expected at least 3 dimensions, got ",
                 self.sizes());
  TAPEDECK_CHECK(r > 0 && r <= kMostPixels && self.size(-2) % r == 0 && self.size(-1) % r == 0,
                 "pixel_unshuffle: expected height and width to be divisible by downscale_factor ",
                 r, " (input ", self.sizes(), ")");
  const std::int64_t H = self.size(-2) / r, W = self.size(-1) / r, C = self.size(-3);
  const DimVector lead(self.sizes().slice(0, self.sizes().size() - 3));
  const std::int64_t batch = numel_of(lead);
  DimVector out = lead;
  for (const std::int64_t size : {C * r * r, H, W}) out.push_back(size);
  // [N, C, H, r, W, r] -> [N, C, r, r, H, W]
  return self.reshape({batch, C, H, r, W, r}).permute({0, 1, 3, 5, 2, 4}).reshape(out);
}

}  // namespace tapedeck
