#include <tapedeck/array/allocator.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <utility>
#include <vector>

#include <tapedeck/array/error.h>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#define TAPEDECK_POISON_FREED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TAPEDECK_POISON_FREED 1
#endif
#endif

namespace tapedeck {

namespace {

// Size classes: eight steps to each power of two from 64 bytes on, so that at most an eighth is
// wasted and that the sizes of a training loop fall into the same few classes at every step.
constexpr std::size_t kSmallest = 64;
constexpr int kSteps = 8;
constexpr int kClasses = 48 * kSteps;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

struct SizeClass {
  int index;
  std::size_t bytes;
};

SizeClass size_class(std::size_t bytes) {
  const std::size_t units = std::max<std::size_t>(1, (bytes + kSmallest - 1) / kSmallest);
  if (units <= kSteps) return {static_cast<int>(units) - 1, units * kSmallest};
  const int shift = std::bit_width(units - 1) - 4;  // keeps the four leading bits
  const std::size_t step = std::size_t{1} << shift;
  const std::size_t rounded = (units + step - 1) / step;  // 9 ... 16
  return {kSteps * (shift + 1) + static_cast<int>(rounded) - kSteps - 1,
          rounded * step * kSmallest};
}

#if defined(TAPEDECK_POISON_FREED)
constexpr bool kKeepFreedBlocks = false;  // the sanitizer must see every block come and go
#else
constexpr bool kKeepFreedBlocks = true;
#endif

#if defined(__linux__) && defined(MADV_HUGEPAGE) && !defined(TAPEDECK_POISON_FREED)
// Large blocks are mappings of their own, begun at a huge page: fresh 4 KB pages cost more than the
// kernels that fill them. Where one ends, what it does not need is not there.
//
// A page follows that nobody asked for: without masked loads, as before AVX2, the last vector of a
// row is read whole, and what lies behind the last element must be there.
std::size_t mapped_bytes(std::size_t bytes) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page + page;
}
void* system_allocate(std::size_t bytes) {
  if (bytes < kHugePage) return std::aligned_alloc(64, bytes);
  const std::size_t used = mapped_bytes(bytes), mapped = used + kHugePage;
  void* const mapping =
      mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return nullptr;
  char* const begin = static_cast<char*>(mapping);
  const std::size_t before = -reinterpret_cast<std::uintptr_t>(begin) % kHugePage;
  if (before > 0) munmap(begin, before);
  if (mapped - before > used) munmap(begin + before + used, mapped - before - used);
  madvise(begin + before, used, MADV_HUGEPAGE);
  return begin + before;
}
void system_free(void* block, std::size_t bytes) {
  if (bytes < kHugePage)
    std::free(block);
  else
    munmap(block, mapped_bytes(bytes));
}
#else
void* system_allocate(std::size_t bytes) { return std::aligned_alloc(64, bytes); }
void system_free(void* block, std::size_t) { std::free(block); }
#endif

class ThreadCache;

class Allocator {
 public:
  void* allocate(SizeClass wanted) {
    {
      const std::lock_guard guard(mutex_);
      ++stats_.allocations;
      auto& blocks = free_[wanted.index];
      if (!blocks.empty()) {
        void* block = blocks.back().block;
        blocks.pop_back();
        idle_ -= wanted.bytes;
        count_in_use(wanted.bytes);
        return block;
      }
      make_room(wanted.bytes);
    }
    void* block = system_allocate(wanted.bytes);
    if (!block) {
      release_idle(0);
      block = system_allocate(wanted.bytes);
    }
    TAPEDECK_CHECK(block, "out of memory: no ", wanted.bytes, " bytes, with ", stats().in_use,
                   " in use");
    const std::lock_guard guard(mutex_);
    ++stats_.system_allocations;
    stats_.reserved += static_cast<std::int64_t>(wanted.bytes);
    count_in_use(wanted.bytes);
    return block;
  }

  void deallocate(void* block, SizeClass had) noexcept {
    const std::lock_guard guard(mutex_);
    stats_.in_use -= static_cast<std::int64_t>(had.bytes);
    if (kKeepFreedBlocks) {
      try {
        free_[had.index].push_back({block, ++frees_});
        idle_ += had.bytes;
        return;
      } catch (...) {  // no memory for the list itself: give the block back instead
      }
    }
    system_free(block, had.bytes);
    stats_.reserved -= static_cast<std::int64_t>(had.bytes);
  }

  void release_idle(std::size_t keep) {
    const std::lock_guard guard(mutex_);
    release_idle_locked(keep);
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

  static std::size_t class_bytes(int index) {
    if (index < kSteps) return (static_cast<std::size_t>(index) + 1) * kSmallest;
    const int shift = index / kSteps - 1;
    return (static_cast<std::size_t>(index % kSteps) + kSteps + 1) * (kSmallest << shift);
  }

 private:
  void count_in_use(std::size_t bytes) {
    stats_.in_use += static_cast<std::int64_t>(bytes);
    stats_.peak_in_use = std::max(stats_.peak_in_use, stats_.in_use);
  }

  // Loops whose shapes vary would otherwise keep a block of every size they ever used: what is held
  // never exceeds twice the peak in use, or 64 MB more than it. A loop whose shapes stay must find
  // room for the blocks of all its phases: one too few, and each step takes many from the system.
  void make_room(std::size_t bytes) {
    const auto in_use = static_cast<std::size_t>(stats_.in_use);
    const std::size_t peak = std::max(static_cast<std::size_t>(stats_.peak_in_use), in_use + bytes);
    const std::size_t limit = peak + std::max<std::size_t>(peak, 64u << 20);
    const std::size_t wanted = in_use + idle_ + bytes;
    if (wanted > limit) release_idle_locked(idle_ - std::min(idle_, wanted - limit));
  }

  // A freed block, and which one it was.
  struct Idle {
    void* block;
    std::uint64_t order;
  };

  // The ones that have lain idle for longest go first, whatever their size: a loop's own blocks
  // come back with every turn, and what earlier loops left behind does not.
  void release_idle_locked(std::size_t keep) {
    while (idle_ > keep) {
      int oldest = -1;
      for (int i = 0; i < kClasses; ++i)
        if (!free_[i].empty() &&
            (oldest < 0 || free_[i].front().order < free_[oldest].front().order))
          oldest = i;
      auto& blocks = free_[oldest];
      const std::size_t bytes = class_bytes(oldest);
      auto end = blocks.begin();
      do {  // all of its class where everything goes
        system_free(end->block, bytes);
        ++end;
        idle_ -= bytes;
        stats_.reserved -= static_cast<std::int64_t>(bytes);
      } while (keep == 0 && end != blocks.end());
      blocks.erase(blocks.begin(), end);
    }
  }

  std::mutex mutex_;
  std::vector<Idle> free_[kClasses];
  std::uint64_t frees_ = 0;
  std::size_t idle_ = 0;
  MemoryStats stats_;  // blocks in thread caches count as in use here
  std::vector<ThreadCache*> caches_;
};

// Never destroyed: arrays with static storage duration outlive every other static object.
Allocator& allocator() {
  static auto* instance = new Allocator;
  return *instance;
}

// Small blocks that a thread has freed wait here for its next small allocations: the tape of small
// tensors asks for several with every operation, and neither locks nor shares a cache line for it.
class ThreadCache {
 public:
  static constexpr int kClassesKept = kSteps * 4;  // blocks up to 4 KB
  static constexpr int kBlocksKept = 64;           // of each class

  ThreadCache() { allocator().add(this); }
  ~ThreadCache() {
    for (int i = 0; i < kClassesKept; ++i) {
      const SizeClass size{i, Allocator::class_bytes(i)};
      while (void* block = take(size)) allocator().deallocate(block, size);
    }
    allocator().remove(this);
  }

  void* take(SizeClass size) {
    int& count = counts_[size.index];
    if (count == 0) return nullptr;
    add(kept_bytes_, -static_cast<std::int64_t>(size.bytes));
    add(taken_, 1);
    return blocks_[size.index][--count];
  }
  bool keep(SizeClass size, void* block) {
    int& count = counts_[size.index];
    if (count == kBlocksKept) return false;
    add(kept_bytes_, static_cast<std::int64_t>(size.bytes));
    blocks_[size.index][count++] = block;
    return true;
  }

  std::int64_t kept_bytes() const { return kept_bytes_.load(std::memory_order_relaxed); }
  std::int64_t taken() const { return taken_.load(std::memory_order_relaxed); }

 private:
  // Only the owner writes; others read for the statistics.
  static void add(std::atomic<std::int64_t>& counter, std::int64_t by) {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  std::atomic<std::int64_t> kept_bytes_{0}, taken_{0};
  int counts_[kClassesKept] = {};
  void* blocks_[kClassesKept][kBlocksKept];
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

ThreadCache* cache_for(SizeClass size) {
  if (!kKeepFreedBlocks || size.index >= ThreadCache::kClassesKept) return nullptr;
  if (!thread_cache && !thread_ending) [[unlikely]] {
    static thread_local ThreadCacheOwner owner;
  }
  return thread_cache;
}

MemoryStats Allocator::stats() {
  const std::lock_guard guard(mutex_);
  MemoryStats stats = stats_;
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
void empty_cache() { allocator().release_idle(0); }

void* detail::allocate(std::size_t bytes) {
  const SizeClass wanted = size_class(bytes);
  if (ThreadCache* cache = cache_for(wanted))
    if (void* block = cache->take(wanted)) return block;
  return allocator().allocate(wanted);
}

void detail::deallocate(void* block, std::size_t bytes) noexcept {
  const SizeClass had = size_class(bytes);
  if (ThreadCache* cache = cache_for(had))
    if (cache->keep(had, block)) return;
  allocator().deallocate(block, had);
}

}  // namespace tapedeck
