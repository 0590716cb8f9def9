#include <tapedeck/data/internal/gz_file.h>

#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include <tapedeck/array/error.h>

namespace tapedeck::data {

std::vector<unsigned char> read_maybe_compressed(const std::string& path, std::size_t limit,
                                                 const char* op) {
  struct stat info;
  TAPEDECK_CHECK(::stat(path.c_str(), &info) == 0, op, ": cannot open '", path,
                 "': ", std::strerror(errno));
  TAPEDECK_CHECK(!S_ISDIR(info.st_mode), op, ": '", path, "' is a directory");
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(::gzopen(path.c_str(), "rb"), ::gzclose);
  TAPEDECK_CHECK(file, op, ": cannot open '", path, "': ", std::strerror(errno));
  ::gzbuffer(file.get(), 1 << 18);

  // Grows with what is there, whatever the file claims.
  std::vector<unsigned char> bytes;
  std::size_t step = std::max<std::size_t>(static_cast<std::size_t>(info.st_size), 1 << 16);
  while (bytes.size() < limit) {
    step = std::min({step, limit - bytes.size(), std::size_t{1} << 24});
    const std::size_t used = bytes.size();
    bytes.resize(used + step);
    const int got = ::gzread(file.get(), bytes.data() + used, static_cast<unsigned>(step));
    int code = Z_OK;
    const char* message = ::gzerror(file.get(), &code);
    TAPEDECK_CHECK(got >= 0 && (code == Z_OK || code == Z_STREAM_END), op, ": '", path,
                   "' is damaged or truncated: ", code == Z_ERRNO ? std::strerror(errno) : message);
    bytes.resize(used + static_cast<std::size_t>(got));
    if (static_cast<std::size_t>(got) < step) break;
  }
  return bytes;
}

}  // namespace tapedeck::data
