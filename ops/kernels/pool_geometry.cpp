#include <tapedeck/ops/kernels/pool_geometry.h>

#include <algorithm>
#include <limits>

#include <tapedeck/array/error.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int32_t>::max();

}  // namespace

std::int64_t Pool2dGeometry::output_size(int axis, std::int64_t input) const {
  const std::int64_t span = dilation[axis] * (kernel[axis] - 1) + 1;
  const std::int64_t room = input + 2 * padding[axis] - span;
  const std::int64_t extra = ceil_mode ? stride[axis] - 1 : 0;
  if (room + extra < 0) return 0;
  const std::int64_t size = (room + extra) / stride[axis] + 1;
  const bool starts_beyond = ceil_mode && (size - 1) * stride[axis] >= input + padding[axis];
  return starts_beyond ? size - 1 : size;
}

DimVector pool_output_sizes(const char* op, int dims, IntArrayRef input, const Pool2dGeometry& g) {
  const int first_axis = 2 - dims, rank = static_cast<int>(input.size());
  const auto shown = [&](const std::int64_t* pair) {
    return IntArrayRef(pair + first_axis, static_cast<std::size_t>(dims));
  };
  TAPEDECK_CHECK(rank == dims + 1 || rank == dims + 2, op, ": expected a ", dims + 1,
                 "-D (unbatched) or ", dims + 2, "-D (batched) input, got ", input);
  const auto within = [&](const std::int64_t* pair, std::int64_t least, const char* what) {
    for (const std::int64_t value : shown(pair))
      TAPEDECK_CHECK(value >= least && value <= kLargest, op, ": ", what,
                     least == 1 ? " must be positive" : " must not be negative",
                     value > kLargest ? " and fit 32 bits" : "", ", got ", shown(pair), " (input ",
                     input, ")");
  };
  within(g.kernel, 1, "kernel_size");
  within(g.stride, 1, "stride");
  within(g.padding, 0, "padding");
  within(g.dilation, 1, "dilation");
  for (int d = rank - dims - 1; d < rank; ++d)
    TAPEDECK_CHECK(input[d] > 0, op, ": expected at least one channel and one pixel, got input ",
                   input);
  DimVector out(input);
  bool fits = true;
  for (int axis = first_axis; axis < 2; ++axis) {
    TAPEDECK_CHECK(g.padding[axis] <= g.kernel[axis] / 2, op,
                   ": padding must be at most half of the kernel, got padding ", shown(g.padding),
                   ", kernel ", shown(g.kernel), " (input ", input, ")");
    const std::int64_t size = g.output_size(axis, input[rank - 2 + axis]);
    out[rank - 2 + axis] = size;
    fits &= size > 0;
  }
  TAPEDECK_CHECK(fits, op, ": the kernel ", shown(g.kernel), " with dilation ", shown(g.dilation),
                 " does not fit the input ", input, " with padding ", shown(g.padding));
  return out;
}

PoolWindow pool_window(const Pool2dGeometry& g, int axis, std::int64_t input, std::int64_t output,
                       bool count_include_pad) {
  const std::int64_t step = g.dilation[axis];
  const std::int64_t start = output * g.stride[axis] - g.padding[axis];
  const std::int64_t stop = start + (g.kernel[axis] - 1) * step + 1;
  PoolWindow window;
  // the first tap inside, in whole steps
  window.begin = start < 0 ? start + (-start + step - 1) / step * step : start;
  window.end = std::min(stop, input);
  window.step = step;
  window.counted = count_include_pad ? std::min(stop, input + g.padding[axis]) - start
                                     : std::max<std::int64_t>(window.end - window.begin, 0);
  return window;
}

std::vector<PoolWindow> pool_windows(const Pool2dGeometry& g, int axis, std::int64_t input,
                                     std::int64_t output, bool count_include_pad) {
  std::vector<PoolWindow> windows(static_cast<std::size_t>(output));
  for (std::int64_t o = 0; o < output; ++o)
    windows[static_cast<std::size_t>(o)] = pool_window(g, axis, input, o, count_include_pad);
  return windows;
}

std::vector<PoolWindow> adaptive_windows(std::int64_t input, std::int64_t output) {
  constexpr std::int64_t kMost = std::int64_t{1} << 24;
  TAPEDECK_CHECK(output <= kMost, "adaptive pooling: expected an output_size of at most ", kMost,
                 " pixels a side, got ", output);
  std::vector<PoolWindow> windows(static_cast<std::size_t>(output));
  for (std::int64_t o = 0; o < output; ++o) {
    const std::int64_t begin = o * input / output;
    const std::int64_t end = ((o + 1) * input + output - 1) / output;
    windows[static_cast<std::size_t>(o)] = {begin, end, 1, end - begin};
  }
  return windows;
}

bool has_inner_channels(const Array& images) {
  constexpr std::int64_t kFewest = 8;
  return images.size(1) >= kFewest && !images.is_contiguous() &&
         images.permute({0, 2, 3, 1}).is_contiguous();
}

Array empty_with_inner_channels(IntArrayRef sizes, ScalarType dtype) {
  return Array::empty({sizes[0], sizes[2], sizes[3], sizes[1]}, dtype).permute({0, 3, 1, 2});
}

}  // namespace tapedeck::kernels
