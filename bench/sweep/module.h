#pragma once

namespace bench {

/// What one library's half of a sweep offers. The halves are shared libraries of the same source,
/// so that tapedeck and its peer, or two builds of tapedeck, are measured in turns by one process.
struct SweepModule {
  const char* library;
  /// For all of what is run afterwards.
  void (*set_threads)(int threads);
  /// The cases of a suite: "layers", "random-<seed>-<count>", "train", "memory",
  /// "random-memory-<seed>-<count>", "products", "random-products-<seed>-<count>".
  /// `what` is of convolutions alone: "layer", "first" (no gradient of the images), "forward",
  /// "grad_input", "grad_weight". `precision` is that of convolutions. Returns how many there are;
  /// -1 for a name that it does not know.
  int (*select)(const char* suite, const char* what, const char* precision);
  const char* (*name)(int index);
  /// What the summary groups a case by.
  const char* (*kind)(int index);
  /// Operands for one case, to be run any number of times, then released.
  void* (*prepare)(int index);
  void (*run)(void* prepared);
  void (*release)(void* prepared);
};

/// The function that each half exports, under this name.
using SweepModuleFunction = const SweepModule* (*)();
inline constexpr char kSweepModuleFunction[] = "bench_sweep_module";

}  // namespace bench
