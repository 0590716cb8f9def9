// Whole training steps: zero_grad, forward, loss, backward, step.
#include <functional>
#include <memory>
#include <utility>

#include "bench/library.h"
#include "bench/suite.h"

namespace {

namespace nn = lib::nn;

using Loss = std::function<lib::Tensor()>;

void train(benchmark::State& state, lib::optim::Optimizer& optimizer, const Loss& loss) {
  for (auto _ : state) {
    optimizer.zero_grad();
    loss().backward();
    optimizer.step();
  }
}

lib::Tensor labels(std::int64_t count) { return lib::randint(0, 10, {count}, lib::kInt64); }

nn::Conv2d conv(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t padding,
                std::int64_t stride = 1) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, kernel).padding(padding).stride(stride));
}

nn::ConvTranspose2d up(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride,
                       std::int64_t padding = 0) {
  return nn::ConvTranspose2d(
      nn::ConvTranspose2dOptions(in, out, kernel).stride(stride).padding(padding));
}

void classify(benchmark::State& state, nn::Sequential& model, const lib::Tensor& images) {
  lib::optim::Adam optimizer(model->parameters(), lib::optim::AdamOptions(1e-3));
  const lib::Tensor target = labels(images.size(0));
  train(state, optimizer,
        [&] { return nn::functional::cross_entropy(model->forward(images), target); });
}

void mlp(benchmark::State& state) {
  nn::Sequential model(nn::Linear(784, 500), nn::ReLU(), nn::Linear(500, 10));
  classify(state, model, lib::rand({100, 784}));
}

void mnist_cnn(benchmark::State& state) {
  nn::Sequential model(conv(1, 16, 5, 2), nn::ReLU(), nn::MaxPool2d(2), conv(16, 32, 5, 2),
                       nn::ReLU(), nn::MaxPool2d(2), nn::Flatten(), nn::Linear(1568, 10));
  classify(state, model, lib::rand({100, 1, 28, 28}));
}

void autoencoder(benchmark::State& state) {
  nn::Sequential model(conv(1, 16, 2, 0, 2), nn::ReLU(), conv(16, 32, 2, 0, 2), nn::ReLU(),
                       conv(32, 32, 1, 0, 2), nn::ReLU(), up(32, 32, 1, 2), nn::ReLU(),
                       up(32, 16, 2, 2), nn::ReLU(), up(16, 1, 2, 2));
  lib::optim::Adam optimizer(model->parameters(), lib::optim::AdamOptions(1e-3));
  const lib::Tensor images = lib::rand({100, 1, 28, 28});
  train(state, optimizer, [&] { return lib::mse_loss(model->forward(images), images); });
}

void cifar_cnn(benchmark::State& state) {
  nn::Sequential model(conv(3, 64, 3, 1), nn::ReLU(), conv(64, 128, 3, 1), nn::ReLU(),
                       nn::MaxPool2d(2), conv(128, 256, 3, 1), nn::ReLU(), nn::MaxPool2d(2),
                       conv(256, 256, 3, 1), nn::ReLU(), nn::MaxPool2d(2), nn::Flatten(),
                       nn::Linear(4096, 256), nn::ReLU(), nn::Linear(256, 64), nn::ReLU(),
                       nn::Linear(64, 10));
  classify(state, model, lib::rand({32, 3, 32, 32}));
}

void resnet_block(benchmark::State& state) {
  nn::Sequential branch(conv(64, 64, 3, 1), nn::BatchNorm2d(64), nn::ReLU(), conv(64, 64, 3, 1),
                        nn::BatchNorm2d(64));
  lib::optim::SGD optimizer(branch->parameters(), lib::optim::SGDOptions(0.01).momentum(0.9));
  const lib::Tensor x = lib::randn({16, 64, 32, 32}).set_requires_grad(true);
  train(state, optimizer, [&] {
    x.mutable_grad().reset();
    return lib::relu(branch->forward(x) + x).mean();
  });
}

void dcgan_generator(benchmark::State& state) {
  nn::Sequential model(up(100, 256, 4, 1), nn::BatchNorm2d(256), nn::ReLU(), up(256, 128, 3, 2, 1),
                       nn::BatchNorm2d(128), nn::ReLU(), up(128, 64, 4, 2, 1), nn::BatchNorm2d(64),
                       nn::ReLU(), up(64, 1, 4, 2, 1), nn::Tanh());
  lib::optim::Adam optimizer(model->parameters(), lib::optim::AdamOptions(2e-4));
  const lib::Tensor noise = lib::randn({64, 100, 1, 1});
  train(state, optimizer, [&] { return model->forward(noise).mean(); });
}

}  // namespace

void bench::add_all() {
  add("train/mlp_784_500_10_batch_100", mlp);
  add("train/mnist_cnn_batch_100", mnist_cnn);
  add("train/conv_autoencoder_batch_100", autoencoder);
  add("train/cifar_cnn_batch_32", cifar_cnn);
  add("train/resnet_block_64x32x32_batch_16", resnet_block);
  add("train/dcgan_generator_batch_64", dcgan_generator);
}
