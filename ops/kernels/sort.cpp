#include <tapedeck/ops/kernels/sort.h>

#include <algorithm>
#include <type_traits>
#include <vector>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/lines.h>

namespace tapedeck::kernels {

namespace {

template <typename T>
struct Item {
  T value;
  std::int64_t index;
};

// A total order of values with NaN above everything.
struct Less {
  template <typename T>
  bool operator()(const Item<T>& a, const Item<T>& b) const {
    if constexpr (std::is_floating_point_v<T>)
      if (b.value != b.value) return a.value == a.value;
    return a.value < b.value;
  }
};
struct Greater {
  template <typename T>
  bool operator()(const Item<T>& a, const Item<T>& b) const {
    return Less{}(b, a);
  }
};

// Calls arrange(items, order) on each line of `input` along `dim`, then stores the first `keep`.
template <typename Arrange>
ValuesAndIndices arrange_lines(const Array& input, std::int64_t dim, std::int64_t keep,
                               bool descending, const char* op, Arrange arrange) {
  DimVector sizes = input.sizes();
  if (input.dim() > 0) sizes[dim] = keep;
  const Array values = Array::empty(sizes, input.dtype());
  const Array indices = Array::empty(sizes, ScalarType::Long);
  const std::int64_t length = input.dim() == 0 ? 1 : input.sizes()[dim];
  dispatch_all(input.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::vector<Item<T>> items(static_cast<std::size_t>(length));
    for_each_line<3>({input, values, indices}, dim, [&](const auto& offsets, const auto& steps) {
      const T* in = input.data<T>() + offsets[0];
      for (std::int64_t i = 0; i < length; ++i) items[i] = {in[i * steps[0]], i};
      if (descending)
        arrange(items, Greater{});
      else
        arrange(items, Less{});
      T* value = values.data<T>() + offsets[1];
      auto* index = indices.data<std::int64_t>() + offsets[2];
      for (std::int64_t i = 0; i < keep; ++i) {
        value[i * steps[1]] = items[i].value;
        index[i * steps[2]] = items[i].index;
      }
    });
  });
  return {values, indices};
}

}  // namespace

ValuesAndIndices sort(const Array& input, std::int64_t dim, bool descending) {
  dim = wrap_dim(dim, input.dim(), "sort");
  const std::int64_t length = input.dim() == 0 ? 1 : input.sizes()[dim];
  return arrange_lines(input, dim, length, descending, "sort", [](auto& items, auto order) {
    std::stable_sort(items.begin(), items.end(), order);
  });
}

ValuesAndIndices topk(const Array& input, std::int64_t k, std::int64_t dim, bool largest,
                      bool sorted) {
  dim = wrap_dim(dim, input.dim(), "topk");
  const std::int64_t length = input.dim() == 0 ? 1 : input.sizes()[dim];
  const bool fits = k <= length && k >= (input.dim() == 0 ? 1 : 0);
  TAPEDECK_CHECK(fits, "topk: selected index k = ", k, " out of range for dimension ", dim,
                 " of size ", length, " (input ", input.sizes().ref(), ")");
  return arrange_lines(input, dim, k, largest, "topk", [&](auto& items, auto order) {
    if (k == 0) return;
    // Which of several equal elements is taken follows from the algorithm: PyTorch's choice.
    if (k * 64 <= length) {
      std::partial_sort(items.begin(), items.begin() + k, items.end(), order);
    } else {
      std::nth_element(items.begin(), items.begin() + (k - 1), items.end(), order);
      if (sorted) std::sort(items.begin(), items.begin() + (k - 1), order);
    }
  });
}

ValuesAndIndices kthvalue(const Array& input, std::int64_t k, std::int64_t dim) {
  dim = wrap_dim(dim, input.dim(), "kthvalue");
  const std::int64_t length = input.dim() == 0 ? 1 : input.sizes()[dim];
  TAPEDECK_CHECK(k >= 1 && k <= length, "kthvalue(): selected number k = ", k,
                 " out of range for dimension ", dim, " of size ", length, " (input ",
                 input.sizes().ref(), ")");
  return arrange_lines(input, dim, 1, false, "kthvalue", [&](auto& items, auto order) {
    std::nth_element(items.begin(), items.begin() + (k - 1), items.end(), order);
    std::swap(items.front(), items[static_cast<std::size_t>(k - 1)]);
  });
}

Distinct distinct(const Array& input, bool sorted) {
  const Array source = contiguous(input);
  const std::int64_t n = source.numel();
  Distinct found;
  found.inverse = Array::empty(input.sizes(), ScalarType::Long);
  dispatch_all(input.dtype(), "unique", [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::vector<Item<T>> items(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i) items[i] = {source.data<T>()[i], i};
    if (sorted) std::stable_sort(items.begin(), items.end(), Less{});
    std::vector<std::int64_t> counts, firsts;
    auto* inverse = found.inverse.data<std::int64_t>();
    for (std::int64_t i = 0; i < n; ++i) {
      if (i == 0 || !(items[i].value == items[i - 1].value)) {
        firsts.push_back(i);
        counts.push_back(0);
      }
      ++counts.back();
      inverse[items[i].index] = static_cast<std::int64_t>(counts.size()) - 1;
    }
    const auto count = static_cast<std::int64_t>(counts.size());
    found.values = Array::empty({count}, input.dtype());
    found.counts = Array::empty({count}, ScalarType::Long);
    for (std::int64_t i = 0; i < count; ++i) {
      found.values.data<T>()[i] = items[firsts[i]].value;
      found.counts.data<std::int64_t>()[i] = counts[i];
    }
  });
  return found;
}

Array searchsorted(const Array& sequence, const Array& values, bool right) {
  const Array sorted = contiguous(sequence), wanted = contiguous(values);
  const Array places = Array::empty(values.sizes(), ScalarType::Long);
  const std::int64_t length = sorted.sizes().back();
  // One vector for all, or one for each row of values.
  const std::int64_t row = sorted.dim() == 1 ? wanted.numel() : wanted.sizes().back();
  dispatch_numeric(sequence.dtype(), "searchsorted", [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (std::int64_t i = 0; i < wanted.numel(); ++i) {
      const T* begin = sorted.data<T>() + i / row * length;
      const T value = wanted.data<T>()[i];
      // Written so that NaN lies behind everything.
      const auto before = [&](T element) {
        return right ? !(element > value) : !(element >= value);
      };
      places.data<std::int64_t>()[i] = std::partition_point(begin, begin + length, before) - begin;
    }
  });
  return places;
}

}  // namespace tapedeck::kernels
