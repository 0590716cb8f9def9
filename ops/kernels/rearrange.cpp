#include <tapedeck/ops/kernels/rearrange.h>

#include <algorithm>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/layout.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/index.h>
#include <tapedeck/ops/kernels/move_bytes.h>
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

}  // namespace

Array flip(const Array& x, IntArrayRef dims) {
  if (dims.size() > 1 && x.is_contiguous()) {
    // The last axes, all of them reversed, are one axis.
    DimVector sizes = x.sizes(), others;
    bool reversed[kMaxDims] = {};
    for (const std::int64_t dim : dims) reversed[dim] = true;
    while (sizes.size() > 1 && reversed[sizes.size() - 1] && reversed[sizes.size() - 2]) {
      sizes[static_cast<std::int64_t>(sizes.size()) - 2] *= sizes.back();
      sizes.pop_back();
    }
    const auto merged = static_cast<std::int64_t>(sizes.size());
    if (merged < x.dim()) {
      for (const std::int64_t dim : dims)
        if (dim < merged) others.push_back(dim);
      return flip(x.view(sizes), others).view(x.sizes());
    }
  }
  Array y = dims.empty() ? clone(x) : x;
  for (const std::int64_t dim : dims) {
    const std::int64_t size = y.sizes()[dim];
    if (dim == y.dim() - 1 && y.is_contiguous() && y.numel() > 0) {
      y = reversed_rows(y);
      continue;
    }
    if (y.is_contiguous() && y.numel() > 0 && size > 1) {
      y = reversed_blocks(y, dim);
      continue;
    }
    const Array order = Array::empty({size}, ScalarType::Long);
    for (std::int64_t i = 0; i < size; ++i) order.data<std::int64_t>()[i] = size - 1 - i;
    IndexList indices(static_cast<std::size_t>(dim) + 1);
    indices.back() = order;
    y = index(y, indices, "flip");
  }
  return y;
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
