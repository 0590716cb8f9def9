#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tapedeck::data {

/// The whole of a file, inflated if gzip compressed it, but no more than `limit` bytes: a longer
/// content is cut there. \throws Error that begins with `op` and names the file.
std::vector<unsigned char> read_maybe_compressed(const std::string& path, std::size_t limit,
                                                 const char* op);

}  // namespace tapedeck::data
