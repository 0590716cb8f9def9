// Transposition of small matrices in registers: included by kernels after hwy/foreach_target.h and
// compiled once per instruction set.

#if defined(TAPEDECK_TRANSPOSE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TAPEDECK_TRANSPOSE_INL_H
#undef TAPEDECK_TRANSPOSE_INL_H
#else
#define TAPEDECK_TRANSPOSE_INL_H
#endif

#include <cstdint>
#include <cstring>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

template <bool kOverrun, typename T>
void Transpose(const T* from, std::int64_t from_step, std::int64_t rows, std::int64_t columns,
               const T* add, T* to, std::int64_t to_step) {
  for (std::int64_t c = 0; c < columns; ++c)
    for (std::int64_t r = 0; r < rows; ++r)
      to[c * to_step + r] = from[r * from_step + c] + (add ? add[c] : T{0});
}

#else

// A vector whose blocks of 16 bytes come from rows a multiple of `step` apart.
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> LoadBlocks(D d, const T* from, std::int64_t step) {
  if constexpr (hn::MaxLanes(d) * sizeof(T) <= 16) {
    return hn::LoadU(d, from);
  } else {
    const hn::Half<D> half;
    constexpr std::int64_t kBlocks = hn::MaxLanes(d) * sizeof(T) / 32;
    return hn::Combine(d, LoadBlocks(half, from + kBlocks * step, step),
                       LoadBlocks(half, from, step));
  }
}

// The transposition within every block of 16 bytes: r[i] has element i of each of r[0], r[1], ...
template <class D>
HWY_INLINE void TransposeBlocks(D d, hn::Vec<D>* r) {
  if constexpr (sizeof(hn::TFromD<D>) == 8) {
    const auto low = hn::InterleaveLower(d, r[0], r[1]);
    r[1] = hn::InterleaveUpper(d, r[0], r[1]);
    r[0] = low;
  } else {
    const hn::Repartition<double, D> d64;
    const auto a = hn::BitCast(d64, hn::InterleaveLower(d, r[0], r[1]));
    const auto b = hn::BitCast(d64, hn::InterleaveUpper(d, r[0], r[1]));
    const auto e = hn::BitCast(d64, hn::InterleaveLower(d, r[2], r[3]));
    const auto f = hn::BitCast(d64, hn::InterleaveUpper(d, r[2], r[3]));
    r[0] = hn::BitCast(d, hn::InterleaveLower(d64, a, e));
    r[1] = hn::BitCast(d, hn::InterleaveUpper(d64, a, e));
    r[2] = hn::BitCast(d, hn::InterleaveLower(d64, b, f));
    r[3] = hn::BitCast(d, hn::InterleaveUpper(d64, b, f));
  }
}

// Where kOverrun is set, rows and columns may be read up to a multiple of the vector's size.
template <bool kOverrun, typename T>
void Transpose(const T* from, std::int64_t from_step, std::int64_t rows, std::int64_t columns,
               const T* add, T* to, std::int64_t to_step) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = hn::MaxLanes(d);
  constexpr std::int64_t kSide = 16 / sizeof(T);  // elements of a block
  for (std::int64_t r = 0; r < rows; r += kLanes) {
    const std::int64_t height = HWY_MIN(kLanes, rows - r);
    const auto mask = hn::FirstN(d, static_cast<std::size_t>(height));
    for (std::int64_t c = 0; c < columns; c += kSide) {
      const std::int64_t width = HWY_MIN(kSide, columns - c);
      const T* corner = from + r * from_step + c;
      std::int64_t step = from_step;
      HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(T) * kSide];
      if (!kOverrun && (height < kLanes || width < kSide)) {
        for (std::int64_t i = 0; i < height; ++i)
          for (std::int64_t j = 0; j < width; ++j)
            buffer[i * kSide + j] = corner[i * from_step + j];
        corner = buffer;
        step = kSide;
      }
      hn::Vec<decltype(d)> v[kSide];
      HWY_UNROLL(4)
      for (std::int64_t i = 0; i < kSide; ++i)
        v[i] = LoadBlocks(d, corner + i * step, kSide * step);
      TransposeBlocks(d, v);
      T* const out = to + c * to_step + r;
      if (height == kLanes && width == kSide) {
        HWY_UNROLL(4)
        for (std::int64_t i = 0; i < kSide; ++i)
          hn::StoreU(add ? hn::Add(v[i], hn::Set(d, add[c + i])) : v[i], d, out + i * to_step);
      } else {
        HWY_UNROLL(4)
        for (std::int64_t i = 0; i < kSide; ++i)
          if (i < width)
            hn::BlendedStore(add ? hn::Add(v[i], hn::Set(d, add[c + i])) : v[i], mask, d,
                             out + i * to_step);
      }
    }
  }
}

#endif

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#endif
