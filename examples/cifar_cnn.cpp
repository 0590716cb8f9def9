// A convolutional network on CIFAR-10, layer by layer from functions: three times convolution, ReLU
// and max pooling, 32 -> 16 -> 8 -> 4, then fully connected layers 4096-256-64-10 whose last
// activation is a sigmoid. Writes images of what it predicts and of the feature maps of each layer,
// before and after the activation.

#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <string>
#include <tuple>
#include <vector>

#include <tapedeck/tapedeck.h>

#include "common/training.h"

namespace {

namespace fs = std::filesystem;
namespace nn = tapedeck::nn;
using tapedeck::Tensor;

// `count` kernels of size x size over `channels` channels, and as many biases.
struct KernelsImpl : nn::Module {
  KernelsImpl(std::int64_t channels, std::int64_t size, std::int64_t count)
      : kernels(register_parameter("kernels", tapedeck::empty({count, channels, size, size}))),
        biases(register_parameter("biases", tapedeck::zeros({count}))) {
    nn::init::kaiming_normal_(kernels, /*a=*/0, tapedeck::kFanIn, tapedeck::kReLU);
  }
  /// Images keep their height and width.
  Tensor forward(const Tensor& x) const {
    return tapedeck::conv2d(x, kernels, biases, /*stride=*/1, /*padding=*/kernels.size(2) / 2);
  }

  Tensor kernels, biases;
};
TAPEDECK_MODULE(Kernels);

// What a layer of kernels computes.
struct FeatureMaps {
  Tensor before, after;      // the activation
  Tensor pooled, positions;  // the largest of each 2 x 2 window, and where in its map it was
};

struct CnnImpl : nn::Module {
  CnnImpl()
      : conv1(register_module("conv1", Kernels(3, 3, 32))),
        conv2(register_module("conv2", Kernels(32, 3, 64))),
        conv3(register_module("conv3", Kernels(64, 3, 256))),
        full1(register_module("full1", nn::Linear(256 * 4 * 4, 256))),
        full2(register_module("full2", nn::Linear(256, 64))),
        full3(register_module("full3", nn::Linear(64, 10))) {}

  /// The maps of the three layers of kernels. The images ask for no gradient, so that the backward
  /// of the first layer computes that of its kernels and biases only.
  std::vector<FeatureMaps> feature_maps(Tensor x) {
    std::vector<FeatureMaps> layers;
    for (Kernels* conv : {&conv1, &conv2, &conv3}) {
      FeatureMaps maps;
      maps.before = (*conv)(x);
      maps.after = tapedeck::relu(maps.before);
      std::tie(maps.pooled, maps.positions) =
          tapedeck::max_pool2d_with_indices(maps.after, /*kernel_size=*/2);
      x = maps.pooled;
      layers.push_back(maps);
    }
    return layers;
  }

  /// For each class the probability that the image shows it, independent of the others: [N, 10].
  Tensor forward(const Tensor& images) {
    Tensor x = feature_maps(images).back().pooled.flatten(1);
    x = tapedeck::relu(full1(x));
    x = tapedeck::relu(full2(x));
    return tapedeck::sigmoid(full3(x));
  }

  Kernels conv1, conv2, conv3;
  nn::Linear full1, full2, full3;
};
TAPEDECK_MODULE(Cnn);

// Test images in a frame that is green where the prediction is right, and red where it is not; the
// predictions as text.
void show_predictions(Cnn& model, const examples::ImageSets& sets, const fs::path& folder) {
  const examples::ImageSet shown = sets.test.first(32);
  const Tensor scores = model(shown.images() * 2 - 1);
  const auto [probability, predicted] = tapedeck::max(scores, 1);
  const Tensor right = predicted == shown.labels();
  const Tensor frames = tapedeck::zeros({right.size(0), 3, 36, 36});
  frames.select(1, 0).copy_(right.logical_not().view({-1, 1, 1}).expand({-1, 36, 36}));
  frames.select(1, 1).copy_(right.view({-1, 1, 1}).expand({-1, 36, 36}));
  frames.slice(2, 2, 34).slice(3, 2, 34).copy_(shown.images());
  tapedeck::io::save_image(frames, (folder / "predictions.png").string());

  const auto name_of = [&](const Tensor& label) {
    return sets.classes.at(static_cast<std::size_t>(label.item<std::int64_t>()));
  };
  for (std::int64_t i = 0; i < std::min<std::int64_t>(8, right.size(0)); ++i)
    std::cout << "  " << std::left << std::setw(12) << name_of(shown.labels()[i])
              << "predicted: " << std::setw(12) << name_of(predicted[i]) << std::fixed
              << std::setprecision(3) << probability[i].item<double>() << '\n';
}

// The maps of one test image as grey images: the largest value of a layer is white, the smallest
// black.
void show_feature_maps(Cnn& model, const examples::ImageSets& sets, const fs::path& folder) {
  const auto layers = model->feature_maps(sets.test.images().slice(0, 0, 1) * 2 - 1);
  const auto options = tapedeck::io::GridOptions().nrow(16).padding(1).normalize(true);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string layer = "conv" + std::to_string(i + 1);
    // [1, C, H, W] -> C images of one channel
    const auto save = [&](const Tensor& maps, const std::string& name) {
      tapedeck::io::save_image(maps.transpose(0, 1), (folder / (layer + name)).string(), options);
    };
    save(layers[i].before, "_before_relu.png");
    save(layers[i].after, "_after_relu.png");
  }
}

void train(const examples::TrainOptions& options, double decay, const std::string& pictures) {
  const examples::ImageSets sets = examples::load_cifar(options);
  fs::create_directories(pictures);
  Cnn model;
  std::cout << nn::summary(model, {3, 32, 32}) << '\n';
  tapedeck::optim::Adam optimizer(model->parameters(), options.lr);
  for (std::int64_t epoch = 1; epoch <= options.epochs; ++epoch) {
    examples::train_epoch(
        epoch, optimizer, sets.train, options, [&](const tapedeck::data::Example<>& batch) {
          const Tensor wanted = tapedeck::one_hot(batch.target, 10).to(tapedeck::kFloat32);
          return tapedeck::binary_cross_entropy(model(batch.data * 2 - 1), wanted);
        });
    // The learning rate is an attribute of each group of parameters, to be changed at any time.
    for (auto& group : optimizer.param_groups())
      group.options().set_lr(group.options().get_lr() * decay);
  }

  const tapedeck::NoGradGuard no_grad;
  show_predictions(model, sets, pictures);
  show_feature_maps(model, sets, pictures);
  std::cout << "predictions and feature maps: " << pictures << '\n';
  examples::print_accuracy(
      examples::count_correct([&](const Tensor& images) { return model(images * 2 - 1); },
                              sets.test),
      sets.test.images().size(0));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"A convolutional network on CIFAR-10"};
  examples::TrainOptions options{.epochs = 8};
  examples::add_train_options(app, options);
  double decay = 0.8;
  app.add_option("--lr-decay", decay, "the learning rate's factor after each epoch")
      ->check(CLI::PositiveNumber);
  std::string pictures = "cifar_cnn_pictures";
  app.add_option("--pictures", pictures, "folder for the predictions and feature maps");
  return examples::run(app, argc, argv, options, [&] { train(options, decay, pictures); });
}
