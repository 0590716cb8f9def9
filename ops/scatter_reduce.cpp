#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/comparison.h>
#include <tapedeck/ops/index.h>
#include <tapedeck/ops/kernels/binary.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/parts.h>
#include <tapedeck/ops/power.h>
#include <tapedeck/ops/ternary.h>

// Elements reduced with those that an index sends to them: sums, means, extremes, products.

namespace tapedeck {

using V = Variable;

namespace {

// reached[j] = reduce(reached[j], sent[i]) for all i with index[i] = j, without history. Slice by
// slice: each writes any element once.
template <typename Reduce>
void reduce_slices(std::int64_t dim, const V& index, const V& sent, const Reduce& reduce) {
  const std::int64_t length = index.dim() == 0 ? 1 : index.size(dim);
  for (std::int64_t i = 0; i < length; ++i) {
    const V at = index.dim() == 0 ? index : index.narrow(dim, i, 1);
    reduce(at, (sent.dim() == 0 ? sent : sent.narrow(dim, i, 1)).detach().expand(at.sizes()));
  }
}

// The extreme of each element of self (where it counts) and of what is sent to it, without history.
V scattered_extreme(const V& self, std::int64_t dim, const V& index, const V& src, bool largest,
                    bool include_self) {
  V best = self.detach().clone();
  V is_open = V(kernels::full(self.sizes(), !include_self, kBool));
  reduce_slices(dim, index, src, [&](const V& at, const V& from) {
    const V current = best.gather(dim, at);
    const V winner = largest ? maximum(current, from) : minimum(current, from);
    best.scatter_(dim, at, where(is_open.gather(dim, at), from, winner));
    is_open.scatter_(dim, at, V(kernels::zeros(at.sizes(), kBool)));
  });
  return best;
}

// y[j] = x[j] prod of src[i] with index[i] = j;  dx = g y / x, dsrc[i] = g[index[i]] y / src[i]
// Where two zeros meet, the second derivative is 0.
V scattered_product(const V& x, std::int64_t dim, const V& index, const V& src) {
  V y = x.detach().clone();
  reduce_slices(dim, index, src,
                [&](const V& at, const V& from) { y.scatter_(dim, at, y.gather(dim, at) * from); });
  if (should_record(x, src))
    record(y, "ScatterReduceBackward0", edges(x, src),
           [x = save(x), index = save(index), src = save(src), dim, sizes = x.array().sizes()](
               const V& g, const VjpContext& ctx) {
             const V at = index.get(ctx), factors = src.get(ctx);
             const V ones(kernels::ones(sizes, g.dtype()));
             Gradients grads(2);
             if (ctx.needs(0)) grads[0] = g * scattered_product(ones, dim, at, factors);
             if (!ctx.needs(1)) return grads;
             // A factor of 0 cannot be divided out. The only one of its product is left out.
             const V is_zero = factors.detach() == 0;
             const V zeros = ones.mul(0).scatter_add(dim, at, is_zero.to(g.dtype()));
             const V is_only_zero = is_zero & (zeros.gather(dim, at) == 1);
             const V rest =
                 scattered_product(x.get(ctx), dim, at, factors.masked_fill(is_only_zero, 1));
             const V others = scattered_product(x.get(ctx), dim, at, factors).gather(dim, at) /
                              factors.masked_fill(is_zero, 1);
             grads[1] = g.gather(dim, at) * where(is_only_zero, rest.gather(dim, at), others);
             return grads;
           });
  return y;
}

// Where x is the extreme; NaN is one of any elements among which it is.
V attains(const V& x, const V& extreme) {
  if (!x.is_floating_point()) return x == extreme;
  return V(kernels::binary(kernels::BinaryOp::Reaches, x.array(), extreme.array())).to(kBool);
}

// src as far as the index reaches.
V reached_part(const V& index, const V& src) {
  V part = src;
  for (std::int64_t d = 0; d < index.dim(); ++d) part = part.narrow(d, 0, index.size(d));
  return part;
}

V scatter_with(const V& self, std::int64_t dim, const V& index, const V& src,
               std::string_view reduce, const char* op) {
  const detail::OpScope scope(op);
  TAPEDECK_CHECK(reduce == "add" || reduce == "multiply",
                 "scatter(): reduce argument must be either add or multiply, got ", reduce);
  TAPEDECK_CHECK_AS(TypeError, self.dtype() == src.dtype(),
                    "scatter(): Expected self.dtype to be equal to src.dtype, got ", self.dtype(),
                    " and ", src.dtype());
  if (reduce == "add") return scatter_add(self, dim, index, src);
  return scatter_reduce(self, dim, index, src, "prod");
}

// What an in-place form reads instead of self: a product saves its factors, which the result
// overwrites.
V operand_in_place(const V& self, bool is_product) { return is_product ? self.clone() : self; }

// A number as a source of the index's shape.
V spread_number(const V& self, const V& index, Scalar value) {
  return V(kernels::full({}, value, self.dtype()).expand(index.sizes()));
}

}  // namespace

V scatter_reduce(const V& self, std::int64_t dim, const V& index, const V& src,
                 std::string_view reduce, bool include_self) {
  TAPEDECK_CHECK_DEFINED("scatter_reduce", self, index, src);
  const detail::OpScope scope("scatter_reduce");
  TAPEDECK_CHECK(
      reduce == "sum" || reduce == "prod" || reduce == "mean" || reduce == "amax" ||
          reduce == "amin",
      "scatter_reduce: reduce argument must be either sum, prod, mean, amax or amin, got ", reduce);
  const V values = reached_part(index, src);
  const auto reached = [&] {
    const V sent(kernels::ones(index.sizes(), kInt64));
    return V(kernels::zeros(self.sizes(), kInt64)).scatter_add(dim, index, sent) > 0;
  };
  if (reduce == "prod")
    return scattered_product(include_self ? self : self.masked_fill(reached(), 1), dim, index,
                             values);
  V own = include_self ? V(kernels::full(self.sizes(), true, kBool)) : logical_not(reached());
  // What counts: everything for sums and means, what attains the extreme otherwise.
  V sent_counts = V(kernels::full(index.sizes(), true, kBool));
  if (reduce == "amax" || reduce == "amin") {
    const V best = scattered_extreme(self, dim, index, values, reduce == "amax", include_self);
    if (!self.is_floating_point()) return best;
    own = own & attains(self.detach(), best);
    sent_counts = attains(values.detach(), best.gather(dim, index));
  }
  const V zero = V(kernels::zeros({}, self.dtype()));
  const V total = where(own, self, zero).scatter_add(dim, index, where(sent_counts, values, zero));
  if (reduce == "sum") return total;
  const V count =
      own.to(self.dtype()).scatter_add(dim, index, sent_counts.to(self.dtype())).clamp_min(1);
  if (self.is_floating_point()) return total / count;
  return floor_divide(total, count);
}

V scatter(const V& self, std::int64_t dim, const V& index, const V& src, std::string_view reduce) {
  TAPEDECK_CHECK_DEFINED("scatter", self, index, src);
  return scatter_with(self, dim, index, src, reduce, "scatter");
}
V scatter(const V& self, std::int64_t dim, const V& index, Scalar value, std::string_view reduce) {
  TAPEDECK_CHECK_DEFINED("scatter", self, index);
  return scatter_with(self, dim, index, spread_number(self, index, value), reduce, "scatter");
}

V VariableMath::scatter_reduce(std::int64_t dim, const V& index, const V& src,
                               std::string_view reduce, bool include_self) const {
  return tapedeck::scatter_reduce(self(), dim, index, src, reduce, include_self);
}
V& VariableMath::scatter_reduce_(std::int64_t dim, const V& index, const V& src,
                                 std::string_view reduce, bool include_self) const {
  const V x = operand_in_place(self(), reduce == "prod");
  return assign_inplace(self(), tapedeck::scatter_reduce(x, dim, index, src, reduce, include_self),
                        "scatter_reduce_");
}
V VariableMath::scatter(std::int64_t dim, const V& index, const V& src,
                        std::string_view reduce) const {
  return tapedeck::scatter(self(), dim, index, src, reduce);
}
V VariableMath::scatter(std::int64_t dim, const V& index, Scalar value,
                        std::string_view reduce) const {
  return tapedeck::scatter(self(), dim, index, value, reduce);
}
V& VariableMath::scatter_(std::int64_t dim, const V& index, const V& src,
                          std::string_view reduce) const {
  const V x = operand_in_place(self(), reduce == "multiply");
  return assign_inplace(self(), tapedeck::scatter(x, dim, index, src, reduce), "scatter_");
}
V& VariableMath::scatter_(std::int64_t dim, const V& index, Scalar value,
                          std::string_view reduce) const {
  const V x = operand_in_place(self(), reduce == "multiply");
  return assign_inplace(self(), tapedeck::scatter(x, dim, index, value, reduce), "scatter_");
}

}  // namespace tapedeck
