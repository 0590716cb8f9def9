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

using Shape = std::vector<std::int64_t>;

// The sizes of the image [1, 28, 28] before each module and after the last.
std::vector<std::int64_t> heights_through(nn::Sequential net) {
  Tensor x = rand({1, 1, 28, 28});
  std::vector<std::int64_t> heights{28};
  for (nn::AnyModule& layer : *net) {
    x = layer.forward(x);
    if (x.dim() == 4 && x.size(2) != heights.back()) heights.push_back(x.size(2));
  }
  return heights;
}

TEST(Behaviour, A12AClassifierOfDilatedConvolutionsLearnsDigits) {
  manual_seed(0);
  const auto dilated = [](std::int64_t in, std::int64_t out) {
    return nn::Conv2d(nn::Conv2dOptions(in, out, 3).dilation(2));
  };
  nn::Sequential net(dilated(1, 10), nn::ReLU(), nn::ZeroPad2d(2), dilated(10, 10), nn::ReLU(),
                     nn::MaxPool2d(2), dilated(10, 10), nn::ReLU(), nn::MaxPool2d(2), nn::Flatten(),
                     nn::Linear(160, 32), nn::ReLU(), nn::Linear(32, 10));
  EXPECT_EQ(heights_through(net), (Shape{28, 24, 28, 24, 12, 8, 4}));
  const data::datasets::SyntheticDigits digits(600, /*seed=*/1);
  const Tensor images = digits.images() * 2 - 1, labels = digits.targets();
  optim::Adam optimizer(net->parameters(), 3e-3);
  for (int step = 0; step < 60; ++step) {
    const std::int64_t at = step % 6 * 100;
    optimizer.zero_grad();
    cross_entropy_loss(net(images.slice(0, at, at + 100)), labels.slice(0, at, at + 100))
        .backward();
    optimizer.step();
  }
  const NoGradGuard no_grad;
  EXPECT_GT((net(images).argmax(1) == labels).sum().item<std::int64_t>(), 400);
}

TEST(Behaviour, A13AnAutoencoderReturnsTheSizesAndItsLossFalls) {
  manual_seed(0);
  const auto down = [](std::int64_t in, std::int64_t out, std::int64_t kernel) {
    return nn::Conv2d(nn::Conv2dOptions(in, out, kernel).stride(2));
  };
  const auto up = [](std::int64_t in, std::int64_t out, std::int64_t kernel) {
    return nn::ConvTranspose2d(nn::ConvTranspose2dOptions(in, out, kernel).stride(2));
  };
  const auto mix = [](std::int64_t in, std::int64_t out) {
    return nn::Conv2d(nn::Conv2dOptions(in, out, 3).padding(1));
  };
  nn::Sequential net(down(1, 8, 2), nn::ReLU(), mix(8, 8), nn::ReLU(), down(8, 16, 2), nn::ReLU(),
                     mix(16, 16), nn::ReLU(), down(16, 16, 1), up(16, 16, 1), nn::ReLU(),
                     mix(16, 16), nn::ReLU(), up(16, 8, 2), nn::ReLU(), up(8, 1, 2));
  EXPECT_EQ(heights_through(net), (Shape{28, 14, 7, 4, 7, 14, 28}));
  const Tensor images = data::datasets::SyntheticDigits(100, /*seed=*/1).images();
  optim::Adam optimizer(net->parameters(), 3e-3);
  std::vector<double> losses;
  for (int step = 0; step < 120; ++step) {
    optimizer.zero_grad();
    const Tensor loss = sum_squared_error(net(images), images);
    loss.backward();
    optimizer.step();
    if (step % 30 == 29) losses.push_back(loss.item<double>());
  }
  for (std::size_t i = 1; i < losses.size(); ++i) EXPECT_LT(losses[i], 0.95 * losses[i - 1]) << i;
  // A picture without any digit, the mean of all, is worse.
  const Tensor mean = images.mean(0, /*keepdim=*/true).expand_as(images);
  EXPECT_LT(losses.back(), 0.9 * sum_squared_error(mean, images).item<double>());
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

// ---- C: a NumPy Conv2D ----

TEST(Behaviour, C3WeightsBeginWithinOneOverTheRootOfTheirFanIn) {
  manual_seed(0);
  nn::Conv2d conv(nn::Conv2dOptions(6, 50, {2, 3}).groups(2));
  const double bound = 1 / std::sqrt(3.0 * 2 * 3);
  for (const Tensor& p : conv->parameters()) {
    EXPECT_LE(p.abs().max().item<double>(), bound);
    EXPECT_GT(p.abs().max().item<double>(), 0.9 * bound);
    EXPECT_NEAR(p.mean().item<double>(), 0, 0.2 * bound);
  }
}

// ---- D: a CNN from scratch ----

TEST(Behaviour, D1TheCifarNetworkFromFunctionsLearnsShapes) {
  manual_seed(0);
  const Tensor kernels = (randn({8, 3, 3, 3}) * 0.3).requires_grad_(),
               biases = zeros({8}).requires_grad_();
  nn::Sequential full(nn::Linear(8 * 16 * 16, 32), nn::ReLU(), nn::Linear(32, 2), nn::Sigmoid());
  std::vector<Tensor> parameters = full->parameters();
  parameters.insert(parameters.end(), {kernels, biases});
  optim::SGD optimizer(parameters, /*lr=*/0.1);
  // Horizontal and vertical stripes.
  const Tensor stripes = (arange(32) / 4).floor().remainder(2).expand({32, 32});
  const Tensor images = stack({stripes, stripes.t()}).unsqueeze(1).expand({2, 3, 32, 32});
  const Tensor labels = eye(2);
  double first = 0, last = 0;
  for (int step = 0; step < 60; ++step) {
    const Tensor maps = relu(conv2d(images, kernels, biases, 1, 1));
    const auto [pooled, positions] = max_pool2d_with_indices(maps, 2);
    EXPECT_EQ(pooled.sizes(), (IntArrayRef{2, 8, 16, 16}));
    EXPECT_TRUE(maps.flatten(2).gather(2, positions.flatten(2)).equal(pooled.flatten(2)));
    const Tensor loss = binary_cross_entropy(full(pooled.flatten(1)), labels);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    (step == 0 ? first : last) = loss.item<double>();
    // D3: the learning rate is an attribute.
    optimizer.param_groups()[0].options().set_lr(step < 30 ? 0.1 : 0.05);
  }
  EXPECT_LT(last, first / 4);
  EXPECT_FALSE(images.grad().defined());
}

TEST(Behaviour, D2NoTapeLeadsToAnInputThatNeedsNoGradient) {
  const Tensor images = rand({2, 3, 8, 8});
  nn::Conv2d first(3, 4, 3), second(4, 5, 3);
  const Tensor y = first(images), z = second(y);
  // Weight and bias of the first, all three of the second.
  EXPECT_FALSE(y.grad_fn()->next_edges()[0].is_valid());
  EXPECT_TRUE(y.grad_fn()->next_edges()[1].is_valid());
  EXPECT_TRUE(z.grad_fn()->next_edges()[0].is_valid());
  const auto grads = autograd::grad({z.sum()}, {first->weight}, {}, /*retain_graph=*/true);
  EXPECT_TRUE(grads[0].defined());
  EXPECT_FALSE(second->weight.grad().defined());
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

// ---- mistakes that others shipped ----

TEST(Behaviour, MemoryDoesNotGrowWithVaryingShapes) {
  manual_seed(0);
  nn::Sequential net(nn::Conv2d(nn::Conv2dOptions(1, 4, 3).padding(1)), nn::ReLU(),
                     nn::MaxPool2d(2), nn::AdaptiveAvgPool2d(1), nn::Flatten(), nn::Linear(4, 2));
  optim::Adam optimizer(net->parameters(), 1e-3);
  std::int64_t in_use = 0;
  for (int step = 0; step < 60; ++step) {
    optimizer.zero_grad();
    net(rand({1 + step % 3, 1, 8 + step * 7 % 20, 8 + step * 5 % 20})).sum().backward();
    optimizer.step();
    if (step == 5) in_use = memory_stats().in_use;
  }
  EXPECT_EQ(memory_stats().in_use, in_use);
}

TEST(Behaviour, Float64IsNotComputedInFloat32) {
  // 1 + 1e-12 is 1 in float32.
  const Tensor x = full({1, 1, 5, 6}, 1 + 1e-12, kFloat64), w = ones({1, 1, 3, 3}, kFloat64);
  EXPECT_NEAR((conv2d(x, w) - 9).max().item<double>(), 9e-12, 1e-14);
  EXPECT_NEAR((conv_transpose2d(x, w).max() - 9).item<double>(), 9e-12, 1e-14);
  EXPECT_NEAR((avg_pool2d(x, 2) - 1).max().item<double>(), 1e-12, 1e-15);
  EXPECT_NEAR((matmul(x[0][0], x[0][0].t()) - 6).max().item<double>(), 12e-12, 1e-14);
}

}  // namespace
}  // namespace tapedeck
