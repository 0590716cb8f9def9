#pragma once

#include <cstdint>

namespace tapedeck::kernels {

/// Loops over `rows` rows of C scores each, gapless: see margin_loss.h for what they compute.
template <typename T>
struct MarginRows {
  /// `weight`, of each row, has been divided by C.
  void (*one_label)(const T* x, const std::int64_t* target, const T* weight, T margin, bool square,
                    std::int64_t rows, std::int64_t C, T* losses);
  void (*one_label_grad)(const T* x, const std::int64_t* target, const T* weight, T margin,
                         bool square, std::int64_t rows, std::int64_t C, T* grad);
  /// `others` has room for one row.
  void (*labels)(const T* x, const std::uint8_t* is_label, T scale, std::int64_t rows,
                 std::int64_t C, T* others, T* losses);
  /// `weight` of each row.
  void (*labels_grad)(const T* x, const std::uint8_t* is_label, const T* weight, std::int64_t rows,
                      std::int64_t C, T* others, T* grad);
};
template <typename T>
const MarginRows<T>& margin_rows();

}  // namespace tapedeck::kernels
