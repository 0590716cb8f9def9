// What recording and running the tape costs, where the tensors are so small that nothing else does.
#include <vector>

#include "bench/library.h"
#include "bench/suite.h"

namespace {

void count_ops(benchmark::State& state, std::int64_t ops) {
  state.counters["ops"] =
      benchmark::Counter(static_cast<double>(ops), benchmark::Counter::kIsIterationInvariantRate);
}

void forward_without_tape(benchmark::State& state) {
  const lib::Tensor x = lib::randn({4}), y = lib::randn({4});
  const lib::NoGradGuard no_grad;
  for (auto _ : state) benchmark::DoNotOptimize((x * y).data_ptr());
  count_ops(state, 1);
}

void forward_recorded(benchmark::State& state) {
  const lib::Tensor x = lib::randn({4}).set_requires_grad(true), y = lib::randn({4});
  for (auto _ : state) benchmark::DoNotOptimize((x * y).data_ptr());
  count_ops(state, 1);
}

void forward_and_backward(benchmark::State& state) {
  const lib::Tensor x = lib::randn({4}).set_requires_grad(true), y = lib::randn({4});
  const lib::Tensor grad_output = lib::ones({4});
  for (auto _ : state) {
    (x * y).backward(grad_output);
    x.mutable_grad().reset();
  }
  count_ops(state, 1);
}

// y = tanh(y * x) + x, a hundred times over
void chain(benchmark::State& state) {
  constexpr int kSteps = 100;
  const lib::Tensor x = lib::randn({4}).set_requires_grad(true);
  const lib::Tensor grad_output = lib::ones({4});
  for (auto _ : state) {
    lib::Tensor y = x;
    for (int i = 0; i < kSteps; ++i) y = lib::tanh(y * x) + x;
    y.backward(grad_output);
    x.mutable_grad().reset();
  }
  count_ops(state, 3 * kSteps);
}

// A wide graph: a thousand products of two leaves, summed.
void fan(benchmark::State& state) {
  constexpr int kWidth = 1000;
  const lib::Tensor x = lib::randn({4}).set_requires_grad(true);
  const lib::Tensor grad_output = lib::ones({4});
  for (auto _ : state) {
    lib::Tensor sum = lib::zeros({4});
    for (int i = 0; i < kWidth; ++i) sum = sum + x * 0.5;
    sum.backward(grad_output);
    x.mutable_grad().reset();
  }
  count_ops(state, 2 * kWidth);
}

// d/dx of sum((d/dx sum(x^3))^2): the rules recorded and differentiated once more
void second_order(benchmark::State& state) {
  const lib::Tensor x = lib::randn({4}).set_requires_grad(true);
  for (auto _ : state) {
    const lib::Tensor y = (x * x * x).sum();
    const lib::Tensor g = lib::autograd::grad({y}, {x}, {}, true, true)[0];
    (g * g).sum().backward();
    x.mutable_grad().reset();
  }
}

// A perceptron so small that every step is overhead.
void tiny_training_step(benchmark::State& state) {
  lib::nn::Sequential model(lib::nn::Linear(2, 8), lib::nn::Tanh(), lib::nn::Linear(8, 1));
  lib::optim::SGD optimizer(model->parameters(), lib::optim::SGDOptions(0.1));
  const lib::Tensor x = lib::randn({4, 2}), y = lib::randn({4, 1});
  for (auto _ : state) {
    optimizer.zero_grad();
    lib::mse_loss(model->forward(x), y).backward();
    optimizer.step();
  }
}

void add(const std::string& name, void (*body)(benchmark::State&)) { bench::add(name, body); }

}  // namespace

void bench::add_all() {
  ::add("tape/mul_4_floats/no_grad", forward_without_tape);
  ::add("tape/mul_4_floats/recorded", forward_recorded);
  ::add("tape/mul_4_floats/forward_and_backward", forward_and_backward);
  ::add("tape/chain_of_300_ops", chain);
  ::add("tape/fan_of_2000_ops", fan);
  ::add("tape/second_order", second_order);
  ::add("tape/tiny_training_step", tiny_training_step);
}
