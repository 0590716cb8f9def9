#include <tapedeck/xtensor.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <xtensor/xbuilder.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xview.hpp>

#include <tapedeck/tapedeck.h>

namespace {

using tapedeck::as_xtensor;
using tapedeck::from_xtensor;
using tapedeck::Variable;
using testing::ElementsAre;

std::vector<double> elements(const Variable& v) {
  const Variable flat = v.to(tapedeck::kFloat64).contiguous();
  return std::vector<double>(flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel());
}

TEST(Xtensor, AnExpressionBecomesATensorOfItsOwnDtype) {
  const xt::xtensor<float, 2> a = {{1, 2, 3}, {4, 5, 6}};
  const Variable v = from_xtensor(2.0f * a + xt::ones<float>({3}));
  EXPECT_EQ(v.dtype(), tapedeck::kFloat32);
  EXPECT_EQ(v.sizes(), tapedeck::IntArrayRef({2, 3}));
  EXPECT_THAT(elements(v), ElementsAre(3, 5, 7, 9, 11, 13));
  EXPECT_TRUE(v.is_leaf());
  EXPECT_FALSE(v.requires_grad());
}

TEST(Xtensor, EveryDtypeIsKept) {
  EXPECT_EQ(from_xtensor(xt::xarray<double>{1, 2}).dtype(), tapedeck::kFloat64);
  EXPECT_EQ(from_xtensor(xt::xarray<std::int64_t>{1, 2}).dtype(), tapedeck::kInt64);
  EXPECT_EQ(from_xtensor(xt::xarray<long long>{1, 2}).dtype(), tapedeck::kInt64);
  EXPECT_EQ(from_xtensor(xt::xarray<std::int32_t>{1, 2}).dtype(), tapedeck::kInt32);
  EXPECT_EQ(from_xtensor(xt::xarray<std::uint8_t>{1, 2}).dtype(), tapedeck::kUInt8);
  EXPECT_EQ(from_xtensor(xt::xarray<std::int16_t>{1, -2}).dtype(), tapedeck::kInt64);
  const Variable mask = from_xtensor(xt::xarray<double>{1, -2} > 0.0);
  EXPECT_EQ(mask.dtype(), tapedeck::kBool);
  EXPECT_THAT(elements(mask), ElementsAre(1, 0));
}

TEST(Xtensor, ScalarsAndEmptyArraysKeepTheirShape) {
  EXPECT_EQ(from_xtensor(xt::xarray<double>(3.5)).dim(), 0);
  const Variable empty = from_xtensor(xt::zeros<float>({2, 0, 3}));
  EXPECT_EQ(empty.sizes(), tapedeck::IntArrayRef({2, 0, 3}));
  EXPECT_EQ(as_xtensor<const float>(empty).size(), 0u);
}

TEST(Xtensor, AViewSharesTheElements) {
  const Variable v = from_xtensor(xt::arange<float>(6.0f).reshape({2, 3}));
  auto view = as_xtensor<float>(v);
  EXPECT_EQ(view.data(), v.data_ptr<float>());
  view(1, 2) = 50;
  xt::view(view, 0, xt::all()) += 10;
  EXPECT_THAT(elements(v), ElementsAre(10, 11, 12, 3, 4, 50));
  EXPECT_FLOAT_EQ(xt::sum(as_xtensor<const float>(v))(), 90);
}

TEST(Xtensor, AViewFollowsStridesAndUnitAxes) {
  const Variable v = from_xtensor(xt::arange<double>(6.0).reshape({2, 3}));
  const Variable columns(v.array().transpose(0, 1));
  const auto view = as_xtensor<const double, 2>(columns);
  EXPECT_EQ(view(2, 1), 5);
  EXPECT_EQ(xt::xarray<double>(view), (xt::xarray<double>{{0, 3}, {1, 4}, {2, 5}}));

  const Variable row(v.array().slice(0, 1, 2, 1));  // [1, 3]
  const xt::xtensor<double, 2> column = {{0.5}, {1.5}};
  const xt::xarray<double> sum = as_xtensor<const double>(row) + column;
  EXPECT_EQ(sum, (xt::xarray<double>{{3.5, 4.5, 5.5}, {4.5, 5.5, 6.5}}));
}

TEST(Xtensor, AWrongDtypeOrRankIsAnError) {
  const Variable v = from_xtensor(xt::zeros<float>({2, 3}));
  try {
    as_xtensor<double>(v);
    FAIL() << "no error";
  } catch (const tapedeck::TypeError& e) {
    EXPECT_STREQ(e.what(),
                 "as_xtensor: tensor [2, 3] has elements of dtype Float, asked for as Double");
  }
  try {
    as_xtensor<const float, 3>(v);
    FAIL() << "no error";
  } catch (const tapedeck::Error& e) {
    EXPECT_STREQ(e.what(), "as_xtensor: tensor [2, 3] has 2 axes, asked for as 3");
  }
}

TEST(Xtensor, LookingIsNoChangeButTheChanceToWriteIs) {
  const Variable v = from_xtensor(xt::ones<float>({3}));
  const auto version = v._version();
  as_xtensor<const float>(v);
  EXPECT_EQ(v._version(), version);
  as_xtensor<float>(v);
  EXPECT_EQ(v._version(), version + 1);
}

}  // namespace
