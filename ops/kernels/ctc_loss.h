#pragma once

#include <cstdint>
#include <vector>

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

/// The label sequences that connectionist temporal classification aligns with scores [T, N, C].
struct CtcTargets {
  std::vector<std::vector<std::int64_t>> labels;  ///< one list for each of the N sequences
  std::vector<std::int64_t> input_lengths;        ///< steps in use of each sequence, at most T
  std::int64_t blank = 0;
  bool zero_infinity = false;  ///< sequences without an alignment count nothing
};

/// -log of the probability that each sequence of log_probs [T, N, C], contiguous, spells its
/// labels: [N]. Where no alignment is possible: infinity, or zero with zero_infinity.
Array ctc_loss(const Array& log_probs, const CtcTargets& targets);

/// The probability of each class at each step given that the labels are spelled: [T, N, C]. Zero
/// beyond the end of a sequence. Where no alignment is possible: NaN, or zero with zero_infinity.
Array ctc_posterior(const Array& log_probs, const CtcTargets& targets);

}  // namespace tapedeck::kernels
