#include <tapedeck/array/array_ref.h>

#include <ostream>

namespace tapedeck {

std::ostream& operator<<(std::ostream& out, IntArrayRef values) {
  out << '[';
  for (std::size_t i = 0; i < values.size(); ++i) out << (i ? ", " : "") << values[i];
  return out << ']';
}

}  // namespace tapedeck
