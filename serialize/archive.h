#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tapedeck/autograd/ivalue.h>
#include <tapedeck/autograd/variable.h>

namespace tapedeck {

namespace jit {
/// Accepted where libtorch's interface passes one; it carries nothing here.
struct CompilationUnit {};
}  // namespace jit

/// Named tensors and values in files. The format is safetensors, which Python reads directly: the
/// length of a JSON header, the header, the elements. The keys of nested archives are joined by a
/// dot; values that are no tensors, and checksums, stand in the header's `__metadata__`.
namespace serialize {

namespace detail {
struct ArchiveContents;
struct ArchiveReader;
}  // namespace detail

/// Gathers named tensors and values, and writes them. Tensors are captured by handle: the elements
/// are those of the moment of save_to.
class OutputArchive final {
 public:
  OutputArchive();
  explicit OutputArchive(std::shared_ptr<jit::CompilationUnit>) : OutputArchive() {}
  OutputArchive(OutputArchive&&) noexcept;
  OutputArchive& operator=(OutputArchive&&) noexcept;
  OutputArchive(const OutputArchive&) = delete;
  OutputArchive& operator=(const OutputArchive&) = delete;
  ~OutputArchive();

  std::shared_ptr<jit::CompilationUnit> compilation_unit() const { return {}; }

  /// \throws Error for a key that is empty or taken, or an undefined tensor.
  void write(const std::string& key, const IValue& value);
  /// A buffer is a tensor whose requires_grad is not kept.
  void write(const std::string& key, const Variable& tensor, bool is_buffer = false);
  /// Writes what the archive holds under "key.".
  void write(const std::string& key, OutputArchive& nested_archive);

  /// Writes to a temporary file beside it, `<filename>.<process>.<number>.tmp`, and renames: what
  /// was there stays whole until the new file is complete, and stays there if that fails. A process
  /// that is killed meanwhile leaves the temporary file, which nobody needs. \throws Error that
  /// names the file.
  void save_to(const std::string& filename);
  /// \throws Error if the stream does not take everything.
  void save_to(std::ostream& stream);
  /// `writer` returns how many of the bytes it took; all is the only success.
  void save_to(const std::function<std::size_t(const void* data, std::size_t size)>& writer);

  /// write(...), so that one template serves both directions.
  template <typename... Ts>
  void operator()(Ts&&... ts) {
    write(std::forward<Ts>(ts)...);
  }

 private:
  std::unique_ptr<detail::ArchiveContents> contents_;
};

/// Reads what an OutputArchive, or any writer of safetensors files, has written. Nothing is handed
/// out before the whole file has been checked: its structure, sizes, dtypes, and its checksums
/// where it has any.
class InputArchive final {
 public:
  InputArchive() = default;
  InputArchive(InputArchive&&) = default;
  InputArchive& operator=(InputArchive&&) = default;
  InputArchive(const InputArchive&) = delete;
  InputArchive& operator=(const InputArchive&) = delete;

  /// \throws Error where there is no such key.
  void read(const std::string& key, IValue& value);
  bool try_read(const std::string& key, IValue& value);

  /// A defined tensor receives the elements in place, and must have the shape and dtype of what is
  /// read; an undefined one becomes a new tensor. \throws Error where there is no such tensor, or
  /// its shape or dtype are others.
  void read(const std::string& key, Variable& tensor, bool is_buffer = false);
  bool try_read(const std::string& key, Variable& tensor, bool is_buffer = false);

  /// Makes `archive` the part of this one under "key.".
  void read(const std::string& key, InputArchive& archive);
  bool try_read(const std::string& key, InputArchive& archive);

  /// \throws Error that names the file and what is wrong with it. Only the CPU is a device.
  void load_from(const std::string& filename, std::optional<Device> device = std::nullopt);
  /// Reads one archive from the stream's position, and no further.
  void load_from(std::istream& stream, std::optional<Device> device = std::nullopt);
  void load_from(const char* data, std::size_t size, std::optional<Device> device = std::nullopt);
  void load_from(
      const std::function<std::size_t(std::uint64_t pos, void* buf, std::size_t nbytes)>& read_func,
      const std::function<std::size_t()>& size_func, std::optional<Device> device = std::nullopt);

  /// What it was loaded from, for messages: "'model.pt'", "the stream".
  const std::string& source() const;

  /// Keys of this level: tensors, values and nested archives.
  std::vector<std::string> keys() const;
  /// Full names of all tensors at or below this level, "layer1.weight", in the order of the names.
  std::vector<std::string> tensor_keys() const;

  /// Runs `commit` when everything has been read without error: at once, or at the end of the
  /// LoadTransaction that is under way. What loads several things defers its changes so.
  void defer(std::function<void()> commit);

  /// read(...), so that one template serves both directions.
  template <typename... Ts>
  void operator()(Ts&&... ts) {
    read(std::forward<Ts>(ts)...);
  }

 private:
  friend class LoadTransaction;
  detail::ArchiveReader& reader() const;
  std::string full_key(const std::string& key) const;

  std::shared_ptr<detail::ArchiveReader> reader_;
  std::string prefix_;
};

/// All or nothing: while it lives, reads into defined tensors from the archive, and what is
/// deferred, wait for commit(). Missing keys and wrong shapes are gathered meanwhile, so that
/// commit() reports them together, with the tensors of the file that nobody read; only where there
/// are none does it change anything. Without commit(), nothing changes. Inside another transaction
/// on the same archive it does nothing, and that one decides.
class LoadTransaction {
 public:
  explicit LoadTransaction(InputArchive& archive);
  ~LoadTransaction();
  LoadTransaction(const LoadTransaction&) = delete;
  LoadTransaction& operator=(const LoadTransaction&) = delete;

  /// \throws Error that lists missing keys, unexpected keys (unless `allow_unread`) and mismatches
  /// of shape or dtype.
  void commit(bool allow_unread = false);

 private:
  friend class InputArchive;
  std::shared_ptr<detail::ArchiveReader> reader_;
  std::string prefix_;
  bool outermost_;
};

}  // namespace serialize

/// A tensor alone in an archive, as `save(tensor, path)` writes it. A defined tensor receives the
/// elements in place; where shape or dtype differ, it becomes the one that is read, for all its
/// handles.
serialize::OutputArchive& operator<<(serialize::OutputArchive& archive, const Variable& tensor);
serialize::InputArchive& operator>>(serialize::InputArchive& archive, Variable& tensor);

}  // namespace tapedeck
