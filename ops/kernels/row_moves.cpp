#include <tapedeck/ops/kernels/row_moves.h>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/row_moves.cpp"
#include <hwy/foreach_target.h>
#include <cstring>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/simd_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels::detail::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// The flags of one vector of words, as words.
template <class D>
HWY_INLINE hn::Vec<D> LoadFlags(D d, const std::uint8_t* flags) {
  using Word = hn::TFromD<D>;
  const hn::Rebind<std::uint8_t, D> bytes;
  if constexpr (sizeof(Word) == 1)
    return hn::LoadU(d, flags);
  else if constexpr (sizeof(Word) == 4)
    return hn::PromoteTo(d, hn::LoadU(bytes, flags));
  else
    return hn::PromoteTo(d, hn::PromoteTo(hn::Rebind<std::uint32_t, D>(), hn::LoadU(bytes, flags)));
}

template <typename Word>
void FillWhere(Word* data, const std::uint8_t* flags, Word value, std::int64_t n) {
  const hn::ScalableTag<Word> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto fill = hn::Set(d, value);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto keep = hn::Eq(LoadFlags(d, flags + i), hn::Zero(d));
    hn::StoreU(hn::IfThenElse(keep, hn::LoadU(d, data + i), fill), d, data + i);
  }
  for (; i < n; ++i)
    if (flags[i]) data[i] = value;
}

// By whole vectors: what one writes too much, the next element writes over.
template <typename Word>
void SpreadWords(char* to_row, const char* from, std::int64_t stride, std::int64_t count,
                 std::int64_t n) {
  const hn::ScalableTag<Word> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto* to = reinterpret_cast<Word*>(to_row);
  for (std::int64_t k = 0; k < count; ++k, from += stride, to += n) {
    Word word;
    std::memcpy(&word, from, sizeof word);
    const auto v = hn::Set(d, word);
    for (std::int64_t i = 0; i < n; i += lanes) hn::StoreU(v, d, to + i);
  }
}

template <typename Word>
HWY_INLINE void CopyEverySecondWord(Word* to, const Word* from, std::int64_t n) {
  std::int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<Word> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto evens = [=](std::int64_t at) HWY_ATTR {
    return hn::ConcatEven(d, hn::LoadU(d, from + 2 * at + lanes), hn::LoadU(d, from + 2 * at));
  };
  for (; i + 4 * lanes < n; i += 4 * lanes) {
    const auto v0 = evens(i), v1 = evens(i + lanes), v2 = evens(i + 2 * lanes),
               v3 = evens(i + 3 * lanes);
    hn::StoreU(v0, d, to + i);
    hn::StoreU(v1, d, to + i + lanes);
    hn::StoreU(v2, d, to + i + 2 * lanes);
    hn::StoreU(v3, d, to + i + 3 * lanes);
  }
  for (; i + lanes < n; i += lanes) hn::StoreU(evens(i), d, to + i);
  if (i > 0) {
    // Over what is there already, and from one element before: behind the last there may be none.
    const Word* const last = from + 2 * (n - lanes) - 1;
    const auto low = hn::LoadU(d, last), high = hn::LoadU(d, last + lanes);
    hn::StoreU(hn::ConcatOdd(d, high, low), d, to + n - lanes);
    return;
  }
#endif
  for (; i < n; ++i) to[i] = from[2 * i];
}

}  // namespace

void SpreadColumn(char* to, const char* from, std::int64_t stride, std::int64_t size,
                  std::int64_t count, std::int64_t n) {
  if (size == 4)
    SpreadWords<std::uint32_t>(to, from, stride, count, n);
  else
    SpreadWords<std::uint64_t>(to, from, stride, count, n);
}

void CopyEverySecond(char* to, std::int64_t to_next, const char* from, std::int64_t from_next,
                     std::int64_t size, std::int64_t n, std::int64_t rows) {
  const auto copy = [&]<typename Word>(Word) HWY_ATTR {
    for (; rows > 0; --rows, to += to_next, from += from_next)
      CopyEverySecondWord(reinterpret_cast<Word*>(to), reinterpret_cast<const Word*>(from), n);
  };
  if (size == 4)
    copy(std::uint32_t{});
  else
    copy(std::uint64_t{});
}

HWY_INLINE void CopyRun(char* to_row, const char* from_row, std::int64_t bytes) {
  const hn::ScalableTag<std::uint8_t> d;
  const auto size = static_cast<std::int64_t>(hn::Lanes(d));
  auto* const to = reinterpret_cast<std::uint8_t*>(to_row);
  const auto* const from = reinterpret_cast<const std::uint8_t*>(from_row);
  if (bytes < size) {
    std::memcpy(to, from, static_cast<std::size_t>(bytes));
    return;
  }
  std::int64_t i = 0;
  for (; i + 4 * size <= bytes; i += 4 * size) {
    const auto v0 = hn::LoadU(d, from + i), v1 = hn::LoadU(d, from + i + size);
    const auto v2 = hn::LoadU(d, from + i + 2 * size), v3 = hn::LoadU(d, from + i + 3 * size);
    hn::StoreU(v0, d, to + i);
    hn::StoreU(v1, d, to + i + size);
    hn::StoreU(v2, d, to + i + 2 * size);
    hn::StoreU(v3, d, to + i + 3 * size);
  }
  for (; i + size <= bytes; i += size) hn::StoreU(hn::LoadU(d, from + i), d, to + i);
  if (i < bytes) hn::StoreU(hn::LoadU(d, from + bytes - size), d, to + bytes - size);
}

void CopyBytes(char* to, const char* from, std::int64_t bytes) { CopyRun(to, from, bytes); }

void CopyRows(char* to, std::int64_t to_next, const char* from, std::int64_t from_next,
              std::int64_t bytes, std::int64_t rows) {
  for (; rows > 0; --rows, to += to_next, from += from_next) CopyRun(to, from, bytes);
}

void StreamBytes(char* to_row, const char* from_row, std::int64_t bytes) {
  const hn::ScalableTag<std::uint8_t> d;
  const auto size = static_cast<std::int64_t>(hn::Lanes(d));
  auto* const to = reinterpret_cast<std::uint8_t*>(to_row);
  const auto* const from = reinterpret_cast<const std::uint8_t*>(from_row);
  std::int64_t i = 0;
  if (reinterpret_cast<std::uintptr_t>(to) % static_cast<std::uintptr_t>(size) == 0)
    for (; i + size <= bytes; i += size) hn::Stream(hn::LoadU(d, from + i), d, to + i);
  CopyRun(to_row + i, from_row + i, bytes - i);
}

HWY_INLINE void FillRun(void* data, std::uint64_t pattern, std::int64_t bytes) {
  const hn::ScalableTag<std::uint64_t> d;
  const auto words = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t size = words * 8;
  const auto v = hn::Set(d, pattern);
  auto* const to = static_cast<std::uint8_t*>(data);
  const auto put = [&](std::int64_t at)
                       HWY_ATTR { hn::StoreU(v, d, reinterpret_cast<std::uint64_t*>(to + at)); };
  if (bytes < size) {
    // By powers of two, of which the last ones may overlap.
    const auto put_part = [&](const auto part) HWY_ATTR {
      const auto all = static_cast<std::int64_t>(sizeof(part));
      if (bytes < all) return false;
      std::memcpy(to, &part, sizeof(part));
      std::memcpy(to + bytes - all, &part, sizeof(part));
      return true;
    };
    struct Four {
      std::uint64_t words[4];
    };
    struct Two {
      std::uint64_t words[2];
    };
    if (put_part(Four{{pattern, pattern, pattern, pattern}}) || put_part(Two{{pattern, pattern}}) ||
        put_part(pattern) || put_part(static_cast<std::uint32_t>(pattern)))
      return;
    for (std::int64_t i = 0; i < bytes; ++i) to[i] = static_cast<std::uint8_t>(pattern);
    return;
  }
  std::int64_t i = 0;
  for (; i + 4 * size <= bytes; i += 4 * size) {
    put(i);
    put(i + size);
    put(i + 2 * size);
    put(i + 3 * size);
  }
  for (; i + size <= bytes; i += size) put(i);
  // Over what is there already: vectors and runs have whole elements.
  if (i < bytes) put(bytes - size);
}

void FillBytes(void* data, std::uint64_t pattern, std::int64_t bytes) {
  FillRun(data, pattern, bytes);
}

bool AllUpTo(const std::int64_t* from, std::int64_t n, std::int64_t last) {
  const hn::ScalableTag<std::int64_t> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto most = hn::Set(d, last);
  auto signs0 = hn::Zero(d), signs1 = signs0;
  std::int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    const auto v0 = hn::LoadU(d, from + i), v1 = hn::LoadU(d, from + i + lanes);
    signs0 = hn::Or(signs0, hn::Or(v0, hn::Sub(most, v0)));
    signs1 = hn::Or(signs1, hn::Or(v1, hn::Sub(most, v1)));
  }
  std::int64_t signs = 0;
  for (; i < n; ++i)
    signs |= from[i] | static_cast<std::int64_t>(static_cast<std::uint64_t>(last) -
                                                 static_cast<std::uint64_t>(from[i]));
  return signs >= 0 && hn::AllFalse(d, hn::Lt(hn::Or(signs0, signs1), hn::Zero(d)));
}

void FillRows(void* data, std::uint64_t pattern, std::int64_t bytes, std::int64_t rows,
              std::int64_t stride) {
  auto* to = static_cast<std::uint8_t*>(data);
  for (std::int64_t r = 0; r < rows; ++r, to += stride) FillRun(to, pattern, bytes);
}

void AddRowF32(float* to, const float* from, std::int64_t n) {
  kernels::HWY_NAMESPACE::AddRow(from, n, to);
}
void AddRowF64(double* to, const double* from, std::int64_t n) {
  kernels::HWY_NAMESPACE::AddRow(from, n, to);
}
void FillWhere8(std::uint8_t* data, const std::uint8_t* flags, std::uint8_t value, std::int64_t n) {
  FillWhere(data, flags, value, n);
}
void FillWhere32(std::uint32_t* data, const std::uint8_t* flags, std::uint32_t value,
                 std::int64_t n) {
  FillWhere(data, flags, value, n);
}
void FillWhere64(std::uint64_t* data, const std::uint8_t* flags, std::uint64_t value,
                 std::int64_t n) {
  FillWhere(data, flags, value, n);
}

}  // namespace tapedeck::kernels::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels::detail {

HWY_EXPORT(AddRowF32);
HWY_EXPORT(AddRowF64);
HWY_EXPORT(CopyBytes);
HWY_EXPORT(CopyEverySecond);
HWY_EXPORT(CopyRows);
HWY_EXPORT(StreamBytes);
HWY_EXPORT(FillBytes);
HWY_EXPORT(FillRows);
HWY_EXPORT(AllUpTo);
HWY_EXPORT(SpreadColumn);
HWY_EXPORT(FillWhere8);
HWY_EXPORT(FillWhere32);
HWY_EXPORT(FillWhere64);

void add_row(float* to, const float* from, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(AddRowF32)(to, from, n);
}
void add_row(double* to, const double* from, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(AddRowF64)(to, from, n);
}
void copy_bytes(char* to, const char* from, std::int64_t bytes) {
  HWY_DYNAMIC_DISPATCH(CopyBytes)(to, from, bytes);
}
void copy_every_second(char* to, std::int64_t to_next, const char* from, std::int64_t from_next,
                       std::int64_t size, std::int64_t n, std::int64_t rows) {
  HWY_DYNAMIC_DISPATCH(CopyEverySecond)(to, to_next, from, from_next, size, n, rows);
}
void copy_rows(char* to, std::int64_t to_next, const char* from, std::int64_t from_next,
               std::int64_t bytes, std::int64_t rows) {
  HWY_DYNAMIC_DISPATCH(CopyRows)(to, to_next, from, from_next, bytes, rows);
}
void stream_bytes(char* to, const char* from, std::int64_t bytes) {
  HWY_DYNAMIC_DISPATCH(StreamBytes)(to, from, bytes);
}
void end_stream() { hwy::FlushStream(); }
void fill_bytes(void* data, std::uint64_t pattern, std::int64_t bytes) {
  HWY_DYNAMIC_DISPATCH(FillBytes)(data, pattern, bytes);
}
void fill_rows(void* data, std::uint64_t pattern, std::int64_t bytes, std::int64_t rows,
               std::int64_t stride) {
  HWY_DYNAMIC_DISPATCH(FillRows)(data, pattern, bytes, rows, stride);
}
bool all_up_to(const std::int64_t* from, std::int64_t n, std::int64_t last) {
  return HWY_DYNAMIC_DISPATCH(AllUpTo)(from, n, last);
}
void spread_column(char* to, const char* from, std::int64_t stride, std::int64_t size,
                   std::int64_t count, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(SpreadColumn)(to, from, stride, size, count, n);
}
void fill_where(std::uint8_t* data, const std::uint8_t* flags, std::uint8_t value, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(FillWhere8)(data, flags, value, n);
}
void fill_where(std::uint32_t* data, const std::uint8_t* flags, std::uint32_t value,
                std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(FillWhere32)(data, flags, value, n);
}
void fill_where(std::uint64_t* data, const std::uint8_t* flags, std::uint64_t value,
                std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(FillWhere64)(data, flags, value, n);
}

}  // namespace tapedeck::kernels::detail
#endif
