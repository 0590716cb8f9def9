// A convolutional network on MNIST: two layers of 5x5 convolutions, Adam; 98.5 % and more of the
// test images after five epochs.

#include <tapedeck/tapedeck.h>

#include "common/classifier.h"

namespace {

namespace nn = tapedeck::nn;

struct CnnImpl : nn::Module {
  CnnImpl()
      : layer1(register_module(
            "layer1", nn::Sequential(nn::Conv2d(1, 16, 5, 1, 2), nn::ReLU(), nn::MaxPool2d(2)))),
        layer2(register_module(
            "layer2", nn::Sequential(nn::Conv2d(16, 32, 5, 1, 2), nn::ReLU(), nn::MaxPool2d(2)))),
        out(register_module("out", nn::Linear(32 * 7 * 7, 10))) {}
  tapedeck::Tensor forward(tapedeck::Tensor x) {
    x = layer2->forward(layer1->forward(x));
    return out(x.view({x.size(0), -1}));
  }

  nn::Sequential layer1, layer2;
  nn::Linear out;
};
TAPEDECK_MODULE(Cnn);

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"A convolutional network on MNIST"};
  examples::TrainOptions options{.epochs = 5};
  examples::add_train_options(app, options);
  return examples::run(app, argc, argv, options, [&] {
    const examples::ImageSets sets = examples::load_digits(options).normalized(
        examples::kDigitsMean, examples::kDigitsDeviation);
    Cnn model;
    std::cout << tapedeck::nn::summary(*model, {1, 28, 28}) << '\n';
    examples::train_classifier(model, sets, options);
  });
}
