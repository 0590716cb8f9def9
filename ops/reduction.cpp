#include <tapedeck/ops/reduction.h>

#include <algorithm>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/reduce.h>

namespace tapedeck {

namespace {

// y = sum of x over axes;  dx = g repeated along them
Variable sum_over(const Variable& self, IntArrayRef dim, bool keepdim,
                  std::optional<ScalarType> dtype, const char* name) {
  const Variable x = dtype ? self.to(*dtype) : self;
  Array total = kernels::sum(x.array(), dim, keepdim);
  if (dtype && total.dtype() != *dtype) total = kernels::cast(total, *dtype);
  Variable y(total);
  if (should_record(x))
    record(y, name, edges(x),
           [sizes = x.array().sizes(), kept = kernels::reduced_shape(x.sizes(), dim, true, "sum")](
               const Variable& g) { return g.reshape(kept).expand(sizes); });
  return y;
}

// y = mean of x over axes of n elements;  dx = g / n repeated along them
Variable mean_over(const Variable& self, IntArrayRef dim, bool keepdim,
                   std::optional<ScalarType> dtype, const char* name) {
  const Variable x = dtype ? self.to(*dtype) : self;
  TAPEDECK_CHECK_AS(TypeError, x.is_floating_point(),
                    "mean(): could not infer output dtype. Input dtype must be a floating point "
                    "dtype. Got: ",
                    x.dtype());
  Variable y(kernels::reduce(kernels::ReduceOp::Mean, x.array(), dim, keepdim));
  if (should_record(x))
    record(y, name, edges(x),
           [sizes = x.array().sizes(), kept = kernels::reduced_shape(x.sizes(), dim, true, "mean"),
            count = std::max<std::int64_t>(y.numel() > 0 ? x.numel() / y.numel() : 1, 1)](
               const Variable& g) { return (g.reshape(kept) / count).expand(sizes); });
  return y;
}

}  // namespace

Variable sum(const Variable& self, OptionalIntArrayRef dim, bool keepdim,
             std::optional<ScalarType> dtype) {
  TAPEDECK_CHECK_DEFINED("sum", self);
  return sum_over(self, dim ? *dim : IntArrayRef(), keepdim, dtype, "SumBackward1");
}
Variable sum(const Variable& self, std::optional<ScalarType> dtype) {
  TAPEDECK_CHECK_DEFINED("sum", self);
  return sum_over(self, {}, false, dtype, "SumBackward0");
}
Variable mean(const Variable& self, OptionalIntArrayRef dim, bool keepdim,
              std::optional<ScalarType> dtype) {
  TAPEDECK_CHECK_DEFINED("mean", self);
  return mean_over(self, dim ? *dim : IntArrayRef(), keepdim, dtype, "MeanBackward1");
}
Variable mean(const Variable& self, std::optional<ScalarType> dtype) {
  TAPEDECK_CHECK_DEFINED("mean", self);
  return mean_over(self, {}, false, dtype, "MeanBackward0");
}

// y = x summed over the axes that `size` broadcasts;  dx = g repeated along them
Variable Variable::sum_to_size(IntArrayRef size) && {
  TAPEDECK_CHECK_DEFINED("sum_to_size", *this);
  if (array().sizes() == size) return std::move(*this);
  return std::as_const(*this).sum_to_size(size);
}

Variable Variable::sum_to_size(IntArrayRef size) const& {
  TAPEDECK_CHECK_DEFINED("sum_to_size", *this);
  if (array().sizes() == size) return *this;
  const detail::OpScope scope("sum_to_size");
  Variable y(kernels::sum_to(array(), size));
  if (should_record(*this))
    record(y, "SumToSizeBackward0", edges(*this),
           [sizes = array().sizes()](const Variable& g) { return g.expand(sizes); });
  return y;
}

namespace {

// Truth over axes; uint8 stays uint8, as in PyTorch.
Variable truth(kernels::ReduceOp op, const Variable& x, IntArrayRef dim, bool keepdim) {
  const Array out = kernels::reduce(op, x.array(), dim, keepdim);
  return Variable(x.dtype() == kUInt8 ? kernels::cast(out, kUInt8) : out);
}

}  // namespace

Variable any(const Variable& x) {
  TAPEDECK_CHECK_DEFINED("any", x);
  return truth(kernels::ReduceOp::Any, x, {}, false);
}
Variable any(const Variable& x, std::int64_t dim, bool keepdim) {
  TAPEDECK_CHECK_DEFINED("any", x);
  return truth(kernels::ReduceOp::Any, x, dim, keepdim);
}
Variable all(const Variable& x) {
  TAPEDECK_CHECK_DEFINED("all", x);
  return truth(kernels::ReduceOp::All, x, {}, false);
}
Variable all(const Variable& x, std::int64_t dim, bool keepdim) {
  TAPEDECK_CHECK_DEFINED("all", x);
  return truth(kernels::ReduceOp::All, x, dim, keepdim);
}
Variable count_nonzero(const Variable& x, IntArrayRef dim) {
  TAPEDECK_CHECK_DEFINED("count_nonzero", x);
  const detail::OpScope scope("count_nonzero");
  return Variable(kernels::sum(kernels::cast(x.array(), kBool), dim, false));
}
Variable count_nonzero(const Variable& x, std::optional<std::int64_t> dim) {
  TAPEDECK_CHECK_DEFINED("count_nonzero", x);
  const detail::OpScope scope("count_nonzero");
  return count_nonzero(x, dim ? IntArrayRef(*dim) : IntArrayRef());
}

Variable Variable::any() const { return tapedeck::any(*this); }
Variable Variable::any(std::int64_t dim, bool keepdim) const {
  return tapedeck::any(*this, dim, keepdim);
}
Variable Variable::all() const { return tapedeck::all(*this); }
Variable Variable::all(std::int64_t dim, bool keepdim) const {
  return tapedeck::all(*this, dim, keepdim);
}
Variable Variable::sum(std::optional<ScalarType> dtype) const {
  return tapedeck::sum(*this, dtype);
}
Variable Variable::sum(OptionalIntArrayRef dim, bool keepdim,
                       std::optional<ScalarType> dtype) const {
  return tapedeck::sum(*this, dim, keepdim, dtype);
}
Variable Variable::mean(std::optional<ScalarType> dtype) const {
  return tapedeck::mean(*this, dtype);
}
Variable Variable::mean(OptionalIntArrayRef dim, bool keepdim,
                        std::optional<ScalarType> dtype) const {
  return tapedeck::mean(*this, dim, keepdim, dtype);
}

}  // namespace tapedeck
