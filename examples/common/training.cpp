#include "training.h"

#include <iomanip>
#include <iostream>
#include <string>

namespace examples {

namespace data = tapedeck::data;
using tapedeck::Tensor;

void train_epoch(std::int64_t epoch, tapedeck::optim::Optimizer& optimizer, const ImageSet& train,
                 const TrainOptions& options, const LossOfBatch& loss_of_batch,
                 tapedeck::optim::LRScheduler* schedule) {
  const auto loader = data::make_data_loader<data::samplers::RandomSampler>(
      train, static_cast<std::size_t>(options.batch_size));
  tapedeck::io::ProgressBar progress(
      train.images().size(0),
      tapedeck::io::ProgressOptions().summary(true).label("epoch " + std::to_string(epoch) + "/" +
                                                          std::to_string(options.epochs)));
  for (const data::Example<>& batch : *loader) {
    optimizer.zero_grad();
    const Tensor loss = loss_of_batch(batch);
    loss.backward();
    optimizer.step();
    if (schedule) schedule->step();
    progress.add(batch.data.size(0), loss.item<double>());
  }
  progress.finish();
}

tapedeck::optim::LinearLR fall_to_zero(tapedeck::optim::Optimizer& optimizer, const ImageSet& train,
                                       const TrainOptions& options) {
  const std::int64_t batches =
      (train.images().size(0) + options.batch_size - 1) / options.batch_size;
  return tapedeck::optim::LinearLR(optimizer, /*start_factor=*/1, /*end_factor=*/0,
                                   options.epochs * batches);
}

std::int64_t count_correct(const Classifier& classifier, const ImageSet& set) {
  const tapedeck::NoGradGuard no_grad;
  const auto loader =
      data::make_data_loader<data::samplers::SequentialSampler>(set, /*batch_size=*/500);
  std::int64_t correct = 0;
  for (const data::Example<>& batch : *loader)
    correct += (classifier(batch.data).argmax(1) == batch.target).sum().item<std::int64_t>();
  return correct;
}

void print_accuracy(std::int64_t correct, std::int64_t count) {
  std::cout << "test accuracy: " << std::fixed << std::setprecision(4)
            << static_cast<double>(correct) / static_cast<double>(count) << " (" << correct << '/'
            << count << ")" << std::endl;
}

}  // namespace examples
