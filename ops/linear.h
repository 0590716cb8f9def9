#pragma once

#include <optional>

#include <tapedeck/autograd/variable.h>

namespace tapedeck {

/// input weight^T + bias: input [..., in], weight [out, in] (or [in]), bias [out] -> [..., out].
/// \throws Error, with the shapes, where they do not fit.
Variable linear(const Variable& input, const Variable& weight,
                const std::optional<Variable>& bias = {});

/// y[..., k] = input1[..., i] weight[k, i, j] input2[..., j] + bias[k].
Variable bilinear(const Variable& input1, const Variable& input2, const Variable& weight,
                  const std::optional<Variable>& bias = {});

}  // namespace tapedeck
