#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

/// One convolution of a known network: input [N, C, H, W], `filters` of kernel x kernel.
struct ConvCase {
  std::string name;
  std::int64_t N, C, H, W, filters, kernel;
  std::int64_t stride = 1, padding = 0, dilation = 1, groups = 1;
  bool transposed = false;

  std::int64_t span() const { return dilation * (kernel - 1) + 1; }
  std::int64_t out(std::int64_t in) const {
    return transposed ? stride * (in - 1) + span() - 2 * padding
                      : (in + 2 * padding - span()) / stride + 1;
  }
  std::int64_t OH() const { return out(H); }
  std::int64_t OW() const { return out(W); }

  std::vector<std::int64_t> input() const { return {N, C, H, W}; }
  std::vector<std::int64_t> output() const { return {N, filters, OH(), OW()}; }
  std::vector<std::int64_t> weight() const {
    if (transposed) return {C, filters / groups, kernel, kernel};
    return {filters, C / groups, kernel, kernel};
  }
  /// Two operations for each tap of each pixel of the smaller side, padding counted as well.
  double flops() const {
    const std::int64_t pixels = transposed ? H * W : OH() * OW();
    return 2.0 * static_cast<double>(N * pixels * C) * static_cast<double>(filters / groups) *
           static_cast<double>(kernel * kernel);
  }
};

inline std::vector<ConvCase> conv_cases() {
  return {
      {"lenet_conv1_5x5", 100, 1, 28, 28, 16, 5, 1, 2},
      {"lenet_conv2_5x5", 100, 16, 14, 14, 32, 5, 1, 2},
      {"cifar_conv1_3x3", 32, 3, 32, 32, 64, 3, 1, 1},
      {"vgg_128x112_3x3", 1, 128, 112, 112, 128, 3, 1, 1},
      {"resnet_stem_7x7_s2", 4, 3, 224, 224, 64, 7, 2, 3},
      {"resnet_64x56_3x3", 8, 64, 56, 56, 64, 3, 1, 1},
      {"resnet_128x28_3x3", 8, 128, 28, 28, 128, 3, 1, 1},
      {"resnet_256x14_3x3", 8, 256, 14, 14, 256, 3, 1, 1},
      {"resnet_512x7_3x3", 8, 512, 7, 7, 512, 3, 1, 1},
      {"resnet_128x56_3x3_s2", 8, 128, 56, 56, 128, 3, 2, 1},
      {"resnet_256to64x56_1x1", 8, 256, 56, 56, 64, 1},
      {"resnet_64to256x56_1x1", 8, 64, 56, 56, 256, 1},
      {"resnet_256to512x56_1x1_s2", 8, 256, 56, 56, 512, 1, 2},
      {"resnext_256x14_3x3_g32", 8, 256, 14, 14, 256, 3, 1, 1, 1, 32},
      {"mobilenet_128x56_3x3_depthwise", 8, 128, 56, 56, 128, 3, 1, 1, 1, 128},
      {"deeplab_256x28_3x3_d2", 4, 256, 28, 28, 256, 3, 1, 2, 2},
      {"unet_64x128_3x3", 1, 64, 128, 128, 64, 3, 1, 1},
      {"unet_up_128to64x64_2x2_s2", 1, 128, 64, 64, 64, 2, 2, 0, 1, 1, true},
      {"dcgan_256to128x8_4x4_s2", 16, 256, 8, 8, 128, 4, 2, 1, 1, 1, true},
      {"dcgan_128to64x16_4x4_s2", 16, 128, 16, 16, 64, 4, 2, 1, 1, 1, true},
      {"dcgan_64to3x32_4x4_s2", 16, 64, 32, 32, 3, 4, 2, 1, 1, 1, true},
  };
}

}  // namespace bench
