#include <tapedeck/autograd/saved.h>

#include <utility>

#include <tapedeck/autograd/grad_mode.h>

namespace tapedeck::autograd {

namespace {

// The value and where its gradient goes, apart from the variable: that may become a result of the
// node that saves it, or the base of one, by an operation in place, and the node would own itself.
// A leaf that requires grad becomes nobody's result.
Variable apart(const Variable& input) {
  const VariableImpl& impl = *input.impl();
  if (impl.requires_grad && !impl.grad_fn && !impl.base) return input;
  Variable value(input.array());
  value.impl()->counts_versions = impl.counts_versions;
  if (input.requires_grad()) {
    Edge edge = gradient_edge(input);
    value.impl()->grad_fn = std::move(edge.function);
    value.impl()->output_nr = edge.input_nr;
  }
  return value;
}

}  // namespace

Saved save(const Variable& input, bool when) {
  Saved saved;
  if (when && input.defined()) {
    TAPEDECK_CHECK(!input.is_inference(),
                   "Inference tensors cannot be saved for backward. To work around you can make a "
                   "clone to get a normal tensor and use it in autograd. (shape ",
                   input.sizes(), ")");
    saved.value_ = apart(input);
    saved.version_ = input.array().storage()->version();
  }
  return saved;
}

Saved save_output(const Variable& output, std::uint32_t output_nr) {
  const Array& array = output.array();
  Saved saved;
  if (array.is_contiguous() && array.offset() == 0)
    saved.elements_ = array.storage();
  else
    saved.value_ = Variable(array);
  saved.version_ = array.storage()->version();
  saved.output_nr_ = static_cast<std::int32_t>(output_nr);
  return saved;
}

Array Saved::output(const VjpContext& ctx) const {
  if (!elements_) return value_.array();
  const OutputMetadata& output = ctx.node().output_metadata(static_cast<std::size_t>(output_nr_));
  return Array::row_major(elements_, output.sizes, output.dtype);
}

Variable Saved::get(const VjpContext& ctx) const {
  Variable value = output_nr_ == kInput ? value_ : Variable(output(ctx));
  if (!value.defined()) return value;
  const std::uint32_t now = value.array().storage()->version();
  TAPEDECK_CHECK(now == version_,
                 "one of the variables needed for gradient computation has been modified by an "
                 "inplace operation: [",
                 value.toString(), " ", value.sizes(), "], saved by ", ctx.node().name(),
                 ", is at version ", now, "; expected version ", version_, " instead");
  if (output_nr_ != kInput && GradMode::is_enabled()) {
    // An output again, on the same tape, for derivatives of this derivative.
    value.impl()->grad_fn = intrusive_ptr<Node>(const_cast<Node*>(&ctx.node()));
    value.impl()->output_nr = static_cast<std::uint32_t>(output_nr_);
  }
  return value;
}

}  // namespace tapedeck::autograd
