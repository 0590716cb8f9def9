#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <tapedeck/autograd/ivalue.h>
#include <tapedeck/serialize/archive.h>
#include <tapedeck/serialize/internal/file.h>
#include <tapedeck/serialize/internal/safetensors.h>

namespace tapedeck::serialize::detail {

/// What an OutputArchive gathers, by full key, in the order of writing.
struct ArchiveContents {
  struct Tensor {
    std::string key;
    Variable tensor;
    bool requires_grad;
  };
  std::vector<Tensor> tensors;
  std::vector<std::pair<std::string, IValue>> values;
  std::vector<std::string> empty_archives;
  std::set<std::string> keys;  ///< of tensors and values

  /// \throws Error for a key that is empty, reserved or taken.
  void take(const std::string& key);
};

/// What an InputArchive has loaded and checked.
struct ArchiveReader {
  struct Tensor {
    TensorEntry entry;
    bool requires_grad = false;
    bool was_read = false;
  };

  std::string source;  ///< "'model.pt'" or "the stream", for messages
  Bytes bytes;
  const char* data = nullptr;
  std::map<std::string, Tensor> tensors;
  std::map<std::string, IValue> values;
  std::vector<std::string> empty_archives;

  // The transaction under way.
  bool in_transaction = false;
  std::vector<std::string> missing, mismatched;
  std::vector<std::pair<Variable, const Tensor*>> pending;
  std::vector<std::function<void()>> deferred;

  /// A new tensor with the elements of the file.
  Variable make(const Tensor& t) const;
  /// Copies the elements into a tensor of the same shape and dtype.
  void copy_into(const Variable& target, const Tensor& t) const;
};

/// Writes the file format.
void write_archive(const ArchiveContents& contents, const ByteSink& sink);
/// Gets the next `size` bytes; \throws Error where there are fewer.
using ByteSource = std::function<void(void* data, std::size_t size, const char* what)>;
/// Reads one archive and checks all of it. `size` is the number of bytes where it is known.
std::shared_ptr<ArchiveReader> read_archive(Bytes bytes, std::string source);
/// Checks the length field that an archive begins with. \throws Error where it is none.
std::uint64_t header_size(const char* first_eight, const std::string& source);

}  // namespace tapedeck::serialize::detail
