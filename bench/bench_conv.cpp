// Convolutions of known networks: the three computations alone, and the layers with their backward.
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/conv_cases.h"
#include "bench/conv_directions.h"
#include "bench/library.h"
#include "bench/random_layers.h"
#include "bench/suite.h"

namespace {

using bench::ConvCase;

struct Operands {
  lib::Tensor input, weight, grad_output;
  explicit Operands(const ConvCase& conv)
      : input(lib::randn(conv.input())),
        weight(lib::randn(conv.weight())),
        grad_output(lib::randn(conv.output())) {}
};

void forward(benchmark::State& state, const ConvCase& conv) {
  const Operands x(conv);
  for (auto _ : state)
    benchmark::DoNotOptimize(bench::conv_forward(conv, x.input, x.weight).data_ptr());
  bench::count_flops(state, conv.flops());
}

void grad_input(benchmark::State& state, const ConvCase& conv) {
  const Operands x(conv);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        bench::conv_grad_input(conv, x.grad_output, x.input, x.weight).data_ptr());
  bench::count_flops(state, conv.flops());
}

void grad_weight(benchmark::State& state, const ConvCase& conv) {
  const Operands x(conv);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        bench::conv_grad_weight(conv, x.grad_output, x.input, x.weight).data_ptr());
  bench::count_flops(state, conv.flops());
}

// Forward and backward through the tape, with a bias.
void layer(benchmark::State& state, const ConvCase& conv) {
  const Operands x(conv);
  const lib::Tensor input = x.input.clone().set_requires_grad(true);
  const lib::Tensor weight = x.weight.clone().set_requires_grad(true);
  const lib::Tensor bias = lib::randn({conv.filters}).set_requires_grad(true);
  const auto step = [&] {
    const lib::Tensor output =
        conv.transposed ? lib::conv_transpose2d(input, weight, bias, conv.stride, conv.padding, 0,
                                                conv.groups, conv.dilation)
                        : lib::conv2d(input, weight, bias, conv.stride, conv.padding, conv.dilation,
                                      conv.groups);
    output.backward(x.grad_output);
    for (const lib::Tensor& leaf : {input, weight, bias}) leaf.mutable_grad().reset();
  };
  step();  // fetches memory from the system
  for (auto _ : state) step();
  bench::count_flops(state, 3 * conv.flops());
}

// The definition as a loop nest, one multiplication after the other: what a user would write.
void naive(benchmark::State& state, const ConvCase& conv) {
  const Operands x(conv);
  const std::int64_t OH = conv.OH(), OW = conv.OW(), k = conv.kernel;
  std::vector<float> output(static_cast<std::size_t>(conv.N * conv.filters * OH * OW));
  const auto* input = x.input.data_ptr<float>();
  const auto* weight = x.weight.data_ptr<float>();
  for (auto _ : state) {
    for (std::int64_t n = 0; n < conv.N; ++n)
      for (std::int64_t f = 0; f < conv.filters; ++f)
        for (std::int64_t oh = 0; oh < OH; ++oh)
          for (std::int64_t ow = 0; ow < OW; ++ow) {
            float sum = 0;
            for (std::int64_t c = 0; c < conv.C; ++c)
              for (std::int64_t kh = 0; kh < k; ++kh)
                for (std::int64_t kw = 0; kw < k; ++kw) {
                  const std::int64_t h = oh * conv.stride + kh * conv.dilation - conv.padding;
                  const std::int64_t w = ow * conv.stride + kw * conv.dilation - conv.padding;
                  if (h < 0 || h >= conv.H || w < 0 || w >= conv.W) continue;
                  sum += input[((n * conv.C + c) * conv.H + h) * conv.W + w] *
                         weight[((f * conv.C + c) * k + kh) * k + kw];
                }
            output[((n * conv.filters + f) * OH + oh) * OW + ow] = sum;
          }
    benchmark::DoNotOptimize(output.data());
  }
  bench::count_flops(state, conv.flops());
}

// Convolutions may trade digits for speed.
void medium_layer(benchmark::State& state, const ConvCase& conv) {
  bench::set_conv_precision("medium");
  layer(state, conv);
  bench::set_conv_precision("highest");
}

void add(const std::string& name, void (*body)(benchmark::State&, const ConvCase&),
         const ConvCase& conv) {
  bench::add(name, [body, conv](benchmark::State& state) { body(state, conv); });
}

void add_layer(const ConvCase& conv) {
  ::add("conv/" + conv.name + "/layer", layer, conv);
  if (conv.has_medium()) ::add("conv/" + conv.name + "/layer/medium", medium_layer, conv);
}

}  // namespace

void bench::add_all() {
  for (const ConvCase& conv : conv_cases()) {
    ::add("conv/" + conv.name + "/forward", forward, conv);
    ::add("conv/" + conv.name + "/grad_input", grad_input, conv);
    ::add("conv/" + conv.name + "/grad_weight", grad_weight, conv);
    add_layer(conv);
    if (!kIsPeer && !conv.transposed && conv.groups == 1 && conv.flops() < 2e9)
      ::add("conv/" + conv.name + "/naive_loop", naive, conv);
  }
  for (const ConvCase& conv : conv_layers()) add_layer(conv);
  for (const ConvCase& conv : random_layers()) add_layer(conv);
}
