#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

/// One convolution of a known network: input [N, C, H, W], `filters` of kernel x kernel. A row
/// (`H` is 1, `is_row`) is one-dimensional: its kernel and stride are those of the width alone.
struct ConvCase {
  std::string name;
  std::int64_t N, C, H, W, filters, kernel;
  std::int64_t stride = 1, padding = 0, dilation = 1, groups = 1;
  bool transposed = false;
  bool is_row = false;

  std::int64_t span() const { return dilation * (kernel - 1) + 1; }
  std::int64_t out(std::int64_t in) const {
    return transposed ? stride * (in - 1) + span() - 2 * padding
                      : (in + 2 * padding - span()) / stride + 1;
  }
  std::int64_t OH() const { return is_row ? 1 : out(H); }
  std::int64_t OW() const { return out(W); }

  std::int64_t kernel_height() const { return is_row ? 1 : kernel; }
  /// The two sides of an option: a row has `of_height` for the upright one.
  std::vector<std::int64_t> sides(std::int64_t option, std::int64_t of_height) const {
    return {is_row ? of_height : option, option};
  }

  std::vector<std::int64_t> input() const { return {N, C, H, W}; }
  std::vector<std::int64_t> output() const { return {N, filters, OH(), OW()}; }
  std::vector<std::int64_t> weight() const {
    if (transposed) return {C, filters / groups, kernel_height(), kernel};
    return {filters, C / groups, kernel_height(), kernel};
  }
  /// Whether the precision "medium" may have faster algorithms for it.
  bool has_medium() const {
    return !transposed && dilation == 1 && stride == 1 && kernel == 3 && !is_row;
  }
  /// Two operations for each tap of each pixel of the smaller side, padding counted as well.
  double flops() const {
    const std::int64_t pixels = transposed ? H * W : OH() * OW();
    return 2.0 * static_cast<double>(N * pixels * C) * static_cast<double>(filters / groups) *
           static_cast<double>(kernel_height() * kernel);
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

/// Further layers of known networks, measured as layers only.
inline std::vector<ConvCase> conv_layers() {
  return {
      {"alexnet_conv1_11x11_s4", 8, 3, 224, 224, 64, 11, 4, 2},
      {"alexnet_64to192x27_5x5", 8, 64, 27, 27, 192, 5, 1, 2},
      {"vit_patches_16x16_s16", 8, 3, 224, 224, 192, 16, 16},
      {"convnext_patches_4x4_s4", 8, 3, 224, 224, 96, 4, 4},
      {"convnext_96to192x56_2x2_s2", 4, 96, 56, 56, 192, 2, 2},
      {"convnext_384x14_7x7_depthwise", 8, 384, 14, 14, 384, 7, 1, 3, 1, 384},
      {"resnet20_16x32_3x3", 128, 16, 32, 32, 16, 3, 1, 1},
      {"wideresnet_160x32_3x3", 8, 160, 32, 32, 160, 3, 1, 1},
      {"resnet_64to128x56_3x3_s2", 8, 64, 56, 56, 128, 3, 2, 1},
      {"resnet_128to256x28_3x3_s2", 8, 128, 28, 28, 256, 3, 2, 1},
      {"resnet_1024to256x14_1x1", 8, 1024, 14, 14, 256, 1},
      {"resnet_512to2048x7_1x1", 8, 512, 7, 7, 2048, 1},
      {"vgg_256x56_3x3", 1, 256, 56, 56, 256, 3, 1, 1},
      {"vgg_512x28_3x3", 1, 512, 28, 28, 512, 3, 1, 1},
      {"densenet_128to32x28_3x3", 8, 128, 28, 28, 32, 3, 1, 1},
      {"squeezenet_16to64x55_3x3", 8, 16, 55, 55, 64, 3, 1, 1},
      {"mobilenet_144x56_3x3_s2_depthwise", 8, 144, 56, 56, 144, 3, 2, 1, 1, 144},
      {"mobilenet_960x7_3x3_depthwise", 32, 960, 7, 7, 960, 3, 1, 1, 1, 960},
      {"mobilenet_96to24x56_1x1", 8, 96, 56, 56, 24, 1},
      {"efficientnet_240x28_5x5_depthwise", 8, 240, 28, 28, 240, 5, 1, 2, 1, 240},
      {"resnext_512x14_3x3_g32", 8, 512, 14, 14, 512, 3, 1, 1, 1, 32},
      {"regnet_224x28_3x3_g8", 8, 224, 28, 28, 224, 3, 1, 1, 1, 8},
      {"deeplab_512to256x33_3x3_d12", 1, 512, 33, 33, 256, 3, 1, 12, 12},
      {"dcgan_64to128x32_4x4_s2", 32, 64, 32, 32, 128, 4, 2, 1},
      {"dcgan_256to512x8_4x4_s2", 32, 256, 8, 8, 512, 4, 2, 1},
      {"dcgan_512to256x4_4x4_s2_up", 32, 512, 4, 4, 256, 4, 2, 1, 1, 1, true},
      {"pix2pix_512x16_4x4_s2", 1, 512, 16, 16, 512, 4, 2, 1},
      {"unet_512to256x32_2x2_s2_up", 1, 512, 32, 32, 256, 2, 2, 0, 1, 1, true},
      {"fsrcnn_56to1x32_9x9_s3_up", 4, 56, 32, 32, 1, 9, 3, 3, 1, 1, true},
      {"autoencoder_64to32x7_3x3_s2_up", 64, 64, 7, 7, 32, 3, 2, 1, 1, 1, true},
      {"edsr_64x48_3x3", 4, 64, 48, 48, 64, 3, 1, 1},
      {"espcn_out_64to3x64_3x3", 4, 64, 64, 64, 3, 3, 1, 1},
  };
}

}  // namespace bench
