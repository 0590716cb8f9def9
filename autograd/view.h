#pragma once

#include <tapedeck/autograd/variable.h>

namespace tapedeck::autograd {

/// A Variable for a view of self's storage. In-place operations through either are seen by the
/// other, in value and in gradient. The caller records the view's own VJP as for any op:
///
///   Variable y = make_view(x, x.array().transpose(a, b));
///   if (should_record(x)) record(y, "TransposeBackward0", edges(x), ...);
Variable make_view(const Variable& self, Array array);

/// \throws Error that names `op` if `target` is an inference tensor and the mode is a normal one.
void check_inference_write(const Array& target, const char* op);

/// Checks that self may be changed in place now. \throws Error for a leaf that requires grad, a
/// view of one, a view made without recording, an inference tensor outside of inference mode, and
/// memory that overlaps itself.
void check_inplace(const Variable& self, const char* op);

/// Writes `result`, a recorded or unrecorded out-of-place result of self's shape, into self's
/// memory (cast to its dtype), advances the version, and gives self, and through a view its base,
/// the result's history. It is the general way to write an in-place op:
///
///   Variable& Variable::exp_() const { return assign_inplace(*this, exp(), "exp_"); }
///
/// Where nothing is to be recorded an op may write self's memory directly instead, between
/// check_inplace and finish_inplace.
Variable& assign_inplace(const Variable& self, const Variable& result, const char* op);

/// Advances the version after a kernel wrote self's memory. Nothing is recorded.
Variable& finish_inplace(const Variable& self);

/// A part of the memory of a tensor: sizes, strides and offset (from the tensor's first element) in
/// the layout that the tensor has.
struct StridedRegion {
  DimVector base_sizes, base_strides;
  DimVector sizes, strides;
  std::int64_t offset = 0;

  static StridedRegion of(const Array& base, const Array& view);
};
/// The elements of `base` in the region, as a copy. The adjoint of scatter_region.
Variable gather_region(const Variable& base, const StridedRegion& region);
/// Zeros of the base's shape, with `source` added in the region.
Variable scatter_region(const Variable& source, const StridedRegion& region);
/// `base` with zeros in the region.
Variable clear_region(const Variable& base, const StridedRegion& region);
/// `view`, an array over base's storage, as a recorded function of base's present value.
Variable view_of_base(const Variable& base, const Array& view);

}  // namespace tapedeck::autograd

namespace tapedeck {
using autograd::assign_inplace;
using autograd::check_inplace;
using autograd::finish_inplace;
using autograd::make_view;
}  // namespace tapedeck
