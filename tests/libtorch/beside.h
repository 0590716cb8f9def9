#pragma once

// One expression, evaluated by libtorch and by tapedeck: `t` is the namespace, `x` the inputs.
//
//   SAME_GRADIENTS(({{2, 3}}), x[0].index({t::indexing::Slice(), 1}));   float64, to second order
//   SAME_GRADIENTS_OR_ERROR(({shape}), x[0].view(other));                or neither accepts it
//   SAME_VALUES(t::arange(5));                                           dtypes, shapes, values
//   SAME_VALUES_OR_ERROR(t::arange(start, end, step));
//   SAME_TEXT(t::arange(5));                                             what operator<< prints
//   BOTH_THROW(t::zeros({2})[5]);

#include <cstdint>
#include <functional>
#include <random>
#include <sstream>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <tapedeck/tapedeck.h>

namespace beside {

using List = std::vector<std::int64_t>;
using Theirs = std::vector<torch::Tensor>;
using Ours = std::vector<tapedeck::Tensor>;

struct CompareOptions {
  bool second_order = true;  ///< where libtorch has one
  bool may_throw = false;    ///< an error of libtorch's asks for one of ours
  double tolerance = 1e-10;  ///< relative to the largest value
};

tapedeck::Tensor copy_of(const torch::Tensor& theirs);

/// The same dtype, shape and values. NaN and infinities agree exactly; an undefined gradient
/// stands for zeros.
void expect_same(const torch::Tensor& theirs, const tapedeck::Tensor& ours, const std::string& what,
                 double tolerance = 1e-10);

/// Outputs, gradients and second gradients for random cotangents, on these float64 inputs.
void compare(const std::string& what, Theirs x,
             const std::function<torch::Tensor(const Theirs&)>& theirs,
             const std::function<tapedeck::Tensor(const Ours&)>& ours,
             const CompareOptions& options = {});

/// The same with one text for both libraries: the arguments choose whose function it is.
template <typename F>
void both(const std::string& what, const Theirs& x, F f, const CompareOptions& options = {}) {
  compare(
      what, x, [&](const Theirs& t) { return f(t); }, [&](const Ours& t) { return f(t); }, options);
}

/// Float64 values between `low` and `high`.
inline torch::Tensor uniform(const List& shape, double low, double high) {
  return torch::rand(shape, torch::kDouble) * (high - low) + low;
}

/// Normal values of these shapes.
Theirs normal_values(const std::vector<List>& shapes);

/// Choices that a seed and a round determine. What was drawn is part of every failure's message.
class Fuzz : public ::testing::Test {
 protected:
  /// Begins a round: the same numbers from here on, whatever came before.
  void round(int number);
  std::int64_t pick(std::int64_t low, std::int64_t high);
  List picks(std::size_t count, std::int64_t low, std::int64_t high);
  bool coin() { return pick(0, 1) == 1; }
  double real(double low, double high);
  std::vector<double> reals(std::int64_t count, double low, double high);

 private:
  std::mt19937 generator_{1};
};

/// What the round has drawn so far.
std::string& drawn();

std::string error_of(const std::function<void()>& f);  ///< empty: none

template <typename A, typename B>
void expect_same(const A& theirs, const B& ours, const std::string& what) {
  if constexpr (std::is_floating_point_v<A>)
    EXPECT_NEAR(theirs, ours, 1e-10 * (1 + std::abs(theirs))) << what;
  else if constexpr (std::is_arithmetic_v<A> || std::is_same_v<A, std::string>)
    EXPECT_EQ(theirs, ours) << what;
  else
    expect_same(torch::Tensor(theirs), tapedeck::Tensor(ours), what, 1e-10);
}
template <typename A, typename B>
void expect_same(const std::vector<A>& theirs, const std::vector<B>& ours,
                 const std::string& what) {
  ASSERT_EQ(theirs.size(), ours.size()) << what;
  for (std::size_t i = 0; i < theirs.size(); ++i)
    expect_same(theirs[i], ours[i], what + " [" + std::to_string(i) + "]");
}
template <typename... A, typename... B>
void expect_same(const std::tuple<A...>& theirs, const std::tuple<B...>& ours,
                 const std::string& what) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (expect_same(std::get<I>(theirs), std::get<I>(ours), what + " <" + std::to_string(I) + ">"),
     ...);
  }
  (std::index_sequence_for<A...>());
}

template <typename F, typename G>
void same_values(const std::string& what, const F& theirs, const G& ours, bool may_throw) {
  SCOPED_TRACE(what + "\ndrawn:" + drawn());
  std::optional<decltype(theirs())> a;
  std::optional<decltype(ours())> b;
  const std::string error = error_of([&] { a.emplace(theirs()); });
  const std::string our_error = error_of([&] { b.emplace(ours()); });
  EXPECT_EQ(error.empty(), our_error.empty()) << "theirs: " << error << "\nours: " << our_error;
  if (!may_throw) {
    EXPECT_EQ(error, "");
  }
  if (a && b) expect_same(*a, *b, "value");
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

/// Options with one of the three usual reductions.
template <typename Options, typename None, typename Mean, typename Sum>
Options reduced(Options options, std::int64_t which, None none, Mean mean, Sum sum) {
  if (which == 0) options.reduction(none);
  if (which == 1) options.reduction(mean);
  if (which == 2) options.reduction(sum);
  return options;
}
#define REDUCED(which, ...) beside::reduced(__VA_ARGS__, which, t::kNone, t::kMean, t::kSum)

}  // namespace beside

#define BESIDE_STRIP(...) __VA_ARGS__
#define SAME_GRADIENTS_ON(inputs, options, ...)        \
  beside::compare(                                     \
      #__VA_ARGS__, inputs,                            \
      [&](const beside::Theirs& x) -> torch::Tensor {  \
        namespace t = torch;                           \
        return __VA_ARGS__;                            \
      },                                               \
      [&](const beside::Ours& x) -> tapedeck::Tensor { \
        namespace t = tapedeck;                        \
        return __VA_ARGS__;                            \
      },                                               \
      beside::CompareOptions BESIDE_STRIP options)
#define SAME_GRADIENTS(shapes, ...) \
  SAME_GRADIENTS_ON(beside::normal_values(BESIDE_STRIP shapes), ({}), __VA_ARGS__)
#define SAME_GRADIENTS_OR_ERROR(shapes, ...) \
  SAME_GRADIENTS_ON(beside::normal_values(BESIDE_STRIP shapes), ({.may_throw = true}), __VA_ARGS__)

#define BESIDE_VALUES(may_throw, ...) \
  beside::same_values(                \
      #__VA_ARGS__,                   \
      [&] {                           \
        namespace t = torch;          \
        return __VA_ARGS__;           \
      },                              \
      [&] {                           \
        namespace t = tapedeck;       \
        return __VA_ARGS__;           \
      },                              \
      may_throw)
#define SAME_VALUES(...) BESIDE_VALUES(false, __VA_ARGS__)
#define SAME_VALUES_OR_ERROR(...) BESIDE_VALUES(true, __VA_ARGS__)

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
    EXPECT_NE(beside::error_of([&] {                 \
                namespace t = torch;                 \
                static_cast<void>(__VA_ARGS__);      \
              }),                                    \
              "")                                    \
        << "libtorch does not throw: " #__VA_ARGS__; \
    EXPECT_NE(beside::error_of([&] {                 \
                namespace t = tapedeck;              \
                static_cast<void>(__VA_ARGS__);      \
              }),                                    \
              "")                                    \
        << "tapedeck does not throw: " #__VA_ARGS__; \
  } while (false)
