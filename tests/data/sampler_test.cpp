#include <algorithm>
#include <set>
#include <sstream>

#include <tapedeck/data/data.h>
#include <tapedeck/serialize/save.h>
#include "tests/support/arrays.h"
#include "tests/support/message_of.h"

namespace tapedeck::data::samplers {
namespace {

using tapedeck::testing::message_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <typename Sampler>
std::vector<std::size_t> all(Sampler& sampler, std::size_t batch_size = 4) {
  std::vector<std::size_t> indices;
  while (auto batch = sampler.next(batch_size))
    indices.insert(indices.end(), batch->begin(), batch->end());
  return indices;
}

// libtorch 1.13.1's orders for manual_seed(3).
TEST(RandomSampler, EqualsLibtorchs) {
  manual_seed(3);
  RandomSampler sampler(10);
  sampler.reset();
  EXPECT_THAT(all(sampler), ElementsAre(9, 8, 5, 3, 0, 6, 7, 2, 1, 4));
  EXPECT_EQ(sampler.next(1), std::nullopt);
  sampler.reset();
  EXPECT_THAT(all(sampler, 100), ElementsAre(0, 9, 6, 1, 7, 2, 5, 3, 4, 8));
  sampler.reset(3);
  EXPECT_EQ(all(sampler).size(), 3u);
}

TEST(SequentialSampler, InOrder) {
  SequentialSampler sampler(5);
  EXPECT_THAT(sampler.next(2), ::testing::Optional(ElementsAre(0, 1)));
  EXPECT_EQ(sampler.index(), 2u);
  EXPECT_THAT(all(sampler), ElementsAre(2, 3, 4));
  sampler.reset(2);
  EXPECT_THAT(all(sampler), ElementsAre(0, 1));
}

TEST(StreamSampler, CountsAnEpoch) {
  StreamSampler sampler(5);
  EXPECT_EQ(sampler.next(3)->size(), 3u);
  EXPECT_EQ(sampler.next(3)->size(), 2u);
  EXPECT_EQ(sampler.next(3), std::nullopt);
  sampler.reset();
  EXPECT_EQ(static_cast<std::size_t>(*sampler.next(9)), 5u);
}

TEST(DistributedSampler, EqualsLibtorchs) {
  const auto shares = [](auto make) {
    std::vector<std::vector<std::size_t>> result;
    for (std::size_t rank = 0; rank < 3; ++rank) {
      auto sampler = make(rank);
      result.push_back(all(sampler));
    }
    return result;
  };
  using Shares = std::vector<std::vector<std::size_t>>;
  EXPECT_EQ(shares([](std::size_t rank) {
              DistributedRandomSampler sampler(10, 3, rank);
              sampler.set_epoch(2);
              sampler.reset();
              return sampler;
            }),
            (Shares{{5, 0, 3, 1}, {8, 1, 6, 2}, {7, 9, 0, 4}}));
  EXPECT_EQ(shares([](std::size_t rank) { return DistributedRandomSampler(10, 3, rank, false); }),
            (Shares{{2, 4, 6}, {0, 5, 1}, {8, 3, 7}}));
  EXPECT_EQ(shares([](std::size_t rank) { return DistributedSequentialSampler(10, 3, rank); }),
            (Shares{{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9, 0, 1}}));
  EXPECT_EQ(
      shares([](std::size_t rank) { return DistributedSequentialSampler(10, 3, rank, false); }),
      (Shares{{0, 1, 2}, {3, 4, 5}, {6, 7, 8}}));
  EXPECT_THAT(message_of([] { DistributedSequentialSampler sampler(10, 3, 3); }),
              HasSubstr("expected a rank below num_replicas, got rank 3 of 3"));
}

TEST(WeightedRandomSampler, FollowsTheWeights) {
  manual_seed(1);
  WeightedRandomSampler sampler({0, 1, 0, 3}, 1000);
  const std::vector<std::size_t> drawn = all(sampler, 64);
  EXPECT_EQ(drawn.size(), 1000u);
  EXPECT_NEAR(static_cast<double>(std::count(drawn.begin(), drawn.end(), 3u)), 750, 60);
  EXPECT_EQ(std::count(drawn.begin(), drawn.end(), 0u), 0);
  WeightedRandomSampler without({1, 2, 3}, 3, /*replacement=*/false);
  const std::vector<std::size_t> order = all(without);
  EXPECT_EQ(std::set<std::size_t>(order.begin(), order.end()).size(), 3u);
}

TEST(Samplers, ContinueAfterSaveAndLoad) {
  const auto check = [](auto a, auto b) {
    a.next(3);
    std::stringstream stream;
    save(a, stream);
    load(b, stream);
    EXPECT_EQ(all(a), all(b));
  };
  check(RandomSampler(10), RandomSampler(10));
  check(SequentialSampler(10), SequentialSampler(10));
  check(WeightedRandomSampler({1, 2, 3}, 10), WeightedRandomSampler({1, 2, 3}, 10));
  check(DistributedSequentialSampler(10, 2, 1), DistributedSequentialSampler(10, 2, 1));
  DistributedRandomSampler shuffled(10, 2, 1);
  shuffled.set_epoch(5);
  shuffled.reset();
  check(shuffled, DistributedRandomSampler(10, 2, 1));

  RandomSampler sampler(4);
  const std::size_t before = sampler.index();
  std::stringstream stream;
  save(Variable(testing::array_of<float>({1}, {1})), stream);
  EXPECT_NE(message_of([&] { load(sampler, stream); }), "no error");
  EXPECT_EQ(sampler.index(), before);
}

}  // namespace
}  // namespace tapedeck::data::samplers
