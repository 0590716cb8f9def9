#include <tapedeck/autograd/saved.h>

#include <tapedeck/autograd/grad_mode.h>

namespace tapedeck::autograd {

Saved save(const Variable& input, bool when) {
  Saved saved;
  if (when && input.defined()) {
    TAPEDECK_CHECK(!input.is_inference(),
                   "Inference tensors cannot be saved for backward. To work around you can make a "
                   "clone to get a normal tensor and use it in autograd. (shape ",
                   input.sizes(), ")");
    saved.value_ = input;
    saved.version_ = input.array().storage()->version();
  }
  return saved;
}

Saved save_output(const Variable& output, std::uint32_t output_nr) {
  Saved saved;
  saved.value_ = Variable(output.array());
  saved.version_ = output.array().storage()->version();
  saved.output_nr_ = static_cast<std::int32_t>(output_nr);
  return saved;
}

Variable Saved::get(const VjpContext& ctx) const {
  if (!value_.defined()) return {};
  const std::uint32_t now = value_.array().storage()->version();
  TAPEDECK_CHECK(now == version_,
                 "one of the variables needed for gradient computation has been modified by an "
                 "inplace operation: [",
                 value_.toString(), " ", value_.sizes(), "], saved by ", ctx.node().name(),
                 ", is at version ", now, "; expected version ", version_, " instead");
  if (output_nr_ == kInput || !GradMode::is_enabled()) return value_;
  // An output again, on the same tape, for derivatives of this derivative.
  Variable output(value_.array());
  output.impl()->grad_fn = intrusive_ptr<Node>(const_cast<Node*>(&ctx.node()));
  output.impl()->output_nr = static_cast<std::uint32_t>(output_nr_);
  return output;
}

}  // namespace tapedeck::autograd
