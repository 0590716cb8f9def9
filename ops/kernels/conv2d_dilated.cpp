#include <tapedeck/ops/kernels/conv2d_dilated.h>

#include <algorithm>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/pixel_tiles.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kPieceElements = 1 << 15;

// Calls body(plane, part, first row, first column, rows, columns) for the pixels of every plane
// that go to its image in `parts`, where `part` is the element at which it begins.
template <typename Body>
void each_part(const Conv2dShape& s, IntArrayRef whole, IntArrayRef parts, Body&& body) {
  const std::int64_t channels = whole[1], H = whole[2], W = whole[3];
  const std::int64_t part_size = parts[2] * parts[3];
  const std::int64_t grain =
      std::max<std::int64_t>(1, kPieceElements / std::max<std::int64_t>(1, H * W));
  parallel_for(whole[0] * channels, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t plane = begin; plane < end; ++plane)
      for (std::int64_t a = 0; a < s.dilation_h; ++a)
        for (std::int64_t b = 0; b < s.dilation_w; ++b) {
          const std::int64_t image = (plane / channels * s.dilation_h + a) * s.dilation_w + b;
          body(plane, (image * channels + plane % channels) * part_size, a, b,
               ceil_div(std::max<std::int64_t>(0, H - a), s.dilation_h),
               ceil_div(std::max<std::int64_t>(0, W - b), s.dilation_w));
        }
  });
}

DimVector part_sizes(const Conv2dShape& s, IntArrayRef whole) {
  return {whole[0] * s.dilation_h * s.dilation_w, whole[1], ceil_div(whole[2], s.dilation_h),
          ceil_div(whole[3], s.dilation_w)};
}

}  // namespace

bool dilated_supports(const Conv2dShape& s) {
  return s.stride_h == 1 && s.stride_w == 1 && (s.dilation_h > 1 || s.dilation_w > 1) &&
         s.pad_top % s.dilation_h == 0 && s.pad_left % s.dilation_w == 0;
}

Conv2dGeometry dilated_geometry(const Conv2dShape& s) {
  Conv2dGeometry g;
  g.groups = s.groups;
  g.padding[0] = s.pad_top / s.dilation_h;
  g.padding[1] =
      ceil_div(s.OH, s.dilation_h) + s.KH - 1 - ceil_div(s.H, s.dilation_h) - g.padding[0];
  g.padding[2] = s.pad_left / s.dilation_w;
  g.padding[3] =
      ceil_div(s.OW, s.dilation_w) + s.KW - 1 - ceil_div(s.W, s.dilation_w) - g.padding[2];
  return g;
}

Conv2dShape dilated_shape(const Conv2dShape& s) {
  return Conv2dShape(part_sizes(s, DimVector{s.N, s.C, s.H, s.W}),
                     DimVector{s.K, s.group_channels(), s.KH, s.KW},
                     part_sizes(s, DimVector{s.N, s.K, s.OH, s.OW}), dilated_geometry(s));
}

Array split_dilated(const Conv2dShape& s, const Array& array) {
  const DimVector sizes = part_sizes(s, array.sizes());
  Array images = Array::empty(sizes, array.dtype());
  dispatch_floating(array.dtype(), "conv2d", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const std::int64_t H = array.size(2), W = array.size(3), width = sizes[3];
    const T* const from = array.data<T>();
    T* const out = images.data<T>();
    each_part(s, array.sizes(), sizes,
              [&](std::int64_t plane, std::int64_t part, std::int64_t a, std::int64_t b,
                  std::int64_t rows, std::int64_t columns) {
                T* const to = out + part;
                if (rows < sizes[2] || columns < width) std::fill_n(to, sizes[2] * width, T{0});
                pixel_tiles<T>().gather_rows(from + (plane * H + a) * W + b, s.dilation_h * W,
                                             s.dilation_w, rows, columns, to, width);
              });
  });
  return images;
}

Array join_dilated(const Conv2dShape& s, const Array& images, IntArrayRef sizes) {
  Array joined = Array::empty(sizes, images.dtype());
  dispatch_floating(images.dtype(), "conv2d", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const std::int64_t H = sizes[2], W = sizes[3], width = images.size(3);
    const T* const parts = images.data<T>();
    T* const out = joined.data<T>();
    const bool pairs = s.dilation_w == 2;
    // Where two columns alternate, the second column's image is the one after the first's.
    const std::int64_t image = images.size(1) * images.size(2) * width;
    each_part(s, sizes, images.sizes(),
              [&](std::int64_t plane, std::int64_t part, std::int64_t a, std::int64_t b,
                  std::int64_t rows, std::int64_t columns) {
                for (std::int64_t r = 0; r < rows; ++r) {
                  const T* const from = parts + part + r * width;
                  T* const to = out + (plane * H + a + r * s.dilation_h) * W;
                  if (pairs && b == 0) {
                    pixel_tiles<T>().interleave(from, from + image, W / 2, to);
                    if (W % 2 != 0) to[W - 1] = from[W / 2];
                  } else if (!pairs) {
                    for (std::int64_t i = 0; i < columns; ++i) to[b + i * s.dilation_w] = from[i];
                  }
                }
              });
  });
  return joined;
}

}  // namespace tapedeck::kernels
