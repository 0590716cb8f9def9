#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/softmax.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <algorithm>
#include <cmath>

#include <hwy/highway.h>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/axis.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/simd_math-inl.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

// Along a gapless axis: vectors over the axis. Columns apart: a vector of columns walks the axis.

template <class D, typename T = hn::TFromD<D>>
HWY_INLINE T HorizontalSum(D d, hn::Vec<D> v) {
  return hn::GetLane(hn::SumOfLanes(d, v));
}

template <typename T>
HWY_INLINE T LargestOf(const T* x, std::int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  if (n < lanes) return hn::GetLane(hn::MaxOfLanes(d, LoadPartOr(d, x[0], x, n)));
  auto best = hn::LoadU(d, x);
  std::int64_t i = lanes;
  for (; i + lanes <= n; i += lanes) best = hn::Max(best, hn::LoadU(d, x + i));
  if (i < n) best = hn::Max(best, LoadPartOr(d, x[0], x + i, n - i));
  // A NaN may be passed over here; the sum of exponentials finds it.
  return hn::GetLane(hn::MaxOfLanes(d, best));
}

// sum(exp(x - largest)); the terms are stored too with `keep`.
template <bool keep, typename T>
HWY_INLINE T SumOfExp(const T* x, T* out, std::int64_t n, T largest) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto shift = hn::Set(d, largest);
  auto sum = hn::Zero(d);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto e = vec::Exp(d, hn::Sub(hn::LoadU(d, x + i), shift));
    if constexpr (keep) hn::StoreU(e, d, out + i);
    sum = hn::Add(sum, e);
  }
  if (i < n) {
    auto e = vec::Exp(d, hn::Sub(LoadPart(d, x + i, n - i), shift));
    if constexpr (keep) StorePart(d, e, out + i, n - i);
    e = hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(n - i)), e);
    sum = hn::Add(sum, e);
  }
  return HorizontalSum(d, sum);
}

// y[i] = f(vector of x[i]) for i < n.
template <typename T, class F>
HWY_INLINE void MapVectors(const T* x, T* y, std::int64_t n, F f) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(f(hn::LoadU(d, x + i)), d, y + i);
  if (i < n) StorePart(d, f(LoadPart(d, x + i, n - i)), y + i, n - i);
}

template <typename T>
void SoftmaxRow(const T* x, T* y, std::int64_t n) {
  const hn::ScalableTag<T> d;
  const auto scale = hn::Set(d, T{1} / SumOfExp<true>(x, y, n, LargestOf(x, n)));
  MapVectors(y, y, n, [&](auto v) HWY_ATTR { return hn::Mul(v, scale); });
}

// The logarithms of several rows' sums are taken at once: one at a time takes longer than the rest
// of a short row.
template <typename T>
void LogSoftmaxRows(const T* x, T* y, std::int64_t n, std::int64_t rows) {
  constexpr std::int64_t kRows = 64, kElements = 4096;
  const hn::ScalableTag<T> d;
  const std::int64_t together = HWY_MIN(kRows, HWY_MAX(1, kElements / n));
  HWY_ALIGN T largest[kRows], sums[kRows];
  for (std::int64_t first = 0; first < rows; first += together) {
    const std::int64_t count = HWY_MIN(together, rows - first);
    for (std::int64_t r = 0; r < count; ++r) {
      const T* const row = x + (first + r) * n;
      largest[r] = LargestOf(row, n);
      sums[r] = SumOfExp<false, T>(row, nullptr, n, largest[r]);
    }
    MapVectors(sums, sums, count, [=](auto v) HWY_ATTR { return vec::Log(d, v); });
    for (std::int64_t r = 0; r < count; ++r) {
      const auto most = hn::Set(d, largest[r]), log = hn::Set(d, sums[r]);
      MapVectors(x + (first + r) * n, y + (first + r) * n, n,
                 [=](auto v) HWY_ATTR { return hn::Sub(hn::Sub(v, most), log); });
    }
  }
}

template <bool log, typename T>
void BackwardRow(const T* g, const T* y, T* out, std::int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto sums = hn::Zero(d);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto grad = hn::LoadU(d, g + i);
    if constexpr (log)
      sums = hn::Add(sums, grad);
    else
      sums = hn::MulAdd(grad, hn::LoadU(d, y + i), sums);
  }
  if (i < n) {
    const auto grad = LoadPart(d, g + i, n - i);
    if constexpr (log)
      sums = hn::Add(sums, grad);
    else
      sums = hn::MulAdd(grad, LoadPart(d, y + i, n - i), sums);
  }
  const auto total = hn::Set(d, HorizontalSum(d, sums));
  const auto apply = [&](hn::Vec<decltype(d)> grad, hn::Vec<decltype(d)> v) HWY_ATTR {
    if constexpr (log) return hn::NegMulAdd(vec::Exp(d, v), total, grad);
    return hn::Mul(v, hn::Sub(grad, total));
  };
  for (i = 0; i + lanes <= n; i += lanes)
    hn::StoreU(apply(hn::LoadU(d, g + i), hn::LoadU(d, y + i)), d, out + i);
  if (i < n)
    StorePart(d, apply(LoadPart(d, g + i, n - i), LoadPart(d, y + i, n - i)), out + i, n - i);
}

// `count` <= Lanes(d) columns, whose elements along the axis are `step` apart.
template <bool log, class D, typename T = hn::TFromD<D>>
void ForwardColumns(D d, const T* x, T* y, std::int64_t n, std::int64_t step, std::int64_t count) {
  const bool whole = count == static_cast<std::int64_t>(hn::Lanes(d));
  const auto load = [&](const T* p)
                        HWY_ATTR { return whole ? hn::LoadU(d, p) : LoadPart(d, p, count); };
  const auto store = [&](hn::Vec<D> v, T* p) HWY_ATTR {
    if (whole)
      hn::StoreU(v, d, p);
    else
      StorePart(d, v, p, count);
  };
  auto largest = load(x);
  for (std::int64_t i = 1; i < n; ++i) largest = hn::Max(largest, load(x + i * step));
  auto sum = hn::Zero(d);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto e = vec::Exp(d, hn::Sub(load(x + i * step), largest));
    sum = hn::Add(sum, e);
    if constexpr (!log) store(e, y + i * step);
  }
  if constexpr (log) {
    const auto shift = vec::Log(d, sum);
    for (std::int64_t i = 0; i < n; ++i)
      store(hn::Sub(hn::Sub(load(x + i * step), largest), shift), y + i * step);
  } else {
    const auto scale = hn::Div(hn::Set(d, T{1}), sum);
    for (std::int64_t i = 0; i < n; ++i) store(hn::Mul(load(y + i * step), scale), y + i * step);
  }
}

template <bool log, class D, typename T = hn::TFromD<D>>
void BackwardColumns(D d, const T* g, const T* y, T* out, std::int64_t n, std::int64_t step,
                     std::int64_t count) {
  const bool whole = count == static_cast<std::int64_t>(hn::Lanes(d));
  const auto load = [&](const T* p)
                        HWY_ATTR { return whole ? hn::LoadU(d, p) : LoadPart(d, p, count); };
  auto total = hn::Zero(d);
  for (std::int64_t i = 0; i < n; ++i) {
    if constexpr (log)
      total = hn::Add(total, load(g + i * step));
    else
      total = hn::MulAdd(load(g + i * step), load(y + i * step), total);
  }
  for (std::int64_t i = 0; i < n; ++i) {
    const auto grad = load(g + i * step), v = load(y + i * step);
    hn::Vec<D> result;
    if constexpr (log)
      result = hn::NegMulAdd(vec::Exp(d, v), total, grad);
    else
      result = hn::Mul(v, hn::Sub(grad, total));
    if (whole)
      hn::StoreU(result, d, out + i * step);
    else
      StorePart(d, result, out + i * step, count);
  }
}

template <bool log, class D, typename T = hn::TFromD<D>>
void Columns(D d, const T* g, const T* y, T* out, std::int64_t n, std::int64_t step,
             std::int64_t count) {
  if (g == nullptr)
    ForwardColumns<log>(d, y, out, n, step, count);
  else
    BackwardColumns<log>(d, g, y, out, n, step, count);
}

// n rows of `count` elements.
template <class D, typename T = hn::TFromD<D>>
void MoveColumns(D d, const T* from, std::int64_t from_step, T* to, std::int64_t to_step,
                 std::int64_t n, std::int64_t count) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 0; i < n; ++i, from += from_step, to += to_step) {
    std::int64_t j = 0;
    for (; j + lanes <= count; j += lanes) hn::StoreU(hn::LoadU(d, from + j), d, to + j);
    if (j < count) StorePart(d, LoadPart(d, from + j, count - j), to + j, count - j);
  }
}

constexpr std::int64_t kGrain = 8192;

// `g` is null for the forward, which reads `y`'s place as its input.
template <bool log, typename T>
void Run(const AxisView& view, const T* g, const T* y, T* out) {
  const hn::ScalableTag<T> d;
  if (view.inner == 1) {
    const std::int64_t n = view.axis;
    parallel_for(view.outer, std::max<std::int64_t>(1, kGrain / n),
                 [=](std::int64_t begin, std::int64_t end) {
                   if (log && g == nullptr)
                     return LogSoftmaxRows(y + begin * n, out + begin * n, n, end - begin);
                   for (std::int64_t r = begin; r < end; ++r) {
                     if (g == nullptr)
                       SoftmaxRow(y + r * n, out + r * n, n);
                     else
                       BackwardRow<log>(g + r * n, y + r * n, out + r * n, n);
                   }
                 });
    return;
  }
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t n = view.axis, inner = view.inner;
  // Columns go through a buffer where the first cache does not hold all rows from one pass over the
  // axis to the next: many at a time, for runs of several lines arrive faster than single ones, and
  // the second cache is near enough. Rows that lie a multiple of a KB apart share so few sets of
  // the cache that single lines pay, too.
  constexpr std::int64_t kFirstCache = 32768, kBuffer = 4 * kFirstCache / sizeof(T),
                         kLine = 64 / sizeof(T);
  const std::int64_t step = HWY_MAX(lanes, kLine), slab = n * inner * std::int64_t{sizeof(T)};
  const std::int64_t room = g == nullptr ? kBuffer : kBuffer / 2;
  const bool crowded = inner * std::int64_t{sizeof(T)} % 1024 == 0;
  const bool buffered =
      lanes > 1 && slab > kFirstCache && inner >= step && n * step <= (crowded ? room : room / 3);
  // An odd number of lines, so that the rows of the buffer do not share sets either.
  const std::int64_t lines = HWY_MIN(room / n, inner + step - 1) / step;
  const std::int64_t width = buffered ? (lines - 1 + lines % 2) * step : lanes;
  const std::int64_t groups = (inner + width - 1) / width;
  parallel_for(view.outer * groups, std::max<std::int64_t>(1, kGrain / (n * HWY_MAX(width, kLine))),
               [=](std::int64_t begin, std::int64_t end) {
                 HWY_ALIGN T buffer[kBuffer];
                 T* const grads = buffer + kBuffer / 2;
                 T* const values = buffer;
                 for (std::int64_t job = begin; job < end; ++job) {
                   const std::int64_t first = job % groups * width;
                   const std::int64_t at = job / groups * n * inner + first;
                   const std::int64_t count = std::min(width, inner - first);
                   if (!buffered) {
                     Columns<log>(d, g == nullptr ? g : g + at, y + at, out + at, n, inner, count);
                     continue;
                   }
                   MoveColumns(d, y + at, inner, values, width, n, count);
                   if (g != nullptr) MoveColumns(d, g + at, inner, grads, width, n, count);
                   for (std::int64_t v = 0; v < count; v += lanes)
                     Columns<log>(d, g == nullptr ? g : grads + v, values + v, values + v, n, width,
                                  std::min(lanes, count - v));
                   MoveColumns(d, values, width, out + at, inner, n, count);
                 }
               });
}

// One entry for the four: `g` undefined is the forward.
void Softmax(bool log, const AxisView& view, const Array& g, const Array& y, const Array& out) {
  const auto run = [&]<typename T>(TypeTag<T>) {
    const T* const grad = g.defined() ? g.data<T>() : nullptr;
    if (log)
      Run<true, T>(view, grad, y.data<T>(), out.data<T>());
    else
      Run<false, T>(view, grad, y.data<T>(), out.data<T>());
  };
  dispatch_floating(y.dtype(), log ? "log_softmax" : "softmax", run);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {
namespace {

HWY_EXPORT(Softmax);

Array run(bool log, const Array& g, const Array& y, std::int64_t dim) {
  const AxisView view(y.sizes(), dim, log ? "log_softmax" : "softmax");
  Array out = Array::empty(y.sizes(), y.dtype());
  const Array grad = g.defined() ? contiguous(g) : g;
  if (out.numel() > 0) HWY_DYNAMIC_DISPATCH(Softmax)(log, view, grad, contiguous(y), out);
  return out;
}

void check_gradient(const char* name, const Array& g, const Array& y) {
  TAPEDECK_CHECK(g.sizes() == y.sizes() && g.dtype() == y.dtype(), name,
                 ": the gradient and the output differ: ", g.dtype(), g.sizes().ref(), " and ",
                 y.dtype(), y.sizes().ref());
}

}  // namespace

Array softmax(const Array& x, std::int64_t dim) { return run(false, {}, x, dim); }
Array log_softmax(const Array& x, std::int64_t dim) { return run(true, {}, x, dim); }
Array softmax_backward(const Array& g, const Array& y, std::int64_t dim) {
  check_gradient("softmax_backward", g, y);
  return run(false, g, y, dim);
}
Array log_softmax_backward(const Array& g, const Array& y, std::int64_t dim) {
  check_gradient("log_softmax_backward", g, y);
  return run(true, g, y, dim);
}

}  // namespace tapedeck::kernels
#endif
