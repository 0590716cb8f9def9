#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>

#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/serialize/internal/archive_contents.h>
#include <tapedeck/serialize/internal/metadata.h>

// Beside the tensors, the metadata holds:
//   tapedeck.format         version of this convention; what follows is read only where it stands
//   <key>                   a value as JSON text
//   tapedeck.crc32          checksums of the tensors' bytes, in the order of their offsets
//   tapedeck.header_crc32   checksum of the header, taken with this field's digits as zeros
//   tapedeck.requires_grad  names of the tensors that are parameters
//   tapedeck.archives       nested archives that hold nothing
namespace tapedeck::serialize::detail {

static_assert(std::endian::native == std::endian::little, "the file format is little-endian");

namespace {

constexpr char kFormat[] = "tapedeck.format";
constexpr char kCrc[] = "tapedeck.crc32";
constexpr char kHeaderCrc[] = "tapedeck.header_crc32";
constexpr char kRequiresGrad[] = "tapedeck.requires_grad";
constexpr char kArchives[] = "tapedeck.archives";
constexpr char kHeaderCrcField[] = "\"tapedeck.header_crc32\":\"";
constexpr char kNoCrc[] = "00000000";

bool is_reserved(const std::string& key) { return key.rfind("tapedeck.", 0) == 0; }

std::string crc_text(const void* data, std::size_t size) {
  const uLong crc = ::crc32_z(0, static_cast<const Bytef*>(data), size);
  char text[9];
  std::snprintf(text, sizeof text, "%08lx", crc);
  return text;
}

// The header's own checksum, taken as if its field said zero.
std::string header_crc(std::string text, std::size_t field) {
  text.replace(field, 8, kNoCrc);
  return crc_text(text.data(), text.size());
}

const std::string* find(const SafetensorsHeader& header, const char* key) {
  for (const auto& [name, value] : header.metadata)
    if (name == key) return &value;
  return nullptr;
}

// Checksums, and the values and marks of our own convention.
void read_metadata(ArchiveReader& reader, const SafetensorsHeader& header,
                   const std::string& text) {
  const std::string& source = reader.source;
  const bool ours = std::any_of(header.metadata.begin(), header.metadata.end(),
                                [](const auto& entry) { return is_reserved(entry.first); });
  if (!ours) {
    for (const auto& [key, value] : header.metadata) reader.values.emplace(key, value);
    return;
  }
  const std::size_t field = text.find(kHeaderCrcField);
  const std::string* crcs = find(header, kCrc);
  TAPEDECK_CHECK(crcs && find(header, kFormat) && field != std::string::npos,
                 "load: the header of ", source, " is damaged: its checksums are missing");
  const std::size_t digits = field + sizeof kHeaderCrcField - 1;
  TAPEDECK_CHECK(digits + 8 <= text.size() && text.substr(digits, 8) == header_crc(text, digits),
                 "load: the header of ", source, " is damaged: its checksum does not match");

  bool ok = true;
  const std::vector<std::string> sums = decode_strings(*crcs, ok);
  TAPEDECK_CHECK(ok && sums.size() == header.tensors.size(), "load: the header of ", source,
                 " is damaged: it has ", sums.size(), " checksums for ", header.tensors.size(),
                 " tensors");
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const TensorEntry& t = header.tensors[i];
    TAPEDECK_CHECK(crc_text(reader.data + t.begin, t.end - t.begin) == sums[i], "load: tensor '",
                   t.name, "' in ", source, " is damaged: its checksum does not match");
  }
  for (const auto& [key, value] : header.metadata) {
    ok = true;
    if (key == kRequiresGrad) {
      for (const std::string& name : decode_strings(value, ok))
        if (const auto t = reader.tensors.find(name); t != reader.tensors.end())
          t->second.requires_grad = is_floating_point(t->second.entry.dtype);
    } else if (key == kArchives) {
      reader.empty_archives = decode_strings(value, ok);
    } else if (!is_reserved(key)) {
      reader.values.emplace(key, decode_value(value, ok));
    }
    TAPEDECK_CHECK(ok, "load: the header of ", source, " is damaged: value '", key,
                   "' cannot be read");
  }
}

}  // namespace

Variable ArchiveReader::make(const Tensor& t) const {
  Array array = Array::empty(t.entry.shape, t.entry.dtype);
  if (t.entry.end > t.entry.begin)
    std::memcpy(array.raw(), data + t.entry.begin, t.entry.end - t.entry.begin);
  Variable tensor(std::move(array));
  if (t.requires_grad) tensor.set_requires_grad(true);
  return tensor;
}

void ArchiveReader::copy_into(const Variable& target, const Tensor& t) const {
  Array array = target.array();
  if (array.numel() == 0) return;
  if (array.is_contiguous())
    std::memcpy(array.raw(), data + t.entry.begin, t.entry.end - t.entry.begin);
  else
    kernels::copy(make(t).array(), array);
  array.storage()->bump_version();
}

void write_archive(const ArchiveContents& contents, const ByteSink& sink) {
  struct Part {
    const ArchiveContents::Tensor* source;
    Array array;
  };
  std::vector<Part> parts;
  for (const auto& t : contents.tensors)
    parts.push_back({&t, kernels::contiguous(t.tensor.array())});
  // Widest elements first: every tensor is then aligned in the file.
  std::stable_sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) {
    return element_size(a.array.dtype()) > element_size(b.array.dtype());
  });

  SafetensorsHeader header;
  std::vector<std::string> sums, parameters;
  for (const Part& part : parts) {
    const Array& a = part.array;
    const auto bytes = static_cast<std::uint64_t>(a.nbytes());
    header.tensors.push_back(
        {part.source->key, a.dtype(), a.sizes(), header.data_size, header.data_size + bytes});
    header.data_size += bytes;
    sums.push_back(crc_text(bytes ? a.raw() : nullptr, bytes));
    if (part.source->requires_grad) parameters.push_back(part.source->key);
  }
  auto& metadata = header.metadata;
  metadata.emplace_back(kFormat, "1");
  metadata.emplace_back(kCrc, encode_strings(sums));
  metadata.emplace_back(kHeaderCrc, kNoCrc);
  if (!parameters.empty()) metadata.emplace_back(kRequiresGrad, encode_strings(parameters));
  if (!contents.empty_archives.empty())
    metadata.emplace_back(kArchives, encode_strings(contents.empty_archives));
  for (const auto& [key, value] : contents.values) {
    TAPEDECK_CHECK(!is_reserved(key), "save: the key '", key, "' is reserved");
    metadata.emplace_back(key, encode_value(value));
  }

  std::string text = format_header(header);
  TAPEDECK_CHECK(text.size() <= kMaxHeaderSize, "save: the names and values take ", text.size(),
                 " bytes, more than a file can have (", kMaxHeaderSize, ")");
  const std::size_t digits = text.find(kHeaderCrcField) + sizeof kHeaderCrcField - 1;
  text.replace(digits, 8, header_crc(text, digits));

  const std::uint64_t length = text.size();
  sink(&length, sizeof length);
  sink(text.data(), text.size());
  for (const Part& part : parts)
    if (part.array.nbytes() > 0)
      sink(part.array.raw(), static_cast<std::size_t>(part.array.nbytes()));
}

std::uint64_t header_size(const char* first_eight, const std::string& source) {
  std::uint64_t length = 0;
  std::memcpy(&length, first_eight, sizeof length);
  TAPEDECK_CHECK(std::memcmp(first_eight, "PK\x03\x04", 4) != 0, "load: ", source,
                 " is a zip archive, as PyTorch's own torch.save writes; expected a safetensors "
                 "file");
  // Protocol 2 and a long integer: the magic number of torch.save before PyTorch 1.6.
  TAPEDECK_CHECK(std::memcmp(first_eight, "\x80\x02\x8a", 3) != 0, "load: ", source,
                 " is a pickle, as PyTorch's torch.save wrote before 1.6; expected a safetensors "
                 "file");
  TAPEDECK_CHECK(length >= 2 && length <= kMaxHeaderSize, "load: ", source,
                 " is not a safetensors file: its header would have ", length, " bytes");
  return length;
}

std::shared_ptr<ArchiveReader> read_archive(Bytes bytes, std::string source) {
  TAPEDECK_CHECK(bytes.size > 0, "load: ", source, " is empty");
  TAPEDECK_CHECK(bytes.size >= 8, "load: ", source, " is truncated: it has ", bytes.size,
                 " bytes, and a safetensors file at least 10");
  const std::uint64_t length = header_size(bytes.data.get(), source);
  TAPEDECK_CHECK(length <= bytes.size - 8, "load: ", source,
                 " is truncated or not a safetensors file: its header would have ", length,
                 " bytes, but only ", bytes.size - 8, " are there");
  const std::string text(bytes.data.get() + 8, length);
  TAPEDECK_CHECK(text[0] == '{', "load: ", source,
                 " is not a safetensors file: its header does not begin with '{'");
  SafetensorsHeader header = parse_header(text, source);
  const std::uint64_t data_size = bytes.size - 8 - length;
  TAPEDECK_CHECK(data_size >= header.data_size, "load: ", source,
                 " is truncated: its tensors take ", header.data_size, " bytes, but only ",
                 data_size, " are there");
  TAPEDECK_CHECK(data_size == header.data_size, "load: ", source,
                 " is damaged: ", data_size - header.data_size, " bytes follow its last tensor");

  auto reader = std::make_shared<ArchiveReader>();
  reader->source = std::move(source);
  reader->bytes = std::move(bytes);
  reader->data = reader->bytes.data.get() + 8 + length;
  for (const TensorEntry& t : header.tensors) {
    if (t.dtype == kBool)
      for (std::uint64_t i = t.begin; i < t.end; ++i)
        TAPEDECK_CHECK(static_cast<unsigned char>(reader->data[i]) <= 1, "load: tensor '", t.name,
                       "' in ", reader->source, " is damaged: a bool is neither 0 nor 1");
    reader->tensors[t.name].entry = t;
  }
  read_metadata(*reader, header, text);
  return reader;
}

}  // namespace tapedeck::serialize::detail
