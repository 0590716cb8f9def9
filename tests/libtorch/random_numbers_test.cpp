// The same seed gives the same numbers as libtorch, bit for bit.
#include <algorithm>
#include <cstring>
#include <functional>
#include <vector>

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <tapedeck/array/generator.h>
#include <tapedeck/ops/kernels/random.h>

namespace {

using tapedeck::Array;
using tapedeck::ScalarType;

const std::vector<std::int64_t> kSizes = {0,  1,  5,   7,   15,  16,  17,   31,  32,
                                          33, 64, 100, 311, 312, 313, 1000, 4097};

Array as_array(const torch::Tensor& t) {
  const std::vector<std::int64_t> strides = t.strides().vec();
  return Array::from_blob(t.data_ptr(), t.sizes().vec(), strides,
                          static_cast<ScalarType>(t.scalar_type()));
}

// A tensor of 0, 1, ... would hide elements that were not written: fill with a marker.
torch::Tensor blank(std::vector<std::int64_t> sizes, torch::ScalarType dtype) {
  return torch::full(sizes, 77, torch::dtype(dtype));
}

void expect_same_bytes(const torch::Tensor& expected, const torch::Tensor& got,
                       const std::string& what) {
  const auto a = expected.contiguous(), b = got.contiguous();
  if (a.nbytes() == 0 || std::memcmp(a.data_ptr(), b.data_ptr(), a.nbytes()) == 0) return;
  const auto differ = a.ne(b);
  ADD_FAILURE() << what << ": " << differ.sum().item<std::int64_t>() << " of " << a.numel()
                << " differ, at most by "
                << (a.to(torch::kDouble) - b.to(torch::kDouble)).abs().max().item<double>();
}

// Runs both on tensors of several sizes and layouts, one after the other from one seed, so that a
// difference in how many numbers are drawn shows in the next size.
void compare(const std::string& what, const std::vector<torch::ScalarType>& dtypes,
             const std::function<void(torch::Tensor)>& theirs,
             const std::function<void(const Array&)>& ours) {
  for (const auto dtype : dtypes) {
    torch::manual_seed(12345);
    tapedeck::manual_seed(12345);
    const auto check = [&](const std::string& layout,
                           const std::function<torch::Tensor(torch::Tensor)>& view,
                           const std::vector<std::int64_t>& sizes) {
      const auto expected = blank(sizes, dtype), got = blank(sizes, dtype);
      theirs(view(expected));
      ours(as_array(view(got)));
      expect_same_bytes(expected, got,
                        what + " " + torch::toString(dtype) + " " + layout + " " +
                            std::to_string(expected.numel()));
    };
    for (const std::int64_t size : kSizes) check("contiguous", [](auto t) { return t; }, {size});
    check("scalar", [](auto t) { return t; }, {});
    check("transposed", [](auto t) { return t.t(); }, {5, 9});
    check("strided", [](auto t) { return t.slice(1, 0, 9, 2); }, {5, 9});
    check("column", [](auto t) { return t.select(1, 3); }, {19, 7});
    check("permuted slice",
          [](auto t) {
            return t.slice(2, 1, 6, 3).permute({2, 0, 3, 1});
          },
          {3, 4, 6, 5});
    check("long column", [](auto t) { return t.select(1, 0); }, {1500, 2});
    check("contiguous again", [](auto t) { return t; }, {3, 11});
  }
}

const std::vector<torch::ScalarType> kFloating = {torch::kFloat, torch::kDouble};
const std::vector<torch::ScalarType> kNumeric = {torch::kFloat, torch::kDouble, torch::kLong,
                                                 torch::kInt, torch::kByte};
const std::vector<torch::ScalarType> kAll = {torch::kFloat, torch::kDouble, torch::kLong,
                                             torch::kInt,   torch::kByte,   torch::kBool};
namespace k = tapedeck::kernels;

TEST(LibtorchRandom, Uniform) {
  compare(
      "uniform", kFloating, [](auto t) { t.uniform_(); }, [](auto& a) { k::uniform(a, 0, 1); });
  compare(
      "uniform(-0.3, 1.7)", kFloating, [](auto t) { t.uniform_(-0.3, 1.7); },
      [](auto& a) { k::uniform(a, -0.3, 1.7); });
  compare(
      "uniform(0.1, 0.1)", kFloating, [](auto t) { t.uniform_(0.1, 0.1); },
      [](auto& a) { k::uniform(a, 0.1, 0.1); });
}

TEST(LibtorchRandom, Normal) {
  compare(
      "normal", kFloating, [](auto t) { t.normal_(); }, [](auto& a) { k::normal(a, 0, 1); });
  compare(
      "normal(1.3, 0.02)", kFloating, [](auto t) { t.normal_(1.3, 0.02); },
      [](auto& a) { k::normal(a, 1.3, 0.02); });
  compare(
      "log_normal", kFloating, [](auto t) { t.log_normal_(0.5, 0.7); },
      [](auto& a) { k::log_normal(a, 0.5, 0.7); });
}

TEST(LibtorchRandom, ManyNormals) {
  for (const auto dtype : kFloating) {
    torch::manual_seed(3);
    tapedeck::manual_seed(3);
    const auto expected = torch::randn({2000000}, dtype);
    const auto got = torch::empty({2000000}, dtype);
    k::normal(as_array(got), 0, 1);
    expect_same_bytes(expected, got, "two million normals");
  }
}

TEST(LibtorchRandom, OtherDistributions) {
  compare(
      "exponential", kFloating, [](auto t) { t.exponential_(1.5); },
      [](auto& a) { k::exponential(a, 1.5); });
  compare(
      "cauchy", kFloating, [](auto t) { t.cauchy_(0.5, 2.5); },
      [](auto& a) { k::cauchy(a, 0.5, 2.5); });
  compare(
      "geometric", kNumeric, [](auto t) { t.geometric_(0.3); },
      [](auto& a) { k::geometric(a, 0.3); });
}

TEST(LibtorchRandom, Bernoulli) {
  for (const double p : {0.0, 0.25, 0.5, 0.9, 1.0})
    compare(
        "bernoulli " + std::to_string(p), kAll, [=](auto t) { t.bernoulli_(p); },
        [=](auto& a) { k::bernoulli(a, p); });
  for (const auto p_dtype : kFloating)
    compare(
        "bernoulli tensor", kAll,
        [=](auto t) {
          const auto p = torch::linspace(0, 1, std::max<std::int64_t>(t.numel(), 1), p_dtype);
          t.bernoulli_(p.narrow(0, 0, t.numel()).view(t.sizes()));
        },
        [=](auto& a) {
          const auto p = torch::linspace(0, 1, std::max<std::int64_t>(a.numel(), 1), p_dtype)
                             .narrow(0, 0, a.numel())
                             .view(torch::IntArrayRef(a.sizes().data(), a.sizes().size()));
          k::bernoulli(a, as_array(p));
        });
}

TEST(LibtorchRandom, Integers) {
  compare(
      "random", kAll, [](auto t) { t.random_(); }, [](auto& a) { k::random(a); });
  compare(
      "random(10)", kNumeric, [](auto t) { t.random_(10); },
      [](auto& a) { k::random_from_to(a, 0, 10); });
  compare(
      "random(-7, 100)", {torch::kFloat, torch::kDouble, torch::kLong, torch::kInt},
      [](auto t) { t.random_(-7, 100); }, [](auto& a) { k::random_from_to(a, -7, 100); });
  compare(
      "random(2^40)", {torch::kFloat, torch::kDouble, torch::kLong},
      [](auto t) { t.random_(5, std::int64_t{1} << 40); },
      [](auto& a) { k::random_from_to(a, 5, std::int64_t{1} << 40); });
  compare(
      "random(2^32 wide)", {torch::kInt, torch::kLong, torch::kDouble},
      [](auto t) { t.random_(-(std::int64_t{1} << 31), std::int64_t{1} << 31); },
      [](auto& a) { k::random_from_to(a, -(std::int64_t{1} << 31), std::int64_t{1} << 31); });
  compare(
      "random(3, none)", kNumeric, [](auto t) { t.random_(3, c10::optional<std::int64_t>()); },
      [](auto& a) { k::random_from_to(a, 3, std::nullopt); });
  const auto lowest = std::numeric_limits<std::int64_t>::lowest();
  compare(
      "random(all 64 bits)", {torch::kLong, torch::kDouble, torch::kFloat},
      [=](auto t) { t.random_(lowest, c10::optional<std::int64_t>()); },
      [=](auto& a) { k::random_from_to(a, lowest, std::nullopt); });
}

TEST(LibtorchRandom, Randperm) {
  for (const auto dtype : kNumeric) {
    torch::manual_seed(9);
    tapedeck::manual_seed(9);
    for (const std::int64_t n : {0, 1, 2, 5, 100, 255}) {
      const auto expected = torch::randperm(n, dtype), got = torch::empty({n}, dtype);
      k::randperm(as_array(got));
      expect_same_bytes(expected, got, "randperm " + std::to_string(n));
    }
  }
  const auto expected = torch::randperm(100000), got = torch::empty({100000}, torch::kLong);
  k::randperm(as_array(got));
  expect_same_bytes(expected, got, "randperm 100000");
}

TEST(LibtorchRandom, Multinomial) {
  for (const auto dtype : kFloating) {
    torch::manual_seed(21);
    tapedeck::manual_seed(21);
    for (const bool replacement : {true, false}) {
      for (const std::int64_t categories : {1, 7, 100, 1000}) {
        auto weights = torch::rand({5, categories}, dtype);
        tapedeck::manual_seed(21);
        torch::manual_seed(21);
        for (const std::int64_t samples : {1, 2, 7, 50}) {
          if (!replacement && samples > categories) continue;
          for (const auto& w : {weights, weights[2], torch::rand({categories, 5}, dtype).t()}) {
            tapedeck::manual_seed(samples);
            torch::manual_seed(samples);
            const auto expected = torch::multinomial(w, samples, replacement);
            const Array got = k::multinomial(as_array(w), samples, replacement);
            expect_same_bytes(expected, torch::from_blob(got.raw(), expected.sizes(), torch::kLong),
                              "multinomial");
          }
        }
      }
    }
  }
}

TEST(LibtorchRandom, StatesAreExchanged) {
  tapedeck::manual_seed(5);
  const Array odd = Array::empty({3}, ScalarType::Double);
  k::normal(odd, 0, 1);  // leaves half a pair behind
  auto theirs = at::detail::createCPUGenerator(1);
  auto bytes = tapedeck::detail::getDefaultCPUGenerator().get_state();
  theirs.set_state(
      torch::from_blob(bytes.data(), {static_cast<std::int64_t>(bytes.size())}, torch::kByte)
          .clone());
  const auto expected = torch::empty({6}, torch::kDouble).normal_(0, 1, theirs);
  const auto got = torch::empty({6}, torch::kDouble);
  k::normal(as_array(got), 0, 1);
  expect_same_bytes(expected, got, "after set_state of libtorch");

  const auto state = theirs.get_state();
  std::vector<std::uint8_t> back(state.data_ptr<std::uint8_t>(),
                                 state.data_ptr<std::uint8_t>() + state.numel());
  auto ours = tapedeck::detail::createCPUGenerator(1);
  ours.set_state(back);
  EXPECT_EQ(ours.get_state(), tapedeck::detail::getDefaultCPUGenerator().get_state());
  EXPECT_EQ(ours.current_seed(), theirs.current_seed());
}

}  // namespace
