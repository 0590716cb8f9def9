#pragma once

#include <cstdint>
#include <iomanip>
#include <iostream>
#include <string>

#include <tapedeck/tapedeck.h>

#include "image_set.h"
#include "progress.h"

namespace examples {

/// How many images the model classifies rightly. The model is left in training mode.
template <typename Model>
std::int64_t count_correct(Model& model, const ImageSet& set) {
  const tapedeck::NoGradGuard no_grad;
  model->eval();
  std::int64_t correct = 0;
  auto loader = tapedeck::data::make_data_loader<tapedeck::data::samplers::SequentialSampler>(
      set, /*batch_size=*/500);
  for (const auto& batch : *loader)
    correct +=
        (model->forward(batch.data).argmax(1) == batch.target).sum().template item<std::int64_t>();
  model->train();
  return correct;
}

inline void print_accuracy(std::int64_t correct, std::int64_t count) {
  std::cout << "test accuracy: " << std::fixed << std::setprecision(4)
            << static_cast<double>(correct) / static_cast<double>(count) << " (" << correct << '/'
            << count << ")" << std::endl;
}

/// Trains a classifier by cross-entropy, a progress bar for each epoch, and prints its accuracy on
/// all test images at the end.
template <typename Model>
void train_classifier(Model& model, tapedeck::optim::Optimizer& optimizer, const ImageSets& sets,
                      const TrainOptions& options) {
  auto loader = tapedeck::data::make_data_loader<tapedeck::data::samplers::RandomSampler>(
      sets.train, static_cast<std::size_t>(options.batch_size));
  tapedeck::nn::CrossEntropyLoss criterion;
  for (std::int64_t epoch = 1; epoch <= options.epochs; ++epoch) {
    EpochProgress progress(epoch, options, sets.train);
    for (const auto& batch : *loader) {
      const tapedeck::Tensor loss = criterion(model->forward(batch.data), batch.target);
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
      progress.add(batch.data.size(0), loss.template item<double>());
    }
    progress.finish();
  }
  print_accuracy(count_correct(model, sets.test), sets.test.images().size(0));
}

}  // namespace examples
