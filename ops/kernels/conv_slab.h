#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <tapedeck/ops/kernels/conv_window.h>
#include <tapedeck/ops/kernels/pixel_tiles.h>

namespace tapedeck::kernels {

/// The part of an input that a piece of output reads, copied with the padding as zeros:
/// [channel][residue of the column modulo the step][row][column][image]. Whatever the stride,
/// neighbouring outputs read neighbouring elements, and several narrow images lie side by side.
/// Where a dilation leaves gaps between the rows that are read, the rows of each tap lie by
/// themselves.
/// Reading a vector from any element is allowed.
template <typename T>
class ConvSlab {
 public:
  /// For pieces of at most `rows` x `columns` outputs of each phase and `images` images.
  ConvSlab(const ConvWindow& window, std::int64_t images, std::int64_t rows, std::int64_t columns);

  std::int64_t elements() const {
    return window_.C * channel_step_ + std::max<std::int64_t>(tiles_.lanes, gathered_elements());
  }
  std::int64_t channel_step() const { return channel_step_; }
  /// From the inputs of one row of outputs to the next one's.
  std::int64_t row_step() const { return (gaps_ ? 1 : window_.h.step) * row_width_; }
  /// Where the taps of a pair of phases are, from the first output's place on: row taps x column
  /// taps.
  const std::int64_t* offsets(std::size_t row_phase, std::size_t column_phase) const {
    return offsets_[row_phase * window_.w.phases.size() + column_phase].data();
  }

  /// Zeros where the outputs from (first_row, first_column) on read padding: what load() leaves.
  void clear_padding(std::int64_t first_row, std::int64_t first_column, T* slab) const;
  /// Copies the pixels that these outputs read. `in` is the first channel of the first image,
  /// images lie `image_step` apart; missing ones count as zeros.
  void load(const T* in, std::int64_t image_step, std::int64_t images, std::int64_t first_row,
            std::int64_t first_column, T* slab) const;

 private:
  // Elements [begin, end) of a row's columns of one residue are inside the image, of which the
  // first is the input's column `column`.
  struct Inside {
    std::int64_t begin, end, column;
  };
  Inside inside(std::int64_t first_column, std::int64_t residue) const;
  // Rows of the input, `step` apart from `first` on, of which some may lie outside the image, and
  // their place in the slab.
  struct Rows {
    std::int64_t first, step, count, place;
  };
  // The same, further down.
  static Rows below(Rows rows, std::int64_t top) {
    rows.first += top;
    return rows;
  }
  // Those of them that are inside the image.
  struct RowRange {
    std::int64_t begin, end;
  };
  RowRange inside(const Rows& rows) const;
  void load_rows(const T* in, std::int64_t image_step, std::int64_t images, const Rows& rows,
                 std::int64_t first_column, T* slab) const;
  // Columns of some rows, and how far these lie apart in the image and in the slab.
  struct Block {
    std::int64_t from_step, to_step, rows, width;
  };
  // visit(rows, step) for the rows inside the image that are read, all at once or those of every
  // residue by themselves: `step` of the slab's rows apart.
  template <class Visit>
  void visit_rows(const Rows& rows, const Visit& visit) const;
  // Rows of several images that fit vectors, all residues of the columns at once.
  void load_joined(const T* in, std::int64_t image_step, std::int64_t images, std::int64_t top,
                   std::int64_t first_column, T* slab) const;
  // All residues of the rows' columns at once: of one image, or of several that are then put side
  // by side.
  void load_split(const T* in, std::int64_t image_step, std::int64_t images, std::int64_t top,
                  std::int64_t first_column, T* slab) const;
  // Of one image after the other, before they lie side by side, with a stride.
  std::int64_t gathered_elements() const {
    if (images_ == 1 || window_.w.step == 1 || joins_rows_) return 0;
    return (splits_rows_ ? window_.w.step : 1) * rows_ * images_ * residue_width_;
  }
  void side_by_side(const Block& block, const T* from, std::int64_t image_step, std::int64_t images,
                    T* to, T* gathered) const;

  const ConvWindow& window_;
  const PixelTiles<T>& tiles_;
  const bool gaps_;
  const std::int64_t images_, outputs_;  // outputs: rows of a piece
  bool joins_rows_, splits_rows_;
  std::vector<Rows> parts_;  // of a slab whose outputs begin with row 0
  std::int64_t rows_, residue_width_, row_width_, channel_step_;
  std::vector<std::vector<std::int64_t>> offsets_;
};

}  // namespace tapedeck::kernels
