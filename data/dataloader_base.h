#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <tapedeck/array/error.h>
#include <tapedeck/array/parallel.h>
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
    for (std::thread& worker : workers_) worker.join();
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
    workers_.emplace_back([this, dataset = std::move(dataset)] { work(*dataset); });
  }

  const FullDataLoaderOptions options_;
  std::unique_ptr<Dataset> main_thread_dataset_;

 private:
  using Queue = detail::JobQueue<BatchRequest, Batch>;

  void push_next() {
    if (std::optional<BatchRequestType> request = get_batch_request())
      queue_.push(pushed_++, std::move(*request));
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
      typename Queue::Result result = queue_.fetch(wanted, options_.timeout);
      ++fetched_;
      if (result.exception) throw WorkerException(result.exception);
      if (!result.batch) continue;
      push_next();
      return std::move(result.batch);
    }
    return std::nullopt;
  }

  void work(Dataset& dataset) {
    // The threads of the loader are many already.
    const SerialGuard serial;
    while (std::optional<typename Queue::Job> job = queue_.take()) {
      typename Queue::Result result;
      try {
        const detail::BatchRandomScope random(seed_, epoch_, job->number);
        result.batch = dataset.get_batch(std::move(job->request));
      } catch (...) {
        result.exception = std::current_exception();
      }
      queue_.finish(job->number, std::move(result));
    }
  }

  Queue queue_;
  std::weak_ptr<detail::BatchCursor<Batch>> current_;
  std::size_t pushed_ = 0, fetched_ = 0;
  // Written while no worker is at work, and seen by them through the queue.
  std::uint64_t seed_ = 0, epoch_ = 0;
  bool joined_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace tapedeck::data
