#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <tapedeck/autograd/autograd.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/reduction.h>

// The same function from libtorch and from here, in float64 on the same values: outputs, first and
// second gradients.

namespace tapedeck::testing_support::side_by_side {

using List = std::vector<std::int64_t>;
using Theirs = std::vector<torch::Tensor>;
using Ours = std::vector<tapedeck::Variable>;

inline constexpr double kTolerance = 1e-10;

inline tapedeck::Variable copy_of(const torch::Tensor& t) {
  const List sizes = t.sizes().vec();
  const auto dense = t.detach().contiguous();
  tapedeck::Array a = tapedeck::Array::empty(sizes, tapedeck::kFloat64);
  std::copy_n(dense.data_ptr<double>(), dense.numel(), a.data<double>());
  return tapedeck::Variable(a);
}

/// Undefined gradients count as zero; NaN and infinities must agree exactly.
inline void expect_close(const torch::Tensor& expected, const tapedeck::Variable& got,
                         const std::string& what, double tolerance = kTolerance) {
  const auto is_zero = [](const auto& t) {
    return !t.defined() || t.numel() == 0 || (t * t).sum().template item<double>() == 0;
  };
  if (!expected.defined() || !got.defined()) {
    EXPECT_TRUE(is_zero(expected)) << what << ": ours is undefined";
    if (got.defined()) {
      EXPECT_TRUE(is_zero(got)) << what << ": theirs is undefined";
    }
    return;
  }
  ASSERT_EQ(expected.sizes().vec(),
            std::vector<std::int64_t>(got.sizes().begin(), got.sizes().end()))
      << what;
  if (expected.numel() == 0) return;
  const auto dense = got.contiguous();
  const auto ours = torch::from_blob(dense.array().raw(), expected.sizes(), torch::kDouble);
  const auto theirs = expected.detach();
  const auto finite = torch::where(theirs.isfinite(), theirs, torch::zeros_like(theirs));
  const double scale = std::max(1.0, finite.abs().max().item<double>());
  EXPECT_TRUE(torch::allclose(ours, theirs, 0, tolerance * scale, true)) << what << ": theirs\n"
                                                                         << theirs << "\nours\n"
                                                                         << ours;
}

/// What to compare beyond outputs and gradients, and how closely.
struct CompareOptions {
  bool second_order = true;
  double tolerance = kTolerance;
};

/// Compares on these inputs, which require grad.
inline void compare_on(const std::string& what, Theirs x,
                       const std::function<torch::Tensor(const Theirs&)>& theirs,
                       const std::function<tapedeck::Variable(const Ours&)>& ours,
                       const CompareOptions& options = {}) {
  SCOPED_TRACE(what);
  Ours z;
  for (torch::Tensor& t : x) {
    t = t.detach().requires_grad_();
    z.push_back(copy_of(t).requires_grad_());
  }
  const double tolerance = options.tolerance;
  const auto y = theirs(x);
  const auto w = ours(z);
  expect_close(y, w, "output", tolerance);
  if (::testing::Test::HasFatalFailure()) return;

  const auto v = torch::randn(y.sizes(), torch::kDouble).requires_grad_();
  const auto u = copy_of(v).requires_grad_();
  const auto g = torch::autograd::grad({y}, x, {v}, true, true, true);
  const auto h = tapedeck::autograd::grad({w}, z, {u}, true, true, true);
  for (std::size_t i = 0; i < g.size(); ++i)
    expect_close(g[i], h[i], "gradient " + std::to_string(i), tolerance);
  if (!options.second_order) return;
  auto sum = torch::zeros({}, torch::kDouble);
  tapedeck::Variable our_sum = copy_of(sum);
  for (std::size_t i = 0; i < g.size(); ++i) {
    if (!g[i].defined() || !h[i].defined()) continue;
    const auto factor = torch::randn(g[i].sizes(), torch::kDouble);
    sum = sum + (g[i] * factor).sum();
    our_sum = our_sum + (h[i] * copy_of(factor)).sum();
  }
  x.push_back(v);
  z.push_back(u);
  // Where a gradient is constant there is nothing to differentiate, which counts as zero.
  Theirs gg(x.size());
  Ours hh(z.size());
  if (sum.requires_grad()) gg = torch::autograd::grad({sum}, x, {}, false, false, true);
  if (our_sum.requires_grad()) hh = tapedeck::autograd::grad({our_sum}, z, {}, false, false, true);
  for (std::size_t i = 0; i < gg.size(); ++i)
    expect_close(gg[i], hh[i], "second gradient " + std::to_string(i), tolerance);
}

/// Compares on normal values of these shapes.
inline void compare(const std::string& what, const std::vector<List>& shapes,
                    const std::function<torch::Tensor(const Theirs&)>& theirs,
                    const std::function<tapedeck::Variable(const Ours&)>& ours) {
  Theirs x;
  for (const List& shape : shapes) x.push_back(torch::randn(shape, torch::kDouble));
  compare_on(what, x, theirs, ours);
}

}  // namespace tapedeck::testing_support::side_by_side
