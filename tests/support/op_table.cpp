#include <tests/support/op_table.h>

#include <algorithm>
#include <cmath>
#include <random>

#include <tapedeck/autograd/gradcheck_gtest.h>
#include <tapedeck/ops/kernels/copy.h>

namespace tapedeck::testing_support {

using autograd::variable_list;

namespace {

constexpr double kKinkMargin = 0.05;

double draw(const Domain& domain, std::mt19937_64& random) {
  std::uniform_real_distribution<double> uniform(domain.low, domain.high);
  for (;;) {
    const double x = uniform(random);
    const bool near = std::any_of(domain.kinks.begin(), domain.kinks.end(),
                                  [x](double kink) { return std::abs(x - kink) < kKinkMargin; });
    if (!near) return x;
  }
}

std::vector<double> values_of(const Variable& v) {
  const Array a = kernels::contiguous(kernels::cast(v.array(), kFloat64));
  return {a.data<double>(), a.data<double>() + a.numel()};
}

void expect_near(const Variable& got, const Variable& expected, double tolerance,
                 const char* what) {
  ASSERT_EQ(got.defined(), expected.defined()) << what;
  if (!got.defined()) return;
  ASSERT_EQ(got.sizes(), expected.sizes()) << what;
  const auto a = values_of(got), b = values_of(expected);
  for (std::size_t i = 0; i < a.size(); ++i)
    ASSERT_NEAR(a[i], b[i], tolerance * (1 + std::abs(b[i]))) << what << ", element " << i;
}

struct Evaluation {
  variable_list outputs, grads;
};

// Outputs and the gradients for cotangents that depend on the position alone.
Evaluation evaluate(const OpRow& row, const variable_list& inputs) {
  Evaluation result;
  result.outputs = row.op(inputs);
  variable_list roots, cotangents;
  for (const Variable& y : result.outputs) {
    if (!y.defined() || !y.requires_grad()) continue;
    roots.push_back(y);
    Array v = Array::empty(y.sizes(), kFloat64);
    for (std::int64_t i = 0; i < v.numel(); ++i)
      v.data<double>()[i] = std::cos(1.7 * static_cast<double>(i) + 0.3);
    cotangents.emplace_back(kernels::cast(v, y.dtype()));
  }
  if (!roots.empty())
    result.grads = autograd::grad(roots, inputs, cotangents, std::nullopt, false, true);
  return result;
}

variable_list one(Variable v) { return {std::move(v)}; }

std::vector<Shapes> with_standard_shapes(std::size_t inputs) {
  const auto same = [inputs](Shape s) { return Shapes(inputs, std::move(s)); };
  std::vector<Shapes> all = {same({2, 3, 5}), same({}), same({0, 3})};
  if (inputs >= 2) {
    for (const auto& [a, b] : std::vector<std::pair<Shape, Shape>>{
             {{2, 3, 5}, {3, 1}}, {{5}, {2, 1, 5}}, {{}, {2, 3}}, {{2, 3}, {}}, {{0, 3}, {1}}}) {
      Shapes s(inputs, b);
      s[0] = a;
      all.push_back(s);
    }
  }
  return all;
}

}  // namespace

OpRow row(std::string name, std::function<Variable(const Variable&)> op, std::vector<Shapes> shapes,
          std::vector<Domain> domains) {
  return {std::move(name), [op](const variable_list& x) { return one(op(x[0])); },
          std::move(shapes), std::move(domains)};
}
OpRow row(std::string name, std::function<Variable(const Variable&, const Variable&)> op,
          std::vector<Shapes> shapes, std::vector<Domain> domains) {
  return {std::move(name), [op](const variable_list& x) { return one(op(x[0], x[1])); },
          std::move(shapes), std::move(domains)};
}
OpRow row(std::string name,
          std::function<Variable(const Variable&, const Variable&, const Variable&)> op,
          std::vector<Shapes> shapes, std::vector<Domain> domains) {
  return {std::move(name), [op](const variable_list& x) { return one(op(x[0], x[1], x[2])); },
          std::move(shapes), std::move(domains)};
}
OpRow list_row(std::string name, std::function<variable_list(const variable_list&)> op,
               std::vector<Shapes> shapes, std::vector<Domain> domains) {
  return {std::move(name), std::move(op), std::move(shapes), std::move(domains)};
}

OpRow pointwise(std::string name, std::function<Variable(const Variable&)> op, Domain domain) {
  return row(std::move(name), std::move(op), with_standard_shapes(1), {std::move(domain)});
}
OpRow pointwise(std::string name, std::function<Variable(const Variable&, const Variable&)> op,
                std::vector<Domain> domains) {
  return row(std::move(name), std::move(op), with_standard_shapes(2), std::move(domains));
}
OpRow pointwise(std::string name,
                std::function<Variable(const Variable&, const Variable&, const Variable&)> op,
                std::vector<Domain> domains) {
  return row(std::move(name), std::move(op), with_standard_shapes(3), std::move(domains));
}

std::vector<OpCase> cases_of(const std::vector<OpRow>& rows) {
  std::vector<OpCase> cases;
  for (const OpRow& r : rows)
    for (const Shapes& shapes : r.shapes) {
      cases.push_back({r, shapes, false});
      const bool can_be_strided =
          std::any_of(shapes.begin(), shapes.end(), [](const Shape& s) { return numel_of(s) > 1; });
      if (can_be_strided) cases.push_back({r, shapes, true});
    }
  return cases;
}

std::string case_name(const ::testing::TestParamInfo<OpCase>& info) {
  std::string name = info.param.row.name;
  for (const Shape& s : info.param.shapes) {
    name += "_";
    if (s.empty()) name += "scalar";
    for (std::size_t i = 0; i < s.size(); ++i) name += (i ? "x" : "") + std::to_string(s[i]);
  }
  if (info.param.strided) name += "_strided";
  name += "_" + std::to_string(info.index);
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

Variable random_tensor(const Shape& shape, const Domain& domain, std::uint64_t seed, bool strided,
                       ScalarType dtype) {
  std::mt19937_64 random(seed);
  Array values = Array::empty(shape, kFloat64);
  for (std::int64_t i = 0; i < values.numel(); ++i) values.data<double>()[i] = draw(domain, random);
  if (!strided) return Variable(kernels::cast(values, dtype));
  // The axes in reverse order of memory, each with one element in three used.
  Shape backing(shape.rbegin(), shape.rend());
  for (auto& n : backing) n *= 3;
  Array memory = kernels::full(backing, 77, dtype);
  DimVector order(shape.size());
  for (std::size_t d = 0; d < shape.size(); ++d) order[d] = static_cast<std::int64_t>(d);
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const auto axis = static_cast<std::int64_t>(d);
    if (memory.sizes()[d] > 0) memory = memory.slice(axis, 1, memory.sizes()[d], 3);
  }
  std::reverse(order.begin(), order.end());
  Array view = memory.permute(order);
  kernels::copy(values, view);
  return Variable(view);
}

variable_list OpTable::inputs(bool strided) const {
  const OpCase& c = GetParam();
  variable_list result;
  for (std::size_t i = 0; i < c.shapes.size(); ++i) {
    const Domain domain = c.row.domains.empty()       ? Domain{}
                          : c.row.domains.size() == 1 ? c.row.domains[0]
                                                      : c.row.domains.at(i);
    result.push_back(random_tensor(c.shapes[i], domain, 1000 + i, strided).requires_grad_());
  }
  return result;
}

void OpTable::check_first_order() const {
  const OpCase& c = GetParam();
  EXPECT_TRUE(autograd::GradcheckPasses(c.row.op, inputs(c.strided),
                                        {.eps = 1e-6, .atol = c.row.atol, .rtol = c.row.rtol}));
}

void OpTable::check_second_order() const {
  const OpCase& c = GetParam();
  if (!c.row.second_order) return;
  EXPECT_TRUE(autograd::GradgradcheckPasses(c.row.op, inputs(c.strided),
                                            {.eps = 1e-6, .atol = c.row.atol, .rtol = c.row.rtol}));
}

void OpTable::check_float32() const {
  const OpCase& c = GetParam();
  const variable_list exact = inputs(c.strided);
  variable_list rounded, wide;
  for (const Variable& x : exact) {
    const Array narrow = kernels::cast(x.array(), kFloat32);
    rounded.push_back(Variable(narrow).requires_grad_());
    wide.push_back(Variable(kernels::cast(narrow, kFloat64)).requires_grad_());
  }
  const Evaluation got = evaluate(c.row, rounded), expected = evaluate(c.row, wide);
  ASSERT_EQ(got.outputs.size(), expected.outputs.size());
  for (std::size_t i = 0; i < got.outputs.size(); ++i) {
    if (expected.outputs[i].is_floating_point()) {
      EXPECT_EQ(got.outputs[i].dtype(), kFloat32);
    }
    expect_near(got.outputs[i], expected.outputs[i], c.row.float32_tolerance, "forward");
  }
  ASSERT_EQ(got.grads.size(), expected.grads.size());
  for (std::size_t i = 0; i < got.grads.size(); ++i)
    expect_near(got.grads[i], expected.grads[i], c.row.float32_tolerance, "gradient");
}

void OpTable::check_layout() const {
  const OpCase& c = GetParam();
  if (!c.strided) return;
  const Evaluation got = evaluate(c.row, inputs(true)), expected = evaluate(c.row, inputs(false));
  for (std::size_t i = 0; i < got.outputs.size(); ++i)
    expect_near(got.outputs[i], expected.outputs[i], 1e-12, "forward");
  for (std::size_t i = 0; i < got.grads.size(); ++i)
    expect_near(got.grads[i], expected.grads[i], 1e-12, "gradient");
}

}  // namespace tapedeck::testing_support
