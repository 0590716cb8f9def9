#pragma once

#include <tuple>

#include <tapedeck/autograd/variable.h>

namespace tapedeck {

// Fractional max-pooling (Graham, 2014), PyTorch's: exactly `output_size` windows along each of the
// last two or three axes of [(N,) C, (D,) H, W], whose distances vary by chance. They may overlap.
// random_samples [N, C, axes] (N is 1 without a batch) in [0, 1) are the chance: one number for
// each axis of each plane. Returns the largest elements and where they were found, in row-major
// order. kernel_size and output_size are one number or one for each axis; an output_size and a
// kernel may not need more than the input has: output + kernel - 1 <= input.

std::tuple<Variable, Variable> fractional_max_pool2d(const Variable& self, IntArrayRef kernel_size,
                                                     IntArrayRef output_size,
                                                     const Variable& random_samples);
std::tuple<Variable, Variable> fractional_max_pool3d(const Variable& self, IntArrayRef kernel_size,
                                                     IntArrayRef output_size,
                                                     const Variable& random_samples);

}  // namespace tapedeck
