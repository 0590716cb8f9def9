#pragma once

#include <cstdint>
#include <string>

#include <tapedeck/tapedeck.h>

#include "image_set.h"

namespace examples {

/// The progress bar of one epoch over a training set; quiet where stderr is no terminal.
class EpochProgress : public tapedeck::io::ProgressBar {
 public:
  EpochProgress(std::int64_t epoch, const TrainOptions& options, const ImageSet& set)
      : ProgressBar(set.images().size(0),
                    tapedeck::io::ProgressOptions().summary(true).label(
                        "epoch " + std::to_string(epoch) + "/" + std::to_string(options.epochs))) {}
};

}  // namespace examples
