#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <tapedeck/array/error.h>
#include <tapedeck/data/batch_random.h>
#include <tapedeck/data/dataloader_options.h>
#include <tapedeck/data/iterator.h>
#include <tapedeck/data/job_queue.h>
#include <tapedeck/data/worker_exception.h>

namespace tapedeck::data {

/// What the loaders have in common: the options, the worker threads and the order of the batches.
/// Everything but the datasets' get_batch runs on the thread that uses the loader.
template <typename Dataset, typename Batch, typename BatchRequest>
class DataLoaderBase {
 public:
  using BatchType = Batch;
  using BatchRequestType = BatchRequest;

  /// \throws Error for a batch size or a number of jobs of zero.
  explicit DataLoaderBase(const DataLoaderOptions& options,
                          std::unique_ptr<Dataset> main_thread_dataset = nullptr)
      : options_(options), main_thread_dataset_(std::move(main_thread_dataset)) {
    TAPEDECK_CHECK_AS(ValueError, options_.batch_size > 0,
                      "DataLoader: expected a positive batch_size, got 0");
    TAPEDECK_CHECK_AS(ValueError, options_.workers == 0 || options_.max_jobs > 0,
                      "DataLoader: expected positive max_jobs for ", options_.workers,
                      " workers, got 0");
  }
  virtual ~DataLoaderBase() { join(); }
  DataLoaderBase(const DataLoaderBase&) = delete;
  DataLoaderBase& operator=(const DataLoaderBase&) = delete;

  /// Begins an epoch. With workers, one iterator can be under way at a time; an epoch that was left
  /// before its end may be forgotten.
  /// \throws Error while another iterator is alive and not at its end.
  Iterator<Batch> begin() {
    TAPEDECK_CHECK(current_.expired() || queue_.in_flight() == 0,
                   "Attempted to get a new DataLoader iterator while another iterator is not yet "
                   "exhausted");
    TAPEDECK_CHECK(!joined_, "DataLoader: begin() after join()");
    queue_.drain();
    reset();
    auto cursor = std::make_shared<detail::BatchCursor<Batch>>([this] { return this->next(); });
    current_ = cursor;
    return Iterator<Batch>(std::move(cursor));
  }
  Iterator<Batch> end() { return Iterator<Batch>(nullptr); }

  /// Ends the workers. Nothing can be loaded afterwards.
  void join() {
    if (joined_) return;
    queue_.drain();
    queue_.stop();
    joined_ = true;
  }

  const FullDataLoaderOptions& options() const noexcept { return options_; }

 protected:
  /// What to fetch next; nothing at the end of the epoch.
  virtual std::optional<BatchRequestType> get_batch_request() = 0;

  /// Makes ready for a new epoch. No worker is at work.
  virtual void reset() {
    seed_ = detail::default_seed();
    ++epoch_;
    pushed_ = fetched_ = 0;
    if (options_.workers > 0)
      for (std::size_t i = 0; i < options_.max_jobs; ++i) push_next();
  }

  void start_worker(std::shared_ptr<Dataset> dataset) {
    queue_.start_worker([dataset = std::move(dataset)](detail::Job& job) {
      auto& mine = static_cast<BatchJob&>(job);
      mine.batch = dataset->get_batch(std::move(mine.request));
    });
  }

  const FullDataLoaderOptions options_;
  std::unique_ptr<Dataset> main_thread_dataset_;

 private:
  struct BatchJob final : detail::Job {
    explicit BatchJob(BatchRequest wanted) : request(std::move(wanted)) {}
    BatchRequest request;
    std::optional<Batch> batch;  ///< nothing at the dataset's end
  };

  void push_next() {
    std::optional<BatchRequestType> request = get_batch_request();
    if (!request) return;
    auto job = std::make_unique<BatchJob>(std::move(*request));
    job->number = pushed_++;
    job->seed = seed_;
    job->epoch = epoch_;
    queue_.push(std::move(job));
  }

  std::optional<Batch> next() {
    if (options_.workers == 0) {
      std::optional<BatchRequestType> request = get_batch_request();
      if (!request) return std::nullopt;
      const detail::BatchRandomScope random(seed_, epoch_, fetched_++);
      return main_thread_dataset_->get_batch(std::move(*request));
    }
    while (fetched_ < pushed_) {
      const std::optional<std::size_t> wanted =
          options_.enforce_ordering ? std::optional(fetched_) : std::nullopt;
      const std::unique_ptr<detail::Job> job = queue_.fetch(wanted, options_.timeout);
      ++fetched_;
      if (job->exception) throw WorkerException(job->exception);
      std::optional<Batch>& batch = static_cast<BatchJob&>(*job).batch;
      if (!batch) continue;
      push_next();
      return std::move(batch);
    }
    return std::nullopt;
  }

  detail::JobQueue queue_;
  std::weak_ptr<detail::BatchCursor<Batch>> current_;
  std::size_t pushed_ = 0, fetched_ = 0;
  std::uint64_t seed_ = 0, epoch_ = 0;
  bool joined_ = false;
};

}  // namespace tapedeck::data
