#pragma once

// One expression, evaluated by libtorch and by tapedeck: `t` is the namespace, `x` the inputs.
//
//   SAME_GRADIENTS(({{2, 3}}), x[0].index({t::indexing::Slice(), 1}));   float64, to second order
//   SAME_TEXT(t::arange(5));                                             what operator<< prints
//   BOTH_THROW(t::zeros({2})[5]);

#include <algorithm>
#include <cstdint>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <tapedeck/tapedeck.h>

namespace beside {

using List = std::vector<std::int64_t>;
using Theirs = std::vector<torch::Tensor>;
using Ours = std::vector<tapedeck::Tensor>;

inline tapedeck::Tensor copy_of(const torch::Tensor& t) {
  const auto dense = t.detach().contiguous();
  tapedeck::Array a = tapedeck::Array::empty(dense.sizes().vec(), tapedeck::kFloat64);
  std::copy_n(dense.data_ptr<double>(), dense.numel(), a.data<double>());
  return tapedeck::Tensor(a);
}

inline void expect_close(const torch::Tensor& expected, const tapedeck::Tensor& got,
                         const std::string& what) {
  // An undefined gradient stands for zeros.
  const auto is_zero = [](const auto& v) {
    return !v.defined() || v.numel() == 0 || (v * v).sum().template item<double>() == 0;
  };
  if (!expected.defined() || !got.defined()) {
    EXPECT_TRUE(is_zero(expected) && is_zero(got)) << what << ": one is undefined";
    return;
  }
  ASSERT_EQ(expected.sizes().vec(), got.sizes().vec()) << what;
  if (expected.numel() == 0) return;
  const auto dense = got.contiguous();
  const auto ours = torch::from_blob(dense.data_ptr(), expected.sizes(), torch::kDouble);
  const double scale = std::max(1.0, expected.abs().max().item<double>());
  EXPECT_LE((expected - ours).abs().max().item<double>(), 1e-10 * scale) << what;
}

/// Outputs, gradients and second gradients for random cotangents.
inline void same_gradients(const std::vector<List>& shapes,
                           const std::function<torch::Tensor(const Theirs&)>& theirs,
                           const std::function<tapedeck::Tensor(const Ours&)>& ours) {
  Theirs x;
  Ours z;
  for (const List& shape : shapes) {
    x.push_back(torch::randn(shape, torch::kDouble).requires_grad_());
    z.push_back(copy_of(x.back()).requires_grad_());
  }
  const auto y = theirs(x);
  const auto w = ours(z);
  expect_close(y, w, "output");
  if (testing::Test::HasFatalFailure()) return;
  const auto v = torch::randn(y.sizes(), torch::kDouble).requires_grad_();
  const auto u = copy_of(v).requires_grad_();
  const auto g = torch::autograd::grad({y}, x, {v}, true, true, true);
  const auto h = tapedeck::autograd::grad({w}, z, {u}, true, true, true);
  auto sum = torch::zeros({}, torch::kDouble);
  auto our_sum = tapedeck::zeros({}, tapedeck::kDouble);
  for (std::size_t i = 0; i < g.size(); ++i) {
    expect_close(g[i], h[i], "gradient " + std::to_string(i));
    if (!g[i].defined() || !h[i].defined()) continue;
    const auto factor = torch::randn(g[i].sizes(), torch::kDouble);
    sum = sum + (g[i] * factor).sum();
    our_sum = our_sum + (h[i] * copy_of(factor)).sum();
  }
  if (!sum.requires_grad() || !our_sum.requires_grad()) {
    EXPECT_EQ(sum.requires_grad(), our_sum.requires_grad());
    return;
  }
  x.push_back(v);
  z.push_back(u);
  const auto gg = torch::autograd::grad({sum}, x, {}, false, false, true);
  const auto hh = tapedeck::autograd::grad({our_sum}, z, {}, false, false, true);
  for (std::size_t i = 0; i < gg.size(); ++i)
    expect_close(gg[i], hh[i], "second gradient " + std::to_string(i));
}

template <typename T>
std::string text_of(const T& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}
template <typename T>
std::string text_of(const std::vector<T>& values) {
  std::string text;
  for (const T& value : values) text += text_of(value) + "\n";
  return text;
}
template <typename... T>
std::string text_of(const std::tuple<T...>& values) {
  return std::apply([](const auto&... v) { return ((text_of(v) + "\n") + ...); }, values);
}

inline bool throws(const std::function<void()>& f) {
  try {
    f();
  } catch (const std::exception&) {
    return true;
  }
  return false;
}

}  // namespace beside

#define SAME_GRADIENTS(shapes, ...)                                       \
  do {                                                                    \
    SCOPED_TRACE(#__VA_ARGS__);                                           \
    const std::vector<beside::List> shapes_of_inputs BESIDE_STRIP shapes; \
    beside::same_gradients(                                               \
        shapes_of_inputs,                                                 \
        [&](const beside::Theirs& x) -> torch::Tensor {                   \
          namespace t = torch;                                            \
          return __VA_ARGS__;                                             \
        },                                                                \
        [&](const beside::Ours& x) -> tapedeck::Tensor {                  \
          namespace t = tapedeck;                                         \
          return __VA_ARGS__;                                             \
        });                                                               \
  } while (false)
#define BESIDE_STRIP(...) __VA_ARGS__

#define SAME_TEXT(...)                       \
  do {                                       \
    const std::string theirs = [&] {         \
      namespace t = torch;                   \
      return beside::text_of(__VA_ARGS__);   \
    }();                                     \
    const std::string ours = [&] {           \
      namespace t = tapedeck;                \
      return beside::text_of(__VA_ARGS__);   \
    }();                                     \
    EXPECT_EQ(ours, theirs) << #__VA_ARGS__; \
  } while (false)

#define BOTH_THROW(...)                              \
  do {                                               \
    EXPECT_TRUE(beside::throws([&] {                 \
      namespace t = torch;                           \
      static_cast<void>(__VA_ARGS__);                \
    })) << "libtorch does not throw: " #__VA_ARGS__; \
    EXPECT_TRUE(beside::throws([&] {                 \
      namespace t = tapedeck;                        \
      static_cast<void>(__VA_ARGS__);                \
    })) << "tapedeck does not throw: " #__VA_ARGS__; \
  } while (false)
