#include <algorithm>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/pool.h>

namespace tapedeck::kernels {

namespace {

// A linear map from planes [H, W] to planes [OH, OW]: each output is its window's mean.
struct Averages {
  std::vector<PoolWindow> rows, columns;
  std::int64_t H, W, divisor;  // divisor 0: the windows' own counts

  std::int64_t OH() const { return static_cast<std::int64_t>(rows.size()); }
  std::int64_t OW() const { return static_cast<std::int64_t>(columns.size()); }
  template <typename T>
  T weight(const PoolWindow& row, const PoolWindow& column) const {
    const std::int64_t count = divisor != 0 ? divisor : row.counted * column.counted;
    return count == 0 ? T{0} : T{1} / static_cast<T>(count);
  }
};

// About this many elements in a piece of work.
std::int64_t planes_per_piece(const Averages& a) {
  return std::max<std::int64_t>(1, (1 << 15) / (a.H * a.W + a.OH() * a.OW()));
}

// Sums of columns first, in neighbouring elements, then of short runs of these.
template <typename T>
void average_plane(const Averages& a, const T* in, T* out, T* sums) {
  for (std::int64_t oh = 0; oh < a.OH(); ++oh) {
    const PoolWindow& row = a.rows[static_cast<std::size_t>(oh)];
    std::fill_n(sums, a.W, T{0});
    for (std::int64_t h = row.begin; h < row.end; ++h)
      for (std::int64_t w = 0; w < a.W; ++w) sums[w] += in[h * a.W + w];
    for (std::int64_t ow = 0; ow < a.OW(); ++ow) {
      const PoolWindow& column = a.columns[static_cast<std::size_t>(ow)];
      T sum{0};
      for (std::int64_t w = column.begin; w < column.end; ++w) sum += sums[w];
      out[oh * a.OW() + ow] = sum * a.weight<T>(row, column);
    }
  }
}

template <typename T>
void spread_plane(const Averages& a, const T* grad, T* out, T* sums) {
  std::fill_n(out, a.H * a.W, T{0});
  for (std::int64_t oh = 0; oh < a.OH(); ++oh) {
    const PoolWindow& row = a.rows[static_cast<std::size_t>(oh)];
    std::fill_n(sums, a.W, T{0});
    for (std::int64_t ow = 0; ow < a.OW(); ++ow) {
      const PoolWindow& column = a.columns[static_cast<std::size_t>(ow)];
      const T share = grad[oh * a.OW() + ow] * a.weight<T>(row, column);
      for (std::int64_t w = column.begin; w < column.end; ++w) sums[w] += share;
    }
    for (std::int64_t h = row.begin; h < row.end; ++h)
      for (std::int64_t w = 0; w < a.W; ++w) out[h * a.W + w] += sums[w];
  }
}

Array average(const Array& input, const Averages& a, const char* op) {
  const Array x = contiguous(input);
  Array out = Array::empty({x.size(0), x.size(1), a.OH(), a.OW()}, x.dtype());
  dispatch_floating(x.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    parallel_for(x.size(0) * x.size(1), planes_per_piece(a),
                 [&](std::int64_t begin, std::int64_t end) {
                   Array sums = Array::empty({a.W}, dtype_of<T>);
                   for (std::int64_t p = begin; p < end; ++p)
                     average_plane(a, x.data<T>() + p * a.H * a.W,
                                   out.data<T>() + p * a.OH() * a.OW(), sums.data<T>());
                 });
  });
  return out;
}

Array spread(const Array& grad_output, IntArrayRef input_sizes, const Averages& a, const char* op) {
  const DimVector expected{input_sizes[0], input_sizes[1], a.OH(), a.OW()};
  TAPEDECK_CHECK(grad_output.sizes() == expected, op, ": expected a grad_output of shape ",
                 expected.ref(), ", got ", grad_output.sizes().ref(), " (input ", input_sizes, ")");
  const Array grad = contiguous(grad_output);
  Array out = Array::empty(input_sizes, grad.dtype());
  dispatch_floating(grad.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    parallel_for(grad.size(0) * grad.size(1), planes_per_piece(a),
                 [&](std::int64_t begin, std::int64_t end) {
                   Array sums = Array::empty({a.W}, dtype_of<T>);
                   for (std::int64_t p = begin; p < end; ++p)
                     spread_plane(a, grad.data<T>() + p * a.OH() * a.OW(),
                                  out.data<T>() + p * a.H * a.W, sums.data<T>());
                 });
  });
  return out;
}

Averages averages_of(const char* op, IntArrayRef input, const Pool2dGeometry& g,
                     AvgPoolDivisor divisor) {
  TAPEDECK_CHECK(input.size() == 4, op, ": expected a 4-D input, got ", input);
  TAPEDECK_CHECK(g.dilation[0] == 1 && g.dilation[1] == 1, op, ": expected no dilation");
  TAPEDECK_CHECK(divisor.divisor >= 0, op, ": divisor_override must be positive, got ",
                 divisor.divisor);
  const DimVector out = pool_output_sizes(op, 2, input, g);
  return {pool_windows(g, 0, input[2], out[2], divisor.count_include_pad),
          pool_windows(g, 1, input[3], out[3], divisor.count_include_pad), input[2], input[3],
          divisor.divisor};
}

Averages adaptive_averages(const char* op, IntArrayRef input, IntArrayRef output_size) {
  TAPEDECK_CHECK(input.size() == 4 && input[1] > 0 && input[2] > 0 && input[3] > 0, op,
                 ": expected a 4-D input of at least one channel and one pixel, got ", input);
  TAPEDECK_CHECK(output_size.size() == 2 && output_size[0] > 0 && output_size[1] > 0, op,
                 ": expected an output_size of two positive numbers, got ", output_size);
  return {adaptive_windows(input[2], output_size[0]), adaptive_windows(input[3], output_size[1]),
          input[2], input[3], 0};
}

}  // namespace

Array avg_pool2d(const Array& input, const Pool2dGeometry& geometry, AvgPoolDivisor divisor) {
  return average(input, averages_of("avg_pool2d", input.sizes(), geometry, divisor), "avg_pool2d");
}

Array avg_pool2d_backward(const Array& grad_output, IntArrayRef input_sizes,
                          const Pool2dGeometry& geometry, AvgPoolDivisor divisor) {
  constexpr const char* op = "avg_pool2d_backward";
  return spread(grad_output, input_sizes, averages_of(op, input_sizes, geometry, divisor), op);
}

Array adaptive_avg_pool2d(const Array& input, IntArrayRef output_size) {
  constexpr const char* op = "adaptive_avg_pool2d";
  return average(input, adaptive_averages(op, input.sizes(), output_size), op);
}

Array adaptive_avg_pool2d_backward(const Array& grad_output, IntArrayRef input_sizes) {
  constexpr const char* op = "adaptive_avg_pool2d_backward";
  TAPEDECK_CHECK(grad_output.dim() == 4, op, ": expected a 4-D grad_output, got ",
                 grad_output.sizes().ref());
  const DimVector output{grad_output.size(2), grad_output.size(3)};
  return spread(grad_output, input_sizes, adaptive_averages(op, input_sizes, output), op);
}

}  // namespace tapedeck::kernels
