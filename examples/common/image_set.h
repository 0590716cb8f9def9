#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <tapedeck/tapedeck.h>

#include "options.h"

namespace examples {

/// Images [N, C, H, W] with values in [0, 1] and their classes, int64 [N], handed out in batches.
class ImageSet
    : public tapedeck::data::datasets::BatchDataset<ImageSet, tapedeck::data::Example<>> {
 public:
  ImageSet(tapedeck::Tensor images, tapedeck::Tensor labels);

  tapedeck::data::Example<> get_batch(tapedeck::ArrayRef<std::size_t> indices) override;
  std::optional<std::size_t> size() const override;

  const tapedeck::Tensor& images() const { return images_; }
  const tapedeck::Tensor& labels() const { return labels_; }
  /// (images - mean) / deviation.
  ImageSet normalized(double mean, double deviation) const;
  /// The first `count` of them; all for 0.
  ImageSet first(std::int64_t count) const;

 private:
  tapedeck::Tensor images_, labels_;
};

struct ImageSets {
  ImageSet train, test;
  std::vector<std::string> classes;

  ImageSets normalized(double mean, double deviation) const {
    return {train.normalized(mean, deviation), test.normalized(mean, deviation), classes};
  }
};

/// The mean and the standard deviation of MNIST's pixels.
constexpr double kDigitsMean = 0.1307, kDigitsDeviation = 0.3081;

/// MNIST's digits, 28 x 28, or rendered ones where its files are not found; says which on
/// std::cout. Of the training images at most options.limit.
ImageSets load_digits(const TrainOptions& options);

/// CIFAR-10, 3 x 32 x 32, or rendered shapes; the same way.
ImageSets load_cifar(const TrainOptions& options);

}  // namespace examples
