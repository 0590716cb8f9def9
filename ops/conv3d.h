#pragma once

#include <cstdint>
#include <optional>

#include <tapedeck/ops/conv.h>

namespace tapedeck {

// Convolutions over the last three axes, as sums of those over two for each plane of the kernel.
// Arguments as of conv2d: stride, padding, dilation and output_padding are one number or three,
// padding also six ({front, back, top, bottom, left, right}).

/// Input [(N,) C_in, D, H, W], weight [C_out, C_in / groups, KD, KH, KW], bias [C_out] ->
/// [(N,) C_out, OD, OH, OW], each size as in conv1d.
Variable conv3d(const Variable& input, const Variable& weight,
                const std::optional<Variable>& bias = {}, IntArrayRef stride = 1,
                const ConvPadding& padding = 0, IntArrayRef dilation = 1, std::int64_t groups = 1);

/// Input [(N,) C_in, D, H, W], weight [C_in, C_out / groups, KD, KH, KW], bias [C_out] ->
/// [(N,) C_out, OD, OH, OW], each size as in conv_transpose1d. The adjoint of conv3d with the same
/// weight. \throws Error for "same" padding.
Variable conv_transpose3d(const Variable& input, const Variable& weight,
                          const std::optional<Variable>& bias = {}, IntArrayRef stride = 1,
                          const ConvPadding& padding = 0, IntArrayRef output_padding = 0,
                          std::int64_t groups = 1, IntArrayRef dilation = 1);

}  // namespace tapedeck
