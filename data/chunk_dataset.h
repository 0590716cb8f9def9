#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <tapedeck/array/arg.h>
#include <tapedeck/array/error.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/data/dataset.h>
#include <tapedeck/data/preloaders.h>
#include <tapedeck/data/samplers.h>
#include <tapedeck/data/worker_exception.h>
#include <tapedeck/serialize/archive.h>

// A dataset that is read in chunks, files for example, by threads of its own. Programs that use it
// include this header: for the sake of those that do not, <tapedeck/tapedeck.h> leaves it out.
namespace tapedeck::data::datasets {

/// Reads one chunk of examples after another. Several threads call read_chunk at once if the
/// dataset has several preloaders.
template <typename Example, typename Chunk = std::vector<Example>>
class ChunkDataReader {
 public:
  using ChunkType = Chunk;
  using ExampleType = Example;

  virtual ~ChunkDataReader() = default;

  virtual ChunkType read_chunk(std::size_t chunk_index) = 0;
  virtual std::size_t chunk_count() = 0;
  /// Begins an epoch.
  virtual void reset() = 0;
};

struct ChunkDatasetOptions {
  /// \throws Error where a number is zero, or the cache smaller than a batch.
  ChunkDatasetOptions(std::size_t preloader_count, std::size_t batch_size,
                      std::size_t cache_size = 2048, std::size_t cross_chunk_shuffle_count = 1)
      : preloader_count_(preloader_count),
        batch_size_(batch_size),
        cache_size_(cache_size),
        cross_chunk_shuffle_count_(cross_chunk_shuffle_count) {
    TAPEDECK_CHECK(preloader_count > 0,
                   "Preloader count is 0. At least one preloader needs to be specified.");
    TAPEDECK_CHECK(batch_size > 0, "Batch size is 0. A positive batch size needs to be specified.");
    TAPEDECK_CHECK(cache_size > 0, "Cache size is 0. A positive cache size needs to be specified.");
    TAPEDECK_CHECK(cache_size >= batch_size,
                   "Cache size is less than batch size. Cache needs to be large enough to hold at "
                   "least one batch.");
    TAPEDECK_CHECK(cross_chunk_shuffle_count > 0,
                   "cross_chunk_shuffle_count needs to be greater than 0.");
  }

  TAPEDECK_ARG(std::size_t, preloader_count);  ///< threads that read
  TAPEDECK_ARG(std::size_t, batch_size);
  TAPEDECK_ARG(std::size_t, cache_size);  ///< examples that wait before the threads do
  TAPEDECK_ARG(std::size_t, cross_chunk_shuffle_count);  ///< chunks whose examples are mixed
};

namespace detail {

/// Examples on their way from the threads that read them to the one that asks for batches.
template <typename Batch>
class ExampleQueue {
 public:
  ExampleQueue(std::size_t batch_size, std::size_t capacity)
      : batch_size_(batch_size), capacity_(capacity) {}

  /// Adds the examples of `chunk` in the order of `indices`, when there is room or nobody waits.
  void push(Batch chunk, const std::vector<std::size_t>& indices) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return closed_ || examples_.size() < capacity_; });
    if (closed_) return;
    for (const std::size_t i : indices) {
      TAPEDECK_CHECK_AS(IndexError, i < chunk.size(), "ChunkDataset: Index out of range: ", i,
                        " of ", chunk.size(), " examples");
      examples_.push_back(std::move(chunk[i]));
    }
    ready_.notify_all();
  }
  void push(std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    errors_.push_back(std::move(error));
    ready_.notify_all();
  }

  /// The next batch, the last one perhaps a smaller one, or nothing at the end of the epoch.
  /// \throws WorkerException for an exception that was pushed.
  std::optional<Batch> pop() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock,
                [&] { return closed_ || !errors_.empty() || examples_.size() >= batch_size_; });
    if (!errors_.empty()) {
      const std::exception_ptr error = errors_.front();
      errors_.pop_front();
      throw WorkerException(error);
    }
    if (examples_.empty()) return std::nullopt;
    Batch batch;
    for (; batch.size() < batch_size_ && !examples_.empty(); examples_.pop_front())
      batch.push_back(std::move(examples_.front()));
    room_.notify_all();
    return batch;
  }

  /// No more examples will come; those that are here can still be had.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    room_.notify_all();
    ready_.notify_all();
  }

 private:
  const std::size_t batch_size_, capacity_;
  std::mutex mutex_;
  Condition room_, ready_;
  std::deque<typename Batch::value_type> examples_;
  std::deque<std::exception_ptr> errors_;
  bool closed_ = false;
};

}  // namespace detail

/// Examples of the chunks that `chunk_sampler` names, each chunk in the order of `example_sampler`,
/// cut into batches. Threads read ahead, up to the cache's size; with one of them the order is that
/// of the samplers. An exception of the reader reaches the caller of the loader as WorkerException.
/// Saving and loading is of the chunk sampler, which must have been made for the number of chunks:
/// an epoch goes on at a chunk.
template <typename ChunkReader, typename ChunkSampler = samplers::RandomSampler,
          typename ExampleSampler = samplers::RandomSampler>
class ChunkDataset final
    : public StatefulDataset<ChunkDataset<ChunkReader, ChunkSampler, ExampleSampler>,
                             typename ChunkReader::BatchType, std::size_t> {
 public:
  using UnwrappedBatchType = typename ChunkReader::BatchType;
  using BatchType = std::optional<UnwrappedBatchType>;
  using BatchRequestType = std::size_t;
  using ChunkSamplerType = ChunkSampler;
  using ExampleSamplerType = ExampleSampler;

  /// `preprocessing_policy`, if any, changes what was read before the examples are sampled.
  ChunkDataset(ChunkReader chunk_reader, ChunkSampler chunk_sampler, ExampleSampler example_sampler,
               ChunkDatasetOptions options,
               std::function<void(UnwrappedBatchType&)> preprocessing_policy = {})
      : chunk_reader_(std::move(chunk_reader)),
        chunk_sampler_(std::move(chunk_sampler)),
        example_sampler_(std::move(example_sampler)),
        options_(std::move(options)),
        preprocessing_policy_(std::move(preprocessing_policy)) {}
  ~ChunkDataset() override { stop(); }

  /// \throws Error unless reset() was called, and `batch_size` is that of the options.
  BatchType get_batch(std::size_t batch_size) override {
    TAPEDECK_CHECK(queue_, "Dataset needs to call reset() before calling get_batch().");
    TAPEDECK_CHECK(batch_size == options_.batch_size(),
                   "The requested batch size does not match with the initialized batch size.\n The "
                   "requested batch size is ",
                   batch_size, ", while the dataset is created with batch size equal to ",
                   options_.batch_size());
    return queue_->pop();
  }
  BatchType get_batch() { return get_batch(options_.batch_size()); }

  /// Begins an epoch: all chunks, or after load() those that are left.
  void reset() override {
    stop();
    if (!loaded_) {
      chunk_reader_.reset();
      chunk_sampler_.reset(chunk_reader_.chunk_count());
    }
    loaded_ = false;
    queue_.emplace(options_.batch_size(), options_.cache_size());
    stopping_ = false;
    running_ = options_.preloader_count();
    preloaders_.start(options_.preloader_count(), [this] { preload(); });
  }

  /// Not known.
  std::optional<std::size_t> size() const override { return std::nullopt; }

  ChunkSamplerType& chunk_sampler() { return chunk_sampler_; }

  void save(serialize::OutputArchive& archive) const override {
    const std::lock_guard lock(sampler_mutex_);
    chunk_sampler_.save(archive);
  }
  void load(serialize::InputArchive& archive) override {
    const std::lock_guard lock(sampler_mutex_);
    chunk_sampler_.load(archive);
    archive.defer([this] { loaded_ = true; });
  }

 private:
  // Waits for the threads to end.
  void stop() {
    stopping_ = true;
    if (queue_) queue_->close();
    preloaders_.join();
  }

  void preload() {
    const SerialGuard serial;
    while (!stopping_) {
      try {
        if (!preload_next()) break;
      } catch (...) {
        queue_->push(std::current_exception());
      }
    }
    if (--running_ == 0) queue_->close();
  }

  // Reads the next chunks. False at the end of the epoch.
  bool preload_next() {
    std::optional<std::vector<std::size_t>> chunks;
    {
      const std::lock_guard lock(sampler_mutex_);
      chunks = chunk_sampler_.next(options_.cross_chunk_shuffle_count());
    }
    if (!chunks) return false;
    UnwrappedBatchType data;
    for (const std::size_t chunk : *chunks) {
      UnwrappedBatchType more = chunk_reader_.read_chunk(chunk);
      for (auto& example : more) data.push_back(std::move(example));
    }
    if (preprocessing_policy_) preprocessing_policy_(data);
    if (data.empty()) return true;
    std::optional<std::vector<std::size_t>> order;
    {
      const std::lock_guard lock(example_mutex_);
      example_sampler_.reset(data.size());
      order = example_sampler_.next(data.size());
    }
    if (order) queue_->push(std::move(data), *order);
    return true;
  }

  ChunkReader chunk_reader_;
  ChunkSampler chunk_sampler_;
  ExampleSampler example_sampler_;
  const ChunkDatasetOptions options_;
  const std::function<void(UnwrappedBatchType&)> preprocessing_policy_;

  mutable std::mutex sampler_mutex_;
  std::mutex example_mutex_;
  std::optional<detail::ExampleQueue<UnwrappedBatchType>> queue_;
  detail::Preloaders preloaders_;
  std::atomic<std::size_t> running_ = 0;
  std::atomic<bool> stopping_ = false;
  bool loaded_ = false;
};

}  // namespace tapedeck::data::datasets
