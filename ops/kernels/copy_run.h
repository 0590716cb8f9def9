#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>

#include <tapedeck/ops/kernels/move_bytes.h>
#include <tapedeck/ops/kernels/row_moves.h>
#include <tapedeck/ops/kernels/words.h>

namespace tapedeck::kernels {

template <typename T>
T load(const char* p) {
  T value;
  std::memcpy(&value, p, sizeof(T));
  return value;
}
template <typename T>
void store(char* p, T value) {
  std::memcpy(p, &value, sizeof(T));
}

/// The 8 bytes of which `value` is every element.
template <typename T>
std::uint64_t pattern_of(T value) {
  T words[8 / sizeof(T)];
  std::fill(std::begin(words), std::end(words), value);
  std::uint64_t pattern;
  std::memcpy(&pattern, words, sizeof pattern);
  return pattern;
}

/// Repeats a pattern of 8 bytes, in which the elements are the same: fill_bytes() without a call
/// where the run is short.
inline void fill_run(char* to, std::uint64_t pattern, std::int64_t bytes) {
  constexpr std::int64_t kWord = 8, kCallPays = 128;
  if (bytes < kWord || bytes > kCallPays) return detail::fill_bytes(to, pattern, bytes);
  for (std::int64_t i = 0; i + kWord <= bytes; i += kWord) store(to + i, pattern);
  store(to + bytes - kWord, pattern);  // over what is there already: runs have whole elements
}

/// Copies n elements between strided rows, few enough for a loop without preparations; strides are
/// in bytes.
template <typename T>
void copy_few(char* dst, std::int64_t dst_stride, const char* src, std::int64_t src_stride,
              std::int64_t n) {
  constexpr std::int64_t kSize = sizeof(T);
  std::int64_t i = 0;
  // Four elements at a time: a load after each store may have to wait for it.
  for (; i + 4 <= n; i += 4) {
    const char* const from = src + i * src_stride;
    const T four[] = {load<T>(from), load<T>(from + src_stride), load<T>(from + 2 * src_stride),
                      load<T>(from + 3 * src_stride)};
    if (dst_stride == kSize)
      std::memcpy(dst + i * kSize, four, sizeof four);
    else
      for (std::int64_t k = 0; k < 4; ++k) store(dst + (i + k) * dst_stride, four[k]);
  }
  for (; i < n; ++i) store(dst + i * dst_stride, load<T>(src + i * src_stride));
}

/// The same for rows of any length; src's stride may be 0.
template <typename T>
void copy_run(char* dst, std::int64_t dst_stride, const char* src, std::int64_t src_stride,
              std::int64_t n) {
  constexpr std::int64_t kSize = sizeof(T);
  if (dst_stride == kSize && src_stride == kSize) {
    move_bytes(dst, src, n * kSize);
  } else if (dst_stride == kSize && src_stride == 0) {
    fill_run(dst, pattern_of(load<T>(src)), n * kSize);
  } else if (dst_stride == kSize && src_stride == 2 * kSize) {
    constexpr std::int64_t kWorthACall = 64;
    if (kSize >= 4 && n >= kWorthACall)
      return detail::copy_every_second(dst, 0, src, 0, kSize, n, 1);
    // A stride that the compiler knows becomes shuffles of vectors, and what does not overlap needs
    // no check before them.
    char* const __restrict to = dst;
    const char* const __restrict from = src;
    for (std::int64_t i = 0; i < n; ++i) store(to + i * kSize, load<T>(from + i * 2 * kSize));
  } else if (src_stride == 0) {
    const T value = load<T>(src);
    std::int64_t i = 0;
    // Four at a time: a loop of single stores is as fast as the place where the linker puts it.
    for (; i + 4 <= n; i += 4)
      for (std::int64_t k = 0; k < 4; ++k) store(dst + (i + k) * dst_stride, value);
    for (; i < n; ++i) store(dst + i * dst_stride, value);
  } else {
    copy_few<T>(dst, dst_stride, src, src_stride, n);
  }
}

}  // namespace tapedeck::kernels
