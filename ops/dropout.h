#pragma once

#include <tapedeck/autograd/variable.h>

namespace tapedeck {

// Dropout, with PyTorch's numbers for the same seed. Outside of training the input comes back.
// p is the probability that an element goes; \throws ValueError unless it is in [0, 1].

/// Zeros of probability p, all else multiplied by 1 / (1 - p).
Variable dropout(const Variable& input, double p, bool train);
Variable& dropout_(Variable& self, double p, bool train);
/// The same for whole channels of [N, C, ...].
Variable feature_dropout(const Variable& input, double p, bool train);
Variable& feature_dropout_(Variable& self, double p, bool train);
/// Elements become SELU's negative limit, and the whole is scaled so that a standard normal input
/// keeps its mean and variance (Klambauer et al., 2017).
Variable alpha_dropout(const Variable& input, double p, bool train);
Variable& alpha_dropout_(Variable& self, double p, bool train);
Variable feature_alpha_dropout(const Variable& input, double p, bool train);
Variable& feature_alpha_dropout_(Variable& self, double p, bool train);

}  // namespace tapedeck
