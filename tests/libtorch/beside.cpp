#include <tests/libtorch/beside.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <sstream>

namespace beside {

namespace {

double largest(const torch::Tensor& t) {
  return t.defined() && t.numel() > 0 ? t.abs().max().item<double>() : 0;
}
double largest(const tapedeck::Tensor& t) {
  return t.defined() && t.numel() > 0 ? t.abs().max().item<double>() : 0;
}

// The result, or nothing where libtorch says that the derivative is not implemented.
std::optional<Theirs> second_gradients(const torch::Tensor& sum, const Theirs& x) {
  if (!sum.requires_grad()) return Theirs(x.size());
  try {
    return torch::autograd::grad({sum}, x, {}, false, false, true);
  } catch (const std::exception& error) {
    if (std::strstr(error.what(), "not implemented")) return std::nullopt;
    throw;
  }
}

void compare_gradients(Theirs& x, Ours& z, const torch::Tensor& y, const tapedeck::Tensor& w,
                       const CompareOptions& options) {
  ASSERT_EQ(y.requires_grad(), w.requires_grad()) << "which requires grad";
  if (!y.requires_grad()) return;
  const auto v = torch::randn(y.sizes(), torch::kDouble).requires_grad_();
  const auto u = copy_of(v).requires_grad_();
  const auto g = torch::autograd::grad({y}, x, {v}, true, true, true);
  const auto h = tapedeck::autograd::grad({w}, z, {u}, true, true, true);
  auto sum = torch::zeros({}, torch::kDouble);
  auto our_sum = tapedeck::zeros({}, tapedeck::kDouble);
  for (std::size_t i = 0; i < g.size(); ++i) {
    expect_same(g[i], h[i], "gradient " + std::to_string(i), options.tolerance);
    if (!g[i].defined() || !h[i].defined()) continue;
    const auto factor = torch::randn(g[i].sizes(), torch::kDouble);
    sum = sum + (g[i] * factor).sum();
    our_sum = our_sum + (h[i] * copy_of(factor)).sum();
  }
  if (!options.second_order) return;
  x.push_back(v);
  z.push_back(u);
  // Where a gradient is constant there is nothing to differentiate, which counts as zero.
  const auto gg = second_gradients(sum, x);
  if (!gg) return;
  Ours hh(z.size());
  if (our_sum.requires_grad()) hh = tapedeck::autograd::grad({our_sum}, z, {}, false, false, true);
  for (std::size_t i = 0; i < gg->size(); ++i)
    expect_same((*gg)[i], hh[i], "second gradient " + std::to_string(i), options.tolerance);
}

}  // namespace

std::string& drawn() {
  static std::string text;
  return text;
}

std::string error_of(const std::function<void()>& f) {
  try {
    f();
    return "";
  } catch (const std::exception& error) {
    const std::string text = error.what();
    return "error: " + text.substr(0, text.find('\n'));
  }
}

tapedeck::Tensor copy_of(const torch::Tensor& theirs) {
  const auto dense = theirs.detach().contiguous();
  tapedeck::Array a = tapedeck::Array::empty(
      dense.sizes().vec(), static_cast<tapedeck::ScalarType>(dense.scalar_type()));
  if (dense.numel() > 0) std::memcpy(a.raw(), dense.data_ptr(), dense.nbytes());
  return tapedeck::Tensor(a);
}

void expect_same(const torch::Tensor& theirs, const tapedeck::Tensor& ours, const std::string& what,
                 double tolerance) {
  if (!theirs.defined() || !ours.defined()) {
    EXPECT_LE(largest(theirs) + largest(ours), tolerance) << what << ": one is undefined";
    return;
  }
  ASSERT_EQ(static_cast<int>(theirs.scalar_type()), static_cast<int>(ours.scalar_type())) << what;
  ASSERT_EQ(theirs.sizes().vec(), ours.sizes().vec()) << what;
  if (theirs.numel() == 0) return;
  const auto dense = ours.detach().contiguous();
  const auto got =
      torch::from_blob(dense.data_ptr(), theirs.sizes(), theirs.scalar_type()).to(torch::kDouble);
  const auto expected = theirs.detach().to(torch::kDouble);
  const auto finite = torch::where(expected.isfinite(), expected, torch::zeros_like(expected));
  const double scale = std::max(1.0, finite.abs().max().item<double>());
  if (theirs.scalar_type() == torch::kFloat) tolerance = std::max(tolerance, 1e-5);
  EXPECT_TRUE(torch::allclose(got, expected, 0, tolerance * scale, true))
      << what << ", at most by " << (got - expected).abs().max().item<double>() << ": theirs\n"
      << expected << "\nours\n"
      << got;
}

void compare(const std::string& what, Theirs x,
             const std::function<torch::Tensor(const Theirs&)>& theirs,
             const std::function<tapedeck::Tensor(const Ours&)>& ours,
             const CompareOptions& options) {
  std::ostringstream trace;
  trace << what << "\non";
  for (const auto& input : x) trace << " " << input.sizes();
  trace << "\ndrawn:" << drawn();
  SCOPED_TRACE(trace.str());
  Ours z;
  for (torch::Tensor& input : x) {
    input = input.detach().requires_grad_();
    z.push_back(copy_of(input).requires_grad_());
  }
  torch::Tensor y;
  tapedeck::Tensor w;
  const std::string error = error_of([&] { y = theirs(x); });
  const std::string our_error = error_of([&] { w = ours(z); });
  EXPECT_EQ(error.empty(), our_error.empty()) << "theirs: " << error << "\nours: " << our_error;
  if (!options.may_throw) {
    EXPECT_EQ(error, "");
  }
  if (!error.empty() || !our_error.empty()) return;
  expect_same(y, w, "output", options.tolerance);
  if (::testing::Test::HasFatalFailure() || y.scalar_type() != torch::kDouble) return;
  const std::string failure = error_of([&] { compare_gradients(x, z, y, w, options); });
  EXPECT_EQ(failure, "");
}

Theirs normal_values(const std::vector<List>& shapes) {
  Theirs x;
  for (const List& shape : shapes) x.push_back(torch::randn(shape, torch::kDouble));
  return x;
}

void Fuzz::round(int number) {
  generator_.seed(static_cast<std::mt19937::result_type>(number));
  torch::manual_seed(static_cast<std::uint64_t>(number));
  drawn() = " round " + std::to_string(number) + ":";
}

std::int64_t Fuzz::pick(std::int64_t low, std::int64_t high) {
  const auto value = std::uniform_int_distribution<std::int64_t>(low, high)(generator_);
  drawn() += " " + std::to_string(value);
  return value;
}

List Fuzz::picks(std::size_t count, std::int64_t low, std::int64_t high) {
  List list;
  for (std::size_t i = 0; i < count; ++i) list.push_back(pick(low, high));
  return list;
}

double Fuzz::real(double low, double high) {
  const double value = std::uniform_real_distribution<double>(low, high)(generator_);
  drawn() += " " + std::to_string(value);
  return value;
}

std::vector<double> Fuzz::reals(std::int64_t count, double low, double high) {
  std::vector<double> list;
  for (std::int64_t i = 0; i < count; ++i) list.push_back(real(low, high));
  return list;
}

}  // namespace beside
