#pragma once

#include <cstdint>
#include <iosfwd>

#include <tapedeck/array/array.h>

namespace tapedeck {

/// Prints as libtorch's C++ operator<< does, byte for byte: one-based slices `(1,.,.) =`, columns
/// folded at `linesize` characters, a common factor in front where it saves digits, and
/// `[ CPUFloatType{2,3} ]` at the end. The stream's own format is left as it was.
void print(std::ostream& out, const Array& array, std::int64_t linesize = 80);

std::ostream& operator<<(std::ostream& out, const Array& array);

}  // namespace tapedeck
