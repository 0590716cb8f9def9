#pragma once

#include <vector>

#include <tapedeck/data/transform.h>

namespace tapedeck::data::transforms {

template <typename T = Example<>>
struct Stack;

/// Stacks the data tensors of a batch into one tensor, and the targets into another.
template <>
struct Stack<Example<>> : public Collation<Example<>> {
  Example<> apply_batch(std::vector<Example<>> examples) override;
};

/// Stacks the data tensors of a batch into one tensor.
template <>
struct Stack<TensorExample> : public Collation<TensorExample> {
  TensorExample apply_batch(std::vector<TensorExample> examples) override;
};

}  // namespace tapedeck::data::transforms
