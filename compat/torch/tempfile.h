#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include <tapedeck/array/error.h>

// libtorch's temporary files, as its programs and tests make them.
namespace tapedeck {

/// An open file that is removed when its owner goes away.
struct TempFile {
  TempFile(std::string path, int descriptor) : fd(descriptor), name(std::move(path)) {}
  TempFile(TempFile&& other) noexcept
      : fd(std::exchange(other.fd, -1)), name(std::move(other.name)) {}
  TempFile& operator=(TempFile&& other) noexcept {
    std::swap(fd, other.fd);
    std::swap(name, other.name);
    return *this;
  }
  ~TempFile() {
    if (fd < 0) return;
    ::unlink(name.c_str());
    ::close(fd);
  }

  int fd;
  std::string name;
};

/// A new empty file in the folder of $TMPDIR (or /tmp), or nothing where none can be made.
inline std::optional<TempFile> try_make_tempfile(const std::string& name_prefix = "torch-file-") {
  const char* folder = std::getenv("TMPDIR");
  std::string name = std::string(folder ? folder : "/tmp") + "/" + name_prefix + "XXXXXX";
  const int fd = ::mkstemp(name.data());
  if (fd < 0) return std::nullopt;
  return TempFile(std::move(name), fd);
}

/// As try_make_tempfile. \throws Error where none can be made.
inline TempFile make_tempfile(const std::string& name_prefix = "torch-file-") {
  std::optional<TempFile> file = try_make_tempfile(name_prefix);
  TAPEDECK_CHECK(file, "make_tempfile: cannot make a temporary file: ", std::strerror(errno));
  return std::move(*file);
}

}  // namespace tapedeck
