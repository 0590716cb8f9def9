// Elementwise functions and reductions beside libtorch's: values, first and second gradients in
// float64, at ordinary values and at zeros, ties, infinities and NaN; result dtypes.
#include <limits>
#include <string>
#include <vector>

#include <tests/libtorch/beside.h>

namespace {

using namespace beside;

constexpr double kInf = std::numeric_limits<double>::infinity();

#define UNARY(name, low, high)                                                         \
  both(#name, {uniform({3, 7}, low, high)}, [](const auto& t) { return name(t[0]); }); \
  both(#name " of nothing", {uniform({0, 2}, low, high)}, [](const auto& t) { return name(t[0]); })

TEST(BesideLibtorch, UnaryFunctions) {
  torch::manual_seed(1);
  UNARY(exp, -3, 3);
  UNARY(exp2, -3, 3);
  UNARY(expm1, -3, 3);
  UNARY(log, 0.1, 3);
  UNARY(log1p, -0.9, 3);
  UNARY(log2, 0.1, 3);
  UNARY(log10, 0.1, 3);
  UNARY(sqrt, 0.1, 3);
  UNARY(rsqrt, 0.1, 3);
  UNARY(square, -3, 3);
  UNARY(reciprocal, 0.3, 3);
  UNARY(abs, -3, 3);
  UNARY(sign, -3, 3);
  UNARY(sin, -3, 3);
  UNARY(cos, -3, 3);
  UNARY(tan, -1, 1);
  UNARY(asin, -0.9, 0.9);
  UNARY(acos, -0.9, 0.9);
  UNARY(atan, -3, 3);
  UNARY(sinh, -3, 3);
  UNARY(cosh, -3, 3);
  UNARY(tanh, -3, 3);
  UNARY(erf, -3, 3);
  UNARY(erfc, -3, 3);
  UNARY(floor, -3, 3);
  UNARY(ceil, -3, 3);
  UNARY(round, -3, 3);
  UNARY(trunc, -3, 3);
  UNARY(frac, -3, 3);
  UNARY(sigmoid, -6, 6);
  UNARY(relu, -3, 3);
  UNARY(relu6, -3, 9);
  UNARY(log_sigmoid, -6, 6);
  UNARY(gelu, -4, 4);
  UNARY(silu, -6, 6);
  UNARY(mish, -6, 6);
  UNARY(celu, -3, 3);
  UNARY(elu, -3, 3);
  UNARY(leaky_relu, -3, 3);
  UNARY(hardtanh, -3, 3);
  UNARY(hardswish, -5, 5);
  UNARY(hardshrink, -2, 2);
  UNARY(softshrink, -2, 2);
  UNARY(softplus, -6, 6);
}
#undef UNARY

TEST(BesideLibtorch, UnaryFunctionsWithParameters) {
  torch::manual_seed(2);
  const Theirs x = {uniform({4, 6}, -3, 3)};
  both("gelu tanh", x, [](const auto& t) { return gelu(t[0], "tanh"); });
  both("softplus", x, [](const auto& t) { return softplus(t[0], 2, 1); });
  both("elu", x, [](const auto& t) { return elu(t[0], 1.5, 2, 0.5); });
  // libtorch rounds these functions' constants to float32, and hardsigmoid has no second
  // derivative.
  both("hardsigmoid", x, [](const auto& t) { return hardsigmoid(t[0]); },
       {.second_order = false, .tolerance = 1e-6});
  both("celu", x, [](const auto& t) { return celu(t[0], 0.7); }, {.tolerance = 1e-6});
  both("selu", x, [](const auto& t) { return selu(t[0]); }, {.tolerance = 1e-6});
  both("threshold", x, [](const auto& t) { return threshold(t[0], 0.3, 7); });
  both("clamp", x, [](const auto& t) { return clamp(t[0], -1, 2); });
  both("clamp crossed", x, [](const auto& t) { return clamp(t[0], 2, -1); });
  both("glu", x, [](const auto& t) { return glu(t[0], 1); });
  both("prelu", {x[0], uniform({6}, 0, 1)}, [](const auto& t) { return prelu(t[0], t[1]); });
  for (const double e : {0.0, 1.0, 2.0, 3.0, 4.0})
    both("pow " + std::to_string(e), x, [e](const auto& t) { return pow(t[0], e); });
  for (const double e : {-0.5, 0.5, -1.0, 1.7})
    both("pow " + std::to_string(e), {uniform({5}, 0.2, 2)},
         [e](const auto& t) { return pow(t[0], e); });
  both("softmax", x, [](const auto& t) { return softmax(t[0], 1); });
  both("softmax of columns", x, [](const auto& t) { return softmax(t[0], 0); });
  both("log_softmax", x, [](const auto& t) { return log_softmax(t[0], 1); });
}

TEST(BesideLibtorch, FunctionsOfTwoAndThree) {
  torch::manual_seed(3);
  const Theirs xy = {uniform({3, 1, 4}, 0.5, 3), uniform({5, 1}, 0.5, 3)};
  both("add", xy, [](const auto& t) { return add(t[0], t[1], 0.3); });
  both("sub", xy, [](const auto& t) { return sub(t[0], t[1], 0.3); });
  both("mul", xy, [](const auto& t) { return t[0] * t[1]; });
  both("div", xy, [](const auto& t) { return t[0] / t[1]; });
  both("div trunc", xy, [](const auto& t) { return div(t[0], t[1], "trunc"); });
  both("div floor", xy, [](const auto& t) { return div(t[0], t[1], "floor"); });
  both("pow", xy, [](const auto& t) { return pow(t[0], t[1]); });
  both("pow of a number", xy, [](const auto& t) { return pow(2.5, t[0] * t[1]); });
  both("maximum", xy, [](const auto& t) { return maximum(t[0], t[1]); });
  both("minimum", xy, [](const auto& t) { return minimum(t[0], t[1]); });
  both("atan2", xy, [](const auto& t) { return atan2(t[0], -t[1]); });
  both("fmod", xy, [](const auto& t) { return fmod(-t[0], t[1]); });
  both("remainder", xy, [](const auto& t) { return remainder(-t[0], t[1]); });
  both("lerp", xy, [](const auto& t) { return lerp(t[0], t[1], 0.7); });
  both("where", xy, [](const auto& t) { return where(t[0] > t[1], t[0], t[1]); });
  const Theirs xyz = {xy[0], xy[1], uniform({4}, 0.5, 3)};
  both("lerp by a tensor", xyz, [](const auto& t) { return lerp(t[0], t[1], t[2]); });
  both("addcmul", xyz, [](const auto& t) { return addcmul(t[0], t[1], t[2], -2); });
  both("addcdiv", xyz, [](const auto& t) { return addcdiv(t[0], t[1], t[2], -2); });
}

TEST(BesideLibtorch, Reductions) {
  torch::manual_seed(4);
  const Theirs x = {uniform({3, 4, 5}, -2, 2)};
  both("sum", x, [](const auto& t) { return sum(t[0]); });
  both("sum of axes", x, [](const auto& t) { return t[0].sum(List{0, 2}, true); });
  both("mean", x, [](const auto& t) { return mean(t[0]); });
  both("mean of an axis", x, [](const auto& t) { return t[0].mean(1); });
  both("prod", x, [](const auto& t) { return prod(t[0]); });
  both("prod of an axis", x, [](const auto& t) { return prod(t[0], 1, true); });
  both("var", x, [](const auto& t) { return var(t[0]); });
  both("var of axes", x, [](const auto& t) { return t[0].var(List{0, 2}, false, true); });
  both("std", x, [](const auto& t) { return t[0].std(); });
  both("std of an axis", x, [](const auto& t) { return t[0].std(List{1}, true); });
  for (const double p : {0.0, 1.0, 1.5, 2.0, 3.0, kInf, -kInf}) {
    both("norm " + std::to_string(p), x, [p](const auto& t) { return t[0].norm(p); });
    both("norm of an axis " + std::to_string(p), x,
         [p](const auto& t) { return t[0].norm(p, List{1}, true); });
  }
  both("logsumexp", x, [](const auto& t) { return logsumexp(t[0], List{0, 2}); });
  both("max", x, [](const auto& t) { return max(t[0]); });
  both("min", x, [](const auto& t) { return min(t[0]); });
  both("amax", x, [](const auto& t) { return amax(t[0], List{0, 1}); });
  both("amin", x, [](const auto& t) { return amin(t[0], List{2}, true); });
  both("max along", x, [](const auto& t) { return std::get<0>(max(t[0], 1)); });
  both("min along", x, [](const auto& t) { return std::get<0>(min(t[0], 2, true)); });
  both("median", x, [](const auto& t) { return median(t[0]); });
  both("median along", x, [](const auto& t) { return std::get<0>(median(t[0], 1)); });
  both("cumsum", x, [](const auto& t) { return cumsum(t[0], 1); });
  both("cumprod", x, [](const auto& t) { return cumprod(t[0], 2); });
}

// Zeros, equal elements, infinities, NaN: where definitions, not formulas, decide. Second gradients
// at such points are not defined, and libtorch's differ from function to function.
TEST(BesideLibtorch, SpecialValues) {
  torch::manual_seed(5);
  const CompareOptions first = {.second_order = false};
  const auto o = torch::TensorOptions(torch::kDouble);
  const Theirs zeros = {torch::tensor({{0.0, 2.0, 0.0}, {3.0, 0.0, 1.0}}, o)};
  const Theirs ties = {torch::tensor({{1.0, 2.0, 2.0}, {2.0, 2.0, 1.0}}, o)};
  const Theirs wild = {torch::tensor({-kInf, kInf, std::nan(""), -1000.0, 1000.0, 0.0, -0.0}, o)};
  both(
      "prod with zeros", zeros, [](const auto& t) { return prod(t[0], 1); }, first);
  both(
      "prod of all with zeros", zeros, [](const auto& t) { return prod(t[0]); }, first);
  both(
      "cumprod with zeros", zeros, [](const auto& t) { return cumprod(t[0], 1); }, first);
  both(
      "max of ties", ties, [](const auto& t) { return max(t[0]); }, first);
  both(
      "amax of ties", ties, [](const auto& t) { return amax(t[0], List{1}); }, first);
  both(
      "max along ties", ties, [](const auto& t) { return std::get<0>(max(t[0], 1)); }, first);
  both(
      "inf norm of ties", ties, [](const auto& t) { return t[0].norm(kInf); }, first);
  both(
      "maximum of ties", {ties[0], ties[0].flip({1})},
      [](const auto& t) { return maximum(t[0], t[1]); }, first);
  both(
      "norm of zeros", {torch::zeros({3}, o)}, [](const auto& t) { return t[0].norm(); }, first);
  both(
      "clamp at its bounds", ties, [](const auto& t) { return clamp(t[0], 1, 2); }, first);
  both(
      "hardtanh at its bounds", ties, [](const auto& t) { return hardtanh(t[0], 1, 2); }, first);
  both(
      "relu of wild values", wild, [](const auto& t) { return relu(t[0]); }, first);
  both(
      "sigmoid of wild values", wild, [](const auto& t) { return sigmoid(t[0]); }, first);
  both(
      "tanh of wild values", wild, [](const auto& t) { return tanh(t[0]); }, first);
  both(
      "exp of wild values", wild, [](const auto& t) { return exp(t[0]); }, first);
  both(
      "softplus of wild values", wild, [](const auto& t) { return softplus(t[0]); }, first);
  both(
      "log_sigmoid of wild values", wild, [](const auto& t) { return log_sigmoid(t[0]); }, first);
  both(
      "clamp of wild values", wild, [](const auto& t) { return clamp(t[0], -5, 5); }, first);
  both(
      "leaky_relu of wild values", wild, [](const auto& t) { return leaky_relu(t[0]); }, first);
  both(
      "hardswish of wild values", wild, [](const auto& t) { return hardswish(t[0]); }, first);
  both(
      "elu of wild values", wild, [](const auto& t) { return elu(t[0]); }, first);
  both(
      "max of wild values", wild, [](const auto& t) { return max(t[0]); }, first);
  both(
      "log_softmax of far values", {torch::tensor({{-1000.0, 1000.0, 0.0}}, o)},
      [](const auto& t) { return log_softmax(t[0], 1); }, first);
  both(
      "pow at zero", {torch::tensor({0.0, 0.0, 2.0}, o), torch::tensor({0.0, 2.0, 0.0}, o)},
      [](const auto& t) { return pow(t[0], t[1]); }, first);
}

// libtorch rounds the bounds to float32.
TEST(BesideLibtorch, RandomSlopesOfTheSameSeed) {
  const auto x = torch::randn({5, 7}, torch::kDouble);
  torch::manual_seed(7);
  const auto theirs = torch::rrelu(x, 0.1, 0.4, true);
  tapedeck::manual_seed(7);
  expect_same(theirs, tapedeck::rrelu(copy_of(x), 0.1, 0.4, true), "rrelu", 1e-7);
}

TEST(BesideLibtorch, ResultTypes) {
  const std::vector<std::pair<torch::ScalarType, tapedeck::ScalarType>> types = {
      {torch::kBool, tapedeck::kBool},   {torch::kUInt8, tapedeck::kUInt8},
      {torch::kInt32, tapedeck::kInt32}, {torch::kInt64, tapedeck::kInt64},
      {torch::kFloat, tapedeck::kFloat}, {torch::kDouble, tapedeck::kDouble}};
  const auto same = [](const torch::Tensor& theirs, const tapedeck::Variable& ours,
                       const std::string& what) {
    EXPECT_EQ(static_cast<int>(theirs.scalar_type()), static_cast<int>(ours.scalar_type())) << what;
  };
  for (const auto& [ta, oa] : types) {
    const auto x = torch::ones({2}, ta);
    const auto z = tapedeck::ones({2}, oa);
    const std::string name = torch::toString(ta);
    same(exp(x), exp(z), "exp " + name);
    same(sum(x), sum(z), "sum " + name);
    same(prod(x), prod(z), "prod " + name);
    same(cumsum(x, 0), cumsum(z, 0), "cumsum " + name);
    same(any(x), any(z), "any " + name);
    same(max(x), max(z), "max " + name);
    same(argmax(x.to(torch::kFloat)), argmax(z), "argmax " + name);
    same(abs(x.to(ta == torch::kBool ? torch::kInt32 : ta)),
         abs(z.to(oa == tapedeck::kBool ? tapedeck::kInt32 : oa)), "abs " + name);
    same(x * 2, z * 2, "times 2 " + name);
    same(x * 2.5, z * 2.5, "times 2.5 " + name);
    same(x / 2, z / 2, "over 2 " + name);
    same(x == 1.5, z == 1.5, "equals " + name);
    for (const auto& [tb, ob] : types)
      for (const bool scalar : {false, true}) {
        const auto y = scalar ? torch::ones({}, tb) : torch::ones({2}, tb);
        const auto w = scalar ? tapedeck::ones({}, ob) : tapedeck::ones({2}, ob);
        const std::string pair = name + " and " + torch::toString(tb) + (scalar ? " scalar" : "");
        same(x + y, z + w, pair);
        same(x * y, z * w, pair);
        same(x / y, z / w, pair);
        same(maximum(x, y), maximum(z, w), pair);
        same(atan2(x, y), atan2(z, w), pair);
        if (ta != torch::kBool || tb != torch::kBool) same(pow(x, y), pow(z, w), pair);
      }
  }
}

TEST(BesideLibtorch, IntegerArithmetic) {
  torch::manual_seed(6);
  const auto x = torch::randint(-9, 10, {50}, torch::kInt64);
  auto y = torch::randint(-9, 10, {50}, torch::kInt64);
  y = torch::where(y == 0, torch::ones_like(y), y);
  const auto copy = [](const torch::Tensor& t) {
    return tapedeck::tensor(std::vector<std::int64_t>(t.data_ptr<std::int64_t>(),
                                                      t.data_ptr<std::int64_t>() + t.numel()));
  };
  const auto same = [&](const torch::Tensor& theirs, const tapedeck::Variable& ours) {
    EXPECT_TRUE(tapedeck::equal(copy(theirs.contiguous()), ours));
  };
  const auto z = copy(x), w = copy(y);
  same(remainder(x, y), remainder(z, w));
  same(fmod(x, y), fmod(z, w));
  same(floor_divide(x, y), floor_divide(z, w));
  same(div(x, y, "trunc"), div(z, w, "trunc"));
  same(pow(x, abs(y)), pow(z, abs(w)));
  same(clamp(x, -3, 4), clamp(z, -3, 4));
  same(sign(x), sign(z));
  same(std::get<0>(median(x.view({5, 10}), 1)), std::get<0>(median(z.view({5, 10}), 1)));
  same(x & y, z & w);
  same(x ^ y, z ^ w);
}

}  // namespace
