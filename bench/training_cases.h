#pragma once

// Networks in training, each as a function that takes one step: zero_grad, forward, loss, backward,
// step. Their speed and their memory are measured.

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/library.h"

namespace bench {

/// `make` builds the network, its optimiser and a batch of random data; what it returns is one
/// step.
struct TrainingCase {
  std::string name;
  std::function<std::function<void()>()> make;
  bool has_convolutions = true;
};

namespace training {

namespace nn = lib::nn;

inline nn::Conv2d conv(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t padding,
                       std::int64_t stride = 1) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, kernel).padding(padding).stride(stride));
}

inline nn::ConvTranspose2d up(std::int64_t in, std::int64_t out, std::int64_t kernel,
                              std::int64_t stride, std::int64_t padding = 0) {
  return nn::ConvTranspose2d(
      nn::ConvTranspose2dOptions(in, out, kernel).stride(stride).padding(padding));
}

template <typename Optimizer, typename Loss>
std::function<void()> step(std::shared_ptr<Optimizer> optimizer, Loss loss) {
  return [=]() mutable {
    optimizer->zero_grad();
    loss().backward();
    optimizer->step();
  };
}

inline std::shared_ptr<lib::optim::Adam> adam(const nn::Sequential& model, double rate) {
  return std::make_shared<lib::optim::Adam>(model->parameters(), lib::optim::AdamOptions(rate));
}

inline std::function<void()> classify(nn::Sequential model, const lib::Tensor& images) {
  const lib::Tensor target = lib::randint(0, 10, {images.size(0)}, lib::kInt64);
  return step(adam(model, 1e-3), [=]() mutable {
    return nn::functional::cross_entropy(model->forward(images), target);
  });
}

inline std::function<void()> mlp(std::int64_t batch) {
  return classify(nn::Sequential(nn::Linear(784, 500), nn::ReLU(), nn::Linear(500, 10)),
                  lib::rand({batch, 784}));
}

inline std::function<void()> deep_mlp(std::int64_t batch) {
  return classify(
      nn::Sequential(nn::Linear(784, 256), nn::BatchNorm1d(256), nn::ReLU(), nn::Linear(256, 256),
                     nn::Tanh(), nn::Linear(256, 128), nn::Sigmoid(), nn::Linear(128, 10)),
      lib::rand({batch, 784}));
}

inline std::function<void()> mnist_cnn(std::int64_t batch) {
  return classify(
      nn::Sequential(conv(1, 16, 5, 2), nn::ReLU(), nn::MaxPool2d(2), conv(16, 32, 5, 2),
                     nn::ReLU(), nn::MaxPool2d(2), nn::Flatten(), nn::Linear(1568, 10)),
      lib::rand({batch, 1, 28, 28}));
}

inline std::function<void()> autoencoder(std::int64_t batch) {
  nn::Sequential model(conv(1, 16, 2, 0, 2), nn::ReLU(), conv(16, 32, 2, 0, 2), nn::ReLU(),
                       conv(32, 32, 1, 0, 2), nn::ReLU(), up(32, 32, 1, 2), nn::ReLU(),
                       up(32, 16, 2, 2), nn::ReLU(), up(16, 1, 2, 2));
  const lib::Tensor images = lib::rand({batch, 1, 28, 28});
  return step(adam(model, 1e-3),
              [=]() mutable { return lib::mse_loss(model->forward(images), images); });
}

inline std::function<void()> cifar_cnn(std::int64_t batch) {
  return classify(nn::Sequential(conv(3, 64, 3, 1), nn::ReLU(), conv(64, 128, 3, 1), nn::ReLU(),
                                 nn::MaxPool2d(2), conv(128, 256, 3, 1), nn::ReLU(),
                                 nn::MaxPool2d(2), conv(256, 256, 3, 1), nn::ReLU(),
                                 nn::MaxPool2d(2), nn::Flatten(), nn::Linear(4096, 256), nn::ReLU(),
                                 nn::Linear(256, 64), nn::ReLU(), nn::Linear(64, 10)),
                  lib::rand({batch, 3, 32, 32}));
}

inline std::function<void()> resnet_block(std::int64_t batch) {
  nn::Sequential branch(conv(64, 64, 3, 1), nn::BatchNorm2d(64), nn::ReLU(), conv(64, 64, 3, 1),
                        nn::BatchNorm2d(64));
  auto optimizer = std::make_shared<lib::optim::SGD>(branch->parameters(),
                                                     lib::optim::SGDOptions(0.01).momentum(0.9));
  const lib::Tensor x = lib::randn({batch, 64, 32, 32}).set_requires_grad(true);
  return step(std::move(optimizer), [=]() mutable {
    x.mutable_grad().reset();
    return lib::relu(branch->forward(x) + x).mean();
  });
}

inline std::function<void()> dcgan_generator(std::int64_t batch) {
  nn::Sequential model(up(100, 256, 4, 1), nn::BatchNorm2d(256), nn::ReLU(), up(256, 128, 3, 2, 1),
                       nn::BatchNorm2d(128), nn::ReLU(), up(128, 64, 4, 2, 1), nn::BatchNorm2d(64),
                       nn::ReLU(), up(64, 1, 4, 2, 1), nn::Tanh());
  const lib::Tensor noise = lib::randn({batch, 100, 1, 1});
  return step(adam(model, 2e-4), [=]() mutable { return model->forward(noise).mean(); });
}

}  // namespace training

inline std::vector<TrainingCase> training_cases() {
  using namespace training;
  return {{"mlp_784_500_10_batch_100", [] { return mlp(100); }, false},
          {"mlp_784_500_10_batch_16", [] { return mlp(16); }, false},
          {"deep_mlp_batch_64", [] { return deep_mlp(64); }, false},
          {"mnist_cnn_batch_100", [] { return mnist_cnn(100); }},
          {"mnist_cnn_batch_16", [] { return mnist_cnn(16); }},
          {"conv_autoencoder_batch_100", [] { return autoencoder(100); }},
          {"cifar_cnn_batch_32", [] { return cifar_cnn(32); }},
          {"resnet_block_64x32x32_batch_16", [] { return resnet_block(16); }},
          {"dcgan_generator_batch_64", [] { return dcgan_generator(64); }}};
}

}  // namespace bench
