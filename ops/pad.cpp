#include <tapedeck/ops/pad.h>

#include <algorithm>
#include <vector>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/ops/index.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/pad.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck {

namespace {

struct AxisPad {
  std::int64_t axis, before, after;
};

// The axes that `pad` is about, checked.
std::vector<AxisPad> axes_of(const Variable& x, IntArrayRef pad) {
  const auto dims = static_cast<std::size_t>(x.dim());
  TAPEDECK_CHECK(pad.size() % 2 == 0 && pad.size() / 2 <= dims,
                 "pad: expected an even number of at most ", 2 * dims, " paddings, got ", pad,
                 " (input ", x.sizes(), ")");
  std::vector<AxisPad> axes;
  for (std::size_t i = 0; i < pad.size(); i += 2) {
    const auto axis = static_cast<std::int64_t>(dims - 1 - i / 2);
    // Far from the limits of integers, so that the sums below are exact.
    constexpr std::int64_t kMost = std::int64_t{1} << 48;
    TAPEDECK_CHECK(std::max(pad[i], pad[i + 1]) <= kMost && std::min(pad[i], pad[i + 1]) >= -kMost,
                   "pad: expected paddings of at most ", kMost, ", got ", pad);
    TAPEDECK_CHECK(x.size(axis) + pad[i] + pad[i + 1] >= 0, "pad: the padding ", pad,
                   " leaves less than nothing of axis ", axis, " (input ", x.sizes(), ")");
    if (pad[i] != 0 || pad[i + 1] != 0) axes.push_back({axis, pad[i], pad[i + 1]});
  }
  return axes;
}

enum class Mode { Constant, Reflect, Replicate, Circular };

Mode mode_of(std::string_view name) {
  if (name == "constant") return Mode::Constant;
  if (name == "reflect") return Mode::Reflect;
  if (name == "replicate") return Mode::Replicate;
  TAPEDECK_CHECK_AS(ValueError, name == "circular",
                    "pad: expected mode constant, reflect, replicate or circular, got ", name);
  return Mode::Circular;
}

// Where each element of the padded axis comes from.
Variable source_indices(const Variable& x, const AxisPad& pad, Mode mode) {
  const std::int64_t size = x.size(pad.axis), out = size + pad.before + pad.after;
  const std::int64_t most = mode == Mode::Reflect ? size - 1 : size;
  TAPEDECK_CHECK(out > 0, "pad: paddings ", pad.before, " and ", pad.after, " of axis ", pad.axis,
                 " leave nothing of the input ", x.sizes());
  TAPEDECK_CHECK(size > 0 && (mode == Mode::Replicate || (pad.before <= most && pad.after <= most)),
                 "pad: paddings ", pad.before, " and ", pad.after, " of axis ", pad.axis,
                 mode == Mode::Reflect ? " must be less than its size to be reflected"
                                       : " must not be more than its size to be wrapped around",
                 " (input ", x.sizes(), ")");
  const Array indices = Array::empty(out, kInt64);
  for (std::int64_t o = 0; o < out; ++o) {
    std::int64_t i = o - pad.before;
    switch (mode) {
      case Mode::Reflect:
        if (i < 0) i = -i;
        if (i >= size) i = 2 * (size - 1) - i;
        break;
      case Mode::Replicate:
        i = std::clamp<std::int64_t>(i, 0, size - 1);
        break;
      case Mode::Circular:
        i = (i + size) % size;
        break;
      case Mode::Constant:
        break;
    }
    indices.data<std::int64_t>()[o] = i;
  }
  return Variable(indices);
}

// y = x with its end before it and its beginning after it: index_select by `from`, in whole runs;
// dx = 0, dx[from] += g
Variable wrapped(const Variable& x, const AxisPad& pad, const Variable& from) {
  Variable y(kernels::pad_circular(x.array(), pad.axis, pad.before, pad.after));
  if (should_record(x))
    record(
        y, "PadCircularBackward0", edges(x),
        [from, axis = pad.axis](const Variable& g, const VjpContext& ctx) {
          return Variable(kernels::zeros(ctx.input_sizes(0), g.dtype())).index_add_(axis, from, g);
        });
  return y;
}

// The same along two neighbouring axes at once.
Variable wrapped_planes(const Variable& x, const AxisPad& columns, const Variable& from_columns,
                        const AxisPad& rows, const Variable& from_rows) {
  Variable y(kernels::pad_circular_planes(x.array(), columns.axis, columns.before, columns.after,
                                          rows.before, rows.after));
  if (should_record(x))
    record(
        y, "PadCircularBackward0", edges(x),
        [from_columns, from_rows, axis = columns.axis](const Variable& g, const VjpContext& ctx) {
          DimVector sizes(ctx.input_sizes(0));
          sizes[axis] = g.size(axis);
          const Variable without_rows =
              Variable(kernels::zeros(sizes, g.dtype())).index_add_(axis - 1, from_rows, g);
          return Variable(kernels::zeros(ctx.input_sizes(0), g.dtype()))
              .index_add_(axis, from_columns, without_rows);
        });
  return y;
}

bool only_adds(const AxisPad& pad) { return pad.before >= 0 && pad.after >= 0; }

}  // namespace

// y = value around x;  dx = g without what was added
Variable constant_pad_nd(const Variable& self, IntArrayRef pad, Scalar value) {
  TAPEDECK_CHECK_DEFINED("constant_pad_nd", self);
  const detail::OpScope scope("constant_pad_nd");
  const std::vector<AxisPad> axes = axes_of(self, pad);
  Array x = self.array();
  DimVector sizes(self.sizes()), before(sizes.size(), 0);
  for (const AxisPad& p : axes) {
    const auto axis = static_cast<std::size_t>(p.axis);
    const std::int64_t skip = std::max<std::int64_t>(0, -p.before);
    const std::int64_t drop = std::max<std::int64_t>(0, -p.after);
    sizes[axis] += p.before + p.after;
    before[axis] = std::max<std::int64_t>(0, p.before);
    TAPEDECK_CHECK(skip + drop <= self.size(p.axis), "pad: paddings ", p.before, " and ", p.after,
                   " of axis ", p.axis, " leave less than nothing of the input ", self.sizes());
    if (skip + drop > 0) x = x.slice(p.axis, skip, self.size(p.axis) - drop, 1);
  }
  Variable y(kernels::pad_constant(x, before, sizes, value));
  if (should_record(self)) {
    DimVector cropped(pad);  // what the gradient is padded by
    for (std::int64_t& p : cropped) p = std::max<std::int64_t>(0, -p);
    record(y, "ConstantPadNdBackward0", edges(self),
           [axes, cropped, sizes = x.sizes()](const Variable& g) {
             Variable grad = g;
             for (const AxisPad& p : axes)
               grad = grad.narrow(p.axis, std::max<std::int64_t>(0, p.before),
                                  sizes[static_cast<std::size_t>(p.axis)]);
             const bool crops =
                 std::any_of(cropped.begin(), cropped.end(), [](std::int64_t p) { return p > 0; });
             return crops ? constant_pad_nd(grad, cropped, 0) : grad;
           });
  }
  return y;
}

Variable pad(const Variable& self, IntArrayRef pad, std::string_view mode,
             std::optional<double> value) {
  TAPEDECK_CHECK_DEFINED("pad", self);
  const detail::OpScope scope("pad");
  const Mode kind = mode_of(mode);
  if (kind == Mode::Constant) return constant_pad_nd(self, pad, value.value_or(0));
  TAPEDECK_CHECK(!value || *value == 0, "pad: mode ", mode, " takes no value, got ",
                 value.value_or(0));
  Variable y = self;
  std::vector<AxisPad> axes = axes_of(self, pad);
  if (kind == Mode::Circular && axes.size() >= 2 && axes[0].axis == axes[1].axis + 1 &&
      only_adds(axes[0]) && only_adds(axes[1])) {
    const Variable from_columns = source_indices(y, axes[0], kind);
    const Variable from_rows = source_indices(y, axes[1], kind);
    y = wrapped_planes(y, axes[0], from_columns, axes[1], from_rows);
    axes.erase(axes.begin(), axes.begin() + 2);
  }
  for (AxisPad p : axes) {
    if (kind == Mode::Circular) {
      // What is cropped takes no part in the wrapping.
      const std::int64_t size = y.size(p.axis);
      const std::int64_t skip = std::max<std::int64_t>(0, -p.before);
      const std::int64_t drop = std::max<std::int64_t>(0, -p.after);
      TAPEDECK_CHECK(skip + drop < size, "pad: paddings ", p.before, " and ", p.after, " of axis ",
                     p.axis, " leave nothing of the input ", self.sizes());
      y = y.narrow(p.axis, skip, size - skip - drop);
      p.before = std::max<std::int64_t>(0, p.before);
      p.after = std::max<std::int64_t>(0, p.after);
    }
    const Variable from = source_indices(y, p, kind);
    y = kind == Mode::Circular ? wrapped(y, p, from) : index_select(y, p.axis, from);
  }
  return y;
}

}  // namespace tapedeck
