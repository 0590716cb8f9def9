#pragma once

#include <cstddef>
#include <iostream>
#include <vector>

#include <tapedeck/tapedeck.h>

namespace tapedeck::optim {

/// ReduceLROnPlateau under the name, and with the arguments, that later versions of libtorch have.
class ReduceLROnPlateauScheduler {
 public:
  enum SchedulerMode { min, max };
  enum ThresholdMode { rel, abs };

  /// `min_lr` has one rate for each group, or none.
  explicit ReduceLROnPlateauScheduler(Optimizer& optimizer, SchedulerMode mode = min,
                                      float factor = 0.1f, int patience = 10,
                                      double threshold = 1e-4, ThresholdMode threshold_mode = rel,
                                      int cooldown = 0, const std::vector<float>& min_lr = {},
                                      double eps = 1e-8, bool verbose = false)
      : scheduler_(optimizer, options_of(mode, threshold_mode)
                                  .factor(factor)
                                  .patience(patience)
                                  .threshold(threshold)
                                  .cooldown(cooldown)
                                  .group_min_lrs({min_lr.begin(), min_lr.end()})
                                  .eps(eps)),
        verbose_(verbose) {}
  virtual ~ReduceLROnPlateauScheduler() = default;

  void step(float metric) {
    ++epoch_;
    const std::vector<double> before = scheduler_.get_last_lr();
    scheduler_.step(metric);
    const std::vector<double> after = scheduler_.get_last_lr();
    for (std::size_t i = 0; verbose_ && i < after.size(); ++i)
      if (after[i] != before[i])
        std::cout << "Epoch " << epoch_ << ": reducing learning rate of group " << i << " to "
                  << after[i] << '\n';
  }

 private:
  static ReduceLROnPlateauOptions options_of(SchedulerMode mode, ThresholdMode threshold_mode) {
    using Options = ReduceLROnPlateauOptions;
    return Options()
        .mode(mode == min ? Options::Mode::Min : Options::Mode::Max)
        .threshold_mode(threshold_mode == rel ? Options::ThresholdMode::Rel
                                              : Options::ThresholdMode::Abs);
  }

  ReduceLROnPlateau scheduler_;
  bool verbose_;
  int epoch_ = 0;
};

}  // namespace tapedeck::optim
