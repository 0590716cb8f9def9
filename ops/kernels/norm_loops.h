#pragma once

#include <cstdint>

namespace tapedeck::kernels {

/// The inner loops of the normalisations, over n gapless elements. Sums are taken in float64.
template <typename T>
struct NormLoops {
  /// sum x
  double (*sum)(const T* x, std::int64_t n);
  /// sum (x - mean)^2
  double (*squares)(const T* x, double mean, std::int64_t n);
  /// out[0] += sum g w, out[1] += sum g w (x - mean); w may be null.
  void (*dots)(const T* g, const T* w, const T* x, double mean, double* out, std::int64_t n);
  /// y = (x - mean) a w + b + shift; w and shift may be null.
  void (*affine)(const T* x, double mean, double a, const T* w, double b, const T* shift, T* y,
                 std::int64_t n);
  /// out = a g w + b (x - mean) + c; w may be null.
  void (*combine)(const T* g, const T* w, const T* x, double mean, double a, double b, double c,
                  T* out, std::int64_t n);
  /// to = 1 / sqrt(variance + eps)
  void (*reciprocal_roots)(const double* variance, double eps, double* to, std::int64_t n);

  // Over columns: every element has its own sums and coefficients. Rows lie `stride` elements
  // apart; each sum takes them in order.

  /// sums += x of each row
  void (*add)(const T* x, std::int64_t stride, std::int64_t rows, double* sums, std::int64_t n);
  /// sums += (x - mean)^2 of each row
  void (*add_squares)(const T* x, std::int64_t stride, std::int64_t rows, const double* mean,
                      double* sums, std::int64_t n);
  /// g_sums += g, gx_sums += g (x - mean) of each row
  void (*add_dots)(const T* g, const T* x, std::int64_t stride, std::int64_t rows,
                   const double* mean, double* g_sums, double* gx_sums, std::int64_t n);
  /// g_sums += g, gx_sums += g (x - mean) scale of each row, whose mean and scale are `step` after
  /// those of the row before. A few rows at a time are added up in T.
  void (*add_scaled_dots)(const T* g, const T* x, std::int64_t stride, std::int64_t rows,
                          const double* mean, const double* scale, std::int64_t step,
                          double* g_sums, double* gx_sums, std::int64_t n);
  /// y = (x - mean) a + b
  void (*affine_columns)(const T* x, const T* mean, const T* a, const T* b, T* y, std::int64_t n);
  /// out = a g + b (x - mean) + c
  void (*combine_columns)(const T* g, const T* x, const T* mean, const T* a, const T* b, const T* c,
                          T* out, std::int64_t n);
};

template <typename T>
const NormLoops<T>& norm_loops();

}  // namespace tapedeck::kernels
