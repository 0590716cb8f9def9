#pragma once

#include <cstdint>

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

/// What multi_margin_loss compares: of each row of scores [N, C] its label's with all others.
struct MultiMargin {
  Array target;   ///< int64 [N], contiguous, each in [0, C)
  Array weights;  ///< of the rows, [N], contiguous, the scores' dtype
  double margin = 1;
  bool square = false;
};
/// weight[n] / C times the sum of max(0, margin - x[n, target] + x[n, c]), or of the squares, over
/// the other classes c: [N]. `x` is contiguous.
Array multi_margin(const Array& x, const MultiMargin& loss);
/// The gradient of sum(g losses) where g [N], contiguous.
Array multi_margin_grad(const Array& g, const Array& x, const MultiMargin& loss);

/// The sum of max(0, 1 - x[n, label] + x[n, c]) over the labels and the other classes c, over C:
/// [N]. `is_label` is uint8 [N, C]; both are contiguous.
Array multilabel_margin(const Array& x, const Array& is_label);
Array multilabel_margin_grad(const Array& g, const Array& x, const Array& is_label);

}  // namespace tapedeck::kernels
