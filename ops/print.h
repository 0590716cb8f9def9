#pragma once

#include <cstdint>
#include <iosfwd>

#include <tapedeck/autograd/variable.h>

namespace tapedeck {

/// Prints a tensor as operator<< does, with columns folded at `linesize` characters.
std::ostream& print(std::ostream& out, const Variable& tensor, std::int64_t linesize = 80);
/// The same to std::cout.
void print(const Variable& tensor, std::int64_t linesize = 80);

}  // namespace tapedeck
