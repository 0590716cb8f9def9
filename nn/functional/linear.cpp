#include <tapedeck/nn/functional/linear.h>

#include <tapedeck/ops/linear.h>

namespace tapedeck::nn::functional {

Tensor linear(const Tensor& input, const Tensor& weight, const Tensor& bias) {
  return tapedeck::linear(input, weight, bias);
}
Tensor bilinear(const Tensor& input1, const Tensor& input2, const Tensor& weight,
                const Tensor& bias) {
  return tapedeck::bilinear(input1, input2, weight, bias);
}

}  // namespace tapedeck::nn::functional
