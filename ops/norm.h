#pragma once

#include <cstdint>
#include <optional>

#include <tapedeck/autograd/variable.h>

namespace tapedeck {

// Normalisations, y = (x - mean) / sqrt(var + eps) * weight + bias, as PyTorch's of the same names.
// float32 or float64; variances are biased. An undefined weight is one of ones, an undefined bias
// one of zeros. The last argument of each is accepted and means nothing here.

/// Input [N, C, ...]; weight, bias and running statistics [C]. In training the statistics are those
/// of each channel over everything else, and the running ones move towards them by `momentum` (with
/// the unbiased variance); otherwise the running ones are used. \throws Error where shapes do not
/// fit, or there are no running statistics to use.
Variable batch_norm(const Variable& input, const std::optional<Variable>& weight,
                    const std::optional<Variable>& bias,
                    const std::optional<Variable>& running_mean,
                    const std::optional<Variable>& running_var, bool training, double momentum,
                    double eps, bool cudnn_enabled = false);

/// Statistics of each channel of each image; the running ones move towards their mean over the
/// images. Without `use_input_stats` as batch_norm outside of training.
Variable instance_norm(const Variable& input, const std::optional<Variable>& weight,
                       const std::optional<Variable>& bias,
                       const std::optional<Variable>& running_mean,
                       const std::optional<Variable>& running_var, bool use_input_stats,
                       double momentum, double eps, bool cudnn_enabled = false);

/// Statistics over the last axes, which have the sizes `normalized_shape`, as weight and bias do.
Variable layer_norm(const Variable& input, IntArrayRef normalized_shape,
                    const std::optional<Variable>& weight = {},
                    const std::optional<Variable>& bias = {}, double eps = 1e-5,
                    bool cudnn_enable = false);

/// Input [N, C, ...]; weight and bias [C]. Statistics over each of num_groups groups of channels of
/// each image. \throws Error unless num_groups divides C.
Variable group_norm(const Variable& input, std::int64_t num_groups,
                    const std::optional<Variable>& weight = {},
                    const std::optional<Variable>& bias = {}, double eps = 1e-5,
                    bool cudnn_enabled = false);

}  // namespace tapedeck
