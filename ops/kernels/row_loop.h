#pragma once

#include <cstdint>

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

/// The loop of an elementwise operation over one row: `n` outputs from `n` elements of each input,
/// all gapless, except that an input whose bit of `scalars` is set is one element for the whole
/// row (never all of them). `out` may be one of the inputs. Element types and the meaning of
/// `params` are the operation's.
using RowLoop = void (*)(void* out, const void* const* in, unsigned scalars, std::int64_t n,
                         const double* params);

/// The same over several rows, of which each operand's lie `strides` bytes apart, those of `out`
/// first: for operations that are so cheap that a call for each row takes as long as the row.
using RowsLoop = void (*)(void* out, const void* const* in, unsigned scalars, std::int64_t n,
                          std::int64_t rows, const std::int64_t* strides, const double* params);

/// What a long row of an operation waits for where caches do not keep it.
enum class RowCost : std::uint8_t { Arithmetic, Memory };

/// The loops of an operation: over a row and, where it has one, over rows.
struct RowLoops {
  RowLoops(RowLoop one, RowCost row_cost = RowCost::Arithmetic, RowsLoop several = nullptr)
      : row(one), rows(several), cost(row_cost) {}

  RowLoop row;
  RowsLoop rows;
  RowCost cost;
};

/// An input: an array, or one element of `size` bytes.
struct RowInput {
  RowInput(const Array& a) : array(&a), element(a.raw()), size(element_size(a.dtype())) {}
  RowInput(const void* value, std::int64_t bytes) : element(value), size(bytes) {}

  const Array* array = nullptr;
  const void* element;
  std::int64_t size;
};

/// An uninitialised result for inputs that broadcast to `shape`: empty_preserving their layout.
Array empty_for_rows(IntArrayRef shape, ScalarType dtype, const RowInput* in, int inputs);

/// Runs the loop over all of `out`, with inputs that broadcast to its shape, on several threads.
/// Rows that are strided or short pass through small buffers: an operation has one loop, whatever
/// the layout, and its results do not depend on the layout. `out` overlaps an input exactly or not.
void run_rows(RowLoops loops, const double* params, const Array& out, const RowInput* in,
              int inputs);

}  // namespace tapedeck::kernels
