#include <tapedeck/ops/kernels/winograd_filters.h>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/conv2d_winograd.h>

namespace tapedeck::kernels {

template <typename T>
WinogradFilters<T>::WinogradFilters(const ConvWindow& window,
                                    const WinogradTransforms<T>& transforms, const T* weight)
    : window_(window),
      transforms_(transforms),
      tiles_(conv_tiles<T>()),
      weights_(window, tiles_, weight, false) {}

template <typename T>
std::int64_t WinogradFilters<T>::position_step(std::int64_t width) const {
  return step_of_positions(width / tiles_.lanes * window_.C, tiles_.lanes);
}

template <typename T>
void WinogradFilters<T>::transform(std::int64_t group, std::int64_t block, T* packed, T* out,
                                   std::int64_t position_step) const {
  const std::int64_t width = weights_.width(block);
  weights_.pack(group, block, packed);
  for (std::int64_t c = 0; c < window_.C; ++c, out += width, packed += window_.taps() * width)
    transforms_.filter(packed, width, width / tiles_.lanes, out, position_step);
}

template <typename T>
void WinogradFilters<T>::transform_all() {
  const std::int64_t step = position_step(weights_.group_width());
  kept_ = Scratch<T>(window_.groups * transforms_.positions() * step);
  parallel_for(window_.groups * weights_.blocks(), 1, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<T> packed(weights_.block_elements());
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t group = i / weights_.blocks(), index = i % weights_.blocks();
      transform(group, index, packed.data(), const_cast<T*>(block(group, index).data), step);
    }
  });
}

template class WinogradFilters<float>;
template class WinogradFilters<double>;

}  // namespace tapedeck::kernels
