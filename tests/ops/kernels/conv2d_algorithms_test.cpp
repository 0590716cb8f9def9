#include <algorithm>
#include <cstddef>
#include <iterator>
#include <limits>
#include <random>
#include <sstream>

#include <tapedeck/ops/cpu_capability.h>
#include <tapedeck/ops/kernels/conv2d.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/reduce.h>
#include <tests/support/arrays.h>
#include <tests/support/compare.h>
#include <tests/support/naive_conv.h>

// Every algorithm of convolution, forced on every geometry that it supports.

namespace tapedeck::kernels {
namespace {

using namespace tapedeck::testing;
using namespace tapedeck::testing_support;
using I64 = std::int64_t;

struct Case {
  DimVector input, weight;  // [N, C, H, W], [K, C / groups, KH, KW]
  I64 stride[2], padding[4], dilation[2], groups;

  Conv2dGeometry geometry() const {
    Conv2dGeometry g;
    std::copy_n(stride, 2, g.stride);
    std::copy_n(padding, 4, g.padding);
    std::copy_n(dilation, 2, g.dilation);
    g.groups = groups;
    return g;
  }
  bool fits() const {
    bool fits = true;
    for (int axis = 0; axis < 2; ++axis)
      fits &= geometry().conv_size(axis, input[2 + axis], weight[2 + axis]) > 0;
    return fits;
  }
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << "input " << c.input.ref() << " weight " << c.weight.ref() << " stride "
             << IntArrayRef(c.stride) << " padding " << IntArrayRef(c.padding) << " dilation "
             << IntArrayRef(c.dilation) << " groups " << c.groups;
}

// Shapes at the seams of the algorithms: one more or less than a vector, a register tile, a block
// of channels; images of one to three Winograd tiles, by padding of either parity; narrow, long and
// single images.
const Case kCases[] = {
    {{2, 16, 14, 14}, {32, 16, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1},
    {{2, 17, 15, 13}, {33, 17, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1},
    {{3, 31, 9, 29}, {48, 31, 3, 3}, {1, 1}, {0, 1, 1, 0}, {1, 1}, 1},
    {{1, 24, 6, 57}, {16, 24, 3, 3}, {1, 1}, {2, 2, 2, 2}, {1, 1}, 1},
    {{5, 40, 7, 7}, {70, 40, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1},
    {{19, 32, 4, 4}, {32, 32, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1},
    {{4, 20, 3, 5}, {20, 20, 3, 3}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1},
    {{2, 36, 1, 1}, {20, 36, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1},
    {{2, 20, 8, 9}, {36, 20, 3, 3}, {1, 1}, {1, -1, 0, -2}, {1, 1}, 1},
    {{2, 20, 8, 9}, {36, 20, 3, 3}, {1, 1}, {5, 4, 3, 6}, {1, 1}, 1},
    {{2, 32, 12, 12}, {64, 16, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 2},
    {{3, 16, 17, 32}, {16, 16, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1},
    {{1, 18, 9, 260}, {17, 18, 3, 3}, {1, 1}, {1, 1, 0, 2}, {1, 1}, 1},
    {{3, 36, 21, 31}, {40, 18, 3, 3}, {1, 1}, {0, 2, 1, -1}, {1, 1}, 2},
    {{2, 16, 14, 14}, {32, 16, 5, 5}, {1, 1}, {2, 2, 2, 2}, {1, 1}, 1},
    {{3, 17, 11, 12}, {18, 17, 5, 5}, {1, 1}, {0, 1, 2, 3}, {1, 1}, 1},
    {{2, 17, 13, 12}, {18, 17, 7, 7}, {1, 1}, {3, 3, 3, 3}, {1, 1}, 1},
    {{1, 20, 9, 15}, {17, 20, 7, 7}, {1, 1}, {0, 2, 4, 1}, {1, 1}, 1},
    {{2, 20, 12, 14}, {40, 20, 3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 1},
    {{2, 20, 12, 14}, {40, 20, 3, 3}, {1, 1}, {2, 2, 2, 2}, {2, 2}, 1},
    {{2, 20, 13, 17}, {40, 20, 4, 4}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 1},
    {{2, 17, 15, 16}, {18, 17, 4, 4}, {2, 2}, {0, 1, 2, 1}, {1, 1}, 1},
    {{3, 20, 9, 8}, {33, 20, 4, 4}, {2, 2}, {5, 4, 3, -1}, {1, 1}, 1},
    {{2, 20, 15, 12}, {33, 20, 3, 3}, {2, 2}, {0, 1, 1, 0}, {1, 1}, 1},
    {{2, 34, 9, 14}, {17, 34, 3, 3}, {2, 2}, {2, 0, 4, 3}, {1, 1}, 1},
    {{1, 20, 17, 70}, {32, 20, 5, 5}, {2, 2}, {2, 2, 1, 2}, {1, 1}, 1},
    {{3, 36, 10, 9}, {40, 18, 5, 5}, {2, 2}, {5, 3, 0, -2}, {1, 1}, 2},
    {{2, 17, 12, 13}, {20, 17, 2, 2}, {1, 1}, {0, 0, 1, 0}, {1, 1}, 1},
    {{3, 33, 6, 8}, {18, 33, 4, 4}, {1, 1}, {0, 0, 2, 1}, {1, 1}, 1},
    {{2, 20, 6, 17}, {35, 20, 1, 3}, {1, 1}, {0, 1, 1, 1}, {1, 1}, 1},
    {{3, 33, 1, 50}, {17, 33, 1, 5}, {1, 1}, {0, 0, 0, 2}, {1, 1}, 1},
    {{2, 32, 5, 18}, {40, 16, 1, 7}, {1, 1}, {0, 0, 3, 3}, {1, 1}, 2},
    {{2, 20, 17, 6}, {35, 20, 3, 1}, {1, 1}, {1, 1, 0, 1}, {1, 1}, 1},
    {{3, 33, 13, 3}, {17, 33, 5, 1}, {1, 1}, {2, 0, 0, 0}, {1, 1}, 1},
    {{2, 16, 18, 5}, {40, 16, 7, 1}, {1, 1}, {3, 3, 0, 0}, {1, 1}, 1},
    {{2, 18, 13, 17}, {34, 18, 3, 2}, {3, 2}, {1, 0, 2, 1}, {2, 3}, 1},
    {{2, 40, 12, 14}, {70, 40, 1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1},
    {{11, 24, 2, 2}, {40, 24, 1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1},
    {{2, 40, 13, 15}, {70, 40, 1, 1}, {2, 2}, {0, 0, 0, 0}, {1, 1}, 1},
    {{2, 21, 7, 9}, {20, 21, 1, 1}, {1, 1}, {1, 0, 0, 2}, {1, 1}, 1},
    {{2, 3, 30, 34}, {40, 3, 7, 7}, {2, 2}, {3, 3, 3, 3}, {1, 1}, 1},
    {{3, 1, 28, 28}, {20, 1, 5, 5}, {1, 1}, {2, 2, 2, 2}, {1, 1}, 1},
    {{2, 3, 20, 33}, {17, 3, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1},
    {{2, 20, 17, 35}, {3, 20, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1},
    {{2, 20, 17, 35}, {1, 20, 5, 5}, {1, 1}, {2, 2, 2, 2}, {1, 1}, 1},
    {{2, 32, 9, 19}, {32, 4, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 8},
    {{2, 32, 9, 19}, {64, 8, 3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 4},
    {{3, 40, 14, 15}, {40, 1, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 40},
    {{2, 20, 15, 31}, {40, 1, 5, 5}, {2, 2}, {2, 2, 2, 2}, {1, 1}, 20},
    {{2, 20, 11, 31}, {20, 1, 3, 3}, {1, 1}, {2, 2, 2, 2}, {2, 2}, 20},
    {{3, 50, 7, 7}, {50, 1, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 50},
    {{300, 5, 4, 4}, {5, 1, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 5},
    {{2, 19, 4, 4}, {19, 1, 3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 19},
    {{3, 18, 3, 5}, {18, 1, 3, 3}, {2, 2}, {0, 1, 1, 1}, {1, 1}, 18},
    {{2, 17, 2, 2}, {17, 1, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 17},
    {{5, 41, 8, 8}, {41, 1, 5, 5}, {1, 1}, {2, 2, 2, 2}, {1, 1}, 41},
    {{20, 3, 14, 14}, {3, 1, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 3},
    {{3, 37, 14, 13}, {37, 1, 3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 37},
    {{2, 19, 28, 30}, {19, 1, 5, 5}, {2, 2}, {2, 2, 2, 2}, {1, 1}, 19},
    {{2, 18, 11, 28}, {18, 1, 3, 3}, {2, 2}, {0, 1, 1, 0}, {1, 1}, 18},
    {{2, 18, 6, 50}, {18, 1, 3, 3}, {1, 1}, {2, 0, 1, 1}, {1, 1}, 18},
    {{2, 18, 9, 20}, {18, 1, 3, 3}, {2, 2}, {3, -2, 1, -3}, {1, 1}, 18},
    {{2, 37, 7, 6}, {37, 1, 7, 7}, {1, 1}, {3, 3, 3, 3}, {1, 1}, 37},
    {{2, 18, 14, 15}, {54, 1, 3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 18},
    {{2, 17, 56, 50}, {17, 1, 5, 3}, {2, 1}, {2, 2, 3, -1}, {1, 2}, 17},
    {{1, 20, 20, 21}, {20, 1, 2, 3}, {3, 3}, {0, 1, 4, 0}, {1, 1}, 20},
    {{2, 33, 1, 90}, {33, 1, 1, 31}, {1, 1}, {0, 0, 15, 15}, {1, 1}, 33},
    {{2, 24, 1, 300}, {40, 24, 1, 9}, {1, 1}, {0, 0, 4, 4}, {1, 1}, 1},
    {{1, 160, 3, 500}, {20, 160, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1},
    {{1, 520, 5, 6}, {16, 520, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1},
    {{3, 40, 6, 7}, {200, 40, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1},
    {{7, 24, 3, 3}, {200, 24, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1},
    {{2, 200, 5, 6}, {40, 200, 4, 4}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 1},
    {{2, 260, 7, 7}, {230, 260, 1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1},
    {{5, 130, 7, 5}, {70, 130, 1, 1}, {2, 2}, {0, 0, 0, 0}, {1, 1}, 1},
    {{11, 24, 5, 4}, {20, 24, 1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1},
    {{13, 190, 9, 7}, {180, 190, 1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1},
    {{17, 40, 14, 15}, {70, 40, 1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1},
    {{3, 260, 12, 13}, {420, 260, 1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1},
    {{9, 40, 14, 60}, {20, 40, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1},
    {{7, 380, 3, 3}, {360, 190, 1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 2},
    {{30, 20, 5, 4}, {36, 20, 5, 4}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1},
    {{1, 20, 4, 4}, {3, 20, 4, 4}, {2, 2}, {0, 0, 0, 0}, {1, 1}, 1},
    {{9, 24, 3, 3}, {32, 12, 3, 3}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 2},
    {{33, 30, 1, 1}, {55, 6, 1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 5},
    {{6, 18, 2, 3}, {18, 1, 2, 3}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 18},
    {{70, 7, 2, 2}, {9, 7, 1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1},
    {{5, 80, 6, 5}, {240, 40, 2, 2}, {2, 2}, {0, 0, 0, 0}, {1, 1}, 2},
    {{2, 20, 12, 14}, {36, 20, 2, 2}, {2, 2}, {0, 0, 0, 0}, {1, 1}, 1},
    {{2, 6, 13, 15}, {20, 3, 2, 3}, {3, 3}, {0, 0, 0, 0}, {1, 1}, 2},
    {{2, 20, 13, 11}, {40, 20, 3, 3}, {1, 1}, {4, 2, 3, 5}, {2, 3}, 1},
    {{1, 16, 30, 29}, {32, 8, 3, 3}, {1, 1}, {4, 4, 4, 4}, {4, 4}, 2},
    {{2, 20, 15, 33}, {36, 20, 3, 3}, {1, 1}, {12, 12, 12, 12}, {12, 12}, 1},
    {{5, 18, 9, 4}, {20, 18, 3, 3}, {1, 1}, {6, 6, 5, 5}, {6, 5}, 1},
    {{1, 24, 21, 40}, {33, 24, 3, 2}, {2, 2}, {8, 9, 7, 3}, {8, 9}, 1},
    {{2, 3, 19, 40}, {17, 3, 3, 3}, {1, 1}, {9, 9, 9, 9}, {9, 9}, 1},
    {{2, 30, 10, 11}, {100, 30, 3, 3}, {1, 1}, {5, 5, 4, 4}, {5, 4}, 1},
    {{1, 200, 5, 20}, {40, 200, 3, 3}, {1, 1}, {3, 3, 18, 18}, {3, 18}, 1},
    {{1, 4, 20, 120}, {140, 4, 3, 3}, {1, 1}, {8, 8, 8, 8}, {8, 8}, 1},
    {{5, 70, 8, 7}, {40, 70, 3, 3}, {1, 1}, {3, 3, 3, 3}, {3, 3}, 1},
    {{5, 20, 9, 10}, {24, 20, 5, 5}, {1, 1}, {4, 4, 4, 4}, {2, 2}, 1},
    {{5, 40, 8, 9}, {36, 40, 3, 3}, {2, 2}, {3, 3, 3, 3}, {3, 3}, 1},
    {{3, 24, 5, 6}, {40, 24, 3, 3}, {1, 1}, {9, 9, 9, 9}, {9, 9}, 1},
    {{1, 36, 4, 150}, {20, 36, 3, 3}, {1, 1}, {1, 1, 50, 50}, {1, 50}, 1},
    {{3, 12, 12, 13}, {230, 6, 3, 2}, {1, 1}, {4, 3, 5, 6}, {4, 5}, 2},
    {{2, 40, 7, 9}, {130, 40, 2, 3}, {1, 1}, {3, 5, 9, -2}, {5, 6}, 1},
    {{3, 72, 12, 13}, {104, 72, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1},
    {{3, 6, 60, 41}, {10, 6, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1},
    {{1, 64, 64, 65}, {64, 64, 2, 2}, {2, 2}, {0, 0, 0, 0}, {1, 1}, 1},
    {{1, 64, 33, 33}, {128, 64, 3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 1},
    {{5, 6, 14, 14}, {20, 6, 2, 2}, {2, 2}, {0, 0, 0, 0}, {1, 1}, 1},
    {{5, 20, 13, 13}, {34, 20, 3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 1},
    {{7, 12, 12, 29}, {18, 6, 4, 4}, {4, 4}, {0, 0, 0, 0}, {1, 1}, 2},
    {{5, 6, 10, 63}, {18, 6, 3, 3}, {3, 3}, {1, 1, 1, 1}, {1, 1}, 1},
    {{3, 4, 16, 68}, {20, 4, 4, 4}, {4, 4}, {0, 0, 0, 0}, {1, 1}, 1},
    {{9, 3, 16, 24}, {20, 3, 8, 8}, {8, 8}, {0, 0, 0, 0}, {1, 1}, 1},
    {{3, 6, 19, 40}, {34, 3, 3, 9}, {4, 10}, {0, 0, 0, 0}, {1, 1}, 2},
    {{2, 3, 19, 70}, {20, 3, 3, 5}, {4, 6}, {0, 0, 0, 0}, {1, 1}, 1},
    {{2, 3, 23, 75}, {20, 3, 11, 11}, {4, 4}, {2, 2, 2, 2}, {1, 1}, 1},
    {{9, 8, 5, 13}, {20, 8, 3, 5}, {1, 3}, {1, 1, 2, 2}, {1, 1}, 1},
    {{1, 3, 48, 130}, {40, 3, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1},
    {{1, 20, 60, 41}, {5, 20, 5, 5}, {1, 1}, {2, 2, 2, 2}, {1, 1}, 1},
    {{1, 40, 9, 9}, {300, 40, 4, 4}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 1},
    {{1, 130, 27, 28}, {150, 130, 1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1},
    {{1, 2, 40, 41}, {3, 2, 9, 9}, {1, 1}, {4, 4, 4, 4}, {1, 1}, 1},
    {{1, 6, 64, 64}, {2, 6, 7, 7}, {3, 2}, {5, 2, 3, 3}, {2, 1}, 1},
    {{2, 2, 11, 40}, {9, 2, 3, 40}, {1, 1}, {1, 1, 0, 0}, {1, 1}, 1},
    {{3, 4, 12, 9}, {6, 2, 3, 17}, {2, 3}, {3, 2, 9, 8}, {2, 1}, 2},
    {{2, 3, 1, 90}, {24, 3, 1, 9}, {4, 4}, {0, 0, 2, 2}, {1, 1}, 1},
    {{3, 20, 1, 1}, {24, 20, 3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 1},
    {{2, 20, 1, 60}, {24, 20, 1, 3}, {1, 1}, {0, 0, 2, 2}, {2, 2}, 1},
    {{0, 20, 9, 9}, {20, 20, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1},
};

Case random_case(std::mt19937& generator) {
  const auto pick = [&](I64 low, I64 high) {
    return std::uniform_int_distribution<I64>(low, high)(generator);
  };
  for (;;) {
    const I64 groups = pick(0, 3) == 0 ? pick(2, 4) : 1;
    const I64 channels = pick(0, 1) ? pick(1, 4) : pick(5, 40);
    const I64 filters = pick(0, 1) ? pick(1, 4) : pick(5, 40);
    const bool plain = pick(0, 1);  // unit stride and dilation
    Case c{{pick(1, 4), channels * groups, pick(1, 16), pick(1, 36)},
           {filters * groups, channels, pick(1, 5), pick(1, 5)},
           {plain ? 1 : pick(1, 4), plain ? 1 : pick(1, 4)},
           {pick(0, 4), pick(-1, 4), pick(0, 4), pick(-1, 4)},
           {plain ? 1 : pick(1, 3), plain ? 1 : pick(1, 3)},
           groups};
    if (plain && pick(0, 1)) {  // a kernel and a stride that Winograd may do
      c.weight[2] = c.weight[3] = pick(2, 5);
      c.stride[0] = c.stride[1] = pick(1, 2);
    }
    if (c.fits()) return c;
  }
}

std::vector<ConvAlgorithm> algorithms(const Case& c, ConvDirection direction, ScalarType dtype) {
  const Conv2dGeometry g = c.geometry();
  const Conv2dShape shape(c.input, c.weight, conv_output_sizes("test", 2, c.input, c.weight, g), g);
  std::vector<ConvAlgorithm> supported = {ConvAlgorithm::Auto};
  for (const ConvAlgorithm algorithm : kConvAlgorithms)
    if (conv2d_supports(algorithm, shape, direction, dtype)) supported.push_back(algorithm);
  return supported;
}

// Largest error over the largest value; float64 is compared with the definition, float32 with that.
double tolerance(ConvAlgorithm algorithm, ScalarType dtype) {
  switch (algorithm) {
    case ConvAlgorithm::WinogradSix:
      return dtype == kFloat64 ? 1e-12 : 1e-4;
    case ConvAlgorithm::Winograd:
    case ConvAlgorithm::Dilated:  // whose images may take these
      return dtype == kFloat64 ? 1e-13 : 1e-5;
    default:
      return dtype == kFloat64 ? 1e-13 : 3e-6;
  }
}

void check(const Case& c) {
  SCOPED_TRACE(::testing::PrintToString(c));
  const Conv2dGeometry g = c.geometry();
  const Array x = random_array(c.input, kFloat64, 1), w = random_array(c.weight, kFloat64, 2);
  const Array b = random_array({c.weight[0]}, kFloat64, 3);
  const Array y = naive_conv2d(x, w, Array(), g), biased = naive_conv2d(x, w, b, g);
  const Array dy = random_array(y.sizes(), kFloat64, 4);
  const Array dw = naive_conv2d_grad_weight(x, dy, c.weight, g), db = sum(dy, {0, 2, 3});
  const Array input_bias = random_array({c.input[1]}, kFloat64, 5);
  const Array dx = conv2d_grad_input(dy, w, Array(), c.input, g, ConvAlgorithm::Im2col);
  const Array biased_dx = conv2d_grad_input(dy, w, input_bias, c.input, g, ConvAlgorithm::Im2col);
  const double form = inner_product(y, dy);
  EXPECT_NEAR(inner_product(x, dx), form, 1e-12 * std::max(1.0, std::abs(form)));

  for (const ScalarType dtype : {kFloat64, kFloat32}) {
    const Array xt = cast(x, dtype), wt = cast(w, dtype), dyt = cast(dy, dtype);
    for (const ConvAlgorithm a : algorithms(c, ConvDirection::Forward, dtype)) {
      SCOPED_TRACE(::testing::PrintToString(a));
      const double limit = tolerance(a, dtype);
      EXPECT_LT(relative_error(conv2d(xt, wt, Array(), g, a), y), limit) << dtype;
      EXPECT_LT(relative_error(conv2d(xt, wt, cast(b, dtype), g, a), biased), limit) << dtype;
    }
    for (const ConvAlgorithm a : algorithms(c, ConvDirection::GradInput, dtype)) {
      SCOPED_TRACE(::testing::PrintToString(a));
      const double limit = tolerance(a, dtype);
      EXPECT_LT(relative_error(conv2d_grad_input(dyt, wt, Array(), c.input, g, a), dx), limit)
          << dtype;
      EXPECT_LT(relative_error(conv2d_grad_input(dyt, wt, cast(input_bias, dtype), c.input, g, a),
                               biased_dx),
                limit)
          << dtype;
    }
    for (const ConvAlgorithm a : algorithms(c, ConvDirection::GradWeight, dtype)) {
      SCOPED_TRACE(::testing::PrintToString(a));
      const Array grad_weight = conv2d_grad_weight(xt, dyt, c.weight, g, a);
      EXPECT_LT(relative_error(grad_weight, dw), tolerance(a, dtype)) << dtype;
      const Conv2dFilterGradients filters = conv2d_grad_filters(xt, dyt, c.weight, g, a);
      EXPECT_TRUE(same_bits(filters.weight, grad_weight)) << dtype;
      EXPECT_LT(relative_error(filters.bias, db), dtype == kFloat64 ? 1e-14 : 1e-6) << dtype;
    }
  }
}

// Of so many cases one is checked: of the baseline under AddressSanitizer, whose short vectors take
// as long there as all other instruction sets together, every third.
std::size_t every() {
#if defined(__SANITIZE_ADDRESS__)
  if (get_cpu_capability() == "DEFAULT") return 3;
#endif
  return 1;
}

TEST(Conv2dAlgorithms, EqualTheDefinitionAtTheirSeams) {
  for (std::size_t i = 0; i < std::size(kCases); i += every()) check(kCases[i]);
}

TEST(Conv2dAlgorithms, EqualTheDefinitionOnRandomGeometries) {
  std::mt19937 generator(11);
  for (std::size_t i = 0; i < 120; ++i) {
    const Case c = random_case(generator);
    if (i % every() == 0) check(c);
  }
}

// Rows of every width up to three vectors, and about as many more as a strip has; planes lower than
// the kernel; an even and an odd number of channels; above, and with a stride on the right, any
// padding.
TEST(Conv2dAlgorithms, EqualTheDefinitionOnPlanesOfEveryWidth) {
  std::size_t i = 0;
  for (const I64 kernel : {3, 5, 7})
    for (const I64 stride : {1, 2})
      for (I64 width = 1; width < 140; width += width < 53 || width % 16 >= 14 ? 1 : 3) {
        const I64 pad = kernel / 2, channels = 3 + width % 2;
        const Case c{{2, channels, 1 + width * 5 % 11, width},
                     {channels, 1, kernel, kernel},
                     {stride, stride},
                     {width % 3, pad, pad, stride == 1 ? pad : width % 5},
                     {1, 1},
                     channels};
        if (c.fits() && i++ % every() == 0) check(c);
      }
}

TEST(Conv2dAlgorithms, DoNotDependOnTheNumberOfThreads) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(::testing::PrintToString(c));
    const Conv2dGeometry g = c.geometry();
    const Array x = random_array(c.input, kFloat32, 1), w = random_array(c.weight, kFloat32, 2);
    const Array dy =
        random_array(conv_output_sizes("conv2d", 2, c.input, c.weight, g), kFloat32, 3);
    const Array bias = random_array({c.weight[0]}, kFloat32, 4);
    const Array input_bias = random_array({c.input[1]}, kFloat32, 5);
    for (const ConvAlgorithm a : algorithms(c, ConvDirection::Forward, kFloat32))
      EXPECT_TRUE(same_bits_for_any_threads([&] { return conv2d(x, w, bias, g, a); })) << a;
    for (const ConvAlgorithm a : algorithms(c, ConvDirection::GradInput, kFloat32))
      EXPECT_TRUE(same_bits_for_any_threads([&] {
        return conv2d_grad_input(dy, w, input_bias, c.input, g, a);
      })) << a;
    for (const ConvAlgorithm a : algorithms(c, ConvDirection::GradWeight, kFloat32))
      EXPECT_TRUE(same_bits_for_any_threads([&] {
        return conv2d_grad_weight(x, dy, c.weight, g, a);
      })) << a;
    for (const ConvAlgorithm a : algorithms(c, ConvDirection::GradWeight, kFloat32))
      EXPECT_TRUE(same_bits_for_any_threads([&] {
        return conv2d_grad_filters(x, dy, c.weight, g, a).bias;
      })) << a;
  }
}

// Inputs that no product reads leave no trace, not even as 0 * inf.
TEST(Conv2dAlgorithms, InfinityStaysWhereItIsRead) {
  const Case c{{2, 16, 9, 20}, {16, 16, 3, 3}, {1, 1}, {0, -2, 0, -5}, {1, 1}, 1};
  const Conv2dGeometry g = c.geometry();
  Array x = ones(c.input, kFloat32);
  for (I64 plane = 0; plane < 32; ++plane)
    for (I64 h = 0; h < 9; ++h)
      for (I64 w = 0; w < 20; ++w)
        if (h >= 7 || w >= 15)
          x.data<float>()[(plane * 9 + h) * 20 + w] = std::numeric_limits<float>::infinity();
  const Array w = ones(c.weight, kFloat32);
  const Array dy = ones(conv_output_sizes("conv2d", 2, c.input, c.weight, g), kFloat32);
  for (const ConvAlgorithm a : algorithms(c, ConvDirection::Forward, kFloat32))
    for (const float value : values<float>(conv2d(x, w, Array(), g, a)))
      ASSERT_NEAR(value, 144, 1e-4) << a;
  for (const ConvAlgorithm a : algorithms(c, ConvDirection::GradWeight, kFloat32))
    for (const float value : values<float>(conv2d_grad_weight(x, dy, c.weight, g, a)))
      ASSERT_NEAR(value, 2 * 5 * 13, 1e-4) << a;
}

// Vectors reach over the edges of planes, and some have two planes.
TEST(Conv2dAlgorithms, InfinityStaysInItsPlane) {
  constexpr I64 kChannels = 5, kInfinite = 2;
  const auto check_planes = [&](const Array& result, const Array& finite) {
    const std::vector<float> is = values<float>(result), expected = values<float>(finite);
    const std::size_t plane = is.size() / kChannels;
    for (std::size_t i = 0; i < is.size(); ++i)
      if (i / plane != kInfinite) {
        ASSERT_NEAR(is[i], expected[i], 1e-3);
      }
  };
  for (const I64 kernel : {3, 5, 7})
    for (const I64 stride : {1, 2})
      for (const I64 width : {5, 7, 8, 14, 16, 17, 20, 28, 33, 50, 70}) {
        const I64 pad = kernel / 2;
        const Case c{{1, kChannels, 9, width},
                     {kChannels, 1, kernel, kernel},
                     {stride, stride},
                     {pad, pad, pad, pad},
                     {1, 1},
                     kChannels};
        SCOPED_TRACE(::testing::PrintToString(c));
        const Conv2dGeometry g = c.geometry();
        const DimVector output = conv_output_sizes("conv2d", 2, c.input, c.weight, g);
        const Array x = ones(c.input, kFloat32), dy = ones(output, kFloat32);
        const Array w = ones(c.weight, kFloat32);
        Array infinite_x = clone(x), infinite_dy = clone(dy);
        std::fill_n(infinite_x.data<float>() + kInfinite * 9 * width, 9 * width,
                    std::numeric_limits<float>::infinity());
        const I64 pixels = output[2] * output[3];
        std::fill_n(infinite_dy.data<float>() + kInfinite * pixels, pixels,
                    std::numeric_limits<float>::infinity());
        for (const ConvAlgorithm a : {ConvAlgorithm::Depthwise, ConvAlgorithm::DepthwiseChannels}) {
          SCOPED_TRACE(::testing::PrintToString(a));
          check_planes(conv2d(infinite_x, w, Array(), g, a), conv2d(x, w, Array(), g, a));
          check_planes(conv2d_grad_input(infinite_dy, w, Array(), c.input, g, a),
                       conv2d_grad_input(dy, w, Array(), c.input, g, a));
          const Array dw = conv2d_grad_weight(x, dy, c.weight, g, a);
          check_planes(conv2d_grad_weight(infinite_x, dy, c.weight, g, a), dw);
          check_planes(conv2d_grad_weight(x, infinite_dy, c.weight, g, a), dw);
        }
      }
}

TEST(Conv2dAlgorithms, AreRefusedWhereTheyDoNotFit) {
  const Conv2dGeometry g;
  const Array x = zeros({1, 2, 5, 5}, kFloat32), w = zeros({3, 2, 3, 3}, kFloat32);
  EXPECT_EQ(error_of([&] { conv2d(x, w, Array(), g, ConvAlgorithm::Depthwise); }),
            "conv2d: the depthwise algorithm does not do this convolution (input [1, 2, 5, 5], "
            "weight [3, 2, 3, 3], groups 1, Float)");
}

}  // namespace
}  // namespace tapedeck::kernels
