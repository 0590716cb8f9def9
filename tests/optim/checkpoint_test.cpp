#include <cstring>
#include <functional>
#include <sstream>

#include <tapedeck/optim/optim.h>
#include <tapedeck/serialize/save.h>
#include "tests/support/arrays.h"
#include "tests/support/message_of.h"

namespace tapedeck::optim {
namespace {

using tapedeck::testing::array_of;
using tapedeck::testing::message_of;
using tapedeck::testing::random_array;
using tapedeck::testing::values;
using ::testing::HasSubstr;

struct Training {
  std::vector<Variable> params;
  std::unique_ptr<Optimizer> optimizer;
};
using Make = std::function<std::unique_ptr<Optimizer>(const std::vector<Variable>&)>;

Training start(const Make& make) {
  Training run;
  for (std::uint64_t k = 0; k < 3; ++k) {
    run.params.emplace_back(random_array({3, 7}, k == 2 ? kFloat64 : kFloat32, k));
    run.params.back().set_requires_grad(true);
  }
  run.optimizer = make(run.params);
  return run;
}

void train(Training& run, int from, int to) {
  for (int step = from; step < to; ++step) {
    for (std::size_t k = 0; k < run.params.size(); ++k)
      run.params[k].mutable_grad() = Variable(
          random_array({3, 7}, run.params[k].dtype(), static_cast<std::uint64_t>(step) * 10 + k));
    run.optimizer->step();
  }
}

template <typename Opt, typename Options>
Make maker(Options options) {
  return [options](const std::vector<Variable>& params) {
    return std::make_unique<Opt>(params, options);
  };
}

const std::vector<std::pair<const char*, Make>> kMakers = {
    {"SGD", maker<SGD>(SGDOptions(0.1).momentum(0.9))},
    {"Adam", maker<Adam>(AdamOptions(0.1).amsgrad(true))},
    {"AdamW", maker<AdamW>(AdamWOptions(0.1))},
    {"RMSprop", maker<RMSprop>(RMSpropOptions(0.1).centered(true).momentum(0.5))},
    {"Adagrad", maker<Adagrad>(AdagradOptions(0.1).lr_decay(0.1))},
    {"Adadelta", maker<Adadelta>(AdadeltaOptions())},
    {"NAdam", maker<NAdam>(NAdamOptions())},
    {"RAdam", maker<RAdam>(RAdamOptions())}};

TEST(Checkpoint, ResumesBitForBit) {
  for (const auto& [name, make] : kMakers) {
    Training whole = start(make), first = start(make), second = start(make);
    train(first, 0, 4);
    first.optimizer->param_groups()[0].options().set_lr(0.05);
    std::stringstream model, state;
    save(first.params, model);
    save(*first.optimizer, state);

    std::vector<Variable> loaded;
    load(loaded, model);
    for (std::size_t k = 0; k < 3; ++k) second.params[k].set_data(loaded[k]);
    load(*second.optimizer, state);
    train(second, 4, 9);

    train(whole, 0, 4);
    whole.optimizer->param_groups()[0].options().set_lr(0.05);
    train(whole, 4, 9);
    for (std::size_t k = 0; k < 3; ++k)
      EXPECT_EQ(std::memcmp(whole.params[k].data_ptr(), second.params[k].data_ptr(),
                            whole.params[k].nbytes()),
                0)
          << name << " " << k;
  }
}

TEST(Checkpoint, HoldsOptionsAndStateByName) {
  Training run = start(kMakers[1].second);
  train(run, 0, 2);
  serialize::OutputArchive out;
  out << *run.optimizer;
  std::stringstream stream;
  out.save_to(stream);
  serialize::InputArchive in;
  in.load_from(stream);
  IValue value;
  in.read("param_groups.0.options.betas", value);
  EXPECT_EQ(value.toDoubleVector(), (std::vector<double>{0.9, 0.999}));
  in.read("state.1.step", value);
  EXPECT_EQ(value.toInt(), 2);
  Variable average;
  in.read("state.2.max_exp_avg_sq", average);
  EXPECT_EQ(average.dtype(), kFloat64);
}

TEST(Checkpoint, WhatDoesNotFitChangesNothing) {
  Training adam = start(kMakers[1].second);
  train(adam, 0, 2);
  std::stringstream stream;
  save(*adam.optimizer, stream);
  const std::string bytes = stream.str();
  const auto error = [&](Optimizer& optimizer) {
    std::istringstream in(bytes);
    return message_of([&] { load(optimizer, in); });
  };
  Training sgd = start(kMakers[0].second);
  EXPECT_EQ(error(*sgd.optimizer), "load: the stream holds the state of Adam, expected SGD");

  Variable p(random_array({3, 7}, kFloat32, 1));
  Adam fewer({p}, AdamOptions(0.7));
  EXPECT_THAT(error(fewer), HasSubstr("has a different size than the optimizer's parameter group "
                                      "(group 0 with 3 parameters, expected 1)"));
  Adam groups({p}, AdamOptions(0.7));
  groups.add_param_group(OptimizerParamGroup({Variable(random_array({2}, kFloat32, 1))}));
  EXPECT_EQ(error(groups),
            "load: the stream: loaded state dict has a different number of parameter groups (1, "
            "expected 2)");

  Variable q(random_array({7, 3}, kFloat32, 1)), r(random_array({3, 7}, kFloat64, 1));
  Adam shapes({p, q, r}, AdamOptions(0.7));
  p.mutable_grad() = p.clone();
  shapes.step();
  const auto& state = static_cast<AdamParamState&>(*shapes.state().at(p));
  EXPECT_EQ(error(shapes),
            "load: the stream: the state 'exp_avg' of parameter 1 has shape [3, 7] and dtype "
            "Float, expected [7, 3] and Float");
  EXPECT_EQ(shapes.param_groups()[0].options().get_lr(), 0.7);
  EXPECT_EQ(state.step(), 1);

  // Any damage is an error, and leaves the optimiser alone.
  for (std::size_t i = 0; i < bytes.size(); i += 7) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    std::istringstream in(damaged);
    EXPECT_NE(message_of([&] { load(shapes, in); }), "no error");
    std::istringstream cut(bytes.substr(0, i));
    EXPECT_NE(message_of([&] { load(shapes, cut); }), "no error");
  }
  EXPECT_EQ(state.step(), 1);
}

TEST(Checkpoint, SchedulersResume) {
  Variable p(random_array({2}, kFloat32, 1));
  SGD a({p}, SGDOptions(1.0)), b({p}, SGDOptions(1.0));
  CosineAnnealingWarmRestarts x(a, 3, 2, 0.1), y(b, 3, 2, 0.1);
  for (int i = 0; i < 7; ++i) x.step();
  std::stringstream optimizer, scheduler;
  save(a, optimizer);
  save(x, scheduler);
  load(b, optimizer);
  load(y, scheduler);
  for (int i = 0; i < 9; ++i) {
    EXPECT_EQ(a.param_groups()[0].options().get_lr(), b.param_groups()[0].options().get_lr());
    x.step();
    y.step();
  }
  std::stringstream other;
  save(p, other);
  EXPECT_THAT(message_of([&] { load(y, other); }),
              HasSubstr("does not have a field with name 'step_count'"));
  EXPECT_EQ(y.get_last_lr(), x.get_last_lr());
}

}  // namespace
}  // namespace tapedeck::optim
