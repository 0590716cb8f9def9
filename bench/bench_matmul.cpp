// Matrix products: alone, in batches, and as a linear layer with its backward.
#include "bench/library.h"
#include "bench/suite.h"

namespace {

void mm(benchmark::State& state, std::int64_t m, std::int64_t k, std::int64_t n, bool transpose) {
  const lib::Tensor a = lib::randn({m, k});
  const lib::Tensor b = transpose ? lib::randn({n, k}).t() : lib::randn({k, n});
  const lib::NoGradGuard no_grad;
  benchmark::DoNotOptimize(lib::mm(a, b).data_ptr());  // fetches memory from the system
  for (auto _ : state) benchmark::DoNotOptimize(lib::mm(a, b).data_ptr());
  bench::count_flops(state, 2.0 * static_cast<double>(m * k * n));
}

void bmm(benchmark::State& state, std::int64_t batch, std::int64_t size) {
  const lib::Tensor a = lib::randn({batch, size, size}), b = lib::randn({batch, size, size});
  const lib::NoGradGuard no_grad;
  for (auto _ : state) benchmark::DoNotOptimize(lib::bmm(a, b).data_ptr());
  bench::count_flops(state, 2.0 * static_cast<double>(batch * size * size * size));
}

// y = x W^T + b, and the three gradients
void linear(benchmark::State& state, std::int64_t batch, std::int64_t in, std::int64_t out) {
  const lib::Tensor input = lib::randn({batch, in}).set_requires_grad(true);
  const lib::Tensor weight = lib::randn({out, in}).set_requires_grad(true);
  const lib::Tensor bias = lib::randn({out}).set_requires_grad(true);
  const lib::Tensor grad_output = lib::randn({batch, out});
  const auto step = [&] {
    lib::nn::functional::linear(input, weight, bias).backward(grad_output);
    for (const lib::Tensor& leaf : {input, weight, bias}) leaf.mutable_grad().reset();
  };
  step();  // fetches memory from the system
  for (auto _ : state) step();
  bench::count_flops(state, 6.0 * static_cast<double>(batch * in * out));
}

}  // namespace

void bench::add_all() {
  for (const std::int64_t size : {16, 64, 256, 1024})
    add("matmul/mm/" + std::to_string(size),
        [=](benchmark::State& state) { mm(state, size, size, size, false); });
  add("matmul/mm_transposed/1024",
      [](benchmark::State& state) { mm(state, 1024, 1024, 1024, true); });
  add("matmul/mm/100x784x500", [](benchmark::State& state) { mm(state, 100, 784, 500, false); });
  add("matmul/mm/4096x64x64", [](benchmark::State& state) { mm(state, 4096, 64, 64, false); });
  add("matmul/bmm/64x64", [](benchmark::State& state) { bmm(state, 64, 64); });
  add("matmul/mm/16x784x500", [](benchmark::State& state) { mm(state, 16, 784, 500, false); });
  add("matmul/mm/1x1024x1024", [](benchmark::State& state) { mm(state, 1, 1024, 1024, false); });
  add("matmul/linear/16x784x500", [](benchmark::State& state) { linear(state, 16, 784, 500); });
  add("matmul/linear/16x500x10", [](benchmark::State& state) { linear(state, 16, 500, 10); });
  add("matmul/linear/100x1568x10", [](benchmark::State& state) { linear(state, 100, 1568, 10); });
  add("matmul/linear/100x784x500", [](benchmark::State& state) { linear(state, 100, 784, 500); });
  add("matmul/linear/32x4096x256", [](benchmark::State& state) { linear(state, 32, 4096, 256); });
  add("matmul/linear/128x1000x1000",
      [](benchmark::State& state) { linear(state, 128, 1000, 1000); });
}
