// Datasets, transforms, and the stacked batches that are made at once.
#include <set>

#include <tapedeck/data/data.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/random.h>
#include "tests/support/arrays.h"
#include "tests/support/message_of.h"

namespace tapedeck::data {
namespace {

using namespace datasets;
using namespace transforms;
using tapedeck::testing::message_of;
using tapedeck::testing::values;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Indices = std::vector<std::size_t>;

void expect_equal(const Variable& a, const Variable& b) {
  ASSERT_EQ(a.dtype(), b.dtype());
  ASSERT_EQ(a.sizes().vec(), b.sizes().vec());
  if (a.dtype() == kFloat32)
    EXPECT_EQ(values<float>(a.array()), values<float>(b.array()));
  else
    EXPECT_EQ(values<std::int64_t>(a.array()), values<std::int64_t>(b.array()));
}

// Ten examples i -> (i, i^2), one by one.
struct Squares : public Dataset<Squares> {
  Example<> get(std::size_t i) override {
    const auto x = static_cast<std::int64_t>(i);
    return {full({2}, x, kInt64), full({}, x * x, kInt64)};
  }
  std::optional<std::size_t> size() const override { return 10; }
};

TEST(Dataset, BatchesAndTransforms) {
  Squares squares;
  EXPECT_EQ(squares.get_batch(Indices{3, 5}).size(), 2u);
  auto stacked = squares.map(Stack<>());
  const Example<> batch = stacked.get_batch(Indices{3, 5});
  EXPECT_THAT(values<std::int64_t>(batch.data.array()), ElementsAre(3, 3, 5, 5));
  EXPECT_THAT(values<std::int64_t>(batch.target.array()), ElementsAre(9, 25));
  auto mapped =
      Squares()
          .map(TensorLambda<>([](Tensor t) { return t + 1; }))
          .map(Lambda<Example<>>([](Example<> e) { return Example<>(e.data, e.target * 2); }))
          .map(Collate<Example<>>([](std::vector<Example<>> all) { return all.back(); }));
  EXPECT_EQ(mapped.get_batch(Indices{1, 2}).data.sizes().vec(), (std::vector<std::int64_t>{2}));
  EXPECT_EQ(mapped.get_batch(Indices{1, 2}).target.item<std::int64_t>(), 8);
  EXPECT_EQ(mapped.size(), 10u);
  auto counted = Squares().map(BatchLambda<std::vector<Example<>>, std::size_t>(
      [](std::vector<Example<>> all) { return all.size(); }));
  EXPECT_EQ(counted.get_batch(Indices{1, 2, 4}), 3u);
}

TEST(TensorDataset, PartsOfATensor) {
  manual_seed(1);
  const Tensor t = randn({6, 2, 3});
  TensorDataset dataset(t);
  EXPECT_EQ(dataset.size(), 6u);
  Tensor part = dataset.get(4);
  expect_equal(part, t[4]);
  expect_equal(TensorDataset(std::vector<Tensor>{t[0], t[2]}).tensor[1], t[2]);
  EXPECT_THAT(message_of([&] { dataset.get(6); }), HasSubstr("index 6 of 6 examples"));
  // Made at once, for any layout and dtype.
  for (const Tensor& tensor : {t, t.transpose(0, 1), t.to(kInt64), t.slice(0, 0, 6, 2)}) {
    TensorDataset source(tensor);
    auto stacked = source.map(Stack<TensorExample>());
    const Indices indices{1, 0, 1};
    expect_equal(stacked.get_batch(indices).data,
                 Stack<TensorExample>().apply_batch(source.get_batch(indices)).data);
  }
  EXPECT_THAT(message_of([&] { dataset.map(Stack<TensorExample>()).get_batch(Indices{9}); }),
              HasSubstr("index 9 of 6"));
  TensorPairDataset pairs(t, arange(6));
  EXPECT_THAT(values<std::int64_t>(pairs.map(Stack<>()).get_batch(Indices{5, 2}).target.array()),
              ElementsAre(5, 2));
  EXPECT_THAT(message_of([&] { TensorPairDataset bad(t, arange(5)); }),
              HasSubstr("equal first size"));
}

TEST(Stacked, ImagesAtOnceEqualImagesOneByOne) {
  SyntheticDigits digits(50, 3);
  const Indices indices{7, 0, 49, 7};
  const auto one_by_one = [&](auto transform) {
    return Stack<>().apply_batch(transform.apply_batch(digits.get_batch(indices)));
  };
  static_assert(StackedDataset<MapDataset<SyntheticDigits, Normalize<>>>);
  static_assert(!StackedDataset<MapDataset<SyntheticDigits, TensorLambda<>>>);
  static_assert(!StackedDataset<Squares>);
  for (const Normalize<>& transform : {Normalize<>(0.1307, 0.3081), Normalize<>({0.5}, {0.25})}) {
    const Example<> a = digits.map(transform).map(Stack<>()).get_batch(indices);
    const Example<> b = one_by_one(transform);
    expect_equal(a.data, b.data);
    expect_equal(a.target, b.target);
  }
  // Images that somebody else holds are not written to.
  TensorDataset shared(digits.images());
  const std::vector<float> before = values<float>(digits.images().array());
  shared.map(Normalize<example::NoTarget>(0.5, 0.5)).map(Stack<TensorExample>()).get_batch(indices);
  EXPECT_EQ(values<float>(digits.images().array()), before);
  // A class that overrides get() is asked.
  struct Inverted : SyntheticDigits {
    using SyntheticDigits::SyntheticDigits;
    Example<> get(std::size_t i) override {
      Example<> e = SyntheticDigits::get(i);
      return {1 - e.data, e.target};
    }
  };
  auto inverted = datasets::map(Inverted(5, 3), Stack<>());
  expect_equal(inverted.get_batch(Indices{2}).data[0], 1 - digits.get(2).data);
}

TEST(Normalize, ChannelsAndOtherDtypes) {
  const Tensor images = rand({2, 3, 4, 5});
  Normalize<> transform({0.1, 0.2, 0.3}, {1, 2, 4});
  const Tensor expected = images.sub(transform.mean).div(transform.stddev);
  expect_equal(transform(images[0]), expected[0]);
  expect_equal(transform.apply_stacked(images.clone()), expected);
  EXPECT_EQ(transform(images[0].to(kFloat64)).dtype(), kFloat64);
}

TEST(RandomTransforms, CropsAndFlips) {
  manual_seed(2);
  const Tensor image = arange(2 * 5 * 7, kFloat32).reshape({2, 5, 7});
  std::set<std::vector<float>> seen;
  for (int i = 0; i < 60; ++i) {
    const Tensor crop = RandomCrop<>(3, 4, 0)(image);
    ASSERT_EQ(crop.sizes().vec(), (std::vector<std::int64_t>{2, 3, 4}));
    // A window: rows continue, and the second channel lies 35 behind.
    const auto v = values<float>(crop.array());
    EXPECT_EQ(v[1], v[0] + 1);
    EXPECT_EQ(v[4], v[0] + 7);
    EXPECT_EQ(v[12], v[0] + 35);
    seen.insert(v);
  }
  EXPECT_EQ(seen.size(), 12u);
  const Tensor padded = RandomCrop<>(9, 9, 2)(image.slice(1, 0, 5));
  EXPECT_EQ(padded.sizes().vec(), (std::vector<std::int64_t>{2, 9, 9}));
  EXPECT_THAT(message_of([&] { RandomCrop<>(6)(image); }),
              HasSubstr("a window of 6 x 6 does not fit into images of 5 x 7 with padding 0"));

  expect_equal(RandomHorizontalFlip<>(0)(image), image);
  expect_equal(RandomHorizontalFlip<>(1)(image), image.flip(2));
  int flips = 0;
  for (int i = 0; i < 400; ++i) flips += RandomHorizontalFlip<>()(image).data_ptr<float>()[0] != 0;
  EXPECT_NEAR(flips, 200, 50);
}

TEST(Subset, SplitsAndConcatenations) {
  manual_seed(4);
  auto parts = random_split(SyntheticDigits(10, 1), {7, 3});
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[1].size(), 3u);
  std::set<std::size_t> together(parts[0].indices().begin(), parts[0].indices().end());
  together.insert(parts[1].indices().begin(), parts[1].indices().end());
  EXPECT_EQ(together.size(), 10u);
  manual_seed(4);
  const Tensor order = randperm(10);
  EXPECT_EQ(parts[1].indices()[0], static_cast<std::size_t>(order[7].item<std::int64_t>()));
  SyntheticDigits whole(10, 1);
  expect_equal(parts[1].map(Stack<>()).get_batch(Indices{2}).data[0],
               whole.get(parts[1].indices()[2]).data);
  EXPECT_THAT(message_of([&] { parts[1].get(3); }), HasSubstr("Subset: index 3 of 3"));
  EXPECT_THAT(message_of([] {
                random_split(SyntheticDigits(10, 1), {7, 4});
              }),
              HasSubstr("the lengths sum up to 11, the dataset has 10"));

  ConcatDataset<SyntheticDigits> both({SyntheticDigits(4, 1), SyntheticDigits(6, 2)});
  EXPECT_EQ(both.size(), 10u);
  expect_equal(both.get(3).data, SyntheticDigits(4, 1).get(3).data);
  expect_equal(both.get(4).data, SyntheticDigits(6, 2).get(0).data);
  EXPECT_EQ(both.get_batch(Indices{0, 9}).size(), 2u);
  EXPECT_THAT(message_of([&] { both.get(10); }), HasSubstr("index 10 of 10"));
}

}  // namespace
}  // namespace tapedeck::data
