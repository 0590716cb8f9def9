#pragma once

#include <utility>
#include <vector>

#include <tapedeck/data/transform.h>
#include <tapedeck/ops/joining.h>

namespace tapedeck::data::transforms {

template <typename T = Example<>>
struct Stack;

/// Stacks the data tensors of a batch into one tensor, and the targets into another.
template <>
struct Stack<Example<>> : public Collation<Example<>> {
  Example<> apply_batch(std::vector<Example<>> examples) override {
    std::vector<Variable> data, targets;
    data.reserve(examples.size());
    targets.reserve(examples.size());
    for (Example<>& example : examples) {
      data.push_back(std::move(example.data));
      targets.push_back(std::move(example.target));
    }
    return {tapedeck::stack(data), tapedeck::stack(targets)};
  }
};

/// Stacks the data tensors of a batch into one tensor.
template <>
struct Stack<TensorExample> : public Collation<TensorExample> {
  TensorExample apply_batch(std::vector<TensorExample> examples) override {
    std::vector<Variable> data;
    data.reserve(examples.size());
    for (TensorExample& example : examples) data.push_back(std::move(example.data));
    return tapedeck::stack(data);
  }
};

}  // namespace tapedeck::data::transforms
