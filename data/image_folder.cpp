#include <tapedeck/data/image_folder.h>

#include <algorithm>
#include <filesystem>

#include <tapedeck/array/error.h>
#include <tapedeck/io/image.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/pixels.h>

namespace tapedeck::data::datasets {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> folders_in(const std::string& root) {
  std::error_code error;
  TAPEDECK_CHECK(fs::is_directory(root, error), "ImageFolder: there is no folder '", root, "'");
  std::vector<std::string> names;
  for (fs::directory_iterator i(root, error), end; !error && i != end; i.increment(error))
    if (i->is_directory(error)) names.push_back(i->path().filename().string());
  TAPEDECK_CHECK(!names.empty(), "ImageFolder: '", root,
                 "' has no folders in it; expected one for each class");
  std::sort(names.begin(), names.end());
  return names;
}

bool is_picture(const fs::path& path) {
  std::string end = path.extension().string();
  for (char& c : end) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return end == ".png";
}

std::vector<std::string> pictures_in(const fs::path& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::recursive_directory_iterator i(folder, error), end; !error && i != end;
       i.increment(error))
    if (i->is_regular_file(error) && is_picture(i->path())) files.push_back(i->path().string());
  TAPEDECK_CHECK(!files.empty(), "ImageFolder: no .png file in '", folder.string(), "'");
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

ImageFolder::ImageFolder(const std::string& root) {
  Index index;
  index.classes = folders_in(root);
  for (std::size_t k = 0; k < index.classes.size(); ++k)
    for (std::string& file : pictures_in(fs::path(root) / index.classes[k]))
      index.samples.emplace_back(std::move(file), static_cast<std::int64_t>(k));
  index_ = std::make_shared<const Index>(std::move(index));
}

Example<> ImageFolder::get(std::size_t index) {
  TAPEDECK_CHECK_AS(IndexError, index < index_->samples.size(), "ImageFolder: index ", index,
                    " of ", index_->samples.size(), " pictures");
  const auto& [path, label] = index_->samples[index];
  Array pixels = io::read_image(path).array();
  const bool grey = pixels.size(0) < 3;
  pixels = pixels.slice(0, 0, grey ? 1 : 3, 1);
  if (grey) pixels = pixels.expand({3, pixels.size(1), pixels.size(2)});
  pixels = kernels::contiguous(pixels);
  Array image = Array::empty(pixels.sizes(), kFloat32);
  kernels::pixels_to_float(pixels.data<std::uint8_t>(), image.data<float>(), image.numel());
  return {Variable(std::move(image)), Variable(kernels::full({}, label, kInt64))};
}

std::optional<std::size_t> ImageFolder::size() const { return index_->samples.size(); }
template class Dataset<ImageFolder>;

}  // namespace tapedeck::data::datasets
