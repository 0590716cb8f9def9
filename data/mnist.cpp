#include <tapedeck/data/mnist.h>

#include <filesystem>

#include <tapedeck/array/error.h>
#include <tapedeck/data/idx.h>

namespace tapedeck::data::datasets {

namespace {

namespace fs = std::filesystem;

// "train-images-idx3-ubyte" under the spellings in use.
std::string find_file(const std::string& root, const std::vector<std::string>& folders,
                      const std::string& stem, const std::string& kind, const char* name) {
  std::error_code ignored;
  TAPEDECK_CHECK(fs::exists(root, ignored), name, ": there is no folder '", root, "'");
  TAPEDECK_CHECK(fs::is_directory(root, ignored), name, ": '", root, "' is not a folder");
  std::string searched;
  for (const std::string& folder : folders) {
    const fs::path path = folder.empty() ? fs::path(root) : fs::path(root) / folder;
    for (const char* joint : {"-", "."})
      for (const char* end : {"", ".gz"}) {
        const fs::path file = path / (stem + joint + kind + end);
        if (fs::is_regular_file(file, ignored)) return file.string();
      }
    searched += (searched.empty() ? "'" : ", '") + path.string() + "'";
  }
  tapedeck::detail::fail(
      tapedeck::detail::str(name, ": ", stem, "-", kind, " (or .gz) is in none of ", searched));
}

ImageData load(const std::string& root, const std::vector<std::string>& folders, bool train,
               const char* name) {
  const std::string prefix = train ? "train" : "t10k";
  const std::string images_path = find_file(root, folders, prefix + "-images", "idx3-ubyte", name);
  const std::string labels_path = find_file(root, folders, prefix + "-labels", "idx1-ubyte", name);
  const Variable images = read_idx(images_path), labels = read_idx(labels_path);
  TAPEDECK_CHECK(
      images.dtype() == kUInt8 && images.dim() == 3 && images.size(1) == 28 && images.size(2) == 28,
      name, ": '", images_path, "' holds shape ", images.sizes(), " of ", images.dtype(),
      ", expected images [N, 28, 28] of Byte");
  TAPEDECK_CHECK(labels.dtype() == kUInt8 && labels.dim() == 1, name, ": '", labels_path,
                 "' holds shape ", labels.sizes(), " of ", labels.dtype(),
                 ", expected labels [N] of Byte");
  TAPEDECK_CHECK(images.size(0) == labels.size(0), name, ": '", images_path, "' holds ",
                 images.size(0), " images, but '", labels_path, "' ", labels.size(0), " labels");
  const Variable pixels(images.array().view({images.size(0), 1, 28, 28}));
  return ImageData(pixels, labels, 10, tapedeck::detail::str(name, ": '", labels_path, "'"));
}

}  // namespace

MNIST::MNIST(const std::string& root, Mode mode)
    : ImageDataset(load(root, {"", "MNIST/raw", "raw"}, mode == Mode::kTrain, "MNIST"), mode) {}

FashionMNIST::FashionMNIST(const std::string& root, Mode mode)
    : ImageDataset(
          load(root, {"", "FashionMNIST/raw", "raw"}, mode == Mode::kTrain, "FashionMNIST"), mode) {
}

template class Dataset<MNIST>;
template class Dataset<FashionMNIST>;

}  // namespace tapedeck::data::datasets
