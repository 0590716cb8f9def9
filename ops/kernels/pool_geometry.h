#pragma once

#include <cstdint>
#include <vector>

#include <tapedeck/array/array.h>
#include <tapedeck/array/array_ref.h>
#include <tapedeck/array/dim_vector.h>

namespace tapedeck::kernels {

/// How the window of a pooling moves; owns the output size formula and its error messages.
/// One-dimensional poolings leave the first of each pair at its default.
struct Pool2dGeometry {
  std::int64_t kernel[2] = {1, 1};
  std::int64_t stride[2] = {1, 1};
  std::int64_t padding[2] = {0, 0};   ///< on both sides of an axis
  std::int64_t dilation[2] = {1, 1};  ///< max-pooling only
  bool ceil_mode = false;             ///< a last, partial window counts if it starts inside

  /// floor((i + 2p - d(k - 1) - 1) / s) + 1; with ceil_mode the quotient is rounded up, without a
  /// window that would start in the padding after (PyTorch's rule).
  std::int64_t output_size(int axis, std::int64_t input) const;
};

/// What avg_pool2d divides by.
struct AvgPoolDivisor {
  bool count_include_pad = true;  ///< elements of padding count, those beyond it never do
  std::int64_t divisor = 0;       ///< fixed where it is not 0
};

/// [(N,) C, (OH,) OW] of a pooling of `dims` (1 or 2) spatial axes over input [(N,) C, (H,) W].
/// \throws Error that names `op` and shows input and kernel where a number is out of range,
/// padding is more than half of the kernel, or no output is left.
DimVector pool_output_sizes(const char* op, int dims, IntArrayRef input,
                            const Pool2dGeometry& geometry);

/// The input positions of one output position along one axis, inside the input.
struct PoolWindow {
  std::int64_t begin, end, step;
  std::int64_t counted;  ///< positions in the divisor of an average
};
PoolWindow pool_window(const Pool2dGeometry& geometry, int axis, std::int64_t input,
                       std::int64_t output, bool count_include_pad);
/// Those of all outputs along an axis.
std::vector<PoolWindow> pool_windows(const Pool2dGeometry& geometry, int axis, std::int64_t input,
                                     std::int64_t output, bool count_include_pad);
/// Windows [floor(o i / n), ceil((o + 1) i / n)) for o of n outputs.
std::vector<PoolWindow> adaptive_windows(std::int64_t input, std::int64_t output);

/// Whether the channels of images [N, C, H, W] lie next to each other (an NHWC image that was
/// permuted), and are enough for vectors over them; their pooling lies as they do.
bool has_inner_channels(const Array& images);
/// Uninitialised [N, C, H, W] whose channels lie next to each other.
Array empty_with_inner_channels(IntArrayRef sizes, ScalarType dtype);

}  // namespace tapedeck::kernels
