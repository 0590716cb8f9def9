#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <tapedeck/array/array_ref.h>
#include <tapedeck/data/example.h>

namespace tapedeck {
namespace serialize {
class OutputArchive;
class InputArchive;
}  // namespace serialize

namespace data::datasets {

template <typename D, typename T>
class MapDataset;
template <typename D, typename T>
MapDataset<D, T> map(D dataset, T transform);

namespace detail {
template <typename T>
inline constexpr bool is_optional = false;
template <typename T>
inline constexpr bool is_optional<std::optional<T>> = true;
}  // namespace detail

/// A dataset that yields batches. `Self` is the class that derives from it.
template <typename Self, typename Batch = std::vector<Example<>>,
          typename BatchRequest = ArrayRef<std::size_t>>
class BatchDataset {
 public:
  using SelfType = Self;
  using BatchType = Batch;
  using BatchRequestType = BatchRequest;
  /// Whether it decides itself what comes next, and when its epoch ends.
  static constexpr bool is_stateful = detail::is_optional<Batch>;

  virtual ~BatchDataset() = default;

  virtual Batch get_batch(BatchRequest request) = 0;
  /// Number of examples, if it is known.
  virtual std::optional<std::size_t> size() const = 0;

  /// A dataset that applies a transform to the batches of this one.
  template <typename Transform>
  MapDataset<Self, Transform> map(Transform transform) & {
    return datasets::map(static_cast<Self&>(*this), std::move(transform));
  }
  template <typename Transform>
  MapDataset<Self, Transform> map(Transform transform) && {
    return datasets::map(std::move(static_cast<Self&>(*this)), std::move(transform));
  }
};

/// A dataset with random access: a batch is what get() gives for each index.
template <typename Self, typename SingleExample = Example<>>
class Dataset : public BatchDataset<Self, std::vector<SingleExample>> {
 public:
  using ExampleType = SingleExample;

  virtual ExampleType get(std::size_t index) = 0;

  std::vector<ExampleType> get_batch(ArrayRef<std::size_t> indices) override {
    std::vector<ExampleType> batch;
    batch.reserve(indices.size());
    for (const std::size_t i : indices) batch.push_back(get(i));
    return batch;
  }
};

/// A dataset asked only for a number of examples, perhaps without end.
template <typename Self, typename Batch = std::vector<Example<>>>
using StreamDataset = BatchDataset<Self, Batch, std::size_t>;

/// A dataset with a position, which reset() takes back before each epoch. It returns nothing when
/// its epoch has ended. Workers share it: with several it must be safe to call from threads.
template <typename Self, typename Batch = std::vector<Example<>>,
          typename BatchRequest = std::size_t>
class StatefulDataset : public BatchDataset<Self, std::optional<Batch>, BatchRequest> {
 public:
  virtual void reset() = 0;
  virtual void save(serialize::OutputArchive& archive) const = 0;
  virtual void load(serialize::InputArchive& archive) = 0;
};

template <typename... Args>
serialize::OutputArchive& operator<<(serialize::OutputArchive& archive,
                                     const StatefulDataset<Args...>& dataset) {
  dataset.save(archive);
  return archive;
}
template <typename... Args>
serialize::InputArchive& operator>>(serialize::InputArchive& archive,
                                    StatefulDataset<Args...>& dataset) {
  dataset.load(archive);
  return archive;
}

/// A dataset that makes the stacked batch itself, without a tensor for each example:
/// `get_stacked(indices)` is what Stack gives for get_batch(indices).
template <typename D>
concept StackedDataset = std::is_same_v<typename D::SelfType, D> &&
    requires(D& dataset, ArrayRef<std::size_t> indices) {
  typename D::ExampleType;
  { dataset.get_stacked(indices) } -> std::same_as<typename D::ExampleType>;
};

}  // namespace data::datasets

namespace data {
using datasets::BatchDataset;
using datasets::Dataset;
}  // namespace data
}  // namespace tapedeck
