#pragma once

#include <algorithm>
#include <cstdint>

namespace tapedeck::kernels {

/// Asks for the cache lines of a part of some planes before a loop reads or writes them in an order
/// that would not keep the memory busy: a transposition touches few lines at a time, and strips of
/// columns skip from row to row.
template <bool kToWrite, typename T>
void request_lines(const T* from, std::int64_t plane_step, std::int64_t planes,
                   std::int64_t elements) {
  constexpr std::int64_t kLine = 64 / sizeof(T);
  for (std::int64_t i = 0; i < planes; ++i)
    for (std::int64_t j = 0; j < elements; j += kLine)
      __builtin_prefetch(from + i * plane_step + j, kToWrite, 2);
}

/// The same of planes of several images, a part of the lines at a time: so many at once that memory
/// is busy all the time, and not so many that the core waits for it.
template <bool kToWrite, typename T>
class LineRequests {
 public:
  LineRequests() = default;
  LineRequests(const T* from, std::int64_t image_step, std::int64_t images, std::int64_t plane_step,
               std::int64_t planes, std::int64_t elements)
      : from_(from),
        image_step_(image_step),
        images_(images),
        plane_step_(plane_step),
        planes_(planes),
        lines_((elements + kLine - 1) / kLine) {}

  /// Asks for the next one of `parts` equal parts of all lines, if there are any left.
  void request(std::int64_t parts) {
    std::int64_t left = (images_ * planes_ * lines_ + parts - 1) / parts;
    while (left > 0 && image_ < images_) {
      const T* const at = from_ + image_ * image_step_ + plane_ * plane_step_;
      const std::int64_t end = std::min(lines_, line_ + left);
      left -= end - line_;
      for (; line_ < end; ++line_) __builtin_prefetch(at + line_ * kLine, kToWrite, 2);
      if (line_ < lines_) return;
      line_ = 0;
      if (++plane_ < planes_) continue;
      plane_ = 0;
      ++image_;
    }
  }

 private:
  static constexpr std::int64_t kLine = 64 / sizeof(T);
  const T* from_ = nullptr;
  std::int64_t image_step_ = 0, images_ = 0, plane_step_ = 0, planes_ = 0, lines_ = 0;
  std::int64_t image_ = 0, plane_ = 0, line_ = 0;
};

/// Whether that pays for a tensor of that size: what the L2 cache holds needs no asking.
template <typename T>
bool is_beyond_cache(std::int64_t elements) {
  constexpr std::int64_t kCacheBytes = 1 << 20;
  return elements * static_cast<std::int64_t>(sizeof(T)) > kCacheBytes;
}

}  // namespace tapedeck::kernels
