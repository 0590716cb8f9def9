// Operations that memory bounds: activations, broadcasts, reductions, pooling, normalisation,
// losses and optimiser steps.
#include <functional>
#include <tuple>
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
  benchmark::DoNotOptimize(f(x).data_ptr());  // fetches memory from the system
  for (auto _ : state) benchmark::DoNotOptimize(f(x).data_ptr());
  bench::count_bytes(state, 4.0 * static_cast<double>(x.numel()));
}

void both(benchmark::State& state, const std::vector<std::int64_t>& shape, const Function& f) {
  const lib::Tensor x = lib::randn(shape).set_requires_grad(true);
  const lib::Tensor grad_output = lib::randn(f(x).sizes());
  f(x).backward(grad_output);
  for (auto _ : state) {
    x.mutable_grad().reset();
    f(x).backward(grad_output);
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
  ::add("sin", kImages, [](const lib::Tensor& x) { return lib::sin(x); });
  ::add("pow_scalar", kImages, [](const lib::Tensor& x) { return lib::pow(x.abs() + 1, 1.5); });
  ::add("remainder", kImages, [](const lib::Tensor& x) { return lib::remainder(x, 0.7); });
  ::add("clamp", kImages, [](const lib::Tensor& x) { return lib::clamp(x, -0.5, 0.5); });
  ::add("where", kImages, [mask = lib::randn(kImages) > 0](const lib::Tensor& x) {
    return lib::where(mask, x, lib::zeros({}));
  });
  ::add("add_scalar", kImages, [](const lib::Tensor& x) { return x + 1; });
  ::add("add", kImages, [y = lib::randn(kImages)](const lib::Tensor& x) { return x + y; });
  ::add("mul", kImages, [y = lib::randn(kImages)](const lib::Tensor& x) { return x * y; });
  ::add("add_bias", kImages,
        [bias = lib::randn({1, 64, 1, 1})](const lib::Tensor& x) { return x + bias; });
  ::add("sum_all", kImages, [](const lib::Tensor& x) { return x.sum(); });
  ::add("sum_0_2_3", kImages, [](const lib::Tensor& x) { return x.sum({0, 2, 3}); });
  ::add("sum_last", {2048, 1024}, [](const lib::Tensor& x) { return x.sum(-1); });
  ::add("max_last", {2048, 1024}, [](const lib::Tensor& x) { return std::get<0>(x.max(-1)); });
  ::add("max_last_of_10", {100000, 10},
        [](const lib::Tensor& x) { return std::get<0>(x.max(-1)); });
  ::add("var_last", {2048, 1024}, [](const lib::Tensor& x) { return x.var(-1); });
  ::add("cumsum_last", {2048, 1024}, [](const lib::Tensor& x) { return x.cumsum(-1); });
  ::add("cumsum_first", {2048, 1024}, [](const lib::Tensor& x) { return x.cumsum(0); });
  ::add("gather_labels", {4096, 100},
        [labels = lib::randint(0, 100, {4096, 1}, lib::kInt64)](const lib::Tensor& x) {
          return x.gather(1, labels);
        });
  ::add("index_select", {4096, 256},
        [rows = lib::randint(0, 4096, {4096}, lib::kInt64)](const lib::Tensor& x) {
          return x.index_select(0, rows);
        });
  ::add("cat_channels", kImages, [y = lib::randn(kImages)](const lib::Tensor& x) {
    return lib::cat({x, y}, 1);
  });
  ::add("cat_rows", {512, 256}, [y = lib::randn({512, 256})](const lib::Tensor& x) {
    return lib::cat({x, y}, 0);
  });
  ::add("transpose_copy", {2048, 1024},
        [](const lib::Tensor& x) { return x.transpose(0, 1).contiguous(); });
  ::add("max_pool_2x2", kImages, [](const lib::Tensor& x) { return lib::max_pool2d(x, 2); });
  ::add("avg_pool_2x2", kImages, [](const lib::Tensor& x) { return lib::avg_pool2d(x, 2); });
  ::add("max_pool_3x3_stride_2", {32, 64, 14, 14},
        [](const lib::Tensor& x) { return lib::max_pool2d(x, 3, 2, 1); });
  ::add("avg_pool_2x2_small", {100, 32, 14, 14},
        [](const lib::Tensor& x) { return lib::avg_pool2d(x, 2); });
  ::add("adaptive_avg_pool_1", {32, 256, 7, 7}, [](const lib::Tensor& x) {
    return lib::adaptive_avg_pool2d(x, {1, 1});
  });
  ::add("batch_norm", kImages,
        [weight = lib::ones({64}), bias = lib::zeros({64}), mean = lib::zeros({64}),
         variance = lib::ones({64})](const lib::Tensor& x) {
          return F::batch_norm(x, mean, variance,
                               F::BatchNormFuncOptions().weight(weight).bias(bias).training(true));
        });
  ::add("layer_norm", {2048, 1024},
        [](const lib::Tensor& x) { return F::layer_norm(x, F::LayerNormFuncOptions({1024})); });
  ::add("layer_norm_affine_64", {32768, 64},
        [weight = lib::ones({64}), bias = lib::zeros({64})](const lib::Tensor& x) {
          return F::layer_norm(x, F::LayerNormFuncOptions({64}).weight(weight).bias(bias));
        });
  ::add("softmax_of_10", {100000, 10}, [](const lib::Tensor& x) { return lib::softmax(x, 1); });
  ::add("log_softmax", {2048, 1024}, [](const lib::Tensor& x) { return lib::log_softmax(x, 1); });
  ::add("softmax_channels", kImages, [](const lib::Tensor& x) { return lib::softmax(x, 1); });
  ::add("softmax", {2048, 1024}, [](const lib::Tensor& x) { return lib::softmax(x, 1); });
  ::add("cross_entropy", {128, 1000},
        [target = lib::randint(0, 1000, {128}, lib::kInt64)](const lib::Tensor& x) {
          return F::cross_entropy(x, target);
        });
  ::add("cross_entropy_of_10", {100, 10},
        [target = lib::randint(0, 10, {100}, lib::kInt64)](const lib::Tensor& x) {
          return F::cross_entropy(x, target);
        });
  ::add("mse_loss", kImages,
        [y = lib::randn(kImages)](const lib::Tensor& x) { return lib::mse_loss(x, y); });
  ::add("dropout", kImages, [](const lib::Tensor& x) { return lib::dropout(x, 0.5, true); });
  bench::add("pointwise/step_2M/SGD_momentum", [](benchmark::State& state) {
    optimizer_step<lib::optim::SGD>(state, lib::optim::SGDOptions(1e-3).momentum(0.9));
  });
  bench::add("pointwise/step_2M/Adam", [](benchmark::State& state) {
    optimizer_step<lib::optim::Adam>(state, lib::optim::AdamOptions(1e-3));
  });
}
