#include <tapedeck/ops/joining.h>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/join.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck {

namespace {

bool is_skipped(const Variable& t) { return t.dim() == 1 && t.numel() == 0; }

ScalarType common_dtype(TensorList tensors, const char* op) {
  TAPEDECK_CHECK(!tensors.empty(), op, "(): expected a non-empty list of Tensors");
  ScalarType dtype = tensors[0].dtype();
  for (const Variable& t : tensors) dtype = promote_types(dtype, t.dtype());
  return dtype;
}

}  // namespace

// y = x_0, x_1, ... along an axis;  dx_i = g's part
Variable cat(TensorList tensors, std::int64_t dim) {
  TAPEDECK_CHECK_DEFINED("cat", tensors);
  const ScalarType dtype = common_dtype(tensors, "cat");
  const Variable* model = nullptr;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    TAPEDECK_CHECK(tensors[i].dim() > 0, "cat(): zero-dimensional tensor (at position ", i,
                   ") cannot be concatenated");
    if (!model && !is_skipped(tensors[i])) model = &tensors[i];
  }
  if (!model) model = &tensors[0];
  dim = wrap_dim(dim, model->dim(), "cat");
  DimVector sizes = model->array().sizes();
  sizes[dim] = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Variable& t = tensors[i];
    if (is_skipped(t)) continue;
    TAPEDECK_CHECK(t.dim() == model->dim(),
                   "cat(): Tensors must have same number of dimensions: got ", model->dim(),
                   " and ", t.dim(), " (", model->sizes(), " and, at position ", i, ", ", t.sizes(),
                   ")");
    for (std::int64_t axis = 0; axis < t.dim(); ++axis)
      TAPEDECK_CHECK(axis == dim || t.sizes()[axis] == sizes[axis],
                     "cat(): Sizes of tensors must match except in dimension ", dim,
                     ". Expected size ", sizes[axis], " but got size ", t.sizes()[axis],
                     " for tensor number ", i, " in the list (", model->sizes(), " and ", t.sizes(),
                     ")");
    sizes[dim] += t.sizes()[dim];
  }
  std::vector<Array> arrays;
  for (const Variable& t : tensors)
    if (!is_skipped(t)) arrays.push_back(kernels::cast(t.array(), dtype));
  Variable y(kernels::joined(arrays, dim, sizes, dtype));
  if (should_record_list(tensors)) {
    struct Part {
      std::int64_t length;
      ScalarType dtype;
      bool skipped;
    };
    std::vector<Part> parts;
    for (const Variable& t : tensors)
      parts.push_back({is_skipped(t) ? 0 : t.sizes()[dim], t.dtype(), is_skipped(t)});
    record(y, "CatBackward0", edge_list(tensors),
           [parts, dim](const Variable& g, const VjpContext& ctx) {
             Gradients grads(parts.size());
             std::int64_t at = 0;
             for (std::size_t i = 0; i < parts.size(); ++i) {
               if (ctx.needs(i))
                 grads[i] = parts[i].skipped
                                ? Variable(kernels::zeros({0}, parts[i].dtype))
                                : narrow(g, dim, at, parts[i].length).to(parts[i].dtype);
               at += parts[i].length;
             }
             return grads;
           });
  }
  return y;
}
Variable concat(TensorList tensors, std::int64_t dim) { return cat(tensors, dim); }

// y[i] = x_i;  dx_i = g[i]
Variable stack(TensorList tensors, std::int64_t dim) {
  TAPEDECK_CHECK_DEFINED("stack", tensors);
  const ScalarType dtype = common_dtype(tensors, "stack");
  const Variable& first = tensors[0];
  dim = wrap_dim(dim, first.dim() + 1, "stack");
  for (std::size_t i = 1; i < tensors.size(); ++i)
    TAPEDECK_CHECK(tensors[i].array().sizes() == first.array().sizes(),
                   "stack expects each tensor to be equal size, but got ", first.sizes(),
                   " at entry 0 and ", tensors[i].sizes(), " at entry ", i);
  DimVector sizes = first.array().sizes();
  sizes.insert(dim, static_cast<std::int64_t>(tensors.size()));
  Array out = Array::empty(sizes, dtype);
  std::vector<Array> arrays;
  std::vector<ScalarType> dtypes;
  for (const Variable& t : tensors) {
    arrays.push_back(kernels::cast(t.array(), dtype).unsqueeze(dim));
    dtypes.push_back(t.dtype());
  }
  kernels::join(arrays, dim, out);
  Variable y(out);
  if (should_record_list(tensors))
    record(y, "StackBackward0", edge_list(tensors),
           [dtypes, dim](const Variable& g, const VjpContext& ctx) {
             Gradients grads(dtypes.size());
             for (std::size_t i = 0; i < dtypes.size(); ++i)
               if (ctx.needs(i))
                 grads[i] = g.select(dim, static_cast<std::int64_t>(i)).to(dtypes[i]);
             return grads;
           });
  return y;
}

namespace {

template <typename Map>
std::vector<Variable> each(TensorList tensors, const char* op, Map map) {
  TAPEDECK_CHECK(!tensors.empty(), op, "(): expected a non-empty list of Tensors");
  std::vector<Variable> mapped;
  for (const Variable& t : tensors) mapped.push_back(map(t));
  return mapped;
}

}  // namespace

Variable hstack(TensorList tensors) {
  TAPEDECK_CHECK_DEFINED("hstack", tensors);
  const detail::OpScope scope("hstack");
  const auto parts = each(tensors, "hstack", [](const Variable& t) { return atleast_1d(t); });
  return cat(parts, parts[0].dim() == 1 ? 0 : 1);
}
Variable vstack(TensorList tensors) {
  TAPEDECK_CHECK_DEFINED("vstack", tensors);
  const detail::OpScope scope("vstack");
  return cat(each(tensors, "vstack", [](const Variable& t) { return atleast_2d(t); }), 0);
}
Variable dstack(TensorList tensors) {
  TAPEDECK_CHECK_DEFINED("dstack", tensors);
  const detail::OpScope scope("dstack");
  return cat(each(tensors, "dstack", [](const Variable& t) { return atleast_3d(t); }), 2);
}
Variable column_stack(TensorList tensors) {
  TAPEDECK_CHECK_DEFINED("column_stack", tensors);
  const detail::OpScope scope("column_stack");
  return cat(each(tensors, "column_stack",
                  [](const Variable& t) {
                    return t.dim() <= 1 ? t.reshape({t.numel(), 1}) : t;
                  }),
             1);
}

}  // namespace tapedeck
