#include <tapedeck/ops/kernels/conv2d_im2col.h>

#include <algorithm>

#include <tapedeck/array/array.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/gemm.h>
#include <tapedeck/ops/kernels/im2col.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kColumnBytes = 1 << 19;   // a block of columns stays in the L2 cache
constexpr std::int64_t kPieces = 16;             // enough for the threads of a large machine
constexpr std::int64_t kPartialBytes = 1 << 24;  // for partial weight gradients

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Rows of output whose columns fit the cache. Pointwise convolutions have no columns, and their
// blocks only spread the work.
template <typename T>
std::int64_t rows_per_block(const Conv2dShape& s) {
  const std::int64_t column_elements = s.group_channels() * s.taps() * s.OW;
  const std::int64_t fitting = kColumnBytes / static_cast<std::int64_t>(sizeof(T));
  return std::clamp<std::int64_t>(fitting / std::max<std::int64_t>(1, column_elements), 1, s.OH);
}

template <typename T>
Array scratch(std::int64_t elements) {
  return Array::empty({elements}, dtype_of<T>);
}

// The columns of one group's channels for some output rows: in `buffer`, or the input itself where
// the convolution is pointwise.
template <typename T>
Matrix<const T> columns_of(const Conv2dShape& s, const T* image, RowRange rows, T* buffer) {
  const std::int64_t pixels = (rows.end - rows.begin) * s.OW;
  if (s.is_pointwise())
    return row_major(image + rows.begin * s.OW, s.group_channels(), pixels, s.pixels());
  im2col(image, s.group_channels(), s, rows, buffer);
  return row_major<const T>(buffer, s.group_channels() * s.taps(), pixels);
}

template <typename T>
std::int64_t column_elements(const Conv2dShape& s, std::int64_t channels, std::int64_t rows) {
  return s.is_pointwise() ? 0 : channels * s.taps() * rows * s.OW;
}

}  // namespace

template <typename T>
void conv2d_im2col(const Conv2dShape& s, const T* x, const T* w, const T* bias, T* y) {
  const std::int64_t block_rows = rows_per_block<T>(s), blocks = ceil_div(s.OH, block_rows);
  const std::int64_t depth = s.group_channels() * s.taps();
  parallel_for(s.N * s.groups * blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    Array buffer = scratch<T>(column_elements<T>(s, s.group_channels(), block_rows));
    for (std::int64_t item = begin; item < end; ++item) {
      const std::int64_t block = item % blocks, plane = item / blocks;  // plane: image and group
      const std::int64_t group = plane % s.groups;
      const RowRange rows{block * block_rows, std::min(s.OH, (block + 1) * block_rows)};
      const Matrix<const T> columns =
          columns_of(s, x + plane * s.group_channels() * s.H * s.W, rows, buffer.data<T>());
      const Matrix<const T> filters =
          row_major(w + group * s.group_filters() * depth, s.group_filters(), depth);
      const Matrix<T> out =
          row_major(y + plane * s.group_filters() * s.pixels() + rows.begin * s.OW,
                    s.group_filters(), columns.columns, s.pixels());
      if (bias)
        for (std::int64_t k = 0; k < out.rows; ++k)
          std::fill_n(out.data + k * out.row_stride, out.columns,
                      bias[group * s.group_filters() + k]);
      // [K, C*KH*KW] x [C*KH*KW, rows*OW]
      gemm_serial<T>(1, filters, columns, bias ? 1 : 0, out);
    }
  });
}

// Blocks of output rows overlap in the input, so a piece of work is some channels of one image.
template <typename T>
void conv2d_grad_input_im2col(const Conv2dShape& s, const T* dy, const T* w, const T* bias, T* dx) {
  const std::int64_t planes = s.N * s.groups;
  const std::int64_t splits = std::clamp<std::int64_t>(kPieces / std::max<std::int64_t>(1, planes),
                                                       1, ceil_div(s.group_channels(), 8));
  const std::int64_t block_channels = ceil_div(s.group_channels(), splits);
  const std::int64_t blocks = ceil_div(s.group_channels(), block_channels);
  const std::int64_t block_rows = rows_per_block<T>(s), depth = s.group_channels() * s.taps();
  parallel_for(planes * blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    Array buffer = scratch<T>(column_elements<T>(s, block_channels, block_rows));
    for (std::int64_t item = begin; item < end; ++item) {
      const std::int64_t plane = item / blocks, group = plane % s.groups;
      const std::int64_t first = item % blocks * block_channels;
      const std::int64_t channels = std::min(block_channels, s.group_channels() - first);
      T* image = dx + (plane * s.group_channels() + first) * s.H * s.W;
      for (std::int64_t c = 0; c < channels; ++c)
        std::fill_n(image + c * s.H * s.W, s.H * s.W,
                    bias ? bias[group * s.group_channels() + first + c] : T{0});
      const Matrix<const T> filters =
          row_major(w + group * s.group_filters() * depth, s.group_filters(), depth)
              .block(0, first * s.taps(), s.group_filters(), channels * s.taps());
      for (std::int64_t row = 0; row < s.OH; row += block_rows) {
        const RowRange rows{row, std::min(s.OH, row + block_rows)};
        const std::int64_t pixels = (rows.end - rows.begin) * s.OW;
        const Matrix<const T> grad =
            row_major(dy + plane * s.group_filters() * s.pixels() + rows.begin * s.OW,
                      s.group_filters(), pixels, s.pixels());
        // [C*KH*KW, K] x [K, rows*OW]
        if (s.is_pointwise()) {
          gemm_serial<T>(1, filters.transposed(), grad, 1,
                         row_major(image + rows.begin * s.OW, channels, pixels, s.pixels()));
        } else {
          gemm_serial<T>(1, filters.transposed(), grad, 0,
                         row_major(buffer.data<T>(), channels * s.taps(), pixels));
          col2im_add(buffer.data<T>(), channels, s, rows, image);
        }
      }
    }
  });
}

// Images are summed in runs whose number depends on the sizes alone, the runs in order.
template <typename T>
void conv2d_grad_weight_im2col(const Conv2dShape& s, const T* x, const T* dy, T* dw) {
  const std::int64_t depth = s.group_channels() * s.taps(), weights = s.K * depth;
  const std::int64_t weight_bytes = weights * static_cast<std::int64_t>(sizeof(T));
  const std::int64_t wanted = std::min(ceil_div(kPieces, s.groups),
                                       std::max<std::int64_t>(2, kPartialBytes / weight_bytes));
  const std::int64_t run = std::max<std::int64_t>(1, ceil_div(s.N, wanted));
  const std::int64_t runs = std::max<std::int64_t>(1, ceil_div(s.N, run));
  const std::int64_t block_rows = rows_per_block<T>(s);
  Array partial = scratch<T>((runs - 1) * weights);
  const auto sum_of = [&](std::int64_t r) {
    return r == 0 ? dw : partial.data<T>() + (r - 1) * weights;
  };
  parallel_for(runs * s.groups, 1, [&](std::int64_t begin, std::int64_t end) {
    Array buffer = scratch<T>(column_elements<T>(s, s.group_channels(), block_rows));
    for (std::int64_t item = begin; item < end; ++item) {
      const std::int64_t r = item / s.groups, group = item % s.groups;
      const Matrix<T> sum =
          row_major(sum_of(r) + group * s.group_filters() * depth, s.group_filters(), depth);
      std::fill_n(sum.data, sum.rows * sum.columns, T{0});
      for (std::int64_t n = r * run; n < std::min(s.N, (r + 1) * run); ++n)
        for (std::int64_t row = 0; row < s.OH; row += block_rows) {
          const RowRange rows{row, std::min(s.OH, row + block_rows)};
          const std::int64_t plane = n * s.groups + group;
          const Matrix<const T> columns =
              columns_of(s, x + plane * s.group_channels() * s.H * s.W, rows, buffer.data<T>());
          const Matrix<const T> grad =
              row_major(dy + plane * s.group_filters() * s.pixels() + rows.begin * s.OW,
                        s.group_filters(), columns.columns, s.pixels());
          // [K, rows*OW] x [rows*OW, C*KH*KW]
          gemm_serial<T>(1, grad, columns.transposed(), 1, sum);
        }
    }
  });
  parallel_for(runs > 1 ? weights : 0, 1 << 14, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = 1; r < runs; ++r) {
      const T* from = sum_of(r);
      for (std::int64_t i = begin; i < end; ++i) dw[i] += from[i];
    }
  });
}

#define TAPEDECK_INSTANTIATE(T)                                                                 \
  template void conv2d_im2col(const Conv2dShape&, const T*, const T*, const T*, T*);            \
  template void conv2d_grad_input_im2col(const Conv2dShape&, const T*, const T*, const T*, T*); \
  template void conv2d_grad_weight_im2col(const Conv2dShape&, const T*, const T*, T*);
TAPEDECK_INSTANTIATE(float)
TAPEDECK_INSTANTIATE(double)
#undef TAPEDECK_INSTANTIATE

}  // namespace tapedeck::kernels
