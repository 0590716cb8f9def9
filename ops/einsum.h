#pragma once

#include <string_view>

#include <tapedeck/array/optional.h>
#include <tapedeck/autograd/variable.h>

// Sums of products over axes that are named, through batched matrix products.

namespace tapedeck {

/// Einstein's summation: `equation` names the axes of each operand by letters, and those of the
/// result after `->`; axes that the result does not name are summed. Without `->`, the result has
/// the letters that occur once, in alphabetical order, after the axes of `...`. A letter that
/// stands twice in one operand takes its diagonal; axes of size 1, and those of `...`, broadcast.
/// Operands are multiplied from left to right, whatever `path` says.
///
///   einsum("ij,jk->ik", {a, b})   matrix product        einsum("ii", {a})        trace
///   einsum("bij->bji", {a})       transposed matrices   einsum("i,j->ij", {a, b}) outer product
///
/// \throws Error for an equation that does not parse, or does not fit the operands' shapes.
Variable einsum(std::string_view equation, TensorList tensors,
                OptionalIntArrayRef path = std::nullopt);

/// The sum of products over axes dims_self of self and dims_other of other, in pairs; the result
/// has the other axes of self, then those of other. \throws Error for axes of different sizes,
/// where neither is 1.
Variable tensordot(const Variable& self, const Variable& other, IntArrayRef dims_self,
                   IntArrayRef dims_other);

}  // namespace tapedeck
