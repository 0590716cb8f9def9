#include <tapedeck/ops/kernels/conv_window.h>

#include <algorithm>
#include <utility>

#include <tapedeck/ops/kernels/ceil_div.h>

namespace tapedeck::kernels {

Conv2dShape::Range AxisPhase::inside(std::int64_t at, std::int64_t size) const {
  const auto first_of = [&](std::int64_t shift) {
    return std::lower_bound(shifts.begin(), shifts.end(), shift) - shifts.begin();
  };
  const std::int64_t begin = first_of(-at);
  return {begin, std::max<std::int64_t>(begin, first_of(size - at))};
}

Conv2dShape::Range AxisPhase::reached(std::size_t tap, std::int64_t step, std::int64_t size) const {
  // The first output whose input is not before `input`.
  const auto first_from = [&](std::int64_t input) {
    const std::int64_t distance = std::max<std::int64_t>(0, input - shifts[tap]);
    return std::min(outputs, ceil_div(distance, step));
  };
  return {first_from(0), first_from(size)};
}

void WindowAxis::finish() {
  outputs = 0;
  std::int64_t last_shift = 0;
  bool any = false;
  first_shift = 0;
  for (const AxisPhase& phase : phases) {
    outputs = std::max(outputs, phase.outputs);
    if (phase.shifts.empty()) continue;
    first_shift = any ? std::min(first_shift, phase.shifts.front()) : phase.shifts.front();
    last_shift = any ? std::max(last_shift, phase.shifts.back()) : phase.shifts.back();
    any = true;
  }
  reach = last_shift - first_shift;
  shifts.clear();
  shifts.reserve(static_cast<std::size_t>(kernel));
  for (const AxisPhase& phase : phases)
    shifts.insert(shifts.end(), phase.shifts.begin(), phase.shifts.end());
  std::sort(shifts.begin(), shifts.end());
  shifts.erase(std::unique(shifts.begin(), shifts.end()), shifts.end());
  residues_read.assign(static_cast<std::size_t>(step), 0);
  for (const AxisPhase& phase : phases)
    for (const std::int64_t shift : phase.shifts)
      residues_read[static_cast<std::size_t>((shift - first_shift) % step)] = 1;
}

std::int64_t WindowAxis::outputs_within(std::int64_t inputs) const {
  const std::int64_t all = (inputs - reach - 1) / step + 1;
  const std::int64_t apart =
      inputs / std::max<std::int64_t>(1, static_cast<std::int64_t>(shifts.size()));
  return inputs > reach ? std::max(all, apart) : apart;
}

WindowAxis WindowAxis::forward(std::int64_t in_size, std::int64_t out_size, std::int64_t kernel,
                               std::int64_t stride, std::int64_t dilation, std::int64_t pad) {
  AxisPhase phase{0, out_size, {}, {}};
  phase.taps.reserve(static_cast<std::size_t>(kernel));
  phase.shifts.reserve(static_cast<std::size_t>(kernel));
  for (std::int64_t k = 0; k < kernel; ++k) {
    phase.taps.push_back(k);
    phase.shifts.push_back(k * dilation - pad);
  }
  WindowAxis axis{in_size, out_size, kernel, stride, 1, {}, 0, 0, 0, {}, {}};
  axis.phases.push_back(std::move(phase));
  axis.finish();
  return axis;
}

WindowAxis WindowAxis::transposed(std::int64_t in_size, std::int64_t out_size, std::int64_t kernel,
                                  std::int64_t stride, std::int64_t dilation, std::int64_t pad) {
  WindowAxis axis{in_size, out_size, kernel, 1, stride, {}, 0, 0, 0, {}, {}};
  const std::int64_t phases = std::min(stride, out_size);
  const auto taps_of_phase = static_cast<std::size_t>((kernel + stride - 1) / stride);
  axis.phases.reserve(static_cast<std::size_t>(std::max<std::int64_t>(0, phases)));
  for (std::int64_t first = 0; first < phases; ++first) {
    AxisPhase phase{first, (out_size - 1 - first) / stride + 1, {}, {}};
    phase.taps.reserve(taps_of_phase);
    phase.shifts.reserve(taps_of_phase);
    for (std::int64_t k = kernel; k-- > 0;) {
      const std::int64_t distance = first + pad - k * dilation;  // = stride * input position
      if (distance % stride != 0) continue;
      phase.taps.push_back(k);
      phase.shifts.push_back(distance / stride);
    }
    axis.phases.push_back(std::move(phase));
  }
  axis.finish();
  return axis;
}

ConvWindow ConvWindow::forward(const Conv2dShape& s) {
  return {s.N,
          s.groups,
          s.group_channels(),
          s.group_filters(),
          WindowAxis::forward(s.H, s.OH, s.KH, s.stride_h, s.dilation_h, s.pad_top),
          WindowAxis::forward(s.W, s.OW, s.KW, s.stride_w, s.dilation_w, s.pad_left),
          s.group_channels() * s.taps(),
          s.taps(),
          s.group_filters() * s.group_channels() * s.taps(),
          false};
}

ConvWindow ConvWindow::grad_input(const Conv2dShape& s) {
  return {s.N,
          s.groups,
          s.group_filters(),
          s.group_channels(),
          WindowAxis::transposed(s.OH, s.H, s.KH, s.stride_h, s.dilation_h, s.pad_top),
          WindowAxis::transposed(s.OW, s.W, s.KW, s.stride_w, s.dilation_w, s.pad_left),
          s.taps(),
          s.group_channels() * s.taps(),
          s.group_filters() * s.group_channels() * s.taps(),
          true};
}

ConvWindow ConvWindow::grad_input_between(const Conv2dShape& s) {
  Conv2dShape dense = s;
  dense.stride_h = dense.stride_w = 1;
  return grad_input(dense);
}

}  // namespace tapedeck::kernels
