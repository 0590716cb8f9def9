#pragma once

#include <tapedeck/optim/lr_scheduler.h>

namespace tapedeck::optim {

/// Multiplies by gamma at each of the milestones (twice where one is listed twice).
class MultiStepLR : public EpochScheduler {
 public:
  MultiStepLR(Optimizer& optimizer, std::vector<std::int64_t> milestones, double gamma = 0.1);

 protected:
  double next_lr(std::int64_t epoch, std::size_t group, double current) override;

 private:
  std::vector<std::int64_t> milestones_;
  double gamma_;
};

/// Multiplies by gamma in every epoch.
class ExponentialLR : public EpochScheduler {
 public:
  ExponentialLR(Optimizer& optimizer, double gamma);

 protected:
  double next_lr(std::int64_t epoch, std::size_t group, double current) override;

 private:
  double gamma_;
};

/// A factor that moves in a line from start_factor to end_factor within total_iters epochs.
class LinearLR : public EpochScheduler {
 public:
  LinearLR(Optimizer& optimizer, double start_factor = 1.0 / 3, double end_factor = 1.0,
           std::int64_t total_iters = 5);

 protected:
  double next_lr(std::int64_t epoch, std::size_t group, double current) override;

 private:
  double start_factor_, end_factor_;
  std::int64_t total_iters_;
};

/// Half a cosine from the initial rate down to eta_min in T_max epochs, and up again in the next.
/// Loshchilov and Hutter 2016.
class CosineAnnealingLR : public EpochScheduler {
 public:
  CosineAnnealingLR(Optimizer& optimizer, std::int64_t T_max, double eta_min = 0);

 protected:
  double next_lr(std::int64_t epoch, std::size_t group, double current) override;

 private:
  std::int64_t t_max_;
  double eta_min_;
};

/// Half cosines from the initial rate to eta_min, of T_0 epochs, then T_0 * T_mult, and so on.
class CosineAnnealingWarmRestarts : public EpochScheduler {
 public:
  CosineAnnealingWarmRestarts(Optimizer& optimizer, std::int64_t T_0, std::int64_t T_mult = 1,
                              double eta_min = 0);
  using EpochScheduler::step;
  /// Sets the rates of a point in time, fractions included: `step(epoch + batch / batches)`.
  void step(double epoch);
  void restart() override;

 protected:
  double next_lr(std::int64_t epoch, std::size_t group, double current) override;
  void fields(FieldVisitor& visitor) override;

 private:
  double lr_of(std::size_t group) const;

  std::int64_t t_0_, t_mult_;
  double eta_min_;
  double t_cur_ = 0;
  std::int64_t t_i_;
};

struct OneCycleLROptions {
  OneCycleLROptions(double max_lr, std::int64_t total_steps)
      : max_lr_({max_lr}), total_steps_(total_steps) {}
  OneCycleLROptions(std::vector<double> max_lr, std::int64_t total_steps)
      : max_lr_(std::move(max_lr)), total_steps_(total_steps) {}
  /// One for all groups, or one for each.
  TAPEDECK_ARG(std::vector<double>, max_lr);
  TAPEDECK_ARG(std::int64_t, total_steps);
  /// The part of the cycle in which the rate rises.
  TAPEDECK_ARG(double, pct_start) = 0.3;
  /// "cos" or "linear".
  TAPEDECK_ARG(std::string, anneal_strategy) = "cos";
  /// Moves the momentum (SGD, RMSprop) or the first beta against the rate.
  TAPEDECK_ARG(bool, cycle_momentum) = true;
  TAPEDECK_ARG(double, base_momentum) = 0.85;
  TAPEDECK_ARG(double, max_momentum) = 0.95;
  /// The first rate is max_lr / div_factor, the last one that divided by final_div_factor.
  TAPEDECK_ARG(double, div_factor) = 25;
  TAPEDECK_ARG(double, final_div_factor) = 1e4;
  TAPEDECK_ARG(bool, three_phase) = false;
};

/// Up to max_lr and down to almost nothing, to be stepped after every batch. Smith and Topin 2017;
/// PyTorch's OneCycleLR. \throws ValueError in a step beyond total_steps.
class OneCycleLR : public EpochScheduler {
 public:
  OneCycleLR(Optimizer& optimizer, OneCycleLROptions options);

 protected:
  double next_lr(std::int64_t epoch, std::size_t group, double current) override;

 private:
  struct Phase {
    double end;
    double lr[2], momentum[2];
  };
  Phase phase_of(std::int64_t epoch, std::size_t group, double& begin) const;

  OneCycleLROptions options_;
};

/// The initial rate times a function of the epoch, one for all groups or one for each.
class LambdaLR : public EpochScheduler {
 public:
  using Function = std::function<double(std::int64_t epoch)>;
  LambdaLR(Optimizer& optimizer, Function lr_lambda);
  LambdaLR(Optimizer& optimizer, std::vector<Function> lr_lambdas);

 protected:
  double next_lr(std::int64_t epoch, std::size_t group, double current) override;

 private:
  std::vector<Function> lambdas_;
};

/// One scheduler after the other: the next takes over at each milestone, with its own epoch 0. The
/// schedulers must live as long.
class SequentialLR : public LRScheduler {
 public:
  SequentialLR(Optimizer& optimizer, std::vector<std::reference_wrapper<LRScheduler>> schedulers,
               std::vector<std::int64_t> milestones);
  void restart() override;
  void save(serialize::OutputArchive& archive) const override;
  void load(serialize::InputArchive& archive) override;

 private:
  std::vector<double> get_lrs() override;

  std::vector<std::reference_wrapper<LRScheduler>> schedulers_;
  std::vector<std::int64_t> milestones_;
};

struct ReduceLROnPlateauOptions {
  enum class Mode { Min, Max };
  enum class ThresholdMode { Rel, Abs };
  /// Whether less or more is better.
  TAPEDECK_ARG(Mode, mode) = Mode::Min;
  TAPEDECK_ARG(double, factor) = 0.1;
  /// Epochs without progress that are borne.
  TAPEDECK_ARG(std::int64_t, patience) = 10;
  /// What counts as progress, relative to the best or absolute.
  TAPEDECK_ARG(double, threshold) = 1e-4;
  TAPEDECK_ARG(ThresholdMode, threshold_mode) = ThresholdMode::Rel;
  /// Epochs after a reduction in which nothing is counted.
  TAPEDECK_ARG(std::int64_t, cooldown) = 0;
  TAPEDECK_ARG(double, min_lr) = 0;
  /// One for each group, in place of min_lr, unless it is empty.
  TAPEDECK_ARG(std::vector<double>, group_min_lrs);
  /// A smaller change of the rate is not made.
  TAPEDECK_ARG(double, eps) = 1e-8;
};

/// Reduces the rates when a measure stops to improve.
class ReduceLROnPlateau {
 public:
  explicit ReduceLROnPlateau(Optimizer& optimizer, ReduceLROnPlateauOptions options = {});

  void step(double metric);
  std::vector<double> get_last_lr() const;
  double best() const { return best_; }
  std::int64_t num_bad_epochs() const { return num_bad_epochs_; }

  void save(serialize::OutputArchive& archive) const;
  void load(serialize::InputArchive& archive);

 private:
  bool is_better(double metric) const;
  void reduce_lr();
  void fields(FieldVisitor& visitor);

  Optimizer& optimizer_;
  ReduceLROnPlateauOptions options_;
  double best_;
  std::int64_t num_bad_epochs_ = 0, cooldown_counter_ = 0, last_epoch_ = 0;
};

serialize::OutputArchive& operator<<(serialize::OutputArchive& archive,
                                     const ReduceLROnPlateau& scheduler);
serialize::InputArchive& operator>>(serialize::InputArchive& archive, ReduceLROnPlateau& scheduler);

}  // namespace tapedeck::optim
