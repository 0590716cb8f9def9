#pragma once

#include <cstdint>
#include <optional>
#include <tuple>

#include <tapedeck/autograd/variable.h>

// Pooling over the last one or two axes of [(N,) C, (H,) W], as PyTorch's of the same names.
// float32 or float64. kernel_size, stride, padding and dilation are one number or one for each
// axis; an empty stride is the kernel's size. Padding is on both sides and at most half of the
// kernel. The output has floor((i + 2 p - d (k - 1) - 1) / s) + 1 elements along an axis; with
// ceil_mode the quotient is rounded up, without a window that would start in the padding after. All
// throw Error, with the shapes, where arguments do not fit.

namespace tapedeck {

/// The largest element of each window; padding never counts, of equal ones the first does, and a
/// NaN is larger than everything.
Variable max_pool1d(const Variable& self, IntArrayRef kernel_size, IntArrayRef stride = {},
                    IntArrayRef padding = 0, IntArrayRef dilation = 1, bool ceil_mode = false);
Variable max_pool2d(const Variable& self, IntArrayRef kernel_size, IntArrayRef stride = {},
                    IntArrayRef padding = 0, IntArrayRef dilation = 1, bool ceil_mode = false);
/// The same and where each was found, in int64: the position in the input's plane in row-major
/// order.
std::tuple<Variable, Variable> max_pool1d_with_indices(
    const Variable& self, IntArrayRef kernel_size, IntArrayRef stride = {}, IntArrayRef padding = 0,
    IntArrayRef dilation = 1, bool ceil_mode = false);
std::tuple<Variable, Variable> max_pool2d_with_indices(
    const Variable& self, IntArrayRef kernel_size, IntArrayRef stride = {}, IntArrayRef padding = 0,
    IntArrayRef dilation = 1, bool ceil_mode = false);

/// Zeros of [(N,) C, output_size] with the elements of self [(N,) C, H, W] at `indices` of the same
/// shape. \throws IndexError for an index outside the plane.
Variable max_unpool2d(const Variable& self, const Variable& indices, IntArrayRef output_size);

/// The mean of each window. Padding counts as zeros, and in the divisor only if
/// `count_include_pad`; what ceil_mode adds beyond the padding never counts.
Variable avg_pool1d(const Variable& self, IntArrayRef kernel_size, IntArrayRef stride = {},
                    IntArrayRef padding = 0, bool ceil_mode = false, bool count_include_pad = true);
/// `divisor_override`, which must be positive, replaces the number of elements.
Variable avg_pool2d(const Variable& self, IntArrayRef kernel_size, IntArrayRef stride = {},
                    IntArrayRef padding = 0, bool ceil_mode = false, bool count_include_pad = true,
                    std::optional<std::int64_t> divisor_override = std::nullopt);

/// Pooling into `output_size` windows along each axis, of which number o covers
/// floor(o i / n) ... ceil((o + 1) i / n) - 1 of i elements.
Variable adaptive_avg_pool1d(const Variable& self, IntArrayRef output_size);
Variable adaptive_avg_pool2d(const Variable& self, IntArrayRef output_size);
/// With the indices of the largest elements.
std::tuple<Variable, Variable> adaptive_max_pool1d(const Variable& self, IntArrayRef output_size);
std::tuple<Variable, Variable> adaptive_max_pool2d(const Variable& self, IntArrayRef output_size);

}  // namespace tapedeck
