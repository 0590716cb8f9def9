// A convolutional autoencoder on MNIST: 28 -> 14 -> 7 -> 4 and back by transposed convolutions,
// squared error. Writes an image of test digits above their reconstructions.

#include <iostream>
#include <string>

#include <tapedeck/tapedeck.h>

#include "common/image_set.h"
#include "common/progress.h"

namespace {

namespace nn = tapedeck::nn;
using tapedeck::Tensor;

nn::Conv2d down(std::int64_t in, std::int64_t out, std::int64_t kernel) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, kernel).stride(2));
}
nn::ConvTranspose2d up(std::int64_t in, std::int64_t out, std::int64_t kernel) {
  return nn::ConvTranspose2d(nn::ConvTranspose2dOptions(in, out, kernel).stride(2));
}

struct AutoencoderImpl : nn::Module {
  AutoencoderImpl()
      : encoder(
            register_module("encoder", nn::Sequential(down(1, 16, 2), nn::ReLU(), down(16, 32, 2),
                                                      nn::ReLU(), down(32, 32, 1), nn::ReLU()))),
        decoder(
            register_module("decoder", nn::Sequential(up(32, 32, 1), nn::ReLU(), up(32, 16, 2),
                                                      nn::ReLU(), up(16, 1, 2), nn::Sigmoid()))) {}
  Tensor forward(const Tensor& images) { return decoder->forward(encoder->forward(images)); }

  nn::Sequential encoder, decoder;
};
TAPEDECK_MODULE(Autoencoder);

// Squared differences of all pixels, per image.
Tensor squared_error(const Tensor& output, const Tensor& images) {
  return tapedeck::mse_loss(output, images, tapedeck::Reduction::Sum) / images.size(0);
}

double test_error(Autoencoder& model, const Tensor& images) {
  const tapedeck::NoGradGuard no_grad;
  double sum = 0;
  for (const Tensor& batch : images.split(500))
    sum += squared_error(model(batch), batch).item<double>() * static_cast<double>(batch.size(0));
  return sum / static_cast<double>(images.size(0));
}

void train(const examples::TrainOptions& options, const std::string& picture) {
  const examples::ImageSets sets = examples::load_digits(options);
  Autoencoder model;
  tapedeck::optim::Adam optimizer(model->parameters(), options.lr);
  auto loader = tapedeck::data::make_data_loader<tapedeck::data::samplers::RandomSampler>(
      sets.train, static_cast<std::size_t>(options.batch_size));

  const Tensor& test_images = sets.test.images();
  std::cout << "before training: test error " << test_error(model, test_images) << '\n';
  for (std::int64_t epoch = 1; epoch <= options.epochs; ++epoch) {
    examples::EpochProgress progress(epoch, options, sets.train);
    for (const auto& batch : *loader) {
      const Tensor loss = squared_error(model(batch.data), batch.data);
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
      progress.add(batch.data.size(0), loss.item<double>());
    }
    progress.finish();
    std::cout << "epoch " << epoch << ": test error " << test_error(model, test_images) << '\n';
  }

  const tapedeck::NoGradGuard no_grad;
  const Tensor originals = test_images.slice(0, 0, 16);
  tapedeck::io::save_image(tapedeck::cat({originals, model(originals)}), picture,
                           tapedeck::io::GridOptions().nrow(16));
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
