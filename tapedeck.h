#pragma once

// The whole public interface. It includes no xtensor header: see <tapedeck/xtensor.h>.

#include <tapedeck/array/allocator.h>
#include <tapedeck/array/cuda.h>
#include <tapedeck/array/irange.h>
#include <tapedeck/array/optional.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/array/warning.h>
#include <tapedeck/autograd/autograd.h>
#include <tapedeck/autograd/function.h>
#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/autograd/gradcheck.h>
#include <tapedeck/autograd/ivalue.h>
#include <tapedeck/autograd/node.h>
#include <tapedeck/autograd/variable.h>
#include <tapedeck/data/data.h>
#include <tapedeck/io/archive.h>
#include <tapedeck/io/serialize.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/conv.h>
#include <tapedeck/ops/copy.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/index.h>
#include <tapedeck/ops/indexing.h>
#include <tapedeck/ops/joining.h>
#include <tapedeck/ops/matmul.h>
#include <tapedeck/ops/pool.h>
#include <tapedeck/ops/print.h>
#include <tapedeck/ops/promotion.h>
#include <tapedeck/ops/random.h>
#include <tapedeck/ops/rearrange.h>
#include <tapedeck/ops/reduction.h>
#include <tapedeck/ops/shape.h>
#include <tapedeck/ops/sorting.h>
#include <tapedeck/optim/optim.h>
