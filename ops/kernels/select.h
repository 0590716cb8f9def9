#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include <tapedeck/ops/kernels/radix_sort.h>

namespace tapedeck::kernels {

/// Finds elements by their rank, in memory that serves one line after another.
template <typename T>
class Selection {
 public:
  /// The index of the element that a stable sort of in[0], in[step], ... would put at place k of n
  /// (at most 2^32 where T has 4 bytes); all NaNs come last.
  std::int64_t kth(const T* in, std::int64_t step, std::int64_t n, std::int64_t k) {
    constexpr std::int64_t kFew = 256;
    entries_.clear();
    if (n <= kFew) {
      for (std::int64_t i = 0; i < n; ++i) entries_.push_back(entry(sort_key(in[i * step]), i));
      return pick(k);
    }
    // The bits in which keys differ, of which the upper ones are counted first.
    const Key first = sort_key(in[0]);
    Key different = 0;
    for (std::int64_t i = 1; i < n; ++i) different |= sort_key(in[i * step]) ^ first;
    if (different == 0) return k;
    constexpr std::int64_t kMany = 8192;
    const int bits = n < kMany ? 8 : 11;
    const int shift = std::max(0, static_cast<int>(std::bit_width(different)) - bits);
    const std::size_t buckets = std::size_t{1} << bits;
    const auto bucket = [=](T value) {
      return static_cast<std::size_t>(sort_key(value) >> shift) & (buckets - 1);
    };
    counts_.assign(buckets, 0);
    for (std::int64_t i = 0; i < n; ++i) ++counts_[bucket(in[i * step])];
    std::size_t wanted = 0;
    for (; k >= counts_[wanted]; ++wanted) k -= counts_[wanted];
    // Each is written before it is known to be wanted, which leaves no branch to be mispredicted.
    entries_.resize(static_cast<std::size_t>(counts_[wanted]) + 1);
    std::size_t found = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      entries_[found] = entry(sort_key(in[i * step]), i);
      found += bucket(in[i * step]) == wanted;
    }
    entries_.pop_back();
    return pick(k);
  }

 private:
  using Key = SortKey<T>;
  // Keys before indices: of equal elements the first is the lesser.
  using Entry = std::conditional_t<sizeof(Key) == 4, std::uint64_t, std::pair<Key, std::int64_t>>;

  static Entry entry(Key key, std::int64_t index) {
    if constexpr (sizeof(Key) == 4)
      return static_cast<std::uint64_t>(key) << 32 | static_cast<std::uint64_t>(index);
    else
      return {key, index};
  }
  std::int64_t pick(std::int64_t k) {
    const auto place = entries_.begin() + k;
    std::nth_element(entries_.begin(), place, entries_.end());
    if constexpr (sizeof(Key) == 4)
      return static_cast<std::int64_t>(*place & 0xffffffffu);
    else
      return place->second;
  }

  std::vector<Entry> entries_;
  std::vector<std::int64_t> counts_;
};

}  // namespace tapedeck::kernels
