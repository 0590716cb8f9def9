#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/norm_loops.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <type_traits>

#include <hwy/highway.h>

#include <tapedeck/ops/kernels/norm_loops.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

HWY_INLINE double SumOf(hn::Vec<D64> v) {
  const D64 d64;
  HWY_ALIGN double lanes[HWY_MAX_BYTES / sizeof(double)];
  hn::Store(v, d64, lanes);
  double sum = 0;
  for (std::size_t k = 0; k < hn::Lanes(d64); ++k) sum += lanes[k];
  return sum;
}
HWY_INLINE std::int64_t WideLanes() { return static_cast<std::int64_t>(hn::Lanes(D64())); }

template <typename T>
double Sum(const T* x, std::int64_t n) {
  const D64 d;
  const std::int64_t lanes = WideLanes();
  auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  std::int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    s0 = hn::Add(s0, Wide(x + i));
    s1 = hn::Add(s1, Wide(x + i + lanes));
    s2 = hn::Add(s2, Wide(x + i + 2 * lanes));
    s3 = hn::Add(s3, Wide(x + i + 3 * lanes));
  }
  for (; i + lanes <= n; i += lanes) s0 = hn::Add(s0, Wide(x + i));
  double sum = SumOf(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)));
  for (; i < n; ++i) sum += static_cast<double>(x[i]);
  return sum;
}

template <typename T>
double Squares(const T* x, double mean, std::int64_t n) {
  const D64 d;
  const std::int64_t lanes = WideLanes();
  const auto center = hn::Set(d, mean);
  auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  const auto step = [&](hn::Vec<D64> sum, const T* from) HWY_ATTR {
    const auto delta = hn::Sub(Wide(from), center);
    return hn::MulAdd(delta, delta, sum);
  };
  std::int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    s0 = step(s0, x + i);
    s1 = step(s1, x + i + lanes);
    s2 = step(s2, x + i + 2 * lanes);
    s3 = step(s3, x + i + 3 * lanes);
  }
  for (; i + lanes <= n; i += lanes) s0 = step(s0, x + i);
  double sum = SumOf(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)));
  for (; i < n; ++i) {
    const double delta = static_cast<double>(x[i]) - mean;
    sum += delta * delta;
  }
  return sum;
}

// A mean of float64 in two parts, for it may be large beside the deviations from it.
template <typename T>
struct Center {
  Center() = default;
  explicit Center(double mean)
      : high(static_cast<T>(mean)), low(static_cast<T>(mean - static_cast<double>(high))) {}
  // x - mean
  template <class D>
  HWY_INLINE hn::Vec<D> Deviation(D d, hn::Vec<D> x) const {
    const auto delta = hn::Sub(x, hn::Set(d, high));
    if constexpr (sizeof(T) == 8)
      return delta;
    else
      return hn::Sub(delta, hn::Set(d, low));
  }
  T high, low;
};

// Steps that are added up in T before the sum goes on in float64.
constexpr std::int64_t kStepsAtATime = 16;

template <bool Weighted, typename T>
HWY_INLINE void DotsOf(const T* g, const T* w, const T* x, double mean, double* out,
                       std::int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const Center<T> center(mean);
  const auto step = [&](std::int64_t i, auto& gs, auto& xs) HWY_ATTR {
    auto grad = hn::LoadU(d, g + i);
    if constexpr (Weighted) grad = hn::Mul(grad, hn::LoadU(d, w + i));
    gs = hn::Add(gs, grad);
    xs = hn::MulAdd(grad, center.Deviation(d, hn::LoadU(d, x + i)), xs);
  };
  auto g_total = hn::Zero(D64()), x_total = g_total;
  const auto add = [&](hn::Vec<D64>& total, auto sums) HWY_ATTR {
    HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(T)];
    hn::Store(sums, d, buffer);
    for (std::int64_t k = 0; k < lanes; k += WideLanes()) total = hn::Add(total, Wide(buffer + k));
  };
  std::int64_t i = 0;
  while (i + lanes <= n) {
    auto g0 = hn::Zero(d), g1 = g0, x0 = g0, x1 = g0;
    const std::int64_t end = HWY_MIN(n, i + 2 * lanes * kStepsAtATime);
    for (; i + 2 * lanes <= end; i += 2 * lanes) {
      step(i, g0, x0);
      step(i + lanes, g1, x1);
    }
    if (i + lanes <= end) {
      step(i, g0, x0);
      i += lanes;
    }
    add(g_total, hn::Add(g0, g1));
    add(x_total, hn::Add(x0, x1));
  }
  double g_sum = SumOf(g_total), x_sum = SumOf(x_total);
  for (; i < n; ++i) {
    double grad = static_cast<double>(g[i]);
    if constexpr (Weighted) grad *= static_cast<double>(w[i]);
    g_sum += grad;
    x_sum += grad * (static_cast<double>(x[i]) - mean);
  }
  out[0] += g_sum;
  out[1] += x_sum;
}

template <typename T>
void Dots(const T* g, const T* w, const T* x, double mean, double* out, std::int64_t n) {
  if (w)
    DotsOf<true>(g, w, x, mean, out, n);
  else
    DotsOf<false>(g, w, x, mean, out, n);
}

template <bool Weighted, bool Shifted, typename T>
HWY_INLINE void AffineOf(const T* x, double mean, double a, const T* w, double b, const T* shift,
                         T* y, std::int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const T tm = static_cast<T>(mean), ta = static_cast<T>(a), tb = static_cast<T>(b);
  const auto vm = hn::Set(d, tm), va = hn::Set(d, ta), vb = hn::Set(d, tb);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    auto v = hn::Mul(hn::Sub(hn::LoadU(d, x + i), vm), va);
    if constexpr (Weighted) v = hn::Mul(v, hn::LoadU(d, w + i));
    v = hn::Add(v, vb);
    if constexpr (Shifted) v = hn::Add(v, hn::LoadU(d, shift + i));
    hn::StoreU(v, d, y + i);
  }
  for (; i < n; ++i) {
    T v = (x[i] - tm) * ta;
    if constexpr (Weighted) v *= w[i];
    v += tb;
    if constexpr (Shifted) v += shift[i];
    y[i] = v;
  }
}

template <typename T>
void Affine(const T* x, double mean, double a, const T* w, double b, const T* shift, T* y,
            std::int64_t n) {
  if (w && shift)
    AffineOf<true, true>(x, mean, a, w, b, shift, y, n);
  else if (w)
    AffineOf<true, false>(x, mean, a, w, b, shift, y, n);
  else if (shift)
    AffineOf<false, true>(x, mean, a, w, b, shift, y, n);
  else
    AffineOf<false, false>(x, mean, a, w, b, shift, y, n);
}

template <bool Weighted, typename T>
HWY_INLINE void CombineOf(const T* g, const T* w, const T* x, double mean, double a, double b,
                          double c, T* out, std::int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const T tm = static_cast<T>(mean), ta = static_cast<T>(a), tb = static_cast<T>(b),
          tc = static_cast<T>(c);
  const auto vm = hn::Set(d, tm), va = hn::Set(d, ta), vb = hn::Set(d, tb), vc = hn::Set(d, tc);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    auto grad = hn::Mul(hn::LoadU(d, g + i), va);
    if constexpr (Weighted) grad = hn::Mul(grad, hn::LoadU(d, w + i));
    const auto delta = hn::Sub(hn::LoadU(d, x + i), vm);
    hn::StoreU(hn::Add(hn::Add(grad, hn::Mul(delta, vb)), vc), d, out + i);
  }
  for (; i < n; ++i) {
    T grad = g[i] * ta;
    if constexpr (Weighted) grad *= w[i];
    out[i] = grad + (x[i] - tm) * tb + tc;
  }
}

template <typename T>
void Combine(const T* g, const T* w, const T* x, double mean, double a, double b, double c, T* out,
             std::int64_t n) {
  if (w)
    CombineOf<true>(g, w, x, mean, a, b, c, out, n);
  else
    CombineOf<false>(g, w, x, mean, a, b, c, out, n);
}

void ReciprocalRoots(const double* variance, double eps, double* to, std::int64_t n) {
  MapRow([eps](auto d, auto v)
             HWY_ATTR { return hn::Div(hn::Set(d, 1.0), hn::Sqrt(hn::Add(v, hn::Set(d, eps)))); },
         variance, to, n);
}

// Rows whose columns are added up in registers before the sums go back to memory: few enough for
// all of their elements to stay in the cache while the columns are walked.
constexpr std::int64_t kRowsAtATime = 16;

// Calls vectors(first, rows, j, tag of 1 or 4 vectors) and scalar(first, rows, j) for all columns
// of all rows.
template <class Vectors, class Scalar>
HWY_INLINE void ForColumns(std::int64_t rows, std::int64_t n, const Vectors& vectors,
                           const Scalar& scalar) {
  const std::int64_t lanes = WideLanes();
  for (std::int64_t first = 0; first < rows; first += kRowsAtATime) {
    const std::int64_t count = HWY_MIN(kRowsAtATime, rows - first);
    std::int64_t j = 0;
    for (; j + 4 * lanes <= n; j += 4 * lanes) vectors(first, count, j, std::true_type());
    for (; j + lanes <= n; j += lanes) vectors(first, count, j, std::false_type());
    for (; j < n; ++j) scalar(first, count, j);
  }
}

template <typename T>
void AddColumns(const T* x, std::int64_t stride, std::int64_t rows, double* sums, std::int64_t n) {
  const D64 d;
  const std::int64_t lanes = WideLanes();
  ForColumns(
      rows, n,
      [=](std::int64_t first, std::int64_t count, std::int64_t j, auto four) HWY_ATTR {
        const T* row = x + first * stride + j;
        double* const to = sums + j;
        auto s0 = hn::LoadU(d, to);
        if constexpr (four) {
          auto s1 = hn::LoadU(d, to + lanes), s2 = hn::LoadU(d, to + 2 * lanes),
               s3 = hn::LoadU(d, to + 3 * lanes);
          for (std::int64_t r = 0; r < count; ++r, row += stride) {
            s0 = hn::Add(s0, Wide(row));
            s1 = hn::Add(s1, Wide(row + lanes));
            s2 = hn::Add(s2, Wide(row + 2 * lanes));
            s3 = hn::Add(s3, Wide(row + 3 * lanes));
          }
          hn::StoreU(s1, d, to + lanes);
          hn::StoreU(s2, d, to + 2 * lanes);
          hn::StoreU(s3, d, to + 3 * lanes);
        } else {
          for (std::int64_t r = 0; r < count; ++r, row += stride) s0 = hn::Add(s0, Wide(row));
        }
        hn::StoreU(s0, d, to);
      },
      [=](std::int64_t first, std::int64_t count, std::int64_t j) {
        for (std::int64_t r = first; r < first + count; ++r)
          sums[j] += static_cast<double>(x[r * stride + j]);
      });
}

template <typename T>
void AddSquares(const T* x, std::int64_t stride, std::int64_t rows, const double* mean,
                double* sums, std::int64_t n) {
  const D64 d;
  const std::int64_t lanes = WideLanes();
  const auto step = [](hn::Vec<D64> sum, const T* from, hn::Vec<D64> center) HWY_ATTR {
    const auto delta = hn::Sub(Wide(from), center);
    return hn::MulAdd(delta, delta, sum);
  };
  ForColumns(
      rows, n,
      [=](std::int64_t first, std::int64_t count, std::int64_t j, auto four) HWY_ATTR {
        const T* row = x + first * stride + j;
        double* const to = sums + j;
        const auto m0 = hn::LoadU(d, mean + j);
        auto s0 = hn::LoadU(d, to);
        if constexpr (four) {
          const auto m1 = hn::LoadU(d, mean + j + lanes), m2 = hn::LoadU(d, mean + j + 2 * lanes),
                     m3 = hn::LoadU(d, mean + j + 3 * lanes);
          auto s1 = hn::LoadU(d, to + lanes), s2 = hn::LoadU(d, to + 2 * lanes),
               s3 = hn::LoadU(d, to + 3 * lanes);
          for (std::int64_t r = 0; r < count; ++r, row += stride) {
            s0 = step(s0, row, m0);
            s1 = step(s1, row + lanes, m1);
            s2 = step(s2, row + 2 * lanes, m2);
            s3 = step(s3, row + 3 * lanes, m3);
          }
          hn::StoreU(s1, d, to + lanes);
          hn::StoreU(s2, d, to + 2 * lanes);
          hn::StoreU(s3, d, to + 3 * lanes);
        } else {
          for (std::int64_t r = 0; r < count; ++r, row += stride) s0 = step(s0, row, m0);
        }
        hn::StoreU(s0, d, to);
      },
      [=](std::int64_t first, std::int64_t count, std::int64_t j) {
        for (std::int64_t r = first; r < first + count; ++r) {
          const double delta = static_cast<double>(x[r * stride + j]) - mean[j];
          sums[j] += delta * delta;
        }
      });
}

template <typename T>
void AddDots(const T* g, const T* x, std::int64_t stride, std::int64_t rows, const double* mean,
             double* g_sums, double* gx_sums, std::int64_t n) {
  const D64 d;
  const std::int64_t lanes = WideLanes();
  ForColumns(
      rows, n,
      [=](std::int64_t first, std::int64_t count, std::int64_t j, auto four) HWY_ATTR {
        // Rows mostly lie a power of two apart: their lines stay in the cache only as long as all
        // of each is read at once.
        constexpr int kVectors = four ? 4 : 1;
        hn::Vec<D64> m[kVectors], gs[kVectors], xs[kVectors];
        HWY_UNROLL(4)
        for (int v = 0; v < kVectors; ++v) {
          m[v] = hn::LoadU(d, mean + j + v * lanes);
          gs[v] = hn::LoadU(d, g_sums + j + v * lanes);
          xs[v] = hn::LoadU(d, gx_sums + j + v * lanes);
        }
        for (std::int64_t r = first; r < first + count; ++r) {
          const std::int64_t at = r * stride + j;
          HWY_UNROLL(4)
          for (int v = 0; v < kVectors; ++v) {
            const auto grad = Wide(g + at + v * lanes);
            gs[v] = hn::Add(gs[v], grad);
            xs[v] = hn::MulAdd(grad, hn::Sub(Wide(x + at + v * lanes), m[v]), xs[v]);
          }
        }
        HWY_UNROLL(4)
        for (int v = 0; v < kVectors; ++v) {
          hn::StoreU(gs[v], d, g_sums + j + v * lanes);
          hn::StoreU(xs[v], d, gx_sums + j + v * lanes);
        }
      },
      [=](std::int64_t first, std::int64_t count, std::int64_t j) {
        for (std::int64_t r = first; r < first + count; ++r) {
          const double grad = static_cast<double>(g[r * stride + j]);
          g_sums[j] += grad;
          gx_sums[j] += grad * (static_cast<double>(x[r * stride + j]) - mean[j]);
        }
      });
}

// sums += v
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE void AddTo(D d, double* sums, hn::Vec<D> v) {
  HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(T)];
  hn::Store(v, d, buffer);
  const auto n = static_cast<std::int64_t>(hn::Lanes(d)), lanes = WideLanes();
  if (n < lanes) {
    for (std::int64_t k = 0; k < n; ++k) sums[k] += static_cast<double>(buffer[k]);
    return;
  }
  const D64 d64;
  for (std::int64_t k = 0; k < n; k += lanes)
    hn::StoreU(hn::Add(hn::LoadU(d64, sums + k), Wide(buffer + k)), d64, sums + k);
}

template <typename T>
void AddScaledDots(const T* g, const T* x, std::int64_t stride, std::int64_t rows,
                   const double* mean, const double* scale, std::int64_t step, double* g_sums,
                   double* gx_sums, std::int64_t n) {
  Center<T> center[kRowsAtATime];
  T factor[kRowsAtATime];
  for (std::int64_t first = 0; first < rows; first += kRowsAtATime) {
    const std::int64_t count = HWY_MIN(kRowsAtATime, rows - first);
    for (std::int64_t r = 0; r < count; ++r) {
      center[r] = Center<T>(mean[(first + r) * step]);
      factor[r] = static_cast<T>(scale[(first + r) * step]);
    }
    const T* const g0 = g + first * stride;
    const T* const x0 = x + first * stride;
    const auto add = [&](auto d, auto vectors, std::int64_t j) HWY_ATTR {
      constexpr int kVectors = decltype(vectors)::value;
      const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
      hn::Vec<decltype(d)> gs[kVectors], xs[kVectors];
      for (int v = 0; v < kVectors; ++v) gs[v] = xs[v] = hn::Zero(d);
      for (std::int64_t r = 0; r < count; ++r)
        for (int v = 0; v < kVectors; ++v) {
          const std::int64_t at = r * stride + j + v * lanes;
          const auto grad = hn::LoadU(d, g0 + at);
          const auto delta = center[r].Deviation(d, hn::LoadU(d, x0 + at));
          gs[v] = hn::Add(gs[v], grad);
          xs[v] = hn::MulAdd(grad, hn::Mul(delta, hn::Set(d, factor[r])), xs[v]);
        }
      for (int v = 0; v < kVectors; ++v) {
        AddTo(d, g_sums + j + v * lanes, gs[v]);
        AddTo(d, gx_sums + j + v * lanes, xs[v]);
      }
    };
    const hn::ScalableTag<T> d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const std::integral_constant<int, 1> one;
    std::int64_t j = 0;
    for (; j + 4 * lanes <= n; j += 4 * lanes) add(d, std::integral_constant<int, 4>(), j);
    for (; j + lanes <= n; j += lanes) add(d, one, j);
    for (; j < n; ++j) add(hn::CappedTag<T, 1>(), one, j);
  }
}

template <typename T>
void AffineColumns(const T* x, const T* mean, const T* a, const T* b, T* y, std::int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto delta = hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, mean + i));
    hn::StoreU(hn::Add(hn::Mul(delta, hn::LoadU(d, a + i)), hn::LoadU(d, b + i)), d, y + i);
  }
  for (; i < n; ++i) y[i] = (x[i] - mean[i]) * a[i] + b[i];
}

template <typename T>
void CombineColumns(const T* g, const T* x, const T* mean, const T* a, const T* b, const T* c,
                    T* out, std::int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto grad = hn::Mul(hn::LoadU(d, g + i), hn::LoadU(d, a + i));
    const auto delta = hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, mean + i));
    const auto sum = hn::Add(grad, hn::Mul(delta, hn::LoadU(d, b + i)));
    hn::StoreU(hn::Add(sum, hn::LoadU(d, c + i)), d, out + i);
  }
  for (; i < n; ++i) out[i] = g[i] * a[i] + (x[i] - mean[i]) * b[i] + c[i];
}

template <typename T>
NormLoops<T> LoopsOf() {
  return {Sum<T>,     Squares<T>,       Dots<T>,          Affine<T>,
          Combine<T>, ReciprocalRoots,  AddColumns<T>,    AddSquares<T>,
          AddDots<T>, AddScaledDots<T>, AffineColumns<T>, CombineColumns<T>};
}
NormLoops<float> LoopsF32() { return LoopsOf<float>(); }
NormLoops<double> LoopsF64() { return LoopsOf<double>(); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {

TAPEDECK_DISPATCH_TABLES(NormLoops, norm_loops, Loops);

}  // namespace tapedeck::kernels
#endif
