#include <algorithm>
#include <limits>
#include <optional>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/grain.h>
#include <tapedeck/ops/kernels/max_pool_rows.h>
#include <tapedeck/ops/kernels/plane_bundles.h>
#include <tapedeck/ops/kernels/pool.h>
#include <tapedeck/ops/kernels/scratch.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kGrain = 1 << 15;   // elements in a piece of work
constexpr std::int64_t kWorthVectors = 4;  // columns of a window

// What all planes of a max-pooling share.
struct Windows {
  std::vector<PoolWindow> rows;
  std::vector<PoolWindow> columns;  // empty where vectors over neighbouring windows need none
  std::int64_t H, W, outputs;       // `outputs` in a row

  std::int64_t OH() const { return static_cast<std::int64_t>(rows.size()); }
  std::int64_t OW() const { return outputs; }
};

std::int64_t planes_per_piece(std::int64_t elements) { return grain_for(elements, kGrain); }

template <typename T>
void search_window(const T* plane, std::int64_t width, const PoolWindow& row,
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

// Windows of any kind, one after the other.
template <typename T>
void max_pool_windows(const Windows& s, const T* plane, T* values, std::int64_t* indices) {
  const bool fits = s.H * s.W <= std::numeric_limits<std::int32_t>::max();
  std::int64_t i = 0;
  for (const PoolWindow& row : s.rows)
    for (const PoolWindow& column : s.columns) {
      std::int64_t* const index = indices ? indices + i : nullptr;
      const bool whole = row.step == 1 && column.step == 1;
      if (!fits || !whole || column.end - column.begin < kWorthVectors ||
          !max_of_window(plane, s.W, row, column, values + i, index))
        search_window(plane, s.W, row, column, values + i, index);
      ++i;
    }
}

// Windows that are all alike go in vectors, over a copy of each plane
// with -infinity at its sides where one of them may reach beyond a row.
template <typename T>
class MaxPoolVectors {
 public:
  MaxPoolVectors(const Windows& s, const Pool2dGeometry& g, bool want_indices)
      : s_(s), left_(g.padding[1]) {
    if (want_indices) {
      first_inside_.resize(static_cast<std::size_t>(s.OW() + kMaxPoolLanes));
      for (std::int64_t o = 0; o < s.OW(); ++o)
        first_inside_[static_cast<std::size_t>(o)] =
            static_cast<index_of_width<T>>(pool_window(g, 1, s.W, o, false).begin);
    }
    plane_.rows = s.rows.data();
    plane_.output_rows = s.OH();
    plane_.taps = g.kernel[1];
    plane_.dilation = g.dilation[1];
    plane_.stride = g.stride[1];
    plane_.outputs = s.OW();
    plane_.width = s.W;
    plane_.first_column = -left_;
    plane_.first_inside = first_inside_.data();
    const std::int64_t reach = max_pool_reach(plane_, std::max(s.OW(), kMaxPoolLanes));
    copies_ = left_ > 0 || reach > s.W;
    plane_.pitch = copies_ ? std::max(reach, left_ + s.W) : s.W;
  }

  // For the planes that one thread goes through.
  Array scratch() const {
    Array padded = Array::empty({copies_ ? s_.H * plane_.pitch : 0}, dtype_of<T>);
    std::fill_n(padded.data<T>(), padded.numel(), -std::numeric_limits<T>::infinity());
    return padded;
  }

  void run(const T* in, std::int64_t planes, T* padded, T* values, std::int64_t* indices) const {
    MaxPoolPlane<T> plane = plane_;
    plane.in = in;
    plane.planes = planes;
    plane.apart = s_.H * s_.W;
    plane.values = values;
    plane.indices = indices;
    if (!copies_) return max_pool_planes(plane);
    plane.in = padded;
    plane.planes = 1;
    const std::int64_t outputs = s_.OH() * s_.OW();
    for (std::int64_t p = 0; p < planes; ++p, in += s_.H * s_.W, plane.values += outputs) {
      for (std::int64_t h = 0; h < s_.H; ++h)
        std::copy_n(in + h * s_.W, s_.W, padded + h * plane.pitch + left_);
      max_pool_planes(plane);
      if (indices) plane.indices += outputs;
    }
  }

 private:
  const Windows& s_;
  std::int64_t left_;
  std::vector<index_of_width<T>> first_inside_;
  MaxPoolPlane<T> plane_{};
  bool copies_;
};

// A row of windows of an image [H][W][C]; `indices` may be null.
template <typename T>
void max_row_of_pixels(const Windows& s, const T* image, std::int64_t C, const PoolWindow& row,
                       T* values, std::int64_t* indices) {
  for (const PoolWindow& column : s.columns) {
    max_of_channels(image, s.W, C, row, column, values, indices);
    values += C;
    if (indices) indices += C;
  }
}

// Vectors over the channels, which lie next to each other.
MaxPool max_pool_channels(const Array& x, const Windows& s, bool want_indices, const char* op) {
  const DimVector sizes{x.size(0), x.size(1), s.OH(), s.OW()};
  MaxPool out;
  out.values = empty_with_inner_channels(sizes, x.dtype());
  if (want_indices) out.indices = empty_with_inner_channels(sizes, kInt64);
  const std::int64_t C = x.size(1), row = s.OW() * C;
  dispatch_floating(x.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const in = x.data<T>();
    T* const values = out.values.data<T>();
    std::int64_t* const indices = want_indices ? out.indices.data<std::int64_t>() : nullptr;
    const std::int64_t grain = planes_per_piece(row * s.H * s.W / (s.OH() * s.OW()));
    parallel_for(x.size(0) * s.OH(), grain, [=, &s](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        const T* const image = in + r / s.OH() * s.H * s.W * C;
        const PoolWindow& window = s.rows[static_cast<std::size_t>(r % s.OH())];
        max_row_of_pixels(s, image, C, window, values + r * row,
                          indices ? indices + r * row : nullptr);
      }
    });
  });
  return out;
}

// `planes` planes as a bundle: vectors over their elements of one place.
template <typename T>
void max_pool_bundle(const Windows& s, const T* in, std::int64_t planes, T* values,
                     std::int64_t* indices) {
  const std::int64_t outputs = s.OH() * s.OW(), size = s.H * s.W;
  const Scratch<T> image(size * planes), best(outputs * planes);
  const Scratch<std::int64_t> places(indices ? outputs * planes : 0);
  PlanesToBundle<T> to_bundle(in, planes, size, image.data());
  std::int64_t at = 0;
  for (const PoolWindow& row : s.rows) {
    to_bundle.bundle_up_to(row.end * s.W);
    max_row_of_pixels(s, image.data(), planes, row, best.data() + at,
                      indices ? places.data() + at : nullptr);
    at += s.OW() * planes;
  }
  unbundle_planes(best.data(), planes, outputs, values);
  if (indices) unbundle_planes(places.data(), planes, outputs, indices);
}

// Windows that are few and lie far apart go faster one after the other, along their rows.
bool is_sparse(const Pool2dGeometry& g, std::int64_t outputs) {
  if (g.dilation[1] != 1 || g.kernel[1] < kWorthVectors) return false;
  return outputs == 1 || (outputs < kMaxPoolLanes && g.stride[1] > kMaxPoolLanes);
}

// Whether places in a plane, and the steps between lanes, fit into 32 bits.
bool fits_vectors(const Array& input, std::int64_t stride) {
  constexpr std::int64_t kWide = 1 << 20;
  return stride <= kWide &&
         input.size(2) * input.size(3) <= std::numeric_limits<std::int32_t>::max();
}

constexpr std::int64_t kFewestPlanes = 8;  // of a bundle

// Whether rows of so many windows are too short for vectors along them, and planes enough for
// vectors across: sooner where those would need a copy of each plane for the padding.
bool goes_in_bundles(const Array& input, std::int64_t height, std::int64_t outputs,
                     std::int64_t padding) {
  const std::int64_t size = input.size(2) * input.size(3) + height * outputs;
  return outputs < (padding > 0 ? 2 * kMaxPoolLanes : kMaxPoolLanes) &&
         input.size(0) * input.size(1) >= kFewestPlanes &&
         fits_bundle(size, element_size(input.dtype()));
}

// What a vector holds elements of.
enum class Across { Nothing, Windows, Planes };

// `geometry` is of vectors across windows.
MaxPool max_pool(const Array& input, const Windows& s, Across across,
                 const Pool2dGeometry* geometry, bool want_indices, const char* op) {
  if (has_inner_channels(input) && fits_vectors(input, 1))
    return max_pool_channels(input, s, want_indices, op);
  const Array x = contiguous(input);
  MaxPool out;
  out.values = Array::empty({x.size(0), x.size(1), s.OH(), s.OW()}, x.dtype());
  if (want_indices) out.indices = Array::empty(out.values.sizes(), kInt64);
  const std::int64_t outputs = s.OH() * s.OW();
  dispatch_floating(x.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::optional<MaxPoolVectors<T>> vectors;
    if (across == Across::Windows) vectors.emplace(s, *geometry, want_indices);
    const std::int64_t grain = planes_per_piece(s.H * s.W + outputs);
    const std::int64_t unit = across == Across::Planes ? kBundle : 1;
    parallel_for(x.size(0) * x.size(1), std::max(unit, grain / unit * unit),
                 [&](std::int64_t begin, std::int64_t end) {
                   const T* plane = x.data<T>() + begin * s.H * s.W;
                   T* values = out.values.data<T>() + begin * outputs;
                   std::int64_t* indices =
                       want_indices ? out.indices.data<std::int64_t>() + begin * outputs : nullptr;
                   if (vectors) {
                     const Array padded = vectors->scratch();
                     vectors->run(plane, end - begin, padded.data<T>(), values, indices);
                     return;
                   }
                   const auto move_on = [&](std::int64_t planes) {
                     plane += planes * s.H * s.W;
                     values += planes * outputs;
                     if (indices) indices += planes * outputs;
                   };
                   if (across == Across::Planes) {
                     for (; begin + kFewestPlanes <= end; begin += kBundle) {
                       const std::int64_t planes = std::min(kBundle, end - begin);
                       max_pool_bundle(s, plane, planes, values, indices);
                       move_on(planes);
                     }
                   }
                   for (; begin < end; ++begin) {
                     max_pool_windows(s, plane, values, indices);
                     move_on(1);
                   }
                 });
  });
  return out;
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

// False where an index is not in the output's own 2 x 2 square: `out` is then of no use.
template <typename T>
bool pairs_plane(const T* grad, const std::int64_t* indices, std::int64_t OH, std::int64_t OW,
                 std::int64_t H, std::int64_t W, T* out) {
  bool all = true;
  for (std::int64_t oh = 0; oh < OH && all; ++oh) {
    T* row = out + 2 * oh * W;
    all =
        max_pool_pairs_backward(grad + oh * OW, indices + oh * OW, OW, 2 * oh * W, W, row, row + W);
    if (2 * OW < W) row[W - 1] = row[2 * W - 1] = T{0};
  }
  std::fill(out + 2 * OH * W, out + H * W, T{0});
  return all;
}

// scatter() where the channels lie next to each other: some of them at a time.
template <typename Store>
Array scatter_channels(const char* op, const Array& x, const Array& indices, IntArrayRef sizes,
                       Store store) {
  constexpr std::int64_t kTogether = 64;
  Array out = empty_with_inner_channels(sizes, x.dtype());
  const std::int64_t C = sizes[1], H = sizes[2], W = sizes[3], outputs = x.size(2) * x.size(3);
  const std::int64_t parts = (C + kTogether - 1) / kTogether;
  dispatch_floating(x.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const std::int64_t grain = planes_per_piece((H * W + outputs) * std::min(C, kTogether));
    parallel_for(sizes[0] * parts, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t job = begin; job < end; ++job) {
        const std::int64_t image = job / parts, first = job % parts * kTogether;
        const std::int64_t count = std::min(kTogether, C - first);
        T* const to = out.data<T>() + image * H * W * C + first;
        const T* values = x.data<T>() + image * outputs * C + first;
        const std::int64_t* at = indices.data<std::int64_t>() + image * outputs * C + first;
        for (std::int64_t p = 0; p < H * W; ++p) std::fill_n(to + p * C, count, T{0});
        for (std::int64_t o = 0; o < outputs; ++o, values += C, at += C)
          for (std::int64_t c = 0; c < count; ++c) {
            check_index(op, at[c], H, W);
            store(to[at[c] * C + c], values[c]);
          }
      }
    });
  });
  return out;
}

// out = zeros; then store(out element, value) at each index.
template <typename Store>
Array scatter(const char* op, const Array& input, const Array& indices, IntArrayRef sizes,
              bool pairs, Store store) {
  check_planes(op, input.sizes(), sizes);
  check_indices(op, input.sizes(), indices);
  if (has_inner_channels(input) && has_inner_channels(indices))
    return scatter_channels(op, input, indices, sizes, store);
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
                     if (pairs && pairs_plane(values, index, x.size(2), x.size(3), H, W, plane))
                       continue;
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
  const std::int64_t H = input.size(2), W = input.size(3), OH = sizes[2], OW = sizes[3];
  constexpr std::int64_t kNarrowWindow = 8;
  const bool fits =
      fits_vectors(input, g.stride[1]) && (input.is_contiguous() || !has_inner_channels(input));
  const bool sparse = is_sparse(g, OW);
  Across across = fits && !sparse ? Across::Windows : Across::Nothing;
  if (fits && (!sparse || g.kernel[1] < kNarrowWindow) &&
      goes_in_bundles(input, OH, OW, g.padding[1]))
    across = Across::Planes;
  const Windows s{
      pool_windows(g, 0, H, OH, false),
      across == Across::Windows ? std::vector<PoolWindow>() : pool_windows(g, 1, W, OW, false), H,
      W, OW};
  const auto check = [&](int axis, std::int64_t output) {
    const PoolWindow window = pool_window(g, axis, input.size(2 + axis), output, false);
    TAPEDECK_CHECK(window.begin < window.end, op,
                   ": a window has all its taps in the padding (input ", input.sizes().ref(),
                   ", kernel ", IntArrayRef(g.kernel), ", padding ", IntArrayRef(g.padding),
                   ", dilation ", IntArrayRef(g.dilation), ")");
  };
  // Those that reach into the padding.
  for (const int axis : {0, 1}) {
    const std::int64_t reach = (g.kernel[axis] - 1) * g.dilation[axis] + 1;
    const std::int64_t stride = g.stride[axis], padding = g.padding[axis];
    for (std::int64_t o = 0; o < sizes[2 + axis] && o * stride < padding; ++o) check(axis, o);
    for (std::int64_t o = sizes[2 + axis] - 1;
         o >= 0 && o * stride - padding + reach > input.size(2 + axis); --o)
      check(axis, o);
  }
  return max_pool(input, s, across, &g, want_indices, op);
}

MaxPool adaptive_max_pool2d(const Array& input, IntArrayRef output_size, bool want_indices) {
  constexpr const char* op = "adaptive_max_pool2d";
  TAPEDECK_CHECK(input.dim() == 4 && input.size(1) > 0 && input.size(2) > 0 && input.size(3) > 0,
                 op, ": expected a 4-D input of at least one channel and one pixel, got ",
                 input.sizes().ref());
  TAPEDECK_CHECK(output_size.size() == 2 && output_size[0] > 0 && output_size[1] > 0, op,
                 ": expected an output_size of two positive numbers, got ", output_size);
  const Windows s{adaptive_windows(input.size(2), output_size[0]),
                  adaptive_windows(input.size(3), output_size[1]), input.size(2), input.size(3),
                  output_size[1]};
  return max_pool(input, s, Across::Nothing, nullptr, want_indices, op);
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
                   for (std::int64_t p = begin; p < end; ++p) {
                     const T* plane = x.data<T>() + p * H * W;
                     const std::int64_t* index = at.data<std::int64_t>() + p * outputs;
                     T* to = out.data<T>() + p * outputs;
                     for (std::int64_t i = 0; i < outputs; ++i) {
                       check_index(op, index[i], H, W);
                       to[i] = plane[index[i]];
                     }
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
