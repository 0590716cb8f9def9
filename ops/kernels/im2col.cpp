#include <tapedeck/ops/kernels/im2col.h>

#include <algorithm>
#include <limits>
#include <vector>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/pixel_tiles.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kAddedInPiece = 1 << 15;  // elements of columns: worth a visit by a thread

// Calls f(row of taps, channel, kh, kw) for each row of the column matrix.
template <typename F>
void for_each_tap(std::int64_t channels, const Conv2dShape& s, F&& f) {
  std::int64_t row = 0;
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t kh = 0; kh < s.KH; ++kh)
      for (std::int64_t kw = 0; kw < s.KW; ++kw) f(row++, c, kh, kw);
}

// The output rows among `rows` that each row of the kernel adds to rows `pixels` of a plane.
std::vector<RowRange> outputs_of_taps(const Conv2dShape& s, RowRange rows, RowRange pixels) {
  std::vector<RowRange> outputs(static_cast<std::size_t>(s.KH));
  for (std::int64_t kh = 0; kh < s.KH; ++kh) {
    const Conv2dShape::Range inside = s.valid_rows(kh);
    // Pixel row oh * stride + shift takes output row oh.
    const std::int64_t shift = kh * s.dilation_h - s.pad_top;
    const auto before = [&](std::int64_t pixel_row) {
      return pixel_row <= shift ? 0 : (pixel_row - shift + s.stride_h - 1) / s.stride_h;
    };
    outputs[static_cast<std::size_t>(kh)] = {
        std::max({rows.begin, inside.begin, before(pixels.begin)}),
        std::min({rows.end, inside.end, before(pixels.end)})};
  }
  return outputs;
}

// Adds the columns of one channel, [taps, rows * OW] from row `first` of the output on, to its
// plane. Taps of one column of the kernel follow each other: they meet the same vectors of a pixel
// row, while a shift by one element would have to wait for what was just written.
template <typename T>
void add_taps(const T* columns, std::int64_t column_step, const Conv2dShape& s, std::int64_t first,
              const std::vector<RowRange>& outputs, T* plane) {
  const PixelTiles<T>& tiles = pixel_tiles<T>();
  for (std::int64_t kw = 0; kw < s.KW; ++kw) {
    const Conv2dShape::Range inside = s.valid_columns(kw);
    const std::int64_t width = inside.end - inside.begin;
    if (width <= 0) continue;
    const std::int64_t left = inside.begin * s.stride_w + kw * s.dilation_w - s.pad_left;
    for (std::int64_t kh = 0; kh < s.KH; ++kh) {
      const auto [begin, end] = outputs[static_cast<std::size_t>(kh)];
      if (begin >= end) continue;
      const std::int64_t top = begin * s.stride_h + kh * s.dilation_h - s.pad_top;
      const T* const tap = columns + (kh * s.KW + kw) * column_step;
      tiles.add_rows(tap + (begin - first) * s.OW + inside.begin, s.OW, end - begin, width,
                     plane + top * s.W + left, s.stride_h * s.W, s.stride_w);
    }
  }
}

Conv2dShape shape_of(const char* op, IntArrayRef input, IntArrayRef kernel,
                     const Conv2dGeometry& geometry) {
  TAPEDECK_CHECK(kernel.size() == 2, op, ": expected a kernel of two sizes, got ", kernel);
  Conv2dGeometry window = geometry;
  window.groups = 1;
  const DimVector weight{1, input[1], kernel[0], kernel[1]};
  return Conv2dShape(input, weight, conv_output_sizes(op, 2, input, weight, window), window);
}

}  // namespace

template <typename T>
void im2col(const T* image, std::int64_t channels, const Conv2dShape& s, RowRange rows, T* columns,
            std::int64_t column_step) {
  const PixelTiles<T>& tiles = pixel_tiles<T>();
  for_each_tap(
      channels, s, [&](std::int64_t row, std::int64_t c, std::int64_t kh, std::int64_t kw) {
        T* const out = columns + row * column_step;
        const Conv2dShape::Range h = s.valid_rows(kh), w = s.valid_columns(kw);
        const std::int64_t begin = std::clamp(h.begin, rows.begin, rows.end);
        const std::int64_t end = std::clamp(h.end, begin, rows.end);
        std::fill_n(out, (begin - rows.begin) * s.OW, T{0});
        std::fill_n(out + (end - rows.begin) * s.OW, (rows.end - end) * s.OW, T{0});
        if (begin == end) return;
        T* const inside = out + (begin - rows.begin) * s.OW;
        if (w.begin > 0 || w.end < s.OW) std::fill_n(inside, (end - begin) * s.OW, T{0});
        if (w.begin >= w.end) return;
        const T* const in = image +
                            (c * s.H + begin * s.stride_h + kh * s.dilation_h - s.pad_top) * s.W +
                            w.begin * s.stride_w + kw * s.dilation_w - s.pad_left;
        tiles.gather_rows(in, s.stride_h * s.W, s.stride_w, end - begin, w.end - w.begin,
                          inside + w.begin, s.OW);
      });
}

template <typename T>
void col2im_add(const T* columns, std::int64_t column_step, std::int64_t channels,
                const Conv2dShape& s, RowRange rows, T* image) {
  // Threads share the pixels that the rows reach: each has some rows of a plane, to which it adds
  // all taps in order.
  const std::int64_t top = std::clamp<std::int64_t>(rows.begin * s.stride_h - s.pad_top, 0, s.H);
  const std::int64_t bottom = std::clamp<std::int64_t>(
      (rows.end - 1) * s.stride_h + (s.KH - 1) * s.dilation_h + 1 - s.pad_top, top, s.H);
  const std::int64_t added_to_row =
      std::max<std::int64_t>(1, s.taps() * s.W / (s.stride_h * s.stride_w));
  const std::int64_t band = std::max<std::int64_t>(1, kAddedInPiece / added_to_row);
  const std::int64_t bands = (bottom - top + band - 1) / band;
  const std::int64_t added_to_plane = added_to_row * std::max<std::int64_t>(1, bottom - top);
  const std::int64_t grain = std::max<std::int64_t>(1, kAddedInPiece / added_to_plane);
  parallel_for(channels * bands, grain, [&](std::int64_t first, std::int64_t last) {
    std::vector<RowRange> outputs;
    for (std::int64_t piece = first; piece < last; ++piece) {
      const std::int64_t c = piece / bands, begin = top + piece % bands * band;
      if (outputs.empty() || bands > 1)
        outputs = outputs_of_taps(s, rows, {begin, std::min(bottom, begin + band)});
      add_taps(columns + c * s.taps() * column_step, column_step, s, rows.begin, outputs,
               image + c * s.H * s.W);
    }
  });
}

template <typename T>
void windows_add(const T* windows, std::int64_t window_step, std::int64_t channels,
                 const Conv2dShape& s, RowRange rows, T* image) {
  const PixelTiles<T>& tiles = pixel_tiles<T>();
  for (std::int64_t oh = rows.begin; oh < rows.end; ++oh)
    for (std::int64_t ow = 0; ow < s.OW; ++ow, windows += window_step) {
      const std::int64_t top = oh * s.stride_h - s.pad_top, left = ow * s.stride_w - s.pad_left;
      const std::int64_t first_column = std::clamp<std::int64_t>(-left, 0, s.KW);
      const std::int64_t width = std::min(s.KW, s.W - left) - first_column;
      // Row kh of the kernel meets row top + kh * dilation_h.
      const std::int64_t first =
          top < 0 ? std::min(s.KH, (-top + s.dilation_h - 1) / s.dilation_h) : 0;
      const std::int64_t end =
          top < s.H ? std::min(s.KH, (s.H - 1 - top) / s.dilation_h + 1) : first;
      if (width <= 0 || end <= first) continue;
      const T* const from = windows + first * s.KW + first_column;
      T* const to = image + (top + first * s.dilation_h) * s.W + left + first_column;
      for (std::int64_t c = 0; c < channels; ++c)
        tiles.add_rows(from + c * s.taps(), s.KW, end - first, width, to + c * s.H * s.W,
                       s.dilation_h * s.W, 1);
    }
}

template void im2col(const float*, std::int64_t, const Conv2dShape&, RowRange, float*,
                     std::int64_t);
template void im2col(const double*, std::int64_t, const Conv2dShape&, RowRange, double*,
                     std::int64_t);
template void col2im_add(const float*, std::int64_t, std::int64_t, const Conv2dShape&, RowRange,
                         float*);
template void col2im_add(const double*, std::int64_t, std::int64_t, const Conv2dShape&, RowRange,
                         double*);
template void windows_add(const float*, std::int64_t, std::int64_t, const Conv2dShape&, RowRange,
                          float*);
template void windows_add(const double*, std::int64_t, std::int64_t, const Conv2dShape&, RowRange,
                          double*);

Array unfold(const Array& input, IntArrayRef kernel, const Conv2dGeometry& geometry) {
  TAPEDECK_CHECK(input.dim() == 4, "unfold: expected a 4-D input, got ", input.sizes().ref());
  const Conv2dShape s = shape_of("unfold", input.sizes(), kernel, geometry);
  const Array dense = contiguous(input);
  Array out = Array::empty({s.N, s.C * s.taps(), s.pixels()}, input.dtype());
  dispatch_floating(input.dtype(), "unfold", [&](auto tag) {
    using T = typename decltype(tag)::type;
    parallel_for(s.N * s.C, 1, [&](std::int64_t begin, std::int64_t end) {
      im2col(dense.data<T>() + begin * s.H * s.W, end - begin, s, {0, s.OH},
             out.data<T>() + begin * s.taps() * s.pixels(), s.pixels());
    });
  });
  return out;
}

Array fold(const Array& columns, IntArrayRef output_size, IntArrayRef kernel,
           const Conv2dGeometry& geometry) {
  TAPEDECK_CHECK(columns.dim() == 3, "fold: expected a 3-D input, got ", columns.sizes().ref());
  TAPEDECK_CHECK(output_size.size() == 2, "fold: expected an output size of two numbers, got ",
                 output_size);
  TAPEDECK_CHECK(kernel.size() == 2 && kernel[0] > 0 && kernel[1] > 0,
                 "fold: expected a kernel of two positive sizes, got ", kernel);
  std::int64_t taps = 0;
  if (__builtin_mul_overflow(kernel[0], kernel[1], &taps))
    taps = std::numeric_limits<std::int64_t>::max();
  TAPEDECK_CHECK(columns.size(1) > 0 && columns.size(1) % taps == 0, "fold: the ", columns.size(1),
                 " rows of input ", columns.sizes().ref(), " are not a multiple of the kernel's ",
                 taps, " taps (kernel ", kernel, ")");
  const DimVector sizes{columns.size(0), columns.size(1) / taps, output_size[0], output_size[1]};
  const Conv2dShape s = shape_of("fold", sizes, kernel, geometry);
  TAPEDECK_CHECK(columns.size(2) == s.pixels(), "fold: output size ", output_size, " has ", s.OH,
                 " x ", s.OW, " = ", s.pixels(), " windows, input ", columns.sizes().ref(), " has ",
                 columns.size(2));
  const Array dense = contiguous(columns);
  Array out = zeros(sizes, columns.dtype());
  dispatch_floating(columns.dtype(), "fold", [&](auto tag) {
    using T = typename decltype(tag)::type;
    parallel_for(s.N * s.C, 1, [&](std::int64_t begin, std::int64_t end) {
      col2im_add(dense.data<T>() + begin * s.taps() * s.pixels(), s.pixels(), end - begin, s,
                 {0, s.OH}, out.data<T>() + begin * s.H * s.W);
    });
  });
  return out;
}

}  // namespace tapedeck::kernels
