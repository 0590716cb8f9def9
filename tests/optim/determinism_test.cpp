// A training run gives the same bits whatever the number of threads: parameters, buffers, the
// optimiser's state and the losses on the way.
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <tapedeck/tapedeck.h>
#include "tests/support/arrays.h"

namespace {

namespace nn = tapedeck::nn;
using tapedeck::Tensor;

struct Outcome {
  std::vector<Tensor> losses, values;
};

// Sizes at which every kernel splits its work.
struct Network : nn::Module {
  Network() {
    features = register_module(
        "features", nn::Sequential(nn::Conv2d(nn::Conv2dOptions(3, 32, 3).padding(1)),
                                   nn::BatchNorm2d(32), nn::ReLU(), nn::MaxPool2d(2),
                                   nn::Conv2d(nn::Conv2dOptions(32, 32, 5).padding(2).bias(false)),
                                   nn::GroupNorm(nn::GroupNormOptions(4, 32)), nn::GELU(),
                                   nn::Conv2d(nn::Conv2dOptions(32, 32, 3).padding(1).groups(32)),
                                   nn::SiLU(), nn::AvgPool2d(2), nn::Dropout(0.25), nn::Flatten()));
    classifier =
        register_module("classifier", nn::Sequential(nn::Linear(32 * 8 * 8, 128),
                                                     nn::LayerNorm(nn::LayerNormOptions({128})),
                                                     nn::Tanh(), nn::Linear(128, 10)));
    decoder = register_module(
        "decoder",
        nn::Sequential(
            nn::ConvTranspose2d(nn::ConvTranspose2dOptions(32, 16, 2).stride(2)), nn::ELU(),
            nn::ConvTranspose2d(nn::ConvTranspose2dOptions(16, 3, 4).stride(2).padding(1)),
            nn::Sigmoid()));
  }
  nn::Sequential features{nullptr}, classifier{nullptr}, decoder{nullptr};
};

template <typename Optimizer, typename Options>
Outcome train(int threads, const Options& options) {
  const tapedeck::testing::ThreadCount count(threads);
  tapedeck::manual_seed(7);
  Network network;
  Optimizer optimizer(network.parameters(), options);
  const Tensor images = tapedeck::rand({24, 3, 32, 32});
  const Tensor labels = tapedeck::randint(0, 10, {24}, tapedeck::kInt64);
  Outcome outcome;
  for (int step = 0; step < 4; ++step) {
    optimizer.zero_grad();
    const Tensor code = network.features->forward(images);
    const Tensor again = network.decoder->forward(code.view({24, 32, 8, 8}));
    const Tensor loss = nn::functional::cross_entropy(network.classifier->forward(code), labels) +
                        tapedeck::mse_loss(again, images);
    loss.backward();
    optimizer.step();
    outcome.losses.push_back(loss.detach());
  }
  for (const auto& item : network.named_parameters()) {
    outcome.values.push_back(item.value().detach());
    outcome.values.push_back(item.value().grad());
  }
  for (const auto& item : network.named_buffers()) outcome.values.push_back(item.value());
  return outcome;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.sizes().equals(b.sizes()) && a.dtype() == b.dtype() && a.is_contiguous() &&
         b.is_contiguous() &&
         std::memcmp(a.data_ptr(), b.data_ptr(), static_cast<std::size_t>(a.nbytes())) == 0;
}

template <typename Optimizer, typename Options>
void expect_same_bits_for_any_threads(const Options& options) {
  const Outcome expected = train<Optimizer>(1, options);
  for (const int threads : {2, 3, 5}) {
    const Outcome found = train<Optimizer>(threads, options);
    for (std::size_t i = 0; i < expected.losses.size(); ++i)
      EXPECT_TRUE(same_bits(found.losses[i], expected.losses[i]))
          << threads << " threads: loss of step " << i;
    ASSERT_EQ(found.values.size(), expected.values.size());
    for (std::size_t i = 0; i < expected.values.size(); ++i)
      EXPECT_TRUE(same_bits(found.values[i], expected.values[i]))
          << threads << " threads: value " << i << " of shape " << expected.values[i].sizes();
  }
}

TEST(Determinism, AdamTrainsToTheSameBitsForAnyNumberOfThreads) {
  expect_same_bits_for_any_threads<tapedeck::optim::Adam>(tapedeck::optim::AdamOptions(1e-3));
}

TEST(Determinism, MomentumTrainsToTheSameBitsForAnyNumberOfThreads) {
  expect_same_bits_for_any_threads<tapedeck::optim::SGD>(
      tapedeck::optim::SGDOptions(0.05).momentum(0.9).weight_decay(1e-4));
}

}  // namespace
