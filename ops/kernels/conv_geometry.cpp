#include <tapedeck/ops/kernels/conv_geometry.h>

#include <algorithm>
#include <limits>

#include <tapedeck/array/error.h>

namespace tapedeck::kernels {

namespace {

constexpr const char* kWeightForm = "[C_out, C_in / groups, ...]";
constexpr const char* kTransposedWeightForm = "[C_in, C_out / groups, ...]";
// Larger numbers would only make the size formulas overflow.
constexpr std::int64_t kLargest = std::numeric_limits<std::int32_t>::max();

// Where the arguments of a convolution lie in the shapes that the user gave.
struct Arguments {
  const char* op;
  IntArrayRef input, weight;
  int dims;  // spatial axes

  Arguments(const char* op_, int spatial_dims, IntArrayRef input_, IntArrayRef weight_,
            const char* weight_form)
      : op(op_), input(input_), weight(weight_), dims(spatial_dims) {
    TAPEDECK_CHECK(static_cast<int>(weight.size()) == dims + 2, op, ": expected a ", dims + 2,
                   "-D weight ", weight_form, ", got ", weight);
    TAPEDECK_CHECK(rank() == dims + 1 || rank() == dims + 2, op, ": expected a ", dims + 1,
                   "-D (unbatched) or ", dims + 2, "-D (batched) input, got ", input, " (weight ",
                   weight, ")");
  }

  int rank() const { return static_cast<int>(input.size()); }
  std::int64_t channels() const { return input[rank() - dims - 1]; }
  // Of axis 0 (height) or 1 (width); one-dimensional convolutions only have the latter.
  std::int64_t size(int axis) const { return input[rank() - 2 + axis]; }
  std::int64_t kernel(int axis) const { return weight[dims + axis]; }
  int first_axis() const { return 2 - dims; }

  // The pair's part that the user sees.
  IntArrayRef shown(const std::int64_t* pair) const {
    return {pair + first_axis(), static_cast<std::size_t>(dims)};
  }
  std::string shapes() const { return detail::str(" (input ", input, ", weight ", weight, ")"); }
};

void check_ranges(const Arguments& a, const Conv2dGeometry& g) {
  const auto within = [&](IntArrayRef values, std::int64_t least, const char* what) {
    for (const std::int64_t value : values)
      TAPEDECK_CHECK(value >= least && value <= kLargest, a.op, ": ", what,
                     least == 1 ? " must be positive" : " must not be negative",
                     value > kLargest ? " and fit 32 bits" : "", ", got ", values, a.shapes());
  };
  within(a.shown(g.stride), 1, "stride");
  within(a.shown(g.dilation), 1, "dilation");
  within(IntArrayRef(g.groups), 1, "groups");
  within(a.shown(g.output_padding), 0, "output_padding");
  // Negative padding after is how output_padding reaches the adjoint; users pass none.
  for (int side = 2 * a.first_axis(); side < 4; ++side)
    TAPEDECK_CHECK(
        g.padding[side] >= (side % 2 == 0 ? 0 : -kLargest) && g.padding[side] <= kLargest, a.op,
        ": padding must not be negative", g.padding[side] > kLargest ? " and fit 32 bits" : "",
        ", got ", IntArrayRef(g.padding + 2 * a.first_axis(), 2 * a.dims), a.shapes());
  for (int axis = a.first_axis(); axis < 2; ++axis) {
    TAPEDECK_CHECK(a.kernel(axis) > 0, a.op, ": expected a kernel of at least one tap", a.shapes());
    TAPEDECK_CHECK(a.size(axis) > 0, a.op, ": expected an input of at least one pixel", a.shapes());
  }
  TAPEDECK_CHECK(a.channels() > 0 && a.weight[0] > 0 && a.weight[1] > 0, a.op,
                 ": expected at least one channel", a.shapes());
}

// The input's sizes with the channels and the spatial sizes replaced.
DimVector output_of(const Arguments& a, std::int64_t channels, const std::int64_t* sizes) {
  DimVector out(a.input);
  out[a.rank() - a.dims - 1] = channels;
  for (int axis = a.first_axis(); axis < 2; ++axis) out[a.rank() - 2 + axis] = sizes[axis];
  return out;
}

}  // namespace

std::int64_t Conv2dGeometry::conv_size(int axis, std::int64_t input, std::int64_t kernel) const {
  const std::int64_t room = input + padding[2 * axis] + padding[2 * axis + 1] - span(axis, kernel);
  return room < 0 ? 0 : room / stride[axis] + 1;
}

std::int64_t Conv2dGeometry::conv_transpose_size(int axis, std::int64_t input,
                                                 std::int64_t kernel) const {
  return stride[axis] * (input - 1) + span(axis, kernel) - padding[2 * axis] -
         padding[2 * axis + 1] + output_padding[axis];
}

void Conv2dGeometry::set_same_padding(const char* op, int dims, IntArrayRef input,
                                      IntArrayRef weight) {
  const Arguments a(op, dims, input, weight, kWeightForm);
  check_ranges(a, *this);
  for (int axis = a.first_axis(); axis < 2; ++axis) {
    const std::int64_t outputs = (a.size(axis) + stride[axis] - 1) / stride[axis];
    const std::int64_t total = std::max<std::int64_t>(
        (outputs - 1) * stride[axis] + span(axis, a.kernel(axis)) - a.size(axis), 0);
    padding[2 * axis] = total / 2;
    padding[2 * axis + 1] = total - total / 2;
  }
}

void Conv2dGeometry::set_same_padding_transposed(const char* op, int dims, IntArrayRef input,
                                                 IntArrayRef weight) {
  const Arguments a(op, dims, input, weight, kTransposedWeightForm);
  check_ranges(a, *this);
  for (int axis = a.first_axis(); axis < 2; ++axis) {
    const std::int64_t total = span(axis, a.kernel(axis)) - stride[axis];
    padding[2 * axis] = std::max<std::int64_t>(total, 0) / 2;
    padding[2 * axis + 1] = total - padding[2 * axis];
  }
}

Conv2dGeometry Conv2dGeometry::adjoint() const {
  Conv2dGeometry conv = *this;
  for (int axis = 0; axis < 2; ++axis) {
    conv.padding[2 * axis + 1] -= output_padding[axis];
    conv.output_padding[axis] = 0;
  }
  return conv;
}

DimVector conv_output_sizes(const char* op, int dims, IntArrayRef input, IntArrayRef weight,
                            const Conv2dGeometry& g) {
  const Arguments a(op, dims, input, weight, kWeightForm);
  check_ranges(a, g);
  TAPEDECK_CHECK(weight[0] % g.groups == 0, op, ": ", weight[0],
                 " output channels are not divisible by groups ", g.groups, a.shapes());
  TAPEDECK_CHECK(a.channels() == weight[1] * g.groups, op, ": weight expects ",
                 weight[1] * g.groups, " input channels, input has ", a.channels(), a.shapes());
  std::int64_t sizes[2] = {1, 1}, padded[2] = {1, 1}, spans[2] = {1, 1};
  bool fits = true;
  for (int axis = a.first_axis(); axis < 2; ++axis) {
    sizes[axis] = g.conv_size(axis, a.size(axis), a.kernel(axis));
    padded[axis] = a.size(axis) + g.padding[2 * axis] + g.padding[2 * axis + 1];
    spans[axis] = g.span(axis, a.kernel(axis));
    fits &= sizes[axis] > 0;
  }
  TAPEDECK_CHECK(fits, op, ": the kernel spans ", a.shown(spans), ", more than the padded input ",
                 a.shown(padded), a.shapes());
  return output_of(a, weight[0], sizes);
}

DimVector conv_transpose_output_sizes(const char* op, int dims, IntArrayRef input,
                                      IntArrayRef weight, const Conv2dGeometry& g) {
  const Arguments a(op, dims, input, weight, kTransposedWeightForm);
  check_ranges(a, g);
  TAPEDECK_CHECK(a.channels() == weight[0], op, ": weight expects ", weight[0],
                 " input channels, input has ", a.channels(), a.shapes());
  TAPEDECK_CHECK(weight[0] % g.groups == 0, op, ": ", weight[0],
                 " input channels are not divisible by groups ", g.groups, a.shapes());
  std::int64_t sizes[2] = {1, 1};
  bool fits = true;
  for (int axis = a.first_axis(); axis < 2; ++axis) {
    TAPEDECK_CHECK(g.output_padding[axis] < std::max(g.stride[axis], g.dilation[axis]), op,
                   ": output_padding must be smaller than either stride or dilation, got "
                   "output_padding ",
                   a.shown(g.output_padding), ", stride ", a.shown(g.stride), ", dilation ",
                   a.shown(g.dilation), a.shapes());
    sizes[axis] = g.conv_transpose_size(axis, a.size(axis), a.kernel(axis));
    fits &= sizes[axis] > 0;
  }
  TAPEDECK_CHECK(fits, op, ": the output would have size ", a.shown(sizes), a.shapes());
  return output_of(a, weight[1] * g.groups, sizes);
}

void check_conv_bias(const char* op, IntArrayRef bias, std::int64_t channels, IntArrayRef input,
                     IntArrayRef weight) {
  TAPEDECK_CHECK(bias.size() == 1 && bias[0] == channels, op, ": expected a bias of shape [",
                 channels, "], got ", bias, " (input ", input, ", weight ", weight, ")");
}

Conv2dShape::Conv2dShape(IntArrayRef input, IntArrayRef weight, IntArrayRef output,
                         const Conv2dGeometry& g)
    : N(input[0]),
      C(input[1]),
      H(input[2]),
      W(input[3]),
      K(output[1]),
      KH(weight[2]),
      KW(weight[3]),
      OH(output[2]),
      OW(output[3]),
      groups(g.groups),
      // A single pixel has no next one, as a single tap below, to be away from.
      stride_h(H == 1 && OH == 1 ? 1 : g.stride[0]),
      stride_w(W == 1 && OW == 1 ? 1 : g.stride[1]),
      pad_top(g.padding[0]),
      pad_left(g.padding[2]),
      dilation_h(KH == 1 ? 1 : g.dilation[0]),
      dilation_w(KW == 1 ? 1 : g.dilation[1]) {}

Conv2dShape::Range Conv2dShape::valid(std::int64_t offset, std::int64_t stride, std::int64_t size,
                                      std::int64_t outputs) {
  // 0 <= o * stride + offset < size
  const std::int64_t begin = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
  const std::int64_t end = offset >= size ? 0 : (size - 1 - offset) / stride + 1;
  return {std::min(begin, outputs), std::max(std::min(begin, outputs), std::min(end, outputs))};
}

}  // namespace tapedeck::kernels
