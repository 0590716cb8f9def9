#include <tapedeck/ops/embedding.h>

#include <cmath>
#include <vector>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/index.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/reduction.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck {

namespace {

// The indices as int64, row-major, each in [0, rows).
Array checked_indices(const char* op, const Variable& weight, const Variable& indices) {
  TAPEDECK_CHECK(weight.dim() == 2, op, ": expected a weight of 2 dimensions, got ",
                 weight.sizes());
  TAPEDECK_CHECK_AS(TypeError, indices.dtype() == kInt64 || indices.dtype() == kInt32, op,
                    ": expected integer indices, got dtype ", indices.dtype());
  const Array list = kernels::cast(indices.contiguous().array(), kInt64).view(indices.numel());
  const std::int64_t count = list.numel(), rows = weight.size(0);
  const std::int64_t* const at = list.data<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t index = at[i];
    TAPEDECK_CHECK_AS(IndexError, index >= 0 && index < rows, op, ": index ", index,
                      " is out of range for ", rows, " rows (weight ", weight.sizes(), ", indices ",
                      indices.sizes(), ")");
  }
  return list;
}

// What the gradient of each lookup is multiplied by: 0 for padding, 1 / frequency if asked for.
// Undefined where all are 1.
Array gradient_scale(const Array& list, std::int64_t rows, std::int64_t padding_idx, bool by_freq,
                     ScalarType dtype) {
  if (padding_idx < 0 && !by_freq) return Array();
  std::vector<double> count(static_cast<std::size_t>(rows));
  const std::int64_t* const index = list.data<std::int64_t>();
  for (std::int64_t i = 0; i < list.numel(); ++i) ++count[static_cast<std::size_t>(index[i])];
  const Array scale = Array::empty({list.numel(), 1}, kFloat64);
  for (std::int64_t i = 0; i < list.numel(); ++i)
    scale.data<double>()[i] = index[i] == padding_idx ? 0
                              : by_freq ? 1 / count[static_cast<std::size_t>(index[i])]
                                        : 1;
  return kernels::cast(scale, dtype);
}

// y[i] = weight[index[i]];  dweight = zeros with scale g added at index
Variable lookup(const Variable& weight, const Array& list, const Array& scale) {
  Variable y;
  {
    const NoGradGuard no_grad;
    y = index_select(weight, 0, Variable(list));
  }
  if (should_record(weight))
    record(y, "EmbeddingBackward0", edges(weight),
           [list, scale, rows = weight.size(0), columns = weight.size(1)](const Variable& g) {
             const Variable grad = scale.defined() ? g * Variable(scale) : g;
             // In place: without a copy of the zeros where nothing is recorded.
             return zeros({rows, columns}, g.options()).index_add_(0, Variable(list), grad);
           });
  return y;
}

}  // namespace

Variable embedding(const Variable& weight, const Variable& indices, std::int64_t padding_idx,
                   bool scale_grad_by_freq, bool sparse) {
  TAPEDECK_CHECK_DEFINED("embedding", weight, indices);
  const detail::OpScope scope("embedding");
  TAPEDECK_CHECK_AS(NotImplementedError, !sparse, "embedding: there are no sparse gradients");
  const Array list = checked_indices("embedding", weight, indices);
  const Array scale =
      gradient_scale(list, weight.size(0), padding_idx, scale_grad_by_freq, weight.dtype());
  DimVector sizes(indices.sizes());
  sizes.push_back(weight.size(1));
  return lookup(weight, list, scale).view(sizes);
}

Variable& embedding_renorm_(Variable& self, const Variable& indices, double max_norm,
                            double norm_type) {
  TAPEDECK_CHECK_DEFINED("embedding_renorm_", self, indices);
  const Array list = checked_indices("embedding_renorm_", self, indices);
  const NoGradGuard no_grad;
  for (std::int64_t i = 0; i < list.numel(); ++i) {
    const Variable row = self.select(0, list.data<std::int64_t>()[i]);
    const double norm = row.norm(Scalar(norm_type)).item<double>();
    if (norm > max_norm) row.mul_(max_norm / (norm + 1e-7));
  }
  return self;
}

namespace {

struct Bags {
  std::int64_t count;
  Array bag_of;  // of each index
  Array sizes;   // without padding
};

Bags bags_of(const Array& list, const Variable& offsets, bool include_last_offset,
             std::int64_t padding_idx) {
  TAPEDECK_CHECK(offsets.dim() == 1, "embedding_bag: expected offsets of 1 dimension, got ",
                 offsets.sizes());
  const Array starts = kernels::cast(offsets.contiguous().array(), kInt64);
  const std::int64_t* const start = starts.data<std::int64_t>();
  Bags bags;
  bags.count = starts.numel() - (include_last_offset ? 1 : 0);
  TAPEDECK_CHECK(bags.count >= 0,
                 "embedding_bag: include_last_offset: expected at least one offset");
  bags.bag_of = kernels::full(list.numel(), 0, kInt64);
  bags.sizes = kernels::full(bags.count, 0, kInt64);
  for (std::int64_t b = 0; b < bags.count; ++b) {
    const std::int64_t end = b + 1 < starts.numel() ? start[b + 1] : list.numel();
    TAPEDECK_CHECK((b > 0 || start[b] == 0) && start[b] <= end && end <= list.numel(),
                   "embedding_bag: expected offsets that rise from 0 to at most ", list.numel(),
                   ", got ", start[b], " before ", end);
    for (std::int64_t i = start[b]; i < end; ++i) {
      bags.bag_of.data<std::int64_t>()[i] = b;
      if (list.data<std::int64_t>()[i] != padding_idx) ++bags.sizes.data<std::int64_t>()[b];
    }
  }
  return bags;
}

// The position in `list` of the largest element of each bag and column; -1 for empty bags.
Array largest_positions(const Variable& rows, const Array& list, const Bags& bags,
                        std::int64_t padding_idx) {
  const std::int64_t D = rows.size(1);
  const Array best = kernels::full({bags.count, D}, -1, kInt64);
  dispatch_floating(rows.dtype(), "embedding_bag", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const v = rows.array().data<T>();
    std::int64_t* const at = best.data<std::int64_t>();
    for (std::int64_t i = 0; i < list.numel(); ++i) {
      if (list.data<std::int64_t>()[i] == padding_idx) continue;
      std::int64_t* const row = at + bags.bag_of.data<std::int64_t>()[i] * D;
      for (std::int64_t d = 0; d < D; ++d)
        if (row[d] < 0 || v[i * D + d] > v[row[d] * D + d]) row[d] = i;
    }
  });
  return best;
}

}  // namespace

std::tuple<Variable, Variable, Variable, Variable> embedding_bag(
    const Variable& weight, const Variable& indices, const Variable& offsets,
    bool scale_grad_by_freq, std::int64_t mode, bool sparse,
    const std::optional<Variable>& per_sample_weights, bool include_last_offset,
    std::int64_t padding_idx) {
  TAPEDECK_CHECK_DEFINED("embedding_bag", weight, indices, offsets);
  const detail::OpScope scope("embedding_bag");
  TAPEDECK_CHECK_AS(NotImplementedError, !sparse, "embedding_bag: there are no sparse gradients");
  TAPEDECK_CHECK_AS(ValueError, mode >= 0 && mode <= 2,
                    "embedding_bag: expected mode 0, 1 or 2, got ", mode);
  TAPEDECK_CHECK(indices.dim() == 1, "embedding_bag: expected indices of 1 dimension, got ",
                 indices.sizes());
  const bool weighted = per_sample_weights && per_sample_weights->defined();
  TAPEDECK_CHECK(!weighted || mode == 0,
                 "embedding_bag: per_sample_weights are only possible in mode 0 (sum)");
  TAPEDECK_CHECK(!weighted || per_sample_weights->sizes().equals(indices.sizes()),
                 "embedding_bag: expected per_sample_weights of the indices' shape ",
                 indices.sizes(), ", got ", weighted ? per_sample_weights->sizes() : IntArrayRef());
  const Array list = checked_indices("embedding_bag", weight, indices);
  const Bags bags = bags_of(list, offsets, include_last_offset, padding_idx);
  const Array scale =
      gradient_scale(list, weight.size(0), padding_idx, scale_grad_by_freq, weight.dtype());
  const Variable rows = lookup(weight, list, scale);
  const Variable bag_of(bags.bag_of), sizes(bags.sizes);
  if (mode == 2) {
    const Variable best(largest_positions(rows, list, bags, padding_idx));
    const Variable is_empty = best.lt(0);
    const Variable at = best.clamp_min(0);
    if (rows.size(0) == 0)
      return {zeros({bags.count, weight.size(1)}, weight.options()), bag_of, sizes, best};
    const Variable largest = masked_fill(gather(rows, 0, at), is_empty, 0);
    const Variable of_weight =
        masked_fill(Variable(list).index_select(0, at.flatten()).view(at.sizes()), is_empty, 0);
    return {largest, bag_of, sizes, of_weight};
  }
  Variable terms = rows;
  if (weighted) terms = terms * per_sample_weights->unsqueeze(1);
  if (padding_idx >= 0) terms = masked_fill(terms, Variable(list).eq(padding_idx).unsqueeze(1), 0);
  Variable sums =
      index_add(zeros({bags.count, weight.size(1)}, weight.options()), 0, bag_of, terms);
  if (mode == 1) sums = sums / sizes.clamp_min(1).to(weight.dtype()).unsqueeze(1);
  return {sums, bag_of, sizes, Variable(Array::empty(0, kInt64))};
}

}  // namespace tapedeck
