#pragma once

#include <vector>

#include <tapedeck/array/array.h>
#include <tapedeck/array/scalar.h>

namespace tapedeck::kernels {

/// What an index below zero means.
enum class NegativeIndex : std::uint8_t {
  CountsFromTheEnd,
  IsAnError,
};

/// One int64 array for each axis that is indexed, undefined for an axis that is not; axes beyond
/// the list are not indexed. The arrays broadcast to one shape J.
using IndexList = std::vector<Array>;

/// The shape of x[indices]: J stands in the place of the indexed axes where those are neighbours,
/// and in front of all others otherwise. \throws IndexError where the indices do not broadcast.
DimVector indexed_sizes(IntArrayRef sizes, const IndexList& indices, const char* op);

/// x[indices], fresh and row-major. \throws IndexError that names `op` for an index out of bounds.
Array index(const Array& x, const IndexList& indices, const char* op = "index",
            NegativeIndex negative = NegativeIndex::CountsFromTheEnd);

/// out[indices] = values, or += where `accumulate`; values broadcast to indexed_sizes() and have
/// out's dtype. Of several values for one place the last stays, or all are added in their order.
/// Nothing is written where an index is out of bounds.
void index_put(Array& out, const IndexList& indices, const Array& values, bool accumulate,
               const char* op = "index_put_",
               NegativeIndex negative = NegativeIndex::CountsFromTheEnd);

/// y[i][j] = x[index[i][j]][j] (dim 0): the shape of `index`, int64, whose other sizes are not
/// above x's. \throws IndexError for an index out of bounds.
Array gather(const Array& x, std::int64_t dim, const Array& index);
/// Whether somebody sees what is scattered into after an error.
enum class ScatterTarget { Kept, Fresh };
/// out[index[i][j]][j] = src[i][j] (dim 0), or += where `accumulate`, in the order of the indices;
/// sizes of `index` are not above src's, nor above out's but along `dim`. \throws IndexError for an
/// index out of bounds; nothing has been written to a kept target then.
void scatter(Array& out, std::int64_t dim, const Array& index, const Array& src, bool accumulate,
             ScatterTarget target = ScatterTarget::Kept);

/// The places of the elements that are not zero, in row-major order: int64 [count, dim].
Array nonzero(const Array& x);
/// The elements of x where the mask (bool or uint8, of x's shape) is not zero: [count].
Array masked_select(const Array& x, const Array& mask);
/// Writes the first elements of `source` (row-major) where the mask of out's shape is not zero.
/// \throws Error where source has too few.
void masked_scatter(Array& out, const Array& mask, const Array& source);
/// Sets the elements of `out` where the mask, which broadcasts to its shape, is not zero.
void masked_fill(Array& out, const Array& mask, Scalar value);

}  // namespace tapedeck::kernels
