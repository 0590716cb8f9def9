#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

#include <tapedeck/array/intrusive_ptr.h>

namespace tapedeck {

/// The bytes behind one or more Arrays, and the version that every in-place change advances. It
/// lives here so that all views of the same bytes share it.
class StorageImpl final : public RefCounted {
 public:
  /// While it is set on a thread, what this thread allocates is for inference alone.
  static bool inference_mode();
  static void set_inference_mode(bool on);

  /// Uninitialised bytes from the caching allocator, in one block with this header. They are
  /// aligned to 64 bytes, or to 32 where there are no more than that.
  static intrusive_ptr<StorageImpl> allocate(std::size_t bytes);
  /// Somebody else's bytes; `deleter`, if any, is called with `data` when the last Array goes.
  static intrusive_ptr<StorageImpl> borrow(void* data, std::size_t bytes,
                                           std::function<void(void*)> deleter = {});

  void* data() const { return data_; }
  /// Whether the bytes are somebody else's.
  bool is_borrowed() const;
  /// Made in inference mode: its arrays take no part in gradients.
  bool is_inference() const { return inference_; }
  std::size_t nbytes() const { return nbytes_; }
  std::uint32_t version() const { return version_.load(std::memory_order_relaxed); }
  void bump_version() { version_.fetch_add(1, std::memory_order_relaxed); }

  void destroy() noexcept;

 private:
  StorageImpl(void* data, std::size_t bytes);
  ~StorageImpl() = default;

  std::atomic<std::uint32_t> version_{0};
  void* data_;
  std::size_t nbytes_ : 63;
  std::size_t inference_ : 1;
  std::function<void(void*)>* deleter_ = nullptr;
};

}  // namespace tapedeck
