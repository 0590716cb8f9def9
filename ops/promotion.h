#pragma once

#include <tapedeck/autograd/variable.h>

// PyTorch's rules for the dtype of a result. Operands count by category (bool, integer, float):
// tensors with dimensions before those without, and those before plain numbers; a lower rank raises
// the dtype only where it brings a higher category.

namespace tapedeck {

ScalarType result_type(const Variable& a, const Variable& b);
ScalarType result_type(const Variable& a, const Variable& b, const Variable& c);
ScalarType result_type(const Variable& a, Scalar b);
ScalarType result_type(Scalar a, const Variable& b);

namespace detail {

/// \throws TypeError that names `op` unless can_cast(from, to).
void check_can_cast(ScalarType from, ScalarType to, const char* op);
/// An operand in the dtype of the operation: itself where it has that already, at no cost.
class Operand {
 public:
  Operand(const Variable& v, ScalarType dtype)
      : converted_(v.dtype() == dtype ? Variable() : v.to(dtype)),
        value_(converted_.defined() ? converted_ : v) {}
  Operand(const Operand&) = delete;
  Operand& operator=(const Operand&) = delete;

  operator const Variable&() const { return value_; }
  const Array& array() const { return value_.array(); }
  bool requires_grad() const { return value_.requires_grad(); }

 private:
  Variable converted_;
  const Variable& value_;
};

/// The dtype if it is floating, else the default one: what functions like exp and mean work in.
ScalarType floating_type(ScalarType dtype);

}  // namespace detail
}  // namespace tapedeck
