#include <tapedeck/ops/kernels/copy.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/layout.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/binary_loops.h>
#include <tapedeck/ops/kernels/convert_rows.h>
#include <tapedeck/ops/kernels/copy_run.h>
#include <tapedeck/ops/kernels/loop_nest.h>
#include <tapedeck/ops/kernels/move_bytes.h>
#include <tapedeck/ops/kernels/row_moves.h>
#include <tapedeck/ops/kernels/transpose.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kGrainBytes = 1 << 18;
constexpr std::int64_t kTile = 32;

// The axis that is innermost in the source, where dst's innermost one is another: the copy is then
// a batch of 2-D transposes. -1 where there is none, or a transpose has too few elements to be
// worth its while.
int transposed_axis(const LoopNest& nest) {
  constexpr std::int64_t kWorthATranspose = 32;
  const int inner = nest.dims - 1;
  if (nest.dims < 2 || nest.strides[1][inner] <= nest.item_size[1]) return -1;
  for (int d = 0; d < inner; ++d)
    if (nest.strides[1][d] == nest.item_size[1] && nest.sizes[d] >= 4)
      return nest.sizes[d] * nest.sizes[inner] >= kWorthATranspose ? d : -1;
  return -1;
}

// A tile of at most kTile * kTile elements whose rows are columns of the source.
template <typename T>
void copy_tile(char* dst, std::int64_t dst_row, std::int64_t dst_col, const char* src,
               std::int64_t src_row, std::int64_t src_col, std::int64_t rows, std::int64_t cols) {
  constexpr std::int64_t kSize = sizeof(T);
  if constexpr (kSize >= 4) {
    if (dst_col == kSize) {
      T* const to = reinterpret_cast<T*>(dst);
      constexpr std::int64_t kNear = 512;  // bytes
      if (src_col > 0 && src_col <= kNear) {
        transpose(reinterpret_cast<const T*>(src), src_col / kSize, cols, rows, to,
                  dst_row / kSize);
        return;
      }
      // Through a buffer: lines of the source that lie a power of two apart would push each other
      // out of the cache before all of them is read.
      alignas(64) T tile[kTile * kTile];
      for (std::int64_t c = 0; c < cols; ++c)
        move_bytes(reinterpret_cast<char*>(tile + c * rows), src + c * src_col, rows * kSize);
      transpose(tile, rows, cols, rows, to, dst_row / kSize);
      return;
    }
  }
  for (std::int64_t r = 0; r < rows; ++r)
    copy_run<T>(dst + r * dst_row, dst_col, src + r * src_row, src_col, cols);
}

template <typename T>
void copy_transposed(LoopNest nest, int axis) {
  const int inner = nest.dims - 1;
  const std::int64_t rows = nest.sizes[axis], cols = nest.sizes[inner];
  const std::int64_t dst_row = nest.strides[0][axis], dst_col = nest.strides[0][inner];
  const std::int64_t src_row = nest.strides[1][axis], src_col = nest.strides[1][inner];
  // What remains is a nest over the other axes, with the blocks of rows as its innermost one.
  const std::int64_t block = kTile * kTile / std::min(cols, kTile);
  const std::int64_t blocks = (rows + block - 1) / block;
  for (int d = axis; d < inner; ++d) {
    nest.sizes[d] = nest.sizes[d + 1];
    for (int k = 0; k < 2; ++k) nest.strides[k][d] = nest.strides[k][d + 1];
  }
  nest.sizes[inner - 1] = blocks;
  nest.strides[0][inner - 1] = block * dst_row;
  nest.strides[1][inner - 1] = block * src_row;
  nest.dims = inner;

  const std::int64_t jobs = nest.numel / (rows * cols) * blocks;
  const std::int64_t block_bytes = std::min(rows, block) * cols * std::int64_t{sizeof(T)};
  const std::int64_t grain = std::max<std::int64_t>(1, kGrainBytes / block_bytes);
  parallel_for(jobs, grain, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t job = begin;
    nest.for_each_run(begin, end, [&](char* const* at, std::int64_t count) {
      for (std::int64_t b = 0; b < count; ++b, ++job) {
        const std::int64_t height = std::min(block, rows - job % blocks * block);
        char* const dst = at[0] + b * block * dst_row;
        const char* const src = at[1] + b * block * src_row;
        for (std::int64_t c0 = 0; c0 < cols; c0 += kTile)
          copy_tile<T>(dst + c0 * dst_col, dst_row, dst_col, src + c0 * src_col, src_row, src_col,
                       height, std::min(kTile, cols - c0));
      }
    });
  });
}

// Calls body(pointers, count) for stretches of the last axis but one, in parallel.
template <typename Body>
void for_each_row(const LoopNest& nest, Body body) {
  constexpr std::int64_t kFewRows = 16;
  const std::int64_t run = nest.inner_size();
  LoopNest rows = nest;
  --rows.dims;
  rows.numel /= run;
  const std::int64_t count = rows.inner_size();
  const std::int64_t grain = std::max<std::int64_t>(1, kGrainBytes / (run * nest.item_size[0]));
  if (rows.dims < 2 || count >= kFewRows) {
    parallel_for(rows.numel, grain, [&](std::int64_t begin, std::int64_t end) {
      rows.for_each_run(begin, end, body);
    });
    return;
  }
  // So few rows that the steps from one stretch to the next count: by a plain loop.
  LoopNest planes = rows;
  --planes.dims;
  planes.numel /= count;
  const std::int64_t dst_next = planes.inner_stride(0), src_next = planes.inner_stride(1);
  parallel_for(planes.numel, std::max<std::int64_t>(1, grain / count),
               [&](std::int64_t begin, std::int64_t end) {
                 planes.for_each_run(begin, end, [&](char* const* at, std::int64_t n) {
                   char* plane[] = {at[0], at[1]};
                   for (std::int64_t i = 0; i < n; ++i) {
                     body(plane, count);
                     plane[0] += dst_next;
                     plane[1] += src_next;
                   }
                 });
               });
}

constexpr std::int64_t kShortRow = 1 << 12;  // bytes
constexpr std::int64_t kShortRun = 16;       // elements

// Whether the innermost runs are gapless and so short that the steps from one to the next count.
bool has_short_rows(const LoopNest& nest) {
  const std::int64_t size = nest.item_size[0], bytes = nest.inner_size() * size;
  return nest.dims >= 2 && nest.inner_stride(0) == size && nest.inner_stride(1) == size &&
         bytes >= 16 && bytes <= kShortRow;
}
void copy_short_rows(const LoopNest& nest) {
  const int outer = nest.dims - 2;
  const std::int64_t bytes = nest.inner_size() * nest.item_size[0];
  const std::int64_t dst_next = nest.strides[0][outer], src_next = nest.strides[1][outer];
  constexpr std::int64_t kWorthVectors = 64;
  for_each_row(nest, [=](char* const* at, std::int64_t n) {
    if (bytes >= kWorthVectors)
      return detail::copy_rows(at[0], dst_next, at[1], src_next, bytes, n);
    char* dst = at[0];
    const char* src = at[1];
    for (std::int64_t i = 0; i < n; ++i, dst += dst_next, src += src_next)
      move_bytes(dst, src, bytes);
  });
}

// Whether the innermost runs are every second element of the source's.
bool has_rows_of_every_second(const LoopNest& nest) {
  constexpr std::int64_t kWorthVectors = 8;
  const std::int64_t size = nest.item_size[0];
  return nest.dims >= 2 && size >= 4 && nest.inner_size() > kWorthVectors &&
         nest.inner_stride(0) == size && nest.inner_stride(1) == 2 * size;
}
void copy_rows_of_every_second(const LoopNest& nest) {
  const int outer = nest.dims - 2;
  const std::int64_t size = nest.item_size[0], run = nest.inner_size();
  const std::int64_t dst_next = nest.strides[0][outer], src_next = nest.strides[1][outer];
  for_each_row(nest, [=](char* const* at, std::int64_t n) {
    detail::copy_every_second(at[0], dst_next, at[1], src_next, size, run, n);
  });
}

// Whether the innermost runs are too short for a loop each.
bool has_short_runs(const LoopNest& nest) {
  return nest.dims >= 2 && nest.sizes[nest.dims - 1] <= kShortRun;
}
template <typename T>
void copy_short_runs(const LoopNest& nest) {
  constexpr std::int64_t kTinyRun = 4, kRuns = 512;
  const int inner = nest.dims - 1;
  const std::int64_t run = nest.sizes[inner];
  const std::int64_t dst_stride = nest.strides[0][inner], src_stride = nest.strides[1][inner];
  const std::int64_t dst_next = nest.strides[0][inner - 1], src_next = nest.strides[1][inner - 1];
  if (run <= kTinyRun && nest.sizes[inner - 1] >= 8 * run) {
    // The innermost two axes in the other order: for each place of a run the same place of many, as
    // many as the cache holds.
    for_each_row(nest, [=](char* const* at, std::int64_t n) {
      for (std::int64_t first = 0; first < n; first += kRuns)
        for (std::int64_t j = 0; j < run; ++j)
          copy_run<T>(at[0] + first * dst_next + j * dst_stride, dst_next,
                      at[1] + first * src_next + j * src_stride, src_next,
                      std::min(kRuns, n - first));
    });
    return;
  }
  const std::int64_t bytes = run * std::int64_t{sizeof(T)};
  const bool repeats = sizeof(T) >= 4 && src_stride == 0 && dst_stride == std::int64_t{sizeof(T)} &&
                       dst_next == bytes;
  for_each_row(nest, [=](char* const* at, std::int64_t n) {
    char* dst = at[0];
    const char* src = at[1];
    std::int64_t i = 0;
    if (src_stride == 0 && dst_stride == std::int64_t{sizeof(T)} && !repeats) {
      for (; i < n; ++i, dst += dst_next, src += src_next)
        fill_run(dst, pattern_of(load<T>(src)), bytes);
      return;
    }
    if (repeats) {
      // But for as many runs as make up for what is written behind the last one.
      i = std::max<std::int64_t>(0, n - 64 / bytes - 1);
      detail::spread_column(dst, src, src_next, sizeof(T), i, run);
      dst += i * dst_next;
      src += i * src_next;
    }
    for (; i < n; ++i, dst += dst_next, src += src_next)
      copy_few<T>(dst, dst_stride, src, src_stride, run);
  });
}

template <typename To, typename From>
To convert(From value) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>)
    return static_cast<To>(static_cast<std::int64_t>(value));
  else
    return static_cast<To>(value);
}

void convert_linear(const Array& src, const Array& dst) {
  if (dst.dtype() == ScalarType::Bool) {
    const std::uint64_t zero = 0;
    const RowInput in[] = {src, {&zero, element_size(src.dtype())}};
    run_rows(find_comparison(BinaryOp::Ne, src.dtype()), nullptr, dst, in, 2);
    return;
  }
  const ConvertRow convert_row = find_conversion(src.dtype(), dst.dtype());
  const auto* const from = static_cast<const char*>(src.raw());
  auto* const to = static_cast<char*>(dst.raw());
  const std::int64_t from_size = element_size(src.dtype()), to_size = element_size(dst.dtype());
  parallel_for(src.numel(), kGrainBytes / 8, [=](std::int64_t begin, std::int64_t end) {
    convert_row(from + begin * from_size, to + begin * to_size, end - begin);
  });
}

// Rows of which neither side has gaps, converted from where they lie to where they belong; false
// where the innermost runs are shorter, or are to become bools.
bool convert_rows(const Array& src, const Array& dst) {
  constexpr std::int64_t kLongRow = 16;
  if (dst.dtype() == ScalarType::Bool) return false;
  LoopNest nest(dst.sizes());
  nest.add(dst);
  nest.add(src);
  nest.collapse();
  if (nest.inner_stride(0) != nest.item_size[0] || nest.inner_stride(1) != nest.item_size[1] ||
      nest.inner_size() < kLongRow)
    return false;
  const ConvertRow convert_row = find_conversion(src.dtype(), dst.dtype());
  parallel_for(nest.numel, kGrainBytes / 8, [&](std::int64_t begin, std::int64_t end) {
    nest.for_each_run(begin, end,
                      [=](char* const* at, std::int64_t n) { convert_row(at[1], at[0], n); });
  });
  return true;
}

void copy_linear(const void* src, void* dst, std::int64_t bytes) {
  const bool streams = bytes >= detail::kBeyondCaches;
  parallel_for(bytes, kGrainBytes, [=](std::int64_t begin, std::int64_t end) {
    const auto copy_part = streams ? detail::stream_bytes : detail::copy_bytes;
    copy_part(static_cast<char*>(dst) + begin, static_cast<const char*>(src) + begin, end - begin);
    if (streams) detail::end_stream();
  });
}

void copy_same_dtype(const Array& src, Array& dst);

// Where the outer axes of the source, `times` elements of them, repeat what the inner ones have:
// that once, and then copies of it.
void copy_repeated(const Array& src, Array& dst, std::int64_t times) {
  const std::int64_t part = dst.numel() / times, bytes = dst.nbytes() / times;
  // The axes that have `part` elements, from the last one on.
  std::int64_t axes = 0;
  for (std::int64_t n = 1;
       n < part || (axes < dst.dim() && dst.sizes()[dst.dim() - axes - 1] == 1);)
    n *= dst.sizes()[dst.dim() - ++axes];
  Array from = src, to = dst;
  for (std::int64_t d = dst.dim() - axes; d-- > 0;) {
    from = from.select(0, 0);
    to = to.select(0, 0);
  }
  copy_same_dtype(from, to);
  char* const first = static_cast<char*>(dst.raw());
  // Of a short part a run of copies is made first, each step of which doubles it.
  constexpr std::int64_t kLongPart = 1 << 12;
  std::int64_t together = 1;
  for (; together * 2 <= times && together * bytes < kLongPart; together *= 2)
    detail::copy_bytes(first + together * bytes, first, together * bytes);
  const std::int64_t runs = (times - 1) / together;  // behind the first one; the last may be cut
  const std::int64_t grain = std::max<std::int64_t>(1, kGrainBytes / (together * bytes));
  parallel_for(runs, grain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = (begin + 1) * together; i < (end + 1) * together; i += together)
      detail::copy_bytes(first + i * bytes, first, std::min(together, times - i) * bytes);
  });
}

// Same shape after broadcasting, same dtype, no overlap.
void copy_same_dtype(const Array& src, Array& dst) {
  if (src.is_contiguous() && dst.is_contiguous() && src.numel() == dst.numel()) {
    copy_linear(src.raw(), dst.raw(), dst.nbytes());
    return;
  }
  LoopNest nest(dst.sizes());
  nest.add(dst);
  nest.add(src);
  nest.collapse();
  if (nest.is_linear(0) && nest.is_linear(1)) {
    copy_linear(nest.data[1], nest.data[0], dst.nbytes());
    return;
  }
  if (nest.dims >= 2 && nest.strides[1][0] == 0 && dst.is_contiguous()) {
    copy_repeated(src, dst, nest.sizes[0]);
    return;
  }
  if (has_short_rows(nest)) return copy_short_rows(nest);
  if (has_rows_of_every_second(nest)) return copy_rows_of_every_second(nest);
  with_word(nest.item_size[0], [&](auto tag) {
    using T = typename decltype(tag)::type;
    if (const int axis = transposed_axis(nest); axis >= 0) {
      copy_transposed<T>(nest, axis);
      return;
    }
    if (has_short_runs(nest)) return copy_short_runs<T>(nest);
    const std::int64_t dst_stride = nest.inner_stride(0), src_stride = nest.inner_stride(1);
    parallel_for(nest.numel, kGrainBytes / std::int64_t{sizeof(T)},
                 [&](std::int64_t begin, std::int64_t end) {
                   nest.for_each_run(begin, end, [&](char* const* at, std::int64_t n) {
                     copy_run<T>(at[0], dst_stride, at[1], src_stride, n);
                   });
                 });
  });
}

// First byte and one past the last.
std::pair<const char*, const char*> extent(const Array& a) {
  const char* const begin = static_cast<const char*>(a.raw());
  std::int64_t last = 0;
  for (std::size_t d = 0; d < a.sizes().size(); ++d) last += (a.sizes()[d] - 1) * a.strides()[d];
  return {begin, begin + (last + 1) * element_size(a.dtype())};
}

}  // namespace

bool may_overlap(const Array& a, const Array& b) {
  if (!a.shares_storage(b) || a.numel() == 0 || b.numel() == 0) return false;
  const auto [a_begin, a_end] = extent(a);
  const auto [b_begin, b_end] = extent(b);
  return a_begin < b_end && b_begin < a_end;
}

void copy(const Array& src, Array& dst) {
  TAPEDECK_CHECK(!dst.has_internal_overlap(),
                 "copy: the destination has elements that share memory (an expanded view): shape ",
                 dst.sizes().ref(), ", strides ", dst.strides().ref());
  if (src.sizes() != dst.sizes()) {
    const Array expanded = src.expand(dst.sizes());
    if (dst.numel() == 0) return;
    if (src.dtype() != dst.dtype()) return copy(cast(src, dst.dtype()), dst);
    return may_overlap(src, dst) ? copy_same_dtype(clone(src).expand(dst.sizes()), dst)
                                 : copy_same_dtype(expanded, dst);
  }
  if (dst.numel() == 0 || src.same_view(dst)) return;
  if (may_overlap(src, dst)) return copy(clone(src), dst);
  if (src.dtype() == dst.dtype()) return copy_same_dtype(src, dst);
  if (!(src.is_contiguous() && dst.is_contiguous()) && convert_rows(src, dst)) return;
  const Array from = contiguous(src);
  if (dst.is_contiguous()) return convert_linear(from, dst);
  Array converted = Array::empty(dst.sizes(), dst.dtype());
  convert_linear(from, converted);
  copy_same_dtype(converted, dst);
}

Array clone(const Array& src) {
  Array out = Array::empty(src.sizes(), src.dtype());
  if (src.numel() > 0) copy_same_dtype(src, out);
  return out;
}

Array contiguous(const Array& src) { return src.is_contiguous() ? src : clone(src); }

Array cast(const Array& src, ScalarType dtype) {
  if (src.dtype() == dtype) return src;
  Array out = Array::empty(src.sizes(), dtype);
  if (src.numel() > 0) convert_linear(contiguous(src), out);
  return out;
}

Array copy_preserving(const Array& src, ScalarType dtype) {
  Array out = src.is_contiguous() ? Array::empty(src.sizes(), dtype) : empty_preserving(src, dtype);
  if (out.is_contiguous()) {
    copy(src, out);
    return out;
  }
  const DimVector order = memory_order(out);
  Array walked = in_order(out, order);
  copy(in_order(src, order), walked);
  return out;
}

namespace {

// Repeats the element over an array without gaps.
void fill_linear(const Array& dst, const char* element) {
  with_word(element_size(dst.dtype()), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const std::uint64_t pattern = pattern_of(load<T>(element));
    parallel_for(
        dst.nbytes(), kGrainBytes,
        [pattern, to = static_cast<char*>(dst.raw())](std::int64_t begin, std::int64_t end) {
          fill_run(to + begin, pattern, end - begin);
        });
  });
}

}  // namespace

void fill(Array& dst, Scalar value) {
  TAPEDECK_CHECK(!dst.has_internal_overlap(),
                 "fill: the destination has elements that share memory (an expanded view): shape ",
                 dst.sizes().ref(), ", strides ", dst.strides().ref());
  tapedeck::detail::check_fits(value, dst.dtype(), "fill");
  if (dst.numel() == 0) return;
  char element[8];
  dispatch_all(dst.dtype(), "fill", [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<T, bool>)
      store<T>(element, value.toBool());
    else
      store<T>(element, value.isFloatingPoint() ? convert<T>(value.toDouble()) : value.to<T>());
  });
  if (dst.is_contiguous()) {
    fill_linear(dst, element);
    return;
  }
  LoopNest nest(dst.sizes());
  nest.add(dst);
  nest.collapse();
  with_word(nest.item_size[0], [&](auto tag) {
    using T = typename decltype(tag)::type;
    const std::int64_t stride = nest.inner_stride(0);
    const char* const from = element;
    if (nest.dims >= 2 && stride == nest.item_size[0]) {
      const std::int64_t bytes = nest.inner_size() * stride;
      const std::uint64_t pattern = pattern_of(load<T>(from));
      LoopNest rows = nest;
      --rows.dims;
      rows.numel /= nest.inner_size();
      const std::int64_t next = rows.inner_stride(0);
      parallel_for(rows.numel, std::max<std::int64_t>(1, kGrainBytes / bytes),
                   [&](std::int64_t begin, std::int64_t end) {
                     rows.for_each_run(begin, end, [=](char* const* at, std::int64_t n) {
                       detail::fill_rows(at[0], pattern, bytes, n, next);
                     });
                   });
      return;
    }
    parallel_for(nest.numel, kGrainBytes / std::int64_t{sizeof(T)},
                 [&](std::int64_t begin, std::int64_t end) {
                   nest.for_each_run(begin, end, [=](char* const* at, std::int64_t n) {
                     copy_run<T>(at[0], stride, from, 0, n);
                   });
                 });
  });
}

Array full(IntArrayRef sizes, Scalar value, ScalarType dtype) {
  Array out = Array::empty(sizes, dtype);
  fill(out, value);
  return out;
}

Array zeros(IntArrayRef sizes, ScalarType dtype) {
  Array out = Array::empty(sizes, dtype);
  const char zero[8] = {};
  fill_linear(out, zero);
  return out;
}

Array ones(IntArrayRef sizes, ScalarType dtype) { return full(sizes, 1, dtype); }

}  // namespace tapedeck::kernels
