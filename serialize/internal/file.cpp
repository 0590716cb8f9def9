#include <tapedeck/serialize/internal/file.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <tapedeck/array/error.h>

namespace tapedeck::serialize {

namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() { close(); }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  bool close() {
    const int fd = std::exchange(fd_, -1);
    return fd < 0 || ::close(fd) == 0;
  }

 private:
  int fd_;
};

// Longer requests are refused or cut short by some systems.
constexpr std::size_t kMaxTransfer = std::size_t{1} << 30;

void write_all(int fd, const void* data, std::size_t size, const char* op,
               const std::string& path) {
  const char* p = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::write(fd, p, std::min(size, kMaxTransfer));
    if (n < 0 && errno == EINTR) continue;
    TAPEDECK_CHECK(n > 0, op, ": cannot write '", path, "': ", std::strerror(errno));
    p += n;
    size -= static_cast<std::size_t>(n);
  }
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Where a link points: renaming onto a link would replace the link.
std::string resolved(const std::string& path) {
  char* real = ::realpath(path.c_str(), nullptr);
  if (!real) return path;
  std::string result(real);
  std::free(real);
  return result;
}

std::string temporary_name(const std::string& path) {
  static std::atomic<unsigned> counter{0};
  return detail::str(path, ".", ::getpid(), ".", counter++, ".tmp");
}

}  // namespace

Bytes read_file(const std::string& path, const char* op) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  TAPEDECK_CHECK(fd.valid(), op, ": cannot open '", path, "': ", std::strerror(errno));
  struct stat info;
  TAPEDECK_CHECK(::fstat(fd.get(), &info) == 0, op, ": cannot read '", path,
                 "': ", std::strerror(errno));
  TAPEDECK_CHECK(!S_ISDIR(info.st_mode), op, ": '", path, "' is a directory");
  TAPEDECK_CHECK(S_ISREG(info.st_mode), op, ": '", path, "' is not a regular file");
  Bytes bytes;
  bytes.size = static_cast<std::size_t>(info.st_size);
  bytes.data = std::make_unique_for_overwrite<char[]>(bytes.size);
  std::size_t done = 0;
  while (done < bytes.size) {
    const ssize_t n =
        ::read(fd.get(), bytes.data.get() + done, std::min(bytes.size - done, kMaxTransfer));
    if (n < 0 && errno == EINTR) continue;
    TAPEDECK_CHECK(n >= 0, op, ": cannot read '", path, "': ", std::strerror(errno));
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  bytes.size = done;
  return bytes;
}

void write_file(const std::string& path, const char* op,
                const std::function<void(const ByteSink&)>& body) {
  TAPEDECK_CHECK(!path.empty(), op, ": the path is empty");
  const std::string target = resolved(path);
  struct stat info;
  const bool exists = ::stat(target.c_str(), &info) == 0;
  TAPEDECK_CHECK(!exists || !S_ISDIR(info.st_mode), op, ": '", path, "' is a directory");

  // A pipe or a device is written to, not replaced.
  const bool direct = exists && !S_ISREG(info.st_mode);
  const std::string name = direct ? target : temporary_name(target);
  const int flags = direct ? O_WRONLY | O_CLOEXEC : O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  FileDescriptor fd(::open(name.c_str(), flags, 0666));
  TAPEDECK_CHECK(fd.valid(), op, ": cannot write '", path, "': ", std::strerror(errno));
  const ByteSink sink = [&](const void* data, std::size_t size) {
    write_all(fd.get(), data, size, op, path);
  };
  if (direct) {
    body(sink);
    return;
  }
  try {
    body(sink);
    if (exists) static_cast<void>(::fchmod(fd.get(), info.st_mode & 07777));
    TAPEDECK_CHECK(::fsync(fd.get()) == 0 && fd.close(), op, ": cannot write '", path,
                   "': ", std::strerror(errno));
    TAPEDECK_CHECK(::rename(name.c_str(), target.c_str()) == 0, op, ": cannot write '", path,
                   "': ", std::strerror(errno));
  } catch (...) {
    ::unlink(name.c_str());
    throw;
  }
  // The new name itself reaches the disk with its folder; not every file system can be asked to.
  FileDescriptor folder(::open(folder_of(target).c_str(), O_RDONLY | O_CLOEXEC));
  if (folder.valid()) static_cast<void>(::fsync(folder.get()));
}

}  // namespace tapedeck::serialize
