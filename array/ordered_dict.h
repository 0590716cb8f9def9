#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <tapedeck/array/error.h>

namespace tapedeck {

/// Pairs of key and value in the order of insertion, looked up by key or by position. The interface
/// is that of libtorch's torch::OrderedDict. Iterators are good until something is inserted.
template <typename Key, typename Value>
class OrderedDict {
 public:
  /// One pair; `*item` and `item->` are its value.
  class Item {
   public:
    Item(Key key, Value value) : pair_(std::move(key), std::move(value)) {}

    Value& operator*() { return pair_.second; }
    const Value& operator*() const { return pair_.second; }
    Value* operator->() { return &pair_.second; }
    const Value* operator->() const { return &pair_.second; }
    const Key& key() const noexcept { return pair_.first; }
    Value& value() noexcept { return pair_.second; }
    const Value& value() const noexcept { return pair_.second; }
    const std::pair<Key, Value>& pair() const noexcept { return pair_; }

   private:
    std::pair<Key, Value> pair_;
  };

  using Iterator = typename std::vector<Item>::iterator;
  using ConstIterator = typename std::vector<Item>::const_iterator;

  /// `key_description` is what errors call a key: "Parameter", "Submodule".
  explicit OrderedDict(std::string key_description = "Key")
      : key_description_(std::move(key_description)) {}
  OrderedDict(std::initializer_list<Item> items) : OrderedDict() {
    reserve(items.size());
    for (const Item& item : items) insert(item.key(), item.value());
  }

  const std::string& key_description() const noexcept { return key_description_; }

  /// \throws Error where it is empty.
  Item& front() { return check_not_empty("front"), items_.front(); }
  const Item& front() const { return check_not_empty("front"), items_.front(); }
  Item& back() { return check_not_empty("back"), items_.back(); }
  const Item& back() const { return check_not_empty("back"), items_.back(); }

  /// The pair at a position. \throws IndexError outside the range.
  Item& operator[](std::size_t index) { return check_index(index), items_[index]; }
  const Item& operator[](std::size_t index) const { return check_index(index), items_[index]; }
  /// The value of a key. \throws Error where it is not defined.
  Value& operator[](const Key& key) {
    return const_cast<Value&>(static_cast<const OrderedDict&>(*this)[key]);
  }
  const Value& operator[](const Key& key) const {
    const Value* value = find(key);
    TAPEDECK_CHECK(value, key_description_, " '", key, "' is not defined");
    return *value;
  }

  /// The value of a key, or null.
  Value* find(const Key& key) noexcept {
    const auto it = index_.find(key);
    return it == index_.end() ? nullptr : &items_[it->second].value();
  }
  const Value* find(const Key& key) const noexcept {
    const auto it = index_.find(key);
    return it == index_.end() ? nullptr : &items_[it->second].value();
  }
  bool contains(const Key& key) const noexcept { return index_.count(key) != 0; }

  Iterator begin() { return items_.begin(); }
  ConstIterator begin() const { return items_.begin(); }
  Iterator end() { return items_.end(); }
  ConstIterator end() const { return items_.end(); }

  std::size_t size() const noexcept { return items_.size(); }
  bool is_empty() const noexcept { return items_.empty(); }
  void reserve(std::size_t capacity) {
    index_.reserve(capacity);
    items_.reserve(capacity);
  }

  /// Appends a pair. \throws Error where the key is there already.
  Value& insert(Key key, Value value) {
    TAPEDECK_CHECK(!contains(key), key_description_, " '", key, "' already defined");
    items_.emplace_back(key, std::move(value));
    index_.emplace(std::move(key), items_.size() - 1);
    return items_.back().value();
  }
  /// Appends all pairs of another. \throws Error at the first key that is there already.
  void update(const OrderedDict& other) {
    reserve(size() + other.size());
    for (const Item& item : other) insert(item.key(), item.value());
  }
  /// \throws Error where there is no such key.
  void erase(const Key& key) {
    const auto it = index_.find(key);
    TAPEDECK_CHECK(it != index_.end(), key_description_, " '", key, "' doesn't exist");
    const std::size_t position = it->second;
    index_.erase(it);
    items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(position));
    for (auto& entry : index_)
      if (entry.second > position) --entry.second;
  }
  void clear() {
    index_.clear();
    items_.clear();
  }

  const std::vector<Item>& items() const noexcept { return items_; }
  std::vector<Key> keys() const {
    std::vector<Key> result;
    result.reserve(size());
    for (const Item& item : items_) result.push_back(item.key());
    return result;
  }
  std::vector<Value> values() const {
    std::vector<Value> result;
    result.reserve(size());
    for (const Item& item : items_) result.push_back(item.value());
    return result;
  }
  std::vector<std::pair<Key, Value>> pairs() const {
    std::vector<std::pair<Key, Value>> result;
    result.reserve(size());
    for (const Item& item : items_) result.push_back(item.pair());
    return result;
  }

  friend bool operator==(const OrderedDict& a, const OrderedDict& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
      if (!(a.items_[i].pair() == b.items_[i].pair())) return false;
    return true;
  }

 private:
  void check_not_empty(const char* what) const {
    TAPEDECK_CHECK(!items_.empty(), "Called ", what, "() on an empty OrderedDict");
  }
  void check_index(std::size_t index) const {
    TAPEDECK_CHECK_AS(IndexError, index < items_.size(), "Index ", index, " is out of bounds");
  }

  std::unordered_map<Key, std::size_t> index_;
  std::vector<Item> items_;
  std::string key_description_;
};

}  // namespace tapedeck
