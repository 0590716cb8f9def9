// Tensors are printed as libtorch prints them, byte for byte.
#include <cmath>
#include <limits>
#include <sstream>

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <tapedeck/array/print.h>

namespace {

using tapedeck::Array;

Array as_array(const torch::Tensor& t) {
  return Array::from_blob(t.data_ptr(), t.sizes().vec(), t.strides().vec(),
                          static_cast<tapedeck::ScalarType>(t.scalar_type()));
}

void expect_same_text(const torch::Tensor& t, std::int64_t linesize = 80, int precision = 6) {
  std::ostringstream theirs, ours;
  theirs.precision(precision);
  ours.precision(precision);
  torch::print(theirs, t, linesize);
  tapedeck::print(ours, as_array(t), linesize);
  ASSERT_EQ(ours.str(), theirs.str());
  theirs << 0.123456789;
  ours << 0.123456789;
  ASSERT_EQ(ours.str(), theirs.str());
}

const std::vector<std::vector<std::int64_t>> kShapes = {
    {},         {1},          {3},          {17},           {0},
    {1, 1},     {2, 3},       {3, 1},       {2, 40},        {3, 13},
    {0, 3},     {3, 0},       {2, 2, 3},    {1, 1, 1},      {2, 0, 3},
    {3, 2, 30}, {2, 3, 2, 2}, {1, 2, 0, 1}, {2, 1, 2, 1, 2}};

TEST(LibtorchPrinting, FloatsOfEveryMagnitude) {
  torch::manual_seed(1);
  for (const auto dtype : {torch::kFloat, torch::kDouble})
    for (const auto& shape : kShapes)
      for (const double magnitude : {1.0, 1e-3, 1e-6, 30.0, 999.0, 1e4, 99999.0, 1e6, 1e12, 1e-20})
        for (int i = 0; i < 5; ++i) {
          expect_same_text(torch::randn(shape, dtype) * magnitude);
          expect_same_text(torch::rand(shape, dtype) * magnitude);
          expect_same_text(torch::randn(shape, dtype).exp() * magnitude);
        }
}

TEST(LibtorchPrinting, Integers) {
  torch::manual_seed(2);
  for (const auto dtype : {torch::kLong, torch::kInt, torch::kFloat, torch::kDouble})
    for (const auto& shape : kShapes)
      for (const std::int64_t limit : {2, 10, 100, 123456, 12345678, 2000000000}) {
        expect_same_text(torch::randint(limit, shape).to(dtype));
        expect_same_text(torch::randint(-limit, limit, shape).to(dtype));
        expect_same_text(-torch::randint(limit, shape).to(dtype));
      }
  for (const auto& shape : kShapes) {
    expect_same_text(torch::randint(255, shape, torch::kByte));
    expect_same_text(torch::randint(2, shape, torch::kBool));
    expect_same_text(torch::zeros(shape));
    expect_same_text(torch::randint(2, shape).mul(std::int64_t{1} << 40));
  }
}

TEST(LibtorchPrinting, WhatIsNotFinite) {
  torch::manual_seed(3);
  const float inf = std::numeric_limits<float>::infinity();
  for (const auto& shape : kShapes)
    for (const float special : {inf, -inf, std::nanf("")}) {
      expect_same_text(torch::full(shape, special));
      auto some = torch::randn(shape);
      expect_same_text(torch::where(some > 0, torch::full({}, special), some));
      expect_same_text(torch::where(some > 0, torch::full({}, special), some.round()));
    }
}

TEST(LibtorchPrinting, ViewsAndOtherFormats) {
  torch::manual_seed(4);
  expect_same_text(torch::randn({4, 6}).t());
  expect_same_text(torch::randn({1}).expand({3, 4}));
  expect_same_text(torch::randn({4, 6, 5}).slice(1, 1, 6, 2).permute({2, 0, 1}));
  for (const std::int64_t linesize : {20, 40, 120})
    for (const auto& shape : kShapes) expect_same_text(torch::randn(shape), linesize);
  for (const int precision : {2, 3, 10})
    for (const auto& shape : kShapes) {
      expect_same_text(torch::randn(shape), 80, precision);
      expect_same_text(torch::randint(100000, shape), 80, precision);
    }
}

TEST(LibtorchPrinting, MixedMagnitudesInSlices) {
  torch::manual_seed(5);
  for (int i = 0; i < 50; ++i) {
    auto t = torch::randn({4, 2, 3}, torch::kDouble);
    t *= torch::pow(10, torch::randint(-12, 12, {4, 1, 1})).to(torch::kDouble);
    if (i % 2) t[i % 4] = t[i % 4].round();
    expect_same_text(t);
    expect_same_text(t.pow(21));
  }
}

TEST(LibtorchPrinting, Undefined) {
  std::ostringstream theirs, ours;
  theirs << torch::Tensor();
  ours << Array();
  EXPECT_EQ(ours.str(), theirs.str());
}

}  // namespace
