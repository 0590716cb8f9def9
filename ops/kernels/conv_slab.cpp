#include <tapedeck/ops/kernels/conv_slab.h>

#include <algorithm>

namespace tapedeck::kernels {

template <typename T>
ConvSlab<T>::ConvSlab(const ConvWindow& window, std::int64_t images, std::int64_t rows,
                      std::int64_t columns)
    : window_(window), images_(images) {
  const WindowAxis &h = window.h, &w = window.w;
  rows_ = (rows - 1) * h.step + h.reach + 1;
  residue_width_ = columns + w.reach / w.step;
  row_width_ = residue_width_ * w.step * images;
  // An odd number of cache lines from channel to channel: a power of two would put them all into
  // the same few sets of the cache.
  constexpr std::int64_t kLine = 64 / sizeof(T);
  channel_step_ = ((rows_ * row_width_ + kLine - 1) / kLine | 1) * kLine;
  for (const AxisPhase& row_phase : h.phases)
    for (const AxisPhase& column_phase : w.phases) {
      std::vector<std::int64_t> offsets;
      for (const std::int64_t row : row_phase.shifts)
        for (const std::int64_t column : column_phase.shifts) {
          const std::int64_t x = column - w.first_shift;
          offsets.push_back((row - h.first_shift) * row_width_ +
                            (x % w.step * residue_width_ + x / w.step) * images);
        }
      offsets_.push_back(std::move(offsets));
    }
}

template <typename T>
void ConvSlab<T>::load(const T* in, std::int64_t image_step, std::int64_t images,
                       std::int64_t first_row, std::int64_t first_column, T* slab) const {
  const WindowAxis& h = window_.h;
  const std::int64_t top = first_row * h.step + h.first_shift;
  for (std::int64_t c = 0; c < window_.C; ++c)
    for (std::int64_t r = 0; r < rows_; ++r) {
      // Rows in the padding are never read.
      if (top + r < 0 || top + r >= h.in_size || !h.residues_read[r % h.step]) continue;
      load_row(in + (c * h.in_size + top + r) * window_.w.in_size, image_step, images, first_column,
               slab + c * channel_step_ + r * row_width_);
    }
}

template <typename T>
void ConvSlab<T>::load_row(const T* row, std::int64_t image_step, std::int64_t images,
                           std::int64_t first_column, T* to) const {
  const WindowAxis& w = window_.w;
  for (std::int64_t residue = 0; residue < w.step; ++residue) {
    if (!w.residues_read[residue]) continue;
    T* const out = to + residue * residue_width_ * images_;
    // Element i is input column left + i * step.
    const std::int64_t left = first_column * w.step + w.first_shift + residue;
    const std::int64_t begin =
        left >= 0 ? 0 : std::min(residue_width_, (-left + w.step - 1) / w.step);
    const std::int64_t end =
        left >= w.in_size ? begin
                          : std::clamp((w.in_size - 1 - left) / w.step + 1, begin, residue_width_);
    std::fill_n(out, begin * images_, T{0});
    std::fill(out + end * images_, out + residue_width_ * images_, T{0});
    if (images_ == 1) {
      if (w.step == 1)
        std::copy(row + left + begin, row + left + end, out + begin);
      else
        for (std::int64_t i = begin; i < end; ++i) out[i] = row[left + i * w.step];
      continue;
    }
    for (std::int64_t n = 0; n < images_; ++n) {
      if (n < images)
        for (std::int64_t i = begin; i < end; ++i)
          out[i * images_ + n] = row[n * image_step + left + i * w.step];
      else
        for (std::int64_t i = begin; i < end; ++i) out[i * images_ + n] = T{0};
    }
  }
}

template class ConvSlab<float>;
template class ConvSlab<double>;

}  // namespace tapedeck::kernels
