#include <tapedeck/ops/kernels/rearrange.h>

#include <algorithm>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/layout.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/copy_run.h>
#include <tapedeck/ops/kernels/loop_nest.h>
#include <tapedeck/ops/kernels/move_bytes.h>
#include <tapedeck/ops/kernels/reversed_rows.h>
#include <tapedeck/ops/kernels/row_moves.h>
#include <tapedeck/ops/kernels/words.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kGrainBytes = 1 << 18;

// The last axis of a row-major array of at least one element, reversed.
Array reversed_rows(const Array& x) {
  const Array y = Array::empty(x.sizes(), x.dtype());
  const std::int64_t size = x.sizes().back();
  dispatch_word(x.dtype(), [&](auto tag) {
    using Word = typename decltype(tag)::type;
    const Word* from = static_cast<const Word*>(x.raw());
    Word* to = static_cast<Word*>(y.raw());
    const std::int64_t grain =
        std::max<std::int64_t>(1, kGrainBytes / (size * static_cast<std::int64_t>(sizeof(Word))));
    parallel_for(x.numel() / size, grain, [=](std::int64_t begin, std::int64_t end) {
      if constexpr (sizeof(Word) >= 4)
        return reverse_rows(from + begin * size, to + begin * size, size, end - begin);
      else
        for (std::int64_t r = begin; r < end; ++r)
          std::reverse_copy(from + r * size, from + (r + 1) * size, to + r * size);
    });
  });
  return y;
}

// Another axis of such an array, reversed: blocks of whole rows.
Array reversed_blocks(const Array& x, std::int64_t dim) {
  constexpr std::int64_t kWorthVectors = 128;
  const Array y = Array::empty(x.sizes(), x.dtype());
  const std::int64_t size = x.sizes()[dim];
  const std::int64_t block = x.strides()[dim] * element_size(x.dtype());
  const char* const from = static_cast<const char*>(x.raw());
  char* const to = static_cast<char*>(y.raw());
  parallel_for(x.numel() / x.strides()[dim], std::max<std::int64_t>(1, kGrainBytes / block),
               [=](std::int64_t begin, std::int64_t end) {
                 std::int64_t at = begin % size;
                 for (std::int64_t i = begin; i < end; ++i) {
                   const char* const other = from + (i + size - 1 - 2 * at) * block;
                   if (block >= kWorthVectors)
                     detail::copy_bytes(to + i * block, other, block);
                   else
                     move_bytes(to + i * block, other, block);
                   if (++at == size) at = 0;
                 }
               });
  return y;
}

// Whether reversed_strided() is for the array, not a copy by tiles before the reversal.
bool goes_by_rows(const Array& x) {
  constexpr std::int64_t kShort = 16, kNear = 2;
  return x.dim() > 0 && x.sizes().back() >= kShort && x.strides().back() <= kNear;
}

// The array reversed along `dims` by one pass over its rows, backwards through their strides.
Array reversed_strided(const Array& x, IntArrayRef dims) {
  const Array y = Array::empty(x.sizes(), x.dtype());
  const std::int64_t size = element_size(x.dtype());
  LoopNest nest(x.sizes());
  nest.add(y);
  nest.add(x);
  for (const std::int64_t dim : dims) {
    nest.data[1] += (nest.sizes[dim] - 1) * nest.strides[1][dim];
    nest.strides[1][dim] *= -1;
  }
  nest.collapse();
  const std::int64_t step = nest.inner_stride(1);
  dispatch_word(x.dtype(), [&](auto tag) {
    using Word = typename decltype(tag)::type;
    parallel_for(nest.numel, kGrainBytes / std::int64_t{sizeof(Word)},
                 [&](std::int64_t begin, std::int64_t end) {
                   nest.for_each_run(begin, end, [&](char* const* at, std::int64_t n) {
                     if constexpr (sizeof(Word) >= 4)
                       if (step == -size)
                         return reverse_rows(reinterpret_cast<const Word*>(at[1] + (n - 1) * step),
                                             reinterpret_cast<Word*>(at[0]), n, 1);
                     copy_run<Word>(at[0], size, at[1], step, n);
                   });
                 });
  });
  return y;
}

// The same of an array whose axes lie in another order in the memory, as those of the result then
// do.
Array reversed_in_order(const Array& x, IntArrayRef dims) {
  const DimVector order = memory_order(x);
  DimVector places;
  for (std::size_t i = 0; i < order.size(); ++i)
    if (std::find(dims.begin(), dims.end(), order[i]) != dims.end())
      places.push_back(static_cast<std::int64_t>(i));
  const Array y = flip(in_order(x, order), places);
  const Array* const like = &x;
  return y.as_strided(x.sizes(), dense_strides_like(x.sizes(), {&like, 1}), y.offset());
}

}  // namespace

Array flip(const Array& x, IntArrayRef dims) {
  if (x.numel() == 0) return clone(x);
  if (!x.is_contiguous()) {
    if (is_dense(x)) return reversed_in_order(x, dims);
    return goes_by_rows(x) ? reversed_strided(x, dims) : flip(clone(x), dims);
  }
  bool reversed[kMaxDims] = {};
  for (const std::int64_t dim : dims) reversed[dim] = x.sizes()[dim] > 1;
  // Axes of one element aside, neighbours that are reversed are one axis, and so are those that are
  // not.
  DimVector sizes;
  bool is_reversed[kMaxDims] = {};
  for (std::int64_t dim = 0; dim < x.dim(); ++dim) {
    if (x.sizes()[dim] == 1) continue;
    const auto last = static_cast<std::int64_t>(sizes.size()) - 1;
    if (last >= 0 && is_reversed[last] == reversed[dim]) {
      sizes[last] *= x.sizes()[dim];
      continue;
    }
    is_reversed[last + 1] = reversed[dim];
    sizes.push_back(x.sizes()[dim]);
  }
  Array y = x.view(sizes);
  const auto merged = static_cast<std::int64_t>(sizes.size());
  for (std::int64_t dim = 0; dim < merged; ++dim)
    if (is_reversed[dim]) y = dim == merged - 1 ? reversed_rows(y) : reversed_blocks(y, dim);
  return y.shares_storage(x) ? clone(x) : y.view(x.sizes());
}

Array roll(const Array& x, std::int64_t shift, std::int64_t dim) {
  const std::int64_t size = x.sizes()[dim];
  if (size == 0) return clone(x);
  const std::int64_t by = (shift % size + size) % size;
  const Array y = Array::empty(x.sizes(), x.dtype());
  Array head = y.slice(dim, 0, by, 1), tail = y.slice(dim, by, size, 1);
  copy(x.slice(dim, size - by, size, 1), head);
  copy(x.slice(dim, 0, size - by, 1), tail);
  return y;
}

namespace {

Array triangle(const Array& x, std::int64_t diagonal, bool lower, const char* op) {
  TAPEDECK_CHECK(x.dim() >= 2, op, ": input tensor must have at least 2 dimensions, got shape ",
                 x.sizes().ref());
  const Array y = clone(x);
  const std::int64_t columns = y.sizes().back();
  const std::int64_t rows = y.sizes()[y.sizes().size() - 2];
  if (y.numel() == 0) return y;
  const std::int64_t shift = std::clamp<std::int64_t>(diagonal, -rows - 1, columns + 1) + lower;
  dispatch_word(y.dtype(), [&](auto tag) {
    using Word = typename decltype(tag)::type;
    Word* data = static_cast<Word*>(y.raw());
    for (std::int64_t r = 0; r < y.numel() / columns; ++r) {
      // The row keeps columns [0, bound) or [bound, columns).
      const std::int64_t i = r % rows;
      const std::int64_t bound = std::clamp<std::int64_t>(i + shift, 0, columns);
      Word* row = data + r * columns;
      if (lower)
        std::fill(row + bound, row + columns, Word(0));
      else
        std::fill(row, row + bound, Word(0));
    }
  });
  return y;
}

}  // namespace

Array tril(const Array& x, std::int64_t diagonal) { return triangle(x, diagonal, true, "tril"); }
Array triu(const Array& x, std::int64_t diagonal) { return triangle(x, diagonal, false, "triu"); }

}  // namespace tapedeck::kernels
