#include <tapedeck/array/storage.h>

#include <new>

#include <tapedeck/array/allocator.h>

namespace tapedeck {

namespace {
static_assert(sizeof(StorageImpl) <= 32, "header and smallest data share a cache line");

// Where the data begin behind the header. A few numbers share its cache line.
std::size_t header_bytes(std::size_t bytes) { return bytes <= 32 ? 32 : 64; }

thread_local bool for_inference = false;
}  // namespace

bool StorageImpl::inference_mode() { return for_inference; }
void StorageImpl::set_inference_mode(bool on) { for_inference = on; }

StorageImpl::StorageImpl(void* data, std::size_t bytes)
    : data_(data), nbytes_(bytes), inference_(for_inference) {}

intrusive_ptr<StorageImpl> StorageImpl::allocate(std::size_t bytes) {
  const std::size_t header = header_bytes(bytes);
  auto* block = static_cast<std::byte*>(detail::allocate(header + bytes));
  return intrusive_ptr<StorageImpl>::of_new(new (block) StorageImpl(block + header, bytes));
}

intrusive_ptr<StorageImpl> StorageImpl::borrow(void* data, std::size_t bytes,
                                               std::function<void(void*)> deleter) {
  auto* block = detail::allocate(sizeof(StorageImpl));
  auto result = intrusive_ptr<StorageImpl>::of_new(new (block) StorageImpl(data, bytes));
  if (deleter) result->deleter_ = new std::function<void(void*)>(std::move(deleter));
  return result;
}

bool StorageImpl::is_borrowed() const {
  return data_ != reinterpret_cast<const std::byte*>(this) + header_bytes(nbytes_);
}

void StorageImpl::destroy() noexcept {
  if (deleter_) {
    (*deleter_)(data_);
    delete deleter_;
  }
  const std::size_t block_bytes =
      is_borrowed() ? sizeof(StorageImpl) : header_bytes(nbytes_) + nbytes_;
  this->~StorageImpl();
  detail::deallocate(this, block_bytes);
}

}  // namespace tapedeck
