#include <tapedeck/ops/kernels/sort.h>

#include <algorithm>
#include <limits>
#include <memory>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/axis.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/radix_sort.h>
#include <tapedeck/ops/kernels/select.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kGrain = 8192;  // elements worth a chunk

constexpr auto by_key = [](const auto& a, const auto& b) { return a.key < b.key; };

// Calls arrange(begin, end, spare) on the items of each line of `input` along `dim`, whose keys are
// in the order asked for, then stores the first `keep`.
template <typename Arrange>
ValuesAndIndices arrange_lines(const Array& input, std::int64_t dim, std::int64_t keep,
                               bool descending, const char* op, Arrange arrange) {
  const Array x = contiguous(input);
  const AxisView view(x.sizes(), dim, op);
  DimVector sizes = x.sizes();
  if (x.dim() > 0) sizes[dim] = keep;
  const Array values = Array::empty(sizes, x.dtype());
  const Array indices = Array::empty(sizes, ScalarType::Long);
  const std::int64_t length = view.axis, inner = view.inner;
  check_sorted_length(op, length);
  dispatch_all(x.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Item = SortItem<SortKey<T>>;
    const T* const from = x.data<T>();
    T* const to_value = values.data<T>();
    auto* const to_index = indices.data<std::int64_t>();
    const SortKey<T> flip = descending ? ~SortKey<T>{0} : SortKey<T>{0};
    const std::int64_t lines = length == 0 ? 0 : x.numel() / length;
    const std::int64_t grain =
        std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, length));
    parallel_for(lines, grain, [&](std::int64_t begin, std::int64_t end) {
      const auto n = static_cast<std::size_t>(length);
      const auto items = std::make_unique_for_overwrite<Item[]>(n);
      const auto spare = std::make_unique_for_overwrite<Item[]>(n);
      for (std::int64_t line = begin; line < end; ++line) {
        const T* const in = from + line / inner * length * inner + line % inner;
        if (inner == 1)  // a step that the compiler knows becomes loads of vectors
          make_items(in, 1, length, flip, items.get());
        else
          make_items(in, inner, length, flip, items.get());
        arrange(items.get(), items.get() + length, spare.get());
        const std::int64_t first = line / inner * keep * inner + line % inner;
        for (std::int64_t i = 0; i < keep; ++i) {
          const auto index = static_cast<std::int64_t>(items[static_cast<std::size_t>(i)].index);
          to_value[first + i * inner] = in[index * inner];
          to_index[first + i * inner] = index;
        }
      }
    });
  });
  return {values, indices};
}

}  // namespace

void check_sorted_length(const char* op, std::int64_t length) {
  TAPEDECK_CHECK(length <= std::numeric_limits<std::uint32_t>::max(), op,
                 ": expected fewer than 2^32 elements along the axis, got ", length);
}

ValuesAndIndices sort(const Array& input, std::int64_t dim, bool descending) {
  dim = wrap_dim(dim, input.dim(), "sort");
  const std::int64_t length = input.dim() == 0 ? 1 : input.sizes()[dim];
  return arrange_lines(input, dim, length, descending, "sort",
                       [=](auto* begin, auto*, auto* spare) { stable_sort(begin, spare, length); });
}

ValuesAndIndices topk(const Array& input, std::int64_t k, std::int64_t dim, bool largest,
                      bool sorted) {
  dim = wrap_dim(dim, input.dim(), "topk");
  const std::int64_t length = input.dim() == 0 ? 1 : input.sizes()[dim];
  const bool fits = k <= length && k >= (input.dim() == 0 ? 1 : 0);
  TAPEDECK_CHECK(fits, "topk: selected index k = ", k, " out of range for dimension ", dim,
                 " of size ", length, " (input ", input.sizes().ref(), ")");
  return arrange_lines(input, dim, k, largest, "topk", [=](auto* begin, auto* end, auto*) {
    if (k == 0) return;
    // Which of several equal elements is taken follows from the algorithm: PyTorch's choice.
    if (k * 64 <= length) {
      std::partial_sort(begin, begin + k, end, by_key);
    } else {
      std::nth_element(begin, begin + (k - 1), end, by_key);
      if (sorted) std::sort(begin, begin + (k - 1), by_key);
    }
  });
}

ValuesAndIndices kthvalue(const Array& input, std::int64_t k, std::int64_t dim) {
  dim = wrap_dim(dim, input.dim(), "kthvalue");
  const std::int64_t length = input.dim() == 0 ? 1 : input.sizes()[dim];
  TAPEDECK_CHECK(k >= 1 && k <= length, "kthvalue(): selected number k = ", k,
                 " out of range for dimension ", dim, " of size ", length, " (input ",
                 input.sizes().ref(), ")");
  if (length == 1) return {clone(input), zeros(input.sizes(), ScalarType::Long)};
  check_sorted_length("kthvalue", length);
  const Array x = contiguous(input);
  const AxisView view(x.sizes(), dim, "kthvalue");
  DimVector sizes = x.sizes();
  if (x.dim() > 0) sizes[dim] = 1;
  const Array values = Array::empty(sizes, x.dtype());
  const Array indices = Array::empty(sizes, ScalarType::Long);
  dispatch_all(x.dtype(), "kthvalue", [&](auto tag) {
    using T = typename decltype(tag)::type;
    parallel_for(values.numel(), std::max<std::int64_t>(1, kGrain / length),
                 [&](std::int64_t begin, std::int64_t end) {
                   Selection<T> selection;
                   for (std::int64_t line = begin; line < end; ++line) {
                     const T* const in =
                         x.data<T>() + line / view.inner * length * view.inner + line % view.inner;
                     const std::int64_t index = selection.kth(in, view.inner, length, k - 1);
                     values.data<T>()[line] = in[index * view.inner];
                     indices.data<std::int64_t>()[line] = index;
                   }
                 });
  });
  return {values, indices};
}

Array searchsorted(const Array& sequence, const Array& values, bool right) {
  const Array sorted = contiguous(sequence), wanted = contiguous(values);
  const Array places = Array::empty(values.sizes(), ScalarType::Long);
  const std::int64_t length = sorted.sizes().back();
  // One vector for all, or one for each row of values.
  const std::int64_t row = sorted.dim() == 1 ? wanted.numel() : wanted.sizes().back();
  dispatch_numeric(sequence.dtype(), "searchsorted", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const from = sorted.data<T>();
    const T* const value_of = wanted.data<T>();
    std::int64_t* const place_of = places.data<std::int64_t>();
    constexpr std::int64_t kSteps = 16;  // of a search, about
    parallel_for(wanted.numel(), kGrain / kSteps, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const T* const row_begin = from + i / row * length;
        const T value = value_of[i];
        // Written so that NaN lies behind everything.
        const auto before = [=](T element) -> std::int64_t {
          return right ? !(element > value) : !(element >= value);
        };
        // As many steps for any value, each without a branch, which would be mispredicted every
        // other time.
        std::int64_t first = 0, rest = length;
        for (; rest > 1; rest -= rest / 2)
          first += before(row_begin[first + rest / 2 - 1]) * (rest / 2);
        if (rest == 1) first += before(row_begin[first]);
        place_of[i] = first;
      }
    });
  });
  return places;
}

}  // namespace tapedeck::kernels
