#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <tapedeck/ops/kernels/conv_geometry.h>

namespace tapedeck::kernels {

/// Some outputs of an axis that are alike: output o reads the inputs o * step + shifts[i] through
/// the kernel's taps[i], and lies at first + o * out_step. Shifts ascend.
struct AxisPhase {
  std::int64_t first, outputs;
  std::vector<std::int64_t> taps, shifts;

  /// The taps [begin, end) whose input for output position `at` = o * step is one of [0, size).
  Conv2dShape::Range inside(std::int64_t at, std::int64_t size) const;
  /// The outputs [begin, end) whose input through taps[tap] is one of [0, size).
  Conv2dShape::Range reached(std::size_t tap, std::int64_t step, std::int64_t size) const;
};

/// How one axis of an output is gathered from an input.
struct WindowAxis {
  std::int64_t in_size, out_size, kernel;
  std::int64_t step, out_step;
  std::vector<AxisPhase> phases;
  std::int64_t outputs;              ///< of the longest phase
  std::int64_t first_shift, reach;   ///< the smallest shift; the largest one less that
  std::vector<char> residues_read;   ///< whether a tap reads inputs of this residue modulo step
  std::vector<std::int64_t> shifts;  ///< of all phases, ascending, each once

  /// Inputs to copy for `count` neighbouring outputs: all from the first to the last one read or,
  /// where a large dilation leaves gaps, those that are read through each shift by themselves.
  std::int64_t inputs_of(std::int64_t count) const {
    return has_gaps(count) ? static_cast<std::int64_t>(shifts.size()) * count
                           : (count - 1) * step + reach + 1;
  }
  /// The same without padding, which no tap of a row reads.
  std::int64_t inside_of(std::int64_t count) const {
    return has_gaps(count) ? inputs_of(count) : std::min(in_size, inputs_of(count));
  }
  bool has_gaps(std::int64_t count) const {
    return !shifts.empty() &&
           static_cast<std::int64_t>(shifts.size()) * count < (count - 1) * step + reach + 1;
  }
  /// Outputs whose inputs are at most that many.
  std::int64_t outputs_within(std::int64_t inputs) const;

  /// A convolution: one phase that steps by the stride.
  static WindowAxis forward(std::int64_t in_size, std::int64_t out_size, std::int64_t kernel,
                            std::int64_t stride, std::int64_t dilation, std::int64_t pad);
  /// Its adjoint, from grad_output to the input's gradient: pixels of one phase of the stride are
  /// reached by the same taps, and read neighbours for neighbours. No product with a zero that a
  /// stride would put between the pixels of grad_output is ever formed.
  static WindowAxis transposed(std::int64_t in_size, std::int64_t out_size, std::int64_t kernel,
                               std::int64_t stride, std::int64_t dilation, std::int64_t pad);

 private:
  void finish();
};

/// A convolution or its input gradient, both as: out[n, k] is the sum over the channels c of its
/// group and over the taps of in[n, c] * weight[k, c].
struct ConvWindow {
  std::int64_t N, groups;
  std::int64_t C, K;  ///< input and output channels of a group
  WindowAxis h, w;
  std::int64_t weight_k_stride, weight_c_stride, weight_group_stride;
  bool adjoint;  ///< an input gradient: taps descend where shifts ascend

  static ConvWindow forward(const Conv2dShape& shape);
  static ConvWindow grad_input(const Conv2dShape& shape);
  /// The same without its phases: shifts count places of the input's gradient, `stride` of which
  /// lie from a pixel of grad_output to the next.
  static ConvWindow grad_input_between(const Conv2dShape& shape);

  std::int64_t taps() const { return h.kernel * w.kernel; }
};

}  // namespace tapedeck::kernels
