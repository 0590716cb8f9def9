#include <tapedeck/autograd/ivalue.h>

#include <utility>
#include <variant>

#include <tapedeck/array/error.h>

namespace tapedeck {

struct IValue::Data {
  std::variant<Variable, bool, std::int64_t, double, std::string, std::vector<Variable>,
               std::vector<std::int64_t>, std::vector<double>>
      value;
};

namespace {
constexpr const char* kNames[] = {"a tensor",       "a bool",           "an int",
                                  "a double",       "a string",         "a list of tensors",
                                  "a list of ints", "a list of doubles"};
}

IValue::IValue(Variable v) : data_(std::make_shared<Data>(Data{std::move(v)})) {}
IValue::IValue(std::string v) : data_(std::make_shared<Data>(Data{std::move(v)})) {}
IValue::IValue(std::vector<Variable> v) : data_(std::make_shared<Data>(Data{std::move(v)})) {}
IValue::IValue(std::vector<std::int64_t> v) : data_(std::make_shared<Data>(Data{std::move(v)})) {}
IValue::IValue(std::vector<double> v) : data_(std::make_shared<Data>(Data{std::move(v)})) {}
IValue::IValue(Scalar v) {
  Data data;
  if (v.isBoolean())
    data.value = v.toBool();
  else if (v.isFloatingPoint())
    data.value = v.toDouble();
  else
    data.value = v.toLong();
  data_ = std::make_shared<Data>(std::move(data));
}

template <typename T>
bool IValue::is() const {
  return data_ && std::holds_alternative<T>(data_->value);
}

template <typename T>
const T& IValue::get(const char* wanted) const {
  const T* value = data_ ? std::get_if<T>(&data_->value) : nullptr;
  TAPEDECK_CHECK_AS(TypeError, value, "IValue: expected ", wanted, ", but it holds ",
                    data_ ? kNames[data_->value.index()] : "nothing");
  return *value;
}

bool IValue::isTensor() const { return is<Variable>(); }
bool IValue::isBool() const { return is<bool>(); }
bool IValue::isInt() const { return is<std::int64_t>(); }
bool IValue::isDouble() const { return is<double>(); }
bool IValue::isString() const { return is<std::string>(); }
bool IValue::isTensorList() const { return is<std::vector<Variable>>(); }
bool IValue::isIntList() const { return is<std::vector<std::int64_t>>(); }
bool IValue::isDoubleList() const { return is<std::vector<double>>(); }

const Variable& IValue::toTensor() const { return get<Variable>("a tensor"); }
bool IValue::toBool() const { return get<bool>("a bool"); }
std::int64_t IValue::toInt() const { return get<std::int64_t>("an int"); }
double IValue::toDouble() const { return get<double>("a double"); }
const std::string& IValue::toStringRef() const { return get<std::string>("a string"); }
const std::vector<Variable>& IValue::toTensorVector() const {
  return get<std::vector<Variable>>("a list of tensors");
}
const std::vector<std::int64_t>& IValue::toIntVector() const {
  return get<std::vector<std::int64_t>>("a list of ints");
}
const std::vector<double>& IValue::toDoubleVector() const {
  return get<std::vector<double>>("a list of doubles");
}
Scalar IValue::toScalar() const {
  if (isBool()) return toBool();
  if (isInt()) return toInt();
  return toDouble();
}

}  // namespace tapedeck
