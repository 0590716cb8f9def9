#pragma once

#include <cstdint>

#include <tapedeck/ops/kernels/reduce.h>

namespace tapedeck::kernels {

/// What a reduction's results may depend on besides the elements.
struct ReduceParams {
  double count = 0;  // elements for each result
  double correction = 0;
};

/// Reduces `count` gapless rows of n elements, `stride` bytes apart, to n gapless results without
/// accumulators.
using FewRowsLoop = void (*)(void* out, const void* in, std::int64_t stride, std::int64_t count,
                             std::int64_t n);

/// The inner loops of a reduction. An accumulator has `acc_size` bytes; strides are in bytes.
struct Reducer {
  std::int64_t acc_size;
  void (*init)(void* acc, std::int64_t count);
  /// Folds `count` gapless runs of n elements, `stride` apart, each into its own accumulator.
  void (*runs)(void* acc, const void* in, std::int64_t stride, std::int64_t count, std::int64_t n);
  /// Folds `count` gapless rows of n elements, `stride` apart, into n accumulators.
  void (*rows)(void* acc, const void* in, std::int64_t stride, std::int64_t count, std::int64_t n);
  void (*merge)(void* acc, const void* other, std::int64_t count);
  void (*finish)(const void* acc, void* out, std::int64_t stride, std::int64_t count,
                 const ReduceParams& params);
  bool acc_is_result;              ///< finish() only copies
  FewRowsLoop few_rows = nullptr;  ///< null where there is none
  std::int64_t few = 0;            ///< the most rows it is for
};

/// Loops over vectors that replace the plain ones; null where there are none.
struct SimdReducer {
  void (*runs)(void* acc, const void* in, std::int64_t stride, std::int64_t count,
               std::int64_t n) = nullptr;
  void (*rows)(void* acc, const void* in, std::int64_t stride, std::int64_t count,
               std::int64_t n) = nullptr;
  FewRowsLoop few_rows = nullptr;  ///< null where there is none
  std::int64_t few = 0;            ///< the most rows it is for
};
/// For Sum, Mean, Norm1 and Norm2 on float32 and float64, with accumulators of float64, and for Sum
/// on int64, uint8 and bool.
SimdReducer find_simd_sums(ReduceOp op, ScalarType dtype);
/// For float32 and float64, with accumulators of float64.
SimdReducer find_simd_products(ScalarType dtype);
/// For Max and Min on float32, float64, int32 and int64, with accumulators of the dtype.
SimdReducer find_simd_best(ReduceOp op, ScalarType dtype);

/// Count, mean and sum of squared deviations of the elements so far.
struct Moments {
  double count = 0, mean = 0, m2 = 0;
  void merge(const Moments& other) {
    if (other.count == 0) return;
    const double total = count + other.count, delta = other.mean - mean;
    m2 += other.m2 + delta * delta * (count * other.count / total);
    mean += delta * (other.count / total);
    count = total;
  }
};
/// For accumulators of Moments.
SimdReducer find_simd_moments(ScalarType dtype);

/// The best elements of `count` gapless rows of n > 0, one after the other, and the first places
/// where they are; a NaN is the best.
using BestRowsLoop = void (*)(const void* in, void* best, std::int64_t* index, std::int64_t count,
                              std::int64_t n);
/// For the largest or the smallest; null but for float32, float64 and int64.
BestRowsLoop find_best_rows(bool largest, ScalarType dtype);

/// The same of `columns` columns of fewer than 2^31 rows, `stride` elements apart.
using BestColumnsLoop = void (*)(const void* in, std::int64_t stride, std::int64_t rows,
                                 std::int64_t columns, void* best, std::int64_t* index);
BestColumnsLoop find_best_columns(bool largest, ScalarType dtype);

/// Runs a reducer over the axes of `x` whose size is 1 in `out`, a row-major array of as many axes.
/// Neither has zero elements.
void run_reducer(const Reducer& reducer, const Array& x, const Array& out,
                 const ReduceParams& params);

}  // namespace tapedeck::kernels
