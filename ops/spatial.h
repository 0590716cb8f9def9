#pragma once

#include <cstdint>

#include <tapedeck/autograd/variable.h>

// What convolutions and poolings over one or two spatial axes share.

namespace tapedeck::detail {

/// Where a user's tensor [(N,) C, (H,) W] lies in the [N, C, H, W] that kernels work on. The rank
/// has been checked.
class SpatialForm {
 public:
  /// `dims` spatial axes, with a batch or without.
  SpatialForm(int dims, const Variable& x) : dims_(dims), batched_(x.dim() == dims + 2) {}

  Variable lift(Variable x) const;
  /// A weight [K, C, (KH,) KW] as [K, C, KH, KW].
  Variable lift_weight(Variable weight) const;
  Variable lower(Variable y) const;

 private:
  int dims_;
  bool batched_;
};

/// Reads a list of 1 or `dims` numbers into the last `dims` of a pair. \throws Error that names
/// `op` and `what` for any other length.
void read_pair(const char* op, const char* what, int dims, IntArrayRef list, std::int64_t* pair);

}  // namespace tapedeck::detail
