#include <algorithm>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/avg_pool_rows.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/plane_bundles.h>
#include <tapedeck/ops/kernels/pool.h>
#include <tapedeck/ops/kernels/reduce.h>
#include <tapedeck/ops/kernels/scratch.h>
#include <tapedeck/ops/kernels/tap_sums.h>

namespace tapedeck::kernels {

namespace {

// A linear map from planes [H, W] to planes [OH, OW]: each output is its window's mean.
struct Averages {
  std::vector<PoolWindow> rows, columns;
  std::int64_t H, W, divisor;  // divisor 0: the windows' own counts
  // Windows of `kernel` columns that are `stride` apart, the first `padding` before the row; 0
  // where they are not alike.
  std::int64_t kernel = 0, stride = 0, padding = 0;

  std::int64_t OH() const { return static_cast<std::int64_t>(rows.size()); }
  std::int64_t OW() const { return static_cast<std::int64_t>(columns.size()); }
  // One window of the whole plane.
  bool is_global() const {
    return OH() == 1 && OW() == 1 && rows[0].end - rows[0].begin == H &&
           columns[0].end - columns[0].begin == W;
  }
  bool is_mean_of_plane() const {
    return is_global() && (divisor != 0 ? divisor : rows[0].counted * columns[0].counted) == H * W;
  }
  // Alike, not too far apart, and enough of them for a vector.
  bool is_regular() const { return kernel > 0 && stride <= 2 && OW() >= 8; }
  template <typename T>
  T weight(const PoolWindow& row, const PoolWindow& column) const {
    const std::int64_t count = divisor != 0 ? divisor : row.counted * column.counted;
    return count == 0 ? T{0} : T{1} / static_cast<T>(count);
  }
};

// About this many elements in a piece of work, and whole bundles.
std::int64_t planes_per_piece(const Averages& a) {
  const std::int64_t planes = (1 << 15) / (a.H * a.W + a.OH() * a.OW());
  return std::max<std::int64_t>(1, planes / kBundle) * kBundle;
}

enum class Direction { Forward, Adjoint };

// Whether a bundle of planes takes less time than a plane at a time: it does where rows have little
// to add for the steps that each of them and each of their windows takes, however narrow. In ns of
// a plane, as measured with AVX2; sums of columns take much the same time either way.
bool go_in_bundles(const Averages& a, Direction direction, std::int64_t planes,
                   std::int64_t element_size) {
  constexpr std::int64_t kFewest = 8;
  constexpr double kRow = 8, kWindow = 2, kTap = 0.4, kMovedByte = 0.09;
  const std::int64_t moved = a.H * a.W + a.OH() * a.OW();
  if (planes < kFewest || a.is_regular() || !fits_bundle(moved, element_size)) return false;
  std::int64_t taps = 0;
  for (const PoolWindow& column : a.columns) taps += column.end - column.begin;
  double row = kRow + kWindow * static_cast<double>(a.OW()) + kTap * static_cast<double>(taps);
  if (direction == Direction::Adjoint) row *= 2;  // it reads, too, what it adds to
  return static_cast<double>(a.OH()) * row > kMovedByte * static_cast<double>(moved * element_size);
}

// What one thread needs for the rows of its planes: a row of sums with room at both sides, the
// weights of a row of outputs and, for the adjoint, their shares.
template <typename T>
struct RowBuffers {
  const Averages& a;
  std::int64_t reach;  // of all windows, from the padding on
  Array memory;
  T *sums, *weights, *shares, *phases[2];
  std::int64_t counted = -1;  // rows that the weights are for

  explicit RowBuffers(const Averages& averages)
      : a(averages),
        reach(std::max(a.padding + a.W, (a.OW() - 1) * a.stride + a.kernel) + kAvgPoolOverrun),
        memory(Array::empty({3 * reach + 2 * a.OW()}, dtype_of<T>)),
        sums(memory.data<T>()),
        weights(sums + reach),
        shares(weights + a.OW()),
        phases{shares + a.OW(), shares + a.OW() + reach} {
    std::fill_n(memory.data<T>(), memory.numel(), T{0});
  }

  T* row() const { return sums + a.padding; }
  void find_weights(const PoolWindow& row) {
    if (row.counted == counted) return;
    counted = row.counted;
    for (std::int64_t ow = 0; ow < a.OW(); ++ow)
      weights[ow] = a.weight<T>(row, a.columns[static_cast<std::size_t>(ow)]);
  }
};

// Sums of columns first, in neighbouring elements, then of short runs of these.
template <typename T>
void average_plane(const Averages& a, const T* in, T* out, RowBuffers<T>& buffers) {
  T* const sums = buffers.row();
  for (const PoolWindow& row : a.rows) {
    sum_columns(in + row.begin * a.W, a.W, row.end - row.begin, sums);
    buffers.find_weights(row);
    if (a.is_regular()) {
      window_means(buffers.sums, a.kernel, a.stride, buffers.weights, a.OW(), out);
    } else {
      for (std::int64_t ow = 0; ow < a.OW(); ++ow) {
        const PoolWindow& column = a.columns[static_cast<std::size_t>(ow)];
        T sum{0};
        for (std::int64_t w = column.begin; w < column.end; ++w) sum += sums[w];
        out[ow] = sum * buffers.weights[ow];
      }
    }
    out += a.OW();
  }
}

// Spreads the shares of a row of outputs over the columns of their windows.
template <typename T>
void spread_row(const Averages& a, RowBuffers<T>& buffers) {
  if (!a.is_regular()) {
    std::fill_n(buffers.row(), a.W, T{0});
    for (std::int64_t ow = 0; ow < a.OW(); ++ow) {
      const PoolWindow& column = a.columns[static_cast<std::size_t>(ow)];
      for (std::int64_t w = column.begin; w < column.end; ++w)
        buffers.row()[w] += buffers.shares[ow];
    }
  } else if (a.stride == 1) {
    std::fill_n(buffers.sums, buffers.reach, T{0});
    for (std::int64_t k = 0; k < a.kernel; ++k) add_row(buffers.shares, a.OW(), buffers.sums + k);
  } else {
    const std::int64_t half = buffers.reach / 2;
    for (T* phase : buffers.phases) std::fill_n(phase, half, T{0});
    for (std::int64_t k = 0; k < a.kernel; ++k)
      add_row(buffers.shares, a.OW(), buffers.phases[k % 2] + k / 2);
    join_pairs(buffers.phases[0], buffers.phases[1], half, buffers.sums);
  }
}

// The adjoint over planes of rows of `width` elements: spread(output row) makes the row that each
// input row of a window takes. Windows begin in order: rows from `written` on have nothing yet, and
// need no zeros before they are written.
template <typename T, typename Spread>
void spread_rows(const Averages& a, std::int64_t width, T* out, const T* spread_row,
                 Spread spread) {
  std::int64_t written = 0;
  const auto clear_up_to = [&](std::int64_t h) {
    if (h <= written) return;
    std::fill_n(out + written * width, (h - written) * width, T{0});
    written = h;
  };
  for (std::int64_t oh = 0; oh < a.OH(); ++oh) {
    const PoolWindow& row = a.rows[static_cast<std::size_t>(oh)];
    if (row.begin >= row.end) continue;
    spread(oh);
    clear_up_to(row.begin);
    const std::int64_t added = std::min(written, row.end) - row.begin;
    written = std::max(written, row.end);
    put_rows(spread_row, width, added, row.end - row.begin - added, out + row.begin * width);
  }
  clear_up_to(a.H);
}

template <typename T>
void spread_plane(const Averages& a, const T* grad, T* out, RowBuffers<T>& buffers) {
  spread_rows(a, a.W, out, static_cast<const T*>(buffers.row()), [&](std::int64_t oh) {
    buffers.find_weights(a.rows[static_cast<std::size_t>(oh)]);
    multiply_row(grad + oh * a.OW(), buffers.weights, a.OW(), buffers.shares);
    spread_row(a, buffers);
  });
}

// A row of windows of an image [H][W][C].
template <typename T>
void average_row_of_pixels(const Averages& a, const T* image, std::int64_t C, const PoolWindow& row,
                           T* out) {
  for (const PoolWindow& column : a.columns) {
    sum_channels(image, a.W, C, row, column, a.weight<T>(row, column), out);
    out += C;
  }
}

// The adjoint over an image: a row of pixels is as one of W C elements, for which `buffer` has
// room.
template <typename T>
void spread_image(const Averages& a, const T* grad, std::int64_t C, T* out, RowBuffers<T>& buffers,
                  T* buffer) {
  spread_rows(a, a.W * C, out, static_cast<const T*>(buffer), [&](std::int64_t oh) {
    buffers.find_weights(a.rows[static_cast<std::size_t>(oh)]);
    spread_channels(grad + oh * a.OW() * C, C, a.columns.data(), buffers.weights, a.OW(), a.W,
                    buffer);
  });
}

// Vectors over the channels, which lie next to each other.
Array average_channels(const Array& x, const Averages& a, const char* op) {
  const Array out = empty_with_inner_channels({x.size(0), x.size(1), a.OH(), a.OW()}, x.dtype());
  const std::int64_t C = x.size(1), row = a.OW() * C;
  dispatch_floating(x.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const in = x.data<T>();
    T* const to = out.data<T>();
    const std::int64_t grain = std::max<std::int64_t>(1, (1 << 15) * a.OH() / (a.H * a.W * C));
    parallel_for(x.size(0) * a.OH(), grain, [=, &a](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        const T* const image = in + r / a.OH() * a.H * a.W * C;
        average_row_of_pixels(a, image, C, a.rows[static_cast<std::size_t>(r % a.OH())],
                              to + r * row);
      }
    });
  });
  return out;
}

Array spread_over_channels(const Array& grad, IntArrayRef input_sizes, const Averages& a,
                           const char* op) {
  Array out = empty_with_inner_channels(input_sizes, grad.dtype());
  const std::int64_t C = input_sizes[1], width = a.W * C, row = a.OW() * C;
  dispatch_floating(grad.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    parallel_for(grad.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
      const Scratch<T> buffer(width);
      RowBuffers<T> buffers(a);
      for (std::int64_t n = begin; n < end; ++n)
        spread_image(a, grad.data<T>() + n * a.OH() * row, C, out.data<T>() + n * a.H * width,
                     buffers, buffer.data());
    });
  });
  return out;
}

// The planes [begin, end) in bundles.
template <typename T>
void average_bundles(const Averages& a, std::int64_t begin, std::int64_t end, const T* in, T* out) {
  const std::int64_t size = a.H * a.W, outputs = a.OH() * a.OW();
  const Scratch<T> image(size * kBundle), means(outputs * kBundle);
  for (std::int64_t p = begin; p < end; p += kBundle) {
    const std::int64_t count = std::min(kBundle, end - p);
    PlanesToBundle<T> planes(in + p * size, count, size, image.data());
    T* to = means.data();
    for (const PoolWindow& row : a.rows) {
      planes.bundle_up_to(row.end * a.W);
      average_row_of_pixels(a, image.data(), count, row, to);
      to += a.OW() * count;
    }
    unbundle_planes(means.data(), count, outputs, out + p * outputs);
  }
}
template <typename T>
void spread_bundles(const Averages& a, std::int64_t begin, std::int64_t end, const T* grad,
                    T* out) {
  const std::int64_t size = a.H * a.W, outputs = a.OH() * a.OW();
  const Scratch<T> shares(outputs * kBundle), image(size * kBundle), row(a.W * kBundle);
  RowBuffers<T> buffers(a);
  for (std::int64_t p = begin; p < end; p += kBundle) {
    const std::int64_t count = std::min(kBundle, end - p);
    PlanesToBundle<T>(grad + p * outputs, count, outputs, shares.data()).bundle_up_to(outputs);
    spread_image(a, shares.data(), count, image.data(), buffers, row.data());
    unbundle_planes(image.data(), count, size, out + p * size);
  }
}

Array average(const Array& input, const Averages& a, const char* op) {
  if (has_inner_channels(input)) return average_channels(input, a, op);
  constexpr std::int64_t kWorthNoCopy = 4096;
  if (a.is_mean_of_plane() && !input.is_contiguous() && input.numel() >= kWorthNoCopy &&
      is_floating_point(input.dtype())) {
    constexpr std::int64_t kPlane[] = {2, 3};
    return reduce(ReduceOp::Mean, input, kPlane, true);
  }
  const Array x = contiguous(input);
  Array out = Array::empty({x.size(0), x.size(1), a.OH(), a.OW()}, x.dtype());
  const std::int64_t planes = x.size(0) * x.size(1);
  const bool in_bundles = go_in_bundles(a, Direction::Forward, planes, element_size(x.dtype()));
  dispatch_floating(x.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    parallel_for(planes, planes_per_piece(a), [&](std::int64_t begin, std::int64_t end) {
      if (a.is_global()) {
        sum_rows(x.data<T>() + begin * a.H * a.W, a.H * a.W, end - begin,
                 a.weight<T>(a.rows[0], a.columns[0]), out.data<T>() + begin);
        return;
      }
      if (in_bundles) return average_bundles(a, begin, end, x.data<T>(), out.data<T>());
      RowBuffers<T> buffers(a);
      for (std::int64_t p = begin; p < end; ++p)
        average_plane(a, x.data<T>() + p * a.H * a.W, out.data<T>() + p * a.OH() * a.OW(), buffers);
    });
  });
  return out;
}

Array spread(const Array& grad_output, IntArrayRef input_sizes, const Averages& a, const char* op) {
  const DimVector expected{input_sizes[0], input_sizes[1], a.OH(), a.OW()};
  TAPEDECK_CHECK(grad_output.sizes() == expected, op, ": expected a grad_output of shape ",
                 expected.ref(), ", got ", grad_output.sizes().ref(), " (input ", input_sizes, ")");
  if (has_inner_channels(grad_output)) return spread_over_channels(grad_output, input_sizes, a, op);
  const Array grad = contiguous(grad_output);
  Array out = Array::empty(input_sizes, grad.dtype());
  const std::int64_t planes = grad.size(0) * grad.size(1);
  const bool in_bundles = go_in_bundles(a, Direction::Adjoint, planes, element_size(grad.dtype()));
  dispatch_floating(grad.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    parallel_for(planes, planes_per_piece(a), [&](std::int64_t begin, std::int64_t end) {
      if (a.is_global()) {
        fill_rows(grad.data<T>() + begin, a.H * a.W, end - begin,
                  a.weight<T>(a.rows[0], a.columns[0]), out.data<T>() + begin * a.H * a.W);
        return;
      }
      if (in_bundles) return spread_bundles(a, begin, end, grad.data<T>(), out.data<T>());
      RowBuffers<T> buffers(a);
      for (std::int64_t p = begin; p < end; ++p)
        spread_plane(a, grad.data<T>() + p * a.OH() * a.OW(), out.data<T>() + p * a.H * a.W,
                     buffers);
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
          pool_windows(g, 1, input[3], out[3], divisor.count_include_pad),
          input[2],
          input[3],
          divisor.divisor,
          g.kernel[1],
          g.stride[1],
          g.padding[1]};
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
