#pragma once

#include <concepts>
#include <functional>
#include <utility>
#include <vector>

#include <tapedeck/data/example.h>

namespace tapedeck::data::transforms {

/// Turns a batch into another one.
template <typename InputBatch, typename OutputBatch>
class BatchTransform {
 public:
  using InputBatchType = InputBatch;
  using OutputBatchType = OutputBatch;

  virtual ~BatchTransform() = default;
  virtual OutputBatch apply_batch(InputBatch input_batch) = 0;
};

/// Turns an example into another one.
template <typename Input, typename Output>
class Transform : public BatchTransform<std::vector<Input>, std::vector<Output>> {
 public:
  using InputType = Input;
  using OutputType = Output;

  virtual OutputType apply(InputType input) = 0;

  std::vector<Output> apply_batch(std::vector<Input> input_batch) override {
    std::vector<Output> output_batch;
    output_batch.reserve(input_batch.size());
    for (Input& input : input_batch) output_batch.push_back(apply(std::move(input)));
    return output_batch;
  }
};

/// A function of a batch.
template <typename Input, typename Output = Input>
class BatchLambda : public BatchTransform<Input, Output> {
 public:
  using typename BatchTransform<Input, Output>::InputBatchType;
  using typename BatchTransform<Input, Output>::OutputBatchType;
  using FunctionType = std::function<OutputBatchType(InputBatchType)>;

  explicit BatchLambda(FunctionType function) : function_(std::move(function)) {}
  OutputBatchType apply_batch(InputBatchType input_batch) override {
    return function_(std::move(input_batch));
  }

 private:
  FunctionType function_;
};

/// A function of an example.
template <typename Input, typename Output = Input>
class Lambda : public Transform<Input, Output> {
 public:
  using typename Transform<Input, Output>::InputType;
  using typename Transform<Input, Output>::OutputType;
  using FunctionType = std::function<Output(Input)>;

  explicit Lambda(FunctionType function) : function_(std::move(function)) {}
  OutputType apply(InputType input) override { return function_(std::move(input)); }

 private:
  FunctionType function_;
};

/// Makes one value of a batch.
template <typename T, typename BatchType = std::vector<T>>
using Collation = BatchTransform<BatchType, T>;
template <typename T, typename BatchType = std::vector<T>>
using Collate = BatchLambda<BatchType, T>;

/// A transform of an example's data tensor.
template <typename Target = Variable>
class TensorTransform : public Transform<Example<Variable, Target>, Example<Variable, Target>> {
 public:
  using E = Example<Variable, Target>;
  using typename Transform<E, E>::InputType;
  using typename Transform<E, E>::OutputType;

  virtual Variable operator()(Variable input) = 0;

  OutputType apply(InputType input) override {
    input.data = (*this)(std::move(input.data));
    return input;
  }
};

/// A function of an example's data tensor.
template <typename Target = Variable>
class TensorLambda : public TensorTransform<Target> {
 public:
  using FunctionType = std::function<Variable(Variable)>;

  explicit TensorLambda(FunctionType function) : function_(std::move(function)) {}
  Variable operator()(Variable input) override { return function_(std::move(input)); }

 private:
  FunctionType function_;
};

/// A transform of data tensors that can also be applied to a whole stacked batch, with the same
/// result as applied to each of its tensors.
template <typename T>
concept StackedTransform = requires(T& transform, Variable batch) {
  { transform.apply_stacked(std::move(batch)) } -> std::same_as<Variable>;
};

}  // namespace tapedeck::data::transforms
