// Indices along one axis, a separate one for each element.
#include <algorithm>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/index.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/index.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck {

namespace {

// Scalars count as vectors of one element.
std::int64_t dims_of(const Variable& v) { return std::max<std::int64_t>(v.dim(), 1); }
std::int64_t size_of(const Variable& v, std::int64_t axis) {
  return v.dim() == 0 ? 1 : v.sizes()[axis];
}

// Every size of index is at most self's (but along dim) and, where given, src's.
std::int64_t check_shapes(const Variable& self, std::int64_t dim, const Variable& index,
                          const Variable* src, const char* op) {
  const std::int64_t d = wrap_dim(dim, self.dim(), op);
  if (index.numel() == 0) return d;
  TAPEDECK_CHECK(dims_of(index) == dims_of(self) && (!src || dims_of(*src) == dims_of(index)), op,
                 "(): Index tensor must have the same number of dimensions as self",
                 src ? " and src" : "", " tensor: index ", index.sizes(), ", self ", self.sizes(),
                 src ? tapedeck::detail::str(", src ", src->sizes()) : std::string());
  for (std::int64_t axis = 0; axis < dims_of(index); ++axis) {
    const std::int64_t n = size_of(index, axis);
    TAPEDECK_CHECK((axis == d || n <= size_of(self, axis)) && (!src || n <= size_of(*src, axis)),
                   op, "(): Expected index ", index.sizes(), " to be smaller than self ",
                   self.sizes(), " apart from dimension ", d,
                   src ? " and to be smaller size than src " : "",
                   src ? tapedeck::detail::str(src->sizes()) : std::string());
  }
  return d;
}

}  // namespace

// y[i] = x[index[i]];  dx[index[i]] += g[i]
Variable gather(const Variable& x, std::int64_t dim, const Variable& index, bool) {
  TAPEDECK_CHECK_DEFINED("gather", x, index);
  const std::int64_t d = check_shapes(x, dim, index, nullptr, "gather");
  Variable y(index.numel() == 0 ? Array::empty(index.sizes(), x.dtype())
                                : kernels::gather(x.array(), d, index.array()));
  if (should_record(x))
    record(y, "GatherBackward0", edges(x),
           [index = save(index), d](const Variable& g, const VjpContext& ctx) {
             Variable dx(kernels::zeros(ctx.input_sizes(0), g.dtype()));
             return dx.scatter_add_(d, index.get(ctx), g);
           });
  return y;
}
Variable Variable::gather(std::int64_t dim, const Variable& index, bool sparse_grad) const {
  return tapedeck::gather(*this, dim, index, sparse_grad);
}

namespace {

// y = x, y[index[i]] = src[i];   dx = g, dx[index[i]] = 0;  dsrc[i] = g[index[i]]
// y = x, y[index[i]] += src[i];  dx = g
Variable scattered(const Variable& x, std::int64_t dim, const Variable& index, const Variable& src,
                   bool accumulate, const char* name) {
  const std::int64_t d = check_shapes(x, dim, index, &src, accumulate ? "scatter_add" : "scatter");
  Array out = kernels::clone(x.array());
  kernels::scatter(out, d, index.array(), src.array(), accumulate, kernels::ScatterTarget::Fresh);
  Variable y(std::move(out));
  if (should_record(x, src))
    record(y, name, edges(x, src),
           [index = save(index), d, accumulate](const Variable& g, const VjpContext& ctx) {
             const Variable places = index.get(ctx);
             Gradients grads(2);
             if (ctx.needs(0)) grads[0] = accumulate ? g : scatter(g, d, places, 0);
             if (ctx.needs(1)) {
               const DimVector& sizes = ctx.input_sizes(1);
               if (places.numel() == 0) {
                 grads[1] = Variable(kernels::zeros(sizes, g.dtype()));
                 return grads;
               }
               Variable part = gather(g, d, places);
               // Elements of src beyond the index were not used.
               if (!(part.array().sizes() == sizes)) {
                 const DimVector strides = contiguous_strides(sizes);
                 part = autograd::scatter_region(
                     part, {sizes, strides, part.array().sizes(), strides, 0});
               }
               grads[1] = part;
             }
             return grads;
           });
  return y;
}

Variable& scattered_inplace(const Variable& x, std::int64_t dim, const Variable& index,
                            const Variable& src, bool accumulate, const char* name,
                            const char* op) {
  if (should_record(x, src))
    return assign_inplace(x, scattered(x, dim, index, src, accumulate, name), op);
  check_inplace(x, op);
  const std::int64_t d = check_shapes(x, dim, index, &src, op);
  Array target = x.array();
  const Array source =
      kernels::may_overlap(target, src.array()) ? kernels::clone(src.array()) : src.array();
  // Indices that change while they are read could lead anywhere.
  const Array places =
      kernels::may_overlap(target, index.array()) ? kernels::clone(index.array()) : index.array();
  kernels::scatter(target, d, places, source, accumulate);
  return finish_inplace(x);
}

// A number as a source of the index's shape.
Variable spread_number(const Variable& x, const Variable& index, Scalar value) {
  return Variable(kernels::full({}, value, x.dtype()).expand(index.sizes()));
}

}  // namespace

Variable scatter(const Variable& x, std::int64_t dim, const Variable& index, const Variable& src) {
  TAPEDECK_CHECK_DEFINED("scatter", x, index, src);
  return scattered(x, dim, index, src, false, "ScatterBackward0");
}
Variable scatter(const Variable& x, std::int64_t dim, const Variable& index, Scalar value) {
  TAPEDECK_CHECK_DEFINED("scatter", x, index);
  return scattered(x, dim, index, spread_number(x, index, value), false, "ScatterBackward1");
}
Variable scatter_add(const Variable& x, std::int64_t dim, const Variable& index,
                     const Variable& src) {
  TAPEDECK_CHECK_DEFINED("scatter_add", x, index, src);
  return scattered(x, dim, index, src, true, "ScatterAddBackward0");
}
Variable Variable::scatter(std::int64_t dim, const Variable& index, const Variable& src) const {
  return tapedeck::scatter(*this, dim, index, src);
}
Variable Variable::scatter(std::int64_t dim, const Variable& index, Scalar value) const {
  return tapedeck::scatter(*this, dim, index, value);
}
Variable Variable::scatter_add(std::int64_t dim, const Variable& index, const Variable& src) const {
  return tapedeck::scatter_add(*this, dim, index, src);
}
Variable& Variable::scatter_(std::int64_t dim, const Variable& index, const Variable& src) const {
  TAPEDECK_CHECK_DEFINED("scatter_", *this, index, src);
  return scattered_inplace(*this, dim, index, src, false, "ScatterBackward0", "scatter_");
}
Variable& Variable::scatter_(std::int64_t dim, const Variable& index, Scalar value) const {
  TAPEDECK_CHECK_DEFINED("scatter_", *this, index);
  return scattered_inplace(*this, dim, index, spread_number(*this, index, value), false,
                           "ScatterBackward1", "scatter_");
}
Variable& Variable::scatter_add_(std::int64_t dim, const Variable& index,
                                 const Variable& src) const {
  TAPEDECK_CHECK_DEFINED("scatter_add_", *this, index, src);
  return scattered_inplace(*this, dim, index, src, true, "ScatterAddBackward0", "scatter_add_");
}

Variable take_along_dim(const Variable& x, const Variable& indices,
                        std::optional<std::int64_t> dim) {
  TAPEDECK_CHECK_DEFINED("take_along_dim", x, indices);
  const detail::OpScope scope("take_along_dim");
  TAPEDECK_CHECK_AS(TypeError, indices.dtype() == kLong,
                    "take_along_dim(): dtype of indices should be Long but got ", indices.dtype());
  if (!dim) return x.reshape({-1}).gather(0, indices.reshape({-1}));
  TAPEDECK_CHECK(x.dim() == indices.dim(),
                 "take_along_dim(): input and indices should have the same number of dimensions, "
                 "but got ",
                 x.sizes(), " and ", indices.sizes());
  const std::int64_t d = wrap_dim(*dim, x.dim(), "take_along_dim");
  // All axes but one are broadcast.
  DimVector a = x.array().sizes(), b = indices.array().sizes();
  a[d] = b[d] = 1;
  DimVector joint = broadcast_shapes(a, b, "take_along_dim");
  joint[d] = x.sizes()[d];
  const Variable source = x.expand(joint);
  joint[d] = indices.sizes()[d];
  return source.gather(d, indices.expand(joint));
}
Variable Variable::take_along_dim(const Variable& indices, std::optional<std::int64_t> dim) const {
  return tapedeck::take_along_dim(*this, indices, dim);
}

Variable one_hot(const Variable& x, std::int64_t num_classes) {
  TAPEDECK_CHECK_DEFINED("one_hot", x);
  const detail::OpScope scope("one_hot");
  TAPEDECK_CHECK_AS(TypeError, x.dtype() == kLong,
                    "one_hot is only applicable to index tensor, got dtype ", x.dtype());
  const Array numbers = kernels::contiguous(x.array());
  const auto* number = numbers.data<std::int64_t>();
  std::int64_t largest = -1;
  for (std::int64_t i = 0; i < numbers.numel(); ++i) {
    TAPEDECK_CHECK(number[i] >= 0, "one_hot: Class values must be non-negative, got ", number[i]);
    TAPEDECK_CHECK(num_classes == -1 || number[i] < num_classes,
                   "one_hot: Class values must be smaller than num_classes, got ", number[i],
                   " for ", num_classes, " classes");
    largest = std::max(largest, number[i]);
  }
  TAPEDECK_CHECK(num_classes > 0 || (num_classes == -1 && numbers.numel() > 0),
                 "one_hot: Can not infer total number of classes from an empty tensor, and ",
                 num_classes, " is not a positive number of classes");
  DimVector sizes = x.array().sizes();
  sizes.push_back(num_classes == -1 ? largest + 1 : num_classes);
  const Array out = kernels::zeros(sizes, kLong);
  for (std::int64_t i = 0; i < numbers.numel(); ++i)
    out.data<std::int64_t>()[i * sizes.back() + number[i]] = 1;
  return Variable(out);
}

}  // namespace tapedeck
