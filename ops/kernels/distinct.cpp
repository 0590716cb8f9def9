#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <type_traits>
#include <vector>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/radix_sort.h>
#include <tapedeck/ops/kernels/reduce.h>
#include <tapedeck/ops/kernels/sort.h>

namespace tapedeck::kernels {

namespace {

// What has been found so far, for elements of type T.
template <typename T>
struct Groups {
  std::vector<T> values;
  std::vector<std::int64_t> counts;

  void add(T value, std::int64_t count) {
    values.push_back(value);
    counts.push_back(count);
  }
  std::int64_t size() const { return static_cast<std::int64_t>(values.size()); }
};

// The numbers of a range that is not much wider than there are elements are counted in a table;
// none where it is wider.
template <typename T>
std::optional<Groups<T>> by_counting(const Array& source, std::int64_t* inverse) {
  constexpr std::uint64_t kNarrow = 4096, kWide = 1 << 22;
  const std::int64_t n = source.numel();
  const T* const in = source.data<T>();
  std::uint64_t low = 0, high = 255;
  if constexpr (sizeof(T) > 1) {
    low = static_cast<std::uint64_t>(*reduce(ReduceOp::Min, source).data<T>());
    high = static_cast<std::uint64_t>(*reduce(ReduceOp::Max, source).data<T>());
  }
  const std::uint64_t range = high - low;
  if (range > std::min(std::max(kNarrow, 2 * static_cast<std::uint64_t>(n)), kWide)) return {};
  const auto place = [=](T value) { return static_cast<std::uint64_t>(value) - low; };
  // Two tables: the next one of equal neighbours does not wait for the one before.
  std::vector<std::uint32_t> table(range + 1), odd(range + 1);
  for (std::int64_t i = 0; i + 1 < n; i += 2) {
    ++table[place(in[i])];
    ++odd[place(in[i + 1])];
  }
  if (n % 2 != 0) ++table[place(in[n - 1])];
  Groups<T> found;
  for (std::uint64_t v = 0; v <= range; ++v) {
    const std::uint32_t count = table[v] + odd[v];
    table[v] = static_cast<std::uint32_t>(found.size());
    if (count > 0) found.add(static_cast<T>(low + v), count);
  }
  if (inverse != nullptr)
    for (std::int64_t i = 0; i < n; ++i) inverse[i] = table[place(in[i])];
  return found;
}

// A few keys, how often each occurs and where it does first.
template <typename T>
class KeyTable {
 public:
  static constexpr std::int64_t kMost = 1024;

  // The slot of the key of element i; negative where the table would get too full.
  std::int64_t count(SortKey<T> key, std::int64_t i) {
    std::size_t slot = static_cast<std::size_t>(key * kMultiplier >> kShift);
    while (slots_[slot].count > 0 && slots_[slot].key != key) slot = (slot + 1) % kSlots;
    Slot& found = slots_[slot];
    if (found.count == 0) {
      if (++used_ > kMost) return -1;
      found.key = key;
      found.first = static_cast<std::uint32_t>(i);
    }
    ++found.count;
    return static_cast<std::int64_t>(slot);
  }

  // Calls visit(slot, key, count, first) in the order of the keys.
  template <typename Visit>
  void for_each(Visit visit) const {
    std::vector<std::pair<SortKey<T>, std::size_t>> order;
    for (std::size_t s = 0; s < kSlots; ++s)
      if (slots_[s].count > 0) order.emplace_back(slots_[s].key, s);
    std::sort(order.begin(), order.end());
    for (const auto& [key, s] : order) visit(s, key, slots_[s].count, slots_[s].first);
  }

  static constexpr std::size_t kSlots = 4 * kMost;

 private:
  // Multiplication by the golden ratio: the upper bits depend on all of the key.
  static constexpr int kShift = 8 * sizeof(SortKey<T>) - 12;
  static constexpr auto kMultiplier =
      static_cast<SortKey<T>>(sizeof(SortKey<T>) == 4 ? 0x9E3779B9u : 0x9E3779B97F4A7C15u);
  static_assert(kSlots == std::size_t{1} << 12);

  struct Slot {
    SortKey<T> key;
    std::uint32_t count, first;
  };
  std::vector<Slot> slots_{kSlots};
  std::int64_t used_ = 0;
};

// No NaN equals another, though all have the same key.
template <typename T>
bool is_nan_key(SortKey<T> key) {
  return std::is_floating_point_v<T> && key == std::numeric_limits<SortKey<T>>::max();
}

// Few different elements are found in a table of their keys; none where there are many.
template <typename T>
std::optional<Groups<T>> by_hashing(const T* in, std::int64_t n, std::int64_t* inverse) {
  KeyTable<T> table;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t slot = table.count(sort_key(in[i]), i);
    if (slot < 0) return {};
    if (inverse != nullptr) inverse[i] = slot;
  }
  Groups<T> found;
  std::vector<std::int64_t> rank(table.kSlots);
  std::size_t nan = table.kSlots;
  table.for_each([&](std::size_t slot, SortKey<T> key, std::int64_t count, std::uint32_t first) {
    rank[slot] = found.size();
    if (!is_nan_key<T>(key)) return found.add(in[first], count);
    nan = slot;
    for (std::int64_t i = 0; i < count; ++i) found.add(in[first], 1);
  });
  if (inverse != nullptr)
    for (std::int64_t i = 0; i < n; ++i) {
      const auto slot = static_cast<std::size_t>(inverse[i]);
      inverse[i] = rank[slot];
      if (slot == nan) ++rank[slot];
    }
  return found;
}

template <typename T>
Groups<T> by_sorting(const T* in, std::int64_t n, std::int64_t* inverse) {
  using Item = SortItem<SortKey<T>>;
  const auto items = std::make_unique_for_overwrite<Item[]>(static_cast<std::size_t>(n));
  const auto spare = std::make_unique_for_overwrite<Item[]>(static_cast<std::size_t>(n));
  make_items(in, 1, n, SortKey<T>{0}, items.get());
  stable_sort(items.get(), spare.get(), n);
  Groups<T> found;
  for (std::int64_t i = 0; i < n; ++i) {
    const Item item = items[static_cast<std::size_t>(i)];
    if (i == 0 || item.key != items[static_cast<std::size_t>(i - 1)].key || is_nan_key<T>(item.key))
      found.add(in[item.index], 0);
    ++found.counts.back();
    inverse[item.index] = found.size() - 1;
  }
  return found;
}

// Without the way back the keys are sorted by themselves.
template <typename T>
Groups<T> by_sorting_keys(const T* in, std::int64_t n) {
  using Key = SortKey<T>;
  const auto keys = std::make_unique_for_overwrite<Key[]>(static_cast<std::size_t>(n));
  const auto spare = std::make_unique_for_overwrite<Key[]>(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) keys[static_cast<std::size_t>(i)] = sort_key(in[i]);
  stable_sort(keys.get(), spare.get(), n);
  Groups<T> found;
  for (std::int64_t i = 0, begin = 0; i < n; begin = i) {
    const Key key = keys[static_cast<std::size_t>(begin)];
    do ++i;
    while (i < n && keys[static_cast<std::size_t>(i)] == key && !is_nan_key<T>(key));
    found.add(value_of_key<T>(key), i - begin);
  }
  if constexpr (std::is_floating_point_v<T>) {
    // Both zeros have one key; the first of them stands for both.
    const auto zero = std::lower_bound(found.values.begin(), found.values.end(), T{0},
                                       [](T a, T b) { return a < b; });
    if (zero != found.values.end() && *zero == T{0}) *zero = *std::find(in, in + n, T{0});
  }
  return found;
}

template <typename T>
Groups<T> groups_of(const Array& source, std::int64_t* inverse) {
  constexpr std::int64_t kWorthATable = 256;
  const std::int64_t n = source.numel();
  const T* const in = source.data<T>();
  if (n >= kWorthATable) {
    if constexpr (std::is_integral_v<T>)
      if (auto found = by_counting<T>(source, inverse)) return *std::move(found);
    if constexpr (sizeof(T) > 1)
      if (auto found = by_hashing(in, n, inverse)) return *std::move(found);
  }
  return inverse == nullptr ? by_sorting_keys(in, n) : by_sorting(in, n, inverse);
}

void make_room(Distinct& result, std::int64_t count, ScalarType dtype) {
  result.values = Array::empty({count}, dtype);
  result.counts = Array::empty({count}, ScalarType::Long);
}

template <typename T>
void store(const Groups<T>& found, ScalarType dtype, Distinct& result) {
  make_room(result, found.size(), dtype);
  std::copy(found.values.begin(), found.values.end(), result.values.template data<T>());
  std::copy(found.counts.begin(), found.counts.end(), result.counts.template data<std::int64_t>());
}

template <typename T>
void find_runs(const Array& source, std::int64_t* inverse, Distinct& result) {
  const std::int64_t n = source.numel();
  const T* const in = source.data<T>();
  std::int64_t runs = n > 0 ? 1 : 0;
  for (std::int64_t i = 1; i < n; ++i) runs += !(in[i] == in[i - 1]);
  make_room(result, runs, source.dtype());
  if (n == 0) return;
  T* const values = result.values.data<T>();
  std::int64_t* const counts = result.counts.data<std::int64_t>();
  values[0] = in[0];
  if (inverse != nullptr) inverse[0] = 0;
  // What may be the next run is written before it is known to be one, which leaves no branch to be
  // mispredicted; at first a run has its end where it will have its length.
  std::int64_t run = 0;
  for (std::int64_t i = 1; i < n; ++i) {
    const bool begins = !(in[i] == in[i - 1]);
    counts[run] = i;
    run += begins;
    values[run] = in[i];  // of equal ones the last, which is as good as the first
    if (inverse != nullptr) inverse[i] = run;
  }
  counts[run] = n;
  for (; run > 0; --run) counts[run] -= counts[run - 1];
}

}  // namespace

Distinct distinct(const Array& input, bool sorted, bool with_inverse) {
  const Array source = contiguous(input);
  check_sorted_length("unique", source.numel());
  Distinct result;
  std::int64_t* inverse = nullptr;
  if (with_inverse) {
    result.inverse = Array::empty(input.sizes(), ScalarType::Long);
    inverse = result.inverse.data<std::int64_t>();
  }
  dispatch_all(input.dtype(), "unique", [&](auto tag) {
    using T = typename decltype(tag)::type;
    if (sorted)
      store(groups_of<T>(source, inverse), input.dtype(), result);
    else
      find_runs<T>(source, inverse, result);
  });
  return result;
}

}  // namespace tapedeck::kernels
