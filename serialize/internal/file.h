#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace tapedeck::serialize {

/// Bytes in memory.
struct Bytes {
  std::unique_ptr<char[]> data;
  std::size_t size = 0;
};

/// The whole of a regular file. \throws Error that begins with `op` and names the file.
Bytes read_file(const std::string& path, const char* op);

/// Takes bytes; throws if it cannot.
using ByteSink = std::function<void(const void* data, std::size_t size)>;

/// Writes a file that is either complete or not there: `body` writes to a temporary file in the
/// same folder, which is brought to the disk and renamed to `path`. On any error, and if the
/// process is killed, the old file stays as it was. \throws Error that begins with `op` and names
/// the file.
void write_file(const std::string& path, const char* op,
                const std::function<void(const ByteSink&)>& body);

}  // namespace tapedeck::serialize
