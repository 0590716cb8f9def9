#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include <tapedeck/array/error.h>

namespace tapedeck::data::detail {

/// Requests on their way to the workers of a loader, and batches on their way back. Requests are
/// numbered; the batch of each is kept until it is fetched.
template <typename Request, typename Batch>
class JobQueue {
 public:
  struct Job {
    std::size_t number;
    Request request;
  };
  /// A batch, nothing (the dataset's end), or an exception.
  struct Result {
    std::optional<Batch> batch;
    std::exception_ptr exception;
  };

  void push(std::size_t number, Request request) {
    {
      const std::lock_guard lock(mutex_);
      jobs_.push_back({number, std::move(request)});
    }
    job_arrived_.notify_one();
  }

  /// For workers: waits for a job; nothing when they are to stop.
  std::optional<Job> take() {
    std::unique_lock lock(mutex_);
    job_arrived_.wait(lock, [this] { return stopped_ || !jobs_.empty(); });
    if (stopped_) return std::nullopt;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    ++running_;
    return job;
  }
  /// For workers: hands in the result of a job that they took.
  void finish(std::size_t number, Result result) {
    {
      const std::lock_guard lock(mutex_);
      results_.emplace(number, std::move(result));
      --running_;
    }
    result_arrived_.notify_all();
  }

  /// Waits for the result of job `number`, or of any. \throws Error after the timeout.
  Result fetch(std::optional<std::size_t> number,
               std::optional<std::chrono::milliseconds> timeout) {
    std::unique_lock lock(mutex_);
    const auto ready = [&] { return number ? results_.count(*number) > 0 : !results_.empty(); };
    if (timeout) {
      TAPEDECK_CHECK(result_arrived_.wait_for(lock, *timeout, ready),
                     "Timeout in DataLoader queue while waiting for next batch (timeout was ",
                     timeout->count(), " ms)");
    } else {
      result_arrived_.wait(lock, ready);
    }
    const auto found = number ? results_.find(*number) : results_.begin();
    Result result = std::move(found->second);
    results_.erase(found);
    return result;
  }

  /// Jobs whose result has not been fetched.
  std::size_t in_flight() const {
    const std::lock_guard lock(mutex_);
    return jobs_.size() + running_ + results_.size();
  }
  /// Forgets waiting jobs, waits for running ones, and drops all results.
  void drain() {
    std::unique_lock lock(mutex_);
    jobs_.clear();
    result_arrived_.wait(lock, [this] { return running_ == 0; });
    results_.clear();
  }
  /// Lets the workers stop.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    job_arrived_.notify_all();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable job_arrived_, result_arrived_;
  std::deque<Job> jobs_;
  std::map<std::size_t, Result> results_;
  std::size_t running_ = 0;
  bool stopped_ = false;
};

}  // namespace tapedeck::data::detail
