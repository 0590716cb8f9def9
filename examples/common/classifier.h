#pragma once

#include "training.h"

namespace examples {

/// Trains a model by cross-entropy, with a schedule of the learning rate that advances with every
/// batch if one is given, and prints at the end how many test images it classifies rightly.
template <typename Model>
void train_classifier(Model& model, tapedeck::optim::Optimizer& optimizer, const ImageSets& sets,
                      const TrainOptions& options,
                      tapedeck::optim::LRScheduler* schedule = nullptr) {
  tapedeck::nn::CrossEntropyLoss criterion;
  const auto loss_of_batch = [&](const tapedeck::data::Example<>& batch) {
    return criterion(model->forward(batch.data), batch.target);
  };
  for (std::int64_t epoch = 1; epoch <= options.epochs; ++epoch)
    train_epoch(epoch, optimizer, sets.train, options, loss_of_batch, schedule);
  model->eval();
  const Classifier classifier = [&](const tapedeck::Tensor& x) { return model->forward(x); };
  print_accuracy(count_correct(classifier, sets.test), sets.test.images().size(0));
}

}  // namespace examples
