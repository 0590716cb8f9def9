#include <tapedeck/ops/kernels/conv2d_sampled.h>

#include <algorithm>
#include <vector>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/pixel_tiles.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kPieceElements = 1 << 15;

std::int64_t planes_per_piece(const Conv2dShape& s) {
  return std::max<std::int64_t>(1, kPieceElements / std::max<std::int64_t>(1, s.H * s.W));
}

// A row of `width` elements: those of tap j of every window come from taps + j * tap_step, what
// lies in no window from values[0].
template <typename T>
void spread_row(const PixelTiles<T>& tiles, const T* taps, std::int64_t tap_step,
                std::int64_t count, std::int64_t n, std::int64_t stride, const T* values,
                std::int64_t width, T* to) {
  if (stride == 2) {
    const T* const odd = count > 1 ? taps + tap_step : values;
    const std::int64_t pairs = std::min(n, width / 2);
    tiles.interleave(taps, odd, pairs, to);
    std::copy_n(values, width - 2 * pairs, to + 2 * pairs);
    if (pairs < n) to[2 * pairs] = taps[pairs];
  } else if (stride == 1) {
    std::copy_n(taps, n, to);
    std::copy_n(values, width - n, to + n);
  } else {
    std::copy_n(values, width, to);
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < count; ++j) to[i * stride + j] = taps[j * tap_step + i];
  }
}

}  // namespace

bool sampled_supports(const Conv2dShape& s) {
  return (s.stride_h > 1 || s.stride_w > 1) && s.KH <= s.stride_h && s.KW <= s.stride_w &&
         s.dilation_h == 1 && s.dilation_w == 1 && s.pad_top == 0 && s.pad_left == 0 &&
         (s.OH - 1) * s.stride_h + s.KH <= s.H && (s.OW - 1) * s.stride_w + s.KW <= s.W;
}

Array sample_pixels(const Conv2dShape& s, const Array& input) {
  Array sampled = Array::empty({s.N, s.C * s.taps(), s.OH, s.OW}, input.dtype());
  dispatch_floating(input.dtype(), "conv2d", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const PixelTiles<T>& tiles = pixel_tiles<T>();
    const T* const from = input.data<T>();
    T* const to = sampled.data<T>();
    parallel_for(s.N * s.C, planes_per_piece(s), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t plane = begin; plane < end; ++plane)
        for (std::int64_t tap = 0; tap < s.taps(); ++tap)
          tiles.gather_rows(from + (plane * s.H + tap / s.KW) * s.W + tap % s.KW, s.stride_h * s.W,
                            s.stride_w, s.OH, s.OW, to + (plane * s.taps() + tap) * s.pixels(),
                            s.OW);
    });
  });
  return sampled;
}

Array spread_pixels(const Conv2dShape& s, const Array& sampled, const Array& bias) {
  Array spread = Array::empty({s.N, s.C, s.H, s.W}, sampled.dtype());
  dispatch_floating(sampled.dtype(), "conv2d_grad_input", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const PixelTiles<T>& tiles = pixel_tiles<T>();
    const T* const from = sampled.data<T>();
    const T* const addends = bias.defined() ? bias.data<T>() : nullptr;
    T* const to = spread.data<T>();
    parallel_for(s.N * s.C, planes_per_piece(s), [&](std::int64_t begin, std::int64_t end) {
      std::vector<T> values(static_cast<std::size_t>(s.W));
      for (std::int64_t plane = begin; plane < end; ++plane) {
        std::fill(values.begin(), values.end(), addends ? addends[plane % s.C] : T{0});
        for (std::int64_t h = 0; h < s.H; ++h) {
          T* const row = to + (plane * s.H + h) * s.W;
          const std::int64_t oh = h / s.stride_h, kh = h % s.stride_h;
          if (kh < s.KH && oh < s.OH)
            spread_row(tiles, from + ((plane * s.KH + kh) * s.KW * s.OH + oh) * s.OW, s.pixels(),
                       s.KW, s.OW, s.stride_w, values.data(), s.W, row);
          else
            std::copy(values.begin(), values.end(), row);
        }
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
