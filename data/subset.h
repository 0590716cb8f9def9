#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <tapedeck/array/error.h>
#include <tapedeck/data/map_dataset.h>

namespace tapedeck::data::datasets {

namespace detail {
/// A permutation of 0 ... n-1 by randperm.
std::vector<std::size_t> random_permutation(std::size_t n);
/// The first i with index < ends[i].
std::size_t part_of(std::size_t index, const std::vector<std::size_t>& ends);
}  // namespace detail

/// Some examples of a dataset, by their indices there.
template <typename D>
class Subset : public BatchDataset<Subset<D>, typename D::BatchType> {
 public:
  using ExampleType = typename detail::example_of<D>::type;

  Subset(D dataset, std::vector<std::size_t> indices)
      : dataset_(std::move(dataset)),
        indices_(std::make_shared<const std::vector<std::size_t>>(std::move(indices))) {}

  typename D::BatchType get_batch(ArrayRef<std::size_t> request) override {
    return dataset_.get_batch(source_indices(request));
  }
  ExampleType get(std::size_t index) { return dataset_.get(source_indices(index)[0]); }
  ExampleType get_stacked(ArrayRef<std::size_t> request) requires StackedDataset<D> {
    return dataset_.get_stacked(source_indices(request));
  }
  std::optional<std::size_t> size() const override { return indices_->size(); }

  D& dataset() { return dataset_; }
  const std::vector<std::size_t>& indices() const { return *indices_; }

 private:
  std::vector<std::size_t> source_indices(ArrayRef<std::size_t> request) const {
    std::vector<std::size_t> result;
    result.reserve(request.size());
    for (const std::size_t i : request) {
      TAPEDECK_CHECK_AS(IndexError, i < indices_->size(), "Subset: index ", i, " of ",
                        indices_->size(), " examples");
      result.push_back((*indices_)[i]);
    }
    return result;
  }

  D dataset_;
  std::shared_ptr<const std::vector<std::size_t>> indices_;
};

/// Datasets one after the other.
template <typename D>
class ConcatDataset : public Dataset<ConcatDataset<D>, typename D::ExampleType> {
 public:
  /// \throws Error for none, or one that does not know its size.
  explicit ConcatDataset(std::vector<D> datasets) : datasets_(std::move(datasets)) {
    TAPEDECK_CHECK_AS(ValueError, !datasets_.empty(),
                      "ConcatDataset: expected at least one dataset");
    for (const D& dataset : datasets_) {
      const std::optional<std::size_t> size = dataset.size();
      TAPEDECK_CHECK(size.has_value(), "ConcatDataset: a dataset does not know its size");
      ends_.push_back((ends_.empty() ? 0 : ends_.back()) + *size);
    }
  }

  typename D::ExampleType get(std::size_t index) override {
    TAPEDECK_CHECK_AS(IndexError, index < ends_.back(), "ConcatDataset: index ", index, " of ",
                      ends_.back(), " examples");
    const std::size_t which = detail::part_of(index, ends_);
    return datasets_[which].get(index - (which == 0 ? 0 : ends_[which - 1]));
  }
  std::optional<std::size_t> size() const override { return ends_.back(); }

 private:
  std::vector<D> datasets_;
  std::vector<std::size_t> ends_;
};

/// Splits a dataset at random, as Python's random_split does with the default generator.
/// \throws Error unless the lengths sum up to the dataset's size.
template <typename D>
std::vector<Subset<D>> random_split(D dataset, const std::vector<std::size_t>& lengths) {
  const std::optional<std::size_t> size = dataset.size();
  std::size_t sum = 0;
  for (const std::size_t length : lengths) sum += length;
  TAPEDECK_CHECK_AS(ValueError, size && *size == sum, "random_split: the lengths sum up to ", sum,
                    ", the dataset has ", size.value_or(0), " examples");
  const std::vector<std::size_t> order = detail::random_permutation(sum);
  std::vector<Subset<D>> parts;
  auto begin = order.begin();
  for (const std::size_t length : lengths) {
    const auto end = begin + static_cast<std::ptrdiff_t>(length);
    parts.emplace_back(dataset, std::vector<std::size_t>(begin, end));
    begin = end;
  }
  return parts;
}

}  // namespace tapedeck::data::datasets
