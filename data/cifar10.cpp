#include <tapedeck/data/cifar10.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include <tapedeck/array/error.h>
#include <tapedeck/serialize/internal/file.h>

namespace tapedeck::data::datasets {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kImageBytes = 3 * 32 * 32, kRecordBytes = 1 + kImageBytes;

std::vector<std::string> find_files(const std::string& root, const std::string& prefix) {
  std::error_code error;
  TAPEDECK_CHECK(fs::is_directory(root, error), "CIFAR10: there is no folder '", root, "'");
  for (const fs::path& folder : {fs::path(root), fs::path(root) / "cifar-10-batches-bin"}) {
    std::vector<std::string> files;
    for (fs::directory_iterator i(folder, error), end; !error && i != end; i.increment(error)) {
      const std::string name = i->path().filename().string();
      if (name.rfind(prefix, 0) == 0 && i->path().extension() == ".bin")
        files.push_back(i->path().string());
    }
    std::sort(files.begin(), files.end());
    if (!files.empty()) return files;
  }
  tapedeck::detail::fail(tapedeck::detail::str("CIFAR10: no ", prefix, "*.bin in '", root, "' or '",
                                               root, "/cifar-10-batches-bin'"));
}

ImageData load(const std::string& root, bool train) {
  std::vector<serialize::Bytes> parts;
  std::int64_t records = 0;
  for (const std::string& file : find_files(root, train ? "data_batch_" : "test_batch")) {
    parts.push_back(serialize::read_file(file, "CIFAR10"));
    const std::size_t size = parts.back().size;
    TAPEDECK_CHECK(size > 0 && size % kRecordBytes == 0, "CIFAR10: '", file, "' has ", size,
                   " bytes, which is no whole number of records of ", kRecordBytes);
    for (std::size_t i = 0; i < size; i += kRecordBytes)
      TAPEDECK_CHECK(static_cast<unsigned char>(parts.back().data[i]) < 10, "CIFAR10: record ",
                     i / kRecordBytes, " of '", file, "' has label ",
                     static_cast<int>(static_cast<unsigned char>(parts.back().data[i])),
                     ", expected 0 to 9");
    records += static_cast<std::int64_t>(size / kRecordBytes);
  }
  Array pixels = Array::empty({records, 3, 32, 32}, kUInt8),
        labels = Array::empty({records}, kUInt8);
  auto* pixel = pixels.data<std::uint8_t>();
  auto* label = labels.data<std::uint8_t>();
  for (const serialize::Bytes& part : parts)
    for (std::size_t i = 0; i < part.size; i += kRecordBytes, pixel += kImageBytes) {
      *label++ = static_cast<std::uint8_t>(part.data[i]);
      std::memcpy(pixel, part.data.get() + i + 1, kImageBytes);
    }
  return ImageData(Variable(pixels), Variable(labels), 10, "CIFAR10");
}

}  // namespace

CIFAR10::CIFAR10(const std::string& root, Mode mode)
    : ImageDataset(load(root, mode == Mode::kTrain), mode) {}

const std::vector<std::string>& CIFAR10::classes() {
  static const std::vector<std::string> names{"airplane", "automobile", "bird",  "cat",  "deer",
                                              "dog",      "frog",       "horse", "ship", "truck"};
  return names;
}

template class Dataset<CIFAR10>;

}  // namespace tapedeck::data::datasets
