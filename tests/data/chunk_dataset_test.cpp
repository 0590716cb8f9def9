#include <tapedeck/data/chunk_dataset.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tapedeck/tapedeck.h>

#include <tests/support/message_of.h>
#include <tests/support/temporary_folder.h>

namespace tapedeck {
namespace {

using data::datasets::ChunkDataset;
using data::datasets::ChunkDatasetOptions;
using data::samplers::RandomSampler;
using data::samplers::SequentialSampler;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;

// Chunks of 4, 1, 0 and 6 numbers that count from 0 to 10.
struct Numbers : data::datasets::ChunkDataReader<int> {
  using BatchType = ChunkType;
  std::vector<int> read_chunk(std::size_t index) override {
    if (index == broken) throw std::runtime_error("chunk is broken");
    const int first[] = {0, 4, 5, 5, 11};
    std::vector<int> chunk(static_cast<std::size_t>(first[index + 1] - first[index]));
    std::iota(chunk.begin(), chunk.end(), first[index]);
    return chunk;
  }
  std::size_t chunk_count() override { return 4; }
  void reset() override {}
  std::size_t broken = 99;
};
using InOrder = ChunkDataset<Numbers, SequentialSampler, SequentialSampler>;

template <typename D>
std::vector<std::vector<int>> epoch(D& dataset) {
  dataset.reset();
  std::vector<std::vector<int>> batches;
  while (const auto batch = dataset.get_batch()) batches.push_back(*batch);
  return batches;
}

TEST(ChunkDataset, BatchesGoAcrossChunks) {
  InOrder dataset({}, SequentialSampler(0), SequentialSampler(0), ChunkDatasetOptions(1, 3, 4));
  for (int i = 0; i < 2; ++i)
    EXPECT_THAT(epoch(dataset), ElementsAre(ElementsAre(0, 1, 2), ElementsAre(3, 4, 5),
                                            ElementsAre(6, 7, 8), ElementsAre(9, 10)));
}

TEST(ChunkDataset, EachExampleComesOnceWhateverTheThreads) {
  for (const std::size_t threads : {1, 3})
    for (const std::size_t mixed : {1, 3}) {
      ChunkDataset<Numbers> dataset({}, RandomSampler(0), RandomSampler(0),
                                    ChunkDatasetOptions(threads, 2, 5, mixed));
      std::vector<int> seen;
      for (const auto& batch : epoch(dataset)) seen.insert(seen.end(), batch.begin(), batch.end());
      std::sort(seen.begin(), seen.end());
      EXPECT_THAT(seen, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
    }
}

TEST(ChunkDataset, ThroughALoader) {
  auto dataset = data::datasets::make_shared_dataset<InOrder>(
      Numbers(), SequentialSampler(0), SequentialSampler(0), ChunkDatasetOptions(2, 4),
      [](std::vector<int>& chunk) {
        for (int& n : chunk) n *= 2;
      });
  const auto loader = data::make_data_loader(dataset, data::DataLoaderOptions(4).workers(2));
  for (int i = 0; i < 2; ++i) {
    int sum = 0;
    for (const auto& batch : *loader) sum = std::accumulate(batch.begin(), batch.end(), sum);
    EXPECT_EQ(sum, 110);
  }
}

TEST(ChunkDataset, GoesOnAtTheChunkThatWasSaved) {
  const testing::TemporaryFolder folder;
  const std::string file = folder.path() + "/position";
  SequentialSampler sampler(4);
  sampler.next(3);
  save(sampler, file);
  InOrder dataset({}, SequentialSampler(4), SequentialSampler(0), ChunkDatasetOptions(1, 6));
  load(dataset, file);
  EXPECT_THAT(epoch(dataset), ElementsAre(ElementsAre(5, 6, 7, 8, 9, 10)));
  EXPECT_EQ(epoch(dataset).size(), 2u);
}

TEST(ChunkDataset, ErrorsReachTheCaller) {
  Numbers reader;
  reader.broken = 1;
  InOrder dataset(reader, SequentialSampler(0), SequentialSampler(0), ChunkDatasetOptions(1, 4));
  EXPECT_THAT(message_of([&] { dataset.get_batch(); }), HasSubstr("call reset() before"));
  EXPECT_THAT(message_of([&] { epoch(dataset); }), HasSubstr("chunk is broken"));
  dataset.reset();
  EXPECT_THAT(message_of([&] { dataset.get_batch(5); }),
              HasSubstr("The requested batch size is 5, while the dataset is created with batch "
                        "size equal to 4"));
  EXPECT_THAT(message_of([] { ChunkDatasetOptions(1, 10, 5); }),
              HasSubstr("Cache size is less than batch size."));
}

}  // namespace
}  // namespace tapedeck
