#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>

#include <tapedeck/array/milliseconds.h>

namespace tapedeck::data::detail {

/// A request on its way to a worker of a loader, and what came of it on its way back.
struct Job {
  virtual ~Job() = default;

  std::size_t number = 0;
  /// What the random numbers of the batch are drawn from, with `number`.
  std::uint64_t seed = 0, epoch = 0;
  std::exception_ptr exception;
};

/// The worker threads of a loader and the jobs between them and the loader's user. The result of
/// each job is kept until it is fetched.
class JobQueue {
 public:
  JobQueue();
  /// Ends the workers.
  ~JobQueue();
  JobQueue(const JobQueue&) = delete;
  JobQueue& operator=(const JobQueue&) = delete;

  /// Starts a worker, which calls `run` for one job after the other. What it throws is kept in the
  /// job.
  void start_worker(std::function<void(Job&)> run);
  void push(std::unique_ptr<Job> job);
  /// Waits for job `number` to be done, or for any. \throws Error after the timeout.
  std::unique_ptr<Job> fetch(std::optional<std::size_t> number,
                             std::optional<Milliseconds> timeout);

  /// Jobs that have not been fetched.
  std::size_t in_flight() const;
  /// Forgets waiting jobs, waits for running ones, and drops all results.
  void drain();
  /// Ends the workers. No job will be done afterwards.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tapedeck::data::detail
