#include <tapedeck/ops/kernels/conv2d_depthwise.h>

#include <algorithm>
#include <vector>

#include <tapedeck/array/array.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/pixel_tiles.h>
#include <tapedeck/ops/kernels/sliding_taps.h>
#include <tapedeck/ops/kernels/tap_sums.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kTogetherBytes = 16 << 10;  // of images that a weight gradient reads at once

// A zero-padded input plane. Strides of one and two are the kernels' own. With larger ones column x
// of the padded image lies in phase x % stride_w, at x / stride_w: taps of neighbouring outputs are
// neighbours there.
template <typename T>
struct Slab {
  std::int64_t column_step, stride;  // from output to output in the slab; phases
  std::int64_t phase_width, row_width, rows;
  std::vector<std::int64_t> offsets;  // of each tap

  explicit Slab(const Conv2dShape& s)
      : column_step(s.stride_w == 2 ? 2 : 1),
        stride(s.stride_w / column_step),
        phase_width(s.OW * column_step + (s.KW - 1) * s.dilation_w / stride +
                    kTapOverrun * column_step),
        row_width(phase_width * stride),
        rows((s.OH - 1) * s.stride_h + (s.KH - 1) * s.dilation_h + 1) {
    for (std::int64_t kh = 0; kh < s.KH; ++kh)
      for (std::int64_t kw = 0; kw < s.KW; ++kw) {
        const std::int64_t x = kw * s.dilation_w;
        offsets.push_back(kh * s.dilation_h * row_width + x % stride * phase_width + x / stride);
      }
  }

  std::int64_t elements() const { return rows * row_width; }
  TapPlane<T> plane(const Conv2dShape& s, const T* slab) const {
    return {slab, s.stride_h * row_width, offsets.data(), s.taps(), s.OH, s.OW, column_step};
  }

  // Only the inside is written: the padding was zeroed once. Columns and phases that no tap reads
  // stay away.
  void load(const Conv2dShape& s, const T* image, T* slab) const {
    const std::int64_t end = std::min(s.H, rows - s.pad_top);
    if (end <= 0) return;
    for (std::int64_t phase = 0; phase < std::min(stride, s.KW * s.dilation_w); ++phase) {
      const std::int64_t distance = (phase - s.pad_left % stride + stride) % stride;
      const std::int64_t place = (distance + s.pad_left) / stride;
      const std::int64_t columns = std::min((s.W - 1 - distance + stride) / stride,
                                            phase_width - kTapOverrun * column_step - place);
      if (columns > 0)
        pixel_tiles<T>().gather_rows(image + distance, s.W, stride, end, columns,
                                     slab + s.pad_top * row_width + phase * phase_width + place,
                                     row_width);
    }
  }
};

template <typename T>
Array zeroed(std::int64_t elements) {
  Array a = Array::empty({elements}, dtype_of<T>);
  std::fill_n(a.data<T>(), elements, T{0});
  return a;
}

// Null where the kernel is not one that slides, or steps by more than a pixel.
template <typename T>
const SlidingKernel<T>* sliding_kernel_of(const Conv2dShape& s) {
  const bool slides = s.KH == s.KW && s.stride_h == 1 && s.stride_w == 1;
  return slides ? sliding_kernel<T>(s.KW) : nullptr;
}

template <typename T>
SlidingTaps<T> sliding_taps(const Conv2dShape& s, const Slab<T>& slab, const T* plane) {
  return {plane, slab.row_width, s.dilation_h, s.dilation_w, s.OH, s.OW};
}

std::int64_t filters_per_channel(const Conv2dShape& s) { return s.K / s.C; }

// About a hundred thousand multiplications in a piece of work.
std::int64_t planes_per_piece(const Conv2dShape& s) {
  const std::int64_t products =
      std::max<std::int64_t>(1, s.pixels() * s.taps() * filters_per_channel(s));
  return std::max<std::int64_t>(1, (1 << 17) / products);
}

// One phase of the transposed form: the input pixels first + i * stride of an axis, and the taps
// that reach them, each with where it reads grad_output for the first of these pixels.
struct AxisPhase {
  std::int64_t first, pixels;
  std::vector<std::int64_t> taps, reads;
};

std::vector<AxisPhase> axis_phases(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                                   std::int64_t dilation, std::int64_t pad) {
  std::vector<AxisPhase> phases;
  for (std::int64_t first = 0; first < std::min(stride, size); ++first) {
    AxisPhase phase{first, (size - 1 - first) / stride + 1, {}, {}};
    for (std::int64_t k = 0; k < kernel; ++k) {
      const std::int64_t distance = first + pad - k * dilation;  // = stride * output position
      if (distance % stride != 0) continue;
      phase.taps.push_back(k);
      phase.reads.push_back(distance / stride);
    }
    phases.push_back(std::move(phase));
  }
  return phases;
}

// How far the reads of an axis go below 0 and to which position they reach.
struct Extent {
  std::int64_t before = 0, end = 0;
};

Extent extent_of(const std::vector<AxisPhase>& phases) {
  Extent extent;
  for (const AxisPhase& phase : phases)
    for (const std::int64_t read : phase.reads) {
      extent.before = std::max(extent.before, -read);
      extent.end = std::max(extent.end, read + phase.pixels);
    }
  return extent;
}

}  // namespace

template <typename T>
void conv2d_depthwise(const Conv2dShape& s, const T* x, const T* w, const T* bias, T* y) {
  const Slab<T> slab(s);
  const std::int64_t filters = filters_per_channel(s);
  const SlidingKernel<T>* const sliding = sliding_kernel_of<T>(s);
  parallel_for(s.N * s.C, planes_per_piece(s), [&](std::int64_t begin, std::int64_t end) {
    Array padded = zeroed<T>(slab.elements());
    for (std::int64_t plane = begin; plane < end; ++plane) {
      slab.load(s, x + plane * s.H * s.W, padded.data<T>());
      for (std::int64_t f = 0; f < filters; ++f) {
        const std::int64_t k = plane % s.C * filters + f;
        const T* const weights = w + k * s.taps();
        T* const out = y + (plane * filters + f) * s.pixels();
        const T init = bias ? bias[k] : T{0};
        if (sliding)
          sliding->sums(sliding_taps(s, slab, padded.data<T>()), weights, init, out, s.OW);
        else
          tap_sums<T>(slab.plane(s, padded.data<T>()), weights, init, out, s.OW, 1);
      }
    }
  });
}

// Each phase of the stride is a convolution of stride 1 over grad_output with a part of the taps.
template <typename T>
void conv2d_grad_input_depthwise(const Conv2dShape& s, const T* dy, const T* w, const T* bias,
                                 T* dx) {
  const auto rows = axis_phases(s.H, s.KH, s.stride_h, s.dilation_h, s.pad_top);
  const auto columns = axis_phases(s.W, s.KW, s.stride_w, s.dilation_w, s.pad_left);
  const Extent extent_h = extent_of(rows), extent_w = extent_of(columns);
  const std::int64_t width = extent_w.before + std::max(extent_w.end, s.OW) + kTapOverrun;
  const std::int64_t height = extent_h.before + std::max(extent_h.end, s.OH);
  const std::int64_t filters = filters_per_channel(s), slab = width * height;
  const SlidingKernel<T>* const sliding = sliding_kernel_of<T>(s);
  const bool in_pairs = s.stride_w == 2 && columns.size() == 2;

  parallel_for(s.N * s.C, planes_per_piece(s), [&](std::int64_t begin, std::int64_t end) {
    Array padded = zeroed<T>(filters * slab);
    T* inside = padded.data<T>() + extent_h.before * width + extent_w.before;
    std::vector<std::int64_t> offsets;
    std::vector<T> weights, reversed(static_cast<std::size_t>(s.taps()));
    for (std::int64_t plane = begin; plane < end; ++plane) {
      const std::int64_t c = plane % s.C;
      for (std::int64_t f = 0; f < filters; ++f)
        pixel_tiles<T>().gather_rows(dy + (plane * filters + f) * s.pixels(), s.OW, 1, s.OH, s.OW,
                                     inside + f * slab, width);
      if (sliding && filters == 1) {
        // At stride 1 it is the same sum, with the taps in reverse and the other padding.
        std::reverse_copy(w + c * s.taps(), w + (c + 1) * s.taps(), reversed.begin());
        const T* const first = inside + (s.pad_top - (s.KH - 1) * s.dilation_h) * width +
                               s.pad_left - (s.KW - 1) * s.dilation_w;
        sliding->sums({first, width, s.dilation_h, s.dilation_w, s.H, s.W}, reversed.data(),
                      bias ? bias[c] : T{0}, dx + plane * s.H * s.W, s.W);
        continue;
      }
      // The taps of a pair of phases: where they read, and their weights.
      const auto gather = [&](const AxisPhase& row, const AxisPhase& column) {
        for (std::int64_t f = 0; f < filters; ++f)
          for (std::size_t i = 0; i < row.taps.size(); ++i)
            for (std::size_t j = 0; j < column.taps.size(); ++j) {
              offsets.push_back(f * slab + row.reads[i] * width + column.reads[j]);
              weights.push_back(
                  w[((c * filters + f) * s.KH + row.taps[i]) * s.KW + column.taps[j]]);
            }
        return static_cast<std::int64_t>(offsets.size());
      };
      const T init = bias ? bias[c] : T{0};
      for (const AxisPhase& row : rows) {
        T* const out = dx + (plane * s.H + row.first) * s.W;
        offsets.clear();
        weights.clear();
        if (in_pairs) {
          const std::int64_t even = gather(row, columns[0]), all = gather(row, columns[1]);
          tap_pair_sums<T>({inside,
                            width,
                            {offsets.data(), offsets.data() + even},
                            {weights.data(), weights.data() + even},
                            {even, all - even},
                            row.pixels,
                            s.W},
                           init, out, s.stride_h * s.W);
          continue;
        }
        for (const AxisPhase& column : columns) {
          offsets.clear();
          weights.clear();
          const std::int64_t taps = gather(row, column);
          tap_sums<T>({inside, width, offsets.data(), taps, row.pixels, column.pixels},
                      weights.data(), init, out + column.first, s.stride_h * s.W, s.stride_w);
        }
      }
    }
  });
}

template <typename T>
void conv2d_grad_weight_depthwise(const Conv2dShape& s, const T* x, const T* dy, T* dw) {
  const Slab<T> slab(s);
  const std::int64_t filters = filters_per_channel(s);
  const SlidingKernel<T>* const sliding = sliding_kernel_of<T>(s);
  // Images whose slabs lie side by side: vectors of partial sums are added up once for all of them.
  const std::int64_t together = std::clamp<std::int64_t>(
      kTogetherBytes / static_cast<std::int64_t>(sizeof(T)) / slab.elements(), 1,
      std::max<std::int64_t>(1, s.N));
  parallel_for(s.C, 1, [&](std::int64_t begin, std::int64_t end) {
    Array padded = zeroed<T>(together * slab.elements());
    std::vector<double> sums(static_cast<std::size_t>(filters * s.taps()));
    for (std::int64_t c = begin; c < end; ++c) {
      std::fill(sums.begin(), sums.end(), 0.0);
      for (std::int64_t n = 0; n < s.N; n += together) {
        const std::int64_t images = std::min(together, s.N - n);
        for (std::int64_t i = 0; i < images; ++i)
          slab.load(s, x + ((n + i) * s.C + c) * s.H * s.W, padded.data<T>() + i * slab.elements());
        for (std::int64_t f = 0; f < filters; ++f) {
          const T* const grad = dy + (n * s.K + c * filters + f) * s.pixels();
          double* const sum = sums.data() + f * s.taps();
          if (sliding) {
            SlidingTaps<T> taps = sliding_taps(s, slab, padded.data<T>());
            taps.planes = images;
            taps.plane_step = slab.elements();
            sliding->dots(taps, grad, s.OW, s.K * s.pixels(), sum);
          } else {
            TapPlane<T> taps = slab.plane(s, padded.data<T>());
            taps.planes = images;
            taps.plane_step = slab.elements();
            tap_dots<T>(taps, grad, s.OW, s.K * s.pixels(), sum);
          }
        }
      }
      for (std::size_t i = 0; i < sums.size(); ++i)
        dw[c * filters * s.taps() + static_cast<std::int64_t>(i)] = static_cast<T>(sums[i]);
    }
  });
}

#define TAPEDECK_INSTANTIATE(T)                                                                    \
  template void conv2d_depthwise(const Conv2dShape&, const T*, const T*, const T*, T*);            \
  template void conv2d_grad_input_depthwise(const Conv2dShape&, const T*, const T*, const T*, T*); \
  template void conv2d_grad_weight_depthwise(const Conv2dShape&, const T*, const T*, T*);
TAPEDECK_INSTANTIATE(float)
TAPEDECK_INSTANTIATE(double)
#undef TAPEDECK_INSTANTIATE

}  // namespace tapedeck::kernels
