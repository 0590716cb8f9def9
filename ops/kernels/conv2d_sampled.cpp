#include <tapedeck/ops/kernels/conv2d_sampled.h>

#include <algorithm>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/conv_tiles.h>
#include <tapedeck/ops/kernels/pixel_tiles.h>
#include <tapedeck/ops/kernels/scratch.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kPieceElements = 1 << 15;

std::int64_t planes_per_piece(const Conv2dShape& s) {
  return std::max<std::int64_t>(1, kPieceElements / std::max<std::int64_t>(1, s.H * s.W));
}

// A row of `width` elements: those of tap j of every window come from taps + j * tap_step, what
// lies in no window from values[0].
template <typename T>
void spread_row(const T* taps, std::int64_t tap_step, std::int64_t count, std::int64_t n,
                std::int64_t stride, const T* values, std::int64_t width, T* to) {
  if (stride == 2) {
    const T* const odd = count > 1 ? taps + tap_step : values;
    const std::int64_t pairs = std::min(n, width / 2);
    pixel_tiles<T>().interleave(taps, odd, pairs, to);
    std::copy_n(values, width - 2 * pairs, to + 2 * pairs);
    if (pairs < n) to[2 * pairs] = taps[pairs];
  } else if (stride == 1) {
    std::copy_n(taps, n, to);
    std::copy_n(values, width - n, to + n);
  } else {
    if (count < stride)
      std::copy_n(values, width, to);
    else
      std::copy_n(values, width - n * stride, to + n * stride);
    conv_tiles<T>().transpose(taps, tap_step, count, n, nullptr, to, stride);
  }
}

}  // namespace

template <typename T>
void sample_rows(const T* image, std::int64_t channels, const Conv2dShape& s, RowRange rows,
                 T* columns, std::int64_t column_step) {
  const std::int64_t count = rows.end - rows.begin;
  // Rows of all channels lie equally far apart.
  if (s.taps() == 1 && count * s.stride_h == s.H && column_step == count * s.OW)
    return pixel_tiles<T>().gather_rows(image, s.stride_h * s.W, s.stride_w, channels * count, s.OW,
                                        columns, s.OW);
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t kh = 0; kh < s.KH; ++kh) {
      const T* const from = image + (c * s.H + rows.begin * s.stride_h + kh) * s.W;
      T* const to = columns + (c * s.KH + kh) * s.KW * column_step;
      if (s.KW <= 4) {
        for (std::int64_t kw = 0; kw < s.KW; ++kw)
          pixel_tiles<T>().gather_rows(from + kw, s.stride_h * s.W, s.stride_w, count, s.OW,
                                       to + kw * column_step, s.OW);
        continue;
      }
      // A row of the image is a matrix with a row for each window.
      for (std::int64_t r = 0; r < count; ++r)
        conv_tiles<T>().transpose(from + r * s.stride_h * s.W, s.stride_w, s.OW, s.KW, nullptr,
                                  to + r * s.OW, column_step);
    }
}

template <typename T>
void sample_windows(const T* image, std::int64_t channels, const Conv2dShape& s, RowRange rows,
                    T* windows, std::int64_t window_step) {
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t oh = rows.begin; oh < rows.end; ++oh)
      for (std::int64_t kh = 0; kh < s.KH; ++kh) {
        const T* const from = image + (c * s.H + oh * s.stride_h + kh) * s.W;
        T* const to = windows + (oh - rows.begin) * s.OW * window_step + (c * s.KH + kh) * s.KW;
        for (std::int64_t ow = 0; ow < s.OW; ++ow)
          std::copy_n(from + ow * s.stride_w, s.KW, to + ow * window_step);
      }
}

template <typename T>
void spread_rows(const T* columns, std::int64_t column_step, std::int64_t channels,
                 const Conv2dShape& s, RowRange rows, const T* bias, T* image) {
  const std::int64_t end = rows.end == s.OH ? s.H : rows.end * s.stride_h;
  const Scratch<T> values(s.W);
  for (std::int64_t c = 0; c < channels; ++c) {
    std::fill_n(values.data(), s.W, bias ? bias[c] : T{0});
    for (std::int64_t h = rows.begin * s.stride_h; h < end; ++h) {
      T* const row = image + (c * s.H + h) * s.W;
      const std::int64_t oh = h / s.stride_h, kh = h % s.stride_h;
      if (kh < s.KH && oh < s.OH)
        spread_row(columns + (c * s.KH + kh) * s.KW * column_step + (oh - rows.begin) * s.OW,
                   column_step, s.KW, s.OW, s.stride_w, values.data(), s.W, row);
      else
        std::copy_n(values.data(), s.W, row);
    }
  }
}

template void sample_rows(const float*, std::int64_t, const Conv2dShape&, RowRange, float*,
                          std::int64_t);
template void sample_rows(const double*, std::int64_t, const Conv2dShape&, RowRange, double*,
                          std::int64_t);
template void sample_windows(const float*, std::int64_t, const Conv2dShape&, RowRange, float*,
                             std::int64_t);
template void sample_windows(const double*, std::int64_t, const Conv2dShape&, RowRange, double*,
                             std::int64_t);
template void spread_rows(const float*, std::int64_t, std::int64_t, const Conv2dShape&, RowRange,
                          const float*, float*);
template void spread_rows(const double*, std::int64_t, std::int64_t, const Conv2dShape&, RowRange,
                          const double*, double*);

bool sampled_supports(const Conv2dShape& s) {
  return (s.stride_h > 1 || s.stride_w > 1) && s.KH <= s.stride_h && s.KW <= s.stride_w &&
         s.dilation_h == 1 && s.dilation_w == 1 && s.pad_top == 0 && s.pad_left == 0 &&
         (s.OH - 1) * s.stride_h + s.KH <= s.H && (s.OW - 1) * s.stride_w + s.KW <= s.W;
}

Array sample_pixels(const Conv2dShape& s, const Array& input) {
  Array sampled = Array::empty({s.N, s.C * s.taps(), s.OH, s.OW}, input.dtype());
  dispatch_floating(input.dtype(), "conv2d", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const from = input.data<T>();
    T* const to = sampled.data<T>();
    parallel_for(s.N * s.C, planes_per_piece(s), [&](std::int64_t begin, std::int64_t end) {
      sample_rows(from + begin * s.H * s.W, end - begin, s, {0, s.OH},
                  to + begin * s.taps() * s.pixels(), s.pixels());
    });
  });
  return sampled;
}

Array spread_pixels(const Conv2dShape& s, const Array& sampled, const Array& bias) {
  Array spread = Array::empty({s.N, s.C, s.H, s.W}, sampled.dtype());
  dispatch_floating(sampled.dtype(), "conv2d_grad_input", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const from = sampled.data<T>();
    const T* const addends = bias.defined() ? bias.data<T>() : nullptr;
    T* const to = spread.data<T>();
    parallel_for(s.N * s.C, planes_per_piece(s), [&](std::int64_t begin, std::int64_t end) {
      // The channels of an image at a time.
      for (std::int64_t plane = begin, next = begin; plane < end; plane = next) {
        next = std::min(end, plane + s.C - plane % s.C);
        spread_rows(from + plane * s.taps() * s.pixels(), s.pixels(), next - plane, s, {0, s.OH},
                    addends ? addends + plane % s.C : nullptr, to + plane * s.H * s.W);
      }
    });
  });
  return spread;
}

Array bias_of_taps(const Conv2dShape& s, const Array& bias) {
  if (!bias.defined() || s.taps() == 1) return bias;
  Array repeated = Array::empty({s.C * s.taps()}, bias.dtype());
  dispatch_floating(bias.dtype(), "conv2d_grad_input", [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (std::int64_t c = 0; c < s.C; ++c)
      std::fill_n(repeated.data<T>() + c * s.taps(), s.taps(), bias.data<T>()[c]);
  });
  return repeated;
}

}  // namespace tapedeck::kernels
