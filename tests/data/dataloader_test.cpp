#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include <tapedeck/data/data.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/random.h>
#include "tests/support/arrays.h"
#include "tests/support/message_of.h"

namespace tapedeck::data {
namespace {

using namespace datasets;
using namespace transforms;
using samplers::RandomSampler;
using samplers::SequentialSampler;
using tapedeck::testing::message_of;
using tapedeck::testing::values;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Yields the indices that it is asked for.
struct Echo : public BatchDataset<Echo, std::vector<std::size_t>> {
  explicit Echo(std::size_t n) : n_(n) {}
  std::vector<std::size_t> get_batch(ArrayRef<std::size_t> indices) override {
    return indices.vec();
  }
  std::optional<std::size_t> size() const override { return n_; }
  std::size_t n_;
};

template <typename Loader>
std::vector<std::vector<std::size_t>> batches(Loader& loader) {
  std::vector<std::vector<std::size_t>> result;
  for (auto& batch : loader) result.push_back(batch);
  return result;
}

TEST(DataLoader, BatchesOfEveryKind) {
  using Batches = std::vector<std::vector<std::size_t>>;
  auto loader = make_data_loader<SequentialSampler>(Echo(5), 2);
  EXPECT_EQ(batches(*loader), (Batches{{0, 1}, {2, 3}, {4}}));
  EXPECT_EQ(batches(*loader), (Batches{{0, 1}, {2, 3}, {4}}));
  auto dropping = make_data_loader<SequentialSampler>(
      Echo(5), DataLoaderOptions().batch_size(2).drop_last(true));
  EXPECT_EQ(batches(*dropping), (Batches{{0, 1}, {2, 3}}));
  auto with_sampler = make_data_loader(Echo(5), SequentialSampler(3), DataLoaderOptions(2));
  EXPECT_EQ(batches(*with_sampler), (Batches{{0, 1}, {2}}));
  auto nothing = make_data_loader(Echo(0), 2);
  EXPECT_TRUE(batches(*nothing).empty());
  const auto loader_of = [](DataLoaderOptions options) {
    return message_of([&] { make_data_loader(Echo(5), options); });
  };
  EXPECT_THAT(loader_of(0), HasSubstr("positive batch_size"));
  EXPECT_THAT(loader_of(DataLoaderOptions(1).workers(2).max_jobs(0)),
              HasSubstr("positive max_jobs for 2 workers"));
}

// Behaviour B2: 600 batches of 100, the same with any number of workers.
TEST(BehaviourB2, SameBatchesWithAnyNumberOfWorkers) {
  std::vector<std::vector<std::vector<std::size_t>>> epochs;
  for (std::size_t workers : {0, 1, 2, 5}) {
    manual_seed(9);
    auto loader = make_data_loader<RandomSampler>(
        Echo(60000), DataLoaderOptions().batch_size(100).workers(workers));
    for (int epoch = 0; epoch < 2; ++epoch) epochs.push_back(batches(*loader));
    EXPECT_EQ(epochs.back().size(), 600u);
  }
  EXPECT_NE(epochs[0], epochs[1]);
  for (std::size_t i = 2; i < epochs.size(); ++i) EXPECT_EQ(epochs[i], epochs[i % 2]) << i;
}

TEST(BehaviourB2, RandomTransformsDoNotDependOnTheWorkersEither) {
  std::vector<std::vector<float>> results;
  for (std::size_t workers : {0, 1, 3}) {
    manual_seed(9);
    auto loader =
        make_data_loader<RandomSampler>(SyntheticDigits(100, 1)
                                            .map(RandomCrop<>(28, 28, 3))
                                            .map(RandomHorizontalFlip<>())
                                            .map(Normalize<>(0.13, 0.3))
                                            .map(Stack<>()),
                                        DataLoaderOptions().batch_size(7).workers(workers));
    std::vector<float> all;
    for (int epoch = 0; epoch < 2; ++epoch)
      for (Example<>& batch : *loader) {
        const std::vector<float> v = values<float>(batch.data.array());
        all.insert(all.end(), v.begin(), v.end());
      }
    results.push_back(all);
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

TEST(DataLoader, WithoutOrderEveryBatchComesOnce) {
  auto loader = make_data_loader<SequentialSampler>(
      Echo(100), DataLoaderOptions().batch_size(3).workers(4).enforce_ordering(false));
  for (int epoch = 0; epoch < 3; ++epoch) {
    std::set<std::size_t> seen;
    for (auto& batch : *loader) seen.insert(batch.begin(), batch.end());
    EXPECT_EQ(seen.size(), 100u);
  }
}

TEST(DataLoader, IteratorsBehaveAsLibtorchs) {
  for (std::size_t workers : {0, 2}) {
    auto loader = make_data_loader<SequentialSampler>(
        Echo(4), DataLoaderOptions().batch_size(2).workers(workers));
    auto i = loader->begin();
    EXPECT_THAT(*i, ElementsAre(0, 1));
    EXPECT_EQ(i->size(), 2u);
    EXPECT_TRUE(i == i);
    EXPECT_TRUE(i != loader->end());
    if (workers > 0) {
      EXPECT_THAT(message_of([&] { loader->begin(); }),
                  HasSubstr("while another iterator is not yet exhausted"));
    }
    ++i;
    EXPECT_THAT(*i, ElementsAre(2, 3));
    ++i;
    EXPECT_TRUE(i == loader->end());
    EXPECT_THAT(message_of([&] { ++i; }), HasSubstr("increment iterator past the end"));
    EXPECT_THAT(message_of([&] { *i; }), HasSubstr("dereference iterator that was past the end"));
    auto end = loader->end();
    EXPECT_THAT(message_of([&] { ++end; }), HasSubstr("past-the-end iterator is not allowed"));
    EXPECT_THAT(message_of([&] { *end; }), HasSubstr("past-the-end iterator is not allowed"));
    // An epoch that was left early is forgotten.
    for (auto& batch : *loader) {
      EXPECT_EQ(batch[0], 0u);
      break;
    }
    EXPECT_EQ(batches(*loader).size(), 2u);
    loader->join();
    EXPECT_THAT(message_of([&] { loader->begin(); }), HasSubstr("after join()"));
  }
}

// Fails for one index.
struct Failing : public Dataset<Failing, std::size_t> {
  std::size_t get(std::size_t i) override {
    if (i == 3) throw std::invalid_argument("no example 3");
    return i;
  }
  std::optional<std::size_t> size() const override { return 8; }
};

TEST(DataLoader, ExceptionsOfWorkersReachTheCaller) {
  auto loader =
      make_data_loader<SequentialSampler>(Failing(), DataLoaderOptions().batch_size(1).workers(2));
  for (int epoch = 0; epoch < 2; ++epoch) {
    std::size_t count = 0;
    try {
      for (auto& batch : *loader) {
        static_cast<void>(batch);
        ++count;
      }
      FAIL() << "no exception";
    } catch (const WorkerException& e) {
      EXPECT_STREQ(e.what(),
                   "Caught exception in DataLoader worker thread. Original message: no example 3");
      EXPECT_THROW(std::rethrow_exception(e.original_exception), std::invalid_argument);
    }
    EXPECT_EQ(count, 3u);
  }
  auto serial = make_data_loader<SequentialSampler>(Failing(), 1);
  EXPECT_THROW(for (auto& batch : *serial) static_cast<void>(batch), std::invalid_argument);
  // The loader goes while jobs are under way.
  auto left = make_data_loader<SequentialSampler>(Failing(), DataLoaderOptions(1).workers(3));
  left->begin();
}

// Example 1 is there when it is released, and not before.
struct Held : public Dataset<Held, std::size_t> {
  explicit Held(std::shared_future<void> until) : released(std::move(until)) {}
  std::size_t get(std::size_t i) override {
    if (i == 1) released.wait();
    return i;
  }
  std::optional<std::size_t> size() const override { return 4; }
  std::shared_future<void> released;
};

TEST(DataLoader, TimeoutIsAnErrorAndCanBeWaitedOut) {
  std::promise<void> release;
  auto loader = make_data_loader<SequentialSampler>(
      Held(release.get_future().share()),
      DataLoaderOptions().batch_size(1).workers(1).timeout(std::chrono::milliseconds(700)));
  auto i = loader->begin();
  EXPECT_EQ((*i)[0], 0u);
  EXPECT_EQ(message_of([&] { ++i; }),
            "Timeout in DataLoader queue while waiting for next batch (timeout was 700 ms)");
  release.set_value();
  ++i;
  EXPECT_EQ((*i)[0], 1u);
}

TEST(DataLoader, WorkersRunAtTheSameTime) {
  struct Meeting : public Dataset<Meeting, int> {
    int get(std::size_t) override {
      ++*arrived;
      for (int k = 0; k < 1000 && *arrived < 2; ++k)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      return *arrived;
    }
    std::optional<std::size_t> size() const override { return 2; }
    std::shared_ptr<std::atomic<int>> arrived = std::make_shared<std::atomic<int>>(0);
  };
  auto loader = make_data_loader<SequentialSampler>(Meeting(), DataLoaderOptions(1).workers(2));
  for (auto& batch : *loader) EXPECT_EQ(batch[0], 2);
}

// Counts down from n in each epoch, for all workers together.
struct Countdown : public StatefulDataset<Countdown, std::vector<std::size_t>> {
  explicit Countdown(std::size_t n) : n_(n) {}
  Countdown(Countdown&& other) noexcept : n_(other.n_) {}
  std::optional<std::vector<std::size_t>> get_batch(std::size_t size) override {
    const std::lock_guard lock(mutex_);
    if (left_ == 0) return std::nullopt;
    std::vector<std::size_t> batch;
    while (left_ > 0 && batch.size() < size) batch.push_back(left_--);
    return batch;
  }
  std::optional<std::size_t> size() const override { return n_; }
  void reset() override { left_ = n_; }
  void save(serialize::OutputArchive&) const override {}
  void load(serialize::InputArchive&) override {}

  std::size_t n_, left_ = 0;
  std::mutex mutex_;
};

TEST(DataLoader, StatefulDatasetsAreSharedAndEndTheEpoch) {
  for (std::size_t workers : {0, 1, 3}) {
    auto loader =
        make_data_loader(Countdown(10), DataLoaderOptions().batch_size(4).workers(workers));
    for (int epoch = 0; epoch < 2; ++epoch) {
      std::multiset<std::size_t> seen;
      for (auto& batch : *loader) seen.insert(batch.begin(), batch.end());
      EXPECT_EQ(seen.size(), 10u);
      EXPECT_EQ(*seen.rbegin(), 10u);
    }
  }
  auto mapped =
      make_data_loader(Countdown(3).map(BatchLambda<std::vector<std::size_t>, std::size_t>(
                           [](std::vector<std::size_t> batch) { return batch.size(); })),
                       2);
  std::vector<std::size_t> sizes;
  for (std::size_t size : *mapped) sizes.push_back(size);
  EXPECT_THAT(sizes, ElementsAre(2, 1));
}

TEST(DataLoader, StreamsAndSharedDatasets) {
  struct Stream : public StreamDataset<Stream, std::size_t> {
    std::size_t get_batch(std::size_t size) override { return size; }
    std::optional<std::size_t> size() const override { return std::nullopt; }
  };
  auto stream = make_data_loader(Stream(), samplers::StreamSampler(7), DataLoaderOptions(3));
  std::vector<std::size_t> sizes;
  for (std::size_t size : *stream) sizes.push_back(size);
  EXPECT_THAT(sizes, ElementsAre(3, 3, 1));
  auto shared = make_shared_dataset<Echo>(5);
  auto loader = make_data_loader<SequentialSampler>(shared, DataLoaderOptions(2).workers(2));
  EXPECT_EQ(batches(*loader).size(), 3u);
  EXPECT_EQ(shared->n_, 5u);
}

}  // namespace
}  // namespace tapedeck::data
