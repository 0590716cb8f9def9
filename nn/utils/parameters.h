#pragma once

#include <vector>

#include <tapedeck/autograd/variable.h>

namespace tapedeck::nn::utils {

/// All parameters, flattened, one after the other. Differentiable.
Tensor parameters_to_vector(const std::vector<Tensor>& parameters);

/// Gives the parameters the values of such a vector. \throws Error unless it has as many elements
/// as they.
void vector_to_parameters(const Tensor& vec, const std::vector<Tensor>& parameters);

}  // namespace tapedeck::nn::utils
