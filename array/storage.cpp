#include <tapedeck/array/storage.h>

#include <new>

#include <tapedeck/array/allocator.h>

namespace tapedeck {

namespace {
constexpr std::size_t kHeader = 64;
static_assert(sizeof(Storage) <= kHeader, "the data behind the header must stay 64-byte aligned");
}  // namespace

intrusive_ptr<Storage> Storage::allocate(std::size_t bytes) {
  auto* block = static_cast<std::byte*>(detail::allocate(kHeader + bytes));
  return intrusive_ptr<Storage>(new (block) Storage(block + kHeader, bytes));
}

intrusive_ptr<Storage> Storage::borrow(void* data, std::size_t bytes,
                                       std::function<void(void*)> deleter) {
  auto* block = detail::allocate(kHeader);
  auto* storage = new (block) Storage(data, bytes);
  storage->borrowed_ = true;
  intrusive_ptr<Storage> result(storage);
  if (deleter) storage->deleter_ = new std::function<void(void*)>(std::move(deleter));
  return result;
}

void Storage::destroy() noexcept {
  if (deleter_) {
    (*deleter_)(data_);
    delete deleter_;
  }
  const std::size_t block_bytes = kHeader + (borrowed_ ? 0 : nbytes_);
  this->~Storage();
  detail::deallocate(this, block_bytes);
}

}  // namespace tapedeck
