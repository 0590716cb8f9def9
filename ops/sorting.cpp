#include <tapedeck/ops/sorting.h>

#include <algorithm>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/index.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/reduce.h>
#include <tapedeck/ops/kernels/sort.h>
#include <tapedeck/ops/promotion.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck {

namespace {

using ValuesAndIndices = std::tuple<Variable, Variable>;

// y[i] = x[indices[i]] along an axis, every element of x at most once;  dx[indices[i]] = g[i]
ValuesAndIndices picked(const Variable& x, std::int64_t dim, kernels::ValuesAndIndices result,
                        const char* name) {
  Variable values(std::move(result.first)), indices(std::move(result.second));
  if (should_record(x))
    record(values, name, edges(x),
           [indices = save(indices), dim](const Variable& g, const VjpContext& ctx) {
             Variable dx(kernels::zeros(ctx.input_sizes(0), g.dtype()));
             return dx.scatter_add_(dim, indices.get(ctx), g);
           });
  return {values, indices};
}

}  // namespace

ValuesAndIndices sort(const Variable& x, std::int64_t dim, bool descending) {
  TAPEDECK_CHECK_DEFINED("sort", x);
  dim = wrap_dim(dim, x.dim(), "sort");
  return picked(x, dim, kernels::sort(x.array(), dim, descending), "SortBackward0");
}
ValuesAndIndices sort(const Variable& x, std::optional<bool>, std::int64_t dim, bool descending) {
  return sort(x, dim, descending);
}
ValuesAndIndices Variable::sort(std::int64_t dim, bool descending) const {
  return tapedeck::sort(*this, dim, descending);
}
ValuesAndIndices Variable::sort(std::optional<bool>, std::int64_t dim, bool descending) const {
  return tapedeck::sort(*this, dim, descending);
}
Variable msort(const Variable& x) {
  TAPEDECK_CHECK_DEFINED("msort", x);
  return std::get<0>(sort(x, 0));
}

Variable argsort(const Variable& x, std::int64_t dim, bool descending) {
  TAPEDECK_CHECK_DEFINED("argsort", x);
  const detail::OpScope scope("argsort");
  return Variable(kernels::sort(x.array(), dim, descending).second);
}
Variable Variable::argsort(std::int64_t dim, bool descending) const {
  return tapedeck::argsort(*this, dim, descending);
}

Variable argsort(const Variable& x, bool, std::int64_t dim, bool descending) {
  TAPEDECK_CHECK_DEFINED("argsort", x);
  const detail::OpScope scope("argsort");
  return argsort(x, dim, descending);
}
Variable Variable::argsort(bool stable, std::int64_t dim, bool descending) const {
  return tapedeck::argsort(*this, stable, dim, descending);
}

ValuesAndIndices topk(const Variable& x, std::int64_t k, std::int64_t dim, bool largest,
                      bool sorted) {
  TAPEDECK_CHECK_DEFINED("topk", x);
  dim = wrap_dim(dim, x.dim(), "topk");
  return picked(x, dim, kernels::topk(x.array(), k, dim, largest, sorted), "TopkBackward0");
}
ValuesAndIndices Variable::topk(std::int64_t k, std::int64_t dim, bool largest, bool sorted) const {
  return tapedeck::topk(*this, k, dim, largest, sorted);
}

ValuesAndIndices kthvalue(const Variable& x, std::int64_t k, std::int64_t dim, bool keepdim) {
  TAPEDECK_CHECK_DEFINED("kthvalue", x);
  dim = wrap_dim(dim, x.dim(), "kthvalue");
  auto [values, indices] =
      picked(x, dim, kernels::kthvalue(x.array(), k, dim), "KthvalueBackward0");
  if (keepdim || x.dim() == 0) return {values, indices};
  return {values.squeeze(dim), indices.squeeze(dim)};
}
ValuesAndIndices Variable::kthvalue(std::int64_t k, std::int64_t dim, bool keepdim) const {
  return tapedeck::kthvalue(*this, k, dim, keepdim);
}

namespace {

std::tuple<Variable, Variable, Variable> distinct(const Variable& x, bool sorted,
                                                  bool return_inverse, bool return_counts) {
  kernels::Distinct found = kernels::distinct(x.array(), sorted, return_inverse);
  const Variable none = empty({0}, kLong);
  return {Variable(found.values), return_inverse ? Variable(found.inverse) : none,
          return_counts ? Variable(found.counts) : none};
}

}  // namespace

std::tuple<Variable, Variable, Variable> detail::no_adl::unique(const Variable& x, bool,
                                                                bool return_inverse,
                                                                bool return_counts) {
  TAPEDECK_CHECK_DEFINED("unique", x);
  return distinct(x, true, return_inverse, return_counts);
}
std::tuple<Variable, Variable, Variable> _unique2(const Variable& x, bool sorted,
                                                  bool return_inverse, bool return_counts) {
  TAPEDECK_CHECK_DEFINED("_unique2", x);
  return unique(x, sorted, return_inverse, return_counts);
}
std::tuple<Variable, Variable, Variable> unique_consecutive(const Variable& x, bool return_inverse,
                                                            bool return_counts) {
  TAPEDECK_CHECK_DEFINED("unique_consecutive", x);
  return distinct(x, false, return_inverse, return_counts);
}

Variable bincount(const Variable& x, const std::optional<Variable>& weights,
                  std::int64_t minlength) {
  TAPEDECK_CHECK_DEFINED("bincount", x);
  const detail::OpScope scope("bincount");
  TAPEDECK_CHECK(x.dim() == 1 && is_integral(x.dtype(), false),
                 "bincount: only supports 1-d non-negative integral inputs, got ", x.dtype(), " ",
                 x.sizes());
  TAPEDECK_CHECK(minlength >= 0, "bincount: minlength should be >= 0, got ", minlength);
  const bool weighted = weights && weights->defined();
  TAPEDECK_CHECK(!weighted || weights->array().sizes() == x.array().sizes(),
                 "bincount: weights should be 1-d and have the same length as input, got ",
                 weighted ? weights->sizes() : IntArrayRef(), " for ", x.sizes());
  const Array numbers = kernels::contiguous(kernels::cast(x.array(), kLong));
  std::int64_t bins = minlength;
  if (numbers.numel() > 0) {
    const auto extreme = [&](kernels::ReduceOp op) {
      return *kernels::reduce(op, numbers).data<std::int64_t>();
    };
    const std::int64_t least = extreme(kernels::ReduceOp::Min);
    TAPEDECK_CHECK(least >= 0, "bincount: only supports 1-d non-negative integral inputs, got ",
                   least);
    bins = std::max(bins, extreme(kernels::ReduceOp::Max) + 1);
  }
  if (!weighted) {
    const Array counts = kernels::zeros({bins}, kLong);
    const auto* const number = numbers.data<std::int64_t>();
    auto* const count = counts.data<std::int64_t>();
    for (std::int64_t i = 0, n = numbers.numel(); i < n; ++i) ++count[number[i]];
    return Variable(counts);
  }
  const ScalarType dtype = weights->dtype() == kFloat ? kFloat : kDouble;
  return scatter_add(zeros({bins}, dtype), 0, Variable(numbers), weights->detach().to(dtype));
}
Variable Variable::bincount(const std::optional<Variable>& weights, std::int64_t minlength) const {
  return tapedeck::bincount(*this, weights, minlength);
}

Variable searchsorted(const Variable& sequence, const Variable& values, bool out_int32,
                      bool right) {
  TAPEDECK_CHECK_DEFINED("searchsorted", sequence, values);
  const auto outer = [](const Variable& v) {
    return v.dim() == 0 ? IntArrayRef() : v.sizes().slice(0, v.sizes().size() - 1);
  };
  TAPEDECK_CHECK(
      sequence.dim() == 1 || (sequence.dim() > 0 && values.dim() == sequence.dim() &&
                              outer(sequence) == outer(values)),
      "searchsorted: boundaries tensor should be 1 dimension or the first N-1 dimensions of "
      "boundaries tensor and input value tensor must match, but we got boundaries tensor ",
      sequence.sizes(), " and input value tensor ", values.sizes());
  const ScalarType dtype = result_type(sequence, values);
  const Array places = kernels::searchsorted(kernels::cast(sequence.array(), dtype),
                                             kernels::cast(values.array(), dtype), right);
  return Variable(kernels::cast(places, out_int32 ? kInt : kLong));
}
Variable searchsorted(const Variable& sequence, Scalar value, bool out_int32, bool right) {
  TAPEDECK_CHECK_DEFINED("searchsorted", sequence);
  TAPEDECK_CHECK(sequence.dim() == 1,
                 "searchsorted: a number is looked up in a vector of boundaries, got shape ",
                 sequence.sizes());
  return searchsorted(sequence, scalar_tensor(value, sequence.dtype()), out_int32, right);
}
Variable bucketize(const Variable& x, const Variable& boundaries, bool out_int32, bool right) {
  TAPEDECK_CHECK_DEFINED("bucketize", x, boundaries);
  const detail::OpScope scope("bucketize");
  TAPEDECK_CHECK(boundaries.dim() == 1, "bucketize: boundaries tensor must be 1 dimension, got ",
                 boundaries.sizes());
  return searchsorted(boundaries, x, out_int32, right);
}

}  // namespace tapedeck
