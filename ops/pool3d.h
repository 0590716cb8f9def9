#pragma once

#include <cstdint>
#include <optional>
#include <tuple>

#include <tapedeck/autograd/variable.h>

namespace tapedeck {

// Pooling over the last three axes of [(N,) C, D, H, W]: along the planes as over two axes, and
// then along the depth. Arguments and sizes as in <tapedeck/ops/pool.h>, with one number or three.

Variable max_pool3d(const Variable& self, IntArrayRef kernel_size, IntArrayRef stride = {},
                    IntArrayRef padding = 0, IntArrayRef dilation = 1, bool ceil_mode = false);
/// The same and where each was found: the position in the input's volume in row-major order.
std::tuple<Variable, Variable> max_pool3d_with_indices(
    const Variable& self, IntArrayRef kernel_size, IntArrayRef stride = {}, IntArrayRef padding = 0,
    IntArrayRef dilation = 1, bool ceil_mode = false);
Variable avg_pool3d(const Variable& self, IntArrayRef kernel_size, IntArrayRef stride = {},
                    IntArrayRef padding = 0, bool ceil_mode = false, bool count_include_pad = true,
                    std::optional<std::int64_t> divisor_override = std::nullopt);
Variable adaptive_avg_pool3d(const Variable& self, IntArrayRef output_size);
/// With the indices of the largest elements.
std::tuple<Variable, Variable> adaptive_max_pool3d(const Variable& self, IntArrayRef output_size);

}  // namespace tapedeck
