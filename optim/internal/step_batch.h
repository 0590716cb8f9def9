#pragma once

#include <vector>

#include <tapedeck/array/array.h>
#include <tapedeck/ops/kernels/optim.h>
#include <tapedeck/optim/optimizer.h>

namespace tapedeck::optim {

/// The parameters of one group that have gradients, made ready for a kernel's one pass over them.
class StepBatch {
 public:
  explicit StepBatch(const char* op) : op_(op) {}

  /// Null for a parameter without a gradient. The result lives until the next add.
  kernels::OptimTensor* add(const Variable& parameter);

  /// The memory of a state tensor of the last parameter; makes it, filled with `initial`, where it
  /// is undefined. \throws Error where it is of another shape or dtype.
  void* slot(Variable& state, const char* name, double initial = 0) const;

  /// Calls kernel(dtype, tensors) once for each dtype.
  template <typename Kernel>
  void run(Kernel&& kernel) {
    for (const ScalarType dtype : {ScalarType::Float, ScalarType::Double}) {
      const std::vector<kernels::OptimTensor>& tensors = of(dtype);
      if (!tensors.empty()) kernel(dtype, ArrayRef<kernels::OptimTensor>(tensors));
    }
    finish();
  }

 private:
  // A parameter, and the row-major copy that the kernel works on where it is none itself.
  struct Target {
    Array parameter;
    Array work;
  };

  std::vector<kernels::OptimTensor>& of(ScalarType dtype) {
    return dtype == ScalarType::Float ? floats_ : doubles_;
  }
  void finish();

  const char* op_;
  std::vector<kernels::OptimTensor> floats_, doubles_;
  std::vector<Target> targets_;
  std::vector<Array> grads_;  // copies of those that are not row-major
};

/// The state of a parameter, made where there is none.
template <typename State>
State& state_of(OptimizerState& states, const Variable& parameter) {
  std::unique_ptr<OptimizerParamState>& state = states[parameter];
  if (!state) state = std::make_unique<State>();
  return static_cast<State&>(*state);
}

}  // namespace tapedeck::optim
