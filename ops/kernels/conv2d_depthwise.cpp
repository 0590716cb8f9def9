#include <tapedeck/ops/kernels/conv2d_depthwise.h>

#include <algorithm>
#include <vector>

#include <tapedeck/array/array.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/cache_lines.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/pixel_tiles.h>
#include <tapedeck/ops/kernels/plane_taps.h>
#include <tapedeck/ops/kernels/scratch.h>
#include <tapedeck/ops/kernels/sliding_taps.h>
#include <tapedeck/ops/kernels/tap_sums.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kPieces = 16;             // enough for several threads to end together
constexpr std::int64_t kPartialBytes = 1 << 20;  // for all partial sums of a weight gradient

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

// About half a million multiplications in a piece of work, which begins with an empty slab, and
// enough pieces for several threads.
std::int64_t planes_per_piece(const Conv2dShape& s) {
  const std::int64_t products =
      std::max<std::int64_t>(1, s.pixels() * s.taps() * filters_per_channel(s));
  return std::clamp<std::int64_t>((1 << 19) / products, 1,
                                  std::max<std::int64_t>(1, s.N * s.C / kPieces));
}

// Null where there are none for this kernel.
template <typename T>
const PlaneTaps<T>* plane_taps_of(const Conv2dShape& s) {
  return s.K == s.C && is_plane_window(s) ? plane_taps<T>(s.KH, s.stride_h) : nullptr;
}

template <typename T>
PlaneWindow plane_window(const Conv2dShape& s) {
  const bool far = is_beyond_cache<T>(s.N * s.C * (s.H * s.W + s.pixels()));
  return {s.H, s.W, s.OH, s.OW, s.pad_top, far};
}

// The input gradient of a stride of one, as a convolution of grad_output with the taps in reverse.
template <typename T>
PlaneWindow reverse_window(const Conv2dShape& s) {
  return {s.OH, s.OW, s.H, s.W, s.KH - 1 - s.pad_top, plane_window<T>(s).far};
}
template <typename T>
Scratch<T> reverse_taps(const Conv2dShape& s, const T* w) {
  Scratch<T> reversed(s.K * s.taps());
  for (std::int64_t k = 0; k < s.K; ++k)
    std::reverse_copy(w + k * s.taps(), w + (k + 1) * s.taps(), reversed.data() + k * s.taps());
  return reversed;
}

// Calls of(first plane, its channel, planes) for parts of all planes that are in one image each.
template <typename Of>
void for_planes(const Conv2dShape& s, const Of& of) {
  parallel_for(s.N * s.C, planes_per_piece(s), [&](std::int64_t begin, std::int64_t end) {
    while (begin < end) {
      const std::int64_t channel = begin % s.C, planes = std::min(s.C - channel, end - begin);
      of(begin, channel, planes);
      begin += planes;
    }
  });
}

// How far the reads of an axis go below 0 and to which position they reach.
struct Extent {
  std::int64_t before = 0, end = 0;
};

Extent extent_of(const WindowAxis& axis) {
  Extent extent;
  for (const AxisPhase& phase : axis.phases)
    for (const std::int64_t read : phase.shifts) {
      extent.before = std::max(extent.before, -read);
      extent.end = std::max(extent.end, read + phase.outputs);
    }
  return extent;
}

}  // namespace

template <typename T>
void conv2d_depthwise(const Conv2dShape& s, const T* x, const T* w, const T* bias, T* y) {
  if (const PlaneTaps<T>* const taps = plane_taps_of<T>(s))
    return for_planes(s, [&](std::int64_t plane, std::int64_t channel, std::int64_t planes) {
      taps->sums(plane_window<T>(s), planes, x + plane * s.H * s.W, w + channel * s.taps(),
                 bias ? bias + channel : nullptr, y + plane * s.pixels());
    });
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
  if (const PlaneTaps<T>* const taps = plane_taps_of<T>(s)) {
    const bool reverse = s.stride_h == 1;
    const Scratch<T> reversed = reverse ? reverse_taps(s, w) : Scratch<T>();
    const T* const weights = reverse ? reversed.data() : w;
    return for_planes(s, [&](std::int64_t plane, std::int64_t channel, std::int64_t planes) {
      (reverse ? taps->sums : taps->adjoint)(
          reverse ? reverse_window<T>(s) : plane_window<T>(s), planes, dy + plane * s.pixels(),
          weights + channel * s.taps(), bias ? bias + channel : nullptr, dx + plane * s.H * s.W);
    });
  }
  const ConvWindow window = ConvWindow::grad_input(s);
  const std::vector<AxisPhase>&rows = window.h.phases, &columns = window.w.phases;
  const Extent extent_h = extent_of(window.h), extent_w = extent_of(window.w);
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
              offsets.push_back(f * slab + row.shifts[i] * width + column.shifts[j]);
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
                            row.outputs,
                            s.W},
                           init, out, s.stride_h * s.W);
          continue;
        }
        for (const AxisPhase& column : columns) {
          offsets.clear();
          weights.clear();
          const std::int64_t taps = gather(row, column);
          tap_sums<T>({inside, width, offsets.data(), taps, row.outputs, column.outputs},
                      weights.data(), init, out + column.first, s.stride_h * s.W, s.stride_w);
        }
      }
    }
  });
}

template <typename T>
bool depthwise_reads_in_place(const Conv2dShape& s) {
  return plane_taps_of<T>(s) != nullptr;
}

// Ranges of channels or, where these are few, runs of images too, whose sums are added in order.
template <typename T>
void conv2d_grad_filters_depthwise(const Conv2dShape& s, const T* x, const T* dy, T* dw, T* db) {
  const PlaneDots<T>& planes = *plane_dots<T>(s.KH, s.stride_h);
  const std::int64_t range = 2 * ceil_div(s.C, 2 * kPieces), ranges = ceil_div(s.C, range);
  const std::int64_t run = ceil_div(s.N, std::clamp<std::int64_t>(kPieces / ranges, 1, s.N));
  const std::int64_t runs = ceil_div(s.N, run), size = s.taps() + 1;
  const Scratch<double> sums(runs * s.C * size);
  parallel_for(runs * ranges, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = i % ranges * range, from = i / ranges * run;
      const std::int64_t channels = std::min(range, s.C - first);
      const std::int64_t plane = from * s.C + first;
      planes.dots(plane_window<T>(s), channels, std::min(run, s.N - from), x + plane * s.H * s.W,
                  s.C * s.H * s.W, dy + plane * s.pixels(), s.C * s.pixels(),
                  sums.data() + (i / ranges * s.C + first) * size);
    }
  });
  for (std::int64_t c = 0; c < s.C; ++c) {
    double* const sum = sums.data() + c * size;
    for (std::int64_t r = 1; r < runs; ++r)
      for (std::int64_t t = 0; t < size; ++t) sum[t] += sum[r * s.C * size + t];
    std::copy_n(sum, s.taps(), dw + c * s.taps());
    if (db) db[c] = static_cast<T>(sum[s.taps()]);
  }
}

// Image by image, whose planes lie side by side in the memory. A run of images and a range of
// channels has its own sums; runs are added in order.
template <typename T>
void conv2d_grad_weight_depthwise(const Conv2dShape& s, const T* x, const T* dy, T* dw) {
  const Slab<T> slab(s);
  const std::int64_t filters = filters_per_channel(s), size = filters * s.taps();
  const SlidingKernel<T>* const sliding = sliding_kernel_of<T>(s);
  const std::int64_t runs = std::clamp<std::int64_t>(
      kPartialBytes / static_cast<std::int64_t>(sizeof(double)) / (s.C * size), 1,
      std::clamp<std::int64_t>(s.N, 1, kPieces));
  const std::int64_t run = ceil_div(s.N, runs);
  const std::int64_t range = ceil_div(s.C, ceil_div(kPieces, runs)), ranges = ceil_div(s.C, range);
  std::vector<double> sums(static_cast<std::size_t>(runs * s.C * size));
  const bool far = is_beyond_cache<T>(s.N * s.K * s.pixels());
  parallel_for(runs * ranges, 1, [&](std::int64_t begin, std::int64_t end) {
    Array padded = zeroed<T>(slab.elements());
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = i % ranges * range, last = std::min(s.C, first + range);
      const std::int64_t from = i / ranges * run;
      for (std::int64_t n = from; n < std::min(s.N, from + run); ++n)
        for (std::int64_t c = first; c < last; ++c) {
          if (far)
            request_lines<false>(dy + (n * s.K + c * filters) * s.pixels(), s.pixels(), filters,
                                 s.pixels());
          slab.load(s, x + (n * s.C + c) * s.H * s.W, padded.data<T>());
          for (std::int64_t f = 0; f < filters; ++f) {
            const T* const grad = dy + (n * s.K + c * filters + f) * s.pixels();
            double* const sum = sums.data() + (i / ranges * s.C + c) * size + f * s.taps();
            if (sliding)
              sliding->dots(sliding_taps(s, slab, padded.data<T>()), grad, s.OW, sum);
            else
              tap_dots<T>(slab.plane(s, padded.data<T>()), grad, s.OW, sum);
          }
        }
    }
  });
  for (std::int64_t i = 0; i < s.C * size; ++i) {
    double sum = 0;
    for (std::int64_t r = 0; r < runs; ++r)
      sum += sums[static_cast<std::size_t>(r * s.C * size + i)];
    dw[i] = static_cast<T>(sum);
  }
}

#define TAPEDECK_INSTANTIATE(T)                                                                    \
  template void conv2d_depthwise(const Conv2dShape&, const T*, const T*, const T*, T*);            \
  template void conv2d_grad_input_depthwise(const Conv2dShape&, const T*, const T*, const T*, T*); \
  template void conv2d_grad_weight_depthwise(const Conv2dShape&, const T*, const T*, T*);          \
  template bool depthwise_reads_in_place<T>(const Conv2dShape&);                                   \
  template void conv2d_grad_filters_depthwise(const Conv2dShape&, const T*, const T*, T*, T*);
TAPEDECK_INSTANTIATE(float)
TAPEDECK_INSTANTIATE(double)
#undef TAPEDECK_INSTANTIATE

}  // namespace tapedeck::kernels
