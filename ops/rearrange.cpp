#include <tapedeck/ops/rearrange.h>

#include <algorithm>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/ops/index.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/rearrange.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck {

namespace {

// How repeat() lays its result out: an axis of repeats in front of each axis that has more or fewer
// than one.
struct RepeatLayout {
  DimVector result;       // the result's sizes
  DimVector interleaved;  // the result's sizes with the axes of repeats
  DimVector source;       // the input's sizes with ones in their places
  DimVector repeat_axes;  // which axes of `interleaved` they are

  RepeatLayout(IntArrayRef sizes, IntArrayRef repeats) {
    const std::size_t leading = repeats.size() - sizes.size();
    for (std::size_t i = 0; i < repeats.size(); ++i) {
      const std::int64_t size = i < leading ? 1 : sizes[i - leading];
      if (repeats[i] != 1) {
        repeat_axes.push_back(static_cast<std::int64_t>(interleaved.size()));
        interleaved.push_back(repeats[i]);
        source.push_back(1);
      }
      interleaved.push_back(size);
      source.push_back(size);
      std::int64_t extent = 0;
      TAPEDECK_CHECK(!__builtin_mul_overflow(repeats[i], size, &extent), "repeat: ", repeats,
                     " times shape ", sizes, " has more elements than int64 counts");
      result.push_back(extent);
    }
  }
};

}  // namespace

// y = x, several times;  dx = the sum of g's parts
Variable repeat(const Variable& x, IntArrayRef repeats) {
  TAPEDECK_CHECK_DEFINED("repeat", x);
  TAPEDECK_CHECK(static_cast<std::int64_t>(repeats.size()) >= x.dim(),
                 "repeat: Number of dimensions of repeat dims can not be smaller than number of "
                 "dimensions of tensor: ",
                 repeats, " for shape ", x.sizes());
  for (const std::int64_t r : repeats)
    TAPEDECK_CHECK(r >= 0, "repeat: negative number of repeats in ", repeats);
  const RepeatLayout layout(x.sizes(), repeats);
  const Array out = Array::empty(layout.result, x.dtype());
  if (out.numel() > 0) {
    Array target = out.view(layout.interleaved);
    kernels::copy(kernels::contiguous(x.array()).view(layout.source), target);
  }
  Variable y(out);
  if (should_record(x))
    record(y, "RepeatBackward0", edges(x), [layout](const Variable& g, const VjpContext& ctx) {
      const DimVector& sizes = ctx.input_sizes(0);
      if (g.numel() == 0) return Variable(kernels::zeros(sizes, g.dtype()));
      const Variable parts = g.reshape(layout.interleaved);
      return (layout.repeat_axes.empty() ? parts : parts.sum(layout.repeat_axes)).reshape(sizes);
    });
  return y;
}
Variable Variable::repeat(IntArrayRef repeats) const { return tapedeck::repeat(*this, repeats); }

Variable tile(const Variable& x, IntArrayRef dims) {
  TAPEDECK_CHECK_DEFINED("tile", x);
  const detail::OpScope scope("tile");
  DimVector repeats;
  for (auto missing = x.dim() - static_cast<std::int64_t>(dims.size()); missing > 0; --missing)
    repeats.push_back(1);
  for (const std::int64_t r : dims) repeats.push_back(r);
  return repeat(x, repeats);
}
Variable Variable::tile(IntArrayRef dims) const { return tapedeck::tile(*this, dims); }

namespace {

void check_output_size(std::int64_t size, std::optional<std::int64_t> output_size) {
  TAPEDECK_CHECK(!output_size || *output_size == size, "repeat_interleave: expected output_size ",
                 size, ", got ", output_size.value_or(size));
}

}  // namespace

Variable repeat_interleave(const Variable& self, std::int64_t repeats,
                           std::optional<std::int64_t> dim,
                           std::optional<std::int64_t> output_size) {
  TAPEDECK_CHECK_DEFINED("repeat_interleave", self);
  const detail::OpScope scope("repeat_interleave");
  TAPEDECK_CHECK(repeats >= 0, "repeat_interleave: repeats can not be negative, got ", repeats);
  const Variable x = dim ? atleast_1d(self) : self.reshape({-1});
  const std::int64_t d = wrap_dim(dim.value_or(0), x.dim(), "repeat_interleave");
  DimVector sizes = x.array().sizes();
  sizes.insert(d + 1, repeats);
  const Variable spread = x.unsqueeze(d + 1).expand(sizes);
  sizes.erase(d + 1);
  sizes[d] *= repeats;
  check_output_size(sizes[d], output_size);
  return spread.clone(MemoryFormat::Contiguous).view(sizes);
}
Variable repeat_interleave(const Variable& self, const Variable& repeats,
                           std::optional<std::int64_t> dim,
                           std::optional<std::int64_t> output_size) {
  TAPEDECK_CHECK_DEFINED("repeat_interleave", self, repeats);
  const detail::OpScope scope("repeat_interleave");
  const Variable x = dim ? atleast_1d(self) : self.reshape({-1});
  const std::int64_t d = wrap_dim(dim.value_or(0), x.dim(), "repeat_interleave");
  TAPEDECK_CHECK(repeats.dim() <= 1,
                 "repeat_interleave: repeats must be 0-dim or 1-dim tensor, got shape ",
                 repeats.sizes());
  TAPEDECK_CHECK_AS(TypeError, repeats.dtype() == kLong || repeats.dtype() == kInt,
                    "repeat_interleave: repeats has to be Long or Int tensor, got ",
                    repeats.dtype());
  const Array counts = kernels::contiguous(kernels::cast(repeats.array(), kLong));
  const auto* count = counts.data<std::int64_t>();
  if (counts.numel() == 1) return repeat_interleave(x, count[0], d, output_size);
  TAPEDECK_CHECK(counts.numel() == x.size(d),
                 "repeat_interleave: repeats must have the same size as input along dim: ",
                 repeats.sizes(), " for dimension ", d, " of ", x.sizes());
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < counts.numel(); ++i) {
    TAPEDECK_CHECK(count[i] >= 0, "repeat_interleave: repeats can not be negative, got ", count[i]);
    total += count[i];
  }
  check_output_size(total, output_size);
  const Array places = Array::empty({total}, kLong);
  auto* place = places.data<std::int64_t>();
  for (std::int64_t i = 0; i < counts.numel(); ++i) place = std::fill_n(place, count[i], i);
  return index_select(x, d, Variable(places));
}
Variable Variable::repeat_interleave(std::int64_t repeats, std::optional<std::int64_t> dim,
                                     std::optional<std::int64_t> output_size) const {
  return tapedeck::repeat_interleave(*this, repeats, dim, output_size);
}
Variable Variable::repeat_interleave(const Variable& repeats, std::optional<std::int64_t> dim,
                                     std::optional<std::int64_t> output_size) const {
  return tapedeck::repeat_interleave(*this, repeats, dim, output_size);
}

// y = x backwards;  dx = g backwards
Variable flip(const Variable& x, IntArrayRef dims) {
  TAPEDECK_CHECK_DEFINED("flip", x);
  DimVector axes;
  for (const std::int64_t dim : dims) {
    const std::int64_t d = wrap_dim(dim, x.dim(), "flip");
    TAPEDECK_CHECK(std::find(axes.begin(), axes.end(), d) == axes.end(), "flip: dim ", d,
                   " appears multiple times in the list of dims");
    if (x.dim() > 0) axes.push_back(d);
  }
  Variable y(kernels::flip(x.array(), axes));
  if (should_record(x))
    record(y, "FlipBackward0", edges(x), [axes](const Variable& g) { return flip(g, axes); });
  return y;
}
Variable Variable::flip(IntArrayRef dims) const { return tapedeck::flip(*this, dims); }
Variable fliplr(const Variable& x) {
  TAPEDECK_CHECK_DEFINED("fliplr", x);
  TAPEDECK_CHECK(x.dim() >= 2, "fliplr: Input must be >= 2-d, got shape ", x.sizes());
  return flip(x, 1);
}
Variable flipud(const Variable& x) {
  TAPEDECK_CHECK_DEFINED("flipud", x);
  TAPEDECK_CHECK(x.dim() >= 1, "flipud: Input must be >= 1-d, got shape ", x.sizes());
  return flip(x, 0);
}

namespace {

// y[i + shift] = x[i];  dx[i] = g[i + shift]
Variable rolled(const Variable& x, std::int64_t shift, std::int64_t dim) {
  shift = x.sizes()[dim] > 0 ? shift % x.sizes()[dim] : 0;
  Variable y(kernels::roll(x.array(), shift, dim));
  if (should_record(x))
    record(y, "RollBackward0", edges(x),
           [shift, dim](const Variable& g) { return rolled(g, -shift, dim); });
  return y;
}

}  // namespace

Variable roll(const Variable& x, IntArrayRef shifts, IntArrayRef dims) {
  TAPEDECK_CHECK_DEFINED("roll", x);
  TAPEDECK_CHECK(!shifts.empty(), "roll: `shifts` required");
  if (dims.empty() && shifts.size() == 1)
    return rolled(x.reshape({-1}), shifts[0], 0).reshape(x.sizes());
  TAPEDECK_CHECK(shifts.size() == dims.size(),
                 "roll: shifts and dimensions must align. shifts: ", shifts.size(),
                 ", dims:", dims.size());
  Variable y = x;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    TAPEDECK_CHECK_AS(IndexError, x.dim() > 0, "roll: cannot be applied to a 0-dim tensor");
    y = rolled(y, shifts[i], wrap_dim(dims[i], x.dim(), "roll"));
  }
  return y;
}
Variable Variable::roll(IntArrayRef shifts, IntArrayRef dims) const {
  return tapedeck::roll(*this, shifts, dims);
}

Variable rot90(const Variable& x, std::int64_t k, IntArrayRef dims) {
  TAPEDECK_CHECK_DEFINED("rot90", x);
  TAPEDECK_CHECK(dims.size() == 2,
                 "rot90: expected total rotation dims == 2, but got dims = ", dims.size());
  TAPEDECK_CHECK(x.dim() >= 2, "rot90: expected total dims >= 2, but got shape ", x.sizes());
  const std::int64_t a = wrap_dim(dims[0], x.dim(), "rot90"),
                     b = wrap_dim(dims[1], x.dim(), "rot90");
  TAPEDECK_CHECK(a != b, "rot90: expected rotation dims to be different, but got ", dims);
  switch ((k % 4 + 4) % 4) {
    case 1:
      return flip(x, b).transpose(a, b).contiguous();
    case 2:
      return flip(x, {a, b});
    case 3:
      return flip(x, a).transpose(a, b).contiguous();
    default:
      return x.clone();
  }
}

std::vector<Variable> meshgrid(TensorList tensors, std::string_view indexing) {
  TAPEDECK_CHECK_DEFINED("meshgrid", tensors);
  TAPEDECK_CHECK(!tensors.empty(), "meshgrid: expects a non-empty TensorList");
  TAPEDECK_CHECK(indexing == "ij" || indexing == "xy",
                 "meshgrid: indexing must be one of \"xy\" or \"ij\", but received: ", indexing);
  DimVector grid;
  for (const Variable& t : tensors) {
    TAPEDECK_CHECK(t.dim() <= 1, "meshgrid: Expected 0D or 1D tensor in the tensor list but got ",
                   t.sizes());
    TAPEDECK_CHECK_AS(TypeError, t.dtype() == tensors[0].dtype(),
                      "meshgrid: expects all tensors to have the same dtype, got ",
                      tensors[0].dtype(), " and ", t.dtype());
    grid.push_back(t.numel());
  }
  std::vector<Variable> result;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    DimVector sizes(tensors.size(), 1);
    sizes[i] = -1;
    result.push_back(tensors[i].reshape(sizes).expand(grid));
  }
  if (indexing == "xy" && tensors.size() >= 2)
    for (Variable& v : result) v = v.transpose(0, 1);
  return result;
}

// y = x where j <= i + k, else 0;  dx = g there
Variable tril(const Variable& x, std::int64_t diagonal) {
  TAPEDECK_CHECK_DEFINED("tril", x);
  Variable y(kernels::tril(x.array(), diagonal));
  if (should_record(x))
    record(y, "TrilBackward0", edges(x),
           [diagonal](const Variable& g) { return tril(g, diagonal); });
  return y;
}
// y = x where j >= i + k, else 0;  dx = g there
Variable triu(const Variable& x, std::int64_t diagonal) {
  TAPEDECK_CHECK_DEFINED("triu", x);
  Variable y(kernels::triu(x.array(), diagonal));
  if (should_record(x))
    record(y, "TriuBackward0", edges(x),
           [diagonal](const Variable& g) { return triu(g, diagonal); });
  return y;
}
Variable Variable::tril(std::int64_t diagonal) const { return tapedeck::tril(*this, diagonal); }
Variable Variable::triu(std::int64_t diagonal) const { return tapedeck::triu(*this, diagonal); }

Variable diag(const Variable& x, std::int64_t diagonal) {
  TAPEDECK_CHECK_DEFINED("diag", x);
  const detail::OpScope scope("diag");
  TAPEDECK_CHECK(x.dim() == 1 || x.dim() == 2, "diag: matrix or a vector expected, got shape ",
                 x.sizes());
  return x.dim() == 1 ? diag_embed(x, diagonal) : x.diagonal(diagonal).clone();
}
Variable Variable::diag(std::int64_t diagonal) const { return tapedeck::diag(*this, diagonal); }
Variable diagflat(const Variable& x, std::int64_t offset) {
  TAPEDECK_CHECK_DEFINED("diagflat", x);
  return diag_embed(x.reshape({-1}), offset);
}

Variable trace(const Variable& x) {
  TAPEDECK_CHECK_DEFINED("trace", x);
  TAPEDECK_CHECK(x.dim() == 2, "trace: expected a matrix, got shape ", x.sizes());
  return x.diagonal().sum();
}
Variable Variable::trace() const { return tapedeck::trace(*this); }

}  // namespace tapedeck
