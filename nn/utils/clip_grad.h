#pragma once

#include <vector>

#include <tapedeck/autograd/variable.h>

namespace tapedeck::nn::utils {

/// Scales the gradients in place so that their joint p-norm is at most max_norm. Returns the norm
/// before; infinity as norm_type means the largest magnitude. \throws Error for a norm that is not
/// finite, if error_if_nonfinite.
double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm,
                       double norm_type = 2.0, bool error_if_nonfinite = false);
double clip_grad_norm_(const Tensor& parameter, double max_norm, double norm_type = 2.0,
                       bool error_if_nonfinite = false);

/// Limits each element of the gradients to [-clip_value, clip_value].
void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value);
void clip_grad_value_(const Tensor& parameter, double clip_value);

}  // namespace tapedeck::nn::utils
