#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/library.h"
#include "bench/sweep/sweep_case.h"

namespace bench {

using Operands = std::vector<lib::Tensor>;
using Function = std::function<lib::Tensor(const Operands&)>;

/// Cases as they are written down: an operation and the shapes of its operands.
class CaseList {
 public:
  // Forward alone, and with the backward pass where there is one.
  void add(const std::string& kind, const std::string& name, const std::vector<Shape>& shapes,
           const Function& f, lib::ScalarType dtype = lib::kFloat32,
           bool is_differentiable = true) {
    std::string full = name;
    for (const Shape& shape : shapes) full += '_' + text(shape);
    if (dtype == lib::kFloat64) full += "_f64";
    const auto operands = [=](bool requires_grad) {
      Operands result;
      for (const Shape& shape : shapes)
        result.push_back(
            lib::randn(shape, lib::TensorOptions(dtype)).set_requires_grad(requires_grad));
      return result;
    };
    cases.push_back({full + "/forward", kind, [=]() -> std::function<void()> {
                       return [=, x = operands(false)] {
                         const lib::NoGradGuard no_grad;
                         f(x);
                       };
                     }});
    if (!is_differentiable) return;
    cases.push_back({full + "/both", kind, [=]() -> std::function<void()> {
                       const Operands x = operands(true);
                       const lib::Tensor y = f(x);
                       const lib::Tensor grad_output =
                           lib::randn(y.sizes(), lib::TensorOptions(y.scalar_type()));
                       return [=] {
                         f(x).backward(grad_output);
                         for (const lib::Tensor& leaf : x) leaf.mutable_grad().reset();
                       };
                     }});
  }

  void add_step(const std::string& kind, const std::string& name,
                const std::function<std::function<void()>()>& make) {
    cases.push_back({name, kind, make});
  }

  std::vector<SweepCase> cases;
};

/// What memory_cases() has beside its common shapes: odd sizes, short rows, axes in the middle,
/// strided operands, and operations of which one shape is enough.
void add_odd_shapes(CaseList& cases);

}  // namespace bench
