#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include <tapedeck/data/dataset.h>
#include <tapedeck/data/image_data.h>

namespace tapedeck::data::datasets {

/// Which of a data set's two parts.
enum class ImageDatasetMode { kTrain, kTest };

/// A published set of labelled images, held in memory: images float32 of [0, 1], labels int64.
template <typename Self>
class ImageDataset : public Dataset<Self> {
 public:
  using Mode = ImageDatasetMode;

  Example<> get(std::size_t index) override { return data_.get(index); }
  Example<> get_stacked(ArrayRef<std::size_t> indices) { return data_.get_stacked(indices); }
  std::optional<std::size_t> size() const override { return data_.size(); }
  bool is_train() const noexcept { return mode_ == Mode::kTrain; }
  /// All images [N, C, H, W].
  const Variable& images() const { return data_.images(); }
  /// All labels [N].
  const Variable& targets() const { return data_.targets(); }

 protected:
  ImageDataset(ImageData data, Mode mode) : data_(std::move(data)), mode_(mode) {}

 private:
  ImageData data_;
  Mode mode_;
};

}  // namespace tapedeck::data::datasets
