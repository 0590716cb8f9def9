#pragma once

#include <cstdint>

namespace tapedeck::kernels {

/// Rows of output pixels times a few output channels, with vectors over pixels: for convolutions
/// that have few channels on one side. For every output vector v and filter m,
///
///   out[out_offsets[v] + m * out_step] (+)= bias[m] + sum over c < channels, t < taps of
///       in[in_offsets[v] + c * in_step + offsets[t]] * weights[(c * taps + t) * filters + m]
///
/// of which the first counts[v] lanes are pixels. Inputs may be read a whole vector far.
template <typename T>
struct PixelRun {
  const T* in;
  const std::int64_t* in_offsets;
  std::int64_t vectors, in_step;
  const std::int64_t* offsets;
  std::int64_t taps, channels;
  const T* weights;
  const T* bias;  ///< null for none
  T* out;
  const std::int64_t* out_offsets;
  const std::int64_t* counts;
  std::int64_t out_step;
  bool add;  ///< to the outputs that are there
  /// Elements that will be read later, whose lines are asked for meanwhile; null for none.
  const T* ahead = nullptr;
  std::int64_t ahead_elements = 0;
};

/// Dot products over pixels, for weight gradients of few channels:
///
///   sums[m * sums_step + t * lanes + lane] += sum over planes, rows, and vectors of columns of
///       grad[m * grad_step + ...] * in[offsets[t] + ...]
///
/// lane by lane, for m < filters. Only the columns are read, not the rest of their last vector.
template <typename T>
struct DotRun {
  const T* in;
  std::int64_t in_row_step, in_plane_step;
  const std::int64_t* offsets;
  std::int64_t taps;
  const T* grad;
  std::int64_t grad_step, grad_row_step, grad_plane_step;
  std::int64_t filters;
  std::int64_t columns, rows, planes;
  T* sums;
  std::int64_t sums_step;
};

/// Rows of several images, of one plane after the other, put side by side: to[p * to_plane_step +
/// q * to_residue_step + r * to_row_step + i * places + m] is element first + i * step + q of row r
/// in plane p of image m, 0 for a missing image; where rows have no such element it stays as it is.
template <typename T>
struct ImageRows {
  const T* from;
  std::int64_t image_step, images;
  std::int64_t from_plane_step, planes;
  std::int64_t from_row_step, rows, width;
  std::int64_t first, step;
  const char* residues;  ///< whether the elements of a residue q < step are wanted
  T* to;
  std::int64_t to_plane_step, to_residue_step, to_row_step;
  std::int64_t n;       ///< elements of each residue
  std::int64_t places;  ///< for images, of which some may be missing; as many as lanes, at most
};

/// T is float or double.
template <typename T>
struct PixelTiles {
  int lanes;
  int most_filters;  ///< of a run: a power of two
  /// Of 1, 2, 3, 4 and, where registers allow, 6 and 8 filters: [filters - 1].
  void (*pixel_run[8])(const PixelRun<T>&);
  void (*dot_run)(const DotRun<T>&);
  /// to[r * to_row_step + i] = from[r * from_row_step + i * step] for r < rows, i < n.
  void (*gather_rows)(const T* from, std::int64_t from_row_step, std::int64_t step,
                      std::int64_t rows, std::int64_t n, T* to, std::int64_t to_row_step);
  /// Rows of `width` elements, split by the residue of the place modulo `step`, which is 2, 3 or 4:
  /// to[q * to_residue_step + r * to_row_step + i] is element first + i * step + q of the row at
  /// from + r * from_row_step, or 0 where it has none, for q < step, r < rows, i < n. Null where
  /// vectors have no masks.
  void (*split_rows)(const T* from, std::int64_t from_row_step, std::int64_t first,
                     std::int64_t width, std::int64_t step, std::int64_t rows, std::int64_t n,
                     T* to, std::int64_t to_row_step, std::int64_t to_residue_step);
  /// The same as gather_rows of several images side by side, each element of the first followed by
  /// those of the others: to[r * to_row_step + i * places + m] = from[m * image_step + r *
  /// from_row_step + i * step] for m < images. What is in the other places may change.
  void (*gather_images)(const T* from, std::int64_t image_step, std::int64_t images,
                        std::int64_t from_row_step, std::int64_t step, std::int64_t rows,
                        std::int64_t n, T* to, std::int64_t to_row_step, std::int64_t places);
  /// Rows of no more elements than a vector has. Null where vectors have no masks.
  void (*join_rows)(const ImageRows<T>&);
  /// to[r * to_row_step + i * step] += from[r * from_row_step + i] for r < rows, i < n: what
  /// gather_rows does, transposed. Elements between these may change from -0 to 0.
  void (*add_rows)(const T* from, std::int64_t from_row_step, std::int64_t rows, std::int64_t n,
                   T* to, std::int64_t to_row_step, std::int64_t step);
  /// to[2 i] = even[i], to[2 i + 1] = odd[i] for i < n.
  void (*interleave)(const T* even, const T* odd, std::int64_t n, T* to);
};

template <typename T>
const PixelTiles<T>& pixel_tiles();

}  // namespace tapedeck::kernels
