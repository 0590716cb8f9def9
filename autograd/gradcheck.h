#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include <tapedeck/autograd/variable.h>

namespace tapedeck::autograd {

/// How closely derivatives are compared. The defaults are PyTorch's.
struct GradcheckOptions {
  double eps = 1e-6;   ///< step of the central difference
  double atol = 1e-5;  ///< |analytic - numeric| <= atol + rtol |numeric|
  double rtol = 1e-3;
  std::uint64_t seed = 1;  ///< of the random cotangents
};

/// Whether the check passed, and if not, what was wrong: the worst elements with their index, the
/// analytic and the numeric value, and the relative error.
struct GradcheckResult {
  bool passed = true;
  std::string report;
  explicit operator bool() const { return passed; }
};

/// A function of some tensors to some tensors, deterministic and without side effects.
class GradcheckFunction {
 public:
  /// Any callable of a variable_list, or of one, two, ... tensors; returning a tensor or a list.
  template <typename F>
  GradcheckFunction(F f) {
    if constexpr (std::is_invocable_v<F&, const variable_list&>)
      call_ = [f](const variable_list& x) mutable { return as_list(f(x)); };
    else if constexpr (std::is_invocable_v<F&, Variable>)
      call_ = [f](const variable_list& x) mutable { return as_list(f(x.at(0))); };
    else if constexpr (std::is_invocable_v<F&, Variable, Variable>)
      call_ = [f](const variable_list& x) mutable { return as_list(f(x.at(0), x.at(1))); };
    else
      call_ = [f](const variable_list& x) mutable { return as_list(f(x.at(0), x.at(1), x.at(2))); };
  }
  variable_list operator()(const variable_list& inputs) const { return call_(inputs); }

 private:
  static variable_list as_list(Variable v) { return {std::move(v)}; }
  static variable_list as_list(variable_list v) { return v; }
  std::function<variable_list(const variable_list&)> call_;
};

/// Compares the gradient of <f(inputs), v>, for a random v, with central differences in every
/// element of every input that requires grad. Checks as well that a second backward gives the same
/// bits, that gradients have the inputs' shape and dtype, and that inputs are left alone.
/// \throws Error for inputs that are not float64 or overlap themselves, or where none requires
/// grad.
GradcheckResult gradcheck(const GradcheckFunction& f, const variable_list& inputs,
                          const GradcheckOptions& options = {});

/// The same for the gradient of f as a function of the inputs and of the cotangents: the second
/// derivatives.
GradcheckResult gradgradcheck(const GradcheckFunction& f, const variable_list& inputs,
                              const GradcheckOptions& options = {});

}  // namespace tapedeck::autograd
