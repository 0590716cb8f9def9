#pragma once

#include <cstdint>

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

/// The sum of (a - b)^2, or their mean: a scalar. The two agree in shape and floating dtype.
Array squared_error(const Array& a, const Array& b, bool mean);

/// Class labels of the positions [N, S] of scores [N, C, S].
struct ClassLabels {
  Array target;  ///< int64 [N, S], contiguous
  Array weight;  ///< of each class, [C], contiguous, the scores' dtype; may be undefined
  std::int64_t ignore_index;  ///< positions of this label do not count
  double smoothing = 0;       ///< this much of each label is spread over all classes
};

/// \throws IndexError that names `op` and the label, unless each is in [0, C) or the ignored one.
void check_labels(const char* op, const ClassLabels& labels, std::int64_t C, IntArrayRef input,
                  IntArrayRef target);
/// factor weight[target], and 0 where ignored: [N, S].
Array label_weights(const ClassLabels& labels, ScalarType dtype, double factor = 1);
/// The sum of the elements of what label_weights() gives.
double total_of(const Array& weights);

/// y[n, s] = row_weight[n, s] x[n, target[n, s], s] of x [N, C, S]; rows of weight 0 have 0.
Array pick(const Array& x, const Array& target, const Array& row_weight);
/// Its adjoint: zeros [N, C, S] with row_weight g at the targets.
Array unpick(const Array& g, const Array& target, const Array& row_weight, std::int64_t C);

/// -log softmax(x)[target] of x [N, C, S], contiguous, weighted and smoothed: [N, S]. `lse`
/// receives log(sum(exp(x))) over the classes.
Array cross_entropy(const Array& x, const ClassLabels& labels, Array& lse);
/// The gradient of sum(g losses) where g [N, S].
Array cross_entropy_grad(const Array& g, const Array& x, const Array& lse,
                         const ClassLabels& labels);
/// The label distributions that cross_entropy compares with, times their weights: [N, C, S]; their
/// sums over the classes go to `total`, [N, 1, S].
Array label_distribution(const ClassLabels& labels, std::int64_t C, ScalarType dtype, Array& total);

}  // namespace tapedeck::kernels
