#include <tapedeck/array/parallel.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sched.h>

#include <tests/support/arrays.h>
#include <tests/support/compare.h>

namespace tapedeck {
namespace {

using testing::ThreadCount;
using testing_support::error_of;

using Chunks = std::multiset<std::pair<std::int64_t, std::int64_t>>;

Chunks chunks_of(std::int64_t n, std::int64_t grain) {
  Chunks chunks;
  std::mutex mutex;
  parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
    const std::lock_guard guard(mutex);
    chunks.emplace(begin, end);
  });
  return chunks;
}

TEST(ParallelFor, ChunksDependOnSizesAlone) {
  for (const int threads : {1, 2, 3, 5}) {
    const ThreadCount count(threads);
    EXPECT_EQ(chunks_of(10, 4), (Chunks{{0, 4}, {4, 8}, {8, 10}}));
    EXPECT_EQ(chunks_of(4, 4), (Chunks{{0, 4}}));
    EXPECT_EQ(chunks_of(3, 4), (Chunks{{0, 3}}));
    EXPECT_EQ(chunks_of(0, 4), Chunks());
    EXPECT_EQ(chunks_of(1000, 1).size(), 1000u);
  }
}

TEST(ParallelFor, EveryJobIsDoneOnce) {
  const ThreadCount count(3);
  std::vector<int> done(10000, 0);
  for (int job = 0; job < 500; ++job)
    parallel_for(10000, 700, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) ++done[static_cast<std::size_t>(i)];
    });
  EXPECT_EQ(done, std::vector<int>(10000, 500));
}

cpu_set_t cpus_of_this_thread() {
  cpu_set_t cpus;
  EXPECT_EQ(sched_getaffinity(0, sizeof cpus, &cpus), 0);
  return cpus;
}

// Helpers that have slept are kept away from the CPU of the caller, but not from all others.
TEST(ParallelFor, HelpersRunWhereTheCallerMay) {
  const ThreadCount count(3);
  const auto caller = std::this_thread::get_id();
  const cpu_set_t allowed = cpus_of_this_thread();
  std::mutex mutex;
  std::vector<cpu_set_t> of_helpers;
  for (int job = 0; job < 40; ++job) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // they fall asleep
    parallel_for(6, 1, [&](std::int64_t, std::int64_t) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));  // or the caller does it all
      if (std::this_thread::get_id() == caller) return;
      const std::lock_guard guard(mutex);
      of_helpers.push_back(cpus_of_this_thread());
    });
  }
  EXPECT_FALSE(of_helpers.empty());
  for (const cpu_set_t& cpus : of_helpers) {
    cpu_set_t both;
    CPU_AND(&both, &cpus, &allowed);
    EXPECT_TRUE(CPU_EQUAL(&both, &cpus));
    EXPECT_GE(CPU_COUNT(&cpus), CPU_COUNT(&allowed) - 2);
  }
}

TEST(ParallelFor, ThreadsMayComeAndGoBetweenJobs) {
  for (int job = 0; job < 50; ++job) {
    const ThreadCount count(1 + job % 5);
    std::atomic<std::int64_t> sum{0};
    parallel_for(100, 1, [&](std::int64_t begin, std::int64_t) { sum += begin; });
    EXPECT_EQ(sum, 4950);
  }
}

TEST(ParallelFor, WithinAnotherOneRunsInLine) {
  const ThreadCount count(2);
  std::atomic<int> elsewhere{0}, inner{0};
  parallel_for(8, 1, [&](std::int64_t, std::int64_t) {
    EXPECT_TRUE(detail::in_parallel_region());
    const auto here = std::this_thread::get_id();
    parallel_for(8, 1, [&](std::int64_t, std::int64_t) {
      ++inner;
      elsewhere += std::this_thread::get_id() != here;
    });
  });
  EXPECT_EQ(inner, 64);
  EXPECT_EQ(elsewhere, 0);
  EXPECT_FALSE(detail::in_parallel_region());
}

TEST(ParallelFor, SerialGuardRunsInLine) {
  const ThreadCount count(2);
  const auto here = std::this_thread::get_id();
  const SerialGuard guard;
  parallel_for(100, 1,
               [&](std::int64_t, std::int64_t) { EXPECT_EQ(std::this_thread::get_id(), here); });
}

TEST(ParallelFor, AnExceptionReachesTheCallerAndThePoolGoesOn) {
  for (const int threads : {1, 3}) {
    const ThreadCount count(threads);
    const auto throwing = [] {
      parallel_for(100, 1, [](std::int64_t begin, std::int64_t) {
        if (begin == 37) throw std::runtime_error("thirty-seven");
      });
    };
    EXPECT_THROW(throwing(), std::runtime_error);
    EXPECT_EQ(chunks_of(100, 1).size(), 100u);
  }
}

TEST(ParallelFor, ManyCallersAtOnce) {
  const ThreadCount count(3);
  std::vector<std::int64_t> sums(4, 0);
  std::vector<std::thread> callers;
  for (std::int64_t& sum : sums)
    callers.emplace_back([&sum] {
      for (int job = 0; job < 200; ++job) {
        std::vector<std::int64_t> parts(10);
        parallel_for(1000, 100, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i)
            parts[static_cast<std::size_t>(begin / 100)] += i;
        });
        sum += std::accumulate(parts.begin(), parts.end(), std::int64_t{0});
      }
    });
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(sums, std::vector<std::int64_t>(4, 200 * 499500));
}

TEST(Threads, TheNumberMustBePositive) {
  EXPECT_EQ(error_of([] { set_num_threads(0); }),
            "set_num_threads: expected a positive number of threads, got 0");
}

}  // namespace
}  // namespace tapedeck
