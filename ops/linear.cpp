#include <tapedeck/ops/linear.h>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/matmul.h>
#include <tapedeck/ops/reduction.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck {

Variable linear(const Variable& input, const Variable& weight,
                const std::optional<Variable>& bias) {
  TAPEDECK_CHECK_DEFINED("linear", input, weight);
  const detail::OpScope scope("linear");
  const bool has_bias = bias && bias->defined();
  TAPEDECK_CHECK(weight.dim() == 1 || weight.dim() == 2,
                 "linear: expected a weight of 1 or 2 dimensions, got ", weight.sizes(), " (input ",
                 input.sizes(), ")");
  TAPEDECK_CHECK(input.dim() >= 1 && input.size(-1) == weight.size(-1), "linear: weight expects ",
                 weight.size(-1), " input features, input has ",
                 input.dim() == 0 ? 0 : input.size(-1), " (input ", input.sizes(), ", weight ",
                 weight.sizes(), ")");
  if (weight.dim() == 1) {
    const Variable y = matmul(input, weight);
    return has_bias ? y + *bias : y;
  }
  TAPEDECK_CHECK(input.dtype() == weight.dtype(),
                 "linear: expected input and weight to have the same dtype, got ", input.dtype(),
                 " and ", weight.dtype());
  const std::int64_t in = weight.size(1), out = weight.size(0);
  TAPEDECK_CHECK(!has_bias || (bias->dim() <= 1 && (bias->numel() == out || bias->numel() == 1)),
                 "linear: expected a bias of ", out, " elements, got ",
                 has_bias ? bias->sizes() : IntArrayRef(), " (weight ", weight.sizes(), ")");
  // [M, in] x [in, out]
  const std::int64_t M = numel_of(input.sizes().slice(0, input.sizes().size() - 1));
  const Variable rows = input.dim() == 2 ? input : input.reshape({M, in});
  const Variable y = has_bias ? addmm(*bias, rows, weight.t()) : mm(rows, weight.t());
  if (input.dim() == 2) return y;
  DimVector sizes(input.sizes());
  sizes.back() = out;
  return y.view(sizes);
}

Variable bilinear(const Variable& input1, const Variable& input2, const Variable& weight,
                  const std::optional<Variable>& bias) {
  TAPEDECK_CHECK_DEFINED("bilinear", input1, input2, weight);
  const detail::OpScope scope("bilinear");
  TAPEDECK_CHECK(weight.dim() == 3 && input1.dim() == input2.dim() && input1.dim() >= 1 &&
                     input1.size(-1) == weight.size(1) && input2.size(-1) == weight.size(2),
                 "bilinear: expected input1 [..., I], input2 [..., J] and weight [K, I, J], got ",
                 input1.sizes(), ", ", input2.sizes(), " and ", weight.sizes());
  TAPEDECK_CHECK(input1.sizes()
                     .slice(0, input1.sizes().size() - 1)
                     .equals(input2.sizes().slice(0, input2.sizes().size() - 1)),
                 "bilinear: the inputs' batches differ: ", input1.sizes(), " and ", input2.sizes());
  const std::int64_t K = weight.size(0), I = weight.size(1), J = weight.size(2);
  const std::int64_t M = numel_of(input1.sizes().slice(0, input1.sizes().size() - 1));
  // [M, I] x [I, K J] -> [M, K, J], then [M, K, J] x [M, J, 1] -> [M, K]
  const Variable wide = weight.permute({1, 0, 2}).reshape({I, K * J});
  const Variable partial = mm(input1.reshape({M, I}), wide).view({M, K, J});
  Variable y = bmm(partial, input2.reshape({M, J, 1})).squeeze(2);
  if (bias && bias->defined()) y = y + *bias;
  DimVector sizes(input1.sizes());
  sizes.back() = K;
  return y.view(sizes);
}

}  // namespace tapedeck
