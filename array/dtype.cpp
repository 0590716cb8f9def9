#include <tapedeck/array/dtype.h>

#include <atomic>
#include <iterator>
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
  // Those that libtorch has and this library has not, by their numbers there: for messages.
  static constexpr const char* kForeign[] = {
      nullptr, "Char",   "Short",       nullptr,        nullptr,         "Half",
      nullptr, nullptr,  "ComplexHalf", "ComplexFloat", "ComplexDouble", nullptr,
      "QInt8", "QUInt8", "QInt32",      "BFloat16"};
  const auto number = static_cast<std::size_t>(dtype);
  return number < std::size(kForeign) && kForeign[number] ? kForeign[number] : "Undefined";
}

std::ostream& operator<<(std::ostream& out, ScalarType dtype) { return out << to_string(dtype); }

const char* TypeMeta::name() const {
  switch (dtype_) {
    case ScalarType::Byte:
      return "unsigned char";
    case ScalarType::Int:
      return "int";
    case ScalarType::Long:
      return "long int";
    case ScalarType::Float:
      return "float";
    case ScalarType::Double:
      return "double";
    case ScalarType::Bool:
      return "bool";
    case ScalarType::Undefined:
      break;
  }
  return "nullptr (uninitialized)";
}
std::ostream& operator<<(std::ostream& out, TypeMeta dtype) { return out << dtype.name(); }

ScalarType promote_types(ScalarType a, ScalarType b) { return rank(a) < rank(b) ? b : a; }

bool can_cast(ScalarType from, ScalarType to) {
  if (is_floating_point(from)) return is_floating_point(to);
  return to != kBool || from == kBool;
}

TypeMeta get_default_dtype() { return TypeMeta(default_dtype.load(std::memory_order_relaxed)); }

void set_default_dtype(ScalarType dtype) {
  TAPEDECK_CHECK_AS(TypeError, is_floating_point(dtype),
                    "set_default_dtype: only floating-point types are supported as the default, "
                    "got ",
                    dtype);
  default_dtype.store(dtype, std::memory_order_relaxed);
}

}  // namespace tapedeck
