#include <tapedeck/optim/internal/line_search.h>

#include <algorithm>
#include <cmath>

namespace tapedeck::optim {

namespace {

constexpr double kSufficientDecrease = 1e-4, kCurvature = 0.9, kToleranceChange = 1e-9;
constexpr int kMaxEvaluations = 25;

// Two points between which the conditions can be met; of a finished search only `a` counts.
struct Bracket {
  LinePoint a, b;
  bool done = false;
};

bool too_high(const LinePoint& p, const LinePoint& start) {
  return p.loss > start.loss + kSufficientDecrease * p.t * start.slope;
}
bool flat_enough(const LinePoint& p, const LinePoint& start) {
  return std::abs(p.slope) <= -kCurvature * start.slope;
}

}  // namespace

double cubic_minimum(const LinePoint& a, const LinePoint& b, std::pair<double, double> bounds) {
  const double d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t);
  const double square = d1 * d1 - a.slope * b.slope;
  // Also where it is NaN.
  if (!(square >= 0)) return (bounds.first + bounds.second) / 2;
  const double d2 = std::sqrt(square);
  const double t = a.t <= b.t
                       ? b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
                       : a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2));
  return std::min(std::max(t, bounds.first), bounds.second);
}

LineSearchResult strong_wolfe(const std::function<LinePoint(double t)>& evaluate, double t,
                              double direction_max, const LinePoint& start) {
  LinePoint next = evaluate(t), previous = start;
  std::int64_t evaluations = 1;
  int iteration = 0;
  Bracket bracket;

  // Go on until two points enclose what is looked for.
  for (; iteration < kMaxEvaluations; ++iteration) {
    if (too_high(next, start) || (iteration > 1 && next.loss >= previous.loss)) {
      bracket = {previous, next};
      break;
    }
    if (flat_enough(next, start)) {
      bracket = {next, next, true};
      break;
    }
    if (next.slope >= 0) {
      bracket = {previous, next};
      break;
    }
    const std::pair<double, double> bounds{next.t + 0.01 * (next.t - previous.t), next.t * 10};
    t = cubic_minimum(previous, next, bounds);
    previous = next;
    next = evaluate(t);
    ++evaluations;
  }
  if (iteration == kMaxEvaluations) bracket = {start, next};

  // Then bring the two together.
  bool slow = false;
  // Which of the two is the lower one is decided when a point is replaced, ties included.
  bool a_is_low = bracket.a.loss <= bracket.b.loss;
  while (!bracket.done && iteration < kMaxEvaluations) {
    const auto [least, most] = std::minmax(bracket.a.t, bracket.b.t);
    if ((most - least) * direction_max < kToleranceChange) break;
    t = cubic_minimum(bracket.a, bracket.b, {least, most});
    // Twice in a row near an end: step inside.
    const double margin = 0.1 * (most - least);
    if (std::min(most - t, t - least) < margin) {
      if (slow || t >= most || t <= least) {
        t = std::abs(t - most) < std::abs(t - least) ? most - margin : least + margin;
        slow = false;
      } else {
        slow = true;
      }
    } else {
      slow = false;
    }
    next = evaluate(t);
    ++evaluations;
    ++iteration;
    LinePoint& low = a_is_low ? bracket.a : bracket.b;
    LinePoint& high = a_is_low ? bracket.b : bracket.a;
    if (too_high(next, start) || next.loss >= low.loss) {
      high = next;
      a_is_low = bracket.a.loss <= bracket.b.loss;
    } else {
      bracket.done = flat_enough(next, start);
      if (!bracket.done && next.slope * (high.t - low.t) >= 0) high = low;
      low = next;
    }
  }
  return {a_is_low ? bracket.a : bracket.b, evaluations};
}

}  // namespace tapedeck::optim
