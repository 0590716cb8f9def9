#include <tapedeck/ops/kernels/gemm_panels.h>

namespace tapedeck::kernels {

namespace {

// Rows of the depth that are read side by side, from one panel to the next: few enough streams for
// the prefetcher and pages for the TLB, but so many elements at least.
constexpr std::int64_t kStreams = 8;
constexpr std::int64_t kElementsAtOnce = 256;

}  // namespace

template <typename T>
void GemmPanels<T>::pack(std::int64_t first, std::int64_t n, const Part& k, std::int64_t begin,
                         std::int64_t end, T* to) const {
  const auto& pack_panel = gemm_tiles<T>().pack;
  const std::int64_t rows =
      stride == 1 && n > 1 ? std::max(kStreams, kElementsAtOnce / width) : end - begin;
  for (std::int64_t row = begin; row < end; row += rows)
    for (std::int64_t i = 0; i < n; ++i)
      pack_panel(at(first + i, k.begin + row), stride, depth_stride, size(first + i),
                 extent - this->begin(first + i), std::min(rows, end - row), width,
                 to + packed(i, k) + row * width);
}

template struct GemmPanels<float>;
template struct GemmPanels<double>;

}  // namespace tapedeck::kernels
