#pragma once

#include <cstdint>

namespace tapedeck::kernels {

/// How the tiles of a Winograd transform lie on one axis.
struct WinogradAxis {
  int outputs, elements;  ///< of a tile, as it is given back and as it is multiplied
  int step, reach;        ///< in inputs: from tile to tile, and what a tile reads
  /// Inputs lie this many outputs apart: 1, or the stride of an input gradient. The tile's first
  /// input is then `phase` outputs beyond the first tap of the tile's first output.
  int spread, phase;
};

/// The transforms of Winograd's minimal filtering F(m, r) in two dimensions (Lavin and Gray, "Fast
/// Algorithms for Convolutional Neural Networks", 2016), n = m + r - 1:
///
///   output = A^T [(G w G^T) * (B^T x B)] A,   grad_w = G^T [(A dy A^T) * (B^T x B)] G
///
/// with * element by element, and sums over channels or tiles in its place. Every element is a
/// vector of channels; the elements of a transformed tile lie `position_step` apart. Several F(m,
/// r) side by side serve more taps and strides: they have the elements of all.
template <typename T>
struct WinogradTransforms {
  WinogradAxis rows, columns;
  int positions() const { return rows.elements * columns.elements; }
  /// The element of a transformed tile of grad_output that is the sum of the tile: its value at the
  /// point 1, the second one of all axes of more than one tap.
  int sum_position() const {
    return (rows.elements > 1 ? columns.elements : 0) + (columns.elements > 1 ? 1 : 0);
  }

  /// B^T x B of a row of tiles, columns.step apart: columns of the input are `lanes` elements, rows
  /// row_step. A tile's vector follows its neighbour's.
  void (*input)(const T* x, std::int64_t row_step, std::int64_t tiles, T* out,
                std::int64_t position_step);
  /// A dy A^T of a row of tiles, columns.outputs apart. Null where inputs are spread.
  void (*grad_output)(const T* dy, std::int64_t row_step, std::int64_t tiles, T* out,
                      std::int64_t position_step);
  /// A^T s A of a row of tiles of `width` channels (a multiple of `lanes`) to rows of outputs.
  void (*output)(const T* sums, std::int64_t position_step, std::int64_t tiles, std::int64_t width,
                 T* out, std::int64_t row_step);
  /// G w G^T of `count` vectors: the taps of a filter lie tap_step apart.
  void (*filter)(const T* taps, std::int64_t tap_step, std::int64_t count, T* out,
                 std::int64_t position_step);
  /// G^T s G of `count` vectors. Null where inputs are spread.
  void (*grad_filter)(const T* sums, std::int64_t position_step, std::int64_t count, T* taps,
                      std::int64_t tap_step);
};

/// By kernel and stride. Dense ones step by one. Strided ones step by two; Spread ones are the
/// input gradients of these. Rows are kernels of one row, columns of one column. Large ones have
/// tiles, and coefficients, that are larger.
enum class WinogradVariant : std::uint8_t {
  Dense2,
  Dense3,
  Dense4,
  Dense5,
  Dense7,
  Dense3Large,
  Dense5Large,
  Strided3,
  Strided4,
  Strided5,
  Spread3,
  Spread4,
  Spread5,
  Row3,
  Row5,
  Row7,
  Column3,
  Column5,
  Column7
};
inline constexpr int kWinogradVariants = 19;

template <typename T>
const WinogradTransforms<T>& winograd_transforms(WinogradVariant variant);

}  // namespace tapedeck::kernels
