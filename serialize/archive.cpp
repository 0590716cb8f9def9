#include <tapedeck/serialize/archive.h>

#include <algorithm>
#include <cstring>
#include <istream>
#include <ostream>
#include <set>

#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/serialize/internal/archive_contents.h>

namespace tapedeck {
namespace serialize {

using detail::ArchiveContents;
using detail::ArchiveReader;

// ---- writing ----

OutputArchive::OutputArchive() : contents_(std::make_unique<ArchiveContents>()) {}
OutputArchive::OutputArchive(OutputArchive&&) noexcept = default;
OutputArchive& OutputArchive::operator=(OutputArchive&&) noexcept = default;
OutputArchive::~OutputArchive() = default;

void ArchiveContents::take(const std::string& key) {
  TAPEDECK_CHECK(!key.empty(), "save: a key is empty");
  TAPEDECK_CHECK(key != "__metadata__", "save: the key '", key, "' is reserved");
  TAPEDECK_CHECK(keys.insert(key).second, "save: the key '", key, "' is written twice");
}

void OutputArchive::write(const std::string& key, const IValue& value) {
  if (value.isTensor()) {
    write(key, value.toTensor());
  } else if (value.isTensorList()) {
    OutputArchive list;
    const std::vector<Variable>& tensors = value.toTensorVector();
    list.write("size", IValue(static_cast<std::int64_t>(tensors.size())));
    for (std::size_t i = 0; i < tensors.size(); ++i) list.write(std::to_string(i), tensors[i]);
    write(key, list);
  } else {
    contents_->take(key);
    contents_->values.emplace_back(key, value);
  }
}

void OutputArchive::write(const std::string& key, const Variable& tensor, bool is_buffer) {
  contents_->take(key);
  TAPEDECK_CHECK(tensor.defined(), "save: tensor '", key, "' is undefined");
  contents_->tensors.push_back({key, tensor, !is_buffer && tensor.requires_grad()});
}

void OutputArchive::write(const std::string& key, OutputArchive& nested_archive) {
  TAPEDECK_CHECK(!key.empty(), "save: a key is empty");
  const ArchiveContents& nested = *nested_archive.contents_;
  if (nested.tensors.empty() && nested.values.empty() && nested.empty_archives.empty())
    contents_->empty_archives.push_back(key);
  const std::string prefix = key + ".";
  for (const std::string& name : nested.keys) contents_->take(prefix + name);
  for (const auto& t : nested.tensors)
    contents_->tensors.push_back({prefix + t.key, t.tensor, t.requires_grad});
  for (const auto& [name, value] : nested.values)
    contents_->values.emplace_back(prefix + name, value);
  for (const std::string& name : nested.empty_archives)
    contents_->empty_archives.push_back(prefix + name);
}

void OutputArchive::save_to(const std::string& filename) {
  write_file(filename, "save", [&](const ByteSink& sink) { write_archive(*contents_, sink); });
}

void OutputArchive::save_to(std::ostream& stream) {
  write_archive(*contents_, [&](const void* data, std::size_t size) {
    stream.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
    TAPEDECK_CHECK(stream.good(), "save: cannot write to the stream");
  });
  stream.flush();
  TAPEDECK_CHECK(stream.good(), "save: cannot write to the stream");
}

void OutputArchive::save_to(
    const std::function<std::size_t(const void* data, std::size_t size)>& writer) {
  write_archive(*contents_, [&](const void* data, std::size_t size) {
    const std::size_t taken = writer(data, size);
    TAPEDECK_CHECK(taken == size, "save: the writer function took ", taken, " of ", size, " bytes");
  });
}

// ---- loading ----

namespace {

// Grows with what arrives: a length that the source only claims allocates nothing.
class GrowingBytes {
 public:
  explicit GrowingBytes(std::string source) : source_(std::move(source)) {}

  /// Appends `size` bytes that `read(data, n)` gets, n of them or fewer at the end.
  template <typename Read>
  void append(std::uint64_t size, const Read& read) {
    while (size > 0) {
      const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(size, kStep));
      reserve(used_ + step);
      const std::size_t got = read(bytes_.data.get() + used_, step);
      used_ += std::min(got, step);
      TAPEDECK_CHECK(got == step, "load: ", source_, used_ == 0 ? " is empty" : " is truncated",
                     used_ == 0 ? "" : ": it ends after byte ",
                     used_ == 0 ? std::string() : std::to_string(used_));
      size -= step;
    }
  }
  const char* data() const { return bytes_.data.get(); }
  std::size_t size() const { return used_; }
  Bytes take() {
    bytes_.size = used_;
    return std::move(bytes_);
  }

 private:
  static constexpr std::size_t kStep = std::size_t{1} << 22;

  void reserve(std::size_t wanted) {
    if (wanted <= bytes_.size) return;
    Bytes larger;
    larger.size = std::max(wanted, bytes_.size * 2);
    larger.data = std::make_unique_for_overwrite<char[]>(larger.size);
    if (used_ > 0) std::memcpy(larger.data.get(), bytes_.data.get(), used_);
    bytes_ = std::move(larger);
  }

  std::string source_;
  Bytes bytes_;
  std::size_t used_ = 0;
};

void check_load_device(const std::optional<Device>& device) {
  if (device) check_device(*device, "load");
}

}  // namespace

void InputArchive::load_from(const std::string& filename, std::optional<Device> device) {
  check_load_device(device);
  reader_ = detail::read_archive(read_file(filename, "load"), "'" + filename + "'");
  prefix_.clear();
}

void InputArchive::load_from(std::istream& stream, std::optional<Device> device) {
  check_load_device(device);
  const std::string source = "the stream";
  const auto read = [&](char* data, std::size_t size) {
    stream.read(data, static_cast<std::streamsize>(size));
    return static_cast<std::size_t>(stream.gcount());
  };
  GrowingBytes bytes(source);
  bytes.append(8, read);
  bytes.append(detail::header_size(bytes.data(), source), read);
  const std::string_view text(bytes.data() + 8, bytes.size() - 8);
  TAPEDECK_CHECK(text[0] == '{', "load: ", source,
                 " does not hold a safetensors file: the header does not begin with '{'");
  bytes.append(parse_header(text, source).data_size, read);
  reader_ = detail::read_archive(bytes.take(), source);
  prefix_.clear();
}

void InputArchive::load_from(const char* data, std::size_t size, std::optional<Device> device) {
  check_load_device(device);
  Bytes bytes{std::make_unique_for_overwrite<char[]>(size), size};
  if (size > 0) std::memcpy(bytes.data.get(), data, size);
  reader_ = detail::read_archive(std::move(bytes), "the given memory");
  prefix_.clear();
}

void InputArchive::load_from(
    const std::function<std::size_t(std::uint64_t pos, void* buf, std::size_t nbytes)>& read_func,
    const std::function<std::size_t()>& size_func, std::optional<Device> device) {
  check_load_device(device);
  const std::string source = "the given source";
  GrowingBytes bytes(source);
  bytes.append(size_func(),
               [&](char* data, std::size_t size) { return read_func(bytes.size(), data, size); });
  reader_ = detail::read_archive(bytes.take(), source);
  prefix_.clear();
}

// ---- reading ----

namespace {

// The first few of a list, for messages.
std::string listed(const std::vector<std::string>& items, std::size_t most = 20) {
  std::string text;
  for (std::size_t i = 0; i < std::min(items.size(), most); ++i)
    text += (i == 0 ? "" : ", ") + items[i];
  if (items.size() > most) text += tapedeck::detail::str(", and ", items.size() - most, " more");
  return text;
}

bool has_prefix(const std::string& key, const std::string& prefix) {
  return key.compare(0, prefix.size(), prefix) == 0;
}

template <typename Map>
bool any_below(const Map& map, const std::string& prefix) {
  const auto first = map.lower_bound(prefix);
  return first != map.end() && has_prefix(first->first, prefix);
}

// Why the tensor cannot be put into `target`; empty if it can.
std::string mismatch(const std::string& key, const TensorEntry& entry, const Variable& target) {
  using tapedeck::detail::str;
  const Array& array = target.array();
  if (!(array.sizes() == entry.shape))
    return str(key, " has shape ", entry.shape.ref(), ", expected ", array.sizes().ref());
  if (array.dtype() != entry.dtype)
    return str(key, " has dtype ", entry.dtype, ", expected ", array.dtype());
  if (array.has_internal_overlap())
    return str(key, " would be read into an expanded tensor, whose elements are not its own");
  return {};
}

// What a load without a transaction stops at: the outermost part that the file has nothing of.
std::string first_missing(const ArchiveReader& r, const std::string& key) {
  for (std::size_t dot = key.find('.'); dot != std::string::npos; dot = key.find('.', dot + 1)) {
    const std::string prefix = key.substr(0, dot + 1);
    if (!any_below(r.tensors, prefix) && !any_below(r.values, prefix))
      return "No such serialized submodule: '" + key.substr(0, dot) + "'";
  }
  return "No such serialized tensor '" + key + "'";
}

}  // namespace

detail::ArchiveReader& InputArchive::reader() const {
  TAPEDECK_CHECK(reader_, "load: nothing was loaded into this archive; call load_from first");
  return *reader_;
}
const std::string& InputArchive::source() const { return reader().source; }
std::string InputArchive::full_key(const std::string& key) const { return prefix_ + key; }

bool InputArchive::try_read(const std::string& key, Variable& tensor, bool) {
  ArchiveReader& r = reader();
  const std::string name = full_key(key);
  const auto found = r.tensors.find(name);
  if (found == r.tensors.end()) return false;
  ArchiveReader::Tensor& t = found->second;
  t.was_read = true;
  if (!tensor.defined()) {
    tensor = r.make(t);
    return true;
  }
  std::string problem = mismatch(name, t.entry, tensor);
  if (r.in_transaction) {
    if (problem.empty())
      r.pending.emplace_back(tensor, &t);
    else
      r.mismatched.push_back(std::move(problem));
    return true;
  }
  TAPEDECK_CHECK(problem.empty(), "load: in ", r.source, " ", problem);
  r.copy_into(tensor, t);
  return true;
}

void InputArchive::read(const std::string& key, Variable& tensor, bool is_buffer) {
  if (try_read(key, tensor, is_buffer)) return;
  ArchiveReader& r = reader();
  if (r.in_transaction) {
    r.missing.push_back(full_key(key));
    return;
  }
  tapedeck::detail::fail(tapedeck::detail::str("load: no tensor '", full_key(key), "' in ",
                                               r.source, "; it holds ", listed(tensor_keys(), 8)));
}

bool InputArchive::try_read(const std::string& key, IValue& value) {
  ArchiveReader& r = reader();
  const std::string name = full_key(key);
  if (const auto found = r.values.find(name); found != r.values.end()) {
    value = found->second;
    return true;
  }
  Variable tensor;
  if (try_read(key, tensor)) {
    value = tensor;
    return true;
  }
  // A list of tensors is an archive with a size.
  const auto size = r.values.find(name + ".size");
  if (size == r.values.end() || !size->second.isInt()) return false;
  std::vector<Variable> list;
  while (static_cast<std::int64_t>(list.size()) < size->second.toInt() &&
         try_read(key + "." + std::to_string(list.size()), tensor))
    list.push_back(std::exchange(tensor, Variable()));
  if (static_cast<std::int64_t>(list.size()) != size->second.toInt()) return false;
  value = list;
  return true;
}

void InputArchive::read(const std::string& key, IValue& value) {
  TAPEDECK_CHECK(try_read(key, value), "load: ", reader().source,
                 " does not have a field with name '", full_key(key), "'");
}

bool InputArchive::try_read(const std::string& key, InputArchive& archive) {
  ArchiveReader& r = reader();
  const std::string name = full_key(key), prefix = name + ".";
  const bool there =
      any_below(r.tensors, prefix) || any_below(r.values, prefix) ||
      std::any_of(r.empty_archives.begin(), r.empty_archives.end(), [&](const std::string& empty) {
        return empty == name || has_prefix(empty, prefix);
      });
  if (!there) return false;
  archive.reader_ = reader_;
  archive.prefix_ = prefix;
  return true;
}

void InputArchive::read(const std::string& key, InputArchive& archive) {
  if (try_read(key, archive)) return;
  ArchiveReader& r = reader();
  // Inside a transaction what is missing is told tensor by tensor; a part without tensors is none.
  TAPEDECK_CHECK(r.in_transaction, "load: no archive '", full_key(key), "' in ", r.source);
  archive.reader_ = reader_;
  archive.prefix_ = full_key(key) + ".";
}

std::vector<std::string> InputArchive::keys() const {
  std::set<std::string> names;
  const auto add = [&](const std::string& key) {
    if (!has_prefix(key, prefix_)) return;
    const std::string rest = key.substr(prefix_.size());
    names.insert(rest.substr(0, rest.find('.')));
  };
  const ArchiveReader& r = reader();
  for (const auto& entry : r.tensors) add(entry.first);
  for (const auto& entry : r.values) add(entry.first);
  for (const std::string& name : r.empty_archives) add(name);
  return {names.begin(), names.end()};
}

std::vector<std::string> InputArchive::tensor_keys() const {
  std::vector<std::string> names;
  for (const auto& entry : reader().tensors)
    if (has_prefix(entry.first, prefix_)) names.push_back(entry.first.substr(prefix_.size()));
  return names;
}

void InputArchive::defer(std::function<void()> commit) {
  ArchiveReader& r = reader();
  if (r.in_transaction)
    r.deferred.push_back(std::move(commit));
  else
    commit();
}

// ---- all or nothing ----

LoadTransaction::LoadTransaction(InputArchive& archive)
    : reader_((archive.reader(), archive.reader_)),
      prefix_(archive.prefix_),
      outermost_(!reader_->in_transaction) {
  reader_->in_transaction = true;
}

LoadTransaction::~LoadTransaction() {
  if (!outermost_) return;
  reader_->in_transaction = false;
  reader_->missing.clear();
  reader_->mismatched.clear();
  reader_->pending.clear();
  reader_->deferred.clear();
}

void LoadTransaction::commit(bool allow_unread) {
  if (!outermost_) return;
  ArchiveReader& r = *reader_;
  std::vector<std::string> unexpected;
  for (const auto& [name, tensor] : r.tensors)
    if (!allow_unread && !tensor.was_read && has_prefix(name, prefix_)) unexpected.push_back(name);
  if (!r.missing.empty() || !r.mismatched.empty() || !unexpected.empty()) {
    std::string message = tapedeck::detail::str(
        "load: ", r.source, " does not fit what it is loaded into; nothing was changed");
    if (!r.missing.empty()) {
      message += "\n  missing keys: " + listed(r.missing);
      message += "\n  " + first_missing(r, r.missing.front());
    }
    if (!unexpected.empty()) message += "\n  unexpected keys: " + listed(unexpected);
    for (std::size_t i = 0; i < std::min<std::size_t>(r.mismatched.size(), 20); ++i)
      message += "\n  mismatch: " + r.mismatched[i];
    tapedeck::detail::fail(std::move(message));
  }
  for (const auto& [target, tensor] : r.pending) r.copy_into(target, *tensor);
  r.pending.clear();
  for (const std::function<void()>& change : r.deferred) change();
  r.deferred.clear();
}

}  // namespace serialize

serialize::OutputArchive& operator<<(serialize::OutputArchive& archive, const Variable& tensor) {
  archive.write("0", tensor);
  return archive;
}
serialize::InputArchive& operator>>(serialize::InputArchive& archive, Variable& tensor) {
  Variable read;
  archive.read("0", read);
  if (!tensor.defined() || !read.defined()) {
    tensor = read.defined() ? read : tensor;
    return archive;
  }
  const bool same = read.sizes() == tensor.sizes() && read.dtype() == tensor.dtype();
  TAPEDECK_CHECK(same || (tensor.is_leaf() && !tensor.is_view()), "load: in ", archive.source(),
                 " is a tensor of shape ", read.sizes(), " and dtype ", read.dtype(), ", expected ",
                 tensor.sizes(), " and ", tensor.dtype(),
                 ", for only a leaf that is no view can become another");
  archive.defer([tensor, read, same] {
    const NoGradGuard no_grad;
    if (same)
      tensor.copy_(read);
    else
      tensor.set_data(read);
  });
  return archive;
}

}  // namespace tapedeck
