// One library's half of a sweep, against tapedeck or, with TAPEDECK_BENCH_LIBTORCH, its peer.
#include "bench/sweep/module.h"

#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "bench/conv_directions.h"
#include "bench/library.h"
#include "bench/random_layers.h"
#include "bench/sweep/known_layers.h"
#include "bench/sweep/memory_cases.h"
#include "bench/sweep/product_cases.h"
#include "bench/sweep/random_operations.h"
#include "bench/sweep/random_products.h"
#include "bench/sweep/sweep_case.h"
#include "bench/training_cases.h"

namespace {

using bench::ConvCase;
using Step = std::function<void()>;

std::vector<bench::SweepCase> selected;
std::string precision = "highest";

// Forward and backward through the tape, with a bias; of a network's first layer the images want no
// gradient.
Step layer_step(const ConvCase& conv, bool is_first) {
  const lib::Tensor input = lib::randn(conv.input()).set_requires_grad(!is_first);
  const lib::Tensor weight = lib::randn(conv.weight()).set_requires_grad(true);
  const lib::Tensor bias = lib::randn({conv.filters}).set_requires_grad(true);
  const lib::Tensor grad_output = lib::randn(conv.output());
  return [=] {
    const auto stride = conv.sides(conv.stride, 1), padding = conv.sides(conv.padding, 0),
               dilation = conv.sides(conv.dilation, 1);
    const std::vector<std::int64_t> none = {0, 0};
    const lib::Tensor output =
        conv.transposed ? lib::conv_transpose2d(input, weight, bias, stride, padding, none,
                                                conv.groups, dilation)
                        : lib::conv2d(input, weight, bias, stride, padding, dilation, conv.groups);
    output.backward(grad_output);
    for (const lib::Tensor& leaf : {input, weight, bias}) leaf.mutable_grad().reset();
  };
}

Step direction_step(const ConvCase& conv, const std::string& what) {
  const lib::Tensor input = lib::randn(conv.input()), weight = lib::randn(conv.weight());
  const lib::Tensor grad_output = lib::randn(conv.output());
  if (what == "forward") return [=] { bench::conv_forward(conv, input, weight); };
  if (what == "grad_input")
    return [=] { bench::conv_grad_input(conv, grad_output, input, weight); };
  return [=] { bench::conv_grad_weight(conv, grad_output, input, weight); };
}

void add_layers(const std::vector<ConvCase>& layers, const std::string& what) {
  for (const ConvCase& layer : layers)
    selected.push_back({layer.name, bench::kind_of(layer), [=]() -> Step {
                          if (what == "layer") return layer_step(layer, false);
                          if (what == "first") return layer_step(layer, true);
                          return direction_step(layer, what);
                        }});
}

bool add_suite(const std::string& suite, const std::string& what) {
  unsigned seed = 0;
  int count = 0;
  if (suite == "layers") {
    add_layers(bench::known_layers(), what);
  } else if (std::sscanf(suite.c_str(), "random-%u-%d", &seed, &count) == 2) {
    add_layers(bench::RandomLayers(seed).make(count), what);
  } else if (std::sscanf(suite.c_str(), "random-memory-%u-%d", &seed, &count) == 2) {
    selected = bench::random_operations(seed, count);
  } else if (suite == "train") {
    for (const bench::TrainingCase& training : bench::training_cases())
      selected.push_back(
          {training.name, training.has_convolutions ? "convolutions" : "products", training.make});
  } else if (suite == "memory") {
    selected = bench::memory_cases();
  } else if (suite == "products") {
    selected = bench::product_cases();
  } else if (std::sscanf(suite.c_str(), "random-products-%u-%d", &seed, &count) == 2) {
    selected = bench::random_products(seed, count);
  } else {
    return false;
  }
  return true;
}

const bench::SweepModule kModule = {
    bench::kIsPeer ? "libtorch" : "tapedeck",
    [](int threads) { lib::set_num_threads(threads); },
    [](const char* suite, const char* what, const char* conv_precision) {
      selected.clear();
      precision = conv_precision;
      return add_suite(suite, what) ? static_cast<int>(selected.size()) : -1;
    },
    [](int index) { return selected[static_cast<std::size_t>(index)].name.c_str(); },
    [](int index) { return selected[static_cast<std::size_t>(index)].kind.c_str(); },
    [](int index) -> void* {
      lib::manual_seed(0);
      return new Step(selected[static_cast<std::size_t>(index)].make());
    },
    [](void* prepared) {
      bench::set_conv_precision(precision.c_str());
      (*static_cast<Step*>(prepared))();
    },
    [](void* prepared) { delete static_cast<Step*>(prepared); }};

}  // namespace

extern "C" __attribute__((visibility("default"))) const bench::SweepModule* bench_sweep_module() {
  return &kModule;
}
