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

template struct ChannelBlocks<float>;
template struct ChannelBlocks<double>;

}  // namespace tapedeck::kernels
