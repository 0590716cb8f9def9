#pragma once

#include <string>
#include <vector>

#include <tapedeck/data/image_dataset.h>

namespace tapedeck::data::datasets {

/// CIFAR-10's binary version: images float32 [3, 32, 32] of [0, 1], labels int64. Reads every
/// data_batch_*.bin, or test_batch*.bin, of `root` or root/cifar-10-batches-bin, in the order of
/// their names; records of a label byte and 3072 bytes of red, green and blue planes.
/// \throws Error that names the file and says what is wrong with it.
class CIFAR10 : public ImageDataset<CIFAR10> {
 public:
  explicit CIFAR10(const std::string& root, Mode mode = Mode::kTrain);
  /// "airplane", "automobile", ...
  static const std::vector<std::string>& classes();
};
extern template class Dataset<CIFAR10>;

}  // namespace tapedeck::data::datasets
