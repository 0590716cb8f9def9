#pragma once

#include <concepts>
#include <cstddef>
#include <iterator>

namespace tapedeck {

/// The integers of [begin, end), for range-based loops; empty where end <= begin.
template <std::integral I>
class IntegerRange {
 public:
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = I;
    using difference_type = std::ptrdiff_t;
    using pointer = const I*;
    using reference = I;

    constexpr explicit iterator(I value) : value_(value) {}
    constexpr I operator*() const { return value_; }
    constexpr iterator& operator++() {
      ++value_;
      return *this;
    }
    constexpr iterator operator++(int) {
      const iterator before = *this;
      ++value_;
      return before;
    }
    friend constexpr bool operator==(iterator, iterator) = default;

   private:
    I value_;
  };

  constexpr IntegerRange(I begin, I end) : begin_(begin), end_(end < begin ? begin : end) {}
  constexpr iterator begin() const { return iterator(begin_); }
  constexpr iterator end() const { return iterator(end_); }

 private:
  I begin_;
  I end_;
};

/// `for (const auto i : irange(n))`, `for (const auto i : irange(first, last))`.
template <std::integral End>
constexpr IntegerRange<End> irange(End end) {
  return {End(), end};
}
template <std::integral Begin, std::integral End>
constexpr IntegerRange<End> irange(Begin begin, End end) {
  return {static_cast<End>(begin), end};
}

}  // namespace tapedeck
