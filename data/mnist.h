#pragma once

#include <string>

#include <tapedeck/data/dataset.h>
#include <tapedeck/data/image_data.h>

namespace tapedeck::data::datasets {

/// MNIST's digits: images float32 [1, 28, 28] of [0, 1], labels int64. The four IDX files, plain or
/// .gz, are looked for in `root`, root/MNIST/raw and root/raw.
/// \throws Error that names the file and says what is wrong with it.
class MNIST : public Dataset<MNIST> {
 public:
  enum class Mode { kTrain, kTest };

  explicit MNIST(const std::string& root, Mode mode = Mode::kTrain);

  Example<> get(std::size_t index) override;
  Example<> get_stacked(ArrayRef<std::size_t> indices) { return data_.get_stacked(indices); }
  std::optional<std::size_t> size() const override;
  bool is_train() const noexcept { return mode_ == Mode::kTrain; }
  /// All images [N, 1, 28, 28] and all labels [N].
  const Variable& images() const { return data_.images(); }
  const Variable& targets() const { return data_.targets(); }

 private:
  ImageData data_;
  Mode mode_;
};
extern template class Dataset<MNIST>;

/// Zalando's articles of clothing, in MNIST's format; also looked for in root/FashionMNIST/raw.
class FashionMNIST : public Dataset<FashionMNIST> {
 public:
  using Mode = MNIST::Mode;

  explicit FashionMNIST(const std::string& root, Mode mode = Mode::kTrain);

  Example<> get(std::size_t index) override;
  Example<> get_stacked(ArrayRef<std::size_t> indices) { return data_.get_stacked(indices); }
  std::optional<std::size_t> size() const override;
  bool is_train() const noexcept { return mode_ == Mode::kTrain; }
  const Variable& images() const { return data_.images(); }
  const Variable& targets() const { return data_.targets(); }

 private:
  ImageData data_;
  Mode mode_;
};
extern template class Dataset<FashionMNIST>;

}  // namespace tapedeck::data::datasets
