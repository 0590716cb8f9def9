#include <tapedeck/array/array.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace tapedeck {

std::int64_t numel_of(IntArrayRef sizes) {
  std::int64_t n = 1;
  bool overflow = false, is_empty = false;
  for (std::int64_t s : sizes) {
    overflow |= __builtin_mul_overflow(n, s, &n);
    is_empty |= s == 0;
  }
  if (is_empty) return 0;
  TAPEDECK_CHECK(!overflow, "the number of elements of shape ", sizes, " does not fit 64 bits");
  return n;
}

namespace {
// From the sizes to the strides of a row-major array.
inline void set_contiguous(DimVector& strides) {
  // Unsigned, because an empty shape may have any other sizes, whose product overflows.
  std::uint64_t step = 1;
  for (std::size_t i = strides.size(); i-- > 0;) {
    const std::int64_t size = std::exchange(strides[i], static_cast<std::int64_t>(step));
    step *= static_cast<std::uint64_t>(std::max<std::int64_t>(size, 1));
  }
}
}  // namespace

DimVector contiguous_strides(IntArrayRef sizes) {
  DimVector strides(sizes);
  set_contiguous(strides);
  return strides;
}

DimVector broadcast_shapes(IntArrayRef a, IntArrayRef b, const char* op) {
  const std::size_t dims = std::max(a.size(), b.size());
  DimVector out(dims);
  for (std::size_t i = 0; i < dims; ++i) {
    const std::int64_t x = i < dims - a.size() ? 1 : a[i - (dims - a.size())];
    const std::int64_t y = i < dims - b.size() ? 1 : b[i - (dims - b.size())];
    TAPEDECK_CHECK(x == y || x == 1 || y == 1, op, ": the shapes ", a, " and ", b,
                   " do not broadcast: at dimension ", i, " they have ", x, " and ", y);
    out[i] = x == 1 ? y : x;
  }
  return out;
}

std::int64_t wrap_dim(std::int64_t dim, std::int64_t dims, const char* op) {
  const std::int64_t range = std::max<std::int64_t>(dims, 1);
  TAPEDECK_CHECK_AS(IndexError, dim >= -range && dim < range, op,
                    ": Dimension out of range (expected to be in range of [", -range, ", ",
                    range - 1, "], but got ", dim, ")");
  return dim < 0 ? dim + range : dim;
}
std::int64_t wrap_axis(std::int64_t dim, std::int64_t dims, const char* op) {
  TAPEDECK_CHECK_AS(IndexError, dims > 0, op, ": Dimension specified as ", dim,
                    " but tensor has no dimensions");
  return wrap_dim(dim, dims, op);
}

DimVector infer_size(IntArrayRef sizes, std::int64_t numel) {
  DimVector out(sizes);
  std::int64_t known = 1;
  int unknown = -1;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == -1) {
      TAPEDECK_CHECK(unknown < 0, "only one dimension can be inferred, got shape ", sizes);
      unknown = static_cast<int>(i);
    } else {
      TAPEDECK_CHECK(sizes[i] >= 0, "invalid shape dimension ", sizes[i], " in ", sizes);
      TAPEDECK_CHECK(!__builtin_mul_overflow(known, sizes[i], &known), "shape ", sizes,
                     " is invalid for input of size ", numel);
    }
  }
  if (unknown >= 0) {
    TAPEDECK_CHECK(known != 0, "cannot reshape an array of ", numel, " elements into shape ", sizes,
                   " because the unspecified dimension size -1 can be any value and is ambiguous");
    TAPEDECK_CHECK(numel % known == 0, "shape ", sizes, " is invalid for input of size ", numel);
    out[unknown] = numel / known;
  } else {
    TAPEDECK_CHECK(known == numel, "shape ", sizes, " is invalid for input of size ", numel);
  }
  return out;
}

void detail::too_many_dims(std::int64_t dims) {
  detail::fail(detail::str("an array has at most ", kMaxDims, " dimensions, got ", dims));
}

namespace {

bool strides_are_contiguous(IntArrayRef sizes, IntArrayRef strides) {
  for (const std::int64_t size : sizes)
    if (size == 0) return true;
  std::int64_t expected = 1;
  for (std::size_t i = sizes.size(); i-- > 0;) {
    if (sizes[i] != 1 && strides[i] != expected) return false;
    expected *= sizes[i];
  }
  return true;
}

// The strides of a view of `sizes`, or false where the elements are not laid out for one. Runs of
// old axes that lie evenly are split into new axes, from the last to the first.
bool view_strides(const Array& array, IntArrayRef sizes, DimVector& strides) {
  strides = contiguous_strides(sizes);
  if (array.numel() == 0 || array.is_contiguous()) return true;
  std::int64_t base_stride = array.strides().back(), run = 1, taken = 1;
  std::size_t next = sizes.size();
  for (std::size_t i = array.sizes().size(); i-- > 0;) {
    run *= array.sizes()[i];
    const bool run_ends =
        i == 0 || (array.sizes()[i - 1] != 1 && array.strides()[i - 1] != run * base_stride);
    if (!run_ends) continue;
    while (next > 0 && (taken < run || sizes[next - 1] == 1)) {
      --next;
      strides[next] = taken * base_stride;
      taken *= sizes[next];
    }
    if (taken != run) return false;
    if (i > 0) {
      base_stride = array.strides()[i - 1];
      run = taken = 1;
    }
  }
  return next == 0;
}

}  // namespace

Array::Array(intrusive_ptr<StorageImpl> storage, ScalarType dtype, IntArrayRef sizes,
             IntArrayRef strides, std::int64_t offset)
    : storage_(std::move(storage)),
      offset_(offset),
      numel_(numel_of(sizes)),
      dtype_(dtype),
      contiguous_(strides_are_contiguous(sizes, strides)),
      sizes_(sizes),
      strides_(strides) {}

Array::Array(intrusive_ptr<StorageImpl> storage, ScalarType dtype, IntArrayRef sizes,
             std::int64_t numel)
    : storage_(std::move(storage)), numel_(numel), dtype_(dtype), sizes_(sizes), strides_(sizes_) {
  set_contiguous(strides_);
}

Array Array::empty(IntArrayRef sizes, ScalarType dtype) {
  std::int64_t n = 1;
  bool overflow = false;
  bool is_empty = false;
  for (std::int64_t s : sizes) {
    TAPEDECK_CHECK(s >= 0, "Trying to create tensor with negative dimension ", s, ": ", sizes);
    if (s == 0) is_empty = true;
    overflow |= __builtin_mul_overflow(n, s, &n);
  }
  if (is_empty) n = 0;
  TAPEDECK_CHECK(is_empty || (!overflow && n <= std::numeric_limits<std::int64_t>::max() / 16),
                 "empty: the number of elements of shape ", sizes, " does not fit 64 bits");
  TAPEDECK_CHECK(dtype != ScalarType::Undefined, "empty: the dtype is undefined");
  const std::int64_t bytes = n * element_size(dtype);
  TAPEDECK_CHECK_AS(TypeError, element_size(dtype) > 0, "dtype ", dtype,
                    " is not supported: expected Float, Double, Long, Int, Byte or Bool");
  return Array(StorageImpl::allocate(static_cast<std::size_t>(bytes)), dtype, sizes, n);
}

Array Array::from_blob(void* data, IntArrayRef sizes, IntArrayRef strides, ScalarType dtype,
                       std::function<void(void*)> deleter) {
  for (std::int64_t s : sizes)
    TAPEDECK_CHECK(s >= 0, "from_blob: negative dimension in shape ", sizes);
  const DimVector steps = strides.empty() ? contiguous_strides(sizes) : DimVector(strides);
  TAPEDECK_CHECK(steps.size() == sizes.size(), "from_blob: ", sizes.size(), " sizes but ",
                 steps.size(), " strides: ", sizes, " and ", steps.ref());
  std::int64_t extent = numel_of(sizes) > 0 ? 1 : 0;
  for (std::size_t i = 0; i < sizes.size() && extent > 0; ++i) {
    TAPEDECK_CHECK(steps[i] >= 0, "from_blob: negative stride in ", steps.ref());
    extent += (sizes[i] - 1) * steps[i];
  }
  TAPEDECK_CHECK(data != nullptr || extent == 0, "from_blob: null data for shape ", sizes);
  const auto bytes = static_cast<std::size_t>(extent * element_size(dtype));
  return Array(StorageImpl::borrow(data, bytes, std::move(deleter)), dtype, sizes, steps, 0);
}

bool Array::has_internal_overlap() const {
  if (contiguous_ || numel_ == 0) return false;
  for (std::size_t i = 0; i < sizes_.size(); ++i)
    if (sizes_[i] > 1 && strides_[i] == 0) return true;
  return false;
}

Array Array::as_strided(IntArrayRef sizes, IntArrayRef strides, std::int64_t offset) const {
  TAPEDECK_CHECK(sizes.size() == strides.size(), "as_strided: ", sizes.size(), " sizes but ",
                 strides.size(), " strides");
  const bool is_empty = numel_of(sizes) == 0;
  std::int64_t extent = 0;
  bool overflow = __builtin_add_overflow(offset, is_empty ? 0 : 1, &extent);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    TAPEDECK_CHECK(sizes[i] >= 0 && strides[i] >= 0, "as_strided: negative size or stride: sizes ",
                   sizes, ", strides ", strides);
    if (is_empty) continue;
    std::int64_t reach = 0;
    overflow |= __builtin_mul_overflow(sizes[i] - 1, strides[i], &reach) ||
                __builtin_add_overflow(extent, reach, &extent);
  }
  const auto available = static_cast<std::int64_t>(storage_->nbytes()) / element_size(dtype_);
  TAPEDECK_CHECK(offset >= 0 && !overflow && (is_empty || extent <= available),
                 "as_strided: sizes ", sizes, ", strides ", strides, " and offset ", offset,
                 " reach outside a storage of ", storage_->nbytes(), " bytes");
  return Array(storage_, dtype_, sizes, strides, offset);
}

bool Array::can_view(IntArrayRef sizes) const {
  DimVector strides;
  return numel_of(sizes) == numel_ && view_strides(*this, sizes, strides);
}

Array Array::view(IntArrayRef sizes) const {
  DimVector strides;
  TAPEDECK_CHECK(numel_of(sizes) == numel_, "shape ", sizes, " is invalid for input of size ",
                 numel_);
  TAPEDECK_CHECK(view_strides(*this, sizes, strides),
                 "view size is not compatible with input tensor's size and stride (at least one "
                 "dimension spans across two contiguous subspaces): no view of shape ",
                 sizes, " on sizes ", sizes_.ref(), " with strides ", strides_.ref(),
                 ". Use .reshape(...) instead.");
  return Array(storage_, dtype_, sizes, strides, offset_);
}

Array Array::transpose(std::int64_t dim0, std::int64_t dim1) const {
  const std::int64_t a = wrap_dim(dim0, dim(), "transpose"), b = wrap_dim(dim1, dim(), "transpose");
  if (dim() == 0) return *this;
  DimVector sizes = sizes_, strides = strides_;
  std::swap(sizes[a], sizes[b]);
  std::swap(strides[a], strides[b]);
  return Array(storage_, dtype_, sizes, strides, offset_);
}

Array Array::permute(IntArrayRef dims) const {
  TAPEDECK_CHECK(static_cast<std::int64_t>(dims.size()) == dim(),
                 "permute: number of dimensions in the tensor input does not match the length of "
                 "the desired ordering of dimensions: input ",
                 sizes_.ref(), ", dims ", dims);
  DimVector sizes(dims.size()), strides(dims.size());
  bool seen[kMaxDims] = {};
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const std::int64_t d = wrap_dim(dims[i], dim(), "permute");
    TAPEDECK_CHECK(!seen[d], "permute: repeated dim ", d, " in ", dims);
    seen[d] = true;
    sizes[i] = sizes_[d];
    strides[i] = strides_[d];
  }
  return Array(storage_, dtype_, sizes, strides, offset_);
}

Array Array::expand(IntArrayRef target) const {
  const std::int64_t lead = static_cast<std::int64_t>(target.size()) - dim();
  TAPEDECK_CHECK(lead >= 0, "expand: the number of sizes provided (", target.size(),
                 ") must be greater or equal to the number of dimensions in the tensor (", dim(),
                 "): ", sizes_.ref(), " to ", target);
  DimVector sizes(target), strides(target.size());
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(target.size()); ++i) {
    const std::int64_t have = i < lead ? 1 : sizes_[i - lead];
    if (target[i] == -1) {
      TAPEDECK_CHECK(i >= lead, "expand: -1 is not allowed in a leading, non-existing dimension ",
                     i, ": ", sizes_.ref(), " to ", target);
      sizes[i] = have;
    }
    TAPEDECK_CHECK(sizes[i] >= 0, "expand: negative size in ", target);
    TAPEDECK_CHECK(have == sizes[i] || have == 1, "expand: the expanded size ", sizes[i],
                   " must match the existing size ", have, " at non-singleton dimension ", i, ": ",
                   sizes_.ref(), " to ", target);
    strides[i] = have == sizes[i] && i >= lead ? strides_[i - lead] : 0;
  }
  return Array(storage_, dtype_, sizes, strides, offset_);
}

Array Array::slice(std::int64_t dim, std::int64_t start, std::int64_t end,
                   std::int64_t step) const {
  DimVector sizes = sizes_, strides = strides_;
  sizes[dim] = std::max<std::int64_t>(0, (end - start + step - 1) / step);
  strides[dim] *= step;
  return Array(storage_, dtype_, sizes, strides, offset_ + start * strides_[dim]);
}

Array Array::select(std::int64_t dim, std::int64_t index) const {
  DimVector sizes = sizes_, strides = strides_;
  sizes.erase(dim);
  strides.erase(dim);
  return Array(storage_, dtype_, sizes, strides, offset_ + index * strides_[dim]);
}

Array Array::unsqueeze(std::int64_t dim) const {
  const std::int64_t d = wrap_dim(dim, this->dim() + 1, "unsqueeze");
  DimVector sizes = sizes_, strides = strides_;
  strides.insert(d, d < this->dim() ? sizes_[d] * strides_[d] : 1);
  sizes.insert(d, 1);
  return Array(storage_, dtype_, sizes, strides, offset_);
}

Array Array::squeeze(std::int64_t dim) const {
  if (this->dim() == 0 || sizes_[dim] != 1) return *this;
  DimVector sizes = sizes_, strides = strides_;
  sizes.erase(dim);
  strides.erase(dim);
  return Array(storage_, dtype_, sizes, strides, offset_);
}

Array Array::reinterpret(ScalarType dtype) const {
  const std::int64_t have = element_size(dtype_), want = element_size(dtype);
  TAPEDECK_CHECK_AS(TypeError, want > 0, "view: dtype ", dtype,
                    " is not supported: expected Float, Double, Long, Int, Byte or Bool");
  if (have == want) {
    Array out = *this;
    out.dtype_ = dtype;
    return out;
  }
  TAPEDECK_CHECK(dim() > 0, "view: self.dim() cannot be 0 to view ", dtype_, " as ", dtype,
                 " (different element sizes)");
  TAPEDECK_CHECK(strides_[dim() - 1] == 1, "view: self.stride(-1) must be 1 to view ", dtype_,
                 " as ", dtype, " (different element sizes), but got ", strides_[dim() - 1]);
  DimVector sizes = sizes_, strides = strides_;
  // In elements of the new dtype, of which `ratio` make one, or are made of one.
  const std::int64_t ratio = std::max(have, want) / std::min(have, want);
  const auto rescaled = [&](std::int64_t n, const char* what) {
    if (have > want) return n * ratio;
    TAPEDECK_CHECK(n % ratio == 0, "view: ", what, " must be divisible by ", ratio, " to view ",
                   dtype_, " as ", dtype, " (different element sizes), but got ", n, " (sizes ",
                   sizes_.ref(), ", strides ", strides_.ref(), ")");
    return n / ratio;
  };
  sizes[dim() - 1] = rescaled(sizes[dim() - 1], "self.size(-1)");
  const std::int64_t offset = rescaled(offset_, "self.storage_offset()");
  for (std::int64_t i = 0; i + 1 < dim(); ++i) strides[i] = rescaled(strides[i], "self.stride");
  return Array(storage_, dtype, sizes, strides, offset);
}

}  // namespace tapedeck
