#include <tapedeck/optim/schedulers.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <tapedeck/array/error.h>
#include <tapedeck/optim/internal/archive_fields.h>
#include <tapedeck/serialize/archive.h>

namespace tapedeck::optim {

namespace {

constexpr double kPi = 3.14159265358979323846;

// Finds the momentum of a group's options, under either of its names, and perhaps changes it.
class MomentumField final : public FieldVisitor {
 public:
  explicit MomentumField(std::optional<double> value = std::nullopt) : value_(value) {}
  bool found() const { return found_; }

  void field(const char* name, double& value) override {
    if (std::string(name) != "momentum") return;
    found_ = true;
    if (value_) value = *value_;
  }
  void field(const char* name, std::tuple<double, double>& value) override {
    if (std::string(name) != "betas") return;
    found_ = true;
    if (value_) std::get<0>(value) = *value_;
  }
  void field(const char*, bool&) override {}
  void field(const char*, std::int64_t&) override {}
  void field(const char*, std::vector<double>&) override {}
  void field(const char*, std::optional<std::int64_t>&) override {}
  void field(const char*, std::optional<std::string>&) override {}
  void field(const char*, Variable&) override {}
  void field(const char*, std::deque<Variable>&) override {}

 private:
  std::optional<double> value_;
  bool found_ = false;
};

}  // namespace

// ---- MultiStepLR, ExponentialLR, LinearLR, LambdaLR ----

MultiStepLR::MultiStepLR(Optimizer& optimizer, std::vector<std::int64_t> milestones, double gamma)
    : EpochScheduler(optimizer), milestones_(std::move(milestones)), gamma_(gamma) {
  start();
}
double MultiStepLR::next_lr(std::int64_t epoch, std::size_t, double current) {
  const auto times = std::count(milestones_.begin(), milestones_.end(), epoch);
  return times == 0 ? current : current * std::pow(gamma_, static_cast<double>(times));
}

ExponentialLR::ExponentialLR(Optimizer& optimizer, double gamma)
    : EpochScheduler(optimizer), gamma_(gamma) {
  start();
}
double ExponentialLR::next_lr(std::int64_t epoch, std::size_t, double current) {
  return epoch == 0 ? current : current * gamma_;
}

LinearLR::LinearLR(Optimizer& optimizer, double start_factor, double end_factor,
                   std::int64_t total_iters)
    : EpochScheduler(optimizer),
      start_factor_(start_factor),
      end_factor_(end_factor),
      total_iters_(total_iters) {
  TAPEDECK_CHECK_AS(ValueError, start_factor > 0 && start_factor <= 1,
                    "LinearLR: expected a start_factor above 0 and up to 1, got ", start_factor);
  TAPEDECK_CHECK_AS(ValueError, end_factor >= 0 && end_factor <= 1,
                    "LinearLR: expected an end_factor from 0 to 1, got ", end_factor);
  TAPEDECK_CHECK_AS(ValueError, total_iters > 0, "LinearLR: expected positive total_iters, got ",
                    total_iters);
  start();
}
double LinearLR::next_lr(std::int64_t epoch, std::size_t, double current) {
  if (epoch == 0) return current * start_factor_;
  if (epoch > total_iters_) return current;
  const double change = end_factor_ - start_factor_;
  return current * (1 + change / (static_cast<double>(total_iters_) * start_factor_ +
                                  static_cast<double>(epoch - 1) * change));
}

LambdaLR::LambdaLR(Optimizer& optimizer, Function lr_lambda)
    : LambdaLR(optimizer,
               std::vector<Function>(optimizer.param_groups().size(), std::move(lr_lambda))) {}
LambdaLR::LambdaLR(Optimizer& optimizer, std::vector<Function> lr_lambdas)
    : EpochScheduler(optimizer), lambdas_(std::move(lr_lambdas)) {
  TAPEDECK_CHECK_AS(ValueError, lambdas_.size() == optimizer.param_groups().size(),
                    "LambdaLR: expected ", optimizer.param_groups().size(),
                    " functions, one for each parameter group, got ", lambdas_.size());
  start();
}
double LambdaLR::next_lr(std::int64_t epoch, std::size_t group, double) {
  return get_base_lrs()[group] * lambdas_[group](epoch);
}

// ---- cosines ----

CosineAnnealingLR::CosineAnnealingLR(Optimizer& optimizer, std::int64_t T_max, double eta_min)
    : EpochScheduler(optimizer), t_max_(T_max), eta_min_(eta_min) {
  TAPEDECK_CHECK_AS(ValueError, T_max > 0, "CosineAnnealingLR: expected a positive T_max, got ",
                    T_max);
  start();
}
double CosineAnnealingLR::next_lr(std::int64_t epoch, std::size_t group, double current) {
  if (epoch == 0) return current;
  // From the lowest point there is no factor that leads up again.
  if ((epoch - 1 - t_max_) % (2 * t_max_) == 0)
    return current + (get_base_lrs()[group] - eta_min_) *
                         (1 - std::cos(kPi / static_cast<double>(t_max_))) / 2;
  const auto height = [&](std::int64_t e) {
    return 1 + std::cos(kPi * static_cast<double>(e) / static_cast<double>(t_max_));
  };
  return height(epoch) / height(epoch - 1) * (current - eta_min_) + eta_min_;
}

CosineAnnealingWarmRestarts::CosineAnnealingWarmRestarts(Optimizer& optimizer, std::int64_t T_0,
                                                         std::int64_t T_mult, double eta_min)
    : EpochScheduler(optimizer), t_0_(T_0), t_mult_(T_mult), eta_min_(eta_min), t_i_(T_0) {
  TAPEDECK_CHECK_AS(ValueError, T_0 > 0, "CosineAnnealingWarmRestarts: expected positive T_0, got ",
                    T_0);
  TAPEDECK_CHECK_AS(ValueError, T_mult >= 1,
                    "CosineAnnealingWarmRestarts: expected T_mult >= 1, got ", T_mult);
  start();
}

double CosineAnnealingWarmRestarts::lr_of(std::size_t group) const {
  return eta_min_ + (get_base_lrs()[group] - eta_min_) *
                        (1 + std::cos(kPi * t_cur_ / static_cast<double>(t_i_))) / 2;
}

double CosineAnnealingWarmRestarts::next_lr(std::int64_t epoch, std::size_t group, double) {
  if (group == 0 && epoch > 0) {
    t_cur_ += 1;
    if (t_cur_ >= static_cast<double>(t_i_)) {
      t_cur_ -= static_cast<double>(t_i_);
      t_i_ *= t_mult_;
    }
  }
  return lr_of(group);
}

void CosineAnnealingWarmRestarts::step(double epoch) {
  TAPEDECK_CHECK_AS(ValueError, epoch >= 0,
                    "CosineAnnealingWarmRestarts: expected a non-negative epoch, got ", epoch);
  t_cur_ = epoch;
  t_i_ = t_0_;
  if (t_mult_ == 1) {
    t_cur_ = std::fmod(epoch, static_cast<double>(t_0_));
  } else {
    while (t_cur_ >= static_cast<double>(t_i_)) {
      t_cur_ -= static_cast<double>(t_i_);
      t_i_ *= t_mult_;
    }
  }
  std::vector<double> lrs = get_current_lrs();
  for (std::size_t i = 0; i < lrs.size(); ++i) lrs[i] = lr_of(i);
  set_optimizer_lrs(lrs);
  step_count_ = static_cast<unsigned>(std::floor(epoch));
}

void CosineAnnealingWarmRestarts::restart() {
  t_cur_ = 0;
  t_i_ = t_0_;
  EpochScheduler::restart();
}

void CosineAnnealingWarmRestarts::fields(FieldVisitor& visitor) {
  EpochScheduler::fields(visitor);
  visitor.field("T_cur", t_cur_);
  visitor.field("T_i", t_i_);
}

// ---- OneCycleLR ----

OneCycleLR::OneCycleLR(Optimizer& optimizer, OneCycleLROptions options)
    : EpochScheduler(optimizer), options_(std::move(options)) {
  const std::size_t groups = optimizer.param_groups().size();
  if (options_.max_lr().size() == 1) options_.max_lr(std::vector(groups, options_.max_lr()[0]));
  TAPEDECK_CHECK_AS(ValueError, options_.max_lr().size() == groups, "OneCycleLR: expected ", groups,
                    " values of max_lr, one for each parameter group, got ",
                    options_.max_lr().size());
  TAPEDECK_CHECK_AS(ValueError, options_.total_steps() > 0,
                    "OneCycleLR: expected positive total_steps, got ", options_.total_steps());
  TAPEDECK_CHECK_AS(ValueError, options_.pct_start() >= 0 && options_.pct_start() <= 1,
                    "OneCycleLR: expected pct_start from 0 to 1, got ", options_.pct_start());
  TAPEDECK_CHECK_AS(ValueError,
                    options_.anneal_strategy() == "cos" || options_.anneal_strategy() == "linear",
                    "OneCycleLR: expected anneal_strategy \"cos\" or \"linear\", got \"",
                    options_.anneal_strategy(), "\"");
  for (std::size_t i = 0; i < groups; ++i) {
    OptimizerParamGroup& group = optimizer.param_groups()[i];
    if (options_.cycle_momentum()) {
      MomentumField momentum;
      group.options().fields(momentum);
      TAPEDECK_CHECK_AS(ValueError, momentum.found(),
                        "OneCycleLR: the optimizer must have momentum or betas, or cycle_momentum "
                        "be false");
    }
    group.set_initial_lr(options_.max_lr()[i] / options_.div_factor());
  }
  start();
}

OneCycleLR::Phase OneCycleLR::phase_of(std::int64_t epoch, std::size_t group, double& begin) const {
  const double high = options_.max_lr()[group], low = high / options_.div_factor();
  const double least = low / options_.final_div_factor();
  const double heavy = options_.max_momentum(), light = options_.base_momentum();
  const auto steps = static_cast<double>(options_.total_steps());
  const double top = options_.pct_start() * steps - 1;
  std::vector<Phase> phases{{top, {low, high}, {heavy, light}}};
  if (options_.three_phase()) {
    phases.push_back({2 * options_.pct_start() * steps - 2, {high, low}, {light, heavy}});
    phases.push_back({steps - 1, {low, least}, {heavy, heavy}});
  } else {
    phases.push_back({steps - 1, {high, least}, {light, heavy}});
  }
  begin = 0;
  std::size_t i = 0;
  for (; i + 1 < phases.size() && static_cast<double>(epoch) > phases[i].end; ++i)
    begin = phases[i].end;
  return phases[i];
}

double OneCycleLR::next_lr(std::int64_t epoch, std::size_t group, double) {
  TAPEDECK_CHECK_AS(ValueError, epoch <= options_.total_steps(), "OneCycleLR: tried to step ",
                    epoch, " times, of total_steps ", options_.total_steps());
  double begin = 0;
  const Phase phase = phase_of(epoch, group, begin);
  const double length = phase.end - begin;
  const double part = length > 0 ? (static_cast<double>(epoch) - begin) / length : 1;
  const auto between = [&](const double(&ends)[2]) {
    if (options_.anneal_strategy() == "linear") return (ends[1] - ends[0]) * part + ends[0];
    return ends[1] + (ends[0] - ends[1]) / 2 * (1 + std::cos(kPi * part));
  };
  if (options_.cycle_momentum()) {
    MomentumField momentum(between(phase.momentum));
    optimizer().param_groups()[group].options().fields(momentum);
  }
  return between(phase.lr);
}

// ---- SequentialLR ----

SequentialLR::SequentialLR(Optimizer& optimizer,
                           std::vector<std::reference_wrapper<LRScheduler>> schedulers,
                           std::vector<std::int64_t> milestones)
    : LRScheduler(optimizer),
      schedulers_(std::move(schedulers)),
      milestones_(std::move(milestones)) {
  TAPEDECK_CHECK_AS(ValueError, schedulers_.size() == milestones_.size() + 1,
                    "SequentialLR: expected one milestone less than schedulers, got ",
                    milestones_.size(), " milestones and ", schedulers_.size(), " schedulers");
  restart();
}

void SequentialLR::restart() {
  LRScheduler::restart();
  schedulers_[0].get().restart();
  set_optimizer_lrs(get_current_lrs());
}

std::vector<double> SequentialLR::get_lrs() {
  const std::int64_t epoch = static_cast<std::int64_t>(step_count_) + 1;
  const auto next = std::upper_bound(milestones_.begin(), milestones_.end(), epoch);
  const auto index = static_cast<std::size_t>(next - milestones_.begin());
  LRScheduler& scheduler = schedulers_[index];
  if (index > 0 && milestones_[index - 1] == epoch)
    scheduler.restart();
  else
    scheduler.step();
  return get_current_lrs();
}

void SequentialLR::save(serialize::OutputArchive& archive) const {
  LRScheduler::save(archive);
  for (std::size_t i = 0; i < schedulers_.size(); ++i) {
    serialize::OutputArchive nested;
    schedulers_[i].get().save(nested);
    archive.write(std::to_string(i), nested);
  }
}

void SequentialLR::load(serialize::InputArchive& archive) {
  std::vector<serialize::InputArchive> nested(schedulers_.size());
  for (std::size_t i = 0; i < schedulers_.size(); ++i) archive.read(std::to_string(i), nested[i]);
  LRScheduler::load(archive);
  for (std::size_t i = 0; i < schedulers_.size(); ++i) schedulers_[i].get().load(nested[i]);
}

// ---- ReduceLROnPlateau ----

ReduceLROnPlateau::ReduceLROnPlateau(Optimizer& optimizer, ReduceLROnPlateauOptions options)
    : optimizer_(optimizer),
      options_(options),
      best_(options.mode() == ReduceLROnPlateauOptions::Mode::Min
                ? std::numeric_limits<double>::infinity()
                : -std::numeric_limits<double>::infinity()) {
  TAPEDECK_CHECK_AS(ValueError, options.factor() < 1,
                    "ReduceLROnPlateau: expected a factor below 1, got ", options.factor());
  const std::size_t groups = optimizer.param_groups().size(),
                    minima = options.group_min_lrs().size();
  TAPEDECK_CHECK_AS(ValueError, minima == 0 || minima == groups,
                    "ReduceLROnPlateau: expected one of group_min_lrs for each of ", groups,
                    " groups, got ", minima);
}

bool ReduceLROnPlateau::is_better(double metric) const {
  using Options = ReduceLROnPlateauOptions;
  const bool relative = options_.threshold_mode() == Options::ThresholdMode::Rel;
  if (options_.mode() == Options::Mode::Min)
    return metric < (relative ? best_ * (1 - options_.threshold()) : best_ - options_.threshold());
  return metric > (relative ? best_ * (1 + options_.threshold()) : best_ + options_.threshold());
}

void ReduceLROnPlateau::step(double metric) {
  ++last_epoch_;
  if (is_better(metric)) {
    best_ = metric;
    num_bad_epochs_ = 0;
  } else {
    ++num_bad_epochs_;
  }
  if (cooldown_counter_ > 0) {
    --cooldown_counter_;
    num_bad_epochs_ = 0;
  }
  if (num_bad_epochs_ > options_.patience()) {
    reduce_lr();
    cooldown_counter_ = options_.cooldown();
    num_bad_epochs_ = 0;
  }
}

void ReduceLROnPlateau::reduce_lr() {
  auto& groups = optimizer_.param_groups();
  for (std::size_t i = 0; i < groups.size(); ++i) {
    OptimizerOptions& group = groups[i].options();
    const double least =
        i < options_.group_min_lrs().size() ? options_.group_min_lrs()[i] : options_.min_lr();
    const double old = group.get_lr(), reduced = std::max(old * options_.factor(), least);
    if (old - reduced > options_.eps()) group.set_lr(reduced);
  }
}

std::vector<double> ReduceLROnPlateau::get_last_lr() const {
  std::vector<double> lrs;
  for (const OptimizerParamGroup& group : optimizer_.param_groups())
    lrs.push_back(group.options().get_lr());
  return lrs;
}

void ReduceLROnPlateau::fields(FieldVisitor& visitor) {
  visitor.field("best", best_);
  visitor.field("num_bad_epochs", num_bad_epochs_);
  visitor.field("cooldown_counter", cooldown_counter_);
  visitor.field("last_epoch", last_epoch_);
}

void ReduceLROnPlateau::save(serialize::OutputArchive& archive) const {
  save_fields(archive,
              [this](FieldVisitor& v) { const_cast<ReduceLROnPlateau*>(this)->fields(v); });
}
void ReduceLROnPlateau::load(serialize::InputArchive& archive) {
  load_fields(archive, [this](FieldVisitor& v) { fields(v); });
}

serialize::OutputArchive& operator<<(serialize::OutputArchive& archive,
                                     const ReduceLROnPlateau& scheduler) {
  scheduler.save(archive);
  return archive;
}
serialize::InputArchive& operator>>(serialize::InputArchive& archive,
                                    ReduceLROnPlateau& scheduler) {
  scheduler.load(archive);
  return archive;
}

}  // namespace tapedeck::optim
