#include "image_set.h"

#include <algorithm>
#include <iostream>
#include <utility>
#include <vector>

namespace examples {

namespace {

using tapedeck::Tensor;
namespace data = tapedeck::data;
namespace datasets = tapedeck::data::datasets;

constexpr std::size_t kRenderedTraining = 20000, kRenderedTest = 2000;

ImageSet rendered(std::size_t count, std::uint64_t seed) {
  const datasets::SyntheticDigits digits(count, seed);
  return ImageSet(digits.images(), digits.targets());
}

}  // namespace

ImageSet::ImageSet(Tensor images, Tensor labels)
    : images_(std::move(images)), labels_(std::move(labels)) {}

data::Example<> ImageSet::get_batch(tapedeck::ArrayRef<std::size_t> indices) {
  const std::vector<std::int64_t> rows(indices.begin(), indices.end());
  const Tensor which = tapedeck::tensor(rows);
  return {images_.index_select(0, which), labels_.index_select(0, which)};
}

std::optional<std::size_t> ImageSet::size() const {
  return static_cast<std::size_t>(images_.size(0));
}

ImageSet ImageSet::first(std::int64_t count) const {
  if (count <= 0 || count >= images_.size(0)) return *this;
  return ImageSet(images_.slice(0, 0, count), labels_.slice(0, 0, count));
}

ImageSets load_digits(const TrainOptions& options) {
  const auto folder = data::locate("mnist", options.data);
  if (!folder) {
    std::cout << "MNIST was not found: training on digits that the program renders itself ("
              << kRenderedTraining << " for training, " << kRenderedTest << " for the test)"
              << std::endl;
    const auto wanted = options.limit > 0
                            ? std::min(kRenderedTraining, static_cast<std::size_t>(options.limit))
                            : kRenderedTraining;
    return {rendered(wanted, /*seed=*/1), rendered(kRenderedTest, /*seed=*/2)};
  }
  std::cout << "MNIST from " << *folder << std::endl;
  const datasets::MNIST train(*folder, datasets::MNIST::Mode::kTrain);
  const datasets::MNIST test(*folder, datasets::MNIST::Mode::kTest);
  return {ImageSet(train.images(), train.targets()).first(options.limit),
          ImageSet(test.images(), test.targets())};
}

}  // namespace examples
