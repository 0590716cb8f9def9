#pragma once

#include <cstdint>
#include <vector>

#include <tapedeck/ops/kernels/conv_tiles.h>
#include <tapedeck/ops/kernels/conv_window.h>
#include <tapedeck/ops/kernels/scratch.h>

namespace tapedeck::kernels {

/// The weights of a convolution as ChannelRun reads them, for each pair of phases:
/// [group][block of output channels][input channel][row tap][column tap][channel of the block].
/// Blocks have two vectors, the last one of a group has one where that is enough.
template <typename T>
class ConvWeights {
 public:
  ConvWeights(const ConvWindow& window, const ConvTiles<T>& tiles, const T* weight);

  std::int64_t blocks() const { return blocks_; }  ///< of a group
  std::int64_t widest() const { return 2 * lanes_; }
  std::int64_t group_width() const { return group_width_; }  ///< of all blocks of a group
  std::int64_t first_channel(std::int64_t block) const { return block * 2 * lanes_; }
  /// Channels of a block, and what it holds with those that only fill the last vector.
  std::int64_t channels(std::int64_t block) const;
  std::int64_t width(std::int64_t block) const {
    return channels(block) > lanes_ ? 2 * lanes_ : lanes_;
  }
  std::int64_t channel_step(std::size_t row_phase, std::size_t column_phase,
                            std::int64_t block) const {
    return phase_taps(row_phase, column_phase) * width(block);
  }
  const T* data(std::size_t row_phase, std::size_t column_phase, std::int64_t group,
                std::int64_t block) const;

 private:
  std::int64_t phase_taps(std::size_t row_phase, std::size_t column_phase) const;
  void pack_block(const T* weight, std::int64_t group, std::int64_t block);
  T* place(std::size_t row_phase, std::size_t column_phase, std::int64_t group,
           std::int64_t block) const;

  const ConvWindow& window_;
  const ConvTiles<T>& tiles_;
  std::int64_t lanes_, blocks_, group_width_;
  std::vector<std::int64_t> phase_starts_;
  Scratch<T> packed_;
};

}  // namespace tapedeck::kernels
