#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tapedeck/array/dim_vector.h>
#include <tapedeck/array/dtype.h>

// The safetensors layout: u64 header length, JSON header, elements, all little-endian. The header
// maps each tensor's name to its dtype, shape and range of bytes behind the header, and
// `__metadata__` to a map of strings. The ranges cover the data without holes or overlaps.
// Definition: the format section of the README of huggingface/safetensors.

namespace tapedeck::serialize {

struct TensorEntry {
  std::string name;
  ScalarType dtype = ScalarType::Undefined;
  DimVector shape;
  std::uint64_t begin = 0;  ///< bytes from the start of the data
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<TensorEntry> tensors;
  std::vector<std::pair<std::string, std::string>> metadata;
  /// Bytes of data that the tensors cover.
  std::uint64_t data_size = 0;
};

/// The longest header that is read, as in the reference implementation.
inline constexpr std::uint64_t kMaxHeaderSize = 100'000'000;

/// Reads and checks the JSON text of a header. \throws Error that names `source` and the defect.
SafetensorsHeader parse_header(std::string_view text, const std::string& source);

/// The JSON text, padded by spaces to a multiple of eight bytes. \throws Error for a name or a
/// value that is not UTF-8.
std::string format_header(const SafetensorsHeader& header);

}  // namespace tapedeck::serialize
