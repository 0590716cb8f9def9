// Golden numbers are libtorch 1.13.1's for torch::manual_seed(0);
// tests/libtorch/random_numbers_test.cpp compares many more.
#include <tapedeck/ops/kernels/random.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tests/support/compare.h>

namespace tapedeck::kernels {
namespace {

template <typename T>
std::vector<T> values(const Array& a) {
  return {a.data<T>(), a.data<T>() + a.numel()};
}

// What `fill` makes of `size` elements from seed 0.
template <typename T, typename Fill>
std::vector<T> filled(std::int64_t size, Fill fill) {
  manual_seed(0);
  const Array a = Array::empty({size}, dtype_of<T>);
  fill(a);
  return values<T>(a);
}

TEST(Uniform, GivesPyTorchsNumbers) {
  EXPECT_EQ(filled<float>(5, [](const Array& a) { uniform(a, 0, 1); }),
            (std::vector<float>{0.49625658988952637f, 0.76822179555892944f, 0.088477432727813721f,
                                0.13203048706054688f, 0.30742281675338745f}));
  EXPECT_EQ(filled<double>(3, [](const Array& a) { uniform(a, 0, 1); }),
            (std::vector<double>{0.97005300180655307, 0.70781986439978795, 0.45938294312745087}));
  const auto wide = filled<float>(4, [](const Array& a) { uniform(a, -2, 3); });
  const float expected[] = {0.48128294944763184f, 1.841109037399292f, -1.5576128959655762f,
                            -1.3398475646972656f};
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(wide[i], expected[i], 3e-7) << i;
}

TEST(Uniform, FollowsTheOrderOfMemory) {
  manual_seed(0);
  const Array a = Array::empty({2, 3}, kFloat);
  uniform(a.transpose(0, 1), 0, 1);
  EXPECT_EQ(values<float>(a), filled<float>(6, [](const Array& b) { uniform(b, 0, 1); }));
}

TEST(Uniform, WritesNothingBesideAView) {
  const Array a = Array::empty({40, 3}, kFloat);
  std::fill_n(a.data<float>(), 120, -1.0f);
  manual_seed(0);
  uniform(a.select(1, 1), 0, 1);
  const auto expected = filled<float>(40, [](const Array& b) { uniform(b, 0, 1); });
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(a.data<float>()[3 * i], -1.0f);
    EXPECT_EQ(a.data<float>()[3 * i + 1], expected[i]);
    EXPECT_EQ(a.data<float>()[3 * i + 2], -1.0f);
  }
}

TEST(Normal, GivesPyTorchsNumbers) {
  const auto few = filled<float>(5, [](const Array& a) { normal(a, 0, 1); });
  EXPECT_THAT(few,
              testing::Pointwise(testing::FloatNear(1e-6f),
                                 {1.5409960746765137f, -0.29342889785766602f, -2.1787893772125244f,
                                  0.56843125820159912f, -1.0845223665237427f}));
  const auto few_doubles = filled<double>(5, [](const Array& a) { normal(a, 0, 1); });
  EXPECT_THAT(few_doubles,
              testing::Pointwise(testing::DoubleNear(1e-14),
                                 {1.5409961082440433, -0.29342890576094638, -2.1787893820745574,
                                  0.56843127728066778, -1.0845223424240209}));
}

TEST(Normal, GivesPyTorchsNumbersInBlocksOfSixteen) {
  const float expected[] = {-1.1258398294448853f,  -1.152360200881958f,  0.5666506290435791f,
                            0.79350835084915161f,  0.59883946180343628f, -1.5550950765609741f,
                            -0.34136039018630981f, 1.85300612449646f,    0.46809640526771545f,
                            -0.15771244466304779f, -0.1733967512845993f, 0.18347793817520142f,
                            1.3893661499023438f,   1.586334228515625f,   0.94629836082458496f,
                            -0.84367674589157104f, 0.93182659149169922f, 1.2590092420578003f};
  const auto got = filled<float>(18, [](const Array& a) { normal(a, 0, 1); });
  EXPECT_THAT(got, testing::Pointwise(testing::FloatNear(1e-6f), expected));
  const auto doubles = filled<double>(17, [](const Array& a) { normal(a, 0, 1); });
  EXPECT_NEAR(doubles[0], -2.310411800234176, 1e-14);
  EXPECT_NEAR(doubles[1], -0.63327460886750964, 1e-14);
  EXPECT_NEAR(doubles[16], 0.67485754359400385, 1e-14);
}

TEST(Normal, HasItsMoments) {
  const auto got = filled<float>(100000, [](const Array& a) { normal(a, 3, 0.5); });
  double sum = 0, squares = 0;
  for (const float v : got) sum += v, squares += (v - 3.0) * (v - 3.0);
  EXPECT_NEAR(sum / 100000, 3, 0.01);
  EXPECT_NEAR(squares / 100000, 0.25, 0.005);
}

TEST(Bernoulli, GivesPyTorchsNumbers) {
  EXPECT_EQ(filled<float>(12, [](const Array& a) { bernoulli(a, 0.3); }),
            (std::vector<float>{0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1}));
  const Array p = Array::empty({1}, kFloat);
  *p.data<float>() = 0.3f;
  EXPECT_EQ(filled<float>(12, [&](const Array& a) { bernoulli(a, p); }),
            (std::vector<float>{0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(RandomIntegers, GivePyTorchsNumbers) {
  EXPECT_EQ(filled<std::int64_t>(10, [](const Array& a) { random_from_to(a, 0, 10); }),
            (std::vector<std::int64_t>{4, 9, 3, 0, 3, 9, 7, 3, 7, 3}));
  EXPECT_EQ(
      filled<std::int64_t>(3, [](const Array& a) { random_from_to(a, 0, std::int64_t{1} << 40); }),
      (std::vector<std::int64_t>{741280623151, 506137267392, 291447657211}));
  EXPECT_EQ(
      filled<std::int64_t>(3, [](const Array& a) { random(a); }),
      (std::vector<std::int64_t>{900450186894289455, 3969543146641149120, 1895649597198586619}));
  EXPECT_EQ(filled<float>(3, [](const Array& a) { random(a); }),
            (std::vector<float>{8325664, 12888472, 1484222}));
  EXPECT_EQ(filled<std::int64_t>(10, [](const Array& a) { randperm(a); }),
            (std::vector<std::int64_t>{4, 1, 7, 5, 3, 9, 0, 8, 6, 2}));
}

TEST(OtherDistributions, GivePyTorchsNumbers) {
  const auto exponentials = filled<float>(3, [](const Array& a) { exponential(a, 2); });
  EXPECT_FLOAT_EQ(exponentials[0], 1.7541631460189819f);
  EXPECT_FLOAT_EQ(exponentials[2], 0.30752205848693848f);
  EXPECT_EQ(filled<float>(8, [](const Array& a) { geometric(a, 0.3); }),
            (std::vector<float>{1, 1, 3, 1, 2, 1, 5, 3}));
  const auto cauchys = filled<double>(3, [](const Array& a) { cauchy(a, 0, 1); });
  EXPECT_NEAR(cauchys[0], 10.597729326682297, 1e-12);
  EXPECT_NEAR(cauchys[2], -0.12829934208317406, 1e-14);
  const auto log_normals = filled<double>(3, [](const Array& a) { log_normal(a, 1, 2); });
  EXPECT_NEAR(log_normals[0], 59.263417880107518, 1e-12);
  EXPECT_NEAR(log_normals[2], 0.034819463096904937, 1e-15);
}

Array weights() {
  const Array w = Array::empty({2, 4}, kFloat);
  const float numbers[] = {1, 2, 3, 4, 0, 0, 1, 1};
  std::copy(numbers, numbers + 8, w.data<float>());
  return w;
}

TEST(Multinomial, GivesPyTorchsNumbers) {
  using Ints = std::vector<std::int64_t>;
  manual_seed(0);
  EXPECT_EQ(values<std::int64_t>(multinomial(weights().select(0, 0), 10, true)),
            (Ints{3, 3, 2, 3, 3, 3, 1, 2, 2, 1}));
  manual_seed(0);
  EXPECT_EQ(values<std::int64_t>(multinomial(weights().select(0, 0), 4, false)),
            (Ints{2, 1, 3, 0}));
  manual_seed(0);
  const Array both = multinomial(weights(), 2, false);
  EXPECT_EQ(both.sizes(), (DimVector{2, 2}));
  EXPECT_EQ(values<std::int64_t>(both), (Ints{2, 1, 2, 3}));
}

TEST(Multinomial, RefusesWhatIsNoDistribution) {
  const Array w = weights();
  EXPECT_EQ(testing_support::error_of<Error>([&] { multinomial(w, 0, true); }),
            "multinomial: cannot sample n_sample <= 0 samples, got 0");
  EXPECT_EQ(testing_support::error_of<Error>([&] { multinomial(w, 5, false); }),
            "multinomial: cannot sample 5 samples without replacement from 4 categories");
  w.data<float>()[1] = -1;
  EXPECT_EQ(testing_support::error_of<Error>([&] { multinomial(w, 1, true); }),
            "multinomial: probability tensor contains either inf, nan or element < 0 (-1 at "
            "category 1)");
  std::fill_n(w.data<float>(), 8, 0.0f);
  EXPECT_EQ(testing_support::error_of<Error>([&] { multinomial(w, 1, false); }),
            "multinomial: invalid multinomial distribution (sum of probabilities <= 0) in row 0");
}

TEST(RandomFills, TakeAGenerator) {
  const Generator g = detail::createCPUGenerator(0);
  manual_seed(99);
  const Array a = Array::empty({3}, kFloat);
  uniform(a, 0, 1, g);
  EXPECT_EQ(a.data<float>()[0], 0.49625658988952637f);
  EXPECT_EQ(detail::getDefaultCPUGenerator().get_state(),
            detail::createCPUGenerator(99).get_state());
}

TEST(RandomFills, RefuseBadArguments) {
  const Array a = Array::empty({3}, kFloat);
  const Array ints = Array::empty({3}, kLong);
  const Array bytes = Array::empty({3}, kByte);
  EXPECT_EQ(testing_support::error_of<Error>([&] { uniform(a, 1, 0); }),
            "uniform_ expects to return a [from, to) range, but found from=1 > to=0");
  EXPECT_EQ(testing_support::error_of<TypeError>([&] { uniform(ints, 0, 1); }),
            "uniform_: not implemented for dtype Long");
  EXPECT_EQ(testing_support::error_of<Error>([&] { normal(a, 0, -1); }),
            "normal expects std >= 0.0, but found std -1");
  EXPECT_EQ(testing_support::error_of<Error>([&] { bernoulli(a, 1.5); }),
            "bernoulli_ expects p to be in [0, 1], but got p=1.5");
  EXPECT_EQ(testing_support::error_of<Error>([&] { geometric(a, 1.0); }),
            "geometric_ expects p to be in (0, 1), but got p=1");
  EXPECT_EQ(testing_support::error_of<Error>([&] { exponential(a, -1.0); }),
            "exponential_ expects lambda >= 0.0, but found lambda=-1");
  EXPECT_EQ(testing_support::error_of<Error>([&] { random_from_to(ints, 3, 3); }),
            "random_ expects 'from' to be less than 'to', but got from=3 >= to=3");
  EXPECT_EQ(testing_support::error_of<Error>([&] { random_from_to(bytes, 0, 300); }),
            "random_: to - 1 = 299 is out of bounds for Byte");
  EXPECT_EQ(testing_support::error_of<Error>([&] { randperm(Array::empty({300}, kByte)); }),
            "randperm: n = 300 is more than Byte holds");
  EXPECT_THAT(testing_support::error_of<Error>([&] {
                uniform(a.view({3, 1}).expand({3, 2}), 0, 1);
              }),
              testing::HasSubstr("uniform_: more than one element of the written-to tensor"));
}

TEST(RandomFills, OfNothing) {
  const Array none = Array::empty({0, 3}, kFloat);
  manual_seed(1);
  uniform(none, 0, 1);
  normal(none, 0, 1);
  bernoulli(none, 0.5);
  EXPECT_EQ(detail::getDefaultCPUGenerator().get_state(),
            detail::createCPUGenerator(1).get_state());
}

}  // namespace
}  // namespace tapedeck::kernels
