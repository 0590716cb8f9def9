// Operations that memory bounds: activations, broadcasts, reductions, pooling, normalisation,
// losses and optimiser steps.
#include <functional>
#include <utility>
#include <vector>

#include "bench/library.h"
#include "bench/suite.h"

namespace {

using Function = std::function<lib::Tensor(const lib::Tensor&)>;

const std::vector<std::int64_t> kImages = {32, 64, 32, 32};  // 8.4 MB

void forward(benchmark::State& state, const std::vector<std::int64_t>& shape, const Function& f) {
  const lib::Tensor x = lib::randn(shape);
  const lib::NoGradGuard no_grad;
  for (auto _ : state) benchmark::DoNotOptimize(f(x).data_ptr());
  bench::count_bytes(state, 4.0 * static_cast<double>(x.numel()));
}

void both(benchmark::State& state, const std::vector<std::int64_t>& shape, const Function& f) {
  const lib::Tensor x = lib::randn(shape).set_requires_grad(true);
  const lib::Tensor grad_output = lib::randn(f(x).sizes());
  for (auto _ : state) {
    f(x).backward(grad_output);
    x.mutable_grad().reset();
  }
  bench::count_bytes(state, 4.0 * static_cast<double>(x.numel()));
}

void add(const std::string& name, const std::vector<std::int64_t>& shape, const Function& f) {
  bench::add("pointwise/" + name + "/forward",
             [=](benchmark::State& state) { forward(state, shape, f); });
  bench::add("pointwise/" + name + "/forward_and_backward",
             [=](benchmark::State& state) { both(state, shape, f); });
}

template <typename Optimizer, typename Options>
void optimizer_step(benchmark::State& state, const Options& options) {
  const lib::Tensor parameter = lib::randn({1024, 2048}).set_requires_grad(true);
  parameter.mutable_grad() = lib::randn({1024, 2048});
  Optimizer optimizer({parameter}, options);
  for (auto _ : state) optimizer.step();
  bench::count_bytes(state, 4.0 * static_cast<double>(parameter.numel()));
}

}  // namespace

void bench::add_all() {
  namespace F = lib::nn::functional;
  ::add("relu", kImages, [](const lib::Tensor& x) { return lib::relu(x); });
  ::add("sigmoid", kImages, [](const lib::Tensor& x) { return lib::sigmoid(x); });
  ::add("tanh", kImages, [](const lib::Tensor& x) { return lib::tanh(x); });
  ::add("exp", kImages, [](const lib::Tensor& x) { return lib::exp(x); });
  ::add("gelu", kImages, [](const lib::Tensor& x) { return lib::gelu(x); });
  ::add("add_scalar", kImages, [](const lib::Tensor& x) { return x + 1; });
  ::add("add", kImages, [y = lib::randn(kImages)](const lib::Tensor& x) { return x + y; });
  ::add("mul", kImages, [y = lib::randn(kImages)](const lib::Tensor& x) { return x * y; });
  ::add("add_bias", kImages,
        [bias = lib::randn({1, 64, 1, 1})](const lib::Tensor& x) { return x + bias; });
  ::add("sum_all", kImages, [](const lib::Tensor& x) { return x.sum(); });
  ::add("sum_0_2_3", kImages, [](const lib::Tensor& x) { return x.sum({0, 2, 3}); });
  ::add("sum_last", {2048, 1024}, [](const lib::Tensor& x) { return x.sum(-1); });
  ::add("transpose_copy", {2048, 1024},
        [](const lib::Tensor& x) { return x.transpose(0, 1).contiguous(); });
  ::add("max_pool_2x2", kImages, [](const lib::Tensor& x) { return lib::max_pool2d(x, 2); });
  ::add("avg_pool_2x2", kImages, [](const lib::Tensor& x) { return lib::avg_pool2d(x, 2); });
  ::add("batch_norm", kImages,
        [weight = lib::ones({64}), bias = lib::zeros({64}), mean = lib::zeros({64}),
         variance = lib::ones({64})](const lib::Tensor& x) {
          return F::batch_norm(x, mean, variance,
                               F::BatchNormFuncOptions().weight(weight).bias(bias).training(true));
        });
  ::add("layer_norm", {2048, 1024},
        [](const lib::Tensor& x) { return F::layer_norm(x, F::LayerNormFuncOptions({1024})); });
  ::add("softmax", {2048, 1024}, [](const lib::Tensor& x) { return lib::softmax(x, 1); });
  ::add("cross_entropy", {128, 1000},
        [target = lib::randint(0, 1000, {128}, lib::kInt64)](const lib::Tensor& x) {
          return F::cross_entropy(x, target);
        });
  bench::add("pointwise/step_2M/SGD_momentum", [](benchmark::State& state) {
    optimizer_step<lib::optim::SGD>(state, lib::optim::SGDOptions(1e-3).momentum(0.9));
  });
  bench::add("pointwise/step_2M/Adam", [](benchmark::State& state) {
    optimizer_step<lib::optim::Adam>(state, lib::optim::AdamOptions(1e-3));
  });
}
