#pragma once

#include <cstdint>

#include <tapedeck/ops/kernels/grid_sample.h>
#include <tapedeck/ops/kernels/max_pool_rows.h>

namespace tapedeck::kernels {

/// How the coordinates of an axis name places on it: x that at (x + 1) scale - shift, in pixels.
template <typename T>
struct GridAxis {
  T scale, shift;
  T last;                       ///< pixel
  T low, span;                  ///< places are reflected at low and at low + span
  std::int32_t pixels_to_next;  ///< along the axis, in the plane
};

template <typename T>
struct GridAxes {
  GridAxis<T> axes[3];  ///< in the order of the coordinates: that of the columns first
  int count;
  GridPadding padding;
  GridMode mode;

  /// The pixels that an output is made of.
  int corners() const { return mode == GridMode::kNearest ? 1 : 1 << count; }
};

/// Where up to kGridBlock points lie. Bit d of a corner's number says on which side of the point it
/// is along axis d.
inline constexpr std::int64_t kGridBlock = 64;
template <typename T>
struct GridBlock {
  alignas(64) index_of_width<T> pixels[8][kGridBlock];  ///< of each corner; -1 beyond the edges
  alignas(64) T weights[8][kGridBlock];                 ///< of each corner
  alignas(64) T parts[3][kGridBlock];   ///< of each axis: how far the point is from the lower side
  alignas(64) T slopes[3][kGridBlock];  ///< of each axis: d place / d coordinate
};

/// Planes [channels][pixels], or rows of points of so many channels.
template <typename T>
struct GridPlanes {
  T* data;
  std::int64_t apart, channels;
};

/// The loops of sampling at n <= kGridBlock points of one image; a plane has less than 2^31 pixels.
template <typename T>
struct GridPoints {
  /// grid [n][axes]
  void (*locate)(const GridAxes<T>& axes, const T* grid, std::int64_t n, GridBlock<T>& block);
  /// out[c][p] = sum over corners k of weights[k][p] planes[c][pixels[k][p]]
  void (*sample)(int corners, const GridBlock<T>& block, GridPlanes<const T> planes, std::int64_t n,
                 T* out, std::int64_t out_apart);
  /// grad_planes[c][pixels[k][p]] += weights[k][p] grad[c][p]
  void (*add_back)(int corners, const GridBlock<T>& block, GridPlanes<const T> grad, std::int64_t n,
                   T* grad_planes, std::int64_t apart);
  /// grad_grid[p][d] = slopes[d][p] sum over c and k of
  ///                   grad[c][p] planes[c][pixels[k][p]] d weights[k][p] / d parts[d][p]
  void (*grad_points)(int axes, const GridBlock<T>& block, GridPlanes<const T> planes,
                      const T* grad, std::int64_t grad_apart, std::int64_t n, T* grad_grid);
};

template <typename T>
const GridPoints<T>& grid_points();

}  // namespace tapedeck::kernels
