// Whole training steps: zero_grad, forward, loss, backward, step. The first ones, which fetch
// memory from the system, are not measured. Under "medium" convolutions may trade digits for speed.
#include "bench/suite.h"
#include "bench/training_cases.h"

namespace {

void train(benchmark::State& state, const bench::TrainingCase& training, const char* precision) {
  bench::set_conv_precision(precision);
  const std::function<void()> step = training.make();
  for (int i = 0; i < 2; ++i) step();
  for (auto _ : state) step();
  bench::set_conv_precision("highest");
}

}  // namespace

void bench::add_all() {
  for (const TrainingCase& training : training_cases()) {
    add("train/" + training.name,
        [=](benchmark::State& state) { train(state, training, "highest"); });
    if (training.has_convolutions)
      add("train/" + training.name + "/medium",
          [=](benchmark::State& state) { train(state, training, "medium"); });
  }
}
