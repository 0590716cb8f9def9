#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <tapedeck/data/dataloader_base.h>
#include <tapedeck/data/random_sampler.h>

namespace tapedeck::data {

/// Loads batches of a dataset at the indices that a sampler gives. Each worker has a copy of the
/// dataset. The batches are the same with any number of workers.
template <typename Dataset, typename Sampler>
class StatelessDataLoader : public DataLoaderBase<Dataset, typename Dataset::BatchType,
                                                  typename Sampler::BatchRequestType> {
 public:
  using super =
      DataLoaderBase<Dataset, typename Dataset::BatchType, typename Sampler::BatchRequestType>;
  using typename super::BatchRequestType;

  StatelessDataLoader(Dataset dataset, Sampler sampler, const DataLoaderOptions& options)
      : super(options), sampler_(std::move(sampler)) {
    for (std::size_t i = 0; i < this->options_.workers; ++i)
      this->start_worker(std::make_shared<Dataset>(dataset));
    if (this->options_.workers == 0)
      this->main_thread_dataset_ = std::make_unique<Dataset>(std::move(dataset));
  }

 private:
  void reset() override {
    sampler_.reset(std::nullopt);
    super::reset();
  }
  std::optional<BatchRequestType> get_batch_request() override {
    std::optional<BatchRequestType> indices = sampler_.next(this->options_.batch_size);
    if (!indices || (this->options_.drop_last && indices->size() < this->options_.batch_size))
      return std::nullopt;
    return indices;
  }

  Sampler sampler_;
};

/// Loads batches of a dataset that decides itself what comes next. The workers share it.
template <typename Dataset>
class StatefulDataLoader : public DataLoaderBase<Dataset, typename Dataset::BatchType::value_type,
                                                 typename Dataset::BatchRequestType> {
 public:
  using super = DataLoaderBase<Dataset, typename Dataset::BatchType::value_type,
                               typename Dataset::BatchRequestType>;
  using typename super::BatchRequestType;

  StatefulDataLoader(Dataset dataset, const DataLoaderOptions& options) : super(options) {
    this->main_thread_dataset_ = std::make_unique<Dataset>(std::move(dataset));
    // Not owned: it goes with the loader, after the workers have ended.
    const std::shared_ptr<Dataset> shared(std::shared_ptr<void>(),
                                          this->main_thread_dataset_.get());
    for (std::size_t i = 0; i < this->options_.workers; ++i) this->start_worker(shared);
  }

 private:
  void reset() override {
    this->main_thread_dataset_->reset();
    super::reset();
  }
  std::optional<BatchRequestType> get_batch_request() override { return this->options_.batch_size; }
};

/// A loader with a sampler of the caller's.
template <typename Dataset, typename Sampler>
requires(!Dataset::is_stateful)
    std::unique_ptr<StatelessDataLoader<Dataset, Sampler>> make_data_loader(
        Dataset dataset, Sampler sampler, DataLoaderOptions options) {
  return std::make_unique<StatelessDataLoader<Dataset, Sampler>>(std::move(dataset),
                                                                 std::move(sampler), options);
}

/// A loader with a sampler made for the dataset's size: `make_data_loader<SequentialSampler>(...)`.
/// The options may be just the batch size. \throws Error where the dataset does not know its size.
template <typename Sampler = samplers::RandomSampler, typename Dataset>
requires(!Dataset::is_stateful && std::is_constructible_v<Sampler, std::size_t>)
    std::unique_ptr<StatelessDataLoader<Dataset, Sampler>> make_data_loader(
        Dataset dataset, DataLoaderOptions options = DataLoaderOptions()) {
  const std::optional<std::size_t> size = dataset.size();
  TAPEDECK_CHECK(size.has_value(),
                 "Expected the dataset to be sized in order to construct the Sampler");
  return make_data_loader(std::move(dataset), Sampler(*size), options);
}

/// A loader of a stateful dataset.
template <typename Dataset>
requires(Dataset::is_stateful) std::unique_ptr<StatefulDataLoader<Dataset>> make_data_loader(
    Dataset dataset, DataLoaderOptions options = DataLoaderOptions()) {
  return std::make_unique<StatefulDataLoader<Dataset>>(std::move(dataset), options);
}

}  // namespace tapedeck::data
