#pragma once

#include "training.h"

namespace examples {

/// Trains a model by cross-entropy and prints at the end how many test images it classifies
/// rightly. The learning rate falls in a line, from options.lr to zero with the last batch: at a
/// constant one the accuracy depends on which batches came last.
template <typename Model>
void train_classifier(Model& model, const ImageSets& sets, const TrainOptions& options) {
  tapedeck::optim::Adam optimizer(model->parameters(), options.lr);
  tapedeck::optim::LinearLR schedule = fall_to_zero(optimizer, sets.train, options);
  tapedeck::nn::CrossEntropyLoss criterion;
  const auto loss_of_batch = [&](const tapedeck::data::Example<>& batch) {
    return criterion(model->forward(batch.data), batch.target);
  };
  for (std::int64_t epoch = 1; epoch <= options.epochs; ++epoch)
    train_epoch(epoch, optimizer, sets.train, options, loss_of_batch, &schedule);
  model->eval();
  const Classifier classifier = [&](const tapedeck::Tensor& x) { return model->forward(x); };
  print_accuracy(count_correct(classifier, sets.test), sets.test.images().size(0));
}

}  // namespace examples
