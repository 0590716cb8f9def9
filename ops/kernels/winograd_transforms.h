#pragma once

#include <cstdint>

namespace tapedeck::kernels {

/// The transforms of Winograd's minimal filtering F(m, r) in two dimensions (Lavin and Gray, "Fast
/// Algorithms for Convolutional Neural Networks", 2016), n = m + r - 1:
///
///   output = A^T [(G w G^T) * (B^T x B)] A,   grad_w = G^T [(A dy A^T) * (B^T x B)] G
///
/// with * element by element, and sums over channels or tiles in its place. Every element is a
/// vector of channels; the n^2 elements of a transformed tile lie `position_step` apart. Two of
/// them joined, as F(2, 3) and F(2, 2) are to five taps, have the elements of both: n = 7.
template <typename T>
struct WinogradTransforms {
  int m, r, n;
  int reach;  ///< rows or columns of the input that a tile reads

  /// B^T x B of a row of tiles, m columns apart: columns of the input are `lanes` elements, rows
  /// row_step. A tile's vector follows its neighbour's.
  void (*input)(const T* x, std::int64_t row_step, std::int64_t tiles, T* out,
                std::int64_t position_step);
  /// A dy A^T of a row of tiles, likewise.
  void (*grad_output)(const T* dy, std::int64_t row_step, std::int64_t tiles, T* out,
                      std::int64_t position_step);
  /// A^T s A of a row of tiles of `width` channels (a multiple of `lanes`) to m rows of outputs.
  void (*output)(const T* sums, std::int64_t position_step, std::int64_t tiles, std::int64_t width,
                 T* out, std::int64_t row_step);
  /// G w G^T of `count` vectors: the r^2 taps of a filter lie tap_step apart.
  void (*filter)(const T* taps, std::int64_t tap_step, std::int64_t count, T* out,
                 std::int64_t position_step);
  /// G^T s G of `count` vectors.
  void (*grad_filter)(const T* sums, std::int64_t position_step, std::int64_t count, T* taps,
                      std::int64_t tap_step);
};

enum class WinogradVariant : std::uint8_t { F2x3, F4x3, F2x5, F2x3And2 };

template <typename T>
const WinogradTransforms<T>& winograd_transforms(WinogradVariant variant);

}  // namespace tapedeck::kernels
