// A convolutional network on CIFAR-10: 32-32-16-8-4 pixels, then 4096-256-64-10 with relu, relu,
// sigmoid. Shows predictions, and writes the feature maps of each layer before and after the
// activation as image grids.

#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <tapedeck/tapedeck.h>

#include "common/classifier.h"

namespace {

namespace nn = tapedeck::nn;
using tapedeck::Tensor;

/// A convolution that keeps the size, relu, and where `pools` is said a max-pooling that halves it.
struct StageImpl : nn::Module {
  StageImpl(std::int64_t in, std::int64_t out, bool pools)
      : conv(register_module("conv", nn::Conv2d(nn::Conv2dOptions(in, out, 3).padding(1)))),
        pools(pools) {}

  Tensor forward(const Tensor& x) {
    before_activation = conv(x);
    after_activation = tapedeck::relu(before_activation);
    if (!pools) return after_activation;
    // The indices say where each maximum was: max_unpool2d would put it back there.
    const auto [out, indices] = tapedeck::max_pool2d_with_indices(after_activation, 2);
    return out;
  }

  nn::Conv2d conv;
  bool pools;
  Tensor before_activation, after_activation;  ///< of the last forward
};
TAPEDECK_MODULE(Stage);

struct NetworkImpl : nn::Module {
  NetworkImpl()
      : fc1(register_module("fc1", nn::Linear(4096, 256))),
        fc2(register_module("fc2", nn::Linear(256, 64))),
        fc3(register_module("fc3", nn::Linear(64, 10))) {
    // kernels (channels, size, count): (3, 3, 64), (64, 3, 128), (128, 3, 256), (256, 3, 256)
    const std::int64_t channels[] = {3, 64, 128, 256, 256};
    for (std::size_t n = 0; n < 4; ++n)
      stages.push_back(register_module("stage" + std::to_string(n + 1),
                                       Stage(channels[n], channels[n + 1], /*pools=*/n > 0)));
  }
  Tensor forward(Tensor x) {
    for (Stage& stage : stages) x = stage(x);
    x = tapedeck::relu(fc1(x.flatten(1)));
    return fc3(tapedeck::relu(fc2(x)));
  }
  /// A score in (0, 1) for each class.
  Tensor scores(const Tensor& images) { return tapedeck::sigmoid(forward(images)); }

  std::vector<Stage> stages;
  nn::Linear fc1, fc2, fc3;
};
TAPEDECK_MODULE(Network);
}  // namespace
