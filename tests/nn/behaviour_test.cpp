// What the systems that this library was asked to implement do with networks: each test is one of
// their behaviours.
#include <cmath>
#include <sstream>

#include <gmock/gmock.h>

#include <tapedeck/tapedeck.h>

namespace tapedeck {
namespace {

using ::testing::HasSubstr;

// ---- A: a library of dilated and transposed convolutions ----

TEST(Behaviour, A5SigmoidAndSoftplusAreFiniteFarOut) {
  const Tensor x = tensor({-1000.0f, 0.0f, 1000.0f}).requires_grad_();
  EXPECT_TRUE(nn::Sigmoid()(x).equal(tensor({0.0f, 0.5f, 1.0f})));
  const Tensor y = nn::Softplus()(x);
  EXPECT_TRUE(y.isfinite().all().item<bool>());
  EXPECT_FLOAT_EQ(y[2].item<float>(), 1000.0f);
  (y + nn::Sigmoid()(x)).sum().backward();
  EXPECT_TRUE(x.grad().isfinite().all().item<bool>());
  EXPECT_TRUE(nn::ReLU()(tensor({-1.0, 2.0})).equal(tensor({0.0, 2.0})));
}

TEST(Behaviour, A6CrossEntropyIsTheBatchMeanAndRepeatsItsGradient) {
  const Tensor x = (randn({5, 10}) * 100).requires_grad_();
  const Tensor t = tensor({1, 9, 0, 3, 3}).to(kLong);
  const Tensor loss = nn::CrossEntropyLoss()(x, t);
  const Tensor by_hand = -x.log_softmax(1).gather(1, t.unsqueeze(1)).mean();
  EXPECT_TRUE(loss.allclose(by_hand));
  loss.backward({}, true);
  const Tensor first = x.grad().clone();
  x.mutable_grad().zero_();
  loss.backward({}, true);
  EXPECT_TRUE(x.grad().equal(first));
}

TEST(Behaviour, A7SquaredErrorOverTheBatch) {
  const Tensor x = randn({4, 3, 5}), y = randn({4, 3, 5});
  EXPECT_TRUE(sum_squared_error(x, y).allclose((x - y).square().sum() / 4));
  EXPECT_TRUE(nn::MSELoss()(x, y).allclose((x - y).square().mean()));
}

TEST(Behaviour, A8PaddingFlattenReshapeLayers) {
  const Tensor x = randn({2, 3, 4, 5});
  EXPECT_TRUE(nn::ZeroPad2d(0)(x).equal(x));
  EXPECT_EQ(nn::ZeroPad2d(2)(x).sizes().vec(), (std::vector<std::int64_t>{2, 3, 8, 9}));
  EXPECT_EQ(nn::Flatten()(x).sizes().vec(), (std::vector<std::int64_t>{2, 60}));
  EXPECT_EQ(nn::Unflatten(1, std::vector<std::int64_t>{3, 4, 5})(nn::Flatten()(x)).sizes().vec(),
            x.sizes().vec());
}

TEST(Behaviour, A9ANetworkTrainsRunsAndIsSliced) {
  manual_seed(0);
  nn::Sequential net(nn::Linear(2, 16), nn::Tanh(), nn::Linear(16, 2));
  nn::CrossEntropyLoss loss;
  optim::SGD optimizer(net->parameters(), optim::SGDOptions(0.5));
  const Tensor x = tensor({{0.0f, 0.0f}, {0.0f, 1.0f}, {1.0f, 0.0f}, {1.0f, 1.0f}});
  const Tensor t = tensor({0, 1, 1, 0}).to(kLong);
  for (int step = 0; step < 300; ++step) {
    optimizer.zero_grad();
    loss(net(x), t).backward();
    optimizer.step();
  }
  const NoGradGuard no_grad;
  const Tensor y = net(x);
  EXPECT_FALSE(y.requires_grad());
  EXPECT_TRUE(y.argmax(1).equal(t));
  EXPECT_EQ(net->first(2)->forward(x).sizes().vec(), (std::vector<std::int64_t>{4, 16}));
}

// ---- B: a notebook with an MLP and a CNN ----

struct MlpImpl : nn::Module {
  MlpImpl() {
    linear1 = register_module("linear1", nn::Linear(784, 500));
    relu = register_module("relu", nn::ReLU());
    linear2 = register_module("linear2", nn::Linear(500, 10));
  }
  Tensor forward(Tensor x) { return linear2(relu(linear1(x))); }
  nn::Linear linear1{nullptr}, linear2{nullptr};
  nn::ReLU relu{nullptr};
};
TAPEDECK_MODULE(Mlp);

struct CnnImpl : nn::Module {
  CnnImpl() {
    layer1 = register_module(
        "layer1", nn::Sequential(nn::Conv2d(1, 16, 5, 1, 2), nn::ReLU(), nn::MaxPool2d(2)));
    layer2 = register_module("layer2", nn::Sequential(nn::Conv2d(16, 32, {5, 5}, {1, 1}, 2),
                                                      nn::ReLU(), nn::MaxPool2d(2)));
    fc = register_module("fc", nn::Linear(7 * 7 * 32, 10));
  }
  std::tuple<Tensor, Tensor> features(const Tensor& x) {
    const Tensor a = layer1(x);
    return {a, layer2(a)};
  }
  Tensor forward(const Tensor& x) {
    const auto [a, b] = features(x);
    return fc->forward(b.reshape({b.size(0), -1}));
  }
  nn::Sequential layer1{nullptr}, layer2{nullptr};
  nn::Linear fc{nullptr};
};
TAPEDECK_MODULE(Cnn);

TEST(Behaviour, B4AllFormsOfModulesCompileAndRun) {
  Cnn cnn;
  EXPECT_EQ(cnn(randn({2, 1, 28, 28})).sizes().vec(), (std::vector<std::int64_t>{2, 10}));
  EXPECT_EQ(std::get<1>(cnn->features(randn({1, 1, 28, 28}))).sizes().vec(),
            (std::vector<std::int64_t>{1, 32, 7, 7}));
  const auto as_pointer = std::make_shared<MlpImpl>();
  EXPECT_EQ(as_pointer->forward(randn({3, 784})).size(1), 10);
}

TEST(Behaviour, B6ATrainingLoopReadsLikePythons) {
  manual_seed(0);
  Mlp model;
  nn::CrossEntropyLoss criterion;
  optim::Adam optimizer(model->parameters(), /*lr=*/1e-3);
  const Tensor images = rand({20, 784}), labels = randint(10, {20});
  double first = 0, last = 0;
  for (int epoch = 0; epoch < 20; ++epoch) {
    const Tensor outputs = model(images);
    const Tensor loss = criterion(outputs, labels);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    (epoch == 0 ? first : last) = loss.item<double>();
  }
  EXPECT_LT(last, first / 2);
}

TEST(Behaviour, B10ModelsPrintAsInPython) {
  std::ostringstream text;
  text << Cnn();
  EXPECT_EQ(text.str(),
            "Cnn(\n"
            "  (layer1): Sequential(\n"
            "    (0): Conv2d(1, 16, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))\n"
            "    (1): ReLU()\n"
            "    (2): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)\n"
            "  )\n"
            "  (layer2): Sequential(\n"
            "    (0): Conv2d(16, 32, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))\n"
            "    (1): ReLU()\n"
            "    (2): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)\n"
            "  )\n"
            "  (fc): Linear(in_features=1568, out_features=10, bias=True)\n"
            ")");
}

TEST(Behaviour, B11SummaryCountsParametersAndMemory) {
  Mlp mlp;
  const nn::Summary of_mlp = nn::summary(mlp, {1, 784});
  ASSERT_EQ(of_mlp.layers.size(), 3u);
  EXPECT_EQ(of_mlp.layers[0].parameters, 392500);
  EXPECT_EQ(of_mlp.layers[1].parameters, 0);
  EXPECT_EQ(of_mlp.layers[2].parameters, 5010);
  EXPECT_EQ(of_mlp.total_parameters, 397510);
  std::ostringstream text;
  text << of_mlp;
  EXPECT_EQ(text.str(),
            "----------------------------------------------------------------\n"
            "        Layer (type)               Output Shape         Param #\n"
            "================================================================\n"
            "            Linear-1               [-1, 1, 500]         392,500\n"
            "              ReLU-2               [-1, 1, 500]               0\n"
            "            Linear-3                [-1, 1, 10]           5,010\n"
            "================================================================\n"
            "Total params: 397,510\n"
            "Trainable params: 397,510\n"
            "Non-trainable params: 0\n"
            "----------------------------------------------------------------\n"
            "Input size (MB): 0.00\n"
            "Forward/backward pass size (MB): 0.01\n"
            "Params size (MB): 1.52\n"
            "Estimated Total Size (MB): 1.53\n"
            "----------------------------------------------------------------\n");

  Cnn cnn;
  cnn->fc->requires_grad_(false);
  const nn::Summary of_cnn = nn::summary(cnn, {1, 28, 28});
  std::vector<std::int64_t> counts;
  for (const auto& layer : of_cnn.layers)
    if (layer.parameters) counts.push_back(layer.parameters);
  EXPECT_EQ(counts, (std::vector<std::int64_t>{416, 12832, 15690}));
  EXPECT_EQ(of_cnn.total_parameters, 28938);
  EXPECT_EQ(of_cnn.trainable_parameters, 28938 - 15690);
  EXPECT_EQ(of_cnn.layers[3].name, "Conv2d-4");
  EXPECT_EQ(of_cnn.layers[3].outputs[0], (std::vector<std::int64_t>{-1, 32, 14, 14}));
  text.str("");
  text << of_cnn;
  EXPECT_THAT(text.str(), HasSubstr("Input size (MB): 0.00\n"
                                    "Forward/backward pass size (MB): 0.32\n"
                                    "Params size (MB): 0.11\n"
                                    "Estimated Total Size (MB): 0.44\n"));
  // The hooks are gone again, also after an error.
  EXPECT_THROW(nn::summary(cnn, {3, 28, 28}), Error);
  cnn(randn({1, 1, 28, 28}));
  EXPECT_EQ(of_cnn.layers.size(), 7u);
}

TEST(Behaviour, B15LogSoftmaxOfOneChannelIsZero) {
  const Tensor x = (randn({3, 1, 4}) * 50).requires_grad_();
  const Tensor y = nn::LogSoftmax(1)(x);
  EXPECT_TRUE(y.equal(zeros({3, 1, 4})));
  (y * randn({3, 1, 4})).sum().backward();
  EXPECT_TRUE(x.grad().equal(zeros({3, 1, 4})));
}

// ---- D5: batch normalisation, better losses ----

TEST(Behaviour, D5BatchNormalisationTrainsAndIsRestored) {
  manual_seed(0);
  nn::Sequential net(nn::Conv2d(3, 8, 3), nn::BatchNorm2d(8), nn::ReLU(), nn::AdaptiveAvgPool2d(1),
                     nn::Flatten(), nn::Linear(8, 2));
  optim::SGD optimizer(net->parameters(), optim::SGDOptions(0.1).momentum(0.9));
  const Tensor x = randn({8, 3, 6, 7}), t = tensor({0, 1, 0, 1, 0, 1, 0, 1}).to(kLong);
  double first = 0, last = 0;
  for (int step = 0; step < 30; ++step) {
    optimizer.zero_grad();
    const Tensor loss = nn::functional::cross_entropy(net(x), t);
    loss.backward();
    optimizer.step();
    (step == 0 ? first : last) = loss.item<double>();
  }
  EXPECT_LT(last, first / 2);
  nn::Sequential other(nn::Conv2d(3, 8, 3), nn::BatchNorm2d(8), nn::ReLU(),
                       nn::AdaptiveAvgPool2d(1), nn::Flatten(), nn::Linear(8, 2));
  other->load_state_dict(net->state_dict());
  net->eval();
  other->eval();
  EXPECT_TRUE(net(x).equal(other(x)));
}

}  // namespace
}  // namespace tapedeck
