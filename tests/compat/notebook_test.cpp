// A PyTorch notebook's ways of saying things, in C++: modules, devices, training, inference.

#include <torch/torch.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>

namespace {

using testing::HasSubstr;

struct MlpImpl : torch::nn::Module {
  MlpImpl(int64_t inputs, int64_t hidden, int64_t classes)
      : fc1(register_module("fc1", torch::nn::Linear(inputs, hidden))),
        fc2(register_module("fc2", torch::nn::Linear(hidden, classes))) {
    register_module("relu", relu);
  }
  torch::Tensor forward(const torch::Tensor& x) { return fc2(relu(fc1(x))); }

  torch::nn::Linear fc1, fc2;
  torch::nn::ReLU relu;
};
TORCH_MODULE(Mlp);

// forward returns the logits and what they were computed from, as the notebook's network does.
struct CnnImpl : torch::nn::Module {
  CnnImpl()
      : layer1(torch::nn::Conv2d(1, 16, 5, 1, 2), torch::nn::ReLU(), torch::nn::MaxPool2d(2)),
        layer2(torch::nn::Conv2d(
                   torch::nn::Conv2dOptions(16, 32, {5, 5}).stride({1, 1}).padding({2, 2})),
               torch::nn::ReLU(), torch::nn::MaxPool2d(2)),
        out(32 * 7 * 7, 10) {
    register_module("layer1", layer1);
    register_module("layer2", layer2);
    register_module("out", out);
  }
  std::tuple<torch::Tensor, torch::Tensor> forward(torch::Tensor x) {
    x = layer2->forward(layer1->forward(x));
    x = x.view({x.size(0), -1});
    return {out(x), x};
  }

  torch::nn::Sequential layer1, layer2;
  torch::nn::Linear out;
};
TORCH_MODULE(Cnn);

TEST(Notebook, AllFormsOfAModule) {
  torch::manual_seed(0);
  Cnn cnn;
  const auto [logits, features] = cnn->forward(torch::rand({3, 1, 28, 28}));
  EXPECT_EQ(logits.sizes(), torch::IntArrayRef({3, 10}));
  EXPECT_EQ(features.sizes(), torch::IntArrayRef({3, 1568}));
  int64_t parameters = 0;
  for (const auto& p : cnn->parameters()) parameters += p.numel();
  EXPECT_EQ(parameters, 28938);
  EXPECT_EQ(cnn->named_parameters().keys().front(), "layer1.0.weight");

  Mlp mlp(784, 500, 10);
  EXPECT_EQ(mlp(torch::rand({2, 784})).sizes(), torch::IntArrayRef({2, 10}));
  torch::nn::Sequential mixed(mlp, torch::nn::Functional(torch::relu), torch::nn::Softmax(1));
  EXPECT_TRUE(torch::allclose(mixed->forward(torch::rand({2, 784})).sum(1), torch::ones({2})));
}

TEST(Notebook, ModulesMoveToTheCpuAndNowhereElse) {
  Mlp mlp(4, 3, 2);
  const torch::Device device(torch::cuda::is_available() ? torch::kCUDA : torch::kCPU);
  mlp->to(device);
  EXPECT_EQ(torch::rand({2}).to(device).device(), device);
  try {
    torch::rand({2}).to(torch::kCUDA);
    FAIL() << "no error";
  } catch (const c10::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("device cuda is not supported"));
  }
  EXPECT_THROW(mlp->to(torch::Device("cuda:0")), c10::Error);
  EXPECT_TRUE(mlp->parameters()[0].is_cpu());
}

TEST(Notebook, TheTrainingLoopLearns) {
  torch::manual_seed(3);
  Mlp mlp(8, 32, 4);
  torch::nn::CrossEntropyLoss criterion;
  torch::optim::Adam optimizer(mlp->parameters(), 1e-2);
  const auto inputs = torch::randn({64, 8});
  const auto labels = inputs.slice(1, 0, 4).argmax(1);

  double first = 0, last = 0;
  for (int step = 0; step < 60; ++step) {
    const auto loss = criterion(mlp(inputs), labels);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    last = loss.item<double>();
    if (step == 0) first = last;
  }
  EXPECT_GT(first, 1.2);
  EXPECT_LT(last, 0.3);
}

TEST(Notebook, EvaluationRecordsNothing) {
  torch::manual_seed(1);
  Mlp mlp(784, 20, 10);
  const auto images = torch::rand({5, 1, 28, 28});
  const auto labels = torch::randint(10, {5});
  torch::Tensor logits;
  {
    torch::NoGradGuard no_grad;
    logits = mlp(images.reshape({-1, 784}));
  }
  EXPECT_FALSE(logits.requires_grad());
  EXPECT_EQ(logits.grad_fn(), nullptr);

  const auto [values, predicted] = torch::max(logits.data(), 1);
  EXPECT_EQ(values.sizes(), torch::IntArrayRef({5}));
  EXPECT_EQ(predicted.dtype(), torch::kInt64);
  EXPECT_TRUE(torch::equal(predicted, logits.argmax(1)));
  const auto correct = (predicted == labels).sum().item<int64_t>();
  EXPECT_GE(correct, 0);
  EXPECT_LE(correct, labels.size(0));

  EXPECT_EQ(images.squeeze().sizes(), torch::IntArrayRef({5, 28, 28}));
  EXPECT_EQ(images.view({images.size(0), -1}).size(1), 784);
  EXPECT_TRUE(mlp(images.view({5, -1})).requires_grad());
}

}  // namespace
