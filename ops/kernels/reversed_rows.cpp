#include <tapedeck/ops/kernels/reversed_rows.h>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/reversed_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <typename Word>
HWY_INLINE void ReverseRows(const Word* from, Word* to, std::int64_t n, std::int64_t rows) {
  const hn::ScalableTag<Word> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
#if HWY_TARGET != HWY_SCALAR
  if (n == 2 && lanes > 2) {  // pairs, a vector of them at a time
    const std::int64_t together = lanes / 2;
    for (; rows >= together; rows -= together, from += lanes, to += lanes)
      hn::StoreU(hn::Reverse2(d, hn::LoadU(d, from)), d, to);
  }
#endif
  for (; rows > 0; --rows, from += n, to += n) {
    if (n < lanes) {
      for (std::int64_t i = 0; i < n; ++i) to[i] = from[n - 1 - i];
      continue;
    }
    const auto move = [=](std::int64_t i) HWY_ATTR {
      hn::StoreU(hn::Reverse(d, hn::LoadU(d, from + n - lanes - i)), d, to + i);
    };
    std::int64_t i = 0;
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
      move(i);
      move(i + lanes);
    }
    if (i + lanes <= n) move(i);
    move(n - lanes);  // mostly over some of what is there already
  }
}

void ReverseRows32(const std::uint32_t* from, std::uint32_t* to, std::int64_t n,
                   std::int64_t rows) {
  ReverseRows(from, to, n, rows);
}
void ReverseRows64(const std::uint64_t* from, std::uint64_t* to, std::int64_t n,
                   std::int64_t rows) {
  ReverseRows(from, to, n, rows);
}

}  // namespace
}  // namespace tapedeck::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace tapedeck::kernels {

HWY_EXPORT(ReverseRows32);
HWY_EXPORT(ReverseRows64);

template <>
void reverse_rows(const std::uint32_t* from, std::uint32_t* to, std::int64_t n, std::int64_t rows) {
  HWY_DYNAMIC_DISPATCH(ReverseRows32)(from, to, n, rows);
}
template <>
void reverse_rows(const std::uint64_t* from, std::uint64_t* to, std::int64_t n, std::int64_t rows) {
  HWY_DYNAMIC_DISPATCH(ReverseRows64)(from, to, n, rows);
}

}  // namespace tapedeck::kernels

#endif
