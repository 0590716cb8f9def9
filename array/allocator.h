#pragma once

#include <cstddef>
#include <cstdint>

namespace tapedeck {

/// What the caching allocator did and holds, in bytes and counts since the process began.
struct MemoryStats {
  std::int64_t in_use = 0;              ///< bytes in live blocks, with what they were rounded up by
  std::int64_t peak_in_use = 0;         ///< the most ever in use, with at most 1 MB of freed small
                                        ///< blocks a thread (see reset_peak_memory_stats)
  std::int64_t reserved = 0;            ///< bytes taken from the system: in use or kept for reuse
  std::int64_t allocations = 0;         ///< blocks asked for
  std::int64_t system_allocations = 0;  ///< times that memory was taken from the system
};

/// A snapshot of the allocator behind every Array. After its first step a training loop leaves
/// `system_allocations` as it is.
MemoryStats memory_stats();
/// Sets the peak to what is in use now.
void reset_peak_memory_stats();
/// Gives the memory that is kept for reuse back to the system.
void empty_cache();

namespace detail {

/// A block of at least `bytes` bytes, aligned to 64. \throws Error when the system has none.
void* allocate(std::size_t bytes);
/// Returns a block; `bytes` is what was asked for.
void deallocate(void* block, std::size_t bytes) noexcept;

}  // namespace detail
}  // namespace tapedeck
