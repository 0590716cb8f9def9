#pragma once

#include <array>
#include <cstdint>

#include <tapedeck/array/array_ref.h>
#include <tapedeck/array/dtype.h>

// The steps of the optimisers, each in one pass over the memory and with all parameters of a group
// in one parallel loop. The order of roundings is that of PyTorch's vectorised kernels: a product
// that is added at once is a fused multiply-add where the CPU has one. Formulas: PyTorch's
// documentation of torch.optim, which names the papers.
namespace tapedeck::kernels {

/// One parameter's memory, all of it row-major and of the same dtype.
struct OptimTensor {
  void* param = nullptr;
  const void* grad = nullptr;
  std::array<void*, 3> state = {};
  std::int64_t numel = 0;
  std::int64_t step = 1;       ///< counts from one
  double running_product = 1;  ///< NAdam's product of momentums, this step's included
};

/// State: the momentum buffer, if there is momentum; step 1 fills it with the gradient.
struct SgdStep {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, maximize;
};
void sgd_step(ScalarType dtype, ArrayRef<OptimTensor> tensors, const SgdStep& options);

/// State: exp_avg, exp_avg_sq and, for amsgrad, max_exp_avg_sq.
struct AdamStep {
  double lr, beta1, beta2, eps, weight_decay;
  bool decoupled, amsgrad;
};
void adam_step(ScalarType dtype, ArrayRef<OptimTensor> tensors, const AdamStep& options);

/// State: square_avg; then, as far as used, grad_avg (centered) and the momentum buffer.
struct RmspropStep {
  double lr, alpha, eps, weight_decay, momentum;
  bool centered;
};
void rmsprop_step(ScalarType dtype, ArrayRef<OptimTensor> tensors, const RmspropStep& options);

/// State: the sum of squares.
struct AdagradStep {
  double lr, lr_decay, weight_decay, eps;
};
void adagrad_step(ScalarType dtype, ArrayRef<OptimTensor> tensors, const AdagradStep& options);

/// State: square_avg, acc_delta.
struct AdadeltaStep {
  double lr, rho, eps, weight_decay;
};
void adadelta_step(ScalarType dtype, ArrayRef<OptimTensor> tensors, const AdadeltaStep& options);

/// State: exp_avg, exp_avg_sq.
struct NadamStep {
  double lr, beta1, beta2, eps, weight_decay, momentum_decay;
};
/// The momentum of a step: beta1 (1 - 0.96^(step momentum_decay) / 2).
double nadam_momentum(const NadamStep& options, std::int64_t step);
void nadam_step(ScalarType dtype, ArrayRef<OptimTensor> tensors, const NadamStep& options);

/// State: exp_avg, exp_avg_sq.
struct RadamStep {
  double lr, beta1, beta2, eps, weight_decay;
};
void radam_step(ScalarType dtype, ArrayRef<OptimTensor> tensors, const RadamStep& options);

}  // namespace tapedeck::kernels
