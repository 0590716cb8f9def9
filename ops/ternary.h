#pragma once

#include <optional>

#include <tapedeck/autograd/variable.h>

// Functions of three tensors, element by element, with broadcasting.

namespace tapedeck {

/// condition ? self : other; the condition is bool (or uint8), the others are promoted.
Variable where(const Variable& condition, const Variable& self, const Variable& other);
Variable where(const Variable& condition, Scalar self, const Variable& other);
Variable where(const Variable& condition, const Variable& self, Scalar other);
/// Numbers give the default dtype of their category.
Variable where(const Variable& condition, Scalar self, Scalar other);

/// min(max(self, min), max), either bound may be missing. The bounds themselves pass the gradient.
/// \throws Error where both are missing.
Variable clamp(const Variable& self, const std::optional<Scalar>& min,
               const std::optional<Scalar>& max = std::nullopt);
Variable clamp(const Variable& self, const std::optional<Variable>& min = {},
               const std::optional<Variable>& max = {});
inline Variable clip(const Variable& self, const std::optional<Scalar>& min,
                     const std::optional<Scalar>& max = std::nullopt) {
  return clamp(self, min, max);
}
inline Variable clip(const Variable& self, const std::optional<Variable>& min = {},
                     const std::optional<Variable>& max = {}) {
  return clamp(self, min, max);
}
Variable clamp_min(const Variable& self, Scalar min);
Variable clamp_min(const Variable& self, const Variable& min);
Variable clamp_max(const Variable& self, Scalar max);
Variable clamp_max(const Variable& self, const Variable& max);

/// self + weight (end - self).
Variable lerp(const Variable& self, const Variable& end, Scalar weight);
Variable lerp(const Variable& self, const Variable& end, const Variable& weight);
/// self + value tensor1 tensor2.
Variable addcmul(const Variable& self, const Variable& tensor1, const Variable& tensor2,
                 Scalar value = 1);
/// self + value tensor1 / tensor2. \throws TypeError for integers.
Variable addcdiv(const Variable& self, const Variable& tensor1, const Variable& tensor2,
                 Scalar value = 1);

}  // namespace tapedeck
