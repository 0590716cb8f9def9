#include <tapedeck/ops/reduction.h>

#include <tapedeck/autograd/record.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/kernels/reduce.h>

namespace tapedeck {

// y = sum of x over axes;  dx = g repeated along them
Variable sum(const Variable& self, IntArrayRef dim, bool keepdim, std::optional<ScalarType> dtype) {
  const Variable x = dtype ? self.to(*dtype) : self;
  Variable y(kernels::sum(x.array(), dim, keepdim));
  if (should_record(x))
    record(y, "SumBackward1", edges(x),
           [sizes = x.array().sizes(), kept = kernels::reduced_shape(x.sizes(), dim, true, "sum")](
               const Variable& g) { return g.reshape(kept).expand(sizes); });
  return y;
}
Variable sum(const Variable& self, std::optional<ScalarType> dtype) {
  return sum(self, {}, false, dtype);
}

Variable mean(const Variable& self, IntArrayRef dim, bool keepdim,
              std::optional<ScalarType> dtype) {
  const Variable x = dtype ? self.to(*dtype) : self;
  TAPEDECK_CHECK_AS(TypeError, x.is_floating_point(),
                    "mean(): could not infer output dtype. Input dtype must be a floating point "
                    "dtype. Got: ",
                    x.dtype());
  Variable y(kernels::reduce(kernels::ReduceOp::Mean, x.array(), dim, keepdim));
  if (should_record(x))
    record(y, "MeanBackward1", edges(x),
           [sizes = x.array().sizes(), kept = kernels::reduced_shape(x.sizes(), dim, true, "mean"),
            count = y.numel() > 0 ? x.numel() / y.numel() : 1](const Variable& g) {
             return (g.reshape(kept) / count).expand(sizes);
           });
  return y;
}
Variable mean(const Variable& self, std::optional<ScalarType> dtype) {
  return mean(self, {}, false, dtype);
}

// y = x summed over the axes that `size` broadcasts;  dx = g repeated along them
Variable Variable::sum_to_size(IntArrayRef size) const {
  if (array().sizes() == size) return *this;
  Variable y(kernels::sum_to(array(), size));
  if (should_record(*this))
    record(y, "SumToSizeBackward0", edges(*this),
           [sizes = array().sizes()](const Variable& g) { return g.expand(sizes); });
  return y;
}

Variable Variable::sum(std::optional<ScalarType> dtype) const {
  return tapedeck::sum(*this, dtype);
}
Variable Variable::sum(IntArrayRef dim, bool keepdim, std::optional<ScalarType> dtype) const {
  return tapedeck::sum(*this, dim, keepdim, dtype);
}
Variable Variable::mean(std::optional<ScalarType> dtype) const {
  return tapedeck::mean(*this, dtype);
}
Variable Variable::mean(IntArrayRef dim, bool keepdim, std::optional<ScalarType> dtype) const {
  return tapedeck::mean(*this, dim, keepdim, dtype);
}

}  // namespace tapedeck
