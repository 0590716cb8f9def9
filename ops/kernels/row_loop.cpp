#include <tapedeck/ops/kernels/row_loop.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <vector>

#include <tapedeck/array/layout.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/copy_run.h>
#include <tapedeck/ops/kernels/loop_nest.h>
#include <tapedeck/ops/kernels/move_bytes.h>
#include <tapedeck/ops/kernels/row_moves.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kGrain = 16384;
// Below, gathering rows into a block beats a call for each; more so where nothing but a few rows
// that repeat is to be gathered, or where rows are strided and pass through a buffer anyway.
constexpr std::int64_t kShortRow = 4, kShortRepeatedRow = 64, kShortStridedRow = 32;
constexpr std::int64_t kWorthRepeating = 256;  // elements of a row that are made from one
constexpr std::int64_t kBlock = 256;
constexpr std::int64_t kWorthACopy = 4096;
constexpr int kMaxInputs = LoopNest::kMaxOperands - 1;

void copy_strided(std::int64_t item_size, char* dst, std::int64_t dst_stride, const char* src,
                  std::int64_t src_stride, std::int64_t n) {
  with_word(item_size, [&](auto tag) {
    copy_run<typename decltype(tag)::type>(dst, dst_stride, src, src_stride, n);
  });
}

// Every operand is one gapless run or, among the inputs, one element. Out of the way of runs of one
// chunk, which need nothing of this.
[[gnu::noinline]] void run_linear(RowLoop loop, const double* params, const Array& array,
                                  const RowInput* in, int inputs, unsigned scalars) {
  const std::int64_t n = array.numel(), out_size = element_size(array.dtype());
  auto* const out = static_cast<char*>(array.raw());
  parallel_for(n, kGrain, [=](std::int64_t begin, std::int64_t end) {
    const void* at[kMaxInputs];
    for (int k = 0; k < inputs; ++k)
      at[k] = static_cast<const char*>(in[k].element) + (scalars >> k & 1 ? 0 : begin * in[k].size);
    loop(out + begin * out_size, at, scalars, end - begin, params);
  });
}

// The same for an output so large that no cache keeps it: a block at a time goes past them.
[[gnu::noinline]] void run_streamed(RowLoop loop, const double* params, const Array& array,
                                    const RowInput* in, int inputs, unsigned scalars) {
  constexpr std::int64_t kTogether = 1024;
  const std::int64_t size = element_size(array.dtype());
  auto* const out = static_cast<char*>(array.raw());
  parallel_for(array.numel(), kGrain, [=](std::int64_t begin, std::int64_t end) {
    alignas(64) char buffer[kTogether * 8];
    for (std::int64_t i = begin; i < end; i += kTogether) {
      const std::int64_t n = std::min(kTogether, end - i);
      const void* at[kMaxInputs];
      for (int k = 0; k < inputs; ++k)
        at[k] = static_cast<const char*>(in[k].element) + (scalars >> k & 1 ? 0 : i * in[k].size);
      loop(buffer, at, scalars, n, params);
      detail::stream_bytes(out + i * size, buffer, n * size);
    }
    detail::end_stream();
  });
}

// Whether an output is written past the caches: that of an operation which waits for memory, but
// not where it takes an input's place, whose lines are read anyway.
bool is_streamed(const RowLoops& loops, const Array& out, const RowInput* in, int inputs) {
  if (loops.cost != RowCost::Memory || out.nbytes() < detail::kBeyondCaches) return false;
  return std::none_of(in, in + inputs,
                      [&](const RowInput& input) { return input.element == out.raw(); });
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

// Rows that are so short that they are handed on several at a time.
void run_several_rows(RowsLoop loop, const double* params, const LoopNest& nest, unsigned scalars) {
  const std::int64_t row = nest.inner_size();
  LoopNest rows = nest;
  --rows.dims;
  rows.numel /= row;
  std::int64_t strides[LoopNest::kMaxOperands];
  for (int k = 0; k < nest.operands; ++k) strides[k] = rows.inner_stride(k);
  parallel_for(rows.numel, std::max<std::int64_t>(1, kGrain / row),
               [&](std::int64_t begin, std::int64_t end) {
                 rows.for_each_run<void*>(begin, end, [&](void* const* at, std::int64_t count) {
                   loop(at[0], at + 1, scalars, row, count, strides, params);
                 });
               });
}

// Long rows of which some are strided: those pass through buffers, a part of a row at a time.
void run_strided_rows(RowLoop loop, const double* params, const LoopNest& nest, unsigned scalars) {
  parallel_for(nest.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    alignas(64) char buffers[LoopNest::kMaxOperands][kBlock * 8];
    nest.for_each_run(begin, end, [&](char* const* at, std::int64_t count) {
      for (std::int64_t i = 0; i < count; i += kBlock) {
        const std::int64_t n = std::min(kBlock, count - i);
        const void* from[kMaxInputs];
        for (int k = 1; k < nest.operands; ++k) {
          const std::int64_t size = nest.item_size[k], stride = nest.inner_stride(k);
          const char* const part = at[k] + i * stride;
          from[k - 1] = part;
          if (stride == 0 || stride == size) continue;
          if (const int alike = nest.first_input_like(k); alike != k) {
            from[k - 1] = buffers[alike];
            continue;
          }
          copy_strided(size, buffers[k], size, part, stride, n);
          from[k - 1] = buffers[k];
        }
        const std::int64_t size = nest.item_size[0], stride = nest.inner_stride(0);
        char* const to = at[0] + i * stride;
        loop(stride == size ? to : buffers[0], from, scalars, n, params);
        if (stride != size) copy_strided(size, to, stride, buffers[0], size, n);
      }
    });
  });
}

// Bytes that gather() may write behind the last element.
constexpr std::int64_t kSlack = 64;

// One element, as often as it fits into kSlack bytes: of a short run that is written at once, and
// the next run covers what is too much.
template <typename Word>
void spread_word(char* to, const char* from) {
  Word word, words[kSlack / sizeof(Word)];
  std::memcpy(&word, from, sizeof(Word));
  std::fill(std::begin(words), std::end(words), word);
  std::memcpy(to, words, sizeof(words));
}

// Elements [begin, begin + n) of the operand of `nest`, its only one, one after the other.
void gather(const LoopNest& nest, std::int64_t begin, std::int64_t n, char* to) {
  const std::int64_t size = nest.item_size[0], inner = nest.inner_stride(0);
  const bool spreads = inner == 0 && size >= 4 && nest.inner_size() * size <= kSlack;
  if (inner != size && !spreads)
    return with_word(size, [&](auto tag) {
      nest.for_each_run(begin, begin + n, [&](char* const* at, std::int64_t count) {
        copy_run<typename decltype(tag)::type>(to, size, at[0], inner, count);
        to += count * size;
      });
    });
  nest.for_each_run(begin, begin + n, [&](char* const* at, std::int64_t count) {
    if (spreads && size == 4)
      spread_word<std::uint32_t>(to, at[0]);
    else if (spreads)
      spread_word<std::uint64_t>(to, at[0]);
    else
      move_bytes(to, at[0], count * size);
    to += count * size;
  });
}

// The elements after which operand k begins anew, where that is soon: the same block of copies then
// serves all of the output. 0 where there is no such number.
std::int64_t short_period(const LoopNest& nest, int k) {
  std::int64_t period = 1;
  int d = nest.dims - 1;
  for (; d >= 0 && nest.strides[k][d] != 0; --d) period *= nest.sizes[d];
  for (; d >= 0; --d)
    if (nest.strides[k][d] != 0) return 0;
  return period <= kBlock ? period : 0;
}

// Whether run_gathered() takes operands where they are, but for inputs with a short period.
bool gathers_little(const LoopNest& nest) {
  if (!nest.is_linear(0)) return false;
  for (int k = 1; k < nest.operands; ++k)
    if (!nest.is_linear(k) && !nest.is_scalar(k) && short_period(nest, k) == 0) return false;
  return true;
}

// The loop over blocks of elements, for which inputs that are not gapless are copied into buffers,
// and an output that is not gapless out of one.
void run_gathered(RowLoop loop, const double* params, const LoopNest& nest, int inputs) {
  unsigned direct = 0, scalars = 0;
  for (int k = 0; k < nest.operands; ++k)
    if (nest.is_linear(k)) direct |= 1u << k;
  for (int k = 0; k < inputs; ++k)
    if (nest.is_scalar(k + 1)) scalars |= 1u << k;
  if (scalars == (1u << inputs) - 1) scalars &= ~1u;
  std::int64_t periods[LoopNest::kMaxOperands] = {};
  std::vector<LoopNest> alone;  // each of the inputs that are gathered
  int place[LoopNest::kMaxOperands] = {}, alike[LoopNest::kMaxOperands] = {};
  for (int k = 1; k < nest.operands; ++k) {
    if (direct >> k & 1 || scalars >> (k - 1) & 1) continue;
    alike[k] = nest.first_input_like(k);
    if (alike[k] != k) continue;
    periods[k] = short_period(nest, k);
    place[k] = static_cast<int>(alone.size());
    alone.push_back(nest.only(k));
  }

  parallel_for(nest.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    // Of an input with a period, a block from each of its elements on lies within two of kBlock.
    alignas(64) char buffers[LoopNest::kMaxOperands][2 * kBlock * 8 + kSlack];
    for (int k = 1; k < nest.operands; ++k)
      if (periods[k] != 0)
        gather(alone[static_cast<std::size_t>(place[k])], 0, std::min(2 * kBlock, nest.numel),
               buffers[k]);
    const std::int64_t out_stride = nest.inner_stride(0);
    for (std::int64_t block = begin; block < end; block += kBlock) {
      const std::int64_t n = std::min(kBlock, end - block);
      const void* from[kMaxInputs];
      for (int k = 1; k < nest.operands; ++k) {
        if (scalars >> (k - 1) & 1) {
          from[k - 1] = nest.data[k];
        } else if (direct >> k & 1) {
          from[k - 1] = nest.data[k] + block * nest.item_size[k];
        } else if (alike[k] != k) {
          from[k - 1] = from[alike[k] - 1];
        } else if (periods[k] != 0) {
          from[k - 1] = buffers[k] + block % periods[k] * nest.item_size[k];
        } else {
          gather(alone[static_cast<std::size_t>(place[k])], block, n, buffers[k]);
          from[k - 1] = buffers[k];
        }
      }
      if (direct & 1) {
        loop(nest.data[0] + block * nest.item_size[0], from, scalars, n, params);
        continue;
      }
      loop(buffers[0], from, scalars, n, params);
      std::int64_t written = 0;
      nest.for_each_run(block, block + n, [&](char* const* at, std::int64_t count) {
        copy_strided(nest.item_size[0], at[0], out_stride, buffers[0] + written * nest.item_size[0],
                     nest.item_size[0], count);
        written += count;
      });
    }
  });
}

// How an operand walks the last two axes of a nest.
enum class Walk { Gapless, OneElement, RepeatedRow, Column, Other };
Walk walk_of(const LoopNest& nest, int k) {
  if (nest.dims < 2) return Walk::Other;
  const std::int64_t size = nest.item_size[k], row = nest.inner_size() * size;
  const std::int64_t outer = nest.strides[k][nest.dims - 2], inner = nest.inner_stride(k);
  if (inner == size && outer == row) return Walk::Gapless;
  if (outer == 0 && inner == size) return Walk::RepeatedRow;
  if (inner == 0) return outer == 0 ? Walk::OneElement : Walk::Column;
  return Walk::Other;
}

// Whether run_repeated_rows() is for the nest: many planes of rows that are too short for a call
// each, of which some input has but one row.
bool has_repeated_rows(const LoopNest& nest) {
  constexpr std::int64_t kManyPlanes = 8;
  if (nest.dims < 3 || nest.inner_size() > kBlock || walk_of(nest, 0) != Walk::Gapless)
    return false;
  if (nest.sizes[nest.dims - 2] < 4 ||
      nest.numel / (nest.inner_size() * nest.sizes[nest.dims - 2]) < kManyPlanes)
    return false;
  bool repeats = false;
  for (int k = 1; k < nest.operands; ++k) {
    const Walk walk = walk_of(nest, k);
    if (walk == Walk::Other || walk == Walk::Column) return false;
    repeats |= walk == Walk::RepeatedRow;
  }
  return repeats;
}

// Whether run_columns() is for the nest: rows that are too short for a call each, for each of which
// some input has but one element.
bool has_columns(const LoopNest& nest) {
  constexpr std::int64_t kShortRowOfOne = 56;
  if (nest.dims < 2 || nest.inner_size() > kShortRowOfOne || nest.sizes[nest.dims - 2] < 4 ||
      walk_of(nest, 0) != Walk::Gapless)
    return false;
  bool columns = false;
  for (int k = 1; k < nest.operands; ++k) {
    const Walk walk = walk_of(nest, k);
    if (walk == Walk::Other || walk == Walk::RepeatedRow) return false;
    if (walk == Walk::Column && nest.item_size[k] < 4) return false;
    columns |= walk == Walk::Column;
  }
  return columns;
}

// Whether each operand is one element or has rows of its own: some columns of a matrix, mostly.
bool has_rows_apart(const LoopNest& nest) {
  const int outer = nest.dims - 2;
  for (int k = 0; k < nest.operands; ++k)
    if ((nest.inner_stride(k) == 0) != (nest.strides[k][outer] == 0)) return false;
  return true;
}

// Whether run_several_rows() is for a nest of gapless rows: where nothing repeats, where gathering
// would have to scatter the output as well, or where they are longer than a vector and, if no input
// is one number a row, longer than what gathering several of them is worth.
bool takes_several_rows(const LoopNest& nest, unsigned scalars) {
  constexpr std::int64_t kVector = 64, kShortest = 56, kLongest = 512;
  if (nest.dims < 2 || nest.sizes[nest.dims - 2] < 4) return false;
  const std::int64_t row = nest.inner_size();
  if (row > kLongest) return false;
  return has_rows_apart(nest) || walk_of(nest, 0) != Walk::Gapless ||
         (scalars != 0 ? row * nest.item_size[0] > kVector : row >= kShortest);
}

// Over several rows at a time, for which the elements of columns are repeated in a buffer.
void run_columns(RowLoop loop, const double* params, const LoopNest& nest) {
  const std::int64_t row = nest.inner_size(), together = 2 * kBlock / row;
  unsigned scalars = 0, columns = 0;
  for (int k = 1; k < nest.operands; ++k) {
    const Walk walk = walk_of(nest, k);
    if (walk == Walk::OneElement) scalars |= 1u << (k - 1);
    if (walk == Walk::Column) columns |= 1u << k;
  }
  LoopNest rows = nest;
  --rows.dims;
  rows.numel /= row;
  parallel_for(rows.numel, kGrain / row, [&](std::int64_t begin, std::int64_t end) {
    alignas(64) char buffers[kMaxInputs][2 * kBlock * 8 + kSlack];
    rows.for_each_run(begin, end, [&](char* const* at, std::int64_t count) {
      for (std::int64_t r = 0; r < count; r += together) {
        const std::int64_t n = std::min(together, count - r);
        const void* from[kMaxInputs];
        for (int k = 1; k < nest.operands; ++k) {
          const std::int64_t stride = rows.inner_stride(k);
          from[k - 1] = at[k] + r * stride;
          if (!(columns >> k & 1)) continue;
          detail::spread_column(buffers[k - 1], at[k] + r * stride, stride, nest.item_size[k], n,
                                row);
          from[k - 1] = buffers[k - 1];
        }
        loop(at[0] + r * rows.inner_stride(0), from, scalars, n * row, params);
      }
    });
  });
}

// Over planes of the last two axes, with several copies of a row where an input repeats it.
void run_repeated_rows(RowLoop loop, const double* params, const LoopNest& nest) {
  const std::int64_t row = nest.inner_size(), rows = nest.sizes[nest.dims - 2];
  const std::int64_t times = std::min(rows, 2 * kBlock / row);
  Walk walks[LoopNest::kMaxOperands];
  unsigned scalars = 0;
  for (int k = 0; k < nest.operands; ++k) {
    walks[k] = walk_of(nest, k);
    if (walks[k] == Walk::OneElement) scalars |= 1u << (k - 1);
  }
  LoopNest planes = nest;
  planes.dims -= 2;
  planes.numel /= rows * row;
  const std::int64_t grain = std::max<std::int64_t>(1, kGrain / (rows * row));
  parallel_for(planes.numel, grain, [&](std::int64_t begin, std::int64_t end) {
    alignas(64) char buffers[kMaxInputs][2 * kBlock * 8];
    planes.for_each_run(begin, end, [&](char* const* at, std::int64_t count) {
      for (std::int64_t i = 0; i < count; ++i) {
        const char* first[LoopNest::kMaxOperands];
        for (int k = 0; k < nest.operands; ++k) first[k] = at[k] + i * planes.inner_stride(k);
        for (int k = 1; k < nest.operands; ++k) {
          if (walks[k] != Walk::RepeatedRow) continue;
          const std::int64_t bytes = row * nest.item_size[k];
          for (std::int64_t t = 0; t < times; ++t)
            move_bytes(buffers[k - 1] + t * bytes, first[k], bytes);
          first[k] = buffers[k - 1];
        }
        char* out = at[0] + i * planes.inner_stride(0);
        for (std::int64_t r = 0; r < rows; r += times) {
          const std::int64_t n = std::min(times, rows - r) * row;
          const void* from[kMaxInputs];
          for (int k = 1; k < nest.operands; ++k)
            from[k - 1] = first[k] + (walks[k] == Walk::Gapless ? r * row * nest.item_size[k] : 0);
          loop(out + r * row * nest.item_size[0], from, scalars, n, params);
        }
      }
    });
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

// Whether an input is read faster from a copy: it lies crosswise to the output, or is every second
// element of short rows, which copy() takes many at a time.
bool wants_a_copy(const LoopNest& nest, int operand) {
  constexpr std::int64_t kShort = 64;
  const std::int64_t size = nest.item_size[operand], inner = nest.inner_stride(operand);
  if (nest.numel < kWorthACopy || inner == size || inner == 0) return false;
  if (inner == 2 * size && size >= 4 && nest.inner_size() < kShort &&
      nest.inner_stride(0) == nest.item_size[0])
    return true;
  for (int d = 0; d + 1 < nest.dims; ++d)
    if (nest.strides[operand][d] == size) return true;
  return false;
}

// run_rows() on slices of the output, of which the cache holds a copy of input k: along the first
// axis, where that is the one that is innermost in the input by whole lines of the cache. False
// where the output is small or has one such slice.
bool run_slices(RowLoops loops, const double* params, const Array& out, const RowInput* in,
                int inputs, int k) {
  constexpr std::int64_t kSlice = 32768, kLine = 64;
  if (out.numel() <= kSlice || in[k].array->numel() != out.numel()) return false;
  std::int64_t axis = 0;
  while (out.sizes()[axis] == 1) ++axis;
  const std::int64_t size = out.sizes()[axis];
  const std::int64_t stride = in[k].array->expand(out.sizes()).strides()[axis];
  const std::int64_t together = stride == 1 ? kLine / in[k].size : 1;
  const std::int64_t step =
      std::max<std::int64_t>(1, kSlice * size / out.numel() / together) * together;
  if (step >= size) return false;
  parallel_for((size + step - 1) / step, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t first = begin * step; first < std::min(size, end * step); first += step) {
      const auto slice = [&](const Array& a) {
        return a.slice(axis, first, std::min(size, first + step), 1);
      };
      Array slices[kMaxInputs];
      RowInput of_slice[kMaxInputs] = {in[0], in[0], in[0], in[0]};
      for (int i = 0; i < inputs; ++i) {
        of_slice[i] = in[i];
        if (in[i].array == nullptr) continue;
        slices[i] = slice(in[i].array->expand(out.sizes()));
        of_slice[i] = slices[i];
      }
      run_rows(loops, params, slice(out), of_slice, inputs);
    }
  });
  return true;
}

// run_rows() with the axes in another order.
void run_in_order(const DimVector& order, RowLoops loops, const double* params, const Array& out,
                  const RowInput* in, int inputs) {
  Array ordered[kMaxInputs];
  RowInput inputs_in_order[kMaxInputs] = {in[0], in[0], in[0], in[0]};
  for (int k = 0; k < inputs; ++k) {
    inputs_in_order[k] = in[k];
    if (in[k].array == nullptr) continue;
    // Not expanded: what repeats is then copied once, where it needs a copy.
    ordered[k] = *in[k].array;
    while (ordered[k].dim() < out.dim()) ordered[k] = ordered[k].unsqueeze(0);
    ordered[k] = in_order(ordered[k], order);
    inputs_in_order[k] = ordered[k];
  }
  run_rows(loops, params, in_order(out, order), inputs_in_order, inputs);
}

// run_rows() where an operand is neither gapless nor one element. Out of the way of what is, which
// then saves no registers and sets up nothing.
[[gnu::noinline]] void run_nest(RowLoops loops, const double* params, const Array& out,
                                const RowInput* in, int inputs) {
  const unsigned all = (1u << inputs) - 1;
  const auto run_with = [&](int k, const Array& other) {
    RowInput changed[kMaxInputs] = {in[0], in[0], in[0], in[0]};
    std::copy_n(in, inputs, changed);
    for (int i = 0; i < inputs; ++i)  // x * x has one copy of x
      if (i == k || (in[i].array != nullptr && in[i].array->same_view(*in[k].array)))
        changed[i] = other;
    run_rows(loops, params, out, changed, inputs);
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

  unsigned scalars = 0;
  bool gapless = nest.inner_stride(0) == nest.item_size[0];
  for (int k = 0; k < inputs; ++k) {
    const std::int64_t stride = nest.inner_stride(k + 1);
    if (stride == 0)
      scalars |= 1u << k;
    else
      gapless &= stride == nest.item_size[k + 1];
  }
  if (loops.rows != nullptr && gapless && scalars != all && takes_several_rows(nest, scalars))
    return run_several_rows(loops.rows, params, nest, scalars);

  const std::int64_t row = nest.inner_size();
  if (out.is_contiguous() && row < kWorthRepeating)
    if (const std::int64_t axes = axes_of_row(out, row); axes > 0)
      for (int k = 0; k < inputs; ++k)
        if (in[k].array != nullptr && nest.inner_stride(k + 1) == 0)
          if (const Array rows = repeated_along_rows(*in[k].array, out, axes, row); rows.defined())
            return run_with(k, rows);
  for (int k = 0; k < inputs; ++k)
    if (in[k].array != nullptr && !in[k].array->has_internal_overlap() &&
        wants_a_copy(nest, k + 1)) {
      if (const DimVector order = memory_order(out); !std::is_sorted(order.begin(), order.end()))
        return run_in_order(order, loops, params, out, in, inputs);
      if (run_slices(loops, params, out, in, inputs, k)) return;
      return run_with(k, clone(*in[k].array));
    }

  if (has_repeated_rows(nest)) return run_repeated_rows(loops.row, params, nest);
  if (has_columns(nest)) return run_columns(loops.row, params, nest);
  const std::int64_t long_row = gathers_little(nest) ? kShortRepeatedRow
                                : gapless            ? kShortRow
                                                     : kShortStridedRow;
  if (scalars == all || (nest.dims >= 2 && row < long_row))
    run_gathered(loops.row, params, nest, inputs);
  else if (gapless)
    run_long_rows(loops.row, params, nest, scalars);
  else
    run_strided_rows(loops.row, params, nest, scalars);
}

}  // namespace

Array empty_for_rows(IntArrayRef shape, ScalarType dtype, const RowInput* in, int inputs) {
  bool row_major = true;
  for (int k = 0; k < inputs; ++k) row_major &= !in[k].array || in[k].array->is_contiguous();
  if (row_major) return Array::empty(shape, dtype);
  const Array* arrays[kMaxInputs];
  std::size_t count = 0;
  for (int k = 0; k < inputs; ++k)
    if (in[k].array) arrays[count++] = in[k].array;
  return empty_preserving(shape, {arrays, count}, dtype);
}

void run_rows(RowLoops loops, const double* params, const Array& out, const RowInput* in,
              int inputs) {
  const std::int64_t n = out.numel();
  if (n == 0) return;
  const unsigned all = (1u << inputs) - 1;
  if (out.is_contiguous()) {
    unsigned scalars = 0;
    bool linear = true;
    const void* at[kMaxInputs];
    for (int k = 0; k < inputs && linear; ++k) {
      at[k] = in[k].element;
      if (in[k].array == nullptr || in[k].array->numel() == 1)
        scalars |= 1u << k;
      else
        linear = in[k].array->is_contiguous() && in[k].array->numel() == n;
    }
    if (linear && n == 1) scalars = 0;
    if (linear && (scalars != all || inputs == 0)) {
      if (n <= kGrain) return loops.row(out.raw(), at, scalars, n, params);
      const auto run = is_streamed(loops, out, in, inputs) ? run_streamed : run_linear;
      return run(loops.row, params, out, in, inputs, scalars);
    }
  }
  run_nest(loops, params, out, in, inputs);
}

}  // namespace tapedeck::kernels
