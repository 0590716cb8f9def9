#pragma once

#include <cstdint>
#include <string>

#include <tapedeck/array/error.h>
#include <tapedeck/serialize/archive.h>

namespace tapedeck::data::samplers {

inline void write_position(serialize::OutputArchive& archive, const char* key, std::int64_t value) {
  archive.write(key, IValue(value));
}

/// \throws Error unless it is of [0, end].
inline std::int64_t read_position(serialize::InputArchive& archive, const char* key,
                                  std::int64_t end) {
  IValue value;
  archive.read(key, value);
  TAPEDECK_CHECK(value.toInt() >= 0 && value.toInt() <= end, "load: the sampler's ", key, " is ",
                 value.toInt(), ", expected 0 to ", end);
  return value.toInt();
}

/// \throws Error unless it is a list of integers.
inline void check_indices(const Variable& indices) {
  TAPEDECK_CHECK(indices.dim() == 1 && is_integral(indices.dtype(), /*include_bool=*/false),
                 "load: the sampler's indices have shape ", indices.sizes(), " and dtype ",
                 indices.dtype(), ", expected one dimension of integers");
}

}  // namespace tapedeck::data::samplers
