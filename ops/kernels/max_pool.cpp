#include <algorithm>
#include <limits>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/max_pool_rows.h>
#include <tapedeck/ops/kernels/pool.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kGrain = 1 << 15;  // elements in a piece of work

// What all planes of a max-pooling share.
struct Windows {
  std::vector<PoolWindow> rows, columns;
  std::int64_t H, W;
  // Columns [inner_begin, inner_end) of the output have whole windows, stride_w apart.
  std::int64_t inner_begin = 0, inner_end = 0, stride_w = 0, taps_w = 0;

  std::int64_t OH() const { return static_cast<std::int64_t>(rows.size()); }
  std::int64_t OW() const { return static_cast<std::int64_t>(columns.size()); }
  const PoolWindow& row(std::int64_t oh) const { return rows[static_cast<std::size_t>(oh)]; }
  const PoolWindow& column(std::int64_t ow) const { return columns[static_cast<std::size_t>(ow)]; }
};

std::int64_t planes_per_piece(std::int64_t elements) {
  return std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, elements));
}

template <typename T>
void max_of_window(const T* plane, std::int64_t width, const PoolWindow& row,
                   const PoolWindow& column, T* value, std::int64_t* index) {
  T best = -std::numeric_limits<T>::infinity();
  std::int64_t where = row.begin * width + column.begin;
  for (std::int64_t h = row.begin; h < row.end; h += row.step)
    for (std::int64_t w = column.begin; w < column.end; w += column.step) {
      const T candidate = plane[h * width + w];
      if (candidate > best || candidate != candidate) {
        best = candidate;
        where = h * width + w;
      }
    }
  *value = best;
  if (index) *index = where;
}

template <typename T>
MaxPoolRow<T> inner_row(const Windows& s, const T* plane, std::int64_t oh, T* values,
                        std::int64_t* indices) {
  const PoolWindow &row = s.row(oh), &column = s.column(s.inner_begin);
  return {plane,
          s.W,
          row.begin,
          row.end,
          row.step,
          column.begin,
          s.taps_w,
          column.step,
          s.stride_w,
          s.inner_end - s.inner_begin,
          values + s.inner_begin,
          indices ? indices + s.inner_begin : nullptr};
}

template <typename T>
void max_pool_plane(const Windows& s, const T* plane, T* values, std::int64_t* indices) {
  for (std::int64_t oh = 0; oh < s.OH(); ++oh) {
    T* out = values + oh * s.OW();
    std::int64_t* at = indices ? indices + oh * s.OW() : nullptr;
    const auto each = [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t ow = begin; ow < end; ++ow)
        max_of_window(plane, s.W, s.row(oh), s.column(ow), out + ow, at ? at + ow : nullptr);
    };
    each(0, s.inner_begin);
    if (s.inner_end > s.inner_begin) max_pool_row(inner_row(s, plane, oh, out, at));
    each(s.inner_end, s.OW());
  }
}

MaxPool max_pool(const Array& input, const Windows& s, bool want_indices, const char* op) {
  const Array x = contiguous(input);
  MaxPool out;
  out.values = Array::empty({x.size(0), x.size(1), s.OH(), s.OW()}, x.dtype());
  if (want_indices) out.indices = Array::empty(out.values.sizes(), kInt64);
  const std::int64_t outputs = s.OH() * s.OW();
  dispatch_floating(x.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    parallel_for(x.size(0) * x.size(1), planes_per_piece(s.H * s.W + outputs),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t p = begin; p < end; ++p)
                     max_pool_plane(
                         s, x.data<T>() + p * s.H * s.W, out.values.data<T>() + p * outputs,
                         want_indices ? out.indices.data<std::int64_t>() + p * outputs : nullptr);
                 });
  });
  return out;
}

// Leaves the whole windows in the middle of a row to max_pool_row.
void find_inner_columns(Windows& s, const Pool2dGeometry& g) {
  if (g.stride[1] > 2 || s.H * s.W > std::numeric_limits<std::int32_t>::max()) return;
  MaxPoolRow<float> probe{};
  probe.taps = g.kernel[1];
  probe.dilation = g.dilation[1];
  probe.stride = g.stride[1];
  const std::int64_t span = g.dilation[1] * (g.kernel[1] - 1) + 1 + max_pool_row_overrun(probe);
  // o * stride - padding in [0, W - span]
  const std::int64_t begin = (g.padding[1] + g.stride[1] - 1) / g.stride[1];
  const std::int64_t last = s.W - span + g.padding[1];
  const std::int64_t end = last < 0 ? 0 : std::min(last / g.stride[1] + 1, s.OW());
  if (end - begin < kMaxPoolRowOutputs) return;
  s.inner_begin = begin;
  s.inner_end = end;
  s.stride_w = g.stride[1];
  s.taps_w = g.kernel[1];
}

void check_indices(const char* op, IntArrayRef values, const Array& indices) {
  TAPEDECK_CHECK_AS(TypeError, indices.dtype() == kInt64, op, ": expected int64 indices, got ",
                    indices.dtype());
  TAPEDECK_CHECK(indices.sizes() == values, op, ": expected indices of shape ", values, ", got ",
                 indices.sizes().ref());
}

void check_planes(const char* op, IntArrayRef values, IntArrayRef planes) {
  TAPEDECK_CHECK(
      values.size() == 4 && planes.size() == 4 && values[0] == planes[0] && values[1] == planes[1],
      op, ": expected 4-D shapes of the same batch and channels, got ", values, " and ", planes);
}

void check_index(const char* op, std::int64_t index, std::int64_t height, std::int64_t width) {
  TAPEDECK_CHECK_AS(IndexError, index >= 0 && index < height * width, op, ": index ", index,
                    " is outside the plane of ", height, " x ", width);
}

bool is_pairs(const Array& grad, IntArrayRef input_sizes) {
  return grad.size(2) == input_sizes[2] / 2 && grad.size(3) == input_sizes[3] / 2 &&
         input_sizes[2] * input_sizes[3] <= std::numeric_limits<std::int32_t>::max();
}

// Whether each index lies in the output's own 2 x 2 square, and so no two are equal.
bool indices_in_pairs(const std::int64_t* indices, std::int64_t OH, std::int64_t OW,
                      std::int64_t width) {
  bool all = true;
  for (std::int64_t oh = 0; oh < OH; ++oh)
    for (std::int64_t ow = 0; ow < OW; ++ow) {
      const std::int64_t place = indices[oh * OW + ow] - (2 * oh * width + 2 * ow);
      all &= (place == 0) | (place == 1) | (place == width) | (place == width + 1);
    }
  return all;
}

template <typename T>
void pairs_plane(const T* grad, const std::int64_t* indices, std::int64_t OH, std::int64_t OW,
                 std::int64_t H, std::int64_t W, T* out) {
  for (std::int64_t oh = 0; oh < OH; ++oh) {
    T* row = out + 2 * oh * W;
    max_pool_pairs_backward(grad + oh * OW, indices + oh * OW, OW, 2 * oh * W, W, row, row + W);
    if (2 * OW < W) row[W - 1] = row[2 * W - 1] = T{0};
  }
  std::fill(out + 2 * OH * W, out + H * W, T{0});
}

// out = zeros; then store(out element, value) at each index.
template <typename Store>
Array scatter(const char* op, const Array& input, const Array& indices, IntArrayRef sizes,
              bool pairs, Store store) {
  check_planes(op, input.sizes(), sizes);
  check_indices(op, input.sizes(), indices);
  const Array x = contiguous(input), at = contiguous(indices);
  Array out = Array::empty(sizes, x.dtype());
  const std::int64_t H = sizes[2], W = sizes[3], outputs = x.size(2) * x.size(3);
  dispatch_floating(x.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    parallel_for(sizes[0] * sizes[1], planes_per_piece(H * W + outputs),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t p = begin; p < end; ++p) {
                     T* plane = out.data<T>() + p * H * W;
                     const T* values = x.data<T>() + p * outputs;
                     const std::int64_t* index = at.data<std::int64_t>() + p * outputs;
                     if (pairs && indices_in_pairs(index, x.size(2), x.size(3), W)) {
                       pairs_plane(values, index, x.size(2), x.size(3), H, W, plane);
                       continue;
                     }
                     std::fill_n(plane, H * W, T{0});
                     for (std::int64_t i = 0; i < outputs; ++i) {
                       check_index(op, index[i], H, W);
                       store(plane[index[i]], values[i]);
                     }
                   }
                 });
  });
  return out;
}

}  // namespace

MaxPool max_pool2d(const Array& input, const Pool2dGeometry& g, bool want_indices) {
  constexpr const char* op = "max_pool2d";
  TAPEDECK_CHECK(input.dim() == 4, op, ": expected a 4-D input, got ", input.sizes().ref());
  const DimVector sizes = pool_output_sizes(op, 2, input.sizes(), g);
  Windows s{pool_windows(g, 0, input.size(2), sizes[2], false),
            pool_windows(g, 1, input.size(3), sizes[3], false), input.size(2), input.size(3)};
  for (const auto* axis : {&s.rows, &s.columns})
    for (const PoolWindow& window : *axis)
      TAPEDECK_CHECK(window.begin < window.end, op,
                     ": a window has all its taps in the padding (input ", input.sizes().ref(),
                     ", kernel ", IntArrayRef(g.kernel), ", padding ", IntArrayRef(g.padding),
                     ", dilation ", IntArrayRef(g.dilation), ")");
  find_inner_columns(s, g);
  return max_pool(input, s, want_indices, op);
}

MaxPool adaptive_max_pool2d(const Array& input, IntArrayRef output_size, bool want_indices) {
  constexpr const char* op = "adaptive_max_pool2d";
  TAPEDECK_CHECK(input.dim() == 4 && input.size(1) > 0 && input.size(2) > 0 && input.size(3) > 0,
                 op, ": expected a 4-D input of at least one channel and one pixel, got ",
                 input.sizes().ref());
  TAPEDECK_CHECK(output_size.size() == 2 && output_size[0] > 0 && output_size[1] > 0, op,
                 ": expected an output_size of two positive numbers, got ", output_size);
  const Windows s{adaptive_windows(input.size(2), output_size[0]),
                  adaptive_windows(input.size(3), output_size[1]), input.size(2), input.size(3)};
  return max_pool(input, s, want_indices, op);
}

Array max_pool2d_backward(const Array& grad_output, const Array& indices, IntArrayRef input_sizes) {
  const bool pairs =
      grad_output.dim() == 4 && input_sizes.size() == 4 && is_pairs(grad_output, input_sizes);
  return scatter("max_pool2d_backward", grad_output, indices, input_sizes, pairs,
                 [](auto& element, auto value) { element += value; });
}

Array max_pool2d_gather(const Array& input, const Array& indices, const char* op) {
  check_planes(op, indices.sizes(), input.sizes());
  check_indices(op, indices.sizes(), indices);
  const Array x = contiguous(input), at = contiguous(indices);
  Array out = Array::empty(indices.sizes(), x.dtype());
  const std::int64_t H = x.size(2), W = x.size(3), outputs = at.size(2) * at.size(3);
  dispatch_floating(x.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    parallel_for(x.size(0) * x.size(1), planes_per_piece(H * W + outputs),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t i = begin * outputs; i < end * outputs; ++i) {
                     const std::int64_t index = at.data<std::int64_t>()[i];
                     check_index(op, index, H, W);
                     out.data<T>()[i] = x.data<T>()[i / outputs * H * W + index];
                   }
                 });
  });
  return out;
}

Array max_unpool2d(const Array& input, const Array& indices, IntArrayRef output_size) {
  constexpr const char* op = "max_unpool2d";
  TAPEDECK_CHECK(input.dim() == 4, op, ": expected a 4-D input, got ", input.sizes().ref());
  TAPEDECK_CHECK(output_size.size() == 2 && output_size[0] > 0 && output_size[1] > 0, op,
                 ": expected an output_size of two positive numbers, got ", output_size);
  return scatter(op, input, indices,
                 DimVector{input.size(0), input.size(1), output_size[0], output_size[1]}, false,
                 [](auto& element, auto value) { element = value; });
}

}  // namespace tapedeck::kernels
