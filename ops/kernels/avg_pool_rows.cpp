#include <tapedeck/ops/kernels/avg_pool_rows.h>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/avg_pool_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/simd_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <typename T>
HWY_INLINE T SumRow(const T* in, std::int64_t n) {
  const hn::CappedTag<T, kAvgPoolOverrun / 2> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  std::int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    s0 = hn::Add(s0, hn::LoadU(d, in + i));
    s1 = hn::Add(s1, hn::LoadU(d, in + i + lanes));
    s2 = hn::Add(s2, hn::LoadU(d, in + i + 2 * lanes));
    s3 = hn::Add(s3, hn::LoadU(d, in + i + 3 * lanes));
  }
  for (; i + lanes <= n; i += lanes) s0 = hn::Add(s0, hn::LoadU(d, in + i));
  if (i < n)
    s1 = hn::Add(s1, hn::MaskedLoad(hn::FirstN(d, static_cast<std::size_t>(n - i)), d, in + i));
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
}

// The sums over `rows` rows of kVectors vectors of columns.
template <int kVectors, class D, typename T>
HWY_INLINE void SumVectors(D d, const T* in, std::int64_t n, std::int64_t rows, T* sums) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<D> sum[kVectors];
  for (int v = 0; v < kVectors; ++v) sum[v] = hn::LoadU(d, in + v * lanes);
  for (std::int64_t r = 1; r < rows; ++r) {
    in += n;
    for (int v = 0; v < kVectors; ++v) sum[v] = hn::Add(sum[v], hn::LoadU(d, in + v * lanes));
  }
  for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[v], d, sums + v * lanes);
}

template <typename T>
HWY_INLINE void SumColumns(const T* in, std::int64_t n, std::int64_t rows, T* sums) {
  const hn::CappedTag<T, kAvgPoolOverrun / 2> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  if (rows <= 0) {
    for (std::int64_t i = 0; i < n; ++i) sums[i] = 0;
    return;
  }
  if (n < lanes) {
    auto sum = LoadPart(d, in, n);
    for (std::int64_t r = 1; r < rows; ++r) sum = hn::Add(sum, LoadPart(d, in + r * n, n));
    return hn::StoreU(sum, d, sums);
  }
  std::int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) SumVectors<4>(d, in + i, n, rows, sums + i);
  for (; i + lanes <= n; i += lanes) SumVectors<1>(d, in + i, n, rows, sums + i);
  if (i < n) SumVectors<1>(d, in + n - lanes, n, rows, sums + n - lanes);
}

template <typename T>
HWY_INLINE void CopyRow(const T* row, std::int64_t n, T* out) {
  const hn::CappedTag<T, kAvgPoolOverrun / 2> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  if (n < lanes) return StoreShort(d, LoadShort(d, row, n), out, n);
  for (std::int64_t i = 0; i < n; i += lanes) {
    const std::int64_t at = i + lanes <= n ? i : n - lanes;
    hn::StoreU(hn::LoadU(d, row + at), d, out + at);
  }
}
template <typename T>
HWY_INLINE void PutRows(const T* row, std::int64_t n, std::int64_t added, std::int64_t copied,
                        T* out) {
  for (std::int64_t r = 0; r < added; ++r, out += n) AddRow(row, n, out);
  for (std::int64_t r = 0; r < copied; ++r, out += n) CopyRow(row, n, out);
}

template <int kStride, class D, typename T>
HWY_INLINE hn::Vec<D> WindowSums(D d, const T* in, std::int64_t taps) {
  auto sum = hn::Zero(d);
  if constexpr (kStride == 1) {
    for (std::int64_t k = 0; k < taps; ++k) sum = hn::Add(sum, hn::LoadU(d, in + k));
  } else {
    hn::Vec<D> even, odd;
    std::int64_t k = 0;
    for (; k + 1 < taps; k += 2) {
      hn::LoadInterleaved2(d, in + k, even, odd);
      sum = hn::Add(hn::Add(sum, even), odd);
    }
    if (k < taps) {
      hn::LoadInterleaved2(d, in + k, even, odd);
      sum = hn::Add(sum, even);
    }
  }
  return sum;
}

template <int kStride, typename T>
HWY_INLINE void Means(const T* in, std::int64_t taps, const T* weights, std::int64_t n, T* out) {
  const hn::CappedTag<T, kAvgPoolOverrun / 2> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t o = 0;
  for (; o + lanes <= n; o += lanes)
    hn::StoreU(hn::Mul(hn::LoadU(d, weights + o), WindowSums<kStride>(d, in + o * kStride, taps)),
               d, out + o);
  if (o == n) return;
  const auto rest = hn::FirstN(d, static_cast<std::size_t>(n - o));
  const auto mean =
      hn::Mul(hn::MaskedLoad(rest, d, weights + o), WindowSums<kStride>(d, in + o * kStride, taps));
  hn::BlendedStore(mean, rest, d, out + o);
}

template <typename T>
HWY_INLINE void WindowMeans(const T* in, std::int64_t taps, std::int64_t stride, const T* weights,
                            std::int64_t n, T* out) {
  if (stride == 1)
    Means<1>(in, taps, weights, n, out);
  else
    Means<2>(in, taps, weights, n, out);
}

template <typename T>
HWY_INLINE void MultiplyRow(const T* a, const T* b, std::int64_t n, T* out) {
  const hn::CappedTag<T, kAvgPoolOverrun / 2> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    hn::StoreU(hn::Mul(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, out + i);
  if (i == n) return;
  const auto rest = hn::FirstN(d, static_cast<std::size_t>(n - i));
  const auto product = hn::Mul(hn::MaskedLoad(rest, d, a + i), hn::MaskedLoad(rest, d, b + i));
  hn::BlendedStore(product, rest, d, out + i);
}

// Fills `count` rows of n with their elements of `in` times the weight.
template <typename T>
HWY_INLINE void FillRows(const T* in, std::int64_t n, std::int64_t count, T weight, T* out) {
  const hn::CappedTag<T, kAvgPoolOverrun / 2> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t r = 0; r < count; ++r, out += n) {
    const auto value = hn::Set(d, in[r] * weight);
    if (n < lanes) {
      StoreShort(d, value, out, n);
      continue;
    }
    for (std::int64_t i = 0; i + lanes <= n; i += lanes) hn::StoreU(value, d, out + i);
    hn::StoreU(value, d, out + n - lanes);
  }
}

// The sums of `count` rows of n, each times the weight.
template <typename T>
HWY_INLINE void SumRows(const T* in, std::int64_t n, std::int64_t count, T weight, T* out) {
  for (std::int64_t r = 0; r < count; ++r) out[r] = SumRow(in + r * n, n) * weight;
}

void AddRowF32(const float* in, std::int64_t n, float* sums) { AddRow(in, n, sums); }
void AddRowF64(const double* in, std::int64_t n, double* sums) { AddRow(in, n, sums); }
void SumColumnsF32(const float* in, std::int64_t n, std::int64_t rows, float* sums) {
  SumColumns(in, n, rows, sums);
}
void SumColumnsF64(const double* in, std::int64_t n, std::int64_t rows, double* sums) {
  SumColumns(in, n, rows, sums);
}
void PutRowsF32(const float* row, std::int64_t n, std::int64_t added, std::int64_t copied,
                float* out) {
  PutRows(row, n, added, copied, out);
}
void PutRowsF64(const double* row, std::int64_t n, std::int64_t added, std::int64_t copied,
                double* out) {
  PutRows(row, n, added, copied, out);
}
void FillRowsF32(const float* in, std::int64_t n, std::int64_t count, float weight, float* out) {
  FillRows(in, n, count, weight, out);
}
void FillRowsF64(const double* in, std::int64_t n, std::int64_t count, double weight, double* out) {
  FillRows(in, n, count, weight, out);
}
void SumRowsF32(const float* in, std::int64_t n, std::int64_t count, float weight, float* out) {
  SumRows(in, n, count, weight, out);
}
void SumRowsF64(const double* in, std::int64_t n, std::int64_t count, double weight, double* out) {
  SumRows(in, n, count, weight, out);
}
void WindowMeansF32(const float* in, std::int64_t taps, std::int64_t stride, const float* weights,
                    std::int64_t n, float* out) {
  WindowMeans(in, taps, stride, weights, n, out);
}
void WindowMeansF64(const double* in, std::int64_t taps, std::int64_t stride, const double* weights,
                    std::int64_t n, double* out) {
  WindowMeans(in, taps, stride, weights, n, out);
}
// The sums over a part of one row of the window: of `pixels` times kVectors vectors.
template <int kVectors, class D, typename T>
HWY_INLINE void AddPixels(D d, const T* in, std::int64_t pixels, std::int64_t C, bool is_first,
                          T weight, T* out) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<D> sums[kVectors];
  for (int v = 0; v < kVectors; ++v)
    sums[v] = is_first ? hn::Zero(d) : hn::LoadU(d, out + v * lanes);
  for (std::int64_t p = 0; p < pixels; ++p, in += C)
    for (int v = 0; v < kVectors; ++v) sums[v] = hn::Add(sums[v], hn::LoadU(d, in + v * lanes));
  for (int v = 0; v < kVectors; ++v)
    hn::StoreU(hn::Mul(sums[v], hn::Set(d, weight)), d, out + v * lanes);
}

template <typename T>
HWY_INLINE void SumChannels(const T* image, std::int64_t width, std::int64_t C,
                            const PoolWindow& row, const PoolWindow& column, T weight, T* out) {
  const hn::CappedTag<T, kAvgPoolOverrun / 2> d;
  const hn::CappedTag<T, 1> one;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  if (row.begin >= row.end)
    for (std::int64_t c = 0; c < C; ++c) out[c] = 0;
  for (std::int64_t h = row.begin; h < row.end; ++h) {
    const T* const in = image + (h * width + column.begin) * C;
    const std::int64_t pixels = column.end - column.begin;
    const bool is_first = h == row.begin;
    const T scale = h + 1 == row.end ? weight : T{1};
    std::int64_t c = 0;
    for (; c + 4 * lanes <= C; c += 4 * lanes)
      AddPixels<4>(d, in + c, pixels, C, is_first, scale, out + c);
    for (; c + lanes <= C; c += lanes) AddPixels<1>(d, in + c, pixels, C, is_first, scale, out + c);
    for (; c < C; ++c) AddPixels<1>(one, in + c, pixels, C, is_first, scale, out + c);
  }
}

void SumChannelsF32(const float* image, std::int64_t width, std::int64_t C, const PoolWindow& row,
                    const PoolWindow& column, float weight, float* out) {
  SumChannels(image, width, C, row, column, weight, out);
}
void SumChannelsF64(const double* image, std::int64_t width, std::int64_t C, const PoolWindow& row,
                    const PoolWindow& column, double weight, double* out) {
  SumChannels(image, width, C, row, column, weight, out);
}
// to[i] (+)= from[i] * weight for i < n.
template <bool kAdds, typename T>
HWY_INLINE void PutShare(const T* from, T weight, std::int64_t n, T* to) {
  const hn::CappedTag<T, kAvgPoolOverrun / 2> d;
  const hn::CappedTag<T, 1> one;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto put = [=](auto tag, std::int64_t i) HWY_ATTR {
    auto share = hn::Mul(hn::LoadU(tag, from + i), hn::Set(tag, weight));
    if constexpr (kAdds) share = hn::Add(hn::LoadU(tag, to + i), share);
    hn::StoreU(share, tag, to + i);
  };
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) put(d, i);
  for (; i < n; ++i) put(one, i);
}

template <typename T>
HWY_INLINE void SpreadChannels(const T* grad, std::int64_t C, const PoolWindow* columns,
                               const T* weights, std::int64_t windows, std::int64_t width, T* row) {
  // Windows begin in order: pixels from this one on have nothing yet.
  std::int64_t written = 0;
  const auto clear_up_to = [&](std::int64_t w) HWY_ATTR {
    for (std::int64_t i = written * C; i < w * C; ++i) row[i] = 0;
    written = w > written ? w : written;
  };
  for (std::int64_t o = 0; o < windows; ++o, grad += C) {
    const PoolWindow& column = columns[o];
    if (column.begin >= column.end) continue;
    clear_up_to(column.begin);
    for (std::int64_t w = column.begin; w < column.end; ++w) {
      if (w < written)
        PutShare<true>(grad, weights[o], C, row + w * C);
      else
        PutShare<false>(grad, weights[o], C, row + w * C);
    }
    written = column.end > written ? column.end : written;
  }
  clear_up_to(width);
}

void SpreadChannelsF32(const float* grad, std::int64_t C, const PoolWindow* columns,
                       const float* weights, std::int64_t windows, std::int64_t width, float* row) {
  SpreadChannels(grad, C, columns, weights, windows, width, row);
}
void SpreadChannelsF64(const double* grad, std::int64_t C, const PoolWindow* columns,
                       const double* weights, std::int64_t windows, std::int64_t width,
                       double* row) {
  SpreadChannels(grad, C, columns, weights, windows, width, row);
}
void MultiplyRowF32(const float* a, const float* b, std::int64_t n, float* out) {
  MultiplyRow(a, b, n, out);
}
void MultiplyRowF64(const double* a, const double* b, std::int64_t n, double* out) {
  MultiplyRow(a, b, n, out);
}

}  // namespace
}  // namespace tapedeck::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace tapedeck::kernels {

HWY_EXPORT(AddRowF32);
HWY_EXPORT(AddRowF64);
HWY_EXPORT(SumColumnsF32);
HWY_EXPORT(SumColumnsF64);
HWY_EXPORT(PutRowsF32);
HWY_EXPORT(PutRowsF64);
HWY_EXPORT(FillRowsF32);
HWY_EXPORT(FillRowsF64);
HWY_EXPORT(SumRowsF32);
HWY_EXPORT(SumRowsF64);
HWY_EXPORT(WindowMeansF32);
HWY_EXPORT(WindowMeansF64);
HWY_EXPORT(SumChannelsF32);
HWY_EXPORT(SumChannelsF64);
HWY_EXPORT(SpreadChannelsF32);
HWY_EXPORT(SpreadChannelsF64);
HWY_EXPORT(MultiplyRowF32);
HWY_EXPORT(MultiplyRowF64);

template <>
void add_row(const float* in, std::int64_t n, float* sums) {
  HWY_DYNAMIC_DISPATCH(AddRowF32)(in, n, sums);
}
template <>
void add_row(const double* in, std::int64_t n, double* sums) {
  HWY_DYNAMIC_DISPATCH(AddRowF64)(in, n, sums);
}
template <>
void sum_columns(const float* in, std::int64_t n, std::int64_t rows, float* sums) {
  HWY_DYNAMIC_DISPATCH(SumColumnsF32)(in, n, rows, sums);
}
template <>
void sum_columns(const double* in, std::int64_t n, std::int64_t rows, double* sums) {
  HWY_DYNAMIC_DISPATCH(SumColumnsF64)(in, n, rows, sums);
}
template <>
void put_rows(const float* row, std::int64_t n, std::int64_t added, std::int64_t copied,
              float* out) {
  HWY_DYNAMIC_DISPATCH(PutRowsF32)(row, n, added, copied, out);
}
template <>
void put_rows(const double* row, std::int64_t n, std::int64_t added, std::int64_t copied,
              double* out) {
  HWY_DYNAMIC_DISPATCH(PutRowsF64)(row, n, added, copied, out);
}
template <>
void fill_rows(const float* in, std::int64_t n, std::int64_t count, float weight, float* out) {
  HWY_DYNAMIC_DISPATCH(FillRowsF32)(in, n, count, weight, out);
}
template <>
void fill_rows(const double* in, std::int64_t n, std::int64_t count, double weight, double* out) {
  HWY_DYNAMIC_DISPATCH(FillRowsF64)(in, n, count, weight, out);
}
template <>
void sum_rows(const float* in, std::int64_t n, std::int64_t count, float weight, float* out) {
  HWY_DYNAMIC_DISPATCH(SumRowsF32)(in, n, count, weight, out);
}
template <>
void sum_rows(const double* in, std::int64_t n, std::int64_t count, double weight, double* out) {
  HWY_DYNAMIC_DISPATCH(SumRowsF64)(in, n, count, weight, out);
}
template <>
void window_means(const float* in, std::int64_t taps, std::int64_t stride, const float* weights,
                  std::int64_t n, float* out) {
  HWY_DYNAMIC_DISPATCH(WindowMeansF32)(in, taps, stride, weights, n, out);
}
template <>
void window_means(const double* in, std::int64_t taps, std::int64_t stride, const double* weights,
                  std::int64_t n, double* out) {
  HWY_DYNAMIC_DISPATCH(WindowMeansF64)(in, taps, stride, weights, n, out);
}
template <>
void sum_channels(const float* image, std::int64_t width, std::int64_t C, const PoolWindow& row,
                  const PoolWindow& column, float weight, float* out) {
  HWY_DYNAMIC_DISPATCH(SumChannelsF32)(image, width, C, row, column, weight, out);
}
template <>
void sum_channels(const double* image, std::int64_t width, std::int64_t C, const PoolWindow& row,
                  const PoolWindow& column, double weight, double* out) {
  HWY_DYNAMIC_DISPATCH(SumChannelsF64)(image, width, C, row, column, weight, out);
}
template <>
void spread_channels(const float* grad, std::int64_t C, const PoolWindow* columns,
                     const float* weights, std::int64_t windows, std::int64_t width, float* row) {
  HWY_DYNAMIC_DISPATCH(SpreadChannelsF32)(grad, C, columns, weights, windows, width, row);
}
template <>
void spread_channels(const double* grad, std::int64_t C, const PoolWindow* columns,
                     const double* weights, std::int64_t windows, std::int64_t width, double* row) {
  HWY_DYNAMIC_DISPATCH(SpreadChannelsF64)(grad, C, columns, weights, windows, width, row);
}
template <>
void multiply_row(const float* a, const float* b, std::int64_t n, float* out) {
  HWY_DYNAMIC_DISPATCH(MultiplyRowF32)(a, b, n, out);
}
template <>
void multiply_row(const double* a, const double* b, std::int64_t n, double* out) {
  HWY_DYNAMIC_DISPATCH(MultiplyRowF64)(a, b, n, out);
}

}  // namespace tapedeck::kernels

#endif
