#include <tapedeck/ops/kernels/row_loop.h>

#include <algorithm>
#include <cstring>

#include <tapedeck/array/layout.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/loop_nest.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kGrain = 16384;
constexpr std::int64_t kShortRow = 16;  // below, gathering rows into a block beats a call for each
constexpr std::int64_t kWorthRepeating = 256;  // elements of a row that are made from one
constexpr std::int64_t kBlock = 256;
constexpr std::int64_t kWorthACopy = 4096;
constexpr int kMaxInputs = LoopNest::kMaxOperands - 1;

template <typename Word>
void copy_words(char* dst, std::int64_t dst_stride, const char* src, std::int64_t src_stride,
                std::int64_t n) {
  constexpr auto kSize = static_cast<std::int64_t>(sizeof(Word));
  if (dst_stride == kSize && src_stride == 0) {
    Word word;
    std::memcpy(&word, src, sizeof(Word));
    for (std::int64_t i = 0; i < n; ++i) std::memcpy(dst + i * kSize, &word, sizeof(Word));
    return;
  }
  for (std::int64_t i = 0; i < n; ++i)
    std::memcpy(dst + i * dst_stride, src + i * src_stride, sizeof(Word));
}

void copy_strided(std::int64_t item_size, char* dst, std::int64_t dst_stride, const char* src,
                  std::int64_t src_stride, std::int64_t n) {
  switch (item_size) {
    case 1:
      copy_words<std::uint8_t>(dst, dst_stride, src, src_stride, n);
      break;
    case 4:
      copy_words<std::uint32_t>(dst, dst_stride, src, src_stride, n);
      break;
    default:
      copy_words<std::uint64_t>(dst, dst_stride, src, src_stride, n);
      break;
  }
}

// Every operand is one gapless run or, among the inputs, one element.
void run_linear(RowLoop loop, const double* params, char* out, std::int64_t out_size,
                const RowInput* in, int inputs, unsigned scalars, std::int64_t n) {
  parallel_for(n, kGrain, [=](std::int64_t begin, std::int64_t end) {
    const void* at[kMaxInputs];
    for (int k = 0; k < inputs; ++k)
      at[k] = static_cast<const char*>(in[k].element) + (scalars >> k & 1 ? 0 : begin * in[k].size);
    loop(out + begin * out_size, at, scalars, end - begin, params);
  });
}

void run_long_rows(RowLoop loop, const double* params, const LoopNest& nest, unsigned scalars) {
  parallel_for(nest.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    // The pointers are handed on where they are: a copy of all at once would wait for each of them
    // to be written.
    nest.for_each_run<void*>(begin, end, [&](void* const* at, std::int64_t n) {
      loop(at[0], at + 1, scalars, n, params);
    });
  });
}

void run_gathered(RowLoop loop, const double* params, const LoopNest& nest, int inputs) {
  unsigned direct = 0, scalars = 0;
  for (int k = 0; k < nest.operands; ++k)
    if (nest.is_linear(k)) direct |= 1u << k;
  for (int k = 0; k < inputs; ++k)
    if (nest.is_scalar(k + 1)) scalars |= 1u << k;
  if (scalars == (1u << inputs) - 1) scalars &= ~1u;

  parallel_for(nest.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    alignas(64) char buffers[LoopNest::kMaxOperands][kBlock * 8];
    std::int64_t inner[LoopNest::kMaxOperands];
    for (int k = 0; k < nest.operands; ++k) inner[k] = nest.inner_stride(k);
    for (std::int64_t block = begin; block < end; block += kBlock) {
      const std::int64_t n = std::min(kBlock, end - block);
      const void* from[kMaxInputs];
      unsigned gathered = 0;
      for (int k = 1; k < nest.operands; ++k) {
        if (scalars >> (k - 1) & 1) {
          from[k - 1] = nest.data[k];
        } else if (direct >> k & 1) {
          from[k - 1] = nest.data[k] + block * nest.item_size[k];
        } else {
          from[k - 1] = buffers[k];
          gathered |= 1u << k;
        }
      }
      if (gathered != 0) {
        std::int64_t filled = 0;
        nest.for_each_run(block, block + n, [&](char* const* at, std::int64_t count) {
          for (int k = 1; k < nest.operands; ++k)
            if (gathered >> k & 1)
              copy_strided(nest.item_size[k], buffers[k] + filled * nest.item_size[k],
                           nest.item_size[k], at[k], inner[k], count);
          filled += count;
        });
      }
      if (direct & 1) {
        loop(nest.data[0] + block * nest.item_size[0], from, scalars, n, params);
        continue;
      }
      loop(buffers[0], from, scalars, n, params);
      std::int64_t written = 0;
      nest.for_each_run(block, block + n, [&](char* const* at, std::int64_t count) {
        copy_strided(nest.item_size[0], at[0], inner[0], buffers[0] + written * nest.item_size[0],
                     nest.item_size[0], count);
        written += count;
      });
    }
  });
}

// The last axes of `out` that a row of `size` elements goes through; 0 where it ends within one.
std::int64_t axes_of_row(const Array& out, std::int64_t size) {
  std::int64_t axes = 0, elements = 1;
  while (elements < size && axes < out.dim()) elements *= out.sizes()[out.dim() - ++axes];
  return elements == size ? axes : 0;
}

// A copy of an input that has one element for each row, with that element all along its row:
// undefined where the copy would not be much smaller than the output.
Array repeated_along_rows(const Array& in, const Array& out, std::int64_t axes, std::int64_t row) {
  if (in.numel() < 2 || row < 2 || in.numel() * row > out.numel() / 4) return {};
  DimVector sizes = in.sizes();
  for (std::int64_t i = 1; i <= std::min(axes, in.dim()); ++i) {
    if (sizes[in.dim() - i] != 1) return {};
    sizes[in.dim() - i] = out.sizes()[out.dim() - i];
  }
  return clone(in.expand(sizes));
}

// Whether an input lies crosswise to the output: then it is read faster from a copy that does not.
bool lies_across(const LoopNest& nest, int operand) {
  const std::int64_t size = nest.item_size[operand], inner = nest.inner_stride(operand);
  if (nest.numel < kWorthACopy || inner == size || inner == 0) return false;
  for (int d = 0; d + 1 < nest.dims; ++d)
    if (nest.strides[operand][d] == size) return true;
  return false;
}

}  // namespace

Array empty_for_rows(IntArrayRef shape, ScalarType dtype, const RowInput* in, int inputs) {
  const Array* arrays[kMaxInputs];
  std::size_t count = 0;
  bool row_major = true;
  for (int k = 0; k < inputs; ++k) {
    if (!in[k].array) continue;
    arrays[count++] = in[k].array;
    row_major &= in[k].array->is_contiguous();
  }
  if (row_major) return Array::empty(shape, dtype);
  return empty_preserving(shape, {arrays, count}, dtype);
}

void run_rows(RowLoop loop, const double* params, const Array& out, const RowInput* in,
              int inputs) {
  const std::int64_t n = out.numel();
  if (n == 0) return;
  const unsigned all = (1u << inputs) - 1;

  if (out.is_contiguous()) {
    unsigned scalars = 0;
    bool linear = true;
    for (int k = 0; k < inputs && linear; ++k) {
      if (in[k].array == nullptr || in[k].array->numel() == 1)
        scalars |= 1u << k;
      else
        linear = in[k].array->is_contiguous() && in[k].array->numel() == n;
    }
    if (linear && n == 1) scalars = 0;
    if (linear && (scalars != all || inputs == 0)) {
      run_linear(loop, params, static_cast<char*>(out.raw()), element_size(out.dtype()), in, inputs,
                 scalars, n);
      return;
    }
  }

  const auto run_with = [&](int k, const Array& other) {
    RowInput changed[kMaxInputs] = {in[0], in[0], in[0], in[0]};
    std::copy_n(in, inputs, changed);
    changed[k] = other;
    run_rows(loop, params, out, changed, inputs);
  };
  LoopNest nest(out.sizes());
  nest.add(out);
  for (int k = 0; k < inputs; ++k) {
    if (in[k].array != nullptr)
      nest.add(*in[k].array);
    else
      nest.add_scalar(in[k].element, in[k].size);
  }
  nest.collapse();

  const std::int64_t row = nest.inner_size();
  if (out.is_contiguous() && row < kWorthRepeating)
    if (const std::int64_t axes = axes_of_row(out, row); axes > 0)
      for (int k = 0; k < inputs; ++k)
        if (in[k].array != nullptr && nest.inner_stride(k + 1) == 0)
          if (const Array rows = repeated_along_rows(*in[k].array, out, axes, row); rows.defined())
            return run_with(k, rows);
  for (int k = 0; k < inputs; ++k)
    if (in[k].array != nullptr && !in[k].array->is_contiguous() &&
        !in[k].array->has_internal_overlap() && lies_across(nest, k + 1))
      return run_with(k, clone(*in[k].array));

  unsigned scalars = 0;
  bool long_rows = (nest.dims < 2 || nest.inner_size() >= kShortRow) &&
                   nest.inner_stride(0) == nest.item_size[0];
  for (int k = 0; k < inputs && long_rows; ++k) {
    if (nest.inner_stride(k + 1) == 0)
      scalars |= 1u << k;
    else
      long_rows = nest.inner_stride(k + 1) == nest.item_size[k + 1];
  }
  if (long_rows && scalars != all)
    run_long_rows(loop, params, nest, scalars);
  else
    run_gathered(loop, params, nest, inputs);
}

}  // namespace tapedeck::kernels
