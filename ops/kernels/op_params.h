#pragma once

namespace tapedeck::kernels {

/// The numbers p0, p1, p2 of an elementwise operation: slopes, bounds.
struct OpParams {
  double values[3] = {};
};

}  // namespace tapedeck::kernels
