#include <tapedeck/ops/kernels/conv_blocked.h>

#include <algorithm>

namespace tapedeck::kernels {

template <typename T>
void ChannelBlocks<T>::pack(const ConvTiles<T>& tiles) const {
  const std::int64_t lanes = tiles.lanes;
  for (std::int64_t c = 0; c < channels; c += lanes)
    for (std::int64_t r = 0; r < rows; ++r)
      tiles.transpose(from + c * plane_step + r * row_step, plane_step,
                      std::min(lanes, channels - c), columns, nullptr,
                      to + c / lanes * block_step + r * to_row_step, lanes);
}

template <typename T>
void add_up_pixels(const ConvTiles<T>& tiles, std::int64_t pixels, T* vectors) {
  while (pixels > 1) {
    const std::int64_t half = (pixels + 1) / 2;
    tiles.add(vectors + half * tiles.lanes, (pixels - half) * tiles.lanes, vectors);
    pixels = half;
  }
}

template void add_up_pixels(const ConvTiles<float>&, std::int64_t, float*);
template void add_up_pixels(const ConvTiles<double>&, std::int64_t, double*);
template struct ChannelBlocks<float>;
template struct ChannelBlocks<double>;

}  // namespace tapedeck::kernels
