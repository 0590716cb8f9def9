#pragma once

#include <optional>

#include <tapedeck/autograd/variable.h>

namespace tapedeck::autograd {

/// Adds the gradients of `tensors` (each weighted by the element of `grad_tensors`, which may be
/// missing or undefined for a scalar) to the `.grad` of the leaves that they were computed from, or
/// of `inputs` alone where given, which need not be leaves then. Saved values are released unless
/// `retain_graph`, whose default is create_graph. Under `create_graph` the pass itself is recorded.
/// \throws Error where nothing requires grad, for a missing or misshapen gradient, for a second
/// pass through released values, and for saved values that were modified in place.
void backward(TensorList tensors, TensorList grad_tensors = {},
              std::optional<bool> retain_graph = std::nullopt, bool create_graph = false,
              TensorList inputs = {});

/// The gradients of `outputs` with respect to `inputs`, and of nothing else: no `.grad` changes.
/// \throws Error as backward does, and for an input that the outputs do not depend on unless
/// `allow_unused`, which gives an undefined gradient instead.
variable_list grad(const variable_list& outputs, const variable_list& inputs,
                   const variable_list& grad_outputs = {},
                   std::optional<bool> retain_graph = std::nullopt, bool create_graph = false,
                   bool allow_unused = false);

}  // namespace tapedeck::autograd
