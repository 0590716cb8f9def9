#include <tapedeck/ops/parts.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/comparison.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/index.h>
#include <tapedeck/ops/joining.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/power.h>
#include <tapedeck/ops/promotion.h>
#include <tapedeck/ops/rearrange.h>
#include <tapedeck/ops/reduction.h>
#include <tapedeck/ops/shape.h>
#include <tapedeck/ops/sorting.h>
#include <tapedeck/ops/ternary.h>

namespace tapedeck {

using V = Variable;

namespace {

// The copy that is changed in place; recorded, so that what stays of self keeps its gradient.
V replaced(const V& self, const V& src, const char* op, const std::function<V(const V&)>& part) {
  const V copy = self.clone(), view = part(copy);
  TAPEDECK_CHECK(view.sizes().equals(src.sizes()), op,
                 ": expected src to have a size equal to the slice of self. src size = ",
                 src.sizes(), ", slice size = ", view.sizes());
  view.copy_(src);
  return copy;
}

std::int64_t horizontal(const V& self) {
  TAPEDECK_CHECK(self.dim() >= 1,
                 "torch.hsplit requires a tensor with at least 1 dimension, but got a tensor with ",
                 self.dim(), " dimensions!");
  return self.dim() == 1 ? 0 : 1;
}
std::int64_t axis_of(const V& self, std::int64_t dim, const char* op) {
  TAPEDECK_CHECK(self.dim() > dim, "torch.", op, " requires a tensor with at least ", dim + 1,
                 " dimension, but got a tensor with ", self.dim(), " dimensions!");
  return dim;
}
std::vector<V> even_parts(const V& self, std::int64_t sections, std::int64_t dim, const char* op) {
  TAPEDECK_CHECK(sections > 0 && self.size(dim) % sections == 0, "torch.", op,
                 " attempted to split along dimension ", dim, ", but the size of the dimension ",
                 self.size(dim), " is not divisible by the split_size ", sections, "!");
  return tensor_split(self, sections, dim);
}

}  // namespace

V select_scatter(const V& self, const V& src, std::int64_t dim, std::int64_t index) {
  return replaced(self, src, "select_scatter", [&](const V& x) { return x.select(dim, index); });
}
V slice_scatter(const V& self, const V& src, std::int64_t dim, std::optional<std::int64_t> start,
                std::optional<std::int64_t> end, std::int64_t step) {
  return replaced(self, src, "slice_scatter",
                  [&](const V& x) { return x.slice(dim, start, end, step); });
}
V diagonal_scatter(const V& self, const V& src, std::int64_t offset, std::int64_t dim1,
                   std::int64_t dim2) {
  return replaced(self, src, "diagonal_scatter",
                  [&](const V& x) { return x.diagonal(offset, dim1, dim2); });
}

V& fill_diagonal_(const V& self, Scalar value, bool wrap) {
  TAPEDECK_CHECK(self.dim() >= 2, "fill_diagonal_: dimensions must larger than 1, got shape ",
                 self.sizes());
  const std::int64_t shortest = *std::min_element(self.sizes().begin(), self.sizes().end());
  TAPEDECK_CHECK(self.dim() == 2 || std::all_of(self.sizes().begin(), self.sizes().end(),
                                                [&](std::int64_t s) { return s == shortest; }),
                 "fill_diagonal_: all dimensions of input must be of equal length, got ",
                 self.sizes());
  const std::int64_t step =
      std::accumulate(self.strides().begin(), self.strides().end(), std::int64_t{0});
  const auto fill = [&](std::int64_t offset, std::int64_t count) {
    self.as_strided(count, step, self.storage_offset() + offset).fill_(value);
  };
  fill(0, shortest);
  if (wrap && self.dim() == 2)
    for (std::int64_t row = self.size(1) + 1; row < self.size(0); row += self.size(1) + 1)
      fill(row * self.stride(0), std::min(self.size(1), self.size(0) - row));
  return const_cast<V&>(self);
}

std::vector<V> hsplit(const V& self, std::int64_t sections) {
  return even_parts(self, sections, horizontal(self), "hsplit");
}
std::vector<V> hsplit(const V& self, IntArrayRef indices) {
  return tensor_split(self, indices, horizontal(self));
}
std::vector<V> vsplit(const V& self, std::int64_t sections) {
  axis_of(self, 1, "vsplit");
  return even_parts(self, sections, 0, "vsplit");
}
std::vector<V> vsplit(const V& self, IntArrayRef indices) {
  axis_of(self, 1, "vsplit");
  return tensor_split(self, indices, 0);
}
std::vector<V> dsplit(const V& self, std::int64_t sections) {
  return even_parts(self, sections, axis_of(self, 2, "dsplit"), "dsplit");
}
std::vector<V> dsplit(const V& self, IntArrayRef indices) {
  return tensor_split(self, indices, axis_of(self, 2, "dsplit"));
}
V moveaxis(const V& self, IntArrayRef source, IntArrayRef destination) {
  return movedim(self, source, destination);
}

V concatenate(TensorList tensors, std::int64_t dim) { return cat(tensors, dim); }
V row_stack(TensorList tensors) { return vstack(tensors); }

V block_diag(TensorList tensors) {
  std::vector<V> blocks;
  std::int64_t columns = 0;
  for (const V& t : tensors) {
    TAPEDECK_CHECK(t.dim() <= 2, "block_diag: Input tensors must have 2 or fewer dimensions, got ",
                   t.sizes());
    blocks.push_back(atleast_2d(t));
    columns += blocks.back().size(1);
  }
  std::vector<V> rows;
  std::int64_t before = 0;
  for (const V& block : blocks) {
    const std::int64_t height = block.size(0), width = block.size(1);
    rows.push_back(cat({block.new_zeros({height, before}), block,
                        block.new_zeros({height, columns - before - width})},
                       1));
    before += width;
  }
  return rows.empty() ? zeros({1, 0}) : cat(rows, 0);
}

V cartesian_prod(TensorList tensors) {
  for (const V& t : tensors)
    TAPEDECK_CHECK(t.dim() == 1, "cartesian_prod: Expect a 1D vector, but got shape ", t.sizes());
  if (tensors.size() == 1) return tensors[0];
  std::vector<V> columns;
  for (const V& grid : meshgrid(tensors)) columns.push_back(grid.reshape({-1}));
  return stack(columns, 1);
}

V combinations(const V& self, std::int64_t r, bool with_replacement) {
  TAPEDECK_CHECK(self.dim() == 1, "combinations: Expect a 1D vector, but got shape ", self.sizes());
  TAPEDECK_CHECK(r >= 0, "combinations: Expect a non-negative number, but got ", r);
  if (r == 0) return self.new_empty({0});
  const std::int64_t n = self.numel();
  std::vector<std::int64_t> chosen, all;
  std::int64_t count = 0;
  const auto choose = [&](const auto& next, std::int64_t from) -> void {
    if (static_cast<std::int64_t>(chosen.size()) == r) {
      all.insert(all.end(), chosen.begin(), chosen.end());
      ++count;
      return;
    }
    for (std::int64_t i = from; i < n; ++i) {
      chosen.push_back(i);
      next(next, with_replacement ? i : i + 1);
      chosen.pop_back();
    }
  };
  choose(choose, 0);
  return index_select(self, 0, tensor(all, kInt64)).reshape({count, r});
}

V channel_shuffle(const V& self, std::int64_t groups) {
  TAPEDECK_CHECK(self.dim() > 2 && groups > 0 && self.size(1) % groups == 0,
                 "channel_shuffle: expected more than two dimensions and a number of channels "
                 "divisible by groups, got input ",
                 self.sizes(), " and groups ", groups);
  DimVector split(self.sizes());
  split[1] = groups;
  split.insert(2, self.size(1) / groups);
  return self.reshape(split).transpose(1, 2).reshape(self.sizes());
}

V vander(const V& x, std::optional<std::int64_t> N, bool increasing) {
  TAPEDECK_CHECK(x.dim() == 1, "vander: x must be a one-dimensional tensor, got ", x.sizes());
  const V powers = arange(N.value_or(x.numel()), x.is_floating_point() ? x.dtype() : kInt64);
  const V columns = pow(x.unsqueeze(1), increasing ? powers : flip(powers, {0}));
  return columns;
}

V isin(const V& elements, const V& test_elements, bool, bool invert) {
  const detail::OpScope scope("isin");
  const ScalarType dtype = result_type(elements, test_elements);
  const V tests = std::get<0>(sort(test_elements.detach().to(dtype).reshape({-1}), 0, false));
  const V x = elements.detach().to(dtype);
  if (tests.numel() == 0) return V(kernels::full(x.sizes(), invert, kBool));
  const V place = searchsorted(tests, x.contiguous()).clamp_max(tests.numel() - 1);
  const V found = take(tests, place) == x;
  return invert ? logical_not(found) : found;
}
V isin(const V& elements, Scalar test_element, bool, bool invert) {
  return invert ? ne(elements, test_element) : eq(elements, test_element);
}

std::tuple<V, V, V> unique_dim(const V& self, std::int64_t dim, bool, bool return_inverse,
                               bool return_counts) {
  const V slices = self.detach().movedim(dim, 0).contiguous();
  const std::int64_t n = slices.size(0), length = n > 0 ? slices.numel() / n : 0;
  const V rows = slices.reshape({n, length}).to(kFloat64);
  const double* const at = rows.data_ptr<double>();
  const auto row = [&](std::int64_t i) { return at + i * length; };
  std::vector<std::int64_t> order(static_cast<std::size_t>(n)), first, counts;
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return std::lexicographical_compare(row(a), row(a) + length, row(b), row(b) + length);
  });
  std::vector<std::int64_t> inverse(static_cast<std::size_t>(n));
  for (const std::int64_t i : order) {
    if (first.empty() || !std::equal(row(i), row(i) + length, row(first.back()))) {
      first.push_back(i);
      counts.push_back(0);
    }
    ++counts.back();
    inverse[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(first.size()) - 1;
  }
  const V none = empty({0}, kInt64);
  return {index_select(self, dim, tensor(first, kInt64)),
          return_inverse ? tensor(inverse, kInt64) : none,
          return_counts ? tensor(counts, kInt64) : none};
}

bool is_same_size(const V& self, const V& other) { return self.sizes().equals(other.sizes()); }

V VariableMath::mT() const { return dim() == 0 ? self() : self().transpose(-2, -1); }
V VariableMath::mH() const { return mT(); }
V VariableMath::adjoint() const { return mT(); }
V VariableMath::numpy_T() const {
  DimVector dims;
  for (std::int64_t d = self().dim(); d-- > 0;) dims.push_back(d);
  return self().permute(dims);
}
V VariableMath::matrix_H() const { return self().t(); }
V VariableMath::moveaxis(std::int64_t source, std::int64_t destination) const {
  return movedim(self(), source, destination);
}
V VariableMath::moveaxis(IntArrayRef source, IntArrayRef destination) const {
  return movedim(self(), source, destination);
}
V VariableMath::alias() const { return self().view(self().sizes()); }
V VariableMath::fliplr() const { return tapedeck::fliplr(self()); }
V VariableMath::flipud() const { return tapedeck::flipud(self()); }
V VariableMath::rot90(std::int64_t k, IntArrayRef dims) const {
  return tapedeck::rot90(self(), k, dims);
}
V VariableMath::diag_embed(std::int64_t offset, std::int64_t dim1, std::int64_t dim2) const {
  return tapedeck::diag_embed(self(), offset, dim1, dim2);
}
V VariableMath::diagflat(std::int64_t offset) const { return tapedeck::diagflat(self(), offset); }
V VariableMath::argwhere() const { return tapedeck::argwhere(self()); }
std::vector<V> VariableMath::nonzero_numpy() const { return tapedeck::where(self()); }
V VariableMath::msort() const { return tapedeck::msort(self()); }
#define TAPEDECK_SPLIT(name)                                       \
  std::vector<V> VariableMath::name(std::int64_t sections) const { \
    return tapedeck::name(self(), sections);                       \
  }                                                                \
  std::vector<V> VariableMath::name(IntArrayRef indices) const {   \
    return tapedeck::name(self(), indices);                        \
  }
TAPEDECK_SPLIT(hsplit)
TAPEDECK_SPLIT(vsplit)
TAPEDECK_SPLIT(dsplit)
#undef TAPEDECK_SPLIT
V VariableMath::select_scatter(const V& src, std::int64_t dim, std::int64_t index) const {
  return tapedeck::select_scatter(self(), src, dim, index);
}
V VariableMath::slice_scatter(const V& src, std::int64_t dim, std::optional<std::int64_t> start,
                              std::optional<std::int64_t> end, std::int64_t step) const {
  return tapedeck::slice_scatter(self(), src, dim, start, end, step);
}
V VariableMath::diagonal_scatter(const V& src, std::int64_t offset, std::int64_t dim1,
                                 std::int64_t dim2) const {
  return tapedeck::diagonal_scatter(self(), src, offset, dim1, dim2);
}
V VariableMath::narrow_copy(std::int64_t dim, std::int64_t start, std::int64_t length) const {
  return self().narrow(dim, start, length).clone();
}
V VariableMath::pin_memory() const {
  // As in libtorch without a CUDA device.
  detail::fail("pin_memory: cannot pin memory, there is no device but the CPU");
}
V VariableMath::to_dense() const { return self(); }
bool VariableMath::is_non_overlapping_and_dense() const {
  DimVector order;
  for (std::int64_t d = 0; d < dim(); ++d)
    if (size(d) != 1) order.push_back(d);
  std::sort(order.begin(), order.end(),
            [&](std::int64_t a, std::int64_t b) { return stride(a) < stride(b); });
  std::int64_t expected = 1;
  for (const std::int64_t d : order) {
    if (stride(d) != expected) return false;
    expected *= size(d);
  }
  return true;
}
V& VariableMath::fill_diagonal_(Scalar value, bool wrap) const {
  return tapedeck::fill_diagonal_(self(), value, wrap);
}
V& VariableMath::resize_as_(const V& other) const { return self().resize_(other.sizes()); }
V& VariableMath::set_(const V& source) const {
  TAPEDECK_CHECK(self().dtype() == source.dtype(), "set_: expected a tensor of dtype ",
                 self().dtype(), ", got ", source.dtype());
  self().set_data(source);
  return const_cast<V&>(self());
}
V& VariableMath::set_() const { return set_(V(Array::empty({0}, self().scalar_type()))); }
V& VariableMath::set_(const Storage& source) const {
  return set_(source, 0, {static_cast<std::int64_t>(source.nbytes()) / element_size()});
}
V& VariableMath::set_(const Storage& source, std::int64_t storage_offset, IntArrayRef size,
                      IntArrayRef stride) const {
  TAPEDECK_CHECK(source, "set_: expected a storage, got none");
  const auto elements = static_cast<std::int64_t>(source.nbytes()) / element_size();
  const Array all = Array::row_major(intrusive_ptr(source.unsafeGetStorageImpl()), {elements},
                                     self().scalar_type());
  const DimVector strides = stride.empty() ? contiguous_strides(size) : DimVector(stride);
  return set_(V(all.as_strided(size, strides, storage_offset)));
}
bool VariableMath::is_same_size(const V& other) const { return sizes().equals(other.sizes()); }

}  // namespace tapedeck
