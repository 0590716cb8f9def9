// Models, optimisers and schedulers through files: a training that was interrupted goes on with the
// same bits, and files that do not fit change nothing.
#include <cstring>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tapedeck/tapedeck.h>
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace tapedeck {
namespace {

using tapedeck::testing::message_of;
using tapedeck::testing::TemporaryFolder;
using ::testing::HasSubstr;

struct NetImpl : nn::Module {
  explicit NetImpl(std::int64_t channels = 4, bool with_bias = true)
      : features(nn::Conv2d(nn::Conv2dOptions(1, channels, 3).bias(with_bias)),
                 nn::BatchNorm2d(channels), nn::ReLU(), nn::MaxPool2d(2)),
        head(channels * 13 * 13, 10) {
    register_module("features", features);
    register_module("head", head);
  }
  Tensor forward(Tensor x) { return head(features->forward(x).flatten(1)); }

  nn::Sequential features;
  nn::Linear head;
};
TAPEDECK_MODULE(Net);

std::string bytes_of(nn::Module& module) {
  std::string bytes;
  for (const auto& item : module.named_parameters())
    bytes.append(static_cast<const char*>(item.value().data_ptr()), item.value().nbytes());
  for (const auto& item : module.named_buffers())
    bytes.append(static_cast<const char*>(item.value().data_ptr()), item.value().nbytes());
  return bytes;
}

struct Training {
  Net net;
  optim::Adam optimizer{net->parameters(), optim::AdamOptions(1e-2).amsgrad(true)};
  optim::CosineAnnealingLR scheduler{optimizer, 6};
  std::unique_ptr<data::StatelessDataLoader<
      data::datasets::MapDataset<data::datasets::SyntheticDigits, data::transforms::Stack<>>,
      data::samplers::RandomSampler>>
      loader = data::make_data_loader(
          data::datasets::SyntheticDigits(60, 1).map(data::transforms::Stack<>()),
          data::DataLoaderOptions(20).workers(1));

  void epochs(int from, int to) {
    for (int epoch = from; epoch < to; ++epoch) {
      manual_seed(static_cast<std::uint64_t>(epoch));
      for (const auto& batch : *loader) {
        optimizer.zero_grad();
        nn::functional::cross_entropy(net->forward(batch.data), batch.target).backward();
        optimizer.step();
      }
      scheduler.step();
    }
  }
};

TEST(ModelCheckpoint, TrainingResumesBitForBit) {
  TemporaryFolder folder;
  manual_seed(1);
  Training whole;
  whole.epochs(0, 2);
  save(whole.net, folder.file("net.safetensors"));
  save(whole.optimizer, folder.file("optimizer.safetensors"));
  save(whole.scheduler, folder.file("scheduler.safetensors"));
  whole.epochs(2, 4);

  manual_seed(77);
  Training resumed;
  load(resumed.net, folder.file("net.safetensors"));
  load(resumed.optimizer, folder.file("optimizer.safetensors"));
  load(resumed.scheduler, folder.file("scheduler.safetensors"));
  resumed.epochs(2, 4);
  EXPECT_EQ(bytes_of(*whole.net), bytes_of(*resumed.net));
}

TEST(ModelCheckpoint, NamesInTheFileAreThoseOfTheModule) {
  Net net;
  std::stringstream stream;
  save(net, stream);
  serialize::InputArchive archive;
  archive.load_from(stream);
  EXPECT_THAT(archive.tensor_keys(),
              ::testing::UnorderedElementsAre(
                  "features.0.weight", "features.0.bias", "features.1.weight", "features.1.bias",
                  "features.1.running_mean", "features.1.running_var",
                  "features.1.num_batches_tracked", "head.weight", "head.bias"));
}

TEST(ModelCheckpoint, WhatDoesNotFitIsListedAndChangesNothing) {
  TemporaryFolder folder;
  const std::string path = folder.file("net.safetensors");
  Net wide(6), plain(4, false), net;
  save(wide, path);
  const std::string before = bytes_of(*net);
  EXPECT_EQ(message_of([&] { load(net, path); }),
            "load: '" + path +
                "' does not fit what it is loaded into; nothing was changed"
                "\n  mismatch: features.0.weight has shape [6, 1, 3, 3], expected [4, 1, 3, 3]"
                "\n  mismatch: features.0.bias has shape [6], expected [4]"
                "\n  mismatch: features.1.weight has shape [6], expected [4]"
                "\n  mismatch: features.1.bias has shape [6], expected [4]"
                "\n  mismatch: features.1.running_mean has shape [6], expected [4]"
                "\n  mismatch: features.1.running_var has shape [6], expected [4]"
                "\n  mismatch: head.weight has shape [10, 1014], expected [10, 676]");
  save(plain, path);
  EXPECT_EQ(message_of([&] { load(net, path); }),
            "load: '" + path +
                "' does not fit what it is loaded into; nothing was changed"
                "\n  missing keys: features.0.bias"
                "\n  No such serialized tensor 'features.0.bias'");
  save(net, path);
  EXPECT_EQ(message_of([&] { load(plain, path); }),
            "load: '" + path +
                "' does not fit what it is loaded into; nothing was changed"
                "\n  unexpected keys: features.0.bias");
  Net wider;
  wider->to(kFloat64);
  EXPECT_THAT(message_of([&] { load(wider, path); }),
              HasSubstr("mismatch: head.weight has dtype Float, expected Double"));
  EXPECT_EQ(bytes_of(*net), before);
}

TEST(ModelCheckpoint, OldCheckpointsLackTheCounterOfBatchNorm) {
  nn::BatchNorm2d norm(2), other(2);
  serialize::OutputArchive out;
  for (const auto& item : other->named_parameters()) out.write(item.key(), item.value());
  out.write("running_mean", ones({2}), true);
  out.write("running_var", ones({2}), true);
  std::stringstream stream;
  out.save_to(stream);
  load(norm, stream);
  EXPECT_TRUE(norm->named_buffers()["running_mean"].equal(ones({2})));
}

TEST(ModelCheckpoint, OneArchiveForEverything) {
  manual_seed(1);
  Training a, b;
  a.epochs(0, 1);
  serialize::OutputArchive out, model, optimizer;
  a.net->save(model);
  a.optimizer.save(optimizer);
  out.write("model", model);
  out.write("optimizer", optimizer);
  out.write("epoch", IValue(1));
  std::stringstream stream;
  out.save_to(stream);

  serialize::InputArchive in, model_in, optimizer_in;
  in.load_from(stream);
  in.read("model", model_in);
  in.read("optimizer", optimizer_in);
  b.net->load(model_in);
  b.optimizer.load(optimizer_in);
  EXPECT_EQ(bytes_of(*a.net), bytes_of(*b.net));
  EXPECT_EQ(b.optimizer.state().size(), a.optimizer.state().size());

  // A module may share its level of the archive with other things.
  serialize::OutputArchive flat;
  a.net->save(flat);
  flat.write("epoch", Tensor(Array::empty({}, kInt64)));
  std::stringstream flat_stream;
  flat.save_to(flat_stream);
  serialize::InputArchive flat_in;
  flat_in.load_from(flat_stream);
  b.net->load(flat_in);
  EXPECT_EQ(bytes_of(*a.net), bytes_of(*b.net));
}

TEST(ModelCheckpoint, EveryTruncationLeavesTheModel) {
  Net net, other;
  std::ostringstream out;
  save(other, out);
  const std::string whole = out.str(), before = bytes_of(*net);
  for (std::size_t n = 0; n < whole.size(); n += n < 2000 ? 13 : 997) {
    std::istringstream in(whole.substr(0, n));
    EXPECT_NE(message_of([&] { load(net, in); }), "no error");
  }
  EXPECT_EQ(bytes_of(*net), before);
}

// The digits that the program draws can be learnt and recognised.
TEST(SyntheticDigits, ANetworkLearnsThem) {
  manual_seed(1);
  nn::Sequential net(nn::Conv2d(nn::Conv2dOptions(1, 8, 5).padding(2)), nn::ReLU(),
                     nn::MaxPool2d(2), nn::Conv2d(nn::Conv2dOptions(8, 16, 5).padding(2)),
                     nn::ReLU(), nn::MaxPool2d(2), nn::Flatten(), nn::Linear(784, 10));
  optim::Adam optimizer(net->parameters(), optim::AdamOptions(3e-3));
  auto loader = data::make_data_loader(
      data::datasets::SyntheticDigits(8000, 1).map(data::transforms::Stack<>()),
      data::DataLoaderOptions(50).workers(1));
  for (int epoch = 0; epoch < 3; ++epoch) {
    if (epoch == 2) optimizer.param_groups()[0].options().set_lr(5e-4);
    for (const auto& batch : *loader) {
      optimizer.zero_grad();
      nn::functional::cross_entropy(net->forward(batch.data), batch.target).backward();
      optimizer.step();
    }
  }
  const NoGradGuard no_grad;
  data::datasets::SyntheticDigits test(2000, 2);
  const Tensor right = net->forward(test.images()).argmax(1) == test.targets();
  EXPECT_GT(right.sum().item<std::int64_t>(), 1970);
}

}  // namespace
}  // namespace tapedeck
