#pragma once

#include <algorithm>
#include <cstdint>

#include <tapedeck/ops/kernels/conv_blocked.h>
#include <tapedeck/ops/kernels/scratch.h>

namespace tapedeck::kernels {

/// The gradient of a convolution's bias, which is the sum of grad_output over images and pixels,
/// beside that of its weight: in float64, for each of the runs that the work is cut into.
template <typename T>
class BiasSums {
 public:
  /// `grad_bias`: where they go, or null where nobody wants them.
  BiasSums(T* grad_bias, std::int64_t runs, std::int64_t filters)
      : grad_bias_(grad_bias),
        runs_(runs),
        filters_(filters),
        sums_(grad_bias ? runs * filters : 0) {
    if (grad_bias) std::fill_n(sums_.data(), runs * filters, 0.0);
  }
  /// Those of a run, from a filter on; null where nobody wants them.
  double* of(std::int64_t run, std::int64_t filter) const {
    return grad_bias_ ? sums_.data() + run * filters_ + filter : nullptr;
  }
  /// Adds the runs in order.
  void finish() const {
    for (std::int64_t k = 0; grad_bias_ && k < filters_; ++k) {
      double sum = 0;
      for (std::int64_t run = 0; run < runs_; ++run) sum += *of(run, k);
      grad_bias_[k] = static_cast<T>(sum);
    }
  }

 private:
  T* const grad_bias_;
  const std::int64_t runs_, filters_;
  const Scratch<double> sums_;
};

/// Adds the pixels of some filters' gradients, which lie in blocks of channels (see ChannelBlocks),
/// to `sums`. They are not what they were afterwards.
template <typename T>
void add_up_filters(const ConvTiles<T>& tiles, std::int64_t filters, std::int64_t pixels,
                    std::int64_t block_step, T* grads, double* sums) {
  for (std::int64_t k = 0; k < filters; k += tiles.lanes, grads += block_step) {
    add_up_pixels(tiles, pixels, grads);
    for (std::int64_t lane = 0; lane < std::min<std::int64_t>(tiles.lanes, filters - k); ++lane)
      sums[k + lane] += static_cast<double>(grads[lane]);
  }
}

}  // namespace tapedeck::kernels
