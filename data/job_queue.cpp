#include <tapedeck/data/job_queue.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <tapedeck/array/error.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/data/batch_random.h>

namespace tapedeck::data::detail {

struct JobQueue::State {
  std::mutex mutex;
  std::condition_variable job_arrived, result_arrived;
  std::deque<std::unique_ptr<Job>> waiting;
  std::map<std::size_t, std::unique_ptr<Job>> done;
  std::size_t running = 0;
  bool stopped = false;
  std::vector<std::thread> workers;

  // Waits for a job; null when the worker is to stop.
  std::unique_ptr<Job> take() {
    std::unique_lock lock(mutex);
    job_arrived.wait(lock, [this] { return stopped || !waiting.empty(); });
    if (stopped) return nullptr;
    std::unique_ptr<Job> job = std::move(waiting.front());
    waiting.pop_front();
    ++running;
    return job;
  }
  void finish(std::unique_ptr<Job> job) {
    {
      const std::lock_guard lock(mutex);
      const std::size_t number = job->number;
      done.emplace(number, std::move(job));
      --running;
    }
    result_arrived.notify_all();
  }

  void work(const std::function<void(Job&)>& run) {
    // The threads of the loader are many already.
    const SerialGuard serial;
    while (std::unique_ptr<Job> job = take()) {
      try {
        const BatchRandomScope random(job->seed, job->epoch, job->number);
        run(*job);
      } catch (...) {
        job->exception = std::current_exception();
      }
      finish(std::move(job));
    }
  }
};

JobQueue::JobQueue() : state_(std::make_unique<State>()) {}
JobQueue::~JobQueue() { stop(); }

void JobQueue::start_worker(std::function<void(Job&)> run) {
  state_->workers.emplace_back([state = state_.get(), run = std::move(run)] { state->work(run); });
}

void JobQueue::push(std::unique_ptr<Job> job) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->waiting.push_back(std::move(job));
  }
  state_->job_arrived.notify_one();
}

std::unique_ptr<Job> JobQueue::fetch(std::optional<std::size_t> number,
                                     std::optional<Milliseconds> timeout) {
  std::unique_lock lock(state_->mutex);
  auto& done = state_->done;
  const auto ready = [&] { return number ? done.count(*number) > 0 : !done.empty(); };
  if (timeout) {
    TAPEDECK_CHECK(
        state_->result_arrived.wait_for(lock, std::chrono::milliseconds(timeout->count()), ready),
        "Timeout in DataLoader queue while waiting for next batch (timeout was ", timeout->count(),
        " ms)");
  } else {
    state_->result_arrived.wait(lock, ready);
  }
  const auto found = number ? done.find(*number) : done.begin();
  std::unique_ptr<Job> job = std::move(found->second);
  done.erase(found);
  return job;
}

std::size_t JobQueue::in_flight() const {
  const std::lock_guard lock(state_->mutex);
  return state_->waiting.size() + state_->running + state_->done.size();
}

void JobQueue::drain() {
  std::unique_lock lock(state_->mutex);
  state_->waiting.clear();
  state_->result_arrived.wait(lock, [this] { return state_->running == 0; });
  state_->done.clear();
}

void JobQueue::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopped = true;
  }
  state_->job_arrived.notify_all();
  for (std::thread& worker : state_->workers) worker.join();
  state_->workers.clear();
}

}  // namespace tapedeck::data::detail
