#pragma once

#include <tapedeck/nn/options/normalization.h>

namespace tapedeck::nn::functional {

/// See <tapedeck/ops/norm.h>. \throws ValueError in training with one value for each channel.
Tensor batch_norm(const Tensor& input, const Tensor& running_mean, const Tensor& running_var,
                  const BatchNormFuncOptions& options = {});
Tensor instance_norm(const Tensor& input, const InstanceNormFuncOptions& options = {});
Tensor layer_norm(const Tensor& input, const LayerNormFuncOptions& options);
Tensor group_norm(const Tensor& input, const GroupNormFuncOptions& options);
/// x / (k + alpha * mean of x^2 over `size` neighbouring channels)^beta (Krizhevsky et al., 2012).
Tensor local_response_norm(const Tensor& input, const LocalResponseNormFuncOptions& options);
/// x / max(||x||_p, eps) along an axis.
Tensor normalize(const Tensor& input, const NormalizeFuncOptions& options = {});

}  // namespace tapedeck::nn::functional
