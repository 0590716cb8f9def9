#pragma once

#include <algorithm>
#include <cstdint>

namespace tapedeck::kernels {

/// A run of output pixels times one block of output channels, the inner loop of most convolutions:
///
///   sums[p][k] (+)= sum over g < groups, t < taps of
///                     in[g * in_step + offsets[t * tap_step] + p * pixel_step]
///                     * weights[g][t * tap_step][k]
///
/// Vectors lie over the output channels k, inputs are broadcast, and a register tile of pixels
/// reuses every weight that was loaded. In a direct convolution a group is an input channel and the
/// offsets lead to the taps of the window; in a matrix product a group is a block of channels.
template <typename T>
struct ChannelRun {
  const T* in;
  std::int64_t in_step;
  const std::int64_t* offsets;
  std::int64_t taps, groups;
  const T* weights;          ///< block elements for each tap
  std::int64_t weight_step;  ///< from one group's weights to the next one's
  T* sums;                   ///< [pixels][block]
  std::int64_t pixels;
  bool add;                    ///< to the sums that are there
  std::int64_t sums_step = 0;  ///< from a pixel's sums to the next one's; 0 for side by side
  std::int64_t tap_step = 1;   ///< from a tap to the next one that takes part
};

/// Sums of outer products, the inner loop of weight gradients:
///
///   sums[m * sums_step + v] (+)= sum over i < planes, r < rows, p < pixels of
///       scalars[i * scalar_plane_step + r * scalar_row_step + p * lanes + m]
///       * vectors[i * vector_plane_step + r * vector_row_step + p * vector_step + v]
///
/// for m < scalars and the v of some vectors, which lie vector_block_step apart in `vectors` and
/// side by side in `sums`.
template <typename T>
struct OuterRun {
  const T* vectors;
  std::int64_t vector_block_step, vector_step, vector_row_step, vector_plane_step;
  const T* scalars;
  std::int64_t scalar_row_step, scalar_plane_step;
  std::int64_t pixels, rows, planes;
  T* sums;
  std::int64_t sums_step;
  bool add;  ///< to the sums that are there
};

/// The same where every scalar has a place of its own, and neighbouring pixels are neighbours:
///
///   sums[m * sums_step + v] += sum over r < rows, p < pixels of
///       scalars[r * scalar_row_step + p + offsets[m]]
///       * vectors[r * vector_row_step + p * lanes + v]
///
/// for m < taps.
template <typename T>
struct TapRun {
  const T* vectors;
  std::int64_t vector_block_step, vector_row_step;
  const T* scalars;
  std::int64_t scalar_row_step;
  const std::int64_t* offsets;
  std::int64_t taps, pixels, rows;
  T* sums;
  std::int64_t sums_step;
};

/// What the instruction set of this CPU offers to convolutions; T is float or double.
template <typename T>
struct ConvTiles {
  int lanes;   ///< of a vector
  int pixels;  ///< of the largest register tile of two vectors: runs are split evenly into such
  /// Blocks of one vector and of two. Neighbouring pixels of the input are neighbouring elements.
  void (*channel_run[2])(const ChannelRun<T>&);
  /// The same where the input has `lanes` channels for each pixel, which are the taps: offsets and
  /// tap_step take no part.
  void (*blocked_channel_run[2])(const ChannelRun<T>&);
  /// Of one vector, two and three; and the number of scalars.
  void (*outer_run[3])(const OuterRun<T>&);
  int scalars;
  void (*tap_run[3])(const TapRun<T>&);
  /// to[i] += from[i] for i < n.
  void (*add)(const T* from, std::int64_t n, T* to);
  /// to[c * to_step + r] = from[r * from_step + c] + (add ? add[c] : 0) for r < rows, c < columns.
  void (*transpose)(const T* from, std::int64_t from_step, std::int64_t rows, std::int64_t columns,
                    const T* add, T* to, std::int64_t to_step);

  std::int64_t vector_bytes() const { return lanes * static_cast<std::int64_t>(sizeof(T)); }
  /// Whether there are 16 of them, AVX2's or shorter ones, and not AVX-512's 32: register tiles
  /// then have few sums.
  bool has_few_registers() const { return vector_bytes() < 64; }
  /// Of the L2 cache, as it is usual beside such vectors: both have doubled together.
  std::int64_t l2_bytes() const {
    return (std::int64_t{16} << 10) * std::max<std::int64_t>(32, vector_bytes());
  }
};

template <typename T>
const ConvTiles<T>& conv_tiles();

}  // namespace tapedeck::kernels
