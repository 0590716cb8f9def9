#pragma once

#include <tapedeck/autograd/variable.h>

namespace tapedeck::nn::functional {

/// input weight^T + bias.
Tensor linear(const Tensor& input, const Tensor& weight, const Tensor& bias = {});
/// input1^T weight[k] input2 + bias[k] for each k.
Tensor bilinear(const Tensor& input1, const Tensor& input2, const Tensor& weight,
                const Tensor& bias = {});

}  // namespace tapedeck::nn::functional
