// Numbers are libtorch 1.13.1's; the kernels' tests have more of them.
#include <tapedeck/ops/random.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tapedeck/tapedeck.h>
#include <tests/support/arrays.h>

namespace tapedeck {
namespace {

using ::testing::ElementsAre;
using testing::values;

TEST(RandomOps, GivePyTorchsNumbers) {
  manual_seed(0);
  EXPECT_FLOAT_EQ(rand({5}).array().data<float>()[1], 0.76822179555892944f);
  manual_seed(0);
  EXPECT_FLOAT_EQ(randn({5}).array().data<float>()[2], -2.1787893772125244f);
  manual_seed(0);
  EXPECT_THAT(values<std::int64_t>(randint(10, {10}).array()),
              ElementsAre(4, 9, 3, 0, 3, 9, 7, 3, 7, 3));
  manual_seed(0);
  EXPECT_THAT(values<std::int64_t>(randperm(10).array()),
              ElementsAre(4, 1, 7, 5, 3, 9, 0, 8, 6, 2));
  manual_seed(0);
  EXPECT_THAT(values<float>(bernoulli(full({12}, 0.3)).array()),
              ElementsAre(0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0));
  manual_seed(0);
  EXPECT_THAT(values<std::int64_t>(tensor({1., 2., 3., 4.}).multinomial(4).array()),
              ElementsAre(2, 1, 3, 0));
}

TEST(RandomOps, RespectOptions) {
  EXPECT_EQ(rand({2}, kDouble).dtype(), kDouble);
  EXPECT_EQ(randint(5, {2}).dtype(), kLong);
  EXPECT_EQ(randint(3, 5, {2}, kFloat).dtype(), kFloat);
  EXPECT_EQ(randperm(5, kInt).dtype(), kInt);
  EXPECT_TRUE(randn({2}, requires_grad()).requires_grad());
  EXPECT_TRUE(randn({2}, requires_grad()).is_leaf());
  EXPECT_EQ(rand_like(zeros({2, 3}, kDouble)).dtype(), kDouble);
  EXPECT_EQ(randn_like(zeros({2, 3}), kDouble).dtype(), kDouble);
  EXPECT_EQ(randint_like(zeros({2, 3}), 4).dtype(), kFloat);
  EXPECT_EQ(normal(1.0, 2.0, {3}, std::nullopt, kDouble).dtype(), kDouble);
  EXPECT_THROW(rand({2}, kLong), TypeError);
  EXPECT_THROW(rand({2}, device(kCUDA)), Error);
}

TEST(RandomOps, TakeAGenerator) {
  const Generator g = detail::createCPUGenerator(0);
  manual_seed(1);
  const auto before = detail::getDefaultCPUGenerator().get_state();
  EXPECT_FLOAT_EQ(rand({1}, g).item<float>(), 0.49625658988952637f);
  randn({3}, g);
  randint(5, {3}, g);
  randperm(5, g);
  zeros({3}).uniform_(0, 1, g).normal_(0, 1, g).bernoulli_(0.5, g).exponential_(1, g);
  EXPECT_EQ(detail::getDefaultCPUGenerator().get_state(), before);
}

TEST(RandomOps, NormalWithTensors) {
  manual_seed(0);
  const Tensor z = randn({4});
  manual_seed(0);
  const Tensor y = normal(tensor({1., 2., 3., 4.}), tensor({0., 0., 1., 2.}));
  EXPECT_EQ(y.array().data<float>()[0], 1);
  EXPECT_EQ(y.array().data<float>()[1], 2);
  EXPECT_FLOAT_EQ(y.array().data<float>()[3], 4 + 2 * z.array().data<float>()[3]);
  EXPECT_THROW(normal(0.0, tensor({1., -1.})), Error);
  EXPECT_EQ(normal(tensor({1., 2.})).numel(), 2);
  EXPECT_EQ(normal(5.0, zeros({3})).array().data<float>()[2], 5);
}

TEST(RandomOps, InPlaceAdvancesTheVersion) {
  const Tensor x = zeros({3});
  x.uniform_().normal_();
  EXPECT_EQ(x._version(), 2);
}

TEST(RandomOps, InPlaceEndsTheGradient) {
  const Tensor x = ones({3}, requires_grad());
  const Tensor y = x.clone();
  manual_seed(0);
  y.uniform_();
  EXPECT_FLOAT_EQ(y.array().data<float>()[0], 0.49625658988952637f);
  EXPECT_TRUE(y.requires_grad());
  y.sum().backward();
  EXPECT_TRUE(!x.grad().defined() || x.grad().sum().item<float>() == 0);
  EXPECT_THROW(x.uniform_(), Error);
  const NoGradGuard guard;
  x.uniform_();
}

TEST(RandomOps, InPlaceThroughAView) {
  const Tensor x = zeros({3, 4});
  manual_seed(0);
  x.select(1, 2).uniform_();
  EXPECT_FLOAT_EQ(x.array().data<float>()[2], 0.49625658988952637f);
  EXPECT_FLOAT_EQ(x.array().data<float>()[6], 0.76822179555892944f);
  EXPECT_EQ(x.array().data<float>()[3], 0);
}

}  // namespace
}  // namespace tapedeck
