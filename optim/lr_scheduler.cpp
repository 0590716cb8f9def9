#include <tapedeck/optim/lr_scheduler.h>

#include <tapedeck/array/error.h>
#include <tapedeck/optim/internal/archive_fields.h>

namespace tapedeck::optim {

LRScheduler::LRScheduler(Optimizer& optimizer) : optimizer_(optimizer) {
  for (OptimizerParamGroup& group : optimizer_.param_groups())
    if (!group.initial_lr()) group.set_initial_lr(group.options().get_lr());
  last_lrs_ = get_current_lrs();
}

void LRScheduler::step() {
  set_optimizer_lrs(get_lrs());
  ++step_count_;
}

void LRScheduler::restart() {
  step_count_ = 0;
  set_optimizer_lrs(get_base_lrs());
}

std::vector<double> LRScheduler::get_current_lrs() const {
  std::vector<double> lrs;
  for (const OptimizerParamGroup& group : optimizer_.param_groups())
    lrs.push_back(group.options().get_lr());
  return lrs;
}

std::vector<double> LRScheduler::get_base_lrs() const {
  std::vector<double> lrs;
  for (const OptimizerParamGroup& group : optimizer_.param_groups())
    lrs.push_back(group.initial_lr().value_or(group.options().get_lr()));
  return lrs;
}

void LRScheduler::set_optimizer_lrs(const std::vector<double>& learning_rates) {
  std::vector<OptimizerParamGroup>& groups = optimizer_.param_groups();
  TAPEDECK_CHECK(learning_rates.size() == groups.size(),
                 "Number of learning rates not equal to the number of param groups\n"
                 "Number of learning rates given: ",
                 learning_rates.size(), "\nNumber of param groups: ", groups.size());
  for (std::size_t i = 0; i < groups.size(); ++i) groups[i].options().set_lr(learning_rates[i]);
  last_lrs_ = learning_rates;
}

void LRScheduler::fields(FieldVisitor& visitor) {
  std::int64_t count = step_count_;
  visitor.field("step_count", count);
  step_count_ = static_cast<unsigned>(count);
  visitor.field("last_lr", last_lrs_);
}

void LRScheduler::save(serialize::OutputArchive& archive) const {
  save_fields(archive, [this](FieldVisitor& v) { const_cast<LRScheduler*>(this)->fields(v); });
}
void LRScheduler::load(serialize::InputArchive& archive) {
  load_fields(archive, [this](FieldVisitor& v) { fields(v); });
}

serialize::OutputArchive& operator<<(serialize::OutputArchive& archive,
                                     const LRScheduler& scheduler) {
  scheduler.save(archive);
  return archive;
}
serialize::InputArchive& operator>>(serialize::InputArchive& archive, LRScheduler& scheduler) {
  scheduler.load(archive);
  return archive;
}

StepLR::StepLR(Optimizer& optimizer, unsigned step_size, double gamma)
    : LRScheduler(optimizer), step_size_(step_size), gamma_(gamma) {
  TAPEDECK_CHECK_AS(ValueError, step_size > 0, "StepLR: expected a positive step_size, got 0");
}

std::vector<double> StepLR::get_lrs() {
  std::vector<double> lrs = get_current_lrs();
  if (step_count_ != 0 && step_count_ % step_size_ == 0)
    for (double& lr : lrs) lr *= gamma_;
  return lrs;
}

void EpochScheduler::start() { set_optimizer_lrs(lrs_of(0)); }

void EpochScheduler::restart() {
  LRScheduler::restart();
  start();
}

std::vector<double> EpochScheduler::lrs_of(std::int64_t epoch) {
  std::vector<double> lrs = get_current_lrs();
  for (std::size_t i = 0; i < lrs.size(); ++i) lrs[i] = next_lr(epoch, i, lrs[i]);
  return lrs;
}

}  // namespace tapedeck::optim
