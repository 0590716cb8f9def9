#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <tapedeck/data/dataset.h>

namespace tapedeck::data::datasets {

/// Pictures in one folder for each class: root/dog/1.png, root/cat/sub/2.png. Classes are numbered
/// in the order of their names, and files come in that of their paths. An example is the picture as
/// float32 [3, H, W] of [0, 1] (grey becomes three channels, alpha is dropped) and its class,
/// int64. torchvision's ImageFolder, for PNG files; they are read when they are asked for. \throws
/// Error where there is no folder, no class in it, or no picture in a class.
class ImageFolder : public Dataset<ImageFolder> {
 public:
  explicit ImageFolder(const std::string& root);

  /// \throws Error that names a file that cannot be read.
  Example<> get(std::size_t index) override;
  std::optional<std::size_t> size() const override;
  const std::vector<std::string>& classes() const { return index_->classes; }
  /// Path and class of every picture.
  const std::vector<std::pair<std::string, std::int64_t>>& samples() const {
    return index_->samples;
  }

 private:
  struct Index {
    std::vector<std::string> classes;
    std::vector<std::pair<std::string, std::int64_t>> samples;
  };
  std::shared_ptr<const Index> index_;
};
extern template class Dataset<ImageFolder>;

}  // namespace tapedeck::data::datasets
