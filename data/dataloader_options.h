#pragma once

#include <cstddef>
#include <optional>

#include <tapedeck/array/arg.h>
#include <tapedeck/array/milliseconds.h>

namespace tapedeck::data {

struct DataLoaderOptions {
  DataLoaderOptions() = default;
  DataLoaderOptions(std::size_t batch_size) : batch_size_(batch_size) {}

  TAPEDECK_ARG(std::size_t, batch_size) = 1;
  /// Threads that fetch batches; 0: the caller's own, when it asks for one.
  TAPEDECK_ARG(std::size_t, workers) = 0;
  /// Batches that are fetched in advance; default: twice the workers.
  TAPEDECK_ARG(std::optional<std::size_t>, max_jobs);
  /// How long to wait for a batch; default: for ever.
  TAPEDECK_ARG(std::optional<Milliseconds>, timeout);
  /// Whether the batches come in the order of the sampler, or as they get ready.
  TAPEDECK_ARG(bool, enforce_ordering) = true;
  /// Whether a last batch of fewer examples is left out.
  TAPEDECK_ARG(bool, drop_last) = false;
};

/// DataLoaderOptions with every default filled in.
struct FullDataLoaderOptions {
  explicit FullDataLoaderOptions(const DataLoaderOptions& options)
      : batch_size(options.batch_size()),
        workers(options.workers()),
        max_jobs(options.max_jobs().value_or(2 * workers)),
        timeout(options.timeout()),
        enforce_ordering(options.enforce_ordering()),
        drop_last(options.drop_last()) {}

  std::size_t batch_size;
  std::size_t workers;
  std::size_t max_jobs;
  std::optional<Milliseconds> timeout;
  bool enforce_ordering;
  bool drop_last;
};

}  // namespace tapedeck::data
