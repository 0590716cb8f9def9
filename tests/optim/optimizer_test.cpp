#include <sstream>

#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/optim/optim.h>
#include "tests/support/arrays.h"
#include "tests/support/message_of.h"

namespace tapedeck::optim {
namespace {

using tapedeck::testing::array_of;
using tapedeck::testing::message_of;
using tapedeck::testing::values;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Variable parameter(std::vector<float> v) {
  Variable p(array_of(v, {static_cast<std::int64_t>(v.size())}));
  p.set_requires_grad(true);
  return p;
}
Variable floats(std::vector<float> v) {
  return Variable(array_of(v, {static_cast<std::int64_t>(v.size())}));
}

std::string printed(const Optimizer& optimizer) {
  std::ostringstream out;
  out << optimizer;
  return out.str();
}

TEST(Optimizer, ParametersAreChecked) {
  const auto error = [](std::vector<Variable> params) {
    return message_of([&] { SGD optimizer(params, SGDOptions(0.1)); });
  };
  const Variable p = parameter({1, 2});
  EXPECT_EQ(message_of([] { SGD(std::vector<Variable>(), SGDOptions(0.1)).step(); }),
            "SGD: optimizer got an empty parameter list");
  EXPECT_EQ(error({p * 2}), "can't optimize a non-leaf Tensor");
  EXPECT_EQ(error({p, Variable()}), "optimizer: parameter 1 is undefined");
  EXPECT_EQ(error({p, p}),
            "optimizer: parameter 1 (shape [2]): some parameters appear in more than one parameter "
            "group");
  EXPECT_EQ(error({Variable(array_of<std::int64_t>({1}, {1}))}),
            "optimizer: parameter 0 is of dtype Long, expected a floating point type");
  SGD optimizer({p}, SGDOptions(0.1));
  EXPECT_THAT(message_of([&] { optimizer.add_param_group(OptimizerParamGroup({p})); }),
              HasSubstr("some parameters appear in more than one parameter group"));
  EXPECT_THAT(message_of([&] {
                optimizer.add_param_group(
                    OptimizerParamGroup({parameter({1})}, std::make_unique<AdamOptions>()));
              }),
              HasSubstr("the options of parameter group 1 are those of another optimizer"));
  EXPECT_EQ(optimizer.size(), 1u);
}

TEST(Optimizer, OptionsAreChecked) {
  const std::vector<Variable> p{parameter({1})};
  EXPECT_EQ(message_of([&] { SGD o(p, SGDOptions(-1)); }), "Invalid learning rate: -1");
  EXPECT_EQ(message_of([&] { SGD o(p, SGDOptions(1).momentum(-0.5)); }),
            "Invalid momentum value: -0.5");
  EXPECT_EQ(message_of([&] { SGD o(p, SGDOptions(1).weight_decay(-2)); }),
            "Invalid weight_decay value: -2");
  EXPECT_EQ(message_of([&] { SGD o(p, SGDOptions(1).nesterov(true)); }),
            "Nesterov momentum requires a momentum and zero dampening");
  EXPECT_EQ(message_of([&] { SGD o(p, SGDOptions(std::nan(""))); }), "Invalid learning rate: nan");
  EXPECT_EQ(message_of([&] { Adam o(p, AdamOptions(1).eps(-1)); }), "Invalid epsilon value: -1");
  EXPECT_EQ(message_of([&] {
              Adam o(p, AdamOptions(1).betas({1.0, 0.9}));
            }),
            "Invalid beta parameter at index 0: 1");
  EXPECT_EQ(message_of([&] {
              AdamW o(p, AdamWOptions(1).betas({0.9, -0.1}));
            }),
            "Invalid beta parameter at index 1: -0.1");
  EXPECT_EQ(message_of([&] { RMSprop o(p, RMSpropOptions(1).alpha(-1)); }),
            "Invalid alpha value: -1");
  EXPECT_EQ(message_of([&] { Adagrad o(p, AdagradOptions(1).lr_decay(-1)); }),
            "Invalid lr_decay value: -1");
  EXPECT_EQ(message_of([&] { Adadelta o(p, AdadeltaOptions(1).rho(2)); }), "Invalid rho value: 2");
  EXPECT_EQ(message_of([&] { NAdam o(p, NAdamOptions(1).momentum_decay(-1)); }),
            "Invalid momentum_decay value: -1");
}

TEST(Optimizer, OptionsCanBeChangedWhileTraining) {
  Variable p = parameter({1});
  SGD optimizer({p}, 0.1);
  p.mutable_grad() = floats({1});
  static_cast<SGDOptions&>(optimizer.param_groups()[0].options()).lr(0.5);
  optimizer.step();
  EXPECT_EQ(p.item<float>(), 0.5f);
  optimizer.param_groups()[0].options().set_lr(0.25);
  EXPECT_EQ(optimizer.param_groups()[0].options().get_lr(), 0.25);
  optimizer.step();
  EXPECT_EQ(p.item<float>(), 0.25f);
  auto& options = static_cast<SGDOptions&>(optimizer.param_groups()[0].options());
  options.momentum(0.5);
  optimizer.step();
  EXPECT_EQ(p.item<float>(), 0.f);
  optimizer.step();
  EXPECT_EQ(p.item<float>(), -0.375f);
}

TEST(Optimizer, GroupsHaveTheirOwnOptions) {
  Variable a = parameter({1}), b = parameter({1});
  std::vector<OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<Variable>{a});
  groups.emplace_back(std::vector<Variable>{b}, std::make_unique<SGDOptions>(0.5));
  SGD optimizer(groups, SGDOptions(0.25));
  EXPECT_EQ(optimizer.size(), 2u);
  EXPECT_TRUE(optimizer.parameters()[0].is_same(a));
  a.mutable_grad() = floats({1});
  b.mutable_grad() = floats({1});
  optimizer.step();
  EXPECT_EQ(a.item<float>(), 0.75f);
  EXPECT_EQ(b.item<float>(), 0.5f);
}

TEST(Optimizer, ParametersWithoutGradientStay) {
  Variable a = parameter({1}), b = parameter({2});
  Adam optimizer({a, b}, AdamOptions(0.1));
  a.mutable_grad() = floats({1});
  optimizer.step();
  EXPECT_EQ(b.item<float>(), 2);
  EXPECT_EQ(optimizer.state().size(), 1u);
  // The state is found by the parameter, or by its address as text.
  std::ostringstream address;
  address << a.unsafeGetTensorImpl();
  auto& state = static_cast<AdamParamState&>(*optimizer.state().at(address.str()));
  EXPECT_EQ(state.step(), 1);
  EXPECT_EQ(&state, optimizer.state().at(a).get());
}

TEST(Optimizer, GradientOfAnotherShapeChangesNothing) {
  Variable a = parameter({1}), b = parameter({2, 3});
  Adam optimizer({a, b}, AdamOptions(0.1));
  a.mutable_grad() = floats({1});
  b.mutable_grad() = floats({1, 2});
  b.set_data(floats({1, 2, 3}));
  EXPECT_EQ(message_of([&] { optimizer.step(); }),
            "Adam: a parameter of shape [3] and dtype Float has a gradient of shape [2] and dtype "
            "Float");
  EXPECT_EQ(a.item<float>(), 1);
  EXPECT_TRUE(optimizer.state().empty());
}

TEST(Optimizer, ZeroGrad) {
  Variable p = parameter({1, 2});
  SGD optimizer({p}, 0.1);
  optimizer.zero_grad();
  EXPECT_FALSE(p.grad().defined());
  p.mutable_grad() = floats({3, 4});
  optimizer.zero_grad();
  EXPECT_THAT(values<float>(p.grad().array()), ElementsAre(0, 0));
  optimizer.zero_grad(/*set_to_none=*/true);
  EXPECT_FALSE(p.grad().defined());
}

// Nobody has asked for these gradients, so that zero_grad may give their memory up.
TEST(Optimizer, ZeroGradOfGradientsThatNobodyHasSeen) {
  const Variable p = parameter({1, 2});
  SGD optimizer({p}, SGDOptions(1.0));
  (p * floats({3, 4})).sum().backward();
  optimizer.zero_grad();
  EXPECT_THAT(values<float>(p.grad().array()),
              ElementsAre(0, 0));  // zeros are there once somebody looks

  const Variable q = parameter({1, 2});
  SGD decaying({q}, SGDOptions(1.0).weight_decay(0.5));
  (q * floats({3, 4})).sum().backward();
  decaying.zero_grad();
  decaying.step();  // a gradient of zeros, not none: weight decay acts
  EXPECT_THAT(values<float>(q.array()), ElementsAre(0.5, 1));

  const Variable r = parameter({1, 2});
  SGD plain({r}, SGDOptions(1.0));
  for (int i = 0; i < 3; ++i) {
    plain.zero_grad();
    (r * floats({3, 4})).sum().backward();
    (r * floats({1, 1})).sum().backward();
    plain.step();
  }
  EXPECT_THAT(values<float>(r.grad().array()), ElementsAre(4, 5));
  EXPECT_THAT(values<float>(r.array()), ElementsAre(-11, -13));
  plain.zero_grad();
  plain.zero_grad(/*set_to_none=*/true);
  EXPECT_FALSE(r.grad().defined());

  const Variable s = parameter({1, 2});
  SGD none({s}, SGDOptions(1.0));
  (s * floats({3, 4})).sum().backward();
  none.zero_grad();
  none.zero_grad(/*set_to_none=*/true);
  EXPECT_FALSE(s.grad().defined());
}

TEST(Optimizer, GradientsThatWereSeenStayInTheirMemory) {
  const Variable p = parameter({1, 2});
  SGD optimizer({p}, SGDOptions(1.0));
  (p * floats({3, 4})).sum().backward();
  const void* const memory = p.grad().data_ptr();  // without holding the tensor
  for (int i = 0; i < 3; ++i) {
    optimizer.zero_grad();
    (p * floats({5, 6})).sum().backward();
    optimizer.step();
    EXPECT_EQ(p.grad().data_ptr(), memory);
    EXPECT_THAT(values<float>(p.grad().array()), ElementsAre(5, 6));
  }

  // A hook sees a gradient too, and may keep it.
  const Variable q = parameter({1, 2});
  SGD other({q}, SGDOptions(1.0));
  Variable kept;
  q.register_hook([&](const Variable& g) { kept = g; });
  (q * floats({3, 4})).sum().backward();
  other.zero_grad();
  EXPECT_THAT(values<float>(kept.array()), ElementsAre(3, 4));
}

TEST(Optimizer, ZerosThatAreFirstSeenInInferenceModeAreOrdinaryTensors) {
  const Variable p = parameter({1, 2});
  SGD optimizer({p}, SGDOptions(1.0));
  (p * floats({3, 4})).sum().backward();
  optimizer.zero_grad();
  {
    const InferenceMode inference;
    EXPECT_FALSE(p.grad().is_inference());
  }
  (p * floats({3, 4})).sum().backward();
  EXPECT_THAT(values<float>(p.grad().array()), ElementsAre(3, 4));
}

TEST(Optimizer, StepReturnsTheClosuresLossAndRecords) {
  Variable p = parameter({3});
  SGD optimizer({p}, 0.5);
  const NoGradGuard no_grad;
  const Variable loss = optimizer.step([&] {
    optimizer.zero_grad();
    const Variable l = p * p;
    l.backward();
    return l;
  });
  EXPECT_EQ(loss.item<float>(), 9);
  EXPECT_EQ(p.item<float>(), 0);
  EXPECT_FALSE(optimizer.step().defined());
}

TEST(Optimizer, StepIsSeenByTheTape) {
  Variable p = parameter({3});
  SGD optimizer({p}, 0.5);
  const Variable loss = p * p;
  loss.backward(Variable(), /*retain_graph=*/true);
  optimizer.step();
  EXPECT_THAT(message_of([&] { loss.backward(); }), HasSubstr("modified"));
}

// Behaviour B10.
TEST(BehaviourB10, PrintsAsPython) {
  const std::vector<Variable> p{parameter({1})};
  EXPECT_EQ(printed(Adam(p, AdamOptions(1e-3))),
            "Adam (\n"
            "Parameter Group 0\n"
            "    amsgrad: False\n"
            "    betas: (0.9, 0.999)\n"
            "    eps: 1e-08\n"
            "    lr: 0.001\n"
            "    weight_decay: 0\n"
            ")");
  SGD sgd(p, SGDOptions(0.1).momentum(0.9));
  sgd.add_param_group(OptimizerParamGroup({parameter({1})}, std::make_unique<SGDOptions>(1.5e-5)));
  EXPECT_EQ(printed(sgd),
            "SGD (\n"
            "Parameter Group 0\n"
            "    dampening: 0\n"
            "    lr: 0.1\n"
            "    maximize: False\n"
            "    momentum: 0.9\n"
            "    nesterov: False\n"
            "    weight_decay: 0\n"
            "\n"
            "Parameter Group 1\n"
            "    dampening: 0\n"
            "    lr: 1.5e-05\n"
            "    maximize: False\n"
            "    momentum: 0\n"
            "    nesterov: False\n"
            "    weight_decay: 0\n"
            ")");
}

}  // namespace
}  // namespace tapedeck::optim
