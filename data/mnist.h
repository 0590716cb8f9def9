#pragma once

#include <string>

#include <tapedeck/data/image_dataset.h>

namespace tapedeck::data::datasets {

/// MNIST's digits: images float32 [1, 28, 28] of [0, 1], labels int64. The four IDX files, plain or
/// .gz, are looked for in `root`, root/MNIST/raw and root/raw.
/// \throws Error that names the file and says what is wrong with it.
class MNIST : public ImageDataset<MNIST> {
 public:
  explicit MNIST(const std::string& root, Mode mode = Mode::kTrain);
};
extern template class Dataset<MNIST>;

/// Zalando's articles of clothing, in MNIST's format; also looked for in root/FashionMNIST/raw.
class FashionMNIST : public ImageDataset<FashionMNIST> {
 public:
  explicit FashionMNIST(const std::string& root, Mode mode = Mode::kTrain);
};
extern template class Dataset<FashionMNIST>;

}  // namespace tapedeck::data::datasets
