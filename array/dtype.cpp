#include <tapedeck/array/dtype.h>

#include <atomic>
#include <ostream>

#include <tapedeck/array/error.h>

namespace tapedeck {

namespace {
std::atomic<ScalarType> default_dtype{ScalarType::Float};

int rank(ScalarType dtype) {
  switch (dtype) {
    case ScalarType::Bool:
      return 0;
    case ScalarType::Byte:
      return 1;
    case ScalarType::Int:
      return 2;
    case ScalarType::Long:
      return 3;
    case ScalarType::Float:
      return 4;
    case ScalarType::Double:
      return 5;
    case ScalarType::Undefined:
      break;
  }
  detail::fail<TypeError>("promote_types: undefined dtype");
}
}  // namespace

const char* to_string(ScalarType dtype) {
  switch (dtype) {
    case ScalarType::Byte:
      return "Byte";
    case ScalarType::Int:
      return "Int";
    case ScalarType::Long:
      return "Long";
    case ScalarType::Float:
      return "Float";
    case ScalarType::Double:
      return "Double";
    case ScalarType::Bool:
      return "Bool";
    case ScalarType::Undefined:
      break;
  }
  return "Undefined";
}

std::ostream& operator<<(std::ostream& out, ScalarType dtype) { return out << to_string(dtype); }

ScalarType promote_types(ScalarType a, ScalarType b) { return rank(a) < rank(b) ? b : a; }

bool can_cast(ScalarType from, ScalarType to) {
  if (is_floating_point(from)) return is_floating_point(to);
  return to != kBool || from == kBool;
}

ScalarType get_default_dtype() { return default_dtype.load(std::memory_order_relaxed); }

void set_default_dtype(ScalarType dtype) {
  TAPEDECK_CHECK_AS(TypeError, is_floating_point(dtype),
                    "set_default_dtype: only floating-point types are supported as the default, "
                    "got ",
                    dtype);
  default_dtype.store(dtype, std::memory_order_relaxed);
}

}  // namespace tapedeck
