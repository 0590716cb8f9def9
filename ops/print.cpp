#include <tapedeck/ops/print.h>

#include <iostream>

#include <tapedeck/array/print.h>

namespace tapedeck {

std::ostream& print(std::ostream& out, const Variable& tensor, std::int64_t linesize) {
  print(out, tensor.defined() ? tensor.array() : Array(), linesize);
  return out;
}

void print(const Variable& tensor, std::int64_t linesize) { print(std::cout, tensor, linesize); }

std::ostream& operator<<(std::ostream& out, const Variable& tensor) { return print(out, tensor); }

void Variable::print() const {
  if (defined())
    std::cerr << "[" << toString() << " " << sizes() << "]" << std::endl;
  else
    std::cerr << "[UndefinedTensor]" << std::endl;
}

}  // namespace tapedeck
