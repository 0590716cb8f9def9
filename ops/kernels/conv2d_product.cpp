#include <tapedeck/ops/kernels/conv2d_product.h>

#include <algorithm>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/gemm.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kManyGroups =
    4;  // are shared by the threads, fewer are each a product of all
constexpr std::int64_t kCopiedInPiece = 1 << 15;  // elements

// A group's columns of the images, or of their gradient.
template <typename T>
Matrix<T> images_of(const Conv2dShape& s, std::int64_t group, T* x) {
  const std::int64_t depth = s.group_channels() * s.taps();
  return row_major(x + group * depth, s.N, depth, s.groups * depth);
}

template <typename T>
Matrix<T> filters_of(const Conv2dShape& s, std::int64_t group, T* w) {
  const std::int64_t depth = s.group_channels() * s.taps();
  return row_major(w + group * s.group_filters() * depth, s.group_filters(), depth);
}

template <typename T>
Matrix<T> outputs_of(const Conv2dShape& s, std::int64_t group, T* y) {
  return row_major(y + group * s.group_filters(), s.N, s.group_filters(), s.K);
}

// Calls f(group) for each group.
template <typename F>
void for_groups(const Conv2dShape& s, F&& f) {
  parallel_for(s.groups, s.groups < kManyGroups ? s.groups : 1,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t group = begin; group < end; ++group) f(group);
               });
}

// to[n, c, i] = bias[c]
template <typename T>
void fill_channels(const T* bias, std::int64_t images, std::int64_t channels, std::int64_t plane,
                   T* to) {
  const std::int64_t grain =
      std::max<std::int64_t>(1, kCopiedInPiece / std::max<std::int64_t>(1, channels * plane));
  parallel_for(images, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n)
      for (std::int64_t c = 0; c < channels; ++c)
        std::fill_n(to + (n * channels + c) * plane, plane, bias[c]);
  });
}

}  // namespace

template <typename T>
void conv2d_product(const Conv2dShape& s, const T* x, const T* w, const T* bias, T* y) {
  if (bias) fill_channels(bias, s.N, s.K, 1, y);
  for_groups(s, [&](std::int64_t group) {
    gemm_parallel<T>(1, images_of(s, group, x), filters_of(s, group, w).transposed(), bias ? 1 : 0,
                     outputs_of(s, group, y));
  });
}

template <typename T>
void conv2d_grad_input_product(const Conv2dShape& s, const T* dy, const T* w, const T* bias,
                               T* dx) {
  if (bias) fill_channels(bias, s.N, s.C, s.taps(), dx);
  for_groups(s, [&](std::int64_t group) {
    gemm_parallel<T>(1, outputs_of(s, group, dy), filters_of(s, group, w), bias ? 1 : 0,
                     images_of(s, group, dx));
  });
}

template <typename T>
void conv2d_grad_weight_product(const Conv2dShape& s, const T* x, const T* dy, T* dw) {
  for_groups(s, [&](std::int64_t group) {
    gemm_parallel<T>(1, outputs_of(s, group, dy).transposed(), images_of(s, group, x), 0,
                     filters_of(s, group, dw));
  });
}

#define TAPEDECK_INSTANTIATE(T)                                                                  \
  template void conv2d_product(const Conv2dShape&, const T*, const T*, const T*, T*);            \
  template void conv2d_grad_input_product(const Conv2dShape&, const T*, const T*, const T*, T*); \
  template void conv2d_grad_weight_product(const Conv2dShape&, const T*, const T*, T*);
TAPEDECK_INSTANTIATE(float)
TAPEDECK_INSTANTIATE(double)
#undef TAPEDECK_INSTANTIATE

}  // namespace tapedeck::kernels
