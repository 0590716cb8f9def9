#include <tapedeck/nn/utils/parameters.h>

#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/ops/joining.h>

namespace tapedeck::nn::utils {

Tensor parameters_to_vector(const std::vector<Tensor>& parameters) {
  std::vector<Tensor> flat;
  for (const Tensor& parameter : parameters) flat.push_back(parameter.reshape(-1));
  return cat(flat);
}

void vector_to_parameters(const Tensor& vec, const std::vector<Tensor>& parameters) {
  std::int64_t total = 0;
  for (const Tensor& parameter : parameters) total += parameter.numel();
  TAPEDECK_CHECK(vec.dim() == 1 && vec.numel() == total,
                 "vector_to_parameters: expected a vector of ", total, " elements, got ",
                 vec.sizes());
  const NoGradGuard no_grad;
  std::int64_t begin = 0;
  for (const Tensor& parameter : parameters) {
    const std::int64_t count = parameter.numel();
    parameter.copy_(vec.narrow(0, begin, count).view(parameter.sizes()));
    begin += count;
  }
}

}  // namespace tapedeck::nn::utils
