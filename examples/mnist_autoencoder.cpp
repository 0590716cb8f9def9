// A convolutional autoencoder on MNIST: 28 -> 14 -> 7 -> 4 and back by transposed convolutions,
// squared error. Writes a picture of test digits above their reconstructions, anew after each
// epoch.

#include <iostream>
#include <string>

#include <tapedeck/tapedeck.h>

#include "common/training.h"

namespace {

namespace nn = tapedeck::nn;
using tapedeck::Tensor;

// Every other pixel: 28 -> 14 -> 7 with 2x2 kernels, 7 -> 4 with a 1x1 kernel.
nn::Conv2d down(std::int64_t in, std::int64_t out, std::int64_t kernel) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, kernel).stride(2));
}
// The way back, with the same kernels.
nn::ConvTranspose2d up(std::int64_t in, std::int64_t out, std::int64_t kernel) {
  return nn::ConvTranspose2d(nn::ConvTranspose2dOptions(in, out, kernel).stride(2));
}
// Brings neighbours together at the same size. Without it a 1x1 kernel of stride 2 would drop three
// of four pixels on the way down, and leave three of four without an input on the way up.
nn::Conv2d mix(std::int64_t in, std::int64_t out) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, 3).padding(1));
}

// He et al. 2015: keeps the variance from one ReLU to the next, through a dozen layers.
void initialize(nn::Module& module) {
  const auto fill = [](auto& layer) {
    nn::init::kaiming_normal_(layer.weight, /*a=*/0, tapedeck::kFanIn, tapedeck::kReLU);
    nn::init::zeros_(layer.bias);
  };
  if (auto* conv = module.as<nn::Conv2d>()) fill(*conv);
  if (auto* conv = module.as<nn::ConvTranspose2d>()) fill(*conv);
}

struct AutoencoderImpl : nn::Module {
  AutoencoderImpl()
      : encoder(register_module(
            "encoder",
            nn::Sequential(down(1, 16, 2), nn::ReLU(), mix(16, 16), nn::ReLU(), down(16, 32, 2),
                           nn::ReLU(), mix(32, 32), nn::ReLU(), down(32, 16, 1)))),
        decoder(register_module("decoder",
                                nn::Sequential(up(16, 32, 1), nn::ReLU(), mix(32, 32), nn::ReLU(),
                                               up(32, 16, 2), nn::ReLU(), mix(16, 16), nn::ReLU(),
                                               up(16, 8, 2), nn::ReLU(), mix(8, 1)))) {
    apply(initialize);
  }
  Tensor forward(const Tensor& images) { return decoder->forward(encoder->forward(images)); }

  nn::Sequential encoder, decoder;
};
TAPEDECK_MODULE(Autoencoder);

// Squared differences of all pixels, the mean of the images.
double test_error(Autoencoder& model, const Tensor& images) {
  const tapedeck::NoGradGuard no_grad;
  double sum = 0;
  for (const Tensor& batch : images.split(500))
    sum += tapedeck::sum_squared_error(model(batch), batch).item<double>() *
           static_cast<double>(batch.size(0));
  return sum / static_cast<double>(images.size(0));
}

// 16 originals above their reconstructions.
void save_picture(Autoencoder& model, const Tensor& images, const std::string& picture) {
  const tapedeck::NoGradGuard no_grad;
  const Tensor originals = images.slice(0, 0, 16);
  tapedeck::io::save_image(tapedeck::cat({originals, model(originals)}), picture,
                           tapedeck::io::GridOptions().nrow(16));
}

void train(const examples::TrainOptions& options, const std::string& picture) {
  const examples::ImageSets sets = examples::load_digits(options);
  Autoencoder model;
  std::cout << nn::summary(model, {1, 28, 28}) << '\n';
  tapedeck::optim::Adam optimizer(model->parameters(), options.lr);
  tapedeck::optim::LinearLR schedule = examples::fall_to_zero(optimizer, sets.train, options);
  const auto loss_of_batch = [&](const tapedeck::data::Example<>& batch) {
    return tapedeck::sum_squared_error(model(batch.data), batch.data);
  };

  const Tensor& test_images = sets.test.images();
  save_picture(model, test_images, picture);
  std::cout << "before training: test error " << test_error(model, test_images) << std::endl;
  for (std::int64_t epoch = 1; epoch <= options.epochs; ++epoch) {
    examples::train_epoch(epoch, optimizer, sets.train, options, loss_of_batch, &schedule);
    save_picture(model, test_images, picture);
    std::cout << "epoch " << epoch << ": test error " << test_error(model, test_images)
              << std::endl;
  }

  std::cout << "originals above reconstructions: " << picture << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"A convolutional autoencoder on MNIST"};
  examples::TrainOptions options{.epochs = 3};
  examples::add_train_options(app, options);
  std::string picture = "mnist_autoencoder.png";
  app.add_option("--picture", picture, "file for the originals and their reconstructions");
  return examples::run(app, argc, argv, options, [&] { train(options, picture); });
}
