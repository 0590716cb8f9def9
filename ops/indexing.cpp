// Integers, slices, None and Ellipsis are views; what is left of tensors and bools goes to
// index_tensors (ops/index.cpp).
#include <tapedeck/ops/indexing.h>

#include <ostream>
#include <string_view>

#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/index.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck {

namespace indexing {

Slice::Slice(std::optional<std::int64_t> start, std::optional<std::int64_t> stop,
             std::optional<std::int64_t> step)
    : step_(step.value_or(1)) {
  TAPEDECK_CHECK_AS(ValueError, step_ != 0, "slice step cannot be zero");
  start_ = start.value_or(step_ < 0 ? INDEX_MAX : 0);
  stop_ = stop.value_or(step_ < 0 ? INDEX_MIN : INDEX_MAX);
}

TensorIndex::TensorIndex(const char* dots) : type_(TensorIndexType::Ellipsis) {
  TAPEDECK_CHECK_AS(ValueError, std::string_view(dots) == "...",
                    "Expected \"...\" to represent an ellipsis index, but got \"", dots, "\"");
}

std::ostream& operator<<(std::ostream& out, const Slice& slice) {
  return out << slice.start() << ":" << slice.stop() << ":" << slice.step();
}

std::ostream& operator<<(std::ostream& out, const TensorIndex& index) {
  if (index.is_none()) return out << "None";
  if (index.is_ellipsis()) return out << "...";
  if (index.is_integer()) return out << index.integer();
  if (index.is_boolean()) return out << (index.boolean() ? "true" : "false");
  if (index.is_slice()) return out << index.slice();
  return out << index.tensor();
}

std::ostream& operator<<(std::ostream& out, const std::vector<TensorIndex>& indices) {
  out << "(";
  for (std::size_t i = 0; i < indices.size(); ++i) out << (i > 0 ? ", " : "") << indices[i];
  return out << ")";
}

}  // namespace indexing

namespace {

using indexing::TensorIndex;
using OptionalTensors = std::vector<std::optional<Variable>>;

bool is_mask(const Variable& tensor) { return tensor.dtype() == kBool || tensor.dtype() == kByte; }

// The axes of the indexed tensor that the indices use up.
std::int64_t used_axes(ArrayRef<TensorIndex> indices) {
  std::int64_t count = 0;
  for (const TensorIndex& index : indices) {
    TAPEDECK_CHECK_AS(IndexError, !index.is_tensor() || index.tensor().defined(),
                      "index: can only index with tensors that are defined");
    if (index.is_tensor())
      count += is_mask(index.tensor()) ? index.tensor().dim() : 1;
    else if (index.is_integer() || index.is_slice())
      ++count;
  }
  return count;
}

// A bool adds an axis of size one, and takes all of it or nothing.
Variable index_of_bool(bool value) { return zeros({value ? 1 : 0}, kLong); }

struct BasicResult {
  Variable view;            // after integers, slices, None and Ellipsis
  OptionalTensors tensors;  // what is to index the view's axes still
  bool has_tensors = false;
};

// Goes through the indices from left to right; `axis` is where in the view the next one applies.
class BasicIndexing {
 public:
  BasicIndexing(const Variable& self, ArrayRef<TensorIndex> indices, const char* op)
      : free_axes_(self.dim() - used_axes(indices)) {
    TAPEDECK_CHECK_AS(ValueError, !indices.empty(), "Passing an empty index list to Tensor::", op,
                      "() is not valid syntax");
    TAPEDECK_CHECK_AS(IndexError, free_axes_ >= 0,
                      "index: ", self.dim() == 0 ? "invalid index of a 0-dim tensor: " : "",
                      "too many indices for tensor of dimension ", self.dim(), " (got ",
                      used_axes(indices), ")");
    result_.view = self;
    std::int64_t position = 0;
    bool ellipsis_seen = false;
    for (const TensorIndex& index : indices) {
      TAPEDECK_CHECK_AS(IndexError, !index.is_ellipsis() || !ellipsis_seen,
                        "index: an index can only have a single ellipsis ('...')");
      ellipsis_seen |= index.is_ellipsis();
      apply(index, position++);
    }
  }
  BasicResult take() { return std::move(result_); }

 private:
  void apply(const TensorIndex& index, std::int64_t position) {
    Variable& view = result_.view;
    if (index.is_integer()) {
      select(index.integer(), position);
    } else if (index.is_slice()) {
      const indexing::Slice& s = index.slice();
      TAPEDECK_CHECK_AS(ValueError, s.step() > 0, "index: step must be greater than zero, got ",
                        s.step());
      const bool whole = s.start() == 0 && s.stop() >= view.size(axis_) && s.step() == 1;
      if (!whole) view = view.slice(axis_, s.start(), s.stop(), s.step());
      ++axis_;
    } else if (index.is_ellipsis()) {
      axis_ += free_axes_;
    } else if (index.is_none()) {
      view = view.unsqueeze(axis_++);
    } else if (index.is_boolean()) {
      view = view.unsqueeze(axis_);
      keep(index_of_bool(index.boolean()));
    } else {
      apply_tensor(index.tensor(), position);
    }
  }

  void apply_tensor(const Variable& tensor, std::int64_t position) {
    TAPEDECK_CHECK_AS(IndexError, tensor.defined(),
                      "index: can only index with tensors that are defined");
    if (tensor.dim() == 0 && is_mask(tensor)) {
      result_.view = result_.view.unsqueeze(axis_);
      keep(index_of_bool(tensor.item<bool>()));
    } else if (tensor.dim() == 0 && is_integral(tensor.dtype(), false)) {
      select(tensor.item<std::int64_t>(), position);
    } else {
      keep(tensor);
    }
  }

  void select(std::int64_t i, std::int64_t position) {
    Variable& view = result_.view;
    const std::int64_t size = view.size(axis_);
    TAPEDECK_CHECK_AS(IndexError, i >= -size && i < size, "index ", i,
                      " is out of bounds for dimension ", position, " with size ", size, " (shape ",
                      view.sizes(), ")");
    view = view.select(axis_, i);
  }

  // A mask of several axes stands for as many index tensors; index_tensors unfolds it.
  void keep(const Variable& tensor) {
    const std::int64_t masked = tensor.defined() && is_mask(tensor) ? tensor.dim() : 1;
    result_.tensors.resize(static_cast<std::size_t>(axis_ - folded_));
    result_.tensors.push_back(tensor);
    result_.has_tensors = true;
    axis_ += masked;
    folded_ += masked - 1;
  }

  std::int64_t free_axes_;
  std::int64_t axis_ = 0;
  std::int64_t folded_ = 0;
  BasicResult result_;
};

// Leading axes of size one are dropped from an assigned value, as NumPy does.
Variable without_leading_ones(const Variable& value) {
  std::size_t ones = 0;
  while (ones < value.sizes().size() && value.sizes()[ones] == 1) ++ones;
  return ones == 0 ? value : value.reshape(value.sizes().slice(ones));
}

void assign(const Variable& view, const Variable& value) {
  const Variable source = without_leading_ones(value);
  const bool fits = [&] {
    const IntArrayRef from = source.sizes(), to = view.sizes();
    if (from.size() > to.size()) return false;
    for (std::size_t i = 0; i < from.size(); ++i) {
      const std::int64_t wanted = to[to.size() - from.size() + i];
      if (from[i] != wanted && from[i] != 1) return false;
    }
    return true;
  }();
  TAPEDECK_CHECK(fits, "index_put_: shape mismatch: value tensor of shape ", value.sizes(),
                 " cannot be broadcast to indexing result of shape ", view.sizes());
  view.copy_(source);
}

}  // namespace

Variable Variable::index(ArrayRef<TensorIndex> indices) const {
  TAPEDECK_CHECK_DEFINED("index", *this);
  const BasicResult basic = BasicIndexing(*this, indices, "index").take();
  if (basic.has_tensors) return basic.view.index(basic.tensors);
  // x[...] is a tensor of its own.
  return basic.view.is_same(*this) && dim() > 0 ? slice(0) : basic.view;
}
Variable Variable::index(std::initializer_list<TensorIndex> indices) const {
  TAPEDECK_CHECK_DEFINED("index", *this);
  return index(ArrayRef<TensorIndex>(indices));
}

Variable& Variable::index_put_(ArrayRef<TensorIndex> indices, const Variable& value) const {
  TAPEDECK_CHECK_DEFINED("index_put_", *this, value);
  const BasicResult basic = BasicIndexing(*this, indices, "index_put_").take();
  if (basic.has_tensors)
    basic.view.index_put_(basic.tensors, without_leading_ones(value));
  else
    assign(basic.view, value);
  return const_cast<Variable&>(*this);
}
Variable& Variable::index_put_(ArrayRef<TensorIndex> indices, Scalar value) const {
  TAPEDECK_CHECK_DEFINED("index_put_", *this);
  const BasicResult basic = BasicIndexing(*this, indices, "index_put_").take();
  if (basic.has_tensors)
    basic.view.index_put_(basic.tensors, scalar_tensor(value, dtype()));
  else
    basic.view.fill_(value);
  return const_cast<Variable&>(*this);
}
Variable& Variable::index_put_(std::initializer_list<TensorIndex> indices,
                               const Variable& value) const {
  TAPEDECK_CHECK_DEFINED("index_put_", *this, value);
  return index_put_(ArrayRef<TensorIndex>(indices), value);
}
Variable& Variable::index_put_(std::initializer_list<TensorIndex> indices, Scalar value) const {
  TAPEDECK_CHECK_DEFINED("index_put_", *this);
  return index_put_(ArrayRef<TensorIndex>(indices), value);
}

Variable Variable::operator[](std::int64_t index) const { return select(0, index); }
Variable Variable::operator[](Scalar index) const {
  TAPEDECK_CHECK_AS(IndexError, index.isIntegral(false),
                    "Can only index tensors with integral scalars, got ", index);
  return select(0, index.toLong());
}
Variable Variable::operator[](const Variable& index) const {
  TAPEDECK_CHECK_AS(IndexError, index.defined(), "Can only index with tensors that are defined");
  TAPEDECK_CHECK_AS(IndexError, index.dim() == 0,
                    "Can only index with tensors that are scalars (zero-dim), got shape ",
                    index.sizes());
  return (*this)[index.item()];
}

}  // namespace tapedeck
