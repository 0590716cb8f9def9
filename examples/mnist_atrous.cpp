// A classifier of dilated ("atrous") convolutions on MNIST: about 98 % of the test images after
// three epochs. Each dilated 3x3 kernel spans 5 pixels.

#include <tapedeck/tapedeck.h>

#include "common/classifier.h"

namespace {

namespace nn = tapedeck::nn;

nn::Conv2d dilated(std::int64_t in, std::int64_t out) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, 3).dilation(2));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"A classifier of dilated convolutions on MNIST"};
  examples::TrainOptions options{.epochs = 3, .lr = 3e-3};
  examples::add_train_options(app, options);
  return examples::run(app, argc, argv, options, [&] {
    // -1 ... 1
    const examples::ImageSets sets = examples::load_digits(options).normalized(0.5, 0.5);

    nn::Sequential model(dilated(1, 10), nn::ReLU(), nn::ZeroPad2d(2),   // 28 -> 24 -> 28
                         dilated(10, 10), nn::ReLU(), nn::MaxPool2d(2),  // 24 -> 12
                         dilated(10, 10), nn::ReLU(), nn::MaxPool2d(2),  // 8 -> 4
                         nn::Flatten(), nn::Linear(160, 32), nn::ReLU(), nn::Linear(32, 10));
    examples::train_classifier(model, sets, options);
  });
}
