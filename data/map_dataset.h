#pragma once

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

#include <tapedeck/data/dataset.h>
#include <tapedeck/data/stack.h>

namespace tapedeck::data::datasets {

namespace detail {

template <bool wanted, typename T>
using optional_if_t = std::conditional_t<wanted, std::optional<T>, T>;

template <typename D>
struct plain_batch {
  using type = typename D::BatchType;
};
template <typename D>
requires(D::is_stateful) struct plain_batch<D> {
  using type = typename D::BatchType::value_type;
};

// What a dataset's examples are, where it says so.
template <typename D>
struct example_of {
  using type = void;
};
template <typename D>
requires requires { typename D::ExampleType; }
struct example_of<D> {
  using type = typename D::ExampleType;
};

}  // namespace detail

/// A dataset whose batches are those of another one, transformed.
template <typename SourceDataset, typename AppliedTransform>
class MapDataset
    : public BatchDataset<MapDataset<SourceDataset, AppliedTransform>,
                          detail::optional_if_t<SourceDataset::is_stateful,
                                                typename AppliedTransform::OutputBatchType>,
                          typename SourceDataset::BatchRequestType> {
 public:
  using DatasetType = SourceDataset;
  using TransformType = AppliedTransform;
  using ExampleType = typename detail::example_of<SourceDataset>::type;
  using BatchRequestType = typename SourceDataset::BatchRequestType;
  using OutputBatchType =
      detail::optional_if_t<SourceDataset::is_stateful, typename AppliedTransform::OutputBatchType>;

  MapDataset(DatasetType dataset, TransformType transform)
      : dataset_(std::move(dataset)), transform_(std::move(transform)) {}

  OutputBatchType get_batch(BatchRequestType request) override {
    if constexpr (SourceDataset::is_stateful) {
      if (auto batch = dataset_.get_batch(std::move(request)))
        return transform_.apply_batch(std::move(*batch));
      return std::nullopt;
    } else if constexpr (stacks_at_once()) {
      return dataset_.get_stacked(request);
    } else {
      return transform_.apply_batch(dataset_.get_batch(std::move(request)));
    }
  }

  /// The stacked batch, transformed as a whole.
  ExampleType get_stacked(ArrayRef<std::size_t> indices) requires StackedDataset<SourceDataset> &&
      transforms::StackedTransform<AppliedTransform> {
    ExampleType batch = dataset_.get_stacked(indices);
    batch.data = transform_.apply_stacked(std::move(batch.data));
    return batch;
  }

  std::optional<std::size_t> size() const noexcept override { return dataset_.size(); }
  /// Resets the source; only for one that has a reset().
  void reset() { dataset_.reset(); }
  const SourceDataset& dataset() noexcept { return dataset_; }
  const AppliedTransform& transform() noexcept { return transform_; }

 private:
  static constexpr bool stacks_at_once() {
    if constexpr (StackedDataset<SourceDataset>)
      return std::is_same_v<AppliedTransform,
                            transforms::Stack<typename SourceDataset::ExampleType>>;
    else
      return false;
  }

  SourceDataset dataset_;
  AppliedTransform transform_;
};

template <typename D, typename T>
MapDataset<D, T> map(D dataset, T transform) {
  static_assert(std::is_same_v<typename detail::plain_batch<D>::type, typename T::InputBatchType>,
                "the dataset's batches are not what the transform takes");
  return {std::move(dataset), std::move(transform)};
}

}  // namespace tapedeck::data::datasets
