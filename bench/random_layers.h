#pragma once

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "bench/conv_cases.h"

namespace bench {

/// Layers that nobody chose: the same ones from the same seed, in every program. Channels, sizes,
/// kernels, strides, dilations, groups and batches of all kinds, as far as a layer takes between a
/// fraction of a millisecond and a tenth of a second.
class RandomLayers {
 public:
  explicit RandomLayers(unsigned seed) : seed_(seed), generator_(seed) {}

  std::vector<ConvCase> make(int count) {
    std::vector<ConvCase> layers;
    while (static_cast<int>(layers.size()) < count) {
      ConvCase layer = candidate();
      if (layer.H + 2 * layer.padding < layer.span() || layer.W + 2 * layer.padding < layer.span())
        continue;
      if (layer.flops() < 2e6 || layer.flops() > 4e9 || bytes(layer) > 1.5e8) continue;
      layer.name = name(layer, static_cast<int>(layers.size()));
      layers.push_back(layer);
    }
    return layers;
  }

 private:
  template <std::size_t n>
  std::int64_t one_of(const std::array<std::int64_t, n>& choices) {
    // A distribution of the standard library would differ between implementations of it.
    return choices[generator_() % n];
  }

  ConvCase candidate() {
    ConvCase layer;
    layer.N = one_of<7>({1, 2, 4, 8, 16, 32, 100});
    layer.C = one_of<15>({8, 16, 20, 24, 32, 48, 64, 80, 96, 128, 160, 192, 256, 320, 512});
    layer.filters = one_of<12>({8, 16, 24, 32, 48, 64, 96, 100, 128, 192, 256, 512});
    layer.H = one_of<17>({4, 7, 8, 10, 13, 14, 16, 19, 24, 27, 28, 32, 40, 48, 56, 64, 112});
    layer.W = std::max<std::int64_t>(2, layer.H + one_of<6>({0, 0, 0, 0, 5, -3}));
    layer.kernel = 3;
    layer.padding = one_of<5>({1, 1, 1, 1, 0});
    switch (one_of<10>({0, 0, 0, 1, 2, 3, 4, 5, 6, 7})) {
      case 1:  // strided
        layer.stride = one_of<4>({2, 2, 2, 3});
        layer.kernel = one_of<6>({3, 3, 4, 5, 2, 7});
        layer.padding = (layer.kernel - 1) / 2;
        break;
      case 2:  // pointwise
        layer.kernel = 1, layer.padding = 0, layer.stride = one_of<4>({1, 1, 1, 2});
        break;
      case 3:  // depthwise
        layer.filters = layer.groups = layer.C;
        layer.kernel = one_of<4>({3, 3, 5, 7}), layer.padding = layer.kernel / 2;
        layer.stride = one_of<3>({1, 1, 2});
        break;
      case 4:  // a few groups
        layer.groups = one_of<3>({2, 4, 8});
        layer.C -= layer.C % layer.groups, layer.filters -= layer.filters % layer.groups;
        break;
      case 5:
        layer.dilation = layer.padding = one_of<5>({2, 2, 3, 4, 6});
        break;
      case 6:
        layer.transposed = true;
        layer.stride = one_of<3>({2, 2, 1}), layer.kernel = one_of<4>({4, 2, 3, 5});
        layer.padding = layer.kernel == 2 ? 0 : 1;
        break;
      case 7:  // the first layer of a network
        layer.C = one_of<4>({1, 2, 3, 4});
        layer.kernel = one_of<5>({3, 5, 7, 11, 4}), layer.stride = one_of<3>({1, 2, 4});
        layer.padding = layer.stride < layer.kernel ? (layer.kernel - 1) / 2 : 0;
        break;
      default:
        break;
    }
    return layer;
  }

  static double bytes(const ConvCase& layer) {
    return 4.0 * static_cast<double>(layer.N) *
           static_cast<double>(layer.C * layer.H * layer.W +
                               layer.filters * layer.OH() * layer.OW());
  }

  std::string name(const ConvCase& layer, int index) const {
    const auto number = [](std::int64_t value) { return std::to_string(value); };
    std::string result = "random_" + std::to_string(seed_) + "_" + std::to_string(index) + "_n" +
                         number(layer.N) + "_" + number(layer.C) + "to" + number(layer.filters) +
                         "x" + number(layer.H) + "x" + number(layer.W) + "_" +
                         number(layer.kernel) + "x" + number(layer.kernel);
    if (layer.padding > 0) result += "_p" + number(layer.padding);
    if (layer.stride > 1) result += "_s" + number(layer.stride);
    if (layer.dilation > 1) result += "_d" + number(layer.dilation);
    if (layer.groups > 1) result += "_g" + number(layer.groups);
    return layer.transposed ? result + "_up" : result;
  }

  unsigned seed_;
  std::mt19937 generator_;
};

/// A hundred random layers where the environment variable TAPEDECK_BENCH_RANDOM gives a seed.
inline std::vector<ConvCase> random_layers() {
  const char* seed = std::getenv("TAPEDECK_BENCH_RANDOM");
  if (seed == nullptr || *seed == '\0') return {};
  return RandomLayers(static_cast<unsigned>(std::strtoul(seed, nullptr, 10))).make(100);
}

}  // namespace bench
