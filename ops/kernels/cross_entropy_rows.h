#pragma once

#include <cstdint>

namespace tapedeck::kernels {

/// The loops of softmax cross-entropy over one image's scores [C, S].
template <typename T>
struct CrossEntropyRows {
  /// Of each of `images` images: lse[0, s] = the largest x[c, s], lse[1, s] = log(sum over c of
  /// exp(x[c, s] - lse[0, s]))
  void (*log_sum_exp)(const T* x, std::int64_t images, std::int64_t C, std::int64_t S, T* lse);
  /// sums[s] = sum over c of weight[c] x[c, s]; weight may be null.
  void (*weighted_sums)(const T* x, const T* weight, std::int64_t C, std::int64_t S, double* sums);
  /// out[c, s] = a[s] exp(x[c, s] - lse[0, s] - lse[1, s]), minus b[s] weight[c] where `minus`;
  /// weight may be null.
  void (*softmax_minus)(const T* x, const T* lse, const T* a, const T* b, const T* weight,
                        bool minus, std::int64_t C, std::int64_t S, T* out);
};

template <typename T>
const CrossEntropyRows<T>& cross_entropy_rows();

}  // namespace tapedeck::kernels
