#pragma once

#include <cstdint>

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

// Normalisations of float32 and float64. Undefined arrays stand for weights (of ones) and biases
// (of zeros) that there are not. Statistics are held in float64; variances are biased.

/// Mean and 1 / sqrt(variance + eps) of each group, float64.
struct NormStats {
  Array mean, rstd;
};
struct NormGradients {
  Array input, weight, bias;  ///< undefined where not wanted
};
/// Which gradients are wanted.
struct NormWanted {
  bool input = true, weight = true, bias = true;
};

/// 1 / sqrt(variance + eps), float64.
Array reciprocal_roots(const Array& variance, double eps);

/// y = (x - mean[c]) rstd[c] weight[c] + bias[c] for x [N, C, S], contiguous, with the statistics
/// of each channel over N and S, which are returned; `variance`, if given, receives the variances.
Array channel_norm(const Array& x, const Array& weight, const Array& bias, double eps,
                   NormStats& stats, Array* variance = nullptr);
/// The same with statistics that are given.
Array channel_norm_with(const Array& x, const Array& weight, const Array& bias,
                        const NormStats& stats);
/// Gradients of channel_norm, or of channel_norm_with where `constant_stats`. x and grad [N, C, S],
/// contiguous.
NormGradients channel_norm_grad(const Array& grad, const Array& x, const Array& weight,
                                const NormStats& stats, bool constant_stats,
                                const NormWanted& wanted);

/// y = (x - mean[r]) rstd[r] weight[k] + bias[k] for x [R, D, S], contiguous, with the statistics
/// of each r over D and S; k is the channel (r mod G) D + d of weight and bias [G D].
Array row_norm(const Array& x, const Array& weight, const Array& bias, double eps,
               std::int64_t groups, NormStats& stats);
/// Its gradients.
NormGradients row_norm_grad(const Array& grad, const Array& x, const Array& weight,
                            const NormStats& stats, std::int64_t groups, const NormWanted& wanted);

}  // namespace tapedeck::kernels
