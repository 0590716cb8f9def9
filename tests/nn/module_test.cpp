#include <tapedeck/nn/module.h>

#include <sstream>

#include <gmock/gmock.h>

#include <tapedeck/tapedeck.h>

namespace tapedeck {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

template <typename F>
std::string message_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

struct Block : nn::Module {
  Block(std::int64_t in, std::int64_t out) {
    conv1 = register_module("conv1", nn::Conv2d(nn::Conv2dOptions(in, out, 3).padding(1)));
    bn = register_module("bn", nn::BatchNorm2d(out));
  }
  Tensor forward(const Tensor& x) { return bn(conv1(x)).relu(); }
  nn::Conv2d conv1{nullptr};
  nn::BatchNorm2d bn{nullptr};
};

struct Net : nn::Module {
  Net() {
    layer1 = register_module("layer1", std::make_shared<Block>(3, 8));
    layer2 = register_module("layer2", std::make_shared<Block>(8, 16));
    fc = register_module("fc", nn::Linear(16, 4));
    scale = register_parameter("scale", ones({1}));
  }
  Tensor forward(const Tensor& x) {
    return fc(layer2->forward(layer1->forward(x)).mean({2, 3})) * scale;
  }
  std::shared_ptr<Block> layer1, layer2;
  nn::Linear fc{nullptr};
  Tensor scale;
};

TEST(Module, ListsParametersBuffersAndModulesByPath) {
  const auto net = std::make_shared<Net>();
  EXPECT_THAT(net->named_parameters().keys(),
              ElementsAre("scale", "layer1.conv1.weight", "layer1.conv1.bias", "layer1.bn.weight",
                          "layer1.bn.bias", "layer2.conv1.weight", "layer2.conv1.bias",
                          "layer2.bn.weight", "layer2.bn.bias", "fc.weight", "fc.bias"));
  EXPECT_THAT(net->named_parameters(false).keys(), ElementsAre("scale"));
  EXPECT_EQ(net->parameters().size(), 11u);
  EXPECT_EQ(net->buffers().size(), 6u);
  EXPECT_THAT(net->named_buffers().keys()[0], "layer1.bn.running_mean");
  EXPECT_THAT(net->named_modules().keys(),
              ElementsAre("", "layer1", "layer1.conv1", "layer1.bn", "layer2", "layer2.conv1",
                          "layer2.bn", "fc"));
  EXPECT_THAT(net->named_modules("net", false).keys()[1], "net.layer1.conv1");
  EXPECT_THAT(net->named_children().keys(), ElementsAre("layer1", "layer2", "fc"));
  EXPECT_EQ(net->modules().size(), 8u);
  EXPECT_EQ(net->children().size(), 3u);
  EXPECT_EQ(net->modules()[7]->as<nn::Linear>(), net->fc.get());
  EXPECT_EQ(net->modules()[7]->as<nn::Conv2dImpl>(), nullptr);
}

TEST(Module, WhatIsSharedIsListedOnce) {
  const nn::Linear shared(3, 3);
  nn::Sequential net(shared, nn::ReLU(), shared);
  EXPECT_THAT(net->named_parameters().keys(), ElementsAre("0.weight", "0.bias"));
  EXPECT_EQ(net->state_dict().size(), 4u);
}

TEST(Module, TrainAndEvalReachEverything) {
  Net net;
  net.eval();
  EXPECT_FALSE(net.is_training());
  EXPECT_FALSE(net.layer2->bn->is_training());
  net.train();
  EXPECT_TRUE(net.layer2->bn->is_training());
}

TEST(Module, ApplyVisitsDepthFirst) {
  const auto net = std::make_shared<Net>();
  std::vector<std::string> names;
  net->apply([&](const std::string& name, nn::Module&) { names.push_back(name); }, "net");
  EXPECT_EQ(names.size(), 8u);
  EXPECT_EQ(names[0], "net");
  EXPECT_EQ(names[2], "net.layer1.conv1");
  int modules = 0, pointers = 0;
  net->apply([&](nn::Module&) { ++modules; });
  net->apply([&](const std::shared_ptr<nn::Module>&) { ++pointers; });
  std::as_const(*net).apply([&](const nn::Module&) { ++modules; });
  EXPECT_EQ(modules, 16);
  EXPECT_EQ(pointers, 8);
}

TEST(Module, ConvertsParametersAndFloatingBuffers) {
  Net net;
  net.fc->weight.mutable_grad() = ones({4, 16});
  net.to(kFloat64);
  EXPECT_EQ(net.scale.dtype(), kFloat64);
  EXPECT_EQ(net.layer1->conv1->weight.dtype(), kFloat64);
  EXPECT_TRUE(net.layer1->conv1->weight.requires_grad());
  EXPECT_TRUE(net.layer1->conv1->weight.is_leaf());
  EXPECT_EQ(net.layer1->bn->running_mean.dtype(), kFloat64);
  EXPECT_EQ(net.layer1->bn->num_batches_tracked.dtype(), kInt64);
  EXPECT_EQ(net.fc->weight.grad().dtype(), kFloat64);
  EXPECT_EQ(net.forward(ones({2, 3, 4, 4}, kFloat64)).dtype(), kFloat64);
  net.to(kCPU);
  net.to(dtype(kFloat32).device(kCPU));
  EXPECT_EQ(net.scale.dtype(), kFloat32);
  EXPECT_THAT(message_of([&] { net.to(kCUDA); }), HasSubstr("Module::to: device cuda"));
}

TEST(Module, ZeroGradClearsOrForgets) {
  Net net;
  net.forward(ones({2, 3, 4, 4})).sum().backward();
  EXPECT_NE(net.fc->bias.grad().abs().sum().item<float>(), 0);
  net.zero_grad();
  EXPECT_TRUE(net.fc->bias.grad().equal(zeros({4})));
  net.zero_grad(true);
  EXPECT_FALSE(net.fc->bias.grad().defined());
}

TEST(Module, RequiresGradReachesAllParameters) {
  Net net;
  net.requires_grad_(false);
  for (const Tensor& p : net.parameters()) EXPECT_FALSE(p.requires_grad());
  net.fc->requires_grad_();
  EXPECT_TRUE(net.fc->weight.requires_grad());
}

TEST(Module, RegistrationChecksNames) {
  struct Empty : nn::Module {};
  Empty module;
  module.register_parameter("w", ones({2}));
  EXPECT_EQ(message_of([&] { module.register_parameter("w", ones({2})); }),
            "Parameter 'w' already defined");
  EXPECT_EQ(message_of([&] { module.register_parameter("", ones({2})); }),
            "Parameter name must not be empty");
  EXPECT_EQ(message_of([&] { module.register_buffer("a.b", ones({2})); }),
            "Buffer name must not contain a dot (got 'a.b')");
  module.register_module("fc", nn::Linear(2, 3));
  EXPECT_EQ(message_of([&] { module.register_module("fc", nn::Linear(2, 3)); }),
            "Submodule 'fc' already defined");
  EXPECT_EQ(message_of([&] { module.replace_module("conv", nn::Linear(2, 3)); }),
            "Submodule 'conv' is not defined");
  module.replace_module("fc", nn::ReLU());
  EXPECT_TRUE(module.children()[0]->as<nn::ReLU>());
  EXPECT_EQ(message_of([&] { module.unregister_module("conv"); }),
            "No Module with name `conv` is registered");
  module.unregister_module("fc");
  EXPECT_TRUE(module.children().empty());
  EXPECT_THAT(message_of([&] { module.modules(); }), HasSubstr("is not stored in a shared_ptr"));
}

TEST(Module, NamesAreTheClassOrWhatWasGiven) {
  struct Named : nn::Module {
    Named() : Module("generator") {}
  };
  EXPECT_EQ(Named().name(), "generator");
  EXPECT_EQ(nn::Linear(2, 3)->name(), "tapedeck::nn::LinearImpl");
}

// ---- where errors happened ----

TEST(ModulePath, ErrorsEndInThePathOfTheLayer) {
  const auto net = std::make_shared<Net>();
  EXPECT_THAT(message_of([&] {
                net->forward(ones({2, 5, 4, 4}));
              }),
              EndsWith(" in net.layer1.conv1"));
  EXPECT_THAT(message_of([&] {
                net->fc(ones({2, 5}));
              }),
              "linear: weight expects 16 input features, input has 5 (input [2, 5], weight [4, 16])"
              " in net.fc");
  EXPECT_THAT(message_of([&] { nn::Linear(2, 3)(ones({2, 5})); }), EndsWith(" in linear"));
  // Outside of a call nothing is appended.
  EXPECT_THAT(message_of([&] { linear(ones({2, 5}), ones({3, 2})); }), EndsWith("weight [3, 2])"));
}

struct CheckerImpl : nn::Module {
  Tensor forward(const Tensor& x) {
    TAPEDECK_CHECK(x.dim() == 1, "expected a vector");
    return x;
  }
};
TAPEDECK_MODULE(Checker);

TEST(ModulePath, AUsersModuleCalledThroughItsHolderIsNamedToo) {
  struct Outer : nn::Module {
    Outer() { inner = register_module("inner", Checker()); }
    Tensor forward(const Tensor& x) { return inner(x); }
    Checker inner{nullptr};
  };
  Outer outer;
  EXPECT_EQ(message_of([&] { outer.forward(ones({2, 2})); }), "expected a vector in outer.inner");
  nn::Sequential net{nn::ReLU(), Checker()};
  EXPECT_EQ(message_of([&] { net->forward(ones({2, 2})); }), "expected a vector in sequential.1");
}

TEST(ModulePath, SurvivesTheParentAndMoves) {
  nn::Linear fc(2, 3);
  {
    nn::Sequential net(nn::ReLU(), fc);
    EXPECT_EQ(fc->path(), "sequential.1");
  }
  EXPECT_EQ(fc->path(), "linear");
  nn::Sequential whole(fc, nn::ReLU());
  const nn::Sequential part = whole->first(1);
  EXPECT_EQ(fc->path(), "sequential.0");
}

// ---- hooks ----

TEST(Hooks, ForwardHooksSeeAndReplaceInputsAndOutputs) {
  nn::Sequential net(nn::Linear(3, 3), nn::ReLU());
  int calls = 0;
  auto pre =
      net->ptr(0)->register_forward_pre_hook([&](nn::Module& m, std::vector<Tensor>& inputs) {
        EXPECT_TRUE(m.as<nn::Linear>());
        inputs[0] = inputs[0] * 0;
        ++calls;
      });
  auto post = net->ptr(1)->register_forward_hook(
      [&](nn::Module&, const std::vector<Tensor>& inputs, std::vector<Tensor>& outputs) {
        EXPECT_EQ(inputs.size(), 1u);
        outputs[0] = outputs[0] + 5;
        ++calls;
      });
  const Tensor bias = net->at<nn::LinearImpl>(0).bias;
  const Tensor y = net->forward(ones({2, 3}));
  EXPECT_TRUE(y.allclose((bias.relu() + 5).expand({2, 3})));
  EXPECT_EQ(calls, 2);
  pre.remove();
  post.remove();
  post.remove();
  net->forward(ones({2, 3}));
  EXPECT_EQ(calls, 2);
}

TEST(Hooks, RunOnceForACallThroughAHolderOrForwardAlike) {
  nn::Linear fc(3, 2);
  int calls = 0;
  fc->register_forward_hook([&](auto&, const auto&, auto&) { ++calls; });
  fc(ones({1, 3}));
  EXPECT_EQ(calls, 1);
  fc->forward(ones({1, 3}));
  EXPECT_EQ(calls, 2);
  nn::AnyModule any(fc);
  any.forward(ones({1, 3}));
  EXPECT_EQ(calls, 3);
}

TEST(Hooks, BackwardHooksSeeAndReplaceGradients) {
  nn::Linear fc(3, 2);
  std::vector<Tensor> seen_inputs, seen_outputs;
  auto handle = fc->register_full_backward_hook(
      [&](nn::Module&, std::vector<Tensor>& grad_inputs, const std::vector<Tensor>& grad_outputs) {
        seen_inputs = grad_inputs;
        seen_outputs = grad_outputs;
        if (grad_inputs[0].defined()) grad_inputs[0] = grad_inputs[0] * 2;
      });
  const Tensor x = ones({4, 3}).requires_grad_();
  (fc(x) * 3).sum().backward();
  ASSERT_EQ(seen_inputs.size(), 1u);
  EXPECT_TRUE(seen_outputs[0].equal(full({4, 2}, 3.0)));
  EXPECT_TRUE(seen_inputs[0].allclose(matmul(full({4, 2}, 3.0), fc->weight)));
  EXPECT_TRUE(x.grad().allclose(seen_inputs[0] * 2));
  // Without an input that needs a gradient the hook still runs.
  seen_outputs.clear();
  fc(ones({4, 3})).sum().backward();
  EXPECT_EQ(seen_outputs.size(), 1u);
  EXPECT_FALSE(seen_inputs[0].defined());
  handle.remove();
  seen_outputs.clear();
  fc(x).sum().backward();
  EXPECT_TRUE(seen_outputs.empty());
}

TEST(Hooks, MustKeepTheNumberOfTensors) {
  nn::Linear fc(3, 2);
  fc->register_forward_hook([](auto&, const auto&, auto& outputs) { outputs.clear(); });
  EXPECT_THAT(message_of([&] { fc(ones({1, 3})); }), HasSubstr("expected 1, got 0"));
}

// ---- copies ----

TEST(Clone, IsDeepAndKeepsSettings) {
  nn::Sequential net(nn::Linear(3, 3), nn::BatchNorm1d(3), nn::Sequential(nn::Linear(3, 2)));
  net->at<nn::LinearImpl>(0).weight.requires_grad_(false);
  net->forward(randn({4, 3}));
  net->eval();
  const auto copy = std::dynamic_pointer_cast<nn::SequentialImpl>(net->clone());
  ASSERT_TRUE(copy);
  const auto ours = net->state_dict(), theirs = copy->state_dict();
  EXPECT_EQ(ours.keys(), theirs.keys());
  for (const auto& item : ours) {
    EXPECT_TRUE(theirs[item.key()].equal(item.value())) << item.key();
    EXPECT_FALSE(theirs[item.key()].is_alias_of(item.value())) << item.key();
  }
  EXPECT_FALSE(copy->at<nn::LinearImpl>(0).weight.requires_grad());
  EXPECT_TRUE(copy->at<nn::LinearImpl>(0).bias.requires_grad());
  EXPECT_FALSE(copy->ptr(1)->is_training());
  EXPECT_TRUE(copy->forward(ones({2, 3})).equal(net->forward(ones({2, 3}))));
  EXPECT_EQ(copy->ptr(0)->path(), "sequential.0");
}

class PairImpl : public nn::Cloneable<PairImpl> {
 public:
  PairImpl() { reset(); }
  void reset() override {
    a = register_module("a", nn::Linear(2, 3));
    b = register_parameter("b", randn({3}));
    c = register_buffer("c", zeros({1}));
  }
  Tensor forward(const Tensor& x) { return a(x) + b; }
  nn::Linear a{nullptr};
  Tensor b, c;
};
TAPEDECK_MODULE(Pair);

TEST(Clone, WorksForUsersModules) {
  Pair module;
  const auto copy = std::dynamic_pointer_cast<PairImpl>(module->clone());
  const Tensor x = randn({2, 2});
  EXPECT_TRUE(copy->forward(x).equal(module->forward(x)));
  {
    const NoGradGuard no_grad;
    module->a->weight.add_(1);
  }
  EXPECT_FALSE(copy->forward(x).equal(module->forward(x)));
  EXPECT_EQ(copy->a->path(), "pair.a");
  struct Plain : nn::Module {};
  EXPECT_THAT(message_of([] { Plain().clone(); }),
              HasSubstr("clone() has not been implemented for"));
  EXPECT_THAT(message_of([&] { module->clone(kCUDA); }), HasSubstr("device cuda"));
}

TEST(Clone, NoticesWhatResetForgot) {
  struct Forgetful : nn::Cloneable<Forgetful> {
    Forgetful() { register_parameter("w", ones({2})); }
    void reset() override {}
  };
  EXPECT_THAT(message_of([] { Forgetful().clone(); }),
              HasSubstr("clone: the module has 1 parameters, but after reset() its copy has 0"));
}

// ---- state ----

TEST(StateDict, LoadsWhatItSaved) {
  const auto a = std::make_shared<Net>(), b = std::make_shared<Net>();
  const auto keys = b->load_state_dict(a->state_dict());
  EXPECT_TRUE(keys.missing_keys.empty() && keys.unexpected_keys.empty());
  a->eval();
  b->eval();
  const Tensor x = randn({2, 3, 4, 4});
  EXPECT_TRUE(a->forward(x).equal(b->forward(x)));
  EXPECT_TRUE(b->scale.requires_grad());
  EXPECT_THAT(a->fc->state_dict("fc.").keys(), ElementsAre("fc.weight", "fc.bias"));
}

TEST(StateDict, ErrorsListEverythingAndChangeNothing) {
  nn::Linear a(2, 3), b(2, 3);
  OrderedDict<std::string, Tensor> state;
  state.insert("weight", ones({3, 4}));
  state.insert("other", ones({1}));
  const Tensor before = b->weight.detach().clone();
  EXPECT_EQ(message_of([&] { b->load_state_dict(state); }),
            "Error(s) in loading state_dict for Linear:\n"
            "\tMissing key(s) in state_dict: \"bias\". \n"
            "\tUnexpected key(s) in state_dict: \"other\". \n"
            "\tsize mismatch for weight: copying a param with shape torch.Size([3, 4]) from "
            "checkpoint, the shape in current model is torch.Size([3, 2]).");
  EXPECT_TRUE(b->weight.equal(before));
  // Not strict: keys may differ, shapes may not.
  EXPECT_THAT(message_of([&] { b->load_state_dict(state, false); }), HasSubstr("size mismatch"));
  state["weight"] = ones({3, 2});
  const auto keys = b->load_state_dict(state, false);
  EXPECT_THAT(keys.missing_keys, ElementsAre("bias"));
  EXPECT_THAT(keys.unexpected_keys, ElementsAre("other"));
  EXPECT_TRUE(b->weight.equal(ones({3, 2})));
}

TEST(Archive, ModulesAreWrittenAndReadAllOrNothing) {
  const auto a = std::make_shared<Net>(), b = std::make_shared<Net>();
  std::stringstream file;
  save(a, file);
  load(b, file);
  for (const auto& item : a->state_dict())
    EXPECT_TRUE(b->state_dict()[item.key()].equal(item.value())) << item.key();
  nn::Sequential net(nn::Linear(2, 3), nn::ReLU(), nn::Linear(3, 1)),
      other(nn::Linear(2, 3), nn::ReLU(), nn::Linear(4, 1));
  std::stringstream second;
  save(net, second);
  const Tensor before = other->at<nn::LinearImpl>(0).weight.detach().clone();
  EXPECT_THAT(message_of([&] { load(other, second); }), HasSubstr("2.weight"));
  EXPECT_TRUE(other->at<nn::LinearImpl>(0).weight.equal(before));
}

}  // namespace
}  // namespace tapedeck
