#include <tapedeck/array/internal/block_heap.h>

#include <algorithm>
#include <bit>

#include <sys/mman.h>
#include <unistd.h>

namespace tapedeck::detail {

namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kSmallestRest = 448;  // what is smaller stays with the block it is cut from
constexpr int kCandidates = 16;             // blocks of about the size that are looked at

std::size_t round_up(std::size_t n, std::size_t step) { return (n + step - 1) / step * step; }

char* map_at(char* hint, std::size_t bytes) {
  void* const at = mmap(hint, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return at == MAP_FAILED ? nullptr : static_cast<char*>(at);
}

// Fresh 4 KB pages cost more than the kernels that fill them.
void ask_for_huge_pages([[maybe_unused]] char* begin, [[maybe_unused]] std::size_t bytes) {
#if defined(MADV_HUGEPAGE)
  madvise(begin, bytes, MADV_HUGEPAGE);
#endif
}

// Mappings begin and end where huge pages do.
char* map_anywhere(std::size_t bytes) {
  char* const begin = map_at(nullptr, bytes + kHugePage);
  if (!begin) return nullptr;
  const std::size_t before = -reinterpret_cast<std::uintptr_t>(begin) % kHugePage;
  if (before > 0) munmap(begin, before);
  munmap(begin + before + bytes, kHugePage - before);
  return begin + before;
}

}  // namespace

int BlockHeap::list_of(std::size_t size) {
  const std::size_t units = size / kHeader;
  if (units < kSteps) return static_cast<int>(units);
  const int shift = std::bit_width(units) - std::bit_width(unsigned{kSteps});
  return kSteps * shift + static_cast<int>(units >> shift);
}

void BlockHeap::put(Header* header) {
  const int list = list_of(header->size);
  header->is_free = true;
  header->previous = nullptr;
  header->next = lists_[list];
  if (header->next) header->next->previous = header;
  lists_[list] = header;
  filled_[list / 64] |= std::uint64_t{1} << (list % 64);
  header->after()->free_before = true;
  header->after()->size_before = header->size;
}

void BlockHeap::remove(Header* header) {
  const int list = list_of(header->size);
  if (header->next) header->next->previous = header->previous;
  if (header->previous)
    header->previous->next = header->next;
  else
    lists_[list] = header->next;
  if (!lists_[list]) filled_[list / 64] &= ~(std::uint64_t{1} << (list % 64));
  header->is_free = false;
  header->after()->free_before = false;
}

BlockHeap::Header* BlockHeap::find(std::size_t bytes, std::size_t alignment) const {
  // The list of the size itself has smaller blocks as well; but the very size, which a training
  // loop asks for again and again, is there too.
  const std::size_t enough = alignment == kHeader ? bytes : bytes + alignment + kHeader;
  const int last = list_of(enough);
  for (int list = list_of(bytes); list <= last; ++list) {
    Header* best = nullptr;
    int seen = 0;
    for (Header* h = lists_[list]; h && seen < kCandidates; h = h->next, ++seen) {
      const bool aligned = reinterpret_cast<std::uintptr_t>(h->block()) % alignment == 0;
      if (h->size >= (aligned ? bytes : enough) && (!best || h->size < best->size)) best = h;
    }
    if (best) return best;
  }
  const int from = last + 1;
  for (int word = from / 64; word < kLists / 64; ++word) {
    std::uint64_t lists = filled_[word];
    if (word == from / 64) lists &= ~std::uint64_t{0} << (from % 64);
    if (lists != 0) return lists_[word * 64 + std::countr_zero(lists)];
  }
  return nullptr;
}

// Leaves the block its first `bytes` bytes, and frees the rest where there is enough of it.
void BlockHeap::cut(Header* header, std::size_t bytes) {
  if (header->size < bytes + kHeader + kSmallestRest) return;
  const std::size_t rest_size = header->size - bytes - kHeader;
  header->size = bytes;
  Header* const rest = header->after();
  *rest = {};
  rest->size = rest_size;
  put(rest);
}

void* BlockHeap::take(std::size_t bytes, std::size_t alignment) {
  bytes = round_up(std::max<std::size_t>(bytes, 1), kHeader);
  Header* header = find(bytes, alignment);
  if (!header) return nullptr;
  remove(header);
  const auto at = reinterpret_cast<std::uintptr_t>(header->block());
  if (at % alignment != 0) {
    // What lies before the aligned block stays free.
    const std::size_t before = round_up(at + 2 * kHeader, alignment) - at - kHeader;
    const std::size_t size = header->size - before - kHeader;
    header->size = before;
    Header* const aligned = header->after();
    *aligned = {};
    aligned->size = size;
    put(header);
    header = aligned;
  }
  cut(header, bytes);
  return header->block();
}

void BlockHeap::give(void* block) {
  Header* header = header_of(block);
  if (Header* const after = header->after(); after->is_free) {
    remove(after);
    header->size += kHeader + after->size;
  }
  if (header->free_before) {
    Header* const before = header->before();
    remove(before);
    before->size += kHeader + header->size;
    header = before;
  }
  put(header);
}

bool BlockHeap::grow(std::size_t bytes) {
  bytes = round_up(bytes, kHeader);
  // Below the run that was mapped last, whose first block may be free and then need not be mapped.
  if (lowest_) {
    auto* const first = reinterpret_cast<Header*>(lowest_);
    const std::size_t have = first->is_free ? std::min(bytes, first->size) : 0;
    const std::size_t more = round_up(bytes + kHeader - have, kHugePage);
    char* const wanted = lowest_ - more;
    char* const got = map_at(wanted, more);
    if (got == wanted) {
      ask_for_huge_pages(got, more);
      auto* const header = new (got) Header{};
      header->size = more - kHeader;
      header->is_first = true;
      first->is_first = false;
      mapped_ += more;
      ++times_grown_;
      lowest_ = got;
      give(header->block());
      return true;
    }
    if (got) munmap(got, more);
  }
  const std::size_t more = round_up(bytes + 2 * kHeader, kHugePage);
  char* const got = map_anywhere(more);
  if (!got) return false;
  ask_for_huge_pages(got, more);
  auto* const header = new (got) Header{};
  header->size = more - 2 * kHeader;
  header->is_first = true;
  new (header->after()) Header{};
  mapped_ += more;
  ++times_grown_;
  lowest_ = got;
  put(header);
  return true;
}

// Unmaps the pages of a free block that hold nothing else, if there are any.
void BlockHeap::unmap(Header* header) {
  static const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  Header* const after = header->after();
  const bool at_end = after->size == 0;
  const auto address = [](const Header* h) { return reinterpret_cast<std::uintptr_t>(h); };
  // Blocks before it need its header, as the end of their run. To a run's first and last block
  // belongs what else lies in their pages.
  const std::uintptr_t begin =
      header->is_first ? address(header) / page * page : round_up(address(header) + kHeader, page);
  const std::uintptr_t end =
      at_end ? round_up(address(after) + kHeader, page) : address(after) / page * page;
  if (end <= begin) return;
  remove(header);
  if (!at_end) after->is_first = true;
  if (!header->is_first) header->size = 0;
  if (lowest_ == reinterpret_cast<char*>(header)) lowest_ = nullptr;
  munmap(reinterpret_cast<void*>(begin), end - begin);
  mapped_ -= end - begin;
}

void BlockHeap::release(std::size_t keep) {
  for (int list = kLists; list-- > 0 && mapped_ > keep;)
    for (Header* header = lists_[list]; header && mapped_ > keep;) {
      Header* const next = header->next;
      unmap(header);
      header = next;
    }
}

}  // namespace tapedeck::detail
