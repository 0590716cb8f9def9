#pragma once

#include <cstdint>

#include <tapedeck/ops/kernels/conv_tiles.h>
#include <tapedeck/ops/kernels/conv_weights.h>
#include <tapedeck/ops/kernels/conv_window.h>
#include <tapedeck/ops/kernels/scratch.h>
#include <tapedeck/ops/kernels/winograd_transforms.h>

namespace tapedeck::kernels {

/// The filters of a convolution, transformed as Winograd's products read them: for each position
/// [input channel][channel of the block], in blocks of output channels as ConvWeights has them.
template <typename T>
class WinogradFilters {
 public:
  WinogradFilters(const ConvWindow& window, const WinogradTransforms<T>& transforms,
                  const T* weight);

  /// From each position of a block to the next there are `step` elements.
  struct Block {
    const T* data;
    std::int64_t step;
  };

  const ConvWeights<T>& weights() const { return weights_; }
  std::int64_t position_step(std::int64_t width) const;
  /// One block, with room for its packed weights.
  void transform(std::int64_t group, std::int64_t block, T* packed, T* out,
                 std::int64_t position_step) const;
  /// All blocks, to stay.
  void transform_all();
  /// A block of those.
  Block block(std::int64_t group, std::int64_t index) const {
    const std::int64_t step = position_step(weights_.group_width());
    return {kept_.data() + group * transforms_.positions() * step +
                weights_.first_channel(index) * window_.C,
            step};
  }

 private:
  const ConvWindow& window_;
  const WinogradTransforms<T>& transforms_;
  const ConvTiles<T>& tiles_;
  const ConvWeights<T> weights_;
  Scratch<T> kept_;  // [group][position][block][input channel][channel of the block]
};

}  // namespace tapedeck::kernels
