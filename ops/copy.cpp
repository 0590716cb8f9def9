#include <tapedeck/ops/copy.h>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/kernels/copy.h>

namespace tapedeck {

namespace {

// y = x in another dtype;  dx = g in x's
Variable cast(const Variable& x, ScalarType dtype) {
  Variable y(kernels::copy_preserving(x.array(), dtype));
  if (should_record(x) && is_floating_point(dtype))
    record(y, "ToCopyBackward0", edges(x),
           [from = x.dtype()](const Variable& g) { return g.to(from); });
  return y;
}

// y = x in fresh memory;  dx = g
Variable copy_of(const Variable& x, Array copy) {
  Variable y(std::move(copy));
  if (should_record(x)) record(y, "CloneBackward0", edges(x), [](const Variable& g) { return g; });
  return y;
}

}  // namespace

Variable clone(const Variable& x, std::optional<MemoryFormat> format) {
  TAPEDECK_CHECK_DEFINED("clone", x);
  if (format == MemoryFormat::Contiguous) return copy_of(x, kernels::clone(x.array()));
  return copy_of(x, kernels::copy_preserving(x.array(), x.dtype()));
}
Variable Variable::clone(std::optional<MemoryFormat> format) const {
  return tapedeck::clone(*this, format);
}

Variable Variable::contiguous(MemoryFormat) const {
  TAPEDECK_CHECK_DEFINED("contiguous", *this);
  return is_contiguous() ? *this : clone(MemoryFormat::Contiguous);
}

Variable Variable::to(ScalarType dtype, bool, bool copy, std::optional<MemoryFormat>) const {
  TAPEDECK_CHECK_DEFINED("to", *this);
  if (dtype == this->dtype()) return copy ? clone() : *this;
  const detail::OpScope scope("to");
  return cast(*this, dtype);
}
Variable Variable::to(Device device, ScalarType dtype, bool non_blocking, bool copy,
                      std::optional<MemoryFormat>) const {
  TAPEDECK_CHECK_DEFINED("to", *this);
  check_device(device, "to");
  return to(dtype, non_blocking, copy);
}
Variable Variable::to(const TensorOptions& options, bool non_blocking, bool copy,
                      std::optional<MemoryFormat>) const {
  TAPEDECK_CHECK_DEFINED("to", *this);
  check_options(options, "to");
  TAPEDECK_CHECK(
      !options.requires_grad(),
      "to(options) expects unset requires_grad flag, but got options.requires_grad set to "
      "true");
  return to(options.dtype_opt().value_or(dtype()), non_blocking, copy);
}
Variable Variable::to(const Variable& other, bool non_blocking, bool copy,
                      std::optional<MemoryFormat>) const {
  TAPEDECK_CHECK_DEFINED("to", *this, other);
  return to(other.dtype(), non_blocking, copy);
}
Variable Variable::type_as(const Variable& other) const {
  TAPEDECK_CHECK_DEFINED("type_as", *this, other);
  return to(other.dtype());
}
Variable Variable::cpu() const {
  TAPEDECK_CHECK_DEFINED("cpu", *this);
  return *this;
}
Variable Variable::cuda() const {
  TAPEDECK_CHECK_DEFINED("cuda", *this);
  check_device(kCUDA, "cuda");
  return *this;
}

Variable Variable::toBackend(Backend backend) const {
  TAPEDECK_CHECK_DEFINED("toBackend", *this);
  TAPEDECK_CHECK(backend == Backend::CPU, "toBackend: expected Backend::CPU, the only one here");
  return *this;
}

// self = source broadcast to self's shape;  dsource = g summed to its shape
Variable& Variable::copy_(const Variable& source, bool) const {
  TAPEDECK_CHECK_DEFINED("copy_", *this, source);
  const detail::OpScope scope("copy_");
  TAPEDECK_CHECK(source.defined(), "copy_: the source is undefined");
  if (is_same(source)) return const_cast<Variable&>(*this);
  Variable value = source;
  if (value.dtype() != dtype()) value = cast(value, dtype());
  if (!(value.array().sizes() == array().sizes())) value = value.expand(sizes());
  // Reading from the memory that is written to would see new values; what is recorded holds no view
  // of what it changes.
  if (should_record(*this, value) ? value.array().shares_storage(array())
                                  : kernels::may_overlap(value.array(), array()))
    value = value.clone();
  return assign_inplace(*this, value, "copy_");
}

namespace {

Variable& fill_with(const Variable& self, Scalar value, const char* op) {
  const detail::OpScope scope(op);
  check_inplace(self, op);
  if (should_record(self))
    return assign_inplace(self, Variable(kernels::full(self.sizes(), value, self.dtype())), op);
  Array target = self.array();
  kernels::fill(target, value);
  return finish_inplace(self);
}

}  // namespace

Variable& Variable::fill_(Scalar value) const {
  TAPEDECK_CHECK_DEFINED("fill_", *this);
  return fill_with(*this, value, "fill_");
}
Variable& Variable::fill_(const Variable& value) const {
  TAPEDECK_CHECK_DEFINED("fill_", *this, value);
  const detail::OpScope scope("fill_");
  TAPEDECK_CHECK(value.dim() == 0,
                 "fill_ only supports 0-dimension value tensor but got tensor with ", value.dim(),
                 " dimensions");
  detail::check_fits(value.item(), scalar_type(), "fill_");
  return copy_(value);
}
Variable& Variable::zero_() const {
  TAPEDECK_CHECK_DEFINED("zero_", *this);
  return fill_with(*this, 0, "zero_");
}

Variable& zero_(Variable& self) { return self.zero_(); }
Variable& fill_(Variable& self, Scalar value) { return self.fill_(value); }

Scalar Variable::item() const {
  TAPEDECK_CHECK_DEFINED("item", *this);
  TAPEDECK_CHECK(numel() == 1, "a Tensor with ", numel(),
                 " elements cannot be converted to Scalar (shape ", sizes(), ")");
  switch (dtype()) {
    case ScalarType::Byte:
      return *array().data<std::uint8_t>();
    case ScalarType::Int:
      return *array().data<std::int32_t>();
    case ScalarType::Long:
      return *array().data<std::int64_t>();
    case ScalarType::Float:
      return *array().data<float>();
    case ScalarType::Double:
      return *array().data<double>();
    case ScalarType::Bool:
      return *array().data<bool>();
    case ScalarType::Undefined:
      break;
  }
  detail::fail("item: undefined dtype");
}

}  // namespace tapedeck
