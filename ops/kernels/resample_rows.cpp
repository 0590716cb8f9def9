#include <tapedeck/ops/kernels/resample_rows.h>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/resample_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/simd_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

template <typename T>
std::int64_t LaneCount() {
  return static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<T>()));
}

// Stores value(load) for each vector of n elements, where load(row) gives that vector of a row.
template <bool kRoom, typename T, class Value>
HWY_INLINE void ForEachVector(std::int64_t n, T* out, const Value& value) {
  const hn::ScalableTag<T> d;
  const std::int64_t lanes = LaneCount<T>();
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    hn::StoreU(value([&](const T* row) HWY_ATTR { return hn::LoadU(d, row + i); }), d, out + i);
  if (i == n) return;
  const auto last = value([&](const T* row) HWY_ATTR { return LoadPart(d, row + i, n - i); });
  if (kRoom)
    hn::StoreU(last, d, out + i);
  else
    StorePart(d, last, out + i, n - i);
}

template <bool kRoom, typename T>
void Combine(const T* const* rows, const T* weights, std::int64_t count, std::int64_t n, T* out) {
  const hn::ScalableTag<T> d;
  if (count == 2) {
    const T* const a = rows[0];
    const T* const b = rows[1];
    const auto wa = hn::Set(d, weights[0]), wb = hn::Set(d, weights[1]);
    ForEachVector<kRoom>(n, out, [&](const auto& load) HWY_ATTR {
      return hn::MulAdd(wb, load(b), hn::Mul(wa, load(a)));
    });
    return;
  }
  ForEachVector<kRoom>(n, out, [&](const auto& load) HWY_ATTR {
    if (count == 0) return hn::Zero(d);
    auto sum = hn::Mul(hn::Set(d, weights[0]), load(rows[0]));
    for (std::int64_t k = 1; k < count; ++k)
      sum = hn::MulAdd(hn::Set(d, weights[k]), load(rows[k]), sum);
    return sum;
  });
}

// in[lanes[i]] for every lane; they lie within `span` vectors.
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> Look(D d, const T* in, std::int32_t span, const index_of_width<T>* lanes) {
  const hn::Rebind<index_of_width<T>, D> di;
  const auto index = hn::LoadU(di, lanes);
#if HWY_TARGET <= HWY_AVX2
  // Permutations of vectors cost less than gathers.
  if (span == 1) return hn::TableLookupLanes(hn::LoadU(d, in), hn::IndicesFromVec(d, index));
  if (span == 2) {
    const auto count = static_cast<index_of_width<T>>(hn::Lanes(d));
    const auto within = hn::IndicesFromVec(d, hn::And(index, hn::Set(di, count - 1)));
    const auto low = hn::TableLookupLanes(hn::LoadU(d, in), within);
    const auto high = hn::TableLookupLanes(hn::LoadU(d, in + count), within);
    return hn::IfThenElse(hn::RebindMask(d, hn::Lt(index, hn::Set(di, count))), low, high);
  }
#endif
  (void)span;
  return hn::GatherIndex(d, in, index);
}

template <bool kSomeRest, typename T>
HWY_INLINE void SampleRow(const T* in, const RowSamples<T>& samples, T* out) {
  const hn::ScalableTag<T> d;
  const std::int64_t lanes = LaneCount<T>();
  const std::int64_t n = samples.outputs;
  for (std::int64_t v = 0; v * lanes < n; ++v) {
    auto sum = hn::Zero(d);
    for (std::int64_t t = samples.terms[v]; t < samples.terms[v + 1]; ++t) {
      const auto weight = hn::LoadU(d, samples.weights + t * lanes);
      auto x = Look(d, in + samples.bases[t], samples.spans[t], samples.lanes + t * lanes);
      if (kSomeRest) x = hn::IfThenElseZero(hn::Ne(weight, hn::Zero(d)), x);
      sum = hn::MulAdd(weight, x, sum);
    }
    if ((v + 1) * lanes <= n)
      hn::StoreU(sum, d, out + v * lanes);
    else
      StorePart(d, sum, out + v * lanes, n - v * lanes);
  }
}

template <typename T>
void Sample(const T* in, const RowSamples<T>& samples, T* out) {
  if (samples.some_lanes_rest)
    SampleRow<true>(in, samples, out);
  else
    SampleRow<false>(in, samples, out);
}

template <typename T>
ResampleRows<T> Rows() {
  return {LaneCount<T>, Combine<false, T>, Combine<true, T>, Sample<T>};
}
ResampleRows<float> RowsF32() { return Rows<float>(); }
ResampleRows<double> RowsF64() { return Rows<double>(); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {

TAPEDECK_DISPATCH_TABLES(ResampleRows, resample_rows, Rows);

}  // namespace tapedeck::kernels
#endif
