#include <tapedeck/nn/functional/linear.h>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/linear.h>

namespace tapedeck::nn::functional {

Tensor linear(const Tensor& input, const Tensor& weight, const Tensor& bias) {
  TAPEDECK_CHECK_DEFINED("linear", input, weight);
  const tapedeck::detail::OpScope scope("linear");
  return tapedeck::linear(input, weight, bias);
}
Tensor bilinear(const Tensor& input1, const Tensor& input2, const Tensor& weight,
                const Tensor& bias) {
  TAPEDECK_CHECK_DEFINED("bilinear", input1, input2, weight);
  const tapedeck::detail::OpScope scope("bilinear");
  return tapedeck::bilinear(input1, input2, weight, bias);
}

}  // namespace tapedeck::nn::functional
