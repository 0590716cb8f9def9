#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <tapedeck/optim/optimizer.h>

namespace tapedeck::optim {

/// Changes the learning rates of an optimiser's groups, once in an epoch or in a step. Holds a
/// reference: the optimiser must live as long.
class LRScheduler {
 public:
  explicit LRScheduler(Optimizer& optimizer);
  virtual ~LRScheduler() = default;

  /// Sets the learning rates that get_lrs() gives, and counts.
  void step();
  /// The learning rates that were set last, one for each group.
  const std::vector<double>& get_last_lr() const { return last_lrs_; }
  /// Sets the rates back to those that the groups had before any scheduler, and begins anew.
  virtual void restart();

  virtual void save(serialize::OutputArchive& archive) const;
  /// \throws Error, and leaves all as it was, where the archive does not hold this kind of state.
  virtual void load(serialize::InputArchive& archive);

 protected:
  /// The rates for the step that begins, one for each group; step_count_ steps have been made.
  virtual std::vector<double> get_lrs() = 0;
  std::vector<double> get_current_lrs() const;
  /// The rates before any scheduler: Python's initial_lr.
  std::vector<double> get_base_lrs() const;
  /// Shows the members that save() keeps.
  virtual void fields(FieldVisitor& visitor);
  /// \throws Error unless there is one rate for each group.
  void set_optimizer_lrs(const std::vector<double>& learning_rates);
  Optimizer& optimizer() const { return optimizer_; }

  unsigned step_count_ = 0;

 private:
  Optimizer& optimizer_;
  std::vector<double> last_lrs_;
};

serialize::OutputArchive& operator<<(serialize::OutputArchive& archive,
                                     const LRScheduler& scheduler);
serialize::InputArchive& operator>>(serialize::InputArchive& archive, LRScheduler& scheduler);

/// Multiplies the rates by gamma at every step_size-th step. As libtorch counts, the first step is
/// number 0: the rates change in step() call step_size + 1. (Python changes them one call earlier;
/// so does MultiStepLR here.)
class StepLR : public LRScheduler {
 public:
  StepLR(Optimizer& optimizer, unsigned step_size, double gamma = 0.1);

 private:
  std::vector<double> get_lrs() override;

  const unsigned step_size_;
  const double gamma_;
};

/// The base of the schedulers that C++ does not have in libtorch, with Python's names, defaults and
/// semantics: making one sets the rates of epoch 0, each step() those of the next epoch. The rates
/// follow from the current ones, so that schedulers can be combined.
class EpochScheduler : public LRScheduler {
 public:
  std::int64_t last_epoch() const { return step_count_; }
  void restart() override;

 protected:
  using LRScheduler::LRScheduler;
  /// To be called at the end of a constructor.
  void start();
  /// The rate of a group in `epoch`, given its rate in the epoch before.
  virtual double next_lr(std::int64_t epoch, std::size_t group, double current) = 0;

 private:
  std::vector<double> lrs_of(std::int64_t epoch);
  std::vector<double> get_lrs() final { return lrs_of(last_epoch() + 1); }
};

}  // namespace tapedeck::optim
