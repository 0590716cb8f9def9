#include <tapedeck/array/allocator.h>

#include <cstdint>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <tapedeck/array/array.h>

#if defined(__SANITIZE_ADDRESS__)
#define TAPEDECK_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TAPEDECK_SANITIZED 1
#endif
#endif

namespace tapedeck {
namespace {

TEST(Allocator, BlocksAreAlignedAndCounted) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{64}, std::size_t{65},
                                  std::size_t{5000}, std::size_t{3} << 20}) {
    const MemoryStats before = memory_stats();
    void* block = detail::allocate(bytes);
    std::memset(block, 1, bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 64, 0u) << bytes;
    const std::int64_t more = memory_stats().in_use - before.in_use;
    EXPECT_GE(more, static_cast<std::int64_t>(bytes));
    EXPECT_LE(more, static_cast<std::int64_t>(bytes + bytes / 8 + 64));
    detail::deallocate(block, bytes);
    EXPECT_EQ(memory_stats().in_use, before.in_use);
    EXPECT_GE(memory_stats().peak_in_use, before.in_use + more);
  }
}

#if !defined(TAPEDECK_SANITIZED)
TEST(Allocator, TheSameSizesAgainTakeNothingFromTheSystem) {
  const std::vector<std::size_t> sizes = {100, 4000, 70000, 5000000};
  const auto step = [&] {
    std::vector<void*> blocks;
    for (const std::size_t bytes : sizes) blocks.push_back(detail::allocate(bytes));
    for (std::size_t i = 0; i < sizes.size(); ++i) detail::deallocate(blocks[i], sizes[i]);
  };
  step();
  const std::int64_t taken = memory_stats().system_allocations;
  for (int i = 0; i < 10; ++i) step();
  EXPECT_EQ(memory_stats().system_allocations, taken);
}

TEST(Allocator, StepsThatHoldLittleAtTheirEndsKeepTheirBlocks) {
  empty_cache();
  reset_peak_memory_stats();
  constexpr std::size_t kOften = 10 << 20, kSeldom = 12 << 20;
  const auto step = [] {
    std::vector<void*> often, seldom;
    for (int i = 0; i < 20; ++i) often.push_back(detail::allocate(kOften));
    for (void* const block : often) detail::deallocate(block, kOften);
    for (int i = 0; i < 4; ++i) seldom.push_back(detail::allocate(kSeldom));
    for (void* const block : seldom) detail::deallocate(block, kSeldom);
  };
  step();
  const std::int64_t taken = memory_stats().system_allocations;
  for (int i = 0; i < 5; ++i) step();
  EXPECT_EQ(memory_stats().system_allocations, taken);
  empty_cache();
}

TEST(Allocator, VaryingSizesDoNotPileUp) {
  for (std::int64_t i = 1; i < 200; ++i) {
    const auto bytes = static_cast<std::size_t>(i) * 1000003;
    detail::deallocate(detail::allocate(bytes), bytes);
  }
  const MemoryStats stats = memory_stats();
  EXPECT_LE(stats.reserved - stats.in_use, 2 * 230 * std::int64_t{1000003});
  empty_cache();
  const MemoryStats empty = memory_stats();
  EXPECT_LE(empty.reserved - empty.in_use, 1 << 20);
}

// The limit on idle memory takes what earlier shapes left, not the large blocks in use now.
TEST(Allocator, LeftoversOfOtherSizesDoNotPushOutTheBlocksOfALoop) {
  constexpr std::size_t kMegabyte = std::size_t{1} << 20;
  empty_cache();
  reset_peak_memory_stats();
  for (std::size_t eighths = 8; eighths < 64; ++eighths) {
    const std::size_t bytes = eighths * (kMegabyte / 8);
    detail::deallocate(detail::allocate(bytes), bytes);
  }

  void* result = nullptr;
  std::int64_t taken = 0;
  for (int step = 0; step < 20; ++step) {
    if (step == 5) taken = memory_stats().system_allocations;
    detail::deallocate(detail::allocate(8 * kMegabyte), 8 * kMegabyte);
    void* next = detail::allocate(16 * kMegabyte);  // while the last one is still in use
    if (result) detail::deallocate(result, 16 * kMegabyte);
    result = next;
  }
  detail::deallocate(result, 16 * kMegabyte);
  EXPECT_EQ(memory_stats().system_allocations, taken);
}
#endif

#if !defined(TAPEDECK_SANITIZED)
TEST(Allocator, WhatOneSizeLeavesServesOthers) {
  constexpr std::size_t kTotal = std::size_t{48} << 20;
  const auto fill = [](std::size_t bytes) {
    std::vector<void*> blocks;
    for (std::size_t taken = 0; taken + bytes <= kTotal; taken += bytes)
      blocks.push_back(detail::allocate(bytes));
    // Every second one first: they have to join when their neighbours go.
    for (std::size_t i = 0; i < blocks.size(); i += 2) detail::deallocate(blocks[i], bytes);
    for (std::size_t i = 1; i < blocks.size(); i += 2) detail::deallocate(blocks[i], bytes);
  };
  empty_cache();
  fill(5000);
  const MemoryStats first = memory_stats();
  for (const std::size_t bytes : {std::size_t{48} << 20, std::size_t{100000}, std::size_t{7} << 20,
                                  std::size_t{12345}, std::size_t{1000003}})
    fill(bytes);
  EXPECT_LE(memory_stats().reserved, first.reserved + (std::int64_t{4} << 20));
  empty_cache();
}

TEST(Allocator, FreeMemoryBetweenLiveBlocksIsGivenBack) {
  constexpr std::size_t kBytes = std::size_t{3} << 20;
  empty_cache();
  const std::int64_t before = memory_stats().reserved;
  std::vector<unsigned char*> blocks;
  for (int i = 0; i < 9; ++i) {
    blocks.push_back(static_cast<unsigned char*>(detail::allocate(kBytes)));
    std::memset(blocks.back(), i, kBytes);
  }
  for (const std::size_t i : {0, 2, 3, 5, 8}) detail::deallocate(blocks[i], kBytes);
  empty_cache();
  EXPECT_LE(memory_stats().reserved - before, std::int64_t{4 * kBytes} + (1 << 20));
  for (const std::size_t i : {1, 4, 6, 7})
    for (std::size_t k = 0; k < kBytes; k += 4095) EXPECT_EQ(blocks[i][k], i);
  // What lies between the holes can be freed and used again.
  for (const std::size_t i : {1, 4, 6, 7}) detail::deallocate(blocks[i], kBytes);
  empty_cache();
  EXPECT_LE(memory_stats().reserved - before, 1 << 20);
}
#endif

// Random sizes and lifetimes, blocks that die in other threads; nobody's bytes change, and memory
// for all of it stays near what was ever in use at once.
TEST(Allocator, RandomBlocksOfSeveralThreads) {
  struct Block {
    unsigned char* bytes;
    std::size_t size;
    unsigned char mark;
  };
  empty_cache();
  reset_peak_memory_stats();
  const MemoryStats before = memory_stats();
  std::mutex mutex;
  std::vector<Block> shared;
  const auto check_and_free = [](const Block& block) {
    bool intact = true;
    for (std::size_t k = 0; k < block.size; k += 61) intact &= block.bytes[k] == block.mark;
    if (block.size > 0) intact &= block.bytes[block.size - 1] == block.mark;
    detail::deallocate(block.bytes, block.size);
    return intact;
  };
  const auto work = [&](unsigned seed) {
    std::mt19937 random(seed);
    std::vector<Block> mine;
    for (int i = 0; i < 2000; ++i) {
      const unsigned kind = random() % 16;
      const std::size_t size = kind < 10   ? random() % 5000
                               : kind < 15 ? random() % 100000
                                           : random() % 3000000;
      const auto mark = static_cast<unsigned char>(random());
      auto* const bytes = static_cast<unsigned char*>(detail::allocate(size));
      std::memset(bytes, mark, size);
      mine.push_back({bytes, size, mark});
      if (mine.size() > 60) {
        std::swap(mine[random() % mine.size()], mine.back());
        if (random() % 4 == 0) {
          const std::lock_guard guard(mutex);
          shared.push_back(mine.back());
        } else {
          EXPECT_TRUE(check_and_free(mine.back()));
        }
        mine.pop_back();
      }
      if (i % 50 == 0) {
        std::vector<Block> others;
        {
          const std::lock_guard guard(mutex);
          others.swap(shared);
        }
        for (const Block& block : others) EXPECT_TRUE(check_and_free(block));
      }
      if (i % 500 == 499) empty_cache();
    }
    for (const Block& block : mine) EXPECT_TRUE(check_and_free(block));
  };
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) threads.emplace_back(work, t + 1);
  for (std::thread& thread : threads) thread.join();
  for (const Block& block : shared) EXPECT_TRUE(check_and_free(block));
  const MemoryStats after = memory_stats();
  EXPECT_EQ(after.in_use, before.in_use);
  EXPECT_GE(after.allocations, before.allocations + 8000);
  EXPECT_LE(after.reserved, before.reserved + 2 * (after.peak_in_use - before.in_use));
  empty_cache();
}

TEST(Allocator, BlocksMayDieInAnotherThread) {
  const std::int64_t before = memory_stats().in_use;
  for (int round = 0; round < 20; ++round) {
    std::vector<Array> arrays;
    for (std::int64_t i = 1; i < 100; ++i) arrays.push_back(Array::empty({i * 37}, kFloat32));
    std::thread other([arrays = std::move(arrays)]() mutable {
      arrays.clear();
      arrays.push_back(Array::empty({1000}, kFloat64));
    });
    other.join();
  }
  EXPECT_EQ(memory_stats().in_use, before);
}

}  // namespace
}  // namespace tapedeck
