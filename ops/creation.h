#pragma once

#include <functional>

#include <tapedeck/autograd/variable.h>
#include <tapedeck/ops/tensor_data.h>

namespace tapedeck {

// New tensors, with libtorch's names, arguments and dtype rules. Options may say dtype, device and
// requires_grad; the default dtype is float32 unless set_default_dtype changed it. All of them
// \throws Error for a device other than the CPU and for a negative size.

/// From a number, a braced list of any depth, a vector or an ArrayRef: `tensor({{1, 2}, {3, 4}})`.
/// Integers become int64, floating-point numbers the default dtype, unless the options say
/// otherwise. \throws Error for lists of unequal lengths or of several types.
Variable tensor(detail::TensorDataContainer data, const TensorOptions& options = {});

using Deleter = std::function<void(void*)>;

/// Wraps memory of the caller's without a copy; strides in elements, row-major where not given. The
/// deleter, if any, is called with `data` when the last tensor that uses it goes.
Variable from_blob(void* data, IntArrayRef sizes, IntArrayRef strides, const Deleter& deleter,
                   const TensorOptions& options = {});
Variable from_blob(void* data, IntArrayRef sizes, IntArrayRef strides,
                   const TensorOptions& options = {});
Variable from_blob(void* data, IntArrayRef sizes, const Deleter& deleter,
                   const TensorOptions& options = {});
Variable from_blob(void* data, IntArrayRef sizes, const TensorOptions& options = {});

/// Uninitialised memory.
Variable empty(IntArrayRef size, TensorOptions options = {},
               std::optional<MemoryFormat> memory_format = std::nullopt);
Variable empty_strided(IntArrayRef size, IntArrayRef stride, TensorOptions options = {});
Variable zeros(IntArrayRef size, TensorOptions options = {});
Variable ones(IntArrayRef size, TensorOptions options = {});
/// Without a dtype in the options: bool, int64 or the default dtype after the value's kind.
Variable full(IntArrayRef size, Scalar fill_value, TensorOptions options = {});
Variable scalar_tensor(Scalar value, TensorOptions options = {});

// The sizes, dtype and (dense) memory order of another tensor; options override its dtype. Nothing
// else is taken over: requires_grad is false unless the options say so.
Variable empty_like(const Variable& self, TensorOptions options = {},
                    std::optional<MemoryFormat> memory_format = std::nullopt);
Variable zeros_like(const Variable& self, TensorOptions options = {},
                    std::optional<MemoryFormat> memory_format = std::nullopt);
Variable ones_like(const Variable& self, TensorOptions options = {},
                   std::optional<MemoryFormat> memory_format = std::nullopt);
Variable full_like(const Variable& self, Scalar fill_value, TensorOptions options = {},
                   std::optional<MemoryFormat> memory_format = std::nullopt);

/// start, start + step, ... below `end`. Of int64 where all three are integers and no dtype is
/// given. \throws Error for a step of 0 or of the wrong sign.
Variable arange(Scalar end, TensorOptions options = {});
Variable arange(Scalar start, Scalar end, TensorOptions options = {});
Variable arange(Scalar start, Scalar end, Scalar step, TensorOptions options = {});
/// As arange, but with `end` among the values where a step meets it, and never of int64 by itself.
Variable range(Scalar start, Scalar end, Scalar step, TensorOptions options = {});
Variable range(Scalar start, Scalar end, TensorOptions options = {});
/// `steps` values from `start` to `end`, both included, at equal distances.
Variable linspace(Scalar start, Scalar end, std::int64_t steps, TensorOptions options = {});
/// base to the power of linspace(start, end, steps).
Variable logspace(Scalar start, Scalar end, std::int64_t steps, double base = 10.0,
                  TensorOptions options = {});
/// Ones on the diagonal, zeros elsewhere: [n, n] or [n, m].
Variable eye(std::int64_t n, TensorOptions options = {});
Variable eye(std::int64_t n, std::int64_t m, TensorOptions options = {});
/// The indices of the lower (upper) triangle of a [row, col] matrix, as [2, count].
Variable tril_indices(std::int64_t row, std::int64_t col, std::int64_t offset = 0,
                      TensorOptions options = kLong);
Variable triu_indices(std::int64_t row, std::int64_t col, std::int64_t offset = 0,
                      TensorOptions options = kLong);

}  // namespace tapedeck
