#pragma once

#include <string>

#include <tapedeck/autograd/variable.h>

namespace tapedeck::data {

/// Reads an IDX file, MNIST's format, plain or compressed by gzip: uint8, int32, float32 or float64
/// elements of any shape. Definition: http://yann.lecun.com/exdb/mnist.
/// \throws Error that names the file and says what is wrong with it.
Variable read_idx(const std::string& path);

}  // namespace tapedeck::data
