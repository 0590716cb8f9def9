#include <tapedeck/data/idx.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include <tapedeck/data/internal/gz_file.h>

namespace tapedeck::data {

namespace {

std::uint32_t big_endian(const unsigned char* p) {
  return std::uint32_t{p[0]} << 24 | std::uint32_t{p[1]} << 16 | std::uint32_t{p[2]} << 8 | p[3];
}

ScalarType element_type(unsigned char code, const std::string& path) {
  switch (code) {
    case 0x08:
      return kUInt8;
    case 0x0C:
      return kInt32;
    case 0x0D:
      return kFloat32;
    case 0x0E:
      return kFloat64;
    default:
      break;
  }
  tapedeck::detail::fail(tapedeck::detail::str(
      "read_idx: '", path, "' has elements of type code ", static_cast<int>(code),
      "; 8 (uint8), 12 (int32), 13 (float32) and 14 (float64) can be read"));
}

}  // namespace

Variable read_idx(const std::string& path) {
  // A first look at the header says how long the file has to be.
  std::vector<unsigned char> bytes = read_maybe_compressed(path, 4, "read_idx");
  TAPEDECK_CHECK(bytes.size() == 4, "read_idx: '", path, "' is ",
                 bytes.empty() ? "empty" : "truncated: not even its header is complete");
  TAPEDECK_CHECK(bytes[0] == 0 && bytes[1] == 0, "read_idx: '", path,
                 "' is not an IDX file: its magic number is ", big_endian(bytes.data()));
  const ScalarType dtype = element_type(bytes[2], path);
  const std::size_t dims = bytes[3], header = 4 + 4 * dims;
  TAPEDECK_CHECK(dims <= kMaxDims, "read_idx: '", path, "' has ", dims, " dimensions, more than ",
                 kMaxDims);
  bytes = read_maybe_compressed(path, header, "read_idx");
  TAPEDECK_CHECK(bytes.size() == header, "read_idx: '", path,
                 "' is truncated: not even its header is complete");
  DimVector sizes;
  std::size_t elements = 1;
  bool overflow = false;
  for (std::size_t i = 0; i < dims; ++i) {
    const std::uint32_t size = big_endian(bytes.data() + 4 + 4 * i);
    sizes.push_back(size);
    overflow = overflow || __builtin_mul_overflow(elements, std::size_t{size}, &elements);
  }
  const auto width = static_cast<std::size_t>(element_size(dtype));
  std::size_t length = 0;
  overflow = overflow || __builtin_mul_overflow(elements, width, &length) ||
             length > static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max()) - header;
  TAPEDECK_CHECK(!overflow, "read_idx: '", path, "' claims an impossible shape ", sizes.ref());

  bytes = read_maybe_compressed(path, header + length + 1, "read_idx");
  TAPEDECK_CHECK(bytes.size() >= header + length, "read_idx: '", path, "' is truncated: shape ",
                 sizes.ref(), " takes ", length, " bytes, but only ", bytes.size() - header,
                 " are there");
  TAPEDECK_CHECK(bytes.size() == header + length, "read_idx: '", path,
                 "' is longer than its shape ", sizes.ref(), " says");

  Array array = Array::empty(sizes, dtype);
  auto* out = static_cast<unsigned char*>(array.raw());
  if (length > 0) std::memcpy(out, bytes.data() + header, length);
  if (width > 1)
    for (std::size_t i = 0; i < elements; ++i) std::reverse(out + i * width, out + (i + 1) * width);
  return Variable(std::move(array));
}

}  // namespace tapedeck::data
