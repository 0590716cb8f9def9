#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include <tapedeck/ops/kernels/weight_pieces.h>

namespace tapedeck::kernels {
namespace {

using I64 = std::int64_t;

WeightWork work_of(I64 steps, I64 groups, I64 filters) {
  return {steps, groups, filters, 16, 448 * 64 * 9, 500 * 64, 64 * 9, 64 * 9, 4};
}

TEST(WeightPieces, SmallWorkIsOnePiece) {
  const WeightPieces p(WeightWork{4, 1, 10, 16, 30, 10, 9, 9, 4});
  EXPECT_EQ(p.run, 4);
  EXPECT_EQ(p.runs, 1);
  EXPECT_EQ(p.range, 16);
  EXPECT_EQ(p.ranges, 1);
}

TEST(WeightPieces, EmptyWorkIsOnePiece) {
  for (const WeightPieces& p : {WeightPieces(work_of(0, 1, 64)), WeightPieces(work_of(5, 1, 0))}) {
    EXPECT_EQ(p.runs * p.ranges, 1);
    EXPECT_GT(p.run, 0);
    EXPECT_GT(p.range, 0);
  }
}

TEST(WeightPieces, ManyStepsAreRunsAndOneStepIsRangesOfFilters) {
  const WeightPieces batch(work_of(64, 1, 64)), image(work_of(1, 1, 512));
  EXPECT_GE(batch.runs, 4);
  EXPECT_EQ(batch.ranges, 1);
  EXPECT_EQ(image.runs, 1);
  EXPECT_GE(image.ranges, 4);
}

TEST(WeightPieces, ManyGroupsAreNotCut) {
  const WeightPieces p(work_of(64, 32, 8));
  EXPECT_EQ(p.runs * p.ranges, 1);
}

TEST(WeightPieces, PartialSumsStayWithinTheirLimit) {
  WeightWork work = work_of(64, 1, 512);
  work.sums = work.kept = 1 << 14;
  EXPECT_EQ(WeightPieces(work).runs, 1);
}

TEST(WeightPieces, CoverTheWork) {
  std::mt19937 generator(5);
  const auto pick = [&](I64 low, I64 high) {
    return std::uniform_int_distribution<I64>(low, high)(generator);
  };
  for (int i = 0; i < 500; ++i) {
    const WeightWork work{pick(1, 100),        pick(1, 5),       pick(1, 600),
                          pick(0, 1) ? 8 : 16, pick(1, 1 << 16), pick(0, 1 << 14),
                          pick(1, 1 << 13),    pick(1, 1 << 13), 4};
    const WeightPieces p(work);
    EXPECT_EQ(p.runs, (work.steps + p.run - 1) / p.run);
    EXPECT_EQ(p.ranges, (work.filters + p.range - 1) / p.range);
    EXPECT_EQ(p.range % work.lanes, 0);
    EXPECT_LE(p.runs * p.ranges * work.groups, std::max<I64>(32, work.groups));
  }
}

}  // namespace
}  // namespace tapedeck::kernels
