#pragma once

#include <cstddef>
#include <cstdint>

namespace tapedeck::detail {

/// Memory of the system in blocks of any size. A free block is cut to the size that is asked for,
/// and a freed one joins the free blocks beside it, so that what one size leaves behind serves any
/// other. Blocks are found by size in constant time: free ones hang in lists for 32 steps to each
/// power of two, and a bitmap says which lists are not empty.
///
/// Each block follows a header of 64 bytes. A run of blocks ends with a header of size zero, so a
/// vector that is read whole, past the last element, meets memory that is there. Not thread safe.
class BlockHeap {
 public:
  static constexpr std::size_t kHeader = 64;

  /// A block of at least `bytes` bytes, aligned to `alignment`, a power of two from 64 on. Null
  /// where no free block has room: then `grow` first.
  void* take(std::size_t bytes, std::size_t alignment = kHeader);
  /// Takes memory for a block of `bytes` from the system. False where that has none.
  bool grow(std::size_t bytes);
  /// The size of a block, which may exceed what was asked for by less than 512 bytes.
  static std::size_t size_of(const void* block) { return header_of(block)->size; }
  void give(void* block);
  /// Gives free memory back to the system, the largest blocks first, until no more than `keep`
  /// bytes are mapped or less than a page could be given back.
  void release(std::size_t keep);

  /// Bytes taken from the system.
  std::size_t mapped() const { return mapped_; }
  /// How often the system was asked for memory.
  std::int64_t times_grown() const { return times_grown_; }

 private:
  struct Header {
    std::size_t size;         // of the block behind it; zero at the end of a run
    std::size_t size_before;  // of the block before it, where that is free
    bool is_free, is_first, free_before;
    Header *next, *previous;  // in the list of free blocks of about this size

    char* block() { return reinterpret_cast<char*>(this) + kHeader; }
    Header* after() { return reinterpret_cast<Header*>(block() + size); }
    Header* before() {
      return reinterpret_cast<Header*>(reinterpret_cast<char*>(this) - size_before - kHeader);
    }
  };
  static_assert(sizeof(Header) <= kHeader);
  static Header* header_of(const void* block) {
    return reinterpret_cast<Header*>(static_cast<char*>(const_cast<void*>(block)) - kHeader);
  }

  static constexpr int kSteps = 32;  // lists for each power of two
  static constexpr int kLists = 54 * kSteps;
  static int list_of(std::size_t size);

  Header* find(std::size_t bytes, std::size_t alignment) const;
  void put(Header* header);     // into its list, and tells the block after it
  void remove(Header* header);  // out of its list
  void cut(Header* header, std::size_t bytes);
  void unmap(Header* header);

  Header* lists_[kLists] = {};
  std::uint64_t filled_[kLists / 64] = {};
  std::size_t mapped_ = 0;
  std::int64_t times_grown_ = 0;
  char* lowest_ = nullptr;  // where the run that was mapped last begins
};

}  // namespace tapedeck::detail
