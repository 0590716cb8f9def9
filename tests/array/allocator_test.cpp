#include <tapedeck/array/allocator.h>

#include <cstdint>
#include <cstring>
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
