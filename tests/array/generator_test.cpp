#include <tapedeck/array/generator.h>

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tapedeck/array/error.h>

namespace tapedeck {
namespace {

TEST(MersenneTwister, GivesTheStandardSequence) {
  mt19937 ours(42);
  std::mt19937 standard(42);
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(ours(), standard()) << i;
}

TEST(MersenneTwister, UsesTheLowHalfOfTheSeed) {
  mt19937 ours((std::uint64_t{1} << 40) + 5);
  EXPECT_EQ(ours(), 953453411u);  // from libtorch 1.13.1
  EXPECT_EQ(ours.seed(), (std::uint64_t{1} << 40) + 5);
}

TEST(MersenneTwister, FillIsRepeatedDrawing) {
  mt19937 one(7), many(7);
  for (const int count : {1, 623, 1, 2, 624, 625, 1300, 0, 5}) {
    std::vector<std::uint32_t> expected(count), got(count);
    for (auto& v : expected) v = one();
    many.fill(got.data(), count);
    ASSERT_EQ(got, expected) << count;
    ASSERT_EQ(many(), one());
  }
}

TEST(Generator, IsAHandle) {
  EXPECT_FALSE(Generator().defined());
  const Generator a = detail::createCPUGenerator(3);
  const Generator b = a;
  EXPECT_TRUE(a.defined());
  EXPECT_EQ(a, b);
  EXPECT_FALSE(a == a.clone());
  EXPECT_EQ(a.current_seed(), 3u);
  EXPECT_EQ(detail::createCPUGenerator().current_seed(), 67280421310721u);
  EXPECT_EQ(make_generator<CPUGeneratorImpl>(8u).current_seed(), 8u);
  const auto first = a.get()->random();
  EXPECT_NE(b.get()->random(), first);
  EXPECT_TRUE(a.device().is_cpu());
}

TEST(Generator, PutsTheFirstNumberIntoTheUpperHalf) {
  Generator a = detail::createCPUGenerator(1), b = detail::createCPUGenerator(1);
  const std::uint64_t high = a.get()->random(), low = a.get()->random();
  EXPECT_EQ(b.get()->random64(), high << 32 | low);
}

TEST(Generator, CloneContinues) {
  Generator a = detail::createCPUGenerator(11);
  for (int i = 0; i < 700; ++i) a.get()->random();
  a.get()->set_next_double_normal_sample(0.25);
  Generator b = a.clone();
  EXPECT_EQ(b.get()->next_double_normal_sample(), 0.25);
  for (int i = 0; i < 700; ++i) ASSERT_EQ(a.get()->random(), b.get()->random());
}

TEST(Generator, StateRoundTrips) {
  Generator a = detail::createCPUGenerator(11);
  for (int i = 0; i < 100; ++i) a.get()->random();
  a.get()->set_next_float_normal_sample(1.5f);
  const auto state = a.get_state();
  EXPECT_EQ(state.size(), 5056u);
  Generator b = detail::createCPUGenerator(0);
  b.set_state(state);
  EXPECT_EQ(b.get_state(), state);
  EXPECT_EQ(b.current_seed(), 11u);
  EXPECT_EQ(b.get()->next_float_normal_sample(), 1.5f);
  EXPECT_EQ(b.get()->next_double_normal_sample(), std::nullopt);
  for (int i = 0; i < 700; ++i) ASSERT_EQ(a.get()->random(), b.get()->random());
}

std::string message_of(Generator& generator, const std::vector<std::uint8_t>& state) {
  try {
    generator.set_state(state);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Generator, RefusesForeignStates) {
  Generator a = detail::createCPUGenerator(11);
  const auto before = a.get_state();
  EXPECT_EQ(message_of(a, std::vector<std::uint8_t>(17)),
            "set_state: expected a generator state of 5056 bytes, got 17");
  EXPECT_EQ(message_of(a, std::vector<std::uint8_t>(5056)), "set_state: invalid mt19937 state");
  auto beyond = before;
  beyond[16] = 200;  // reads on at word 200 with 624 numbers left
  beyond[8] = 0x70;
  beyond[9] = 0x02;
  EXPECT_EQ(message_of(a, beyond), "set_state: invalid mt19937 state");
  EXPECT_EQ(a.get_state(), before);
}

TEST(Generator, ManualSeedStartsTheDefaultOneAnew) {
  const Generator& g = detail::getDefaultCPUGenerator();
  manual_seed(5);
  EXPECT_EQ(g.current_seed(), 5u);
  const auto first = g.get()->random();
  g.get()->set_next_double_normal_sample(1.0);
  manual_seed(5);
  EXPECT_EQ(g.get()->next_double_normal_sample(), std::nullopt);
  EXPECT_EQ(g.get()->random(), first);
}

TEST(Generator, SeedIsFromTheSystem) {
  Generator a = detail::createCPUGenerator(), b = detail::createCPUGenerator();
  const auto seed = a.seed();
  EXPECT_EQ(a.current_seed(), seed);
  EXPECT_NE(b.seed(), seed);
}

}  // namespace
}  // namespace tapedeck
