#include <algorithm>
#include <deque>
#include <string>
#include <typeinfo>
#include <utility>
#include <variant>
#include <vector>

#include <tapedeck/ops/comparison.h>
#include <tapedeck/optim/fields.h>
#include <tapedeck/optim/optimizer.h>

namespace tapedeck::optim {

namespace {

using Value = std::variant<bool, std::int64_t, double, std::tuple<double, double>,
                           std::vector<double>, std::optional<std::int64_t>,
                           std::optional<std::string>, Variable, std::deque<Variable>>;

class Collector final : public FieldVisitor {
 public:
  std::vector<std::pair<std::string, Value>> values;

  void field(const char* name, bool& value) override { values.emplace_back(name, value); }
  void field(const char* name, std::int64_t& value) override { values.emplace_back(name, value); }
  void field(const char* name, double& value) override { values.emplace_back(name, value); }
  void field(const char* name, std::tuple<double, double>& value) override {
    values.emplace_back(name, value);
  }
  void field(const char* name, std::vector<double>& value) override {
    values.emplace_back(name, value);
  }
  void field(const char* name, std::optional<std::int64_t>& value) override {
    values.emplace_back(name, value);
  }
  void field(const char* name, std::optional<std::string>& value) override {
    values.emplace_back(name, value);
  }
  void field(const char* name, Variable& value) override { values.emplace_back(name, value); }
  void field(const char* name, std::deque<Variable>& value) override {
    values.emplace_back(name, value);
  }
};

bool same(const Variable& a, const Variable& b) {
  if (!a.defined() || !b.defined()) return a.defined() == b.defined();
  return a.dtype() == b.dtype() && equal(a, b);
}

template <typename T>
bool same(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, std::deque<Variable>>)
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(),
                      [](const Variable& x, const Variable& y) { return same(x, y); });
  else
    return a == b;
}

template <typename Fields>
bool same_fields(const Fields& a, const Fields& b) {
  if (typeid(a) != typeid(b)) return false;
  // Visitors may change what they are shown, so they are shown copies.
  Collector of_a, of_b;
  a.clone()->fields(of_a);
  b.clone()->fields(of_b);
  for (std::size_t i = 0; i < of_a.values.size(); ++i) {
    const Value &x = of_a.values[i].second, &y = of_b.values[i].second;
    const bool equal_values = std::visit(
        [&y](const auto& value) { return same(value, std::get<std::decay_t<decltype(value)>>(y)); },
        x);
    if (!equal_values) return false;
  }
  return true;
}

}  // namespace

bool operator==(const OptimizerParamState& a, const OptimizerParamState& b) {
  return same_fields(a, b);
}
bool operator==(const OptimizerOptions& a, const OptimizerOptions& b) { return same_fields(a, b); }

}  // namespace tapedeck::optim
