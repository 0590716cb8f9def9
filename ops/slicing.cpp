// Views of a part of a tensor. The gradient of a part is the part's gradient among zeros; the
// gradient of that is the part again.
#include <algorithm>
#include <cstdlib>
#include <limits>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/strided_region.h>
#include <tapedeck/ops/rearrange.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck {

namespace {

// One axis' indices start, start + step, ... below end, all in bounds.
struct SlicePart {
  std::int64_t dim, start, end, step;
  static constexpr const char* name = "SliceBackward0";
  static constexpr bool overlaps = false;
  Array of(const Array& x) const { return x.slice(dim, start, end, step); }
};

struct SelectPart {
  std::int64_t dim, index;
  static constexpr const char* name = "SelectBackward0";
  static constexpr bool overlaps = false;
  Array of(const Array& x) const { return x.select(dim, index); }
};

struct DiagonalPart {
  std::int64_t offset, dim1, dim2;
  static constexpr const char* name = "DiagonalBackward0";
  static constexpr bool overlaps = false;
  Array of(const Array& x) const {
    const std::int64_t rows = x.sizes()[dim1], columns = x.sizes()[dim2];
    const std::int64_t length = std::max<std::int64_t>(
        offset >= 0 ? std::min(rows, columns - offset) : std::min(rows + offset, columns), 0);
    std::int64_t start = x.offset();
    if (length > 0) start += offset >= 0 ? offset * x.strides()[dim2] : -offset * x.strides()[dim1];
    DimVector sizes = x.sizes(), strides = x.strides();
    const std::int64_t step = strides[dim1] + strides[dim2];
    for (const std::int64_t dim : {std::max(dim1, dim2), std::min(dim1, dim2)}) {
      sizes.erase(dim);
      strides.erase(dim);
    }
    sizes.push_back(length);
    strides.push_back(step);
    return x.as_strided(sizes, strides, start);
  }
};

// Windows of `size` elements, `step` apart, as a further last axis.
struct WindowPart {
  std::int64_t dim, size, step;
  static constexpr const char* name = "UnfoldBackward0";
  static constexpr bool overlaps = true;
  Array of(const Array& x) const {
    if (x.dim() == 0) return x.as_strided({size}, {1}, x.offset());
    const std::int64_t length = x.sizes()[dim], stride = x.strides()[dim];
    DimVector sizes = x.sizes(), strides = x.strides();
    sizes[dim] = (length - size) / step + 1;
    strides[dim] = stride * step;
    sizes.push_back(size);
    strides.push_back(stride);
    return x.as_strided(sizes, strides, x.offset());
  }
};

template <typename Part>
Variable part_of(const Variable& x, const Part& part);

// y = 0, y[part] += x;  dx = g[part]
template <typename Part>
Variable among_zeros(const Variable& x, const DimVector& sizes, const Part& part) {
  const Array whole = kernels::zeros(sizes, x.dtype());
  Array target = part.of(whole);
  if constexpr (Part::overlaps)
    kernels::accumulate_strided(x.array(), target);
  else
    kernels::copy(x.array(), target);
  Variable y(whole);
  if (should_record(x))
    record(y, Part::name, edges(x), [part](const Variable& g) { return part_of(g, part); });
  return y;
}

// y = x[part], a view;  dx = g among zeros
template <typename Part>
Variable part_of(const Variable& x, const Part& part) {
  Variable y = make_view(x, part.of(x.array()));
  if (should_record(x))
    record(y, Part::name, edges(x), [part](const Variable& g, const VjpContext& ctx) {
      return among_zeros(g, ctx.input_sizes(0), part);
    });
  return y;
}

}  // namespace

Variable slice(const Variable& x, std::int64_t dim, std::optional<std::int64_t> start,
               std::optional<std::int64_t> end, std::int64_t step) {
  TAPEDECK_CHECK_DEFINED("slice", x);
  TAPEDECK_CHECK(x.dim() > 0, "slice() cannot be applied to a 0-dim tensor.");
  dim = wrap_dim(dim, x.dim(), "slice");
  TAPEDECK_CHECK_AS(ValueError, step > 0, "slice step must be positive, got ", step);
  const std::int64_t length = x.sizes()[dim];
  const auto clip = [length](std::int64_t i) {
    return std::clamp<std::int64_t>(i < 0 ? i + length : i, 0, length);
  };
  const std::int64_t first = clip(start.value_or(0));
  const std::int64_t last =
      std::max(first, clip(end.value_or(std::numeric_limits<std::int64_t>::max())));
  // A step beyond the end is as good as one to the end, and cannot overflow.
  return part_of(x, SlicePart{dim, first, last, std::min(step, std::max<std::int64_t>(length, 1))});
}
Variable Variable::slice(std::int64_t dim, std::optional<std::int64_t> start,
                         std::optional<std::int64_t> end, std::int64_t step) const {
  return tapedeck::slice(*this, dim, start, end, step);
}

Variable select(const Variable& x, std::int64_t dim, std::int64_t index) {
  TAPEDECK_CHECK_DEFINED("select", x);
  TAPEDECK_CHECK_AS(IndexError, x.dim() > 0, "select() cannot be applied to a 0-dim tensor.");
  dim = wrap_dim(dim, x.dim(), "select");
  const std::int64_t length = x.sizes()[dim];
  TAPEDECK_CHECK_AS(IndexError, index >= -length && index < length, "select(): index ", index,
                    " is out of bounds for dimension ", dim, " with size ", length, " (shape ",
                    x.sizes(), ")");
  return part_of(x, SelectPart{dim, index < 0 ? index + length : index});
}
Variable Variable::select(std::int64_t dim, std::int64_t index) const {
  return tapedeck::select(*this, dim, index);
}

Variable narrow(const Variable& x, std::int64_t dim, std::int64_t start, std::int64_t length) {
  TAPEDECK_CHECK_DEFINED("narrow", x);
  TAPEDECK_CHECK(x.dim() > 0, "narrow() cannot be applied to a 0-dim tensor.");
  TAPEDECK_CHECK(length >= 0, "narrow(): length must be non-negative, got ", length);
  dim = wrap_dim(dim, x.dim(), "narrow");
  const std::int64_t size = x.sizes()[dim];
  TAPEDECK_CHECK_AS(IndexError, start >= -size && start <= size, "narrow(): start ", start,
                    " is out of bounds for dimension ", dim, " with size ", size, " (shape ",
                    x.sizes(), ")");
  if (start < 0) start += size;
  TAPEDECK_CHECK(start <= size - length, "narrow(): start (", start, ") + length (", length,
                 ") exceeds dimension size (", size, ") (dimension ", dim, ", shape ", x.sizes(),
                 ")");
  return part_of(x, SlicePart{dim, start, start + length, 1});
}
Variable narrow(const Variable& x, std::int64_t dim, const Variable& start, std::int64_t length) {
  TAPEDECK_CHECK_DEFINED("narrow", x, start);
  TAPEDECK_CHECK(start.dim() == 0 && is_integral(start.dtype(), false),
                 "narrow(): start must be a 0-dim integral Tensor, got shape ", start.sizes(),
                 " of ", start.dtype());
  return narrow(x, dim, start.item<std::int64_t>(), length);
}
Variable Variable::narrow(std::int64_t dim, const Variable& start, std::int64_t length) const {
  return tapedeck::narrow(*this, dim, start, length);
}
Variable Variable::narrow(std::int64_t dim, std::int64_t start, std::int64_t length) const {
  return tapedeck::narrow(*this, dim, start, length);
}

Variable diagonal(const Variable& x, std::int64_t offset, std::int64_t dim1, std::int64_t dim2) {
  TAPEDECK_CHECK_DEFINED("diagonal", x);
  const std::int64_t a = wrap_dim(dim1, x.dim(), "diagonal"),
                     b = wrap_dim(dim2, x.dim(), "diagonal");
  TAPEDECK_CHECK(a != b, "diagonal dimensions cannot be identical ", dim1, ", ", dim2, " (shape ",
                 x.sizes(), ")");
  return part_of(x, DiagonalPart{offset, a, b});
}
Variable Variable::diagonal(std::int64_t offset, std::int64_t dim1, std::int64_t dim2) const {
  return tapedeck::diagonal(*this, offset, dim1, dim2);
}

Variable diag_embed(const Variable& x, std::int64_t offset, std::int64_t dim1, std::int64_t dim2) {
  TAPEDECK_CHECK_DEFINED("diag_embed", x);
  TAPEDECK_CHECK(x.dim() > 0, "diag_embed: expected at least one dimension, got a scalar");
  const std::int64_t a = wrap_dim(dim1, x.dim() + 1, "diag_embed"),
                     b = wrap_dim(dim2, x.dim() + 1, "diag_embed");
  TAPEDECK_CHECK(a != b, "diag_embed: diagonal dimensions cannot be identical ", dim1, ", ", dim2);
  DimVector sizes = x.array().sizes();
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max() / 2;
  TAPEDECK_CHECK(-kLargest <= offset && offset <= kLargest && sizes.back() <= kLargest,
                 "diag_embed: the offset ", offset, " is too large (shape ", x.sizes(), ")");
  const std::int64_t side = sizes.back() + std::abs(offset);
  sizes.pop_back();
  sizes.insert(std::min(a, b), side);
  sizes.insert(std::max(a, b), side);
  return among_zeros(x, sizes, DiagonalPart{offset, a, b});
}

Variable Variable::unfold(std::int64_t dimension, std::int64_t size, std::int64_t step) const {
  TAPEDECK_CHECK_DEFINED("unfold", *this);
  const detail::OpScope scope("unfold");
  const std::int64_t d = wrap_dim(dimension, dim(), "unfold");
  const std::int64_t length = dim() == 0 ? 1 : sizes()[d];
  TAPEDECK_CHECK(step > 0, "unfold: step is ", step, " but must be > 0");
  TAPEDECK_CHECK(size >= 0, "unfold: size is ", size, " but must be >= 0");
  TAPEDECK_CHECK(size <= length, "unfold: maximum size for tensor at dimension ", d, " is ", length,
                 " but size is ", size, " (shape ", sizes(), ")");
  return part_of(*this, WindowPart{d, size, step});
}

}  // namespace tapedeck
