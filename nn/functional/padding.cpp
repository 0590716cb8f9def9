#include <tapedeck/nn/functional/padding.h>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/pad.h>

namespace tapedeck::nn::functional {

Tensor pad(const Tensor& input, const PadFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("pad", input);
  const tapedeck::detail::OpScope scope("pad");
  if (holds_alternative<enumtype::kReflect>(options.mode()))
    return tapedeck::pad(input, options.pad(), "reflect");
  if (holds_alternative<enumtype::kReplicate>(options.mode()))
    return tapedeck::pad(input, options.pad(), "replicate");
  if (holds_alternative<enumtype::kCircular>(options.mode()))
    return tapedeck::pad(input, options.pad(), "circular");
  return constant_pad_nd(input, options.pad(), options.value());
}

}  // namespace tapedeck::nn::functional
