#include <tapedeck/ops/kernels/conv_slab.h>

#include <algorithm>

#include <tapedeck/ops/kernels/conv_tiles.h>

namespace tapedeck::kernels {

namespace {

// Images whose rows a vector can have side by side at less cost than a transposition's, without a
// stride and with the residues of one.
constexpr std::int64_t kFewImages = 4, kFewSplitImages = 8;

}  // namespace

template <typename T>
ConvSlab<T>::ConvSlab(const ConvWindow& window, std::int64_t images, std::int64_t rows,
                      std::int64_t columns)
    : window_(window),
      tiles_(pixel_tiles<T>()),
      gaps_(window.h.has_gaps(rows)),
      images_(images),
      outputs_(rows),
      rows_(window.h.inputs_of(rows)) {
  const WindowAxis &h = window.h, &w = window.w;
  const auto place = [&](std::int64_t row_shift) {
    return gaps_ ? (std::lower_bound(h.shifts.begin(), h.shifts.end(), row_shift) -
                    h.shifts.begin()) *
                       rows
                 : row_shift - h.first_shift;
  };
  residue_width_ = columns + w.reach / w.step;
  row_width_ = residue_width_ * images;
  // An odd number of cache lines from channel to channel: a power of two would put them all into
  // the same few sets of the cache.
  constexpr std::int64_t kLine = 64 / sizeof(T);
  // All residues of a row at once, where most are read; but vectors that have such a row of a few
  // images can be put together as they are.
  const auto read = std::count(w.residues_read.begin(), w.residues_read.end(), true);
  const bool splits =
      tiles_.split_rows != nullptr && w.step >= 2 && w.step <= 4 && 2 * read > w.step;
  joins_rows_ = tiles_.join_rows != nullptr && w.in_size <= tiles_.lanes && images > 1 &&
                images <= (w.step == 1 ? kFewImages
                           : splits    ? kFewSplitImages
                                       : tiles_.lanes);
  splits_rows_ = splits && !joins_rows_;
  channel_step_ = ((w.step * rows_ * row_width_ + kLine - 1) / kLine | 1) * kLine;
  if (!gaps_) parts_.push_back({h.first_shift, 1, rows_, 0});
  for (std::size_t i = 0; gaps_ && i < h.shifts.size(); ++i)
    parts_.push_back({h.shifts[i], h.step, outputs_, static_cast<std::int64_t>(i) * outputs_});
  for (const AxisPhase& row_phase : h.phases)
    for (const AxisPhase& column_phase : w.phases) {
      std::vector<std::int64_t> offsets;
      for (const std::int64_t row : row_phase.shifts)
        for (const std::int64_t column : column_phase.shifts) {
          const std::int64_t x = column - w.first_shift;
          offsets.push_back((x % w.step * rows_ + place(row)) * row_width_ + x / w.step * images);
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
  bool padded = top < 0 || top + (outputs_ - 1) * h.step + h.reach >= h.in_size;
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
  const std::int64_t top = first_row * window_.h.step;
  if (joins_rows_) return load_joined(in, image_step, images, top, first_column, slab);
  if (splits_rows_) return load_split(in, image_step, images, top, first_column, slab);
  for (const Rows& part : parts_)
    load_rows(in, image_step, images, below(part, top), first_column, slab);
}

template <typename T>
auto ConvSlab<T>::inside(const Rows& rows) const -> RowRange {
  const std::int64_t size = window_.h.in_size;
  const std::int64_t begin = rows.first >= 0 ? 0 : (-rows.first + rows.step - 1) / rows.step;
  if (rows.first >= size || begin >= rows.count) return {0, 0};
  return {begin, std::max(begin, std::min(rows.count, (size - 1 - rows.first) / rows.step + 1))};
}

template <typename T>
template <class Visit>
void ConvSlab<T>::visit_rows(const Rows& rows, const Visit& visit) const {
  const WindowAxis& h = window_.h;
  const auto [begin, end] = inside(rows);
  const bool all = gaps_ || std::find(h.residues_read.begin(), h.residues_read.end(), 0) ==
                                h.residues_read.end();
  const std::int64_t step = all ? 1 : h.step;
  for (std::int64_t r = begin; r < std::min(end, begin + step); ++r)
    if (all || h.residues_read[static_cast<std::size_t>(r % h.step)])
      visit(Rows{rows.first + r * rows.step, step * rows.step, (end - r + step - 1) / step,
                 rows.place + r},
            step);
}

template <typename T>
void ConvSlab<T>::load_joined(const T* in, std::int64_t image_step, std::int64_t images,
                              std::int64_t top, std::int64_t first_column, T* slab) const {
  const WindowAxis &h = window_.h, &w = window_.w;
  ImageRows<T> run{};
  run.image_step = image_step;
  run.images = images;
  run.from_plane_step = h.in_size * w.in_size;
  run.planes = window_.C;
  run.width = w.in_size;
  run.first = first_column * w.step + w.first_shift;
  run.step = w.step;
  run.residues = w.residues_read.data();
  run.to_plane_step = channel_step_;
  run.to_residue_step = rows_ * row_width_;
  run.n = residue_width_;
  run.places = images_;
  for (const Rows& part : parts_)
    visit_rows(below(part, top), [&](const Rows& rows, std::int64_t step) {
      run.from = in + rows.first * w.in_size;
      run.from_row_step = rows.step * w.in_size;
      run.rows = rows.count;
      run.to = slab + rows.place * row_width_;
      run.to_row_step = step * row_width_;
      tiles_.join_rows(run);
    });
}

template <typename T>
void ConvSlab<T>::load_split(const T* in, std::int64_t image_step, std::int64_t images,
                             std::int64_t top, std::int64_t first_column, T* slab) const {
  const WindowAxis &h = window_.h, &w = window_.w;
  const std::int64_t size = w.step * rows_ * residue_width_;
  T* const gathered = images_ == 1 ? nullptr : slab + window_.C * channel_step_;
  // Rows of padding stay as they are: zeros.
  if (gathered) std::fill_n(gathered, images_ * size, T{0});
  for (std::int64_t c = 0; c < window_.C; ++c) {
    T* const channel = slab + c * channel_step_;
    for (std::int64_t n = 0; n < images; ++n)
      for (const Rows& part : parts_) {
        const Rows rows = below(part, top);
        const RowRange read = inside(rows);
        if (read.begin == read.end) continue;
        const std::int64_t row = c * h.in_size + rows.first + read.begin * rows.step;
        tiles_.split_rows(
            in + n * image_step + row * w.in_size, rows.step * w.in_size,
            first_column * w.step + w.first_shift, w.in_size, w.step, read.end - read.begin,
            residue_width_,
            (gathered ? gathered + n * size : channel) + (rows.place + read.begin) * residue_width_,
            residue_width_, rows_ * residue_width_);
      }
    if (images_ == 2)
      tiles_.interleave(gathered, gathered + size, size, channel);
    else if (gathered)
      conv_tiles<T>().transpose(gathered, size, images_, size, nullptr, channel, images_);
  }
}

template <typename T>
void ConvSlab<T>::load_rows(const T* in, std::int64_t image_step, std::int64_t images,
                            const Rows& rows, std::int64_t first_column, T* slab) const {
  const WindowAxis &h = window_.h, &w = window_.w;
  visit_rows(rows, [&](const Rows& read, std::int64_t step) {
    for (std::int64_t residue = 0; residue < w.step; ++residue) {
      const Inside columns = inside(first_column, residue);
      const std::int64_t width = columns.end - columns.begin;
      if (!w.residues_read[static_cast<std::size_t>(residue)] || width == 0) continue;
      const Block block{read.step * w.in_size, step * row_width_, read.count, width};
      const T* from = in + read.first * w.in_size + columns.column;
      T* to = slab + (residue * rows_ + read.place) * row_width_ + columns.begin * images_;
      for (std::int64_t c = 0; c < window_.C; ++c) {
        if (images_ == 1)
          tiles_.gather_rows(from, block.from_step, w.step, block.rows, width, to, block.to_step);
        else
          side_by_side(block, from, image_step, images, to, slab + window_.C * channel_step_);
        from += h.in_size * w.in_size;
        to += channel_step_;
      }
    }
  });
}

template <typename T>
void ConvSlab<T>::side_by_side(const Block& block, const T* from, std::int64_t image_step,
                               std::int64_t images, T* to, T* gathered) const {
  const std::int64_t step = window_.w.step, from_step = block.from_step;
  std::int64_t rows = block.rows, width = block.width;
  if (images < images_)
    for (std::int64_t r = 0; r < rows; ++r)
      std::fill_n(to + r * block.to_step, width * images_, T{0});
  if (from_step == step * width && block.to_step == width * images_) {  // one long row
    width *= rows;
    rows = 1;
  }
  if (step > 1 && width < tiles_.lanes)
    return tiles_.gather_images(from, image_step, images, from_step, step, rows, width, to,
                                block.to_step, images_);
  for (std::int64_t r = 0; r < rows; ++r, from += from_step, to += block.to_step) {
    if (step > 1) tiles_.gather_rows(from, image_step, step, images, width, gathered, width);
    const T* const row = step > 1 ? gathered : from;
    const std::int64_t row_step = step > 1 ? width : image_step;
    if (images_ == 2 && images == 2)
      tiles_.interleave(row, row + row_step, width, to);
    else
      conv_tiles<T>().transpose(row, row_step, images, width, nullptr, to, images_);
  }
}

template class ConvSlab<float>;
template class ConvSlab<double>;

}  // namespace tapedeck::kernels
