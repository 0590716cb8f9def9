#pragma once

#include <cstdint>

#include <tapedeck/ops/kernels/gemm_narrow.h>
#include <tapedeck/ops/kernels/matrix.h>

// Products that are too small, or of a type, for register tiles. T is any numeric type.

namespace tapedeck::kernels {

/// c = alpha a b + beta c on the calling thread; c is only read where beta != 0.
template <typename T>
void gemm_loops(T alpha, Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c);

/// c = a b for each of a batch of tiny matrices; those of c are row-major, one behind the other.
template <typename T>
void tiny_products(Matrix<const T> a, Matrix<const T> b, T* c, const ProductBatch& batch);

/// dots[i] = sum over k of x[i][k] y[i][k]
template <typename T>
void dots_of_rows(Matrix<const T> x, Matrix<const T> y, T* dots);

/// sum over i < n of x[i * x_stride] y[i * y_stride], in chunks of a fixed length.
template <typename T>
T dot_product(const T* x, std::int64_t x_stride, const T* y, std::int64_t y_stride, std::int64_t n);

}  // namespace tapedeck::kernels
