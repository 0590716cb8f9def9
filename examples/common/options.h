#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <CLI/CLI.hpp>

namespace examples {

/// What every training program can be told on its command line.
struct TrainOptions {
  std::string data = {};    ///< folder of the data sets; empty: look for it
  std::int64_t epochs = 1;  ///< passes over the training images
  std::int64_t batch_size = 100;
  double lr = 1e-3;  ///< learning rate
  std::uint64_t seed = 1;
  int threads = 0;         ///< 0: as many as there are CPUs
  std::int64_t limit = 0;  ///< use this many training images only; 0: all
};

/// Adds --data, --epochs, --batch-size, --lr, --seed, --threads and --limit, whose defaults are
/// what `options` holds.
void add_train_options(CLI::App& app, TrainOptions& options);

/// The main of an example: parses the command line, seeds the generator, sets the threads and calls
/// `body`. Errors are printed. \return the exit code
int run(CLI::App& app, int argc, char** argv, const TrainOptions& options,
        const std::function<void()>& body);

}  // namespace examples
