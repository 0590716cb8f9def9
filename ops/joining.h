#pragma once

#include <tapedeck/autograd/variable.h>

namespace tapedeck {

/// The tensors one after the other along `dim`; all other sizes agree. Dtypes are promoted to a
/// common one. Empty one-dimensional tensors are skipped. \throws Error for shapes that do not fit.
Variable cat(TensorList tensors, std::int64_t dim = 0);
Variable concat(TensorList tensors, std::int64_t dim = 0);
/// Tensors of one shape along a new axis.
Variable stack(TensorList tensors, std::int64_t dim = 0);
/// cat along the second axis (the first, for vectors).
Variable hstack(TensorList tensors);
/// cat along the first axis, vectors being rows.
Variable vstack(TensorList tensors);
/// cat along the third axis.
Variable dstack(TensorList tensors);
/// cat along the second axis, vectors being columns.
Variable column_stack(TensorList tensors);

}  // namespace tapedeck
