#pragma once

#include <cstdint>

namespace tapedeck::kernels {

/// What a weight gradient sums up: for every filter of every group, products over some steps
/// (images, rows of them, blocks of tiles). All numbers are of one filter, one group, one step.
struct WeightWork {
  std::int64_t steps, groups;
  std::int64_t filters;  ///< of a group
  std::int64_t lanes;    ///< filters that are summed together: ranges are multiples of it
  std::int64_t products;
  std::int64_t
      moved;          ///< elements of the input that are copied or transformed, however few filters
  std::int64_t sums;  ///< elements that are summed up for a filter while a run lasts
  std::int64_t kept;  ///< elements that a run leaves for it, to be added to those of other runs
  std::int64_t element_bytes;
};

/// A weight gradient in pieces for threads. A piece has some steps, a run, and some filters of a
/// group, a range. Each run has partial sums of its own, which are added in order; each range
/// prepares the input of its steps once more. The pieces are of about the same size, few where more
/// of them would cost much, and depend on nothing but the work.
struct WeightPieces {
  std::int64_t run = 1, runs = 1;
  std::int64_t range = 1,
               ranges = 1;  ///< a range is a multiple of `lanes`, and may end past the last filter

  WeightPieces() = default;
  explicit WeightPieces(const WeightWork& work);
};

}  // namespace tapedeck::kernels
