// A multilayer perceptron on MNIST: 784-500-10, Adam; 97.4 % of the test images after two epochs.

#include <tapedeck/tapedeck.h>

#include "common/classifier.h"

namespace {

struct MlpImpl : tapedeck::nn::Module {
  MlpImpl()
      : hidden(register_module("hidden", tapedeck::nn::Linear(784, 500))),
        out(register_module("out", tapedeck::nn::Linear(500, 10))) {}
  tapedeck::Tensor forward(const tapedeck::Tensor& images) {
    return out(tapedeck::relu(hidden(images.reshape({-1, 784}))));
  }

  tapedeck::nn::Linear hidden, out;
};
TAPEDECK_MODULE(Mlp);

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"A multilayer perceptron on MNIST"};
  examples::TrainOptions options{.epochs = 2};
  examples::add_train_options(app, options);
  return examples::run(app, argc, argv, options, [&] {
    const examples::ImageSets sets = examples::load_digits(options).normalized(
        examples::kDigitsMean, examples::kDigitsDeviation);
    Mlp model;
    std::cout << tapedeck::nn::summary(*model, {1, 784}) << '\n';
    examples::train_classifier(model, sets, options);
  });
}
