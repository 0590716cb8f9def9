#pragma once

#include <utility>

#include <tapedeck/autograd/variable.h>

namespace tapedeck::data {

/// One item of a dataset, or a batch of them: data and its target (label).
template <typename Data = Variable, typename Target = Variable>
struct Example {
  using DataType = Data;
  using TargetType = Target;

  Example() = default;
  Example(Data d, Target t) : data(std::move(d)), target(std::move(t)) {}

  Data data;
  Target target;
};

namespace example {
using NoTarget = void;
}

/// An example without a target: it is its data, by conversion.
template <typename Data>
struct Example<Data, example::NoTarget> {
  using DataType = Data;
  using TargetType = example::NoTarget;

  Example() = default;
  Example(Data d) : data(std::move(d)) {}

  operator Data&() { return data; }
  operator const Data&() const { return data; }

  Data data;
};

using TensorExample = Example<Variable, example::NoTarget>;

}  // namespace tapedeck::data
