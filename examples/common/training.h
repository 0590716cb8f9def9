#pragma once

#include <cstdint>
#include <functional>

#include <tapedeck/tapedeck.h>

#include "image_set.h"
#include "options.h"

namespace examples {

/// The loss of a batch, a scalar.
using LossOfBatch = std::function<tapedeck::Tensor(const tapedeck::data::Example<>&)>;

/// One pass over the training set in random order: for each batch the loss, its gradients, a step
/// of the optimiser, and one of the learning rate's schedule if there is one. Shows a progress bar,
/// or a line at the end where stderr is no terminal.
void train_epoch(std::int64_t epoch, tapedeck::optim::Optimizer& optimizer, const ImageSet& train,
                 const TrainOptions& options, const LossOfBatch& loss_of_batch,
                 tapedeck::optim::LRScheduler* schedule = nullptr);

/// A learning rate that falls in a line from its present value to zero with the last batch: at a
/// constant one the result depends on which batches came last. To be stepped with every batch.
tapedeck::optim::LinearLR fall_to_zero(tapedeck::optim::Optimizer& optimizer, const ImageSet& train,
                                       const TrainOptions& options);

/// Scores [N, classes] of images [N, C, H, W].
using Classifier = std::function<tapedeck::Tensor(const tapedeck::Tensor&)>;

/// How many images of the set score highest at their own class. Records nothing.
std::int64_t count_correct(const Classifier& classifier, const ImageSet& set);

/// "test accuracy: 0.9812 (9812/10000)"
void print_accuracy(std::int64_t correct, std::int64_t count);

}  // namespace examples
