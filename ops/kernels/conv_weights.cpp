#include <tapedeck/ops/kernels/conv_weights.h>

#include <algorithm>

#include <tapedeck/array/parallel.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kPieceElements = 1 << 16;  // of a piece of packing

}  // namespace

template <typename T>
ConvWeights<T>::ConvWeights(const ConvWindow& window, const ConvTiles<T>& tiles, const T* weight,
                            bool all)
    : window_(window), tiles_(tiles), weight_(weight), lanes_(tiles.lanes) {
  blocks_ = (window.K + 2 * lanes_ - 1) / (2 * lanes_);
  group_width_ = blocks_ > 0 ? first_channel(blocks_ - 1) + width(blocks_ - 1) : 0;
  std::int64_t start = 0;
  for (std::size_t ph = 0; ph < window.h.phases.size(); ++ph)
    for (std::size_t pw = 0; pw < window.w.phases.size(); ++pw) {
      phase_starts_.push_back(start);
      start += window.C * phase_taps(ph, pw);
    }
  if (!all) return;
  packed_ = Scratch<T>(window.groups * group_width_ * window.C * window.taps());
  const std::int64_t channels = std::max<std::int64_t>(
      1,
      kPieceElements / std::max<std::int64_t>(1, std::min(widest(), group_width_) * window.taps()));
  const std::int64_t cuts = (window.C + channels - 1) / channels;
  parallel_for(window.groups * blocks_ * cuts, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t group = i / cuts / blocks_, block = i / cuts % blocks_;
      const std::int64_t first = i % cuts * channels;
      pack(group, block, first, std::min(channels, window.C - first), place(group, block));
    }
  });
}

template <typename T>
std::int64_t ConvWeights<T>::channels(std::int64_t block) const {
  return std::min(2 * lanes_, window_.K - first_channel(block));
}

template <typename T>
std::int64_t ConvWeights<T>::phase_taps(std::size_t row_phase, std::size_t column_phase) const {
  return static_cast<std::int64_t>(window_.h.phases[row_phase].taps.size() *
                                   window_.w.phases[column_phase].taps.size());
}

template <typename T>
void ConvWeights<T>::pack(std::int64_t group, std::int64_t block, T* to) const {
  pack(group, block, 0, window_.C, to);
}

template <typename T>
void ConvWeights<T>::pack(std::int64_t group, std::int64_t block, std::int64_t first_c,
                          std::int64_t count, T* block_to) const {
  const std::int64_t taps = window_.taps(), width = this->width(block);
  const T* const from = weight_ + group * window_.weight_group_stride +
                        first_channel(block) * window_.weight_k_stride;
  if (!window_.adjoint) {
    // A convolution's own order: one matrix [channels, C * taps], transposed.
    T* const to = block_to + first_c * taps * width;
    if (channels(block) < width) std::fill_n(to, count * taps * width, T{0});
    tiles_.transpose(from + first_c * taps, window_.weight_k_stride, channels(block), count * taps,
                     nullptr, to, width);
    return;
  }
  // An input gradient's: [channels, taps] for each of C. Without a stride all of its taps are in
  // one phase, in reverse.
  if (taps > 1 && phase_starts_.size() == 1 && phase_taps(0, 0) == taps) {
    T* const to = block_to + first_c * taps * width;
    if (channels(block) < width) std::fill_n(to, count * taps * width, T{0});
    for (std::int64_t c = 0; c < count; ++c)
      tiles_.transpose(from + (first_c + c) * window_.weight_c_stride, window_.weight_k_stride,
                       channels(block), taps, nullptr, to + (c * taps + taps - 1) * width, -width);
    return;
  }
  // With one, taps go to their phases.
  const Scratch<T> buffer(taps * width);
  T* const tap_rows = buffer.data();
  std::fill_n(tap_rows, taps * width, T{0});
  for (std::int64_t c = first_c; c < first_c + count; ++c) {
    const T* const filter = from + c * window_.weight_c_stride;
    if (taps == 1) {
      // Rows lie too far apart to be fetched unasked.
      __builtin_prefetch(filter + 16 * window_.weight_c_stride);
      __builtin_prefetch(filter + 16 * window_.weight_c_stride + lanes_);
      std::copy_n(filter, channels(block), tap_rows);
    } else {
      tiles_.transpose(filter, window_.weight_k_stride, channels(block), taps, nullptr, tap_rows,
                       width);
    }
    for (std::size_t ph = 0; ph < window_.h.phases.size(); ++ph)
      for (std::size_t pw = 0; pw < window_.w.phases.size(); ++pw) {
        T* to = block_to + phase_start(ph, pw, block) + c * channel_step(ph, pw, block);
        for (const std::int64_t kh : window_.h.phases[ph].taps)
          for (const std::int64_t kw : window_.w.phases[pw].taps)
            to = std::copy_n(tap_rows + (kh * window_.w.kernel + kw) * width, width, to);
      }
  }
}

template class ConvWeights<float>;
template class ConvWeights<double>;

}  // namespace tapedeck::kernels
