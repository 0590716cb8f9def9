#pragma once

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

enum class GridMode { kLinear, kNearest };
/// What lies beyond the edges.
enum class GridPadding { kZeros, kBorder, kReflection };

struct GridSampling {
  GridMode mode = GridMode::kLinear;
  GridPadding padding = GridPadding::kZeros;
  bool align_corners = false;
};

/// Whether grid_sample and its gradients serve images of these sizes [D,] H, W.
bool grid_sample_serves(IntArrayRef image);

/// The values [N, C, ...] of input [N, C, H, W] or [N, C, D, H, W] at the places grid [N, ..., 2 or
/// 3] in [-1, 1]; float32 and float64. Fresh arrays, these three.
Array grid_sample(const Array& input, const Array& grid, const GridSampling& how);
/// The gradient of an input of these sizes.
Array grid_sample_grad_input(const Array& grad_output, IntArrayRef input_sizes, const Array& grid,
                             const GridSampling& how);
/// The gradient of the grid of a linear sampling.
Array grid_sample_grad_grid(const Array& grad_output, const Array& input, const Array& grid,
                            const GridSampling& how);

}  // namespace tapedeck::kernels
