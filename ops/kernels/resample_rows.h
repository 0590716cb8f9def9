#pragma once

#include <cstdint>

#include <tapedeck/ops/kernels/max_pool_rows.h>

namespace tapedeck::kernels {

/// How the outputs of a row are made from its inputs, a vector of outputs at a time. A vector is
/// the sum of its terms; a term has one input and one weight for each lane.
template <typename T>
struct RowSamples {
  std::int64_t outputs;
  const std::int32_t* terms;       ///< vector v has the terms [terms[v], terms[v + 1])
  const std::int32_t* bases;       ///< of each term: its first input
  const std::int32_t* spans;       ///< of each term: how many vectors from its base hold its inputs
  const index_of_width<T>* lanes;  ///< [terms][lanes]: inputs, counted from the base
  const T* weights;                ///< [terms][lanes]
  bool some_lanes_rest;  ///< a weight of 0 says that there is no input, rather than that it is 0
};

/// The loops of resampling.
template <typename T>
struct ResampleRows {
  /// Elements of a vector. A row that is sampled may be read two vectors beyond its end.
  std::int64_t (*lanes)();
  /// out[i] = sum over k < count of weights[k] rows[k][i], for i < n.
  void (*combine)(const T* const* rows, const T* weights, std::int64_t count, std::int64_t n,
                  T* out);
  /// The same, but writes whole vectors, up to one beyond the end: what is read at once in other
  /// parts than it was written in is read late.
  void (*combine_with_room)(const T* const* rows, const T* weights, std::int64_t count,
                            std::int64_t n, T* out);
  void (*sample)(const T* in, const RowSamples<T>& samples, T* out);
};

template <typename T>
const ResampleRows<T>& resample_rows();

}  // namespace tapedeck::kernels
