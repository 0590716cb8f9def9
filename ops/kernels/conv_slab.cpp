#include <tapedeck/ops/kernels/conv_slab.h>

#include <algorithm>

#include <tapedeck/ops/kernels/conv_tiles.h>

namespace tapedeck::kernels {

template <typename T>
ConvSlab<T>::ConvSlab(const ConvWindow& window, std::int64_t images, std::int64_t rows,
                      std::int64_t columns)
    : window_(window), tiles_(pixel_tiles<T>()), images_(images) {
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
typename ConvSlab<T>::Inside ConvSlab<T>::inside(std::int64_t first_column,
                                                 std::int64_t residue) const {
  const WindowAxis& w = window_.w;
  const std::int64_t left = first_column * w.step + w.first_shift + residue;
  const std::int64_t begin =
      left >= 0 ? 0 : std::min(residue_width_, (-left + w.step - 1) / w.step);
  const std::int64_t end =
      left >= w.in_size ? begin
                        : std::clamp((w.in_size - 1 - left) / w.step + 1, begin, residue_width_);
  return {begin, end, left + begin * w.step};
}

template <typename T>
void ConvSlab<T>::clear_padding(std::int64_t first_row, std::int64_t first_column, T* slab) const {
  const WindowAxis &h = window_.h, &w = window_.w;
  const std::int64_t top = first_row * h.step + h.first_shift;
  bool padded = top < 0 || top + rows_ > h.in_size;
  for (std::int64_t residue = 0; residue < w.step; ++residue) {
    const Inside columns = inside(first_column, residue);
    padded |= columns.begin > 0 || columns.end < residue_width_;
  }
  // All of it: a few long fills are faster than a short one for each row.
  if (padded) std::fill_n(slab, elements(), T{0});
}

template <typename T>
void ConvSlab<T>::load(const T* in, std::int64_t image_step, std::int64_t images,
                       std::int64_t first_row, std::int64_t first_column, T* slab) const {
  const WindowAxis &h = window_.h, &w = window_.w;
  const std::int64_t top = first_row * h.step + h.first_shift;
  const std::int64_t begin = std::max<std::int64_t>(0, -top);
  const std::int64_t end = std::min(rows_, h.in_size - top);
  const bool all_rows =
      std::find(h.residues_read.begin(), h.residues_read.end(), 0) == h.residues_read.end();
  const std::int64_t batch = all_rows ? end - begin : 1;
  for (std::int64_t residue = 0; residue < w.step; ++residue) {
    const Inside columns = inside(first_column, residue);
    const std::int64_t width = columns.end - columns.begin;
    if (!w.residues_read[residue] || width == 0) continue;
    for (std::int64_t c = 0; c < window_.C; ++c)
      for (std::int64_t r = begin; r < end; r += batch) {
        if (!all_rows && !h.residues_read[r % h.step]) continue;
        const T* const from = in + (c * h.in_size + top + r) * w.in_size + columns.column;
        T* const to = slab + c * channel_step_ + r * row_width_ +
                      (residue * residue_width_ + columns.begin) * images_;
        if (images_ == 1)
          tiles_.gather_rows(from, w.in_size, w.step, batch, width, to, row_width_);
        else
          side_by_side(from, image_step, images, batch, width, to);
      }
  }
}

template <typename T>
void ConvSlab<T>::side_by_side(const T* from, std::int64_t image_step, std::int64_t images,
                               std::int64_t rows, std::int64_t width, T* to) const {
  const WindowAxis& w = window_.w;
  if (images_ == 2 && images == 2 && w.step == 1) {
    for (std::int64_t r = 0; r < rows; ++r, from += w.in_size, to += row_width_)
      tiles_.interleave(from, from + image_step, width, to);
    return;
  }
  if (w.step == 1) {
    if (images < images_) std::fill_n(to, (rows - 1) * row_width_ + width * images_, T{0});
    for (std::int64_t r = 0; r < rows; ++r, from += w.in_size, to += row_width_)
      conv_tiles<T>().transpose(from, image_step, images, width, nullptr, to, images_);
    return;
  }
  for (std::int64_t r = 0; r < rows; ++r, from += w.in_size, to += row_width_)
    for (std::int64_t n = 0; n < images_; ++n)
      for (std::int64_t i = 0; i < width; ++i)
        to[i * images_ + n] = n < images ? from[n * image_step + i * w.step] : T{0};
}

template class ConvSlab<float>;
template class ConvSlab<double>;

}  // namespace tapedeck::kernels
