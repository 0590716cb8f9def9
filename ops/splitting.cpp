// Several views of one tensor at once, recorded as one operation.
#include <algorithm>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/joining.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck {

namespace {

// The gradients of the pieces, zeros where none came.
std::vector<Variable> with_zeros(const Gradients& grads, const std::vector<DimVector>& sizes,
                                 ScalarType dtype) {
  std::vector<Variable> full;
  for (std::size_t i = 0; i < grads.size(); ++i)
    full.push_back(grads[i].defined() ? grads[i] : Variable(kernels::zeros(sizes[i], dtype)));
  return full;
}

// y_i = consecutive pieces of x;  dx = the g_i joined again
std::vector<Variable> pieces(const Variable& x, IntArrayRef lengths, std::int64_t dim) {
  std::vector<Variable> parts;
  std::vector<DimVector> sizes;
  std::int64_t start = 0;
  for (const std::int64_t length : lengths) {
    parts.push_back(make_view(x, x.array().slice(dim, start, start + length, 1)));
    sizes.push_back(parts.back().array().sizes());
    start += length;
  }
  if (should_record(x) && !parts.empty())
    record(parts, "SplitWithSizesBackward0", edges(x),
           [sizes, dim, dtype = x.dtype()](const Gradients& g, const VjpContext&) {
             return Gradients{cat(with_zeros(g, sizes, dtype), dim)};
           });
  return parts;
}

std::int64_t checked_dim(const Variable& x, std::int64_t dim, const char* op) {
  TAPEDECK_CHECK(x.dim() > 0, op, " expects at least a 1-dimensional tensor");
  return wrap_dim(dim, x.dim(), op);
}

}  // namespace

// y_i = x[i];  dx = the g_i stacked
std::vector<Variable> unbind(const Variable& x, std::int64_t dim) {
  TAPEDECK_CHECK_DEFINED("unbind", x);
  TAPEDECK_CHECK_AS(IndexError, x.dim() > 0, "unbind() cannot be applied to a 0-dim tensor.");
  dim = wrap_dim(dim, x.dim(), "unbind");
  std::vector<Variable> parts;
  for (std::int64_t i = 0; i < x.sizes()[dim]; ++i)
    parts.push_back(make_view(x, x.array().select(dim, i)));
  if (should_record(x) && !parts.empty()) {
    DimVector size = x.array().sizes();
    size.erase(dim);
    record(parts, "UnbindBackward0", edges(x),
           [size, dim, dtype = x.dtype()](const Gradients& g, const VjpContext&) {
             return Gradients{
                 stack(with_zeros(g, std::vector<DimVector>(g.size(), size), dtype), dim)};
           });
  }
  return parts;
}
std::vector<Variable> Variable::unbind(std::int64_t dim) const {
  return tapedeck::unbind(*this, dim);
}

namespace {

// Empty pieces cost memory, too: a number of them that nobody means is an error.
void check_pieces(const char* op, std::int64_t count) {
  constexpr std::int64_t kMost = std::int64_t{1} << 24;
  TAPEDECK_CHECK(count <= kMost, op, ": expected at most ", kMost, " pieces, got ", count);
}

}  // namespace

std::vector<Variable> split(const Variable& x, std::int64_t split_size, std::int64_t dim) {
  TAPEDECK_CHECK_DEFINED("split", x);
  const detail::OpScope scope("split");
  dim = checked_dim(x, dim, "split");
  const std::int64_t length = x.sizes()[dim];
  TAPEDECK_CHECK(split_size >= 0,
                 "split expects split_size be non-negative, but got split_size=", split_size);
  TAPEDECK_CHECK(split_size > 0 || length == 0,
                 "split_size can only be 0 if dimension size is 0, but got dimension size of ",
                 length);
  std::vector<std::int64_t> lengths;
  for (std::int64_t start = 0; start < length; start += split_size)
    lengths.push_back(std::min(split_size, length - start));
  if (length == 0) lengths.push_back(0);
  return pieces(x, lengths, dim);
}
std::vector<Variable> split_with_sizes(const Variable& x, IntArrayRef split_sizes,
                                       std::int64_t dim) {
  TAPEDECK_CHECK_DEFINED("split_with_sizes", x);
  dim = checked_dim(x, dim, "split_with_sizes");
  std::int64_t sum = 0;
  bool overflow = false;
  for (const std::int64_t s : split_sizes) {
    TAPEDECK_CHECK(s >= 0,
                   "split_with_sizes expects split_sizes have only non-negative entries, but got "
                   "split_sizes=",
                   split_sizes);
    overflow |= __builtin_add_overflow(sum, s, &sum);
  }
  TAPEDECK_CHECK(!overflow && sum == x.sizes()[dim],
                 "split_with_sizes expects split_sizes to sum exactly to ", x.sizes()[dim],
                 " (input tensor's size at dimension ", dim,
                 "), but got split_sizes=", split_sizes);
  return pieces(x, split_sizes, dim);
}
std::vector<Variable> split(const Variable& x, IntArrayRef split_sizes, std::int64_t dim) {
  TAPEDECK_CHECK_DEFINED("split", x);
  const detail::OpScope scope("split");
  return split_with_sizes(x, split_sizes, dim);
}
std::vector<Variable> Variable::split(std::int64_t split_size, std::int64_t dim) const {
  return tapedeck::split(*this, split_size, dim);
}
std::vector<Variable> Variable::split(IntArrayRef split_sizes, std::int64_t dim) const {
  TAPEDECK_CHECK_DEFINED("split", *this);
  const detail::OpScope scope("split");
  return tapedeck::split_with_sizes(*this, split_sizes, dim);
}
std::vector<Variable> Variable::split_with_sizes(IntArrayRef split_sizes, std::int64_t dim) const {
  return tapedeck::split_with_sizes(*this, split_sizes, dim);
}

std::vector<Variable> chunk(const Variable& x, std::int64_t chunks, std::int64_t dim) {
  TAPEDECK_CHECK_DEFINED("chunk", x);
  dim = checked_dim(x, dim, "chunk");
  TAPEDECK_CHECK(chunks > 0, "chunk expects `chunks` to be greater than 0, got: ", chunks);
  check_pieces("chunk", x.sizes()[dim] == 0 ? chunks : 0);
  const std::int64_t length = x.sizes()[dim];
  if (length == 0)
    return pieces(x, std::vector<std::int64_t>(static_cast<std::size_t>(chunks), 0), dim);
  return split(x, length / chunks + (length % chunks != 0), dim);
}
std::vector<Variable> Variable::chunk(std::int64_t chunks, std::int64_t dim) const {
  return tapedeck::chunk(*this, chunks, dim);
}

std::vector<Variable> tensor_split(const Variable& x, std::int64_t sections, std::int64_t dim) {
  TAPEDECK_CHECK_DEFINED("tensor_split", x);
  dim = checked_dim(x, dim, "tensor_split");
  TAPEDECK_CHECK(sections > 0, "tensor_split: number of sections must be larger than 0, got ",
                 sections);
  check_pieces("tensor_split", sections);
  const std::int64_t length = x.sizes()[dim];
  std::vector<std::int64_t> lengths;
  for (std::int64_t i = 0; i < sections; ++i)
    lengths.push_back(length / sections + (i < length % sections));
  return pieces(x, lengths, dim);
}
std::vector<Variable> tensor_split(const Variable& x, IntArrayRef indices, std::int64_t dim) {
  TAPEDECK_CHECK_DEFINED("tensor_split", x);
  dim = checked_dim(x, dim, "tensor_split");
  // As slices x[0:i0], x[i0:i1], ...: they may overlap or be empty.
  std::vector<Variable> parts;
  std::int64_t start = 0;
  for (const std::int64_t end : indices) {
    parts.push_back(slice(x, dim, start, end));
    start = end;
  }
  parts.push_back(slice(x, dim, start));
  return parts;
}
std::vector<Variable> Variable::tensor_split(std::int64_t sections, std::int64_t dim) const {
  return tapedeck::tensor_split(*this, sections, dim);
}
std::vector<Variable> Variable::tensor_split(IntArrayRef indices, std::int64_t dim) const {
  return tapedeck::tensor_split(*this, indices, dim);
}

}  // namespace tapedeck
