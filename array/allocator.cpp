#include <tapedeck/array/allocator.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <utility>
#include <vector>

#include <tapedeck/array/error.h>
#include <tapedeck/array/internal/block_heap.h>

// Blocks of more than 4 KB come from a heap that cuts and joins them. Smaller ones have size
// classes, and are cut from slabs of one class each, which are blocks of that heap: the tape of
// small tensors asks for several with every operation, so each thread keeps some of those it freed,
// and neither locks nor shares a cache line for them.

#if defined(__SANITIZE_ADDRESS__)
#define TAPEDECK_EACH_BLOCK_FROM_SYSTEM 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TAPEDECK_EACH_BLOCK_FROM_SYSTEM 1
#endif
#endif

namespace tapedeck {

namespace {

using detail::BlockHeap;

#if defined(TAPEDECK_EACH_BLOCK_FROM_SYSTEM)
constexpr bool kKeepFreedBlocks = false;  // the sanitizer must see every block come and go
#else
constexpr bool kKeepFreedBlocks = true;
#endif

// Size classes of small blocks: eight steps to each power of two from 64 bytes on, so that at most
// an eighth is wasted.
constexpr std::size_t kSmallest = 64;
constexpr int kSteps = 8;
constexpr int kClasses = 4 * kSteps;
constexpr std::size_t kLargestSmall = 4096;
constexpr std::size_t kSlab = 64 << 10;  // the step from one slab to the next: header and blocks

constexpr std::size_t class_bytes(int index) {
  if (index < kSteps) return (static_cast<std::size_t>(index) + 1) * kSmallest;
  const int shift = index / kSteps - 1;
  return (static_cast<std::size_t>(index % kSteps) + kSteps + 1) * (kSmallest << shift);
}

// The class of blocks of so many times the smallest. A table, since to compute it would take as
// long as all the rest of an allocation.
constexpr auto kClassOfUnits = [] {
  std::array<std::uint8_t, kLargestSmall / kSmallest + 1> classes{};
  for (std::size_t units = 0, index = 0; units < classes.size(); ++units) {
    if (class_bytes(static_cast<int>(index)) < units * kSmallest) ++index;
    classes[units] = static_cast<std::uint8_t>(index);
  }
  return classes;
}();
static_assert(class_bytes(kClasses - 1) == kLargestSmall);

int class_of(std::size_t bytes) { return kClassOfUnits[(bytes + kSmallest - 1) / kSmallest]; }

std::int64_t count(std::size_t bytes) { return static_cast<std::int64_t>(bytes); }

// A free small block.
struct FreeBlock {
  FreeBlock* next;
};

// Small blocks of one class, behind this header; freed ones in a list, those never used in order.
struct Slab {
  static constexpr std::size_t kHeader = 64;
  static constexpr std::size_t kBytes = kSlab - BlockHeap::kHeader;

  Slab *next, *previous;  // of its class, while it has a free block
  FreeBlock* freed;
  std::uint32_t unused_at;  // bytes from the slab's start
  std::uint32_t in_use;     // blocks
  std::uint32_t block_bytes;
  int index;  // the class

  static Slab* of(void* block) {
    return reinterpret_cast<Slab*>(reinterpret_cast<std::uintptr_t>(block) / kSlab * kSlab);
  }
  bool is_full() const { return !freed && unused_at + block_bytes > kBytes; }
};
static_assert(sizeof(Slab) <= Slab::kHeader);

class ThreadCache;

class Allocator {
 public:
  struct Blocks {
    FreeBlock* first = nullptr;
    int number = 0;
  };
  // Up to `wanted` small blocks, and at least one. \throws Error when the system has no memory.
  Blocks take_small(int index, int wanted) {
    Blocks taken;
    FreeBlock** end = &taken.first;
    std::unique_lock lock(mutex_);
    for (; taken.number < wanted; ++taken.number) {
      Slab* const slab = slabs_[index] ? slabs_[index] : new_slab(index);
      if (!slab) break;
      FreeBlock* block = slab->freed;
      if (block) {
        slab->freed = block->next;
      } else {
        block = reinterpret_cast<FreeBlock*>(reinterpret_cast<char*>(slab) + slab->unused_at);
        slab->unused_at += slab->block_bytes;
      }
      ++slab->in_use;
      if (slab->is_full()) unlink(slab);
      block->next = nullptr;
      *end = block;
      end = &block->next;
    }
    count_in_use(static_cast<std::size_t>(taken.number) * class_bytes(index));
    lock.unlock();
    if (!taken.first) fail_out_of_memory(class_bytes(index));
    return taken;
  }

  void give_small(FreeBlock* blocks) noexcept {
    const std::lock_guard guard(mutex_);
    while (blocks) {
      FreeBlock* const block = std::exchange(blocks, blocks->next);
      Slab* const slab = Slab::of(block);
      const bool was_full = slab->is_full();
      block->next = slab->freed;
      slab->freed = block;
      --slab->in_use;
      stats_.in_use -= slab->block_bytes;
      if (was_full) link(slab);
      // One empty slab stays with its class, for blocks that come and go.
      if (slab->in_use == 0 && (slab->next || slab->previous)) remove(slab);
    }
  }

  void* take_large(std::size_t bytes) {
    std::unique_lock lock(mutex_);
    ++stats_.allocations;
    void* const block = take(bytes, BlockHeap::kHeader);
    if (block) count_in_use(BlockHeap::size_of(block));
    lock.unlock();
    if (!block) fail_out_of_memory(bytes);
    return block;
  }

  void give_large(void* block) noexcept {
    const std::lock_guard guard(mutex_);
    stats_.in_use -= count(BlockHeap::size_of(block));
    heap_.give(block);
  }

  // Where no block is kept.
  void* take_from_system(std::size_t bytes) {
    bytes = system_bytes(bytes);
    void* const block = std::aligned_alloc(kSmallest, bytes);
    if (!block) fail_out_of_memory(bytes);
    const std::lock_guard guard(mutex_);
    ++stats_.allocations;
    ++stats_.system_allocations;
    stats_.reserved += count(bytes);
    count_in_use(bytes);
    return block;
  }
  void give_to_system(void* block, std::size_t bytes) noexcept {
    std::free(block);
    bytes = system_bytes(bytes);
    const std::lock_guard guard(mutex_);
    stats_.reserved -= count(bytes);
    stats_.in_use -= count(bytes);
  }

  void release_idle() {
    const std::lock_guard guard(mutex_);
    for (Slab* slab : slabs_)
      while (slab) {
        Slab* const next = slab->next;
        if (slab->in_use == 0) remove(slab);
        slab = next;
      }
    heap_.release(0);
  }

  MemoryStats stats();

  void add(ThreadCache* cache) {
    const std::lock_guard guard(mutex_);
    caches_.push_back(cache);
  }
  void remove(ThreadCache* cache);

  void reset_peak() {
    const std::lock_guard guard(mutex_);
    stats_.peak_in_use = stats_.in_use;
  }

 private:
  [[noreturn]] void fail_out_of_memory(std::size_t bytes) {
    detail::fail(
        detail::str("out of memory: no ", bytes, " bytes, with ", stats().in_use, " in use"));
  }

  static std::size_t system_bytes(std::size_t bytes) {
    return std::max<std::size_t>(1, (bytes + kSmallest - 1) / kSmallest) * kSmallest;
  }

  void count_in_use(std::size_t bytes) {
    stats_.in_use += count(bytes);
    stats_.peak_in_use = std::max(stats_.peak_in_use, stats_.in_use);
  }

  void* take(std::size_t bytes, std::size_t alignment) {
    if (void* const block = heap_.take(bytes, alignment)) return block;
    const std::size_t room = alignment == BlockHeap::kHeader ? bytes : bytes + 2 * alignment;
    make_room(room);
    if (!heap_.grow(room)) {
      heap_.release(0);
      if (!heap_.grow(room)) return nullptr;
    }
    return heap_.take(bytes, alignment);
  }

  // What is held never exceeds twice the peak in use, or 64 MB more than it: free memory in pieces
  // too small for what is asked for does not pile up.
  void make_room(std::size_t bytes) {
    const auto peak =
        static_cast<std::size_t>(std::max(stats_.peak_in_use, stats_.in_use + count(bytes)));
    const std::size_t limit = peak + std::max<std::size_t>(peak, 64u << 20);
    if (heap_.mapped() + bytes > limit) heap_.release(limit - std::min(limit, bytes));
  }

  Slab* new_slab(int index) {
    void* const block = take(Slab::kBytes, kSlab);
    if (!block) return nullptr;
    auto* const slab = new (block) Slab{};
    slab->unused_at = Slab::kHeader;
    slab->block_bytes = static_cast<std::uint32_t>(class_bytes(index));
    slab->index = index;
    link(slab);
    return slab;
  }
  void remove(Slab* slab) {
    unlink(slab);
    heap_.give(slab);
  }
  void link(Slab* slab) {
    slab->previous = nullptr;
    slab->next = std::exchange(slabs_[slab->index], slab);
    if (slab->next) slab->next->previous = slab;
  }
  void unlink(Slab* slab) {
    if (slab->next) slab->next->previous = slab->previous;
    (slab->previous ? slab->previous->next : slabs_[slab->index]) = slab->next;
    slab->next = slab->previous = nullptr;
  }

  std::mutex mutex_;
  BlockHeap heap_;
  Slab* slabs_[kClasses] = {};  // with free blocks
  MemoryStats stats_;           // blocks in thread caches count as in use here
  std::vector<ThreadCache*> caches_;
};

// Never destroyed: arrays with static storage duration outlive every other static object.
Allocator& allocator() {
  static auto* instance = new Allocator;
  return *instance;
}

// Small blocks that a thread has freed wait here for its next small allocations.
class ThreadCache {
 public:
  ThreadCache() { allocator().add(this); }
  ~ThreadCache() {
    for (int i = 0; i < kClasses; ++i) give_back(i, kept_[i].count());
    allocator().remove(this);
  }

  // \throws Error when the system has no memory.
  void* take(int index) {
    if (!kept_[index].first) [[unlikely]]
      return take_of_more(index);
    return take_kept(index);
  }
  void keep(int index, void* freed) noexcept {
    if (kept_[index].count() == kMostKept[index]) [[unlikely]]
      return keep_fewer(index, freed);
    keep_one(index, freed);
  }

  std::int64_t kept_bytes() const {
    std::int64_t bytes = 0;
    for (int i = 0; i < kClasses; ++i) bytes += kept_[i].count() * count(class_bytes(i));
    return bytes;
  }
  std::int64_t taken() const { return taken_.load(std::memory_order_relaxed); }

 private:
  // Only the owner writes the counts; others read them for the statistics.
  struct Kept {
    FreeBlock* first = nullptr;
    std::atomic<int> number{0};

    int count() const { return number.load(std::memory_order_relaxed); }
    void set_count(int to) { number.store(to, std::memory_order_relaxed); }
  };

  // 32 KB of each class: no more than 1 MB over all of them. A table, since a division would take
  // as long as all the rest of keep().
  static constexpr auto kMostKept = [] {
    std::array<int, kClasses> most{};
    for (int i = 0; i < kClasses; ++i) most[i] = static_cast<int>((32 << 10) / class_bytes(i));
    return most;
  }();

  void* take_kept(int index) {
    Kept& kept = kept_[index];
    FreeBlock* const block = kept.first;
    kept.first = block->next;
    kept.set_count(kept.count() - 1);
    taken_.store(taken() + 1, std::memory_order_relaxed);
    return block;
  }
  void keep_one(int index, void* freed) noexcept {
    Kept& kept = kept_[index];
    kept.first = new (freed) FreeBlock{kept.first};
    kept.set_count(kept.count() + 1);
  }

  // What is needed once in hundreds of times stays out of the way of what always is, and is called
  // last: take() and keep() then save no registers.
  [[gnu::noinline]] void* take_of_more(int index) {
    const auto [first, number] = allocator().take_small(index, kMostKept[index] / 2);
    kept_[index].first = first;
    kept_[index].set_count(number);
    return take_kept(index);
  }
  [[gnu::noinline]] void keep_fewer(int index, void* freed) noexcept {
    give_back(index, kept_[index].count() / 2);
    keep_one(index, freed);
  }
  void give_back(int index, int n) noexcept {
    if (n == 0) return;
    Kept& kept = kept_[index];
    FreeBlock* const first = kept.first;
    FreeBlock* last = first;
    for (int i = 1; i < n; ++i) last = last->next;
    kept.first = std::exchange(last->next, nullptr);
    kept.set_count(kept.count() - n);
    allocator().give_small(first);
  }

  Kept kept_[kClasses];
  std::atomic<std::int64_t> taken_{0};
};

// The cache of this thread: made at its first use, and gone before static objects are destroyed,
// whose blocks then go straight to the allocator.
thread_local ThreadCache* thread_cache = nullptr;
thread_local bool thread_ending = false;

struct ThreadCacheOwner {
  ThreadCacheOwner() { thread_cache = new ThreadCache; }
  ~ThreadCacheOwner() {
    thread_ending = true;
    delete std::exchange(thread_cache, nullptr);
  }
};

ThreadCache* first_use_of_cache() {
  if (!thread_ending) {
    static thread_local ThreadCacheOwner owner;
  }
  return thread_cache;
}

// What does not go through a thread's cache, or finds none, out of the way of what does.
[[gnu::noinline]] void* allocate_otherwise(std::size_t bytes) {
  if (bytes > kLargestSmall) return allocator().take_large(bytes);
  if (ThreadCache* const cache = first_use_of_cache()) return cache->take(class_of(bytes));
  return allocator().take_small(class_of(bytes), 1).first;
}
[[gnu::noinline]] void deallocate_otherwise(void* block, std::size_t bytes) noexcept {
  if (bytes > kLargestSmall) return allocator().give_large(block);
  if (ThreadCache* const cache = first_use_of_cache()) return cache->keep(class_of(bytes), block);
  allocator().give_small(new (block) FreeBlock{nullptr});
}

MemoryStats Allocator::stats() {
  const std::lock_guard guard(mutex_);
  MemoryStats stats = stats_;
  stats.reserved += count(heap_.mapped());
  stats.system_allocations += heap_.times_grown();
  for (const ThreadCache* cache : caches_) {
    stats.in_use -= cache->kept_bytes();
    stats.allocations += cache->taken();
  }
  return stats;
}

void Allocator::remove(ThreadCache* cache) {
  const std::lock_guard guard(mutex_);
  stats_.allocations += cache->taken();
  std::erase(caches_, cache);
}

}  // namespace

MemoryStats memory_stats() { return allocator().stats(); }
void reset_peak_memory_stats() { allocator().reset_peak(); }
void empty_cache() { allocator().release_idle(); }

void* detail::allocate(std::size_t bytes) {
  if constexpr (!kKeepFreedBlocks) return allocator().take_from_system(bytes);
  if (ThreadCache* const cache = thread_cache; cache && bytes <= kLargestSmall) [[likely]]
    return cache->take(class_of(bytes));
  return allocate_otherwise(bytes);
}

void detail::deallocate(void* block, std::size_t bytes) noexcept {
  if constexpr (!kKeepFreedBlocks) {
    allocator().give_to_system(block, bytes);
    return;
  }
  if (ThreadCache* const cache = thread_cache; cache && bytes <= kLargestSmall) [[likely]]
    return cache->keep(class_of(bytes), block);
  deallocate_otherwise(block, bytes);
}

}  // namespace tapedeck
