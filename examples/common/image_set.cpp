#include "image_set.h"

#include <algorithm>
#include <iostream>
#include <utility>

#include "shapes.h"

namespace examples {

namespace {

using tapedeck::Tensor;
namespace data = tapedeck::data;
namespace datasets = tapedeck::data::datasets;

constexpr std::int64_t kRenderedTraining = 20000, kRenderedTest = 10000;

// The seeds of what is rendered: what is tested was never trained on.
constexpr std::uint64_t kTrainingSeed = 1, kTestSeed = 2;

template <typename Dataset>
ImageSet in_memory(const Dataset& dataset) {
  return ImageSet(dataset.images(), dataset.targets());
}

// Says that a data set was not found, and how many images are rendered instead. \return that number
std::int64_t announce_rendering(const char* dataset, const char* what,
                                const TrainOptions& options) {
  const std::int64_t count =
      options.limit > 0 ? std::min(kRenderedTraining, options.limit) : kRenderedTraining;
  std::cout << dataset << " was not found: training on " << what
            << " that the program renders itself (" << count << " for training, " << kRenderedTest
            << " for the test)" << std::endl;
  return count;
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

ImageSet ImageSet::normalized(double mean, double deviation) const {
  return ImageSet((images_ - mean) / deviation, labels_);
}

ImageSet ImageSet::first(std::int64_t count) const {
  if (count <= 0 || count >= images_.size(0)) return *this;
  return ImageSet(images_.slice(0, 0, count), labels_.slice(0, 0, count));
}

ImageSets load_digits(const TrainOptions& options) {
  std::vector<std::string> classes;
  for (int digit = 0; digit < 10; ++digit) classes.push_back(std::to_string(digit));
  const auto folder = data::locate("mnist", options.data);
  if (!folder) {
    const auto count = static_cast<std::size_t>(announce_rendering("MNIST", "digits", options));
    return {in_memory(datasets::SyntheticDigits(count, kTrainingSeed)),
            in_memory(datasets::SyntheticDigits(kRenderedTest, kTestSeed)), classes};
  }
  std::cout << "MNIST from " << *folder << std::endl;
  return {in_memory(datasets::MNIST(*folder, datasets::MNIST::Mode::kTrain)).first(options.limit),
          in_memory(datasets::MNIST(*folder, datasets::MNIST::Mode::kTest)), classes};
}

ImageSets load_cifar(const TrainOptions& options) {
  const auto folder = data::locate("cifar10", options.data);
  if (!folder) {
    const std::int64_t count = announce_rendering("CIFAR-10", "coloured shapes", options);
    return {render_shapes(count, kTrainingSeed), render_shapes(kRenderedTest, kTestSeed),
            shape_names()};
  }
  std::cout << "CIFAR-10 from " << *folder << std::endl;
  return {
      in_memory(datasets::CIFAR10(*folder, datasets::CIFAR10::Mode::kTrain)).first(options.limit),
      in_memory(datasets::CIFAR10(*folder, datasets::CIFAR10::Mode::kTest)),
      datasets::CIFAR10::classes()};
}

}  // namespace examples
