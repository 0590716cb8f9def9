#include <tapedeck/ops/kernels/pad.h>

#include <algorithm>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/move_bytes.h>
#include <tapedeck/ops/kernels/words.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kGrain = 65536;  // elements worth a chunk

// Where the runs of the input, of `run` elements each, begin in the output: one for each index of
// the outer axes.
class Runs {
 public:
  Runs(const Array& x, IntArrayRef before, IntArrayRef sizes) {
    // The innermost axis that is padded ends the runs.
    auto inner = static_cast<std::int64_t>(sizes.size()) - 1;
    const auto is_whole = [&](std::int64_t d) {
      return sizes[static_cast<std::size_t>(d)] == x.sizes()[d];
    };
    for (; inner > 0 && is_whole(inner); --inner) stride_ *= x.sizes()[inner];
    if (inner >= 0) {
      const auto axis = static_cast<std::size_t>(inner);
      run_ = x.sizes()[inner] * stride_;
      first_ = before[axis] * stride_;
      stride_ *= sizes[axis];
    }
    for (std::int64_t d = inner - 1; d >= 0; --d) {
      const auto axis = static_cast<std::size_t>(d);
      // Axes that are walked as one.
      if (!extents_.empty() && stride_ == strides_[0] * extents_[0]) {
        extents_[0] *= x.sizes()[d];
      } else {
        extents_.insert(0, x.sizes()[d]);
        strides_.insert(0, stride_);
      }
      first_ += before[axis] * stride_;
      stride_ *= sizes[axis];
      count_ *= x.sizes()[d];
    }
  }

  std::int64_t count() const { return count_; }
  std::int64_t run() const { return run_; }

  // Calls body(run, place in the output) for the runs [begin, end).
  template <typename Body>
  void for_each(std::int64_t begin, std::int64_t end, const Body& body) const {
    const auto dims = static_cast<std::int64_t>(extents_.size());
    DimVector index(extents_.size());
    std::int64_t place = first_, rest = begin;
    for (std::int64_t d = dims - 1; d >= 0; --d) {
      index[d] = rest % extents_[d];
      rest /= extents_[d];
      place += index[d] * strides_[d];
    }
    if (dims == 0) {
      for (std::int64_t r = begin; r < end; ++r) body(r, place);
      return;
    }
    const std::int64_t last = dims - 1, step = strides_[last];
    for (std::int64_t r = begin; r < end;) {
      const std::int64_t count = std::min(extents_[last] - index[last], end - r);
      for (std::int64_t i = 0; i < count; ++i, ++r, place += step) body(r, place);
      index[last] += count;
      for (std::int64_t d = last; d >= 0 && index[d] == extents_[d]; --d) {
        place -= extents_[d] * strides_[d];
        index[d] = 0;
        if (d == 0) break;
        place += strides_[d - 1];
        ++index[d - 1];
      }
    }
  }

 private:
  DimVector extents_, strides_;
  std::int64_t stride_ = 1, run_ = 1, first_ = 0, count_ = 1;
};

}  // namespace

Array pad_constant(const Array& x, IntArrayRef before, IntArrayRef sizes, Scalar value) {
  if (x.numel() == 0) return full(sizes, value, x.dtype());
  if (x.sizes() == sizes) return clone(x);
  const Array from = contiguous(x), fill = full({1}, value, x.dtype());
  const Array out = Array::empty(sizes, x.dtype());
  const Runs runs(from, before, sizes);
  dispatch_word(x.dtype(), [&](auto tag) {
    using Word = typename decltype(tag)::type;
    const auto* const in = static_cast<const Word*>(from.raw());
    auto* const to = static_cast<Word*>(out.raw());
    const Word around = *static_cast<const Word*>(fill.raw());
    const std::int64_t run = runs.run(), last = runs.count(), numel = out.numel();
    // A run brings what lies between the one before it and itself: every element is written once,
    // and in order.
    parallel_for(last, std::max<std::int64_t>(1, kGrain / (numel / last)),
                 [&](std::int64_t begin, std::int64_t end) {
                   std::int64_t written = 0;
                   if (begin > 0)
                     runs.for_each(begin - 1, begin, [&](std::int64_t, std::int64_t place) {
                       written = place + run;
                     });
                   runs.for_each(begin, end, [&](std::int64_t r, std::int64_t place) {
                     for (; written < place; ++written) to[written] = around;
                     move_bytes(reinterpret_cast<char*>(to + place),
                                reinterpret_cast<const char*>(in + r * run),
                                run * std::int64_t{sizeof(Word)});
                     written += run;
                   });
                   if (end == last) std::fill(to + written, to + numel, around);
                 });
  });
  return out;
}

Array pad_circular(const Array& x, std::int64_t axis, std::int64_t before, std::int64_t after) {
  if (axis > 0) return pad_circular_planes(x, axis, before, after, 0, 0);
  return pad_circular_planes(x.unsqueeze(0), 1, before, after, 0, 0).squeeze(0);
}

Array pad_circular_planes(const Array& x, std::int64_t axis, std::int64_t before,
                          std::int64_t after, std::int64_t rows_before, std::int64_t rows_after) {
  DimVector sizes = x.sizes();
  const std::int64_t size = sizes[axis], rows = sizes[axis - 1];
  sizes[axis] += before + after;
  sizes[axis - 1] += rows_before + rows_after;
  const Array out = Array::empty(sizes, x.dtype());
  if (out.numel() == 0) return out;
  const Array from = contiguous(x);
  std::int64_t step = element_size(x.dtype());  // bytes from one place of the axis to the next
  for (std::int64_t d = axis + 1; d < x.dim(); ++d) step *= sizes[d];
  const std::int64_t line = sizes[axis] * step, plane = sizes[axis - 1] * line;
  const auto* const in = static_cast<const char*>(from.raw());
  auto* const to = static_cast<char*>(out.raw());
  const auto fill_lines = [=](const char* src, char* dst, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i, src += size * step, dst += line) {
      move_bytes(dst, src + (size - before) * step, before * step);
      move_bytes(dst + before * step, src, size * step);
      move_bytes(dst + (before + size) * step, src, after * step);
    }
  };
  if (rows_before + rows_after == 0) {  // many lines, perhaps of one plane
    parallel_for(out.nbytes() / line, std::max<std::int64_t>(1, kGrain * 4 / line),
                 [=](std::int64_t begin, std::int64_t end) {
                   fill_lines(in + begin * size * step, to + begin * line, end - begin);
                 });
    return out;
  }
  parallel_for(out.nbytes() / plane, std::max<std::int64_t>(1, kGrain * 4 / plane),
               [=](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t p = begin; p < end; ++p) {
                   char* const top = to + p * plane;
                   char* const first = top + rows_before * line;
                   fill_lines(in + p * rows * size * step, first, rows);
                   move_bytes(top, top + rows * line, rows_before * line);
                   move_bytes(first + rows * line, first, rows_after * line);
                 }
               });
  return out;
}

}  // namespace tapedeck::kernels
