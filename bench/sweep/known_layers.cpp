#include "bench/sweep/known_layers.h"

#include <algorithm>
#include <set>
#include <sstream>

namespace bench {

namespace {

// A network's line: its name and the batches to take it at, then layers between semicolons:
//   channels size filters [kK] [sS] [pP] [dD] [gG] [up] [row]
// with a kernel of 3, a stride and a dilation of 1, and a padding that keeps the size unless said.
// `dw` is a group for each channel; a size is "H" or "HxW".
constexpr const char* kNetworks[] = {
    "lenet 64 100: 1 28 6 k5 p2; 6 14 16 k5 p0; 1 32 6 k5 p0; 16 5 120 k5 p0",
    "mnist 100 32: 1 28 32 p0; 32 26 64 p0; 1 28 16; 16 14 32; 1 28 10 k5 p0; 10 12 20 k5 p0; "
    "1 28 20 k5 p0; 20 12 50 k5 p0; 32 14 64; 32 14 64 k5 p2",
    "allconv 32: 3 32 96; 96 32 96; 96 32 96 s2; 96 16 192; 192 16 192; 192 16 192 s2; "
    "192 8 192 k1; 192 8 10 k1",
    "alexnet 1 16: 3 224 64 k11 s4 p2; 64 27 192 k5; 192 13 384; 384 13 256; 256 13 256",
    "nin 16: 3 32 192 k5; 192 32 160 k1; 160 32 96 k1; 96 16 192 k5; 192 16 192 k1; 192 8 192",
    "vgg 1 4: 3 224 64; 64 224 64; 64 112 128; 128 112 128; 128 56 256; 256 56 256; 256 28 512; "
    "512 28 512; 512 14 512",
    "cifar_vgg 32: 3 32 64; 64 32 64; 64 16 128; 128 16 128; 128 8 256; 256 8 256; 256 4 512; "
    "512 4 512; 512 2 512",
    "googlenet 4: 3 224 64 k7 s2; 64 56 64 k1; 64 56 192; 192 28 64 k1; 192 28 96 k1; 96 28 128; "
    "16 28 32 k5; 480 14 192 k1; 480 14 96 k1; 96 14 208; 16 14 48 k5; 112 14 224; 24 14 64 k5; "
    "144 14 288; 160 14 320; 32 14 128 k5; 832 7 384 k1; 192 7 384; 48 7 128 k5",
    "inception 4: 3 299 32 s2 p0; 32 149 32 p0; 32 147 64; 64 73 80 k1; 80 73 192 p0; 48 35 64 k5; "
    "64 35 96; 96 35 96; 288 35 384 s2 p0; 192 17 320 s2 p0; 448 8 384",
    "resnet 1 8 32: 3 224 64 k7 s2; 64 56 64; 64 56 128 s2; 64 56 128 k1 s2; 128 28 128; "
    "128 28 256 s2; 128 28 256 k1 s2; 256 14 256; 256 14 512 s2; 256 14 512 k1 s2; 512 7 512",
    "bottleneck 4 16: 64 56 64 k1; 64 56 256 k1; 256 56 64 k1; 256 56 128 k1; 128 56 128 s2; "
    "128 28 512 k1; 256 56 512 k1 s2; 512 28 128 k1; 512 28 256 k1; 256 28 256 s2; 256 14 1024 k1; "
    "512 28 1024 k1 s2; 1024 14 256 k1; 1024 14 512 k1; 512 14 512 s2; 512 7 2048 k1; "
    "1024 14 2048 k1 s2; 2048 7 512 k1",
    "cifar_resnet 128 32: 3 32 16; 16 32 16; 16 32 32 s2; 16 32 32 k1 s2; 32 16 32; 32 16 64 s2; "
    "32 16 64 k1 s2; 64 8 64",
    "wide_resnet 16: 16 32 160; 160 32 160; 160 32 320 s2; 320 16 320; 320 16 640 s2; 640 8 640",
    "resnext 1 8: 128 56 128 g32; 256 56 256 s2 g32; 256 28 256 g32; 512 28 512 s2 g32; "
    "512 14 512 g32; 1024 14 1024 s2 g32; 1024 7 1024 g32",
    "regnet 4: 24 56 24 g3; 56 28 56 g7; 152 14 152 g19; 368 7 368 g46; 64 56 64 g4; 160 28 160 "
    "g10; "
    "224 28 224 g8",
    "shufflenet 16: 24 56 60 k1 g3; 240 28 60 k1 g3; 60 28 240 k1 g3; 58 28 58 k1; 58 28 58 dw; "
    "116 14 116 dw; 116 14 116 k1; 232 7 232 dw",
    "densenet 8: 64 56 128 k1; 128 56 32; 256 28 128 k1; 128 28 32; 512 14 128 k1; 128 14 32; "
    "1024 7 128 k1; 128 7 32",
    "squeezenet 8: 3 224 96 k7 s2 p0; 96 54 16 k1; 16 54 64 k1; 16 54 64; 128 54 32 k1; 32 27 128; "
    "48 27 192; 64 13 256; 512 13 1000 k1",
    "mobilenet1 8: 3 224 32 s2; 32 112 32 dw; 32 112 64 k1; 64 112 64 s2 dw; 64 56 128 k1; "
    "128 56 128 dw; 128 56 128 s2 dw; 128 28 256 k1; 256 28 256 dw; 256 28 256 s2 dw; 256 14 512 "
    "k1; "
    "512 14 512 dw; 512 14 512 k1; 512 14 512 s2 dw; 1024 7 1024 dw; 512 7 1024 k1; 1024 7 1024 k1",
    "mobilenet2 8: 32 112 16 k1; 16 112 96 k1; 96 112 96 s2 dw; 96 56 24 k1; 24 56 144 k1; "
    "144 56 144 dw; 144 56 144 s2 dw; 144 28 32 k1; 32 28 192 k1; 192 28 192 dw; 192 28 192 s2 dw; "
    "64 14 384 k1; 384 14 384 dw; 384 14 96 k1; 576 14 576 s2 dw; 160 7 960 k1; 960 7 960 dw; "
    "960 7 320 k1; 320 7 1280 k1",
    "mobilenet3 16: 3 224 16 s2; 16 112 16 dw; 72 56 72 k5 s2 dw; 120 28 120 k5 dw; "
    "240 28 240 s2 dw; 480 14 480 dw; 672 14 672 k5 s2 dw; 960 7 960 k5 dw; 160 7 960 k1",
    "efficientnet 8: 32 112 32 dw; 96 112 96 s2 dw; 144 56 144 k5 s2 dw; 240 28 240 k5 dw; "
    "480 14 480 k5 dw; 672 14 672 k5 dw; 1152 7 1152 k5 dw; 192 7 1152 k1; 1152 7 192 k1",
    "mnasnet 8: 48 112 48 s2 dw; 72 56 72 k5 dw; 120 28 120 k5 dw; 24 56 72 k1",
    "convnext 4: 3 224 96 k4 s4 p0; 96 56 96 k7 dw; 96 56 192 k2 s2 p0; 192 28 192 k7 dw; "
    "192 28 384 k2 s2 p0; 384 14 384 k7 dw; 384 14 768 k2 s2 p0; 768 7 768 k7 dw",
    "convmixer 4: 3 224 256 k7 s7 p0; 256 32 256 k9 dw; 256 32 256 k1; 3 32 256 k2 s2 p0; "
    "256 16 256 k5 dw",
    "xception 4: 32 149 64 p0; 128 74 128 dw; 256 37 256 dw; 728 19 728 dw; 728 19 728 k1; "
    "64 147 128 k1 s2",
    "vit 1 8: 3 224 192 k16 s16 p0; 3 224 768 k16 s16 p0; 3 224 768 k32 s32 p0; 3 32 192 k4 s4 p0",
    "swin 4: 3 224 96 k4 s4 p0; 3 224 128 k4 s4 p0",
    "levit 8: 3 224 16 s2; 16 112 32 s2; 32 56 64 s2; 64 28 128 s2",
    "unet 1: 1 256 64; 64 256 64; 64 128 128; 128 128 128; 128 64 256; 256 64 256; 256 32 512; "
    "512 32 512; 512 16 1024; 1024 16 1024; 1024 32 512; 512 64 256; 256 128 128; 128 256 64; "
    "64 256 2 k1; 1024 16 512 k2 s2 p0 up; 512 32 256 k2 s2 p0 up; 256 64 128 k2 s2 p0 up; "
    "128 128 64 k2 s2 p0 up",
    "small_unet 8: 3 64 32; 32 64 32; 32 32 64; 64 32 64; 64 16 128; 128 16 128; "
    "128 16 64 k2 s2 p0 up; 64 32 32 k2 s2 p0 up; 32 64 1 k1",
    "segnet 1: 64 180x240 64; 128 90x120 128; 64 180x240 12",
    "deeplab 1 2: 512 33 512 d2 p2; 512 33 256 d6 p6; 2048 33 256 d12 p12; 2048 33 256 d18 p18; "
    "256 65 256 d2 p2; 256 28 256 d4 p4; 320 33 256 d6 p6; 304 65 256",
    "espnet 4: 16 64 16 d2 p2; 16 64 16 d4 p4; 16 64 16 d8 p8; 32 32 32 d2 p2; 32 32 32 d16 p16",
    "crowd 1: 512 32 512 d2 p2; 512 32 256 d2 p2; 256 64 128 d2 p2",
    "dcgan 64 16: 3 64 64 k4 s2 p1; 64 32 128 k4 s2 p1; 128 16 256 k4 s2 p1; 256 8 512 k4 s2 p1; "
    "512 4 1 k4 p0; 100 1 512 k4 p0 up; 512 4 256 k4 s2 p1 up; 256 8 128 k4 s2 p1 up; "
    "128 16 64 k4 s2 p1 up; 64 32 3 k4 s2 p1 up",
    "mnist_gan 64: 1 28 64 k4 s2 p1; 64 14 128 k4 s2 p1; 128 7 1 k7 p0; 100 1 256 k7 p0 up; "
    "256 7 128 k4 s2 p1 up; 128 14 64 k4 s2 p1 up; 64 14 1 k4 s2 p1 up; 128 7 64 k5 s2 p2 up; "
    "256 4 128 k3 s2 p1 up",
    "pix2pix 1: 3 256 64 k4 s2 p1; 64 128 128 k4 s2 p1; 128 64 256 k4 s2 p1; 256 32 512 k4 s2 p1; "
    "512 16 512 k4 s2 p1; 512 8 512 k4 s2 p1; 256 32 512 k4 p1; 512 8 512 k4 s2 p1 up; "
    "1024 16 256 k4 s2 p1 up; 512 32 128 k4 s2 p1 up; 256 64 64 k4 s2 p1 up; 128 128 3 k4 s2 p1 up",
    "cyclegan 1: 3 134 64 k7 p0; 64 128 128 s2; 128 64 256 s2; 256 34 256 p0; 256 32 128 s2 p1 up; "
    "64 134 3 k7 p0",
    "style 1: 3 144 32 k9 p0; 32 128 64 s2; 64 64 128 s2; 128 34 128 p0; 32 136 3 k9 p0",
    "stylegan 4: 512 4 512; 512 8 512; 512 16 512; 256 32 256; 128 64 128; 128 32 3 k1",
    "biggan 8: 256 16 256; 256 16 128 k1; 96 32 96; 192 32 96",
    "autoencoder 100 16: 1 28 16 s2; 16 14 32 s2; 32 7 64 k7 p0; 64 1 32 k7 p0 up; "
    "32 7 16 k3 s2 p1 up; 16 14 1 k4 s2 p1 up; 3 32 12 k4 s2 p1; 12 16 24 k4 s2 p1; "
    "24 8 48 k4 s2 p1; 48 4 24 k4 s2 p1 up; 24 8 12 k4 s2 p1 up; 12 16 3 k4 s2 p1 up; "
    "1 28 16 k2 s2 p0; 16 14 32 k2 s2 p0; 32 7 16 k2 s2 p0 up; 16 14 1 k2 s2 p0 up",
    "vae 64: 1 28 32 k4 s2 p1; 32 14 64 k4 s2 p1; 64 7 32 k4 s2 p1 up; 3 64 32 s2; 32 32 64 s2; "
    "64 16 128 s2; 128 8 256 s2; 256 4 512 s2; 512 2 256 s2 p1 up; 256 4 128 s2 p1 up",
    "vqvae 16: 3 32 64 k4 s2 p1; 64 16 128 k4 s2 p1; 128 8 128; 128 8 32; 32 8 128 k1; "
    "128 8 64 k4 s2 p1 up; 64 16 3 k4 s2 p1 up",
    "super_resolution 4: 1 64 64 k9; 64 64 32 k5; 64 64 32 k1; 32 64 1 k5; 1 64 56 k5; "
    "56 64 12 k1; 12 64 12; 56 32 1 k9 s3 p3 up; 1 48 64 k5; 64 48 64; 64 48 32; 64 48 9; 64 48 "
    "256; "
    "32 96 3",
    "denoise 4: 1 50 64; 64 50 64; 64 50 1; 3 64 96; 96 64 96",
    "yolo 1: 3 416 32; 32 208 64; 32 416 64 s2; 64 208 32 k1; 64 208 128 s2; 128 104 256 s2; "
    "128 52 256; 256 52 512 s2; 256 26 512; 512 26 1024 s2; 512 13 1024; 1024 13 512 k1; "
    "1024 13 255 k1; 256 52 255 k1",
    "ssd 1: 512 38 512; 512 19 1024 d6 p6; 1024 19 1024 k1; 256 19 512 s2; 128 10 256 s2; "
    "512 38 16; 1024 19 24; 1024 19 486",
    "fpn 1: 256 56 256; 256 28 256; 2048 7 256 k1; 512 28 256 k1; 256 14 256; 256 7 9 k1; 256 14 "
    "36",
    "atari 32 1: 4 84 32 k8 s4 p0; 32 20 64 k4 s2 p0; 64 9 64 p0; 4 84 16 k8 s4 p0; 16 20 32 k4 s2 "
    "p0",
    "impala 32: 3 64 16; 16 32 32; 32 16 32",
    "alphazero 32 1: 17 8 256; 256 8 256; 17 19 192; 192 19 192; 256 19 256; 256 8 2 k1",
    "flow 1: 6 192x256 64 k7 s2; 64 96x128 128 k5 s2; 128 48x64 256 k5 s2; 256 24x32 512 s2; "
    "1024 3x4 512 k4 s2 p1 up",
    "speech 8: 1 161x100 32 k11 s2 p5; 32 81x50 32 k11 p5; 80 1x400 384 row; 384 1x200 384 s2 row",
    "wavenet 4: 32 1x1000 64 k2 p0 row; 64 1x1000 64 d4 p4 row; 64 1x1000 64 d16 p16 row; "
    "64 1x1000 64 k1 row; 1 1x4000 32 k2 p0 row",
    "audio 16: 1 1x8000 64 k80 s4 p0 row; 64 1x500 64 row; 64 1x125 128 row; 128 1x31 256 row; "
    "16 1x800 32 k5 row; 6 1x797 32 k5 row; 64 1x160 64 k11 row",
    "text 50: 300 1x56 100 p0 row; 300 1x56 100 k5 p0 row; 128 1x100 128 k7 row; 70 1x1014 256 k7 "
    "p0 "
    "row; 256 1x336 256 p0 row",
    "tcn 32: 1 1x784 25 k7 row; 25 1x784 25 k7 d2 p6 row; 25 1x784 25 k7 d8 p24 row; "
    "25 1x784 25 k7 d64 p192 row",
    "ecg 32: 12 1x1000 32 k15 row; 32 1x500 64 k15 s2 row; 64 1x250 128 k15 s2 row; 128 1x125 128 "
    "row",
    "encodec 4: 1 1x4096 32 k7 row; 32 1x4096 64 k4 s2 p1 row; 64 1x2048 128 k8 s4 p2 row; "
    "128 1x512 64 k8 s4 p2 up row; 64 1x2048 32 k4 s2 p1 up row",
};

ConvCase parse_layer(const std::string& text) {
  std::istringstream words(text);
  ConvCase layer{};
  std::string size, word;
  words >> layer.C >> size >> layer.filters;
  layer.kernel = 3;
  const std::size_t cross = size.find('x');
  layer.H = std::stoll(size);
  layer.W = cross == std::string::npos ? layer.H : std::stoll(size.substr(cross + 1));
  std::int64_t padding = -1;
  while (words >> word) {
    if (word == "up") {
      layer.transposed = true;
    } else if (word == "row") {
      layer.is_row = true;
    } else if (word == "dw") {
      layer.groups = layer.C;
    } else {
      const std::int64_t value = std::stoll(word.substr(1));
      switch (word[0]) {
        case 'k':
          layer.kernel = value;
          break;
        case 's':
          layer.stride = value;
          break;
        case 'p':
          padding = value;
          break;
        case 'd':
          layer.dilation = value;
          break;
        default:
          layer.groups = value;
      }
    }
  }
  layer.padding = padding >= 0 ? padding : layer.kernel / 2;
  return layer;
}

std::string describe(const ConvCase& layer) {
  std::ostringstream out;
  out << 'n' << layer.N << '_' << layer.C << "to" << layer.filters << '_' << layer.H << 'x'
      << layer.W << "_k" << layer.kernel;
  if (layer.stride > 1) out << "_s" << layer.stride;
  if (layer.padding > 0) out << "_p" << layer.padding;
  if (layer.dilation > 1) out << "_d" << layer.dilation;
  if (layer.groups > 1) out << "_g" << layer.groups;
  if (layer.transposed) out << "_up";
  return out.str();
}

}  // namespace

const char* kind_of(const ConvCase& layer) {
  if (layer.groups == layer.C && layer.groups > 1) return "depthwise";
  if (layer.groups > 1) return "groups";
  if (layer.transposed) return "transposed";
  if (layer.is_row) return "rows";
  if (layer.C <= 4) return "first";
  if (layer.dilation > 1) return "dilated";
  if (layer.kernel == 1) return "1x1";
  return layer.stride > 1 ? "strided" : "dense";
}

std::vector<ConvCase> known_layers() {
  std::vector<ConvCase> layers;
  std::set<std::string> seen;
  for (const std::string network : kNetworks) {
    const std::size_t colon = network.find(':');
    std::istringstream head(network.substr(0, colon)), batches;
    std::string name, batch, text;
    head >> name;
    while (head >> batch) {
      std::istringstream texts(network.substr(colon + 1));
      while (std::getline(texts, text, ';')) {
        ConvCase layer = parse_layer(text);
        layer.N = std::stoll(batch);
        const std::string description = describe(layer);
        if (!seen.insert(description).second) continue;
        layer.name = name + '_' + description;
        layers.push_back(layer);
      }
    }
  }
  return layers;
}

}  // namespace bench
