#include <tapedeck/ops/shape.h>

#include <algorithm>

#include <tapedeck/autograd/record.h>
#include <tapedeck/autograd/view.h>

namespace tapedeck {

using autograd::gather_region;
using autograd::scatter_region;
using autograd::StridedRegion;

namespace {

// y = x under another shape;  dx = g under x's
Variable reshaped_view(const Variable& x, Array view, const char* name) {
  Variable y = make_view(x, std::move(view));
  if (should_record(x))
    record(y, name, edges(x),
           [sizes = x.array().sizes()](const Variable& g) { return g.reshape(sizes); });
  return y;
}

// y = some elements of x, each at most once;  dx = zeros with g in their places
Variable partial_view(const Variable& x, Array view, const char* name) {
  Variable y = make_view(x, std::move(view));
  if (should_record(x))
    record(y, name, edges(x),
           [region = StridedRegion::of(x.array(), y.array())](const Variable& g) {
             return scatter_region(g, region);
           });
  return y;
}

}  // namespace

Variable reshape(const Variable& x, IntArrayRef shape) {
  const DimVector sizes = infer_size(shape, x.numel());
  if (x.array().can_view(sizes)) return x.view(sizes);
  return x.clone().view(sizes);
}

Variable Variable::view(IntArrayRef size) const {
  return reshaped_view(*this, array().view(infer_size(size, numel())), "ViewBackward0");
}

Variable flatten(const Variable& x, std::int64_t start_dim, std::int64_t end_dim) {
  const std::int64_t start = wrap_dim(start_dim, x.dim()), end = wrap_dim(end_dim, x.dim());
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
  const std::int64_t d = wrap_dim(dim, x.dim());
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

Variable ravel(const Variable& x) { return x.reshape({-1}); }

Variable squeeze(const Variable& x) {
  Array view = x.array();
  for (std::int64_t i = view.dim(); i-- > 0;) view = view.squeeze(i);
  return reshaped_view(x, std::move(view), "SqueezeBackward0");
}

Variable squeeze(const Variable& x, std::int64_t dim) {
  return reshaped_view(x, x.array().squeeze(wrap_dim(dim, x.dim())), "SqueezeBackward1");
}

Variable unsqueeze(const Variable& x, std::int64_t dim) {
  return reshaped_view(x, x.array().unsqueeze(dim), "UnsqueezeBackward0");
}

// y = x with two axes exchanged;  dx = g with them exchanged
Variable transpose(const Variable& x, std::int64_t dim0, std::int64_t dim1) {
  Variable y = make_view(x, x.array().transpose(dim0, dim1));
  if (should_record(x))
    record(y, "TransposeBackward0", edges(x),
           [dim0, dim1](const Variable& g) { return g.transpose(dim0, dim1); });
  return y;
}

Variable t(const Variable& x) {
  TAPEDECK_CHECK(x.dim() <= 2, "t() expects a tensor with <= 2 dimensions, but self is ", x.dim(),
                 "D (shape ", x.sizes(), ")");
  return x.dim() < 2 ? transpose(x, 0, 0) : transpose(x, 0, 1);
}

// y = x with its axes in another order;  dx = g with them in the old one
Variable permute(const Variable& x, IntArrayRef dims) {
  Variable y = make_view(x, x.array().permute(dims));
  if (should_record(x)) {
    DimVector inverse(dims.size());
    for (std::size_t i = 0; i < dims.size(); ++i)
      inverse[wrap_dim(dims[i], x.dim())] = static_cast<std::int64_t>(i);
    record(y, "PermuteBackward0", edges(x),
           [inverse](const Variable& g) { return g.permute(inverse); });
  }
  return y;
}

// y = x repeated along axes of size 1 and new ones;  dx = g summed over them
Variable Variable::expand(IntArrayRef size, bool) const {
  Variable y = make_view(*this, array().expand(size));
  if (should_record(*this))
    record(y, "ExpandBackward0", edges(*this),
           [sizes = array().sizes()](const Variable& g) { return g.sum_to_size(sizes); });
  return y;
}

// y = elements of x's storage at any strides;  dx = sums of g over the places of each
Variable as_strided(const Variable& x, IntArrayRef size, IntArrayRef stride,
                    std::optional<std::int64_t> storage_offset) {
  return partial_view(
      x, x.array().as_strided(size, stride, storage_offset.value_or(x.storage_offset())),
      "AsStridedBackward0");
}

Variable select(const Variable& x, std::int64_t dim, std::int64_t index) {
  TAPEDECK_CHECK_AS(IndexError, x.dim() > 0, "select() cannot be applied to a 0-dim tensor.");
  const std::int64_t d = wrap_dim(dim, x.dim()), n = x.size(d);
  TAPEDECK_CHECK_AS(IndexError, index >= -n && index < n, "select(): index ", index,
                    " out of range for tensor of size ", x.sizes(), " at dimension ", d);
  return partial_view(x, x.array().select(d, index < 0 ? index + n : index), "SelectBackward0");
}

Variable slice(const Variable& x, std::int64_t dim, std::optional<std::int64_t> start,
               std::optional<std::int64_t> end, std::int64_t step) {
  TAPEDECK_CHECK(x.dim() > 0, "slice() cannot be applied to a 0-dim tensor.");
  TAPEDECK_CHECK_AS(ValueError, step > 0, "slice step must be positive, got ", step);
  const std::int64_t d = wrap_dim(dim, x.dim()), n = x.size(d);
  const auto clamp = [n](std::int64_t i) {
    return std::clamp<std::int64_t>(i < 0 ? i + n : i, 0, n);
  };
  const std::int64_t first = clamp(start.value_or(0));
  const std::int64_t last = std::max(first, clamp(end.value_or(n)));
  return partial_view(x, x.array().slice(d, first, last, step), "SliceBackward0");
}

Variable narrow(const Variable& x, std::int64_t dim, std::int64_t start, std::int64_t length) {
  TAPEDECK_CHECK(x.dim() > 0, "narrow() cannot be applied to a 0-dim tensor.");
  const std::int64_t n = x.size(dim);
  TAPEDECK_CHECK(length >= 0, "narrow(): length must be non-negative, got ", length);
  TAPEDECK_CHECK_AS(IndexError, start >= -n && start <= n, "narrow(): start ", start,
                    " is out of range for dimension ", dim, " of shape ", x.sizes());
  const std::int64_t first = start < 0 ? start + n : start;
  TAPEDECK_CHECK(first + length <= n, "narrow(): start (", first, ") + length (", length,
                 ") exceeds dimension size (", n, ") of shape ", x.sizes());
  return slice(x, dim, first, first + length, 1);
}

Variable Variable::reshape(IntArrayRef shape) const { return tapedeck::reshape(*this, shape); }
Variable Variable::reshape_as(const Variable& other) const { return reshape(other.sizes()); }
Variable Variable::view_as(const Variable& other) const { return view(other.sizes()); }
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
Variable Variable::expand_as(const Variable& other) const { return expand(other.sizes()); }
Variable Variable::as_strided(IntArrayRef size, IntArrayRef stride,
                              std::optional<std::int64_t> storage_offset) const {
  return tapedeck::as_strided(*this, size, stride, storage_offset);
}
Variable Variable::select(std::int64_t dim, std::int64_t index) const {
  return tapedeck::select(*this, dim, index);
}
Variable Variable::slice(std::int64_t dim, std::optional<std::int64_t> start,
                         std::optional<std::int64_t> end, std::int64_t step) const {
  return tapedeck::slice(*this, dim, start, end, step);
}
Variable Variable::narrow(std::int64_t dim, std::int64_t start, std::int64_t length) const {
  return tapedeck::narrow(*this, dim, start, length);
}

}  // namespace tapedeck
