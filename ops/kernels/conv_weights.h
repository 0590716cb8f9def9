#pragma once

#include <cstdint>
#include <vector>

#include <tapedeck/ops/kernels/conv_tiles.h>
#include <tapedeck/ops/kernels/conv_window.h>
#include <tapedeck/ops/kernels/scratch.h>

namespace tapedeck::kernels {

/// The weights of a convolution as ChannelRun reads them: [group][block of output channels][pair of
/// phases][input channel][row tap][column tap][channel of the block]. Blocks have two vectors, the
/// last one of a group has one where that is enough.
template <typename T>
class ConvWeights {
 public:
  /// Where not `all` are packed at once, pack() does it for a block at a time.
  ConvWeights(const ConvWindow& window, const ConvTiles<T>& tiles, const T* weight,
              bool all = true);

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
  /// A block that was packed with all.
  const T* data(std::int64_t group, std::int64_t block) const { return place(group, block); }
  /// Where in a block a pair of phases begins.
  std::int64_t phase_start(std::size_t row_phase, std::size_t column_phase,
                           std::int64_t block) const {
    return phase_starts_[row_phase * window_.w.phases.size() + column_phase] * width(block);
  }
  /// Elements of the widest block.
  std::int64_t block_elements() const { return widest() * window_.C * window_.taps(); }
  void pack(std::int64_t group, std::int64_t block, T* to) const;

 private:
  // Some input channels of a block.
  void pack(std::int64_t group, std::int64_t block, std::int64_t first_c, std::int64_t count,
            T* block_to) const;
  std::int64_t phase_taps(std::size_t row_phase, std::size_t column_phase) const;
  T* place(std::int64_t group, std::int64_t block) const {
    return packed_.data() +
           (group * group_width_ + first_channel(block)) * window_.C * window_.taps();
  }

  const ConvWindow& window_;
  const ConvTiles<T>& tiles_;
  const T* weight_;
  std::int64_t lanes_, blocks_, group_width_;
  std::vector<std::int64_t> phase_starts_;  // in vectors of a block
  Scratch<T> packed_;
};

}  // namespace tapedeck::kernels
