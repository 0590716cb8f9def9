#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

namespace tapedeck::kernels {

template <typename T>
using SortKey = std::conditional_t<sizeof(T) <= 4, std::uint32_t, std::uint64_t>;

/// An unsigned number for each value, in their order: equal values have the same one, both zeros
/// do, and so do all NaNs, above everything.
template <typename T>
SortKey<T> sort_key(T value) {
  using Key = SortKey<T>;
  constexpr Key kSign = Key{1} << (8 * sizeof(Key) - 1);
  if constexpr (std::is_floating_point_v<T>) {
    const Key bits = std::bit_cast<Key>(value + T{0});
    const Key negative = Key{0} - (bits >> (8 * sizeof(Key) - 1));
    return value != value ? std::numeric_limits<Key>::max() : bits ^ (negative | kSign);
  } else if constexpr (std::is_signed_v<T>) {
    return static_cast<Key>(value) ^ kSign;
  } else {
    return static_cast<Key>(value);
  }
}

/// The value of a key: +0 for both zeros.
template <typename T>
T value_of_key(SortKey<T> key) {
  using Key = SortKey<T>;
  constexpr Key kSign = Key{1} << (8 * sizeof(Key) - 1);
  if constexpr (std::is_floating_point_v<T>)
    return std::bit_cast<T>(key >= kSign ? key ^ kSign : ~key);
  else if constexpr (std::is_signed_v<T>)
    return static_cast<T>(key ^ kSign);
  else
    return static_cast<T>(key);
}

/// What is sorted: a key and where its value came from, or a bare key.
template <typename Key>
struct SortItem {
  Key key;
  std::conditional_t<sizeof(Key) == 4, std::uint32_t, std::int64_t> index;
};

/// The elements in[0], in[step], ... with keys that are flipped where the order is.
template <typename T, typename Item>
void make_items(const T* in, std::int64_t step, std::int64_t n, SortKey<T> flip, Item* items) {
  for (std::int64_t i = 0; i < n; ++i) {
    items[i].key = sort_key(in[i * step]) ^ flip;
    items[i].index = static_cast<decltype(Item::index)>(i);
  }
}

template <typename Key>
Key key_of(const SortItem<Key>& item) {
  return item.key;
}
template <std::unsigned_integral Key>
Key key_of(Key key) {
  return key;
}

/// Sorts n items by their keys, few of them, and keeps the order of equal ones.
template <typename Item>
void insertion_sort(Item* items, std::int64_t n) {
  for (std::int64_t i = 1; i < n; ++i) {
    const Item item = items[i];
    std::int64_t j = i;
    for (; j > 0 && key_of(items[j - 1]) > key_of(item); --j) items[j] = items[j - 1];
    items[j] = item;
  }
}

/// Merges the sorted items [0, middle) and [middle, n) into `to`.
template <typename Item>
void merge(const Item* items, std::int64_t middle, std::int64_t n, Item* to) {
  std::int64_t i = 0, j = middle;
  while (i < middle && j < n) {
    const bool second = key_of(items[j]) < key_of(items[i]);
    *to++ = items[second ? j : i];
    j += second;
    i += !second;
  }
  while (i < middle) *to++ = items[i++];
  while (j < n) *to++ = items[j++];
}

/// Sorts n items by their keys and keeps the order of equal ones; `spare` has room for n.
template <typename Item>
void stable_sort(Item* items, Item* spare, std::int64_t n) {
  constexpr std::int64_t kFew = 16, kSome = 256;
  Item *from = items, *to = spare;
  const auto done = [&] {
    if (from != items)
      for (std::int64_t i = 0; i < n; ++i) items[i] = from[i];
  };
  if (n <= kSome) {
    for (std::int64_t i = 0; i < n; i += kFew) insertion_sort(items + i, std::min(kFew, n - i));
    for (std::int64_t run = kFew; run < n; run *= 2, std::swap(from, to))
      for (std::int64_t i = 0; i < n; i += 2 * run)
        merge(from + i, std::min(run, n - i), std::min(2 * run, n - i), to + i);
    return done();
  }
  // Byte by byte, from the lowest one; bytes that are the same in all keys are left out.
  using Key = decltype(key_of(*items));
  constexpr std::size_t kBytes = sizeof(Key), kValues = 256;
  const auto byte_of = [](Key key, std::size_t byte) { return (key >> (8 * byte)) & 0xff; };
  std::int64_t counts[kBytes][kValues] = {};
  for (std::int64_t i = 0; i < n; ++i)
    for (std::size_t b = 0; b < kBytes; ++b) ++counts[b][byte_of(key_of(items[i]), b)];
  for (std::size_t b = 0; b < kBytes; ++b) {
    std::int64_t* const places = counts[b];
    if (places[byte_of(key_of(items[0]), b)] == n) continue;
    std::int64_t place = 0;
    for (std::size_t v = 0; v < kValues; ++v) place += std::exchange(places[v], place);
    for (std::int64_t i = 0; i < n; ++i) to[places[byte_of(key_of(from[i]), b)]++] = from[i];
    std::swap(from, to);
  }
  done();
}

}  // namespace tapedeck::kernels
