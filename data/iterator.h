#pragma once

#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include <tapedeck/array/error.h>

namespace tapedeck::data {

namespace detail {

/// Where an iterator of a loader stands. The first batch is fetched when it is first asked for.
template <typename Batch>
class BatchCursor {
 public:
  explicit BatchCursor(std::function<std::optional<Batch>()> next) : next_(std::move(next)) {}

  bool at_end() {
    if (!started_) advance();
    return !batch_;
  }
  void next() {
    TAPEDECK_CHECK(!at_end(), "Attempted to increment iterator past the end");
    advance();
  }
  Batch& get() {
    TAPEDECK_CHECK(!at_end(), "Attempted to dereference iterator that was past the end");
    return *batch_;
  }

 private:
  void advance() {
    // Only a batch that has arrived counts: after an error one may ask again.
    batch_ = next_();
    started_ = true;
  }

  std::function<std::optional<Batch>()> next_;
  std::optional<Batch> batch_;
  bool started_ = false;
};

}  // namespace detail

/// An input iterator over the batches of a loader. Copies share their position.
template <typename Batch>
class Iterator {
 public:
  using difference_type = std::ptrdiff_t;
  using value_type = Batch;
  using pointer = Batch*;
  using reference = Batch&;
  using iterator_category = std::input_iterator_tag;

  /// Null is the end.
  explicit Iterator(std::shared_ptr<detail::BatchCursor<Batch>> cursor)
      : cursor_(std::move(cursor)) {}

  /// \throws Error past the end.
  Iterator& operator++() {
    TAPEDECK_CHECK(cursor_, "Incrementing the DataLoader's past-the-end iterator is not allowed");
    cursor_->next();
    return *this;
  }
  Batch& operator*() const {
    TAPEDECK_CHECK(cursor_, "Dereferencing the DataLoader's past-the-end iterator is not allowed");
    return cursor_->get();
  }
  Batch* operator->() const { return &**this; }

  /// Equal where both are at the end, or both the same iterator.
  bool operator==(const Iterator& other) const {
    if (cursor_ == other.cursor_) return true;
    if (cursor_ && other.cursor_) return false;
    return (cursor_ ? cursor_ : other.cursor_)->at_end();
  }
  bool operator!=(const Iterator& other) const { return !(*this == other); }

 private:
  std::shared_ptr<detail::BatchCursor<Batch>> cursor_;
};

}  // namespace tapedeck::data
