#include <tapedeck/ops/kernels/weight_pieces.h>

#include <algorithm>

#include <tapedeck/ops/kernels/ceil_div.h>

namespace tapedeck::kernels {

namespace {

constexpr double kMostPieces = 32;
constexpr double kPieceProducts = 1 << 18;       // worth a visit by a thread
constexpr std::int64_t kPartialBytes = 1 << 24;  // for all partial sums
constexpr std::int64_t kCacheBytes = 3 << 18;    // sums of a piece that stay in the L2 cache
// Products in the time that an element is copied or transformed, that a sum which has left the L2
// cache is fetched for a step and written back, or that the sum of one run is added to another's.
constexpr double kMovedProducts = 14, kFetchedProducts = 40, kAddedProducts = 24;

// The time that a plan takes is estimated for several numbers of threads. Few threads count more:
// with many a plan may have too few pieces, but it shall not cost much to have them.
struct Threads {
  std::int64_t count;
  double weight;
};
// Threads do not run alike: the part of a piece's time that the last one is late on average.
constexpr double kLate = 0.25;
constexpr Threads kThreads[] = {{1, 8}, {2, 8}, {4, 2}, {8, 1}};

double cost(const WeightWork& w, const WeightPieces& p) {
  const auto steps = static_cast<double>(w.steps), filters = static_cast<double>(w.filters);
  const auto run = static_cast<double>(p.run), groups = static_cast<double>(w.groups);
  const auto sums = static_cast<double>(w.sums);
  const std::int64_t range = std::min(p.range, w.filters);
  const auto bytes = static_cast<double>(range * w.sums * w.element_bytes);
  const double leaving = 1 - std::min(1.0, kCacheBytes / bytes);
  const double fetched = sums * leaving * leaving * kFetchedProducts * (run - 1) / run;
  const double filter = static_cast<double>(w.products) + fetched;
  const double prepared = static_cast<double>(w.moved) * kMovedProducts;
  const double all = groups * steps * (static_cast<double>(p.ranges) * prepared + filters * filter);
  const double largest = run * (static_cast<double>(range) * filter + prepared);
  const std::int64_t full =
      w.groups * (w.steps / p.run) * std::max<std::int64_t>(1, w.filters / p.range);
  const double added =
      groups * filters * static_cast<double>(w.kept * (p.runs - 1)) * kAddedProducts;
  // The last run and the last range may be smaller.
  const std::int64_t small = w.groups * p.runs * p.ranges - full;
  const double small_size =
      small > 0 ? (all - static_cast<double>(full) * largest) / static_cast<double>(small) : 0;
  double total = 0;
  for (const Threads& threads : kThreads) {
    const std::int64_t turns = ceil_div(full, threads.count);
    const std::int64_t late = std::max<std::int64_t>(0, small - (turns * threads.count - full));
    const double last = static_cast<double>(turns) * largest +
                        static_cast<double>(ceil_div(late, threads.count)) * small_size +
                        (threads.count > 1 ? kLate * largest : 0);
    total += threads.weight * (std::max(all, last * static_cast<double>(threads.count)) + added);
  }
  return total;
}

}  // namespace

WeightPieces::WeightPieces(const WeightWork& w)
    : run(std::max<std::int64_t>(1, w.steps)),
      runs(1),
      range(std::max(w.lanes, round_up(w.filters, w.lanes))),
      ranges(1) {
  const double work =
      static_cast<double>(w.groups * w.steps) *
      (static_cast<double>(w.filters * w.products) + static_cast<double>(w.moved) * kMovedProducts);
  const std::int64_t most =
      static_cast<std::int64_t>(std::min(kMostPieces, work / kPieceProducts)) /
      std::max<std::int64_t>(1, w.groups);
  if (most < 2 || w.filters == 0) return;
  const std::int64_t bytes = w.groups * w.filters * w.kept * w.element_bytes;
  const std::int64_t fitting = kPartialBytes / std::max<std::int64_t>(1, bytes);
  const std::int64_t most_runs = std::clamp<std::int64_t>(fitting, 1, std::min(most, w.steps));
  WeightPieces best = *this, p = *this;
  double least = cost(w, best);
  for (std::int64_t r = 1; r <= most_runs; ++r) {
    p.run = ceil_div(w.steps, r);
    p.runs = ceil_div(w.steps, p.run);
    if (p.runs != r) continue;
    for (std::int64_t k = 1; k * r <= most; ++k) {
      p.range = round_up(ceil_div(w.filters, k), w.lanes);
      p.ranges = ceil_div(w.filters, p.range);
      if (p.ranges < k) continue;
      const double time = cost(w, p);
      if (time >= least) continue;
      least = time;
      best = p;
    }
  }
  *this = best;
}

}  // namespace tapedeck::kernels
