#include <tapedeck/ops/kernels/grid_sample.h>

#include <algorithm>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/grain.h>
#include <tapedeck/ops/kernels/grid_points.h>

namespace tapedeck::kernels {

namespace {

template <typename T>
GridAxis<T> axis_of(std::int64_t pixels, std::int64_t pixels_to_next, bool align_corners) {
  const double n = static_cast<double>(pixels);
  GridAxis<T> axis;
  axis.scale = static_cast<T>((align_corners ? n - 1 : n) / 2);
  axis.shift = static_cast<T>(align_corners ? 0 : 0.5);
  axis.last = static_cast<T>(n - 1);
  axis.low = -axis.shift;
  axis.span = static_cast<T>(align_corners ? n - 1 : n);
  axis.pixels_to_next = static_cast<std::int32_t>(pixels_to_next);
  return axis;
}

// What a call is about: images of `pixels` in C channels, `points` of each.
template <typename T>
struct Extents {
  Extents(IntArrayRef input, const Array& grid, const GridSampling& how)
      : N(input[0]), C(input[1]), points(numel_of(grid.sizes().ref().slice(1)) / grid.size(-1)) {
    axes.count = static_cast<int>(input.size()) - 2;
    axes.padding = how.padding;
    axes.mode = how.mode;
    for (int a = 0; a < axes.count; ++a) {
      const std::int64_t size = input[input.size() - 1 - static_cast<std::size_t>(a)];
      axes.axes[a] = axis_of<T>(size, pixels, how.align_corners);
      pixels *= size;
    }
  }

  // Calls body(image, first point, how many, where they lie) for blocks of all images.
  template <typename Body>
  void for_each_block(const T* grid, const Body& body) const {
    const std::int64_t blocks = ceil_div(points, kGridBlock);
    parallel_for(N * blocks, grain_for(kGridBlock * (C + 2)),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t b = begin; b < end; ++b)
                     locate_block(grid, b / blocks, b % blocks, body);
                 });
  }
  template <typename Body>
  void locate_block(const T* grid, std::int64_t image, std::int64_t b, const Body& body) const {
    GridBlock<T> block;
    const std::int64_t first = b * kGridBlock, n = std::min(kGridBlock, points - first);
    grid_points<T>().locate(axes, grid + (image * points + first) * axes.count, n, block);
    body(image, first, n, block);
  }

  std::int64_t N, C, points, pixels = 1;
  GridAxes<T> axes;
};

}  // namespace

// Coordinates are exact in float32, and indices in 32 bits.
bool grid_sample_serves(IntArrayRef image) {
  const auto is_short = [](std::int64_t size) { return size <= std::int64_t{1} << 24; };
  return std::all_of(image.begin(), image.end(), is_short) &&
         static_cast<double>(image[0]) * static_cast<double>(numel_of(image.slice(1))) <
             2147483648.;
}

// out[c][p] = sum over corners k of w_k[p] x[c][pixel_k[p]]
Array grid_sample(const Array& input, const Array& grid, const GridSampling& how) {
  DimVector sizes{input.size(0), input.size(1)};
  for (std::int64_t d = 1; d + 1 < grid.dim(); ++d) sizes.push_back(grid.size(d));
  const Array out = Array::empty(sizes, input.dtype());
  const Array x = contiguous(input), at = contiguous(grid);
  dispatch_floating(x.dtype(), "grid_sample", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Extents<T> e(x.sizes(), at, how);
    const std::int64_t image = e.C * e.pixels;
    e.for_each_block(at.data<T>(), [&](std::int64_t n, std::int64_t first, std::int64_t count,
                                       const GridBlock<T>& block) {
      grid_points<T>().sample(e.axes.corners(), block, {x.data<T>() + n * image, e.pixels, e.C},
                              count, out.data<T>() + n * e.C * e.points + first, e.points);
    });
  });
  return out;
}

// dx[c][pixel_k[p]] += w_k[p] g[c][p]
Array grid_sample_grad_input(const Array& grad_output, IntArrayRef input_sizes, const Array& grid,
                             const GridSampling& how) {
  const Array grad_input = Array::empty(input_sizes, grid.dtype());
  const Array g = contiguous(grad_output), at = contiguous(grid);
  dispatch_floating(g.dtype(), "grid_sample", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Extents<T> e(input_sizes, at, how);
    // Planes of an image share where its points lie, unless that leaves too few pieces for threads.
    const std::int64_t together = std::clamp<std::int64_t>(e.N * e.C / 16, 1, e.C);
    const std::int64_t groups = ceil_div(e.C, together), blocks = ceil_div(e.points, kGridBlock);
    parallel_for(e.N * groups, grain_for((e.points + e.pixels) * together),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t i = begin; i < end; ++i) {
                     const std::int64_t n = i / groups, c = n * e.C + i % groups * together;
                     const std::int64_t channels = std::min(together, (n + 1) * e.C - c);
                     T* const planes = grad_input.data<T>() + c * e.pixels;
                     const T* const grads = g.data<T>() + c * e.points;
                     std::fill_n(planes, channels * e.pixels, T{0});
                     for (std::int64_t b = 0; b < blocks; ++b)
                       e.locate_block(at.data<T>(), n, b,
                                      [&](std::int64_t, std::int64_t first, std::int64_t count,
                                          const GridBlock<T>& block) {
                                        grid_points<T>().add_back(
                                            e.axes.corners(), block,
                                            {grads + first, e.points, channels}, count, planes,
                                            e.pixels);
                                      });
                   }
                 });
  });
  return grad_input;
}

// dgrid[p][d] = slope_d[p] sum over c and k of g[c][p] x[c][pixel_k[p]] dw_k[p] / d part_d[p]
Array grid_sample_grad_grid(const Array& grad_output, const Array& input, const Array& grid,
                            const GridSampling& how) {
  const Array grad_grid = Array::empty(grid.sizes(), grid.dtype());
  const Array g = contiguous(grad_output), x = contiguous(input), at = contiguous(grid);
  dispatch_floating(x.dtype(), "grid_sample", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Extents<T> e(x.sizes(), at, how);
    const std::int64_t image = e.C * e.pixels;
    e.for_each_block(at.data<T>(), [&](std::int64_t n, std::int64_t first, std::int64_t count,
                                       const GridBlock<T>& block) {
      grid_points<T>().grad_points(e.axes.count, block, {x.data<T>() + n * image, e.pixels, e.C},
                                   g.data<T>() + n * e.C * e.points + first, e.points, count,
                                   grad_grid.data<T>() + (n * e.points + first) * e.axes.count);
    });
  });
  return grad_grid;
}

}  // namespace tapedeck::kernels
