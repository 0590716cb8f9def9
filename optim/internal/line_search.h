#pragma once

#include <functional>
#include <utility>

#include <tapedeck/autograd/variable.h>

namespace tapedeck::optim {

/// A point of a line: how far along, the loss there, its gradient and that gradient's component
/// along the direction.
struct LinePoint {
  double t = 0;
  double loss = 0;
  Variable grad;
  double slope = 0;
};

/// Where the cubic through two points with slopes is lowest, within bounds; the middle where it has
/// no minimum.
double cubic_minimum(const LinePoint& a, const LinePoint& b, std::pair<double, double> bounds);

struct LineSearchResult {
  LinePoint point;
  std::int64_t evaluations = 0;
};

/// Looks along `direction` for a point that satisfies the strong Wolfe conditions with c1 = 1e-4
/// and c2 = 0.9, beginning at distance t; `start` is the point at 0. Nocedal and Wright 2006,
/// algorithms 3.5 and 3.6, with PyTorch's safeguards.
LineSearchResult strong_wolfe(const std::function<LinePoint(double t)>& evaluate, double t,
                              double direction_max, const LinePoint& start);

}  // namespace tapedeck::optim
