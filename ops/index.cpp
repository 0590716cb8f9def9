#include <tapedeck/ops/index.h>

#include <tapedeck/array/warning.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/index.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck {

namespace {

using OptionalTensors = std::vector<std::optional<Variable>>;
using kernels::IndexList;
using kernels::NegativeIndex;

// The places of an indexing operation, kept for its derivatives.
struct Places {
  std::vector<Saved> saved;  // by axis; an unset one leaves the axis whole
  NegativeIndex negative = NegativeIndex::CountsFromTheEnd;

  IndexList get(const VjpContext& ctx) const {
    IndexList list;
    for (const Saved& s : saved) {
      const Variable v = s.get(ctx);
      list.push_back(v.defined() ? v.array() : Array());
    }
    return list;
  }
};

// What is known of an indexing operation before it runs.
struct Indexing {
  std::vector<Variable> tensors;  // int64, by axis; undefined for a whole axis
  const char* op;
  NegativeIndex negative = NegativeIndex::CountsFromTheEnd;

  IndexList list() const {
    IndexList list;
    for (const Variable& t : tensors) list.push_back(t.defined() ? t.array() : Array());
    return list;
  }
  Places save_places() const {
    Places places{{}, negative};
    for (const Variable& t : tensors) places.saved.push_back(save(t, t.defined()));
    return places;
  }
};

Indexing restore(const Places& places, const VjpContext& ctx, const char* op) {
  Indexing at{{}, op, places.negative};
  for (const Saved& s : places.saved) at.tensors.push_back(s.get(ctx));
  return at;
}

// Masks become one int64 vector for each of their axes.
Indexing unfold_masks(const Variable& x, const OptionalTensors& indices, const char* op) {
  Indexing at{{}, op};
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (!indices[i] || !indices[i]->defined()) {
      at.tensors.emplace_back();
      continue;
    }
    const Variable& index = *indices[i];
    if (index.dtype() == kLong) {
      at.tensors.push_back(index);
      continue;
    }
    TAPEDECK_CHECK_AS(IndexError, index.dtype() == kBool || index.dtype() == kByte, op,
                      ": tensors used as indices must be long, byte or bool tensors, got ",
                      index.dtype());
    if (index.dtype() == kByte)
      TAPEDECK_WARN(op, ": indexing with dtype torch.uint8 is now deprecated, use a mask of bool");
    const auto axis = static_cast<std::int64_t>(at.tensors.size());
    for (std::int64_t d = 0; d < index.dim(); ++d)
      TAPEDECK_CHECK_AS(IndexError, axis + d < x.dim() && index.size(d) == x.size(axis + d), op,
                        ": the shape of the mask ", index.sizes(), " at index ", d,
                        " does not match the shape of the indexed tensor ", x.sizes(), " at index ",
                        axis + d);
    const Array places = kernels::nonzero(index.array());
    for (std::int64_t d = 0; d < index.dim(); ++d)
      at.tensors.emplace_back(kernels::contiguous(places.select(1, d)));
  }
  TAPEDECK_CHECK_AS(IndexError, static_cast<std::int64_t>(at.tensors.size()) <= x.dim(), op,
                    ": too many indices for tensor of dimension ", x.dim(), " (got ",
                    at.tensors.size(), ")");
  return at;
}

Variable read(const Variable& x, const Indexing& at, const char* name);

// y = 0 of `sizes`, y[at] += x;  dx = g[at]
Variable spread(const Variable& x, const DimVector& sizes, const Indexing& at, const char* name) {
  Array out = kernels::zeros(sizes, x.dtype());
  kernels::index_put(out, at.list(), x.array(), true, at.op, at.negative);
  Variable y(std::move(out));
  if (should_record(x))
    record(y, name, edges(x),
           [places = at.save_places(), op = at.op, name](const Variable& g, const VjpContext& ctx) {
             return read(g, restore(places, ctx, op), name);
           });
  return y;
}

// y = x[at];  dx = 0, dx[at] += g
Variable read(const Variable& x, const Indexing& at, const char* name) {
  Variable y(kernels::index(x.array(), at.list(), at.op, at.negative));
  if (should_record(x))
    record(y, name, edges(x),
           [places = at.save_places(), op = at.op, name](const Variable& g, const VjpContext& ctx) {
             return spread(g, ctx.input_sizes(0), restore(places, ctx, op), name);
           });
  return y;
}

void check_values(const Variable& x, const Indexing& at, const Variable& values) {
  TAPEDECK_CHECK_AS(TypeError, x.dtype() == values.dtype(), at.op,
                    ": expected the source and destination dtypes to match, got ", x.dtype(),
                    " for the destination and ", values.dtype(), " for the source");
  const DimVector wanted = kernels::indexed_sizes(x.sizes(), at.list(), at.op);
  bool fits = values.sizes().size() <= wanted.size();
  for (std::size_t i = 0; fits && i < values.sizes().size(); ++i) {
    const std::int64_t have = values.sizes()[i];
    fits = have == 1 || have == wanted[wanted.size() - values.sizes().size() + i];
  }
  TAPEDECK_CHECK(fits, at.op, ": shape mismatch: value tensor of shape ", values.sizes(),
                 " cannot be broadcast to indexing result of shape ", wanted.ref());
}

// y = x, y[at] = v;   dx = g, dx[at] = 0;  dv = g[at], summed to v's shape
// y = x, y[at] += v;  dx = g
Variable write(const Variable& x, const Indexing& at, const Variable& values, bool accumulate,
               const char* name) {
  check_values(x, at, values);
  Array out = kernels::clone(x.array());
  kernels::index_put(out, at.list(), values.array(), accumulate, at.op, at.negative);
  Variable y(std::move(out));
  if (should_record(x, values))
    record(y, name, edges(x, values),
           [places = at.save_places(), accumulate, op = at.op, name](const Variable& g,
                                                                     const VjpContext& ctx) {
             const Indexing where = restore(places, ctx, op);
             Gradients grads(2);
             if (ctx.needs(0))
               grads[0] = accumulate ? g
                                     : write(g, where, Variable(kernels::zeros({}, g.dtype())),
                                             false, name);
             if (ctx.needs(1)) grads[1] = read(g, where, name).sum_to_size(ctx.input_sizes(1));
             return grads;
           });
  return y;
}

// The in-place form: straight into x's memory where nothing is to be recorded.
Variable& write_inplace(const Variable& x, const Indexing& at, const Variable& values,
                        bool accumulate, const char* name) {
  if (should_record(x, values))
    return assign_inplace(x, write(x, at, values, accumulate, name), at.op);
  check_inplace(x, at.op);
  check_values(x, at, values);
  Array target = x.array();
  const Array source = kernels::may_overlap(target, values.array()) ? kernels::clone(values.array())
                                                                    : values.array();
  kernels::index_put(target, at.list(), source, accumulate, at.op, at.negative);
  return finish_inplace(x);
}

}  // namespace

namespace {

// The mask, where the indices are nothing but one mask of x's whole shape.
const Variable* whole_mask(const Variable& x, const OptionalTensors& indices) {
  if (indices.size() != 1 || !indices[0] || !indices[0]->defined()) return nullptr;
  const Variable& mask = *indices[0];
  const bool whole = mask.dtype() == kBool && mask.array().sizes() == x.array().sizes();
  return whole ? &mask : nullptr;
}

// The mask, where it is the only index and one number is written where it is true, in a shape that
// broadcasts with x. Such a number may be of any dtype.
std::optional<Variable> mask_for_number(const Variable& x, const OptionalTensors& indices,
                                        const Variable& values, bool accumulate) {
  if (accumulate || values.numel() != 1) return std::nullopt;
  std::int64_t axis = 0;
  const Variable* mask = nullptr;
  for (const auto& index : indices) {
    const bool defined = index && index->defined();
    if (defined && (mask || index->dtype() != kBool)) return std::nullopt;
    if (defined) mask = &*index;
    for (std::int64_t d = 0; d < (defined ? index->dim() : 1); ++d, ++axis)
      if (axis >= x.dim() || (defined && index->size(d) != x.size(axis))) return std::nullopt;
  }
  if (!mask) return std::nullopt;
  DimVector shape = mask->array().sizes();
  for (; axis < x.dim(); ++axis) shape.push_back(1);
  return mask->reshape(shape);
}

}  // namespace

Variable index(const Variable& x, const OptionalTensors& indices) {
  TAPEDECK_CHECK_DEFINED("index", x);
  if (const Variable* mask = whole_mask(x, indices)) return masked_select(x, *mask);
  return read(x, unfold_masks(x, indices, "index"), "IndexBackward0");
}
Variable Variable::index(const OptionalTensors& indices) const {
  return tapedeck::index(*this, indices);
}

Variable index_put(const Variable& x, const OptionalTensors& indices, const Variable& values,
                   bool accumulate) {
  TAPEDECK_CHECK_DEFINED("index_put", x, values);
  if (const auto mask = mask_for_number(x, indices, values, accumulate))
    return masked_fill(x, *mask, values.reshape({}));
  return write(x, unfold_masks(x, indices, "index_put"), values, accumulate, "IndexPutBackward0");
}
Variable Variable::index_put(const OptionalTensors& indices, const Variable& values,
                             bool accumulate) const {
  return tapedeck::index_put(*this, indices, values, accumulate);
}
Variable& Variable::index_put_(const OptionalTensors& indices, const Variable& values,
                               bool accumulate) const {
  TAPEDECK_CHECK_DEFINED("index_put_", *this, values);
  if (const auto mask = mask_for_number(*this, indices, values, accumulate))
    return masked_fill_(*mask, values.reshape({}));
  return write_inplace(*this, unfold_masks(*this, indices, "index_put_"), values, accumulate,
                       "IndexPutBackward0");
}

namespace {

// A vector of indices along one axis; there they do not count from the end.
Indexing along(const Variable& x, std::int64_t dim, const Variable& index, const char* op,
               NegativeIndex negative = NegativeIndex::IsAnError) {
  TAPEDECK_CHECK_AS(IndexError, index.dim() <= 1, op, "(): Index is supposed to be a vector, got ",
                    index.dim(), " dimensions (shape ", index.sizes(), ")");
  TAPEDECK_CHECK_AS(TypeError, index.dtype() == kLong || index.dtype() == kInt, op,
                    "(): Expected dtype int32/int64 for index, got ", index.dtype());
  Indexing at{{}, op, negative};
  at.tensors.resize(static_cast<std::size_t>(wrap_dim(dim, x.dim(), op)));
  at.tensors.push_back(index.to(kLong).reshape({-1}));
  return at;
}

// A scalar is indexed as the vector of its one element.
Variable vector_form(const Variable& x) { return x.dim() == 0 ? x.reshape({1}) : x; }

// `source` as a value for the slices `at` of x.
Variable slices_for(const Variable& x, std::int64_t dim, const Variable& index,
                    const Variable& source, const char* op) {
  const Variable slices = vector_form(source);
  const std::int64_t d = wrap_dim(dim, x.dim(), op);
  DimVector wanted = vector_form(x).array().sizes();
  wanted[d] = index.numel();
  TAPEDECK_CHECK(slices.array().sizes() == wanted, op, "(): expected a source of shape ",
                 wanted.ref(), " for ", index.numel(), " indices along dimension ", d, " of ",
                 x.sizes(), ", got ", source.sizes());
  return slices;
}

}  // namespace

Variable index_select(const Variable& x, std::int64_t dim, const Variable& index) {
  TAPEDECK_CHECK_DEFINED("index_select", x, index);
  const Indexing at = along(x, dim, index, "index_select");
  const Variable y = read(vector_form(x), at, "IndexSelectBackward0");
  if (x.dim() > 0) return y;
  TAPEDECK_CHECK(index.numel() == 1, "index_select(): Index to scalar can have only 1 value, got ",
                 index.numel(), " value(s)");
  return y.reshape({});
}
Variable Variable::index_select(std::int64_t dim, const Variable& index) const {
  return tapedeck::index_select(*this, dim, index);
}

Variable index_add(const Variable& x, std::int64_t dim, const Variable& index,
                   const Variable& source, Scalar alpha) {
  TAPEDECK_CHECK_DEFINED("index_add", x, index, source);
  const Variable base = vector_form(x);
  Variable slices = slices_for(x, dim, index, source, "index_add");
  if (alpha.toDouble() != 1) slices = slices.mul(alpha);
  return write(base, along(x, dim, index, "index_add"), slices, true, "IndexAddBackward0")
      .reshape(x.sizes());
}
Variable Variable::index_add(std::int64_t dim, const Variable& index, const Variable& source,
                             Scalar alpha) const {
  return tapedeck::index_add(*this, dim, index, source, alpha);
}
Variable& Variable::index_add_(std::int64_t dim, const Variable& index, const Variable& source,
                               Scalar alpha) const {
  TAPEDECK_CHECK_DEFINED("index_add_", *this, index, source);
  Variable slices = slices_for(*this, dim, index, source, "index_add_");
  if (alpha.toDouble() != 1) slices = slices.mul(alpha);
  const Variable base = this->dim() == 0 ? unsqueeze(0) : *this;
  write_inplace(base, along(*this, dim, index, "index_add_"), slices, true, "IndexAddBackward0");
  return const_cast<Variable&>(*this);
}

namespace {
Variable number_like(const Variable& x, Scalar value) {
  return Variable(kernels::full({}, value, x.dtype()));
}
}  // namespace

Variable index_fill(const Variable& x, std::int64_t dim, const Variable& index,
                    const Variable& value) {
  TAPEDECK_CHECK_DEFINED("index_fill", x, index, value);
  TAPEDECK_CHECK(value.dim() == 0,
                 "index_fill(): only supports a 0-dimensional value tensor, but got tensor with ",
                 value.dim(), " dimension(s)");
  return write(vector_form(x), along(x, dim, index, "index_fill", NegativeIndex::CountsFromTheEnd),
               value.to(x.dtype()), false, "IndexFillBackward0")
      .reshape(x.sizes());
}
Variable index_fill(const Variable& x, std::int64_t dim, const Variable& index, Scalar value) {
  TAPEDECK_CHECK_DEFINED("index_fill", x, index);
  return index_fill(x, dim, index, number_like(x, value));
}
Variable Variable::index_fill(std::int64_t dim, const Variable& index, Scalar value) const {
  return tapedeck::index_fill(*this, dim, index, value);
}
Variable Variable::index_fill(std::int64_t dim, const Variable& index,
                              const Variable& value) const {
  return tapedeck::index_fill(*this, dim, index, value);
}
Variable& Variable::index_fill_(std::int64_t dim, const Variable& index,
                                const Variable& value) const {
  TAPEDECK_CHECK_DEFINED("index_fill_", *this, index, value);
  return assign_inplace(*this, index_fill(dim, index, value), "index_fill_");
}
Variable& Variable::index_fill_(std::int64_t dim, const Variable& index, Scalar value) const {
  TAPEDECK_CHECK_DEFINED("index_fill_", *this, index);
  const Variable base = this->dim() == 0 ? unsqueeze(0) : *this;
  write_inplace(base, along(*this, dim, index, "index_fill_", NegativeIndex::CountsFromTheEnd),
                number_like(*this, value), false, "IndexFillBackward0");
  return const_cast<Variable&>(*this);
}

Variable index_copy(const Variable& x, std::int64_t dim, const Variable& index,
                    const Variable& source) {
  TAPEDECK_CHECK_DEFINED("index_copy", x, index, source);
  const Variable slices = slices_for(x, dim, index, source, "index_copy");
  return write(vector_form(x), along(x, dim, index, "index_copy"), slices, false,
               "IndexCopyBackward0")
      .reshape(x.sizes());
}
Variable Variable::index_copy(std::int64_t dim, const Variable& index,
                              const Variable& source) const {
  return tapedeck::index_copy(*this, dim, index, source);
}
Variable& Variable::index_copy_(std::int64_t dim, const Variable& index,
                                const Variable& source) const {
  TAPEDECK_CHECK_DEFINED("index_copy_", *this, index, source);
  const Variable slices = slices_for(*this, dim, index, source, "index_copy_");
  const Variable base = this->dim() == 0 ? unsqueeze(0) : *this;
  write_inplace(base, along(*this, dim, index, "index_copy_"), slices, false, "IndexCopyBackward0");
  return const_cast<Variable&>(*this);
}

Variable take(const Variable& x, const Variable& index) {
  TAPEDECK_CHECK_DEFINED("take", x, index);
  TAPEDECK_CHECK_AS(TypeError, index.dtype() == kLong,
                    "take(): Expected a long tensor for index, but got ", index.dtype());
  Indexing at{{index.reshape({-1})}, "take"};
  return read(x.reshape({-1}), at, "TakeBackward0").reshape(index.sizes());
}
Variable Variable::take(const Variable& index) const { return tapedeck::take(*this, index); }

Variable put(const Variable& x, const Variable& index, const Variable& source, bool accumulate) {
  TAPEDECK_CHECK_DEFINED("put", x, index, source);
  TAPEDECK_CHECK_AS(TypeError, index.dtype() == kLong,
                    "put_(): Expected a long tensor for index, but got ", index.dtype());
  TAPEDECK_CHECK_AS(TypeError, x.dtype() == source.dtype(), "put_(): self and source expected to ",
                    "have the same dtype, but got ", x.dtype(), " and ", source.dtype());
  TAPEDECK_CHECK(index.numel() == source.numel(),
                 "put_(): Expected source and index to have the same number of elements, but got "
                 "source ",
                 source.sizes(), " and index ", index.sizes());
  Indexing at{{index.reshape({-1})}, "put_"};
  return write(x.reshape({-1}), at, source.reshape({-1}), accumulate, "PutBackward0")
      .reshape(x.sizes());
}
Variable VariableMath::put(const Variable& index, const Variable& source, bool accumulate) const {
  return tapedeck::put(self(), index, source, accumulate);
}
Variable& VariableMath::put_(const Variable& index, const Variable& source, bool accumulate) const {
  return assign_inplace(self(), put(index, source, accumulate), "put_");
}

}  // namespace tapedeck
