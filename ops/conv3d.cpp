#include <tapedeck/ops/conv3d.h>

#include <algorithm>
#include <array>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/joining.h>
#include <tapedeck/ops/pad.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck {

namespace {

using Three = std::array<std::int64_t, 3>;

Three three(const char* op, const char* what, IntArrayRef values, std::int64_t least) {
  TAPEDECK_CHECK(values.size() == 1 || values.size() == 3, op, ": expected ", what,
                 " of one number or three, got ", values);
  Three result;
  for (std::size_t i = 0; i < 3; ++i) {
    result[i] = values[values.size() == 1 ? 0 : i];
    TAPEDECK_CHECK(result[i] >= least, op, ": expected ", what, " of at least ", least, ", got ",
                   values);
  }
  return result;
}
IntArrayRef rows_and_columns(const Three& values) { return {values.data() + 1, 2}; }

// The padding along the depth, and that of the planes.
struct Padding {
  Padding(const char* op, const ConvPadding& padding) : planes(0) {
    const DimVector& v = padding.values();
    TAPEDECK_CHECK(v.size() == 1 || v.size() == 3 || v.size() == 6, op,
                   ": expected a padding of one number, three or six, got ", v.ref());
    for (const std::int64_t p : v)
      TAPEDECK_CHECK(p >= 0, op, ": expected a padding that is not negative, got ", v.ref());
    if (v.size() == 6) {
      front = v[0];
      back = v[1];
      planes = ConvPadding({v[2], v[3], v[4], v[5]});
    } else {
      front = back = v[0];
      planes = v.size() == 1 ? ConvPadding(v[0]) : ConvPadding({v[1], v[2]});
    }
  }
  std::int64_t front = 0, back = 0;
  ConvPadding planes;
};

void check_dims(const char* op, const Variable& input, const Variable& weight) {
  TAPEDECK_CHECK(
      weight.dim() == 5 && (input.dim() == 4 || input.dim() == 5), op,
      ": expected an input of 4 (unbatched) or 5 dimensions and a weight of 5, got input ",
      input.sizes(), " and weight ", weight.sizes());
}

// [N, C, D, H, W] -> [N D, C, H, W] and back.
Variable planes_of(const Variable& x) { return x.transpose(1, 2).flatten(0, 1); }
Variable volume_of(const Variable& planes, std::int64_t N) {
  return planes.unflatten(0, {N, planes.size(0) / N}).transpose(1, 2);
}

// The sum with the bias, in the layout that other operations make.
Variable finish(const Variable& sum, const std::optional<Variable>& bias, bool batched) {
  const Variable y = bias && bias->defined() ? sum + bias->view({-1, 1, 1, 1}) : sum.contiguous();
  return batched ? y : y.squeeze(0);
}

}  // namespace

Variable conv3d(const Variable& input, const Variable& weight, const std::optional<Variable>& bias,
                IntArrayRef stride, const ConvPadding& padding, IntArrayRef dilation,
                std::int64_t groups) {
  TAPEDECK_CHECK_DEFINED("conv3d", input, weight);
  const detail::OpScope scope("conv3d");
  check_dims("conv3d", input, weight);
  const Three s = three("conv3d", "stride", stride, 1),
              d = three("conv3d", "dilation", dilation, 1);
  const bool batched = input.dim() == 5;
  Variable x = batched ? input : input.unsqueeze(0);
  const std::int64_t N = x.size(0), D = x.size(2), KD = weight.size(2);
  const std::int64_t span = d[0] * (KD - 1) + 1;
  Padding pads("conv3d", padding.is_same() ? ConvPadding(0) : padding);
  if (padding.is_same()) {
    const std::int64_t total =
        std::max<std::int64_t>(0, ((D + s[0] - 1) / s[0] - 1) * s[0] + span - D);
    pads.front = total / 2;
    pads.back = total - pads.front;
    pads.planes = padding;
  }
  TAPEDECK_CHECK(N > 0 && KD > 0 && D + pads.front + pads.back >= span,
                 "conv3d: the kernel spans a depth of ", span, ", more than the padded input ",
                 D + pads.front + pads.back, " (input ", input.sizes(), ", weight ", weight.sizes(),
                 ")");
  if (pads.front + pads.back > 0) x = constant_pad_nd(x, {0, 0, 0, 0, pads.front, pads.back}, 0);
  const std::int64_t OD = (x.size(2) - span) / s[0] + 1;
  Variable sum;
  for (std::int64_t k = 0; k < KD; ++k) {
    const std::int64_t first = k * d[0];
    const Variable seen = x.slice(2, first, first + (OD - 1) * s[0] + 1, s[0]);
    const Variable part = conv2d(planes_of(seen), weight.select(2, k), {}, rows_and_columns(s),
                                 pads.planes, rows_and_columns(d), groups);
    sum = sum.defined() ? sum + part : part;
  }
  return finish(volume_of(sum, N), bias, batched);
}

Variable conv_transpose3d(const Variable& input, const Variable& weight,
                          const std::optional<Variable>& bias, IntArrayRef stride,
                          const ConvPadding& padding, IntArrayRef output_padding,
                          std::int64_t groups, IntArrayRef dilation) {
  TAPEDECK_CHECK_DEFINED("conv_transpose3d", input, weight);
  const detail::OpScope scope("conv_transpose3d");
  const char* const op = "conv_transpose3d";
  check_dims(op, input, weight);
  TAPEDECK_CHECK(!padding.is_same(), op, ": expected a padding in numbers");
  const Three s = three(op, "stride", stride, 1), d = three(op, "dilation", dilation, 1);
  const Three more = three(op, "output_padding", output_padding, 0);
  TAPEDECK_CHECK(more[0] < std::max(s[0], d[0]), op,
                 ": output padding must be smaller than either stride or dilation, got ",
                 output_padding);
  const bool batched = input.dim() == 5;
  const Variable x = batched ? input : input.unsqueeze(0);
  const std::int64_t N = x.size(0), D = x.size(2), KD = weight.size(2);
  const Padding pads(op, padding);
  const std::int64_t spread = (D - 1) * s[0] + 1, whole = spread + d[0] * (KD - 1) + more[0];
  TAPEDECK_CHECK(N > 0 && D > 0 && KD > 0 && whole > pads.front + pads.back, op,
                 ": nothing is left of a depth of ", whole, " (input ", input.sizes(), ", weight ",
                 weight.sizes(), ")");
  const Variable planes = planes_of(x);
  Variable sum;
  for (std::int64_t k = 0; k < KD; ++k) {
    Variable part = volume_of(
        conv_transpose2d(planes, weight.select(2, k), {}, rows_and_columns(s), pads.planes,
                         rows_and_columns(more), groups, rows_and_columns(d)),
        N);
    // Planes of zeros between those of the input, then the kernel's offset before and the rest
    // after.
    if (s[0] > 1)
      part = constant_pad_nd(part.unsqueeze(3), {0, 0, 0, 0, 0, s[0] - 1}, 0)
                 .flatten(2, 3)
                 .slice(2, 0, spread);
    part = constant_pad_nd(part, {0, 0, 0, 0, k * d[0], whole - spread - k * d[0]}, 0);
    sum = sum.defined() ? sum + part : part;
  }
  return finish(sum.slice(2, pads.front, whole - pads.back), bias, batched);
}

}  // namespace tapedeck
