#include <charconv>
#include <cmath>
#include <map>
#include <ostream>

#include <tapedeck/optim/optimizer.h>

namespace tapedeck::optim {

namespace {

// Python's repr of the number that a user would have written: 0.001, 1e-08; 0 for 0.0.
std::string python_number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char text[32];
  const auto scientific =
      std::to_chars(text, text + sizeof text, value, std::chars_format::scientific);
  const std::string digits(text, scientific.ptr);
  const int exponent = std::stoi(digits.substr(digits.find('e') + 1));
  if (exponent < -4 || exponent >= 16) return digits;
  const auto fixed = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed);
  return std::string(text, fixed.ptr);
}

// Gathers the fields as Python shows them.
class Describer final : public FieldVisitor {
 public:
  void field(const char* name, bool& value) override { texts[name] = value ? "True" : "False"; }
  void field(const char* name, std::int64_t& value) override {
    texts[name] = std::to_string(value);
  }
  void field(const char* name, double& value) override { texts[name] = python_number(value); }
  void field(const char* name, std::tuple<double, double>& value) override {
    texts[name] =
        "(" + python_number(std::get<0>(value)) + ", " + python_number(std::get<1>(value)) + ")";
  }
  void field(const char* name, std::vector<double>& value) override {
    std::string text;
    for (double v : value) text += (text.empty() ? "" : ", ") + python_number(v);
    texts[name] = "[" + text + "]";
  }
  void field(const char* name, std::optional<std::int64_t>& value) override {
    texts[name] = value ? std::to_string(*value) : "None";
  }
  void field(const char* name, std::optional<std::string>& value) override {
    texts[name] = value.value_or("None");
  }
  void field(const char*, Variable&) override {}
  void field(const char*, std::deque<Variable>&) override {}

  std::map<std::string, std::string> texts;
};

}  // namespace

std::ostream& operator<<(std::ostream& out, const Optimizer& optimizer) {
  out << optimizer.name() << " (";
  const std::vector<OptimizerParamGroup>& groups = optimizer.param_groups();
  for (std::size_t i = 0; i < groups.size(); ++i) {
    Describer describer;
    const_cast<OptimizerOptions&>(groups[i].options()).fields(describer);
    if (groups[i].initial_lr())
      describer.texts["initial_lr"] = python_number(*groups[i].initial_lr());
    out << "\nParameter Group " << i;
    for (const auto& [name, text] : describer.texts) out << "\n    " << name << ": " << text;
    if (i + 1 < groups.size()) out << "\n";
  }
  return out << "\n)";
}

}  // namespace tapedeck::optim
