// Whole training steps: zero_grad, forward, loss, backward, step. The first ones, which fetch
// memory from the system, are not measured.
#include "bench/suite.h"
#include "bench/training_cases.h"

void bench::add_all() {
  for (const TrainingCase& training : training_cases())
    add("train/" + training.name, [=](benchmark::State& state) {
      const std::function<void()> step = training.make();
      for (int i = 0; i < 2; ++i) step();
      for (auto _ : state) step();
    });
}
