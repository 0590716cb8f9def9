#include <tapedeck/array/parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include <pthread.h>
#include <sched.h>

#include <tapedeck/array/error.h>

namespace tapedeck {

namespace {

thread_local bool inside_parallel_region = false;

int default_num_threads() {
  for (const char* name : {"TAPEDECK_NUM_THREADS", "OMP_NUM_THREADS"})
    if (const char* value = std::getenv(name))
      if (const int threads = std::atoi(value); threads > 0) return threads;
  cpu_set_t cpus;
  if (sched_getaffinity(0, sizeof cpus, &cpus) == 0) return std::max(1, CPU_COUNT(&cpus));
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

std::atomic<int>& num_threads() {
  static std::atomic<int> threads{default_num_threads()};
  return threads;
}

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Helpers of the calling thread. Each thread has a range of the chunks, the same part of every job:
// what one operation left in its caches, it works on in the next. Whoever is done with its own
// claims chunks of the others, so a helper that the system has not scheduled yet delays nothing;
// the chunks themselves are fixed by the caller.
class Pool {
 public:
  ~Pool() {
    stopping_ = true;
    generation_.fetch_add(1);
    generation_.notify_all();
    for (Helper& helper : helpers_) helper.thread.join();
  }

  // False when another thread is using the pool: the caller then does the work alone.
  bool try_run(std::int64_t n, std::int64_t grain, void* context,
               void (*body)(void*, std::int64_t, std::int64_t)) {
    std::unique_lock lock(in_use_, std::try_to_lock);
    if (!lock) return false;
    const int helpers = num_threads().load(std::memory_order_relaxed) - 1;
    const bool starts_some = static_cast<int>(helpers_.size()) < helpers;
    while (static_cast<int>(helpers_.size()) < helpers)
      helpers_.emplace_back(*this, static_cast<int>(helpers_.size()) + 1);
    if (starts_some || sleepers_.load() > 0) keep_helpers_apart();

    n_ = n;
    grain_ = grain;
    context_ = context;
    body_ = body;
    share_out((n + grain - 1) / grain, helpers + 1);
    error_ = nullptr;
    gate_.store(kOpen, std::memory_order_release);
    generation_.fetch_add(1, std::memory_order_release);
    if (sleepers_.load() > 0) generation_.notify_all();

    claim_chunks(0);
    gate_.fetch_and(~kOpen, std::memory_order_acq_rel);
    while (gate_.load(std::memory_order_acquire) != 0) pause();
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    return true;
  }

 private:
  // What threads write while others read lies in cache lines of its own.
  static constexpr std::size_t kLine = 64;
  // Chunks that are not yet claimed.
  struct alignas(kLine) Range {
    std::atomic<std::int64_t> next{0};
    std::int64_t end = 0;
  };

  struct alignas(kLine) Helper {
    static constexpr int kAwake = -1, kNone = -1;
    std::atomic<int> sleeps_on{sched_getcpu()};  // the CPU where it fell asleep or was started
    int avoids = kNone;                          // the caller's CPU when its own were chosen
    std::thread thread;

    Helper(Pool& pool, int number) : thread([&pool, this, number] { pool.help(*this, number); }) {}
  };

  static constexpr std::uint32_t kOpen = 1u << 31;
  static constexpr int kSpins = 4000;  // about 100 us: longer than the gap between two kernels

  // Nobody is inside: the gate is closed.
  void share_out(std::int64_t chunks, int threads) {
    if (threads != threads_) ranges_ = std::make_unique<Range[]>(static_cast<std::size_t>(threads));
    threads_ = threads;
    for (int thread = 0; thread < threads; ++thread) {
      Range& range = ranges_[static_cast<std::size_t>(thread)];
      range.next.store(chunks * thread / threads, std::memory_order_relaxed);
      range.end = chunks * (thread + 1) / threads;
    }
  }

  // Has helpers that sleep wake up apart from the caller and from each other. The system would look
  // for idle CPUs, but those of a virtual machine that have halted do not look idle to it: it often
  // wakes a helper on the caller's CPU, where it joins no job, and where it will sleep and be woken
  // again.
  void keep_helpers_apart() {
    const int own = sched_getcpu();
    if (own < 0) return;
    cpu_set_t taken;
    CPU_ZERO(&taken);
    CPU_SET(static_cast<std::size_t>(own), &taken);
    for (Helper& helper : helpers_) {
      const int slept_on = helper.sleeps_on.load(std::memory_order_relaxed);
      if (slept_on == Helper::kAwake) continue;
      auto cpu = static_cast<std::size_t>(slept_on);
      if (helper.avoids != own || CPU_ISSET(cpu, &taken)) {
        cpu_set_t free, both;
        if (sched_getaffinity(0, sizeof free, &free) != 0) return;
        CPU_AND(&both, &free, &taken);
        CPU_XOR(&free, &free, &both);
        if (CPU_COUNT(&free) == 0) return;
        pthread_setaffinity_np(helper.thread.native_handle(), sizeof free, &free);
        helper.avoids = own;
        if (!CPU_ISSET(cpu, &free))
          for (cpu = 0; !CPU_ISSET(cpu, &free);) ++cpu;
      }
      CPU_SET(cpu, &taken);
    }
  }

  void claim_chunks(int thread) noexcept {
    const bool outer = std::exchange(inside_parallel_region, true);
    for (int i = 0; i < threads_; ++i)
      claim_chunks_of(ranges_[static_cast<std::size_t>((thread + i) % threads_)]);
    inside_parallel_region = outer;
  }
  void claim_chunks_of(Range& range) noexcept {
    for (;;) {
      // Not to write where all are taken.
      if (range.next.load(std::memory_order_relaxed) >= range.end) return;
      const std::int64_t chunk = range.next.fetch_add(1, std::memory_order_relaxed);
      if (chunk >= range.end) return;
      const std::int64_t begin = chunk * grain_;
      try {
        body_(context_, begin, std::min(n_, begin + grain_));
      } catch (...) {
        for (int i = 0; i < threads_; ++i) {
          Range& rest = ranges_[static_cast<std::size_t>(i)];
          rest.next.store(rest.end, std::memory_order_relaxed);
        }
        const std::lock_guard guard(error_mutex_);
        if (!error_) error_ = std::current_exception();
      }
    }
  }

  bool enter() {
    auto gate = gate_.load(std::memory_order_relaxed);
    while (gate & kOpen)
      if (gate_.compare_exchange_weak(gate, gate + 1, std::memory_order_acquire)) return true;
    return false;
  }

  void help(Helper& self, int number) {
    self.sleeps_on.store(Helper::kAwake, std::memory_order_relaxed);
    std::uint64_t seen = 0;
    for (;;) {
      std::uint64_t now = generation_.load(std::memory_order_acquire);
      for (int spin = 0; now == seen && spin < kSpins; ++spin) {
        pause();
        now = generation_.load(std::memory_order_acquire);
      }
      if (now == seen) {
        self.sleeps_on.store(sched_getcpu(), std::memory_order_relaxed);
        sleepers_.fetch_add(1);
        generation_.wait(seen);
        sleepers_.fetch_sub(1);
        self.sleeps_on.store(Helper::kAwake, std::memory_order_relaxed);
        continue;
      }
      seen = now;
      if (stopping_) return;
      if (!enter()) continue;
      if (number < threads_) claim_chunks(number);
      gate_.fetch_sub(1, std::memory_order_release);
    }
  }

  std::mutex in_use_;
  std::deque<Helper> helpers_;
  alignas(kLine) std::atomic<std::uint64_t> generation_{0};
  std::atomic<int> sleepers_{0};
  std::atomic<bool> stopping_{false};
  // The top bit is set while helpers may still join the job; the rest counts those inside.
  alignas(kLine) std::atomic<std::uint32_t> gate_{0};
  alignas(kLine) std::int64_t n_ = 0;
  std::int64_t grain_ = 0;
  int threads_ = 0;
  std::unique_ptr<Range[]> ranges_;  // of each thread
  void* context_ = nullptr;
  void (*body_)(void*, std::int64_t, std::int64_t) = nullptr;
  std::mutex error_mutex_;
  std::exception_ptr error_;
};

}  // namespace

int get_num_threads() { return num_threads().load(std::memory_order_relaxed); }

void set_num_threads(int threads) {
  TAPEDECK_CHECK(threads > 0, "set_num_threads: expected a positive number of threads, got ",
                 threads);
  num_threads().store(threads, std::memory_order_relaxed);
}

bool detail::in_parallel_region() { return inside_parallel_region; }

void detail::run_chunks(std::int64_t n, std::int64_t grain, void* context,
                        void (*body)(void*, std::int64_t, std::int64_t)) {
  if (!inside_parallel_region && get_num_threads() > 1) {
    static Pool pool;
    if (pool.try_run(n, grain, context, body)) return;
  }
  for (std::int64_t begin = 0; begin < n; begin += grain)
    body(context, begin, std::min(n, begin + grain));
}

SerialGuard::SerialGuard() : previous_(std::exchange(inside_parallel_region, true)) {}
SerialGuard::~SerialGuard() { inside_parallel_region = previous_; }

}  // namespace tapedeck
