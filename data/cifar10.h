#pragma once

#include <string>
#include <vector>

#include <tapedeck/data/dataset.h>
#include <tapedeck/data/image_data.h>

namespace tapedeck::data::datasets {

/// CIFAR-10's binary version: images float32 [3, 32, 32] of [0, 1], labels int64. Reads every
/// data_batch_*.bin, or test_batch*.bin, of `root` or root/cifar-10-batches-bin, in the order of
/// their names; records of a label byte and 3072 bytes of red, green and blue planes.
/// \throws Error that names the file and says what is wrong with it.
class CIFAR10 : public Dataset<CIFAR10> {
 public:
  enum class Mode { kTrain, kTest };

  explicit CIFAR10(const std::string& root, Mode mode = Mode::kTrain);

  Example<> get(std::size_t index) override;
  Example<> get_stacked(ArrayRef<std::size_t> indices) { return data_.get_stacked(indices); }
  std::optional<std::size_t> size() const override;
  bool is_train() const noexcept { return mode_ == Mode::kTrain; }
  const Variable& images() const { return data_.images(); }
  const Variable& targets() const { return data_.targets(); }
  /// "airplane", "automobile", ...
  static const std::vector<std::string>& classes();

 private:
  ImageData data_;
  Mode mode_;
};
extern template class Dataset<CIFAR10>;

}  // namespace tapedeck::data::datasets
