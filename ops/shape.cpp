#include <tapedeck/ops/shape.h>

#include <algorithm>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/grad_state.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/kernels/copy.h>

namespace tapedeck {

using autograd::scatter_region;
using autograd::StridedRegion;

namespace {

// y = x under another shape;  dx = g under x's
Variable reshaped_view(const Variable& x, Array view, const char* name) {
  Variable y = make_view(x, std::move(view));
  if (should_record(x))
    record(y, name, edges(x),
           [](const Variable& g, const VjpContext& ctx) { return g.reshape(ctx.input_sizes(0)); });
  return y;
}

}  // namespace

Variable reshape(const Variable& x, IntArrayRef shape) {
  TAPEDECK_CHECK_DEFINED("reshape", x);
  const detail::OpScope scope("reshape");
  const DimVector sizes = infer_size(shape, x.numel());
  if (x.array().can_view(sizes)) return x.view(sizes);
  return x.clone(MemoryFormat::Contiguous).view(sizes);
}

Variable Variable::view(IntArrayRef size) const {
  TAPEDECK_CHECK_DEFINED("view", *this);
  const detail::OpScope scope("view");
  return reshaped_view(*this, array().view(infer_size(size, numel())), "ViewBackward0");
}

Variable VariableMath::viewed_as(ScalarType dtype) const {
  TAPEDECK_CHECK_DEFINED("view", self());
  return dtype == scalar_type() ? self() : Variable(array().reinterpret(dtype));
}

Variable flatten(const Variable& x, std::int64_t start_dim, std::int64_t end_dim) {
  TAPEDECK_CHECK_DEFINED("flatten", x);
  const std::int64_t start = wrap_dim(start_dim, x.dim(), "flatten"),
                     end = wrap_dim(end_dim, x.dim(), "flatten");
  TAPEDECK_CHECK(start <= end,
                 "flatten() has invalid args: start_dim cannot come after end_dim: ", start_dim,
                 " and ", end_dim, " of shape ", x.sizes());
  if (x.dim() == 0) return x.reshape({1});
  if (start == end) return x;
  DimVector sizes;
  std::int64_t merged = 1;
  for (std::int64_t i = 0; i < x.dim(); ++i) {
    if (i < start || i > end) sizes.push_back(x.size(i));
    if (i >= start && i <= end) merged *= x.size(i);
    if (i == end) sizes.push_back(merged);
  }
  return x.reshape(sizes);
}

Variable unflatten(const Variable& x, std::int64_t dim, IntArrayRef sizes) {
  TAPEDECK_CHECK_DEFINED("unflatten", x);
  const detail::OpScope scope("unflatten");
  const std::int64_t d = wrap_dim(dim, x.dim(), "unflatten");
  TAPEDECK_CHECK(!sizes.empty(), "unflatten: sizes must be non-empty");
  const DimVector parts = infer_size(sizes, x.size(d));
  DimVector shape;
  for (std::int64_t i = 0; i < x.dim(); ++i) {
    if (i != d) shape.push_back(x.size(i));
    if (i == d)
      for (const std::int64_t n : parts) shape.push_back(n);
  }
  return x.view(shape);
}

Variable ravel(const Variable& x) {
  TAPEDECK_CHECK_DEFINED("ravel", x);
  return x.reshape({-1});
}

Variable squeeze(const Variable& x) {
  TAPEDECK_CHECK_DEFINED("squeeze", x);
  Array view = x.array();
  for (std::int64_t i = view.dim(); i-- > 0;) view = view.squeeze(i);
  return reshaped_view(x, std::move(view), "SqueezeBackward0");
}

Variable squeeze(const Variable& x, std::int64_t dim) {
  TAPEDECK_CHECK_DEFINED("squeeze", x);
  return reshaped_view(x, x.array().squeeze(wrap_dim(dim, x.dim(), "squeeze")), "SqueezeBackward1");
}

Variable unsqueeze(const Variable& x, std::int64_t dim) {
  TAPEDECK_CHECK_DEFINED("unsqueeze", x);
  return reshaped_view(x, x.array().unsqueeze(dim), "UnsqueezeBackward0");
}

// y = x with two axes exchanged;  dx = g with them exchanged
Variable transpose(const Variable& x, std::int64_t dim0, std::int64_t dim1) {
  TAPEDECK_CHECK_DEFINED("transpose", x);
  Variable y = make_view(x, x.array().transpose(dim0, dim1));
  if (should_record(x))
    record(y, "TransposeBackward0", edges(x),
           [dim0, dim1](const Variable& g) { return g.transpose(dim0, dim1); });
  return y;
}

Variable t(const Variable& x) {
  TAPEDECK_CHECK_DEFINED("t", x);
  TAPEDECK_CHECK(x.dim() <= 2, "t() expects a tensor with <= 2 dimensions, but self is ", x.dim(),
                 "D (shape ", x.sizes(), ")");
  return x.dim() < 2 ? transpose(x, 0, 0) : transpose(x, 0, 1);
}

// y = x with its axes in another order;  dx = g with them in the old one
Variable permute(const Variable& x, IntArrayRef dims) {
  TAPEDECK_CHECK_DEFINED("permute", x);
  Variable y = make_view(x, x.array().permute(dims));
  if (should_record(x)) {
    DimVector inverse(dims.size());
    for (std::size_t i = 0; i < dims.size(); ++i)
      inverse[wrap_dim(dims[i], x.dim(), "permute")] = static_cast<std::int64_t>(i);
    record(y, "PermuteBackward0", edges(x),
           [inverse](const Variable& g) { return g.permute(inverse); });
  }
  return y;
}

// y = x repeated along axes of size 1 and new ones;  dx = g summed over them
Variable Variable::expand(IntArrayRef size, bool) const {
  TAPEDECK_CHECK_DEFINED("expand", *this);
  Variable y = make_view(*this, array().expand(size));
  if (should_record(*this))
    record(y, "ExpandBackward0", edges(*this), [](const Variable& g, const VjpContext& ctx) {
      return g.sum_to_size(ctx.input_sizes(0));
    });
  return y;
}

// y = elements of x's storage at any strides;  dx = sums of g over the places of each
Variable as_strided(const Variable& x, IntArrayRef size, IntArrayRef stride,
                    std::optional<std::int64_t> storage_offset) {
  TAPEDECK_CHECK_DEFINED("as_strided", x);
  const detail::OpScope scope("as_strided");
  Variable y =
      make_view(x, x.array().as_strided(size, stride, storage_offset.value_or(x.storage_offset())));
  if (should_record(x))
    record(y, "AsStridedBackward0", edges(x),
           [region = StridedRegion::of(x.array(), y.array())](const Variable& g) {
             return scatter_region(g, region);
           });
  return y;
}

Variable Variable::reshape(IntArrayRef shape) const { return tapedeck::reshape(*this, shape); }
Variable Variable::reshape_as(const Variable& other) const {
  TAPEDECK_CHECK_DEFINED("reshape_as", *this, other);
  const detail::OpScope scope("reshape_as");
  return reshape(other.sizes());
}
Variable Variable::view_as(const Variable& other) const {
  TAPEDECK_CHECK_DEFINED("view_as", *this, other);
  const detail::OpScope scope("view_as");
  return view(other.sizes());
}
Variable Variable::flatten(std::int64_t start_dim, std::int64_t end_dim) const {
  return tapedeck::flatten(*this, start_dim, end_dim);
}
Variable Variable::unflatten(std::int64_t dim, IntArrayRef sizes) const {
  return tapedeck::unflatten(*this, dim, sizes);
}
Variable Variable::ravel() const { return tapedeck::ravel(*this); }
Variable Variable::squeeze() const { return tapedeck::squeeze(*this); }
Variable Variable::squeeze(std::int64_t dim) const { return tapedeck::squeeze(*this, dim); }
Variable Variable::unsqueeze(std::int64_t dim) const { return tapedeck::unsqueeze(*this, dim); }
Variable Variable::transpose(std::int64_t dim0, std::int64_t dim1) const {
  return tapedeck::transpose(*this, dim0, dim1);
}
Variable Variable::t() const { return tapedeck::t(*this); }
Variable Variable::permute(IntArrayRef dims) const { return tapedeck::permute(*this, dims); }
Variable Variable::expand_as(const Variable& other) const {
  TAPEDECK_CHECK_DEFINED("expand_as", *this, other);
  const detail::OpScope scope("expand_as");
  return expand(other.sizes());
}
Variable Variable::as_strided(IntArrayRef size, IntArrayRef stride,
                              std::optional<std::int64_t> storage_offset) const {
  return tapedeck::as_strided(*this, size, stride, storage_offset);
}

namespace {

// The in-place form of a view op: the tensor itself takes the view's shape and history.
Variable& become(const Variable& self, const Variable& view, const char* op) {
  check_inplace(self, op);
  autograd::VariableImpl& impl = *self.impl();
  impl.array = view.array();
  if (view.grad_fn()) {
    impl.grad_fn = view.impl()->grad_fn;
    impl.output_nr = view.impl()->output_nr;
  }
  impl.accumulator.reset();  // a leaf's next gradient has the new shape
  finish_inplace(self);
  impl.grad_fn_version = impl.array.storage()->version();
  return const_cast<Variable&>(self);
}

}  // namespace

Variable& Variable::squeeze_() const {
  TAPEDECK_CHECK_DEFINED("squeeze_", *this);
  return become(*this, squeeze(), "squeeze_");
}
Variable& Variable::squeeze_(std::int64_t dim) const {
  TAPEDECK_CHECK_DEFINED("squeeze_", *this);
  return become(*this, squeeze(dim), "squeeze_");
}
Variable& Variable::unsqueeze_(std::int64_t dim) const {
  TAPEDECK_CHECK_DEFINED("unsqueeze_", *this);
  return become(*this, unsqueeze(dim), "unsqueeze_");
}
Variable& Variable::transpose_(std::int64_t dim0, std::int64_t dim1) const {
  TAPEDECK_CHECK_DEFINED("transpose_", *this);
  return become(*this, transpose(dim0, dim1), "transpose_");
}
Variable& Variable::t_() const {
  TAPEDECK_CHECK_DEFINED("t_", *this);
  return become(*this, t(), "t_");
}

Variable movedim(const Variable& x, IntArrayRef source, IntArrayRef destination) {
  TAPEDECK_CHECK_DEFINED("movedim", x);
  TAPEDECK_CHECK(source.size() == destination.size(),
                 "movedim: Invalid source or destination dims: source (", source,
                 " dims) should contain the same number of dims as destination (", destination,
                 " dims)");
  constexpr std::int64_t kFree = -1;
  DimVector order(static_cast<std::size_t>(x.dim()), kFree);
  DimVector moved(static_cast<std::size_t>(x.dim()), 0);
  for (std::size_t i = 0; i < source.size(); ++i) {
    const std::int64_t from = wrap_dim(source[i], x.dim(), "movedim");
    const std::int64_t to = wrap_dim(destination[i], x.dim(), "movedim");
    if (x.dim() == 0) continue;
    TAPEDECK_CHECK(!moved[from], "movedim: repeated dim in `source` (", source, ")");
    TAPEDECK_CHECK(order[to] == kFree, "movedim: repeated dim in `destination` (", destination,
                   ")");
    moved[from] = 1;
    order[to] = from;
  }
  std::int64_t next = 0;
  for (std::int64_t& axis : order) {
    if (axis != kFree) continue;
    while (moved[next]) ++next;
    axis = next++;
  }
  return permute(x, order);
}
Variable movedim(const Variable& x, std::int64_t source, std::int64_t destination) {
  TAPEDECK_CHECK_DEFINED("movedim", x);
  return movedim(x, IntArrayRef(source), IntArrayRef(destination));
}
Variable Variable::movedim(std::int64_t source, std::int64_t destination) const {
  return tapedeck::movedim(*this, source, destination);
}
Variable Variable::movedim(IntArrayRef source, IntArrayRef destination) const {
  return tapedeck::movedim(*this, source, destination);
}

std::vector<Variable> broadcast_tensors(TensorList tensors) {
  TAPEDECK_CHECK_DEFINED("broadcast_tensors", tensors);
  DimVector sizes;
  for (const Variable& t : tensors) sizes = broadcast_shapes(sizes, t.sizes(), "broadcast_tensors");
  std::vector<Variable> result;
  for (const Variable& t : tensors) result.push_back(t.expand(sizes));
  return result;
}

Variable& Variable::resize_(IntArrayRef size, std::optional<MemoryFormat>) const {
  TAPEDECK_CHECK_DEFINED("resize_", *this);
  const detail::OpScope scope("resize_");
  TAPEDECK_CHECK(!requires_grad(), "resize_: cannot resize variables that require grad (shape ",
                 sizes(), ")");
  const DimVector old = array().sizes();
  for (const std::int64_t s : size) TAPEDECK_CHECK(s >= 0, "resize_: negative dimension in ", size);
  const std::int64_t available =
      static_cast<std::int64_t>(array().storage()->nbytes()) / element_size() - storage_offset();
  if (numel_of(size) <= available) {
    impl_->array = array().as_strided(size, contiguous_strides(size), storage_offset());
  } else {
    TAPEDECK_CHECK(!is_view(), "resize_: a view cannot grow (shape ", old.ref(), " to ", size, ")");
    TAPEDECK_CHECK(
        !array().storage()->is_borrowed(),
        "resize_: Trying to resize storage that is not resizable: memory of the caller's "
        "(shape ",
        old.ref(), " to ", size, ")");
    // The elements keep the order in which they lie in memory.
    const Array bigger = Array::empty(size, dtype());
    Array head = bigger.as_strided({available}, {1}, 0);
    kernels::copy(array().as_strided({available}, {1}, storage_offset()), head);
    impl_->array = bigger;
  }
  impl_->accumulator.reset();
  return const_cast<Variable&>(*this);
}

Variable atleast_1d(const Variable& x) {
  TAPEDECK_CHECK_DEFINED("atleast_1d", x);
  return x.dim() == 0 ? x.reshape({1}) : x;
}
Variable atleast_2d(const Variable& x) {
  TAPEDECK_CHECK_DEFINED("atleast_2d", x);
  if (x.dim() == 0) return x.reshape({1, 1});
  return x.dim() == 1 ? x.unsqueeze(0) : x;
}
Variable atleast_3d(const Variable& x) {
  TAPEDECK_CHECK_DEFINED("atleast_3d", x);
  if (x.dim() == 0) return x.reshape({1, 1, 1});
  if (x.dim() == 1) return x.unsqueeze(0).unsqueeze(-1);
  return x.dim() == 2 ? x.unsqueeze(-1) : x;
}

}  // namespace tapedeck
