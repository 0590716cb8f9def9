#include "options.h"

#include <iostream>

#include <tapedeck/tapedeck.h>

namespace examples {

void add_train_options(CLI::App& app, TrainOptions& options) {
  app.option_defaults()->always_capture_default();
  app.add_option("--data", options.data, "folder that holds the data set (else TAPEDECK_DATA)");
  app.add_option("--epochs", options.epochs, "passes over the training images")
      ->check(CLI::PositiveNumber);
  app.add_option("--batch-size", options.batch_size, "images in a batch")
      ->check(CLI::PositiveNumber);
  app.add_option("--lr", options.lr, "learning rate")->check(CLI::PositiveNumber);
  app.add_option("--seed", options.seed, "of the random numbers");
  app.add_option("--threads", options.threads, "0: as many as there are CPUs")
      ->check(CLI::Range(0, 1024));
  app.add_option("--limit", options.limit, "use this many training images only; 0: all")
      ->check(CLI::NonNegativeNumber);
}

int run(CLI::App& app, int argc, char** argv, const TrainOptions& options,
        const std::function<void()>& body) {
  CLI11_PARSE(app, argc, argv);
  try {
    tapedeck::manual_seed(options.seed);
    if (options.threads > 0) tapedeck::set_num_threads(options.threads);
    body();
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
  return 0;
}

}  // namespace examples
