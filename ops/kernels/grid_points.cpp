#include <tapedeck/ops/kernels/grid_points.h>

#include <algorithm>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/grid_points.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/simd_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

// Where a point lies on an axis, and how it moves with its coordinate.
template <class D>
struct Place {
  hn::Vec<D> at, slope;
};

// Of |place - low| only the rest is left, from either side in turns: a triangle wave.
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE void Reflect(D d, const GridAxis<T>& axis, Place<D>& place) {
  const auto low = hn::Set(d, axis.low), span = hn::Set(d, axis.span), half = hn::Set(d, T(0.5));
  const auto from_low = hn::Abs(hn::Sub(place.at, low));
  const auto times = hn::Floor(hn::Div(from_low, span));
  const auto rest = hn::Sub(from_low, hn::Mul(times, span));
  const auto halves = hn::Mul(times, half);
  const auto is_odd = hn::Ne(hn::Floor(halves), halves);
  const auto is_below = hn::Lt(place.at, low);
  place.at = hn::Add(low, hn::IfThenElse(is_odd, hn::Sub(span, rest), rest));
  place.slope = hn::IfThenElse(hn::Xor(is_odd, is_below), hn::Neg(place.slope), place.slope);
}

template <class D, typename T = hn::TFromD<D>>
HWY_INLINE Place<D> PlaceOf(D d, hn::Vec<D> x, const GridAxis<T>& axis, GridPadding padding) {
  const auto scale = hn::Set(d, axis.scale), last = hn::Set(d, axis.last), zero = hn::Zero(d);
  Place<D> place{hn::Sub(hn::Mul(hn::Add(x, hn::Set(d, T(1))), scale), hn::Set(d, axis.shift)),
                 scale};
  if (padding == GridPadding::kReflection) Reflect(d, axis, place);
  if (padding == GridPadding::kZeros) return place;
  // On the border, as beyond it, the place does not move; NaN is brought to the first pixel.
  const auto is_above = hn::Gt(place.at, zero);
  place.slope = hn::IfThenElseZero(hn::And(is_above, hn::Lt(place.at, last)), place.slope);
  place.at = hn::IfThenElseZero(is_above, hn::Min(place.at, last));
  return place;
}

// One side of a point along an axis: whether there is a pixel, and how many before it in the plane.
template <class D>
struct Side {
  hn::Mask<D> is_inside;
  hn::Vec<hn::Rebind<std::int32_t, D>> offset;
};

template <class D, typename T = hn::TFromD<D>>
HWY_INLINE Side<D> SideOf(D d, hn::Vec<D> at, const GridAxis<T>& axis) {
  const hn::Rebind<std::int32_t, D> d32;
  Side<D> side;
  side.is_inside = hn::And(hn::Ge(at, hn::Zero(d)), hn::Le(at, hn::Set(d, axis.last)));
  const auto pixel = hn::IfThenElseZero(side.is_inside, at);
  const auto next = hn::Set(d32, axis.pixels_to_next);
  if constexpr (sizeof(T) == 8)
    side.offset = hn::Mul(hn::DemoteTo(d32, pixel), next);
  else
    side.offset = hn::Mul(hn::ConvertTo(d32, pixel), next);
  return side;
}

template <class D, typename T = hn::TFromD<D>>
HWY_INLINE void StorePixels([[maybe_unused]] D d, hn::Mask<D> is_inside,
                            hn::Vec<hn::Rebind<std::int32_t, D>> at, index_of_width<T>* to) {
  const hn::Rebind<index_of_width<T>, D> di;
  const auto outside = hn::Set(di, -1);
  if constexpr (sizeof(T) == 8)
    hn::StoreU(hn::IfThenElse(hn::RebindMask(di, is_inside), hn::PromoteTo(di, at), outside), di,
               to);
  else
    hn::StoreU(hn::IfThenElse(hn::RebindMask(di, is_inside), at, outside), di, to);
}

template <int kAxes, class D, typename T = hn::TFromD<D>>
HWY_INLINE void LoadPoints(D d, const T* grid, hn::Vec<D>* x) {
  if constexpr (kAxes == 2)
    hn::LoadInterleaved2(d, grid, x[0], x[1]);
  else
    hn::LoadInterleaved3(d, grid, x[0], x[1], x[2]);
}

// The points at `grid`, a vector, to place i of the block.
template <int kAxes, bool kNearest, class D, typename T = hn::TFromD<D>>
HWY_INLINE void LocateVector(D d, const GridAxes<T>& axes, const T* grid, std::int64_t i,
                             GridBlock<T>& block) {
  const auto one = hn::Set(d, T(1));
  hn::Vec<D> x[kAxes], weights[kAxes][2];
  Side<D> sides[kAxes][2];
  LoadPoints<kAxes>(d, grid, x);
  for (int a = 0; a < kAxes; ++a) {
    const Place<D> place = PlaceOf(d, x[a], axes.axes[a], axes.padding);
    const auto low = kNearest ? hn::Round(place.at) : hn::Floor(place.at);
    sides[a][0] = SideOf(d, low, axes.axes[a]);
    if (kNearest) continue;
    sides[a][1] = SideOf(d, hn::Add(low, one), axes.axes[a]);
    weights[a][1] = hn::Sub(place.at, low);
    weights[a][0] = hn::Sub(one, weights[a][1]);
    hn::StoreU(weights[a][1], d, block.parts[a] + i);
    hn::StoreU(place.slope, d, block.slopes[a] + i);
  }
  for (int k = 0; k < (kNearest ? 1 : 1 << kAxes); ++k) {
    auto is_inside = sides[0][k & 1].is_inside;
    auto at = sides[0][k & 1].offset;
    auto weight = kNearest ? one : weights[0][k & 1];
    for (int a = 1; a < kAxes; ++a) {
      is_inside = hn::And(is_inside, sides[a][k >> a & 1].is_inside);
      at = hn::Add(at, sides[a][k >> a & 1].offset);
      if (!kNearest) weight = hn::Mul(weight, weights[a][k >> a & 1]);
    }
    StorePixels(d, is_inside, at, block.pixels[k] + i);
    hn::StoreU(weight, d, block.weights[k] + i);
  }
}

template <int kAxes, bool kNearest, typename T>
void LocateAlong(const GridAxes<T>& axes, const T* grid, std::int64_t n, GridBlock<T>& block) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    LocateVector<kAxes, kNearest>(d, axes, grid + i * kAxes, i, block);
  if (i == n) return;
  T rest[kAxes * HWY_MAX_BYTES / sizeof(T)] = {};
  std::copy(grid + i * kAxes, grid + n * kAxes, rest);
  LocateVector<kAxes, kNearest>(d, axes, rest, i, block);
}

template <typename T>
void Locate(const GridAxes<T>& axes, const T* grid, std::int64_t n, GridBlock<T>& block) {
  if (axes.mode == GridMode::kNearest)
    return axes.count == 2 ? LocateAlong<2, true>(axes, grid, n, block)
                           : LocateAlong<3, true>(axes, grid, n, block);
  return axes.count == 2 ? LocateAlong<2, false>(axes, grid, n, block)
                         : LocateAlong<3, false>(axes, grid, n, block);
}

// The pixels of corners, and zeros beyond the edges.
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> Pixels(D d, const T* plane, const index_of_width<T>* corners) {
  const hn::Rebind<index_of_width<T>, D> di;
  const auto at = hn::LoadU(di, corners);
  const auto outside = hn::BroadcastSignBit(at);
  return hn::AndNot(hn::BitCast(d, outside), hn::GatherIndex(d, plane, hn::AndNot(outside, at)));
}

template <int kCorners, typename T>
void SampleCorners(const GridBlock<T>& block, GridPlanes<const T> planes, std::int64_t n, T* out,
                   std::int64_t out_apart) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t c = 0; c < planes.channels; ++c, out += out_apart) {
    const T* const plane = planes.data + c * planes.apart;
    for (std::int64_t i = 0; i < n; i += lanes) {
      auto sum = hn::Mul(hn::LoadU(d, block.weights[0] + i), Pixels(d, plane, block.pixels[0] + i));
      for (int k = 1; k < kCorners; ++k)
        sum = hn::MulAdd(hn::LoadU(d, block.weights[k] + i), Pixels(d, plane, block.pixels[k] + i),
                         sum);
      StoreUpTo(d, sum, out + i, n - i);
    }
  }
}

template <typename T>
void Sample(int corners, const GridBlock<T>& block, GridPlanes<const T> planes, std::int64_t n,
            T* out, std::int64_t out_apart) {
  (corners == 1   ? SampleCorners<1, T>
   : corners == 4 ? SampleCorners<4, T>
                  : SampleCorners<8, T>)(block, planes, n, out, out_apart);
}

// Point by point: several may have the same pixel.
template <typename T>
void AddBack(int corners, const GridBlock<T>& block, GridPlanes<const T> grad, std::int64_t n,
             T* grad_planes, std::int64_t apart) {
  for (std::int64_t c = 0; c < grad.channels; ++c) {
    T* const plane = grad_planes + c * apart;
    const T* const from = grad.data + c * grad.apart;
    for (int k = 0; k < corners; ++k)
      for (std::int64_t i = 0; i < n; ++i)
        if (block.pixels[k][i] >= 0) plane[block.pixels[k][i]] += block.weights[k][i] * from[i];
  }
}

template <int kAxes, class D, typename T = hn::TFromD<D>>
HWY_INLINE void StorePoints(D d, const hn::Vec<D>* x, T* grid) {
  if constexpr (kAxes == 2)
    hn::StoreInterleaved2(x[0], x[1], d, grid);
  else
    hn::StoreInterleaved3(x[0], x[1], x[2], d, grid);
}

template <int kAxes, typename T>
void GradPointsAlong(const GridBlock<T>& block, GridPlanes<const T> planes, const T* grad,
                     std::int64_t grad_apart, std::int64_t n, T* grad_grid) {
  constexpr int kCorners = 1 << kAxes;
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto one = hn::Set(d, T(1));
  for (std::int64_t i = 0; i < n; i += lanes) {
    // Of each corner: the sum over channels of the gradient times the pixel.
    hn::Vec<decltype(d)> sums[kCorners], weights[kAxes][2], grads[kAxes];
    for (auto& sum : sums) sum = hn::Zero(d);
    for (std::int64_t c = 0; c < planes.channels; ++c) {
      const auto g = LoadUpTo(d, grad + c * grad_apart + i, n - i);
      for (int k = 0; k < kCorners; ++k)
        sums[k] =
            hn::MulAdd(g, Pixels(d, planes.data + c * planes.apart, block.pixels[k] + i), sums[k]);
    }
    for (int a = 0; a < kAxes; ++a) {
      weights[a][1] = hn::LoadU(d, block.parts[a] + i);
      weights[a][0] = hn::Sub(one, weights[a][1]);
      grads[a] = hn::Zero(d);
    }
    for (int a = 0; a < kAxes; ++a)
      for (int k = 0; k < kCorners; ++k) {
        if (k >> a & 1) continue;
        auto difference = hn::Sub(sums[k | 1 << a], sums[k]);
        for (int b = 0; b < kAxes; ++b)
          if (b != a) difference = hn::Mul(difference, weights[b][k >> b & 1]);
        grads[a] = hn::Add(grads[a], difference);
      }
    for (int a = 0; a < kAxes; ++a) grads[a] = hn::Mul(grads[a], hn::LoadU(d, block.slopes[a] + i));
    if (i + lanes <= n) {
      StorePoints<kAxes>(d, grads, grad_grid + i * kAxes);
    } else {
      T rest[kAxes * HWY_MAX_BYTES / sizeof(T)];
      StorePoints<kAxes>(d, grads, rest);
      std::copy(rest, rest + (n - i) * kAxes, grad_grid + i * kAxes);
    }
  }
}

template <typename T>
void GradPoints(int axes, const GridBlock<T>& block, GridPlanes<const T> planes, const T* grad,
                std::int64_t grad_apart, std::int64_t n, T* grad_grid) {
  (axes == 2 ? GradPointsAlong<2, T> : GradPointsAlong<3, T>)(block, planes, grad, grad_apart, n,
                                                              grad_grid);
}

template <typename T>
GridPoints<T> Points() {
  return {Locate<T>, Sample<T>, AddBack<T>, GradPoints<T>};
}
GridPoints<float> PointsF32() { return Points<float>(); }
GridPoints<double> PointsF64() { return Points<double>(); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {

TAPEDECK_DISPATCH_TABLES(GridPoints, grid_points, Points);

}  // namespace tapedeck::kernels
#endif
