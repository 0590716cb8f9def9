// IDX, MNIST and CIFAR-10 files: written here, whole and damaged, and the real ones where found.
#include <zlib.h>

#include <filesystem>
#include <fstream>

#include <tapedeck/data/data.h>
#include <tapedeck/io/image.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/reduction.h>
#include "tests/support/arrays.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace tapedeck::data {
namespace {

using datasets::CIFAR10;
using datasets::FashionMNIST;
using datasets::ImageFolder;
using datasets::MNIST;
using tapedeck::testing::message_of;
using tapedeck::testing::TemporaryFolder;
using tapedeck::testing::values;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}
std::string gzip(const std::string& bytes) {
  TemporaryFolder folder;
  const std::string path = folder.file("x.gz");
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}
std::string number(std::uint32_t n) {
  return {static_cast<char>(n >> 24), static_cast<char>(n >> 16), static_cast<char>(n >> 8),
          static_cast<char>(n)};
}
std::string images_file(std::uint32_t count) {
  std::string bytes = number(0x803) + number(count) + number(28) + number(28);
  for (std::uint32_t i = 0; i < count * 784; ++i) bytes += static_cast<char>(i % 256);
  return bytes;
}
std::string labels_file(std::uint32_t count) {
  std::string bytes = number(0x801) + number(count);
  for (std::uint32_t i = 0; i < count; ++i) bytes += static_cast<char>(i * 3 % 10);
  return bytes;
}
void write_mnist(const std::string& folder, std::uint32_t count, const std::string& end = "") {
  std::filesystem::create_directories(folder);
  for (const char* part : {"train", "t10k"}) {
    const std::string prefix = folder + "/" + part;
    write(prefix + "-images-idx3-ubyte" + end,
          end.empty() ? images_file(count) : gzip(images_file(count)));
    write(prefix + "-labels-idx1-ubyte" + end,
          end.empty() ? labels_file(count) : gzip(labels_file(count)));
  }
}

TEST(Idx, ReadsEveryTypeAndShape) {
  TemporaryFolder folder;
  const std::string path = folder.file("x");
  write(path, number(0x801) + number(3) + "\x01\x02\xff");
  EXPECT_THAT(values<std::uint8_t>(read_idx(path).array()), ElementsAre(1, 2, 255));
  write(path, number(0xC02) + number(1) + number(2) + number(7) + number(0xfffffffe));
  const Variable ints = read_idx(path);
  EXPECT_EQ(ints.sizes().vec(), (std::vector<std::int64_t>{1, 2}));
  EXPECT_THAT(values<std::int32_t>(ints.array()), ElementsAre(7, -2));
  write(path, gzip(number(0xD01) + number(1) + number(0x3fc00000)));
  EXPECT_THAT(values<float>(read_idx(path).array()), ElementsAre(1.5f));
  write(path, number(0xE00) + number(0xc0080000) + number(0));
  EXPECT_EQ(read_idx(path).item<double>(), -3);
  write(path, number(0x802) + number(0) + number(5));
  EXPECT_EQ(read_idx(path).sizes().vec(), (std::vector<std::int64_t>{0, 5}));
}

TEST(Idx, DefectsAreNamedWithTheFile) {
  TemporaryFolder folder;
  const std::string path = folder.file("file");
  const auto error = [&](const std::string& bytes) {
    write(path, bytes);
    const std::string message = message_of([&] { read_idx(path); });
    EXPECT_THAT(message, HasSubstr("'" + path + "'"));
    return message;
  };
  EXPECT_THAT(error(""), HasSubstr("is empty"));
  EXPECT_THAT(error("GIF89a"), HasSubstr("is not an IDX file: its magic number is"));
  EXPECT_THAT(error(number(0xB01) + number(0)), HasSubstr("elements of type code 11"));
  EXPECT_THAT(error(labels_file(5) + "x"), HasSubstr("is longer than its shape [5] says"));
  EXPECT_THAT(error(number(0x803) + number(0xffffffff) + number(0xffffffff) + number(0xffffffff)),
              HasSubstr("claims an impossible shape"));
  EXPECT_THAT(error(number(0x802) + number(0x7fffffff) + number(0x7fffffff)),
              HasSubstr("is truncated"));
  EXPECT_THAT(error(number(0x8ff)), HasSubstr("255 dimensions"));
  const std::string whole = labels_file(20);
  for (std::size_t n = 0; n < whole.size(); ++n)
    EXPECT_NE(error(whole.substr(0, n)), "no error") << n;
  const std::string compressed = gzip(images_file(2));
  for (std::size_t n = 0; n < compressed.size(); n += 3)
    EXPECT_NE(error(compressed.substr(0, n)), "no error") << n;
  std::string flipped = compressed;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
  EXPECT_NE(error(flipped), "no error");
  EXPECT_EQ(message_of([&] { read_idx(folder.path()); }),
            "read_idx: '" + folder.path() + "' is a directory");
}

// Behaviour B1: IDX files, also .gz, to float 1x28x28 of [0, 1] and int64 labels.
TEST(BehaviourB1, MnistFilesPlainAndCompressedInEveryPlace) {
  for (const char* place : {"", "/MNIST/raw", "/raw"})
    for (const char* end : {"", ".gz"}) {
      TemporaryFolder folder;
      write_mnist(folder.path() + place, 5, end);
      MNIST train(folder.path()), test(folder.path(), MNIST::Mode::kTest);
      EXPECT_TRUE(train.is_train());
      EXPECT_FALSE(test.is_train());
      EXPECT_EQ(train.size(), 5u);
      const Example<> example = train.get(2);
      EXPECT_EQ(example.data.sizes().vec(), (std::vector<std::int64_t>{1, 28, 28}));
      EXPECT_EQ(example.data.dtype(), kFloat32);
      EXPECT_EQ(example.data.data_ptr<float>()[3], static_cast<float>((2 * 784 + 3) % 256) / 255);
      EXPECT_EQ(example.target.dim(), 0);
      EXPECT_EQ(example.target.item<std::int64_t>(), 6);
      EXPECT_EQ(train.images().sizes().vec(), (std::vector<std::int64_t>{5, 1, 28, 28}));
      EXPECT_EQ(train.images().data_ptr<float>()[2 * 784 + 3], example.data.data_ptr<float>()[3]);
      EXPECT_THAT(values<std::int64_t>(train.targets().array()), ElementsAre(0, 3, 6, 9, 2));
      EXPECT_THAT(message_of([&] { train.get(5); }), HasSubstr("index 5 of 5 images"));
    }
}

TEST(Mnist, WhatIsWrongIsNamed) {
  TemporaryFolder folder;
  const std::string root = folder.path(), missing = folder.file("nowhere");
  const auto error = [&] { return message_of([&] { MNIST dataset(root); }); };
  EXPECT_EQ(message_of([&] { MNIST dataset(missing); }),
            "MNIST: there is no folder '" + missing + "'");
  EXPECT_EQ(error(), "MNIST: train-images-idx3-ubyte (or .gz) is in none of '" + root + "', '" +
                         root + "/MNIST/raw', '" + root + "/raw'");
  write_mnist(root, 4);
  const std::string images = folder.file("train-images-idx3-ubyte"),
                    labels = folder.file("train-labels-idx1-ubyte");
  EXPECT_EQ(error(), "no error");
  write(labels, labels_file(3));
  EXPECT_EQ(error(), "MNIST: '" + images + "' holds 4 images, but '" + labels + "' 3 labels");
  std::string bad = labels_file(4);
  bad.back() = 10;
  write(labels, bad);
  EXPECT_EQ(error(), "MNIST: '" + labels + "': label 3 is 10, expected 0 to 9");
  write(labels, images_file(4));
  EXPECT_THAT(error(), HasSubstr("expected labels [N] of Byte"));
  write(images, number(0x803) + number(1) + number(2) + number(2) + "abcd");
  EXPECT_THAT(error(), HasSubstr("holds shape [1, 2, 2] of Byte, expected images [N, 28, 28]"));
  write(images, images_file(4).substr(0, 2000));
  EXPECT_THAT(error(), HasSubstr("'" + images +
                                 "' is truncated: shape [4, 28, 28] takes 3136 "
                                 "bytes, but only 1984 are there"));
  EXPECT_THAT(message_of([&] { FashionMNIST dataset(folder.file("x")); }),
              HasSubstr("FashionMNIST: there is no folder"));
}

TEST(Cifar10, ReadsRecordsOfAllBatchFiles) {
  TemporaryFolder folder;
  const auto record = [](int label, char fill) {
    return std::string(1, static_cast<char>(label)) + std::string(1024, fill) +
           std::string(1024, '\x33') + std::string(1024, '\xff');
  };
  write(folder.file("data_batch_2.bin"), record(9, '\0'));
  write(folder.file("data_batch_1.bin"), record(3, '\x66') + record(4, '\0'));
  write(folder.file("test_batch.bin"), record(1, '\0').substr(0, 3000));
  CIFAR10 train(folder.path());
  EXPECT_EQ(train.size(), 3u);
  EXPECT_THAT(values<std::int64_t>(train.targets().array()), ElementsAre(3, 4, 9));
  const Variable image = train.get(0).data;
  EXPECT_EQ(image.sizes().vec(), (std::vector<std::int64_t>{3, 32, 32}));
  EXPECT_EQ(image.data_ptr<float>()[0], 0.4f);
  EXPECT_EQ(image.data_ptr<float>()[1024], 0.2f);
  EXPECT_EQ(image.data_ptr<float>()[2048], 1.0f);
  EXPECT_EQ(CIFAR10::classes()[9], "truck");
  EXPECT_THAT(message_of([&] { CIFAR10 test(folder.path(), CIFAR10::Mode::kTest); }),
              HasSubstr("has 3000 bytes, which is no whole number of records of 3073"));
  write(folder.file("test_batch.bin"), record(10, '\0'));
  EXPECT_THAT(message_of([&] { CIFAR10 test(folder.path(), CIFAR10::Mode::kTest); }),
              HasSubstr("has label 10, expected 0 to 9"));
  EXPECT_THAT(message_of([&] { CIFAR10 none(folder.file("x")); }), HasSubstr("no folder"));
}

TEST(ImageFolder, ClassesAreFolders) {
  TemporaryFolder folder;
  std::filesystem::create_directories(folder.file("dog/young"));
  std::filesystem::create_directories(folder.file("cat"));
  EXPECT_THAT(message_of([&] { ImageFolder set(folder.path()); }),
              HasSubstr("no .png file in '" + folder.file("cat") + "'"));
  const Variable grey(testing::random_array({1, 2, 3}, kUInt8, 1, 0, 256));
  const Variable color(testing::random_array({4, 2, 3}, kUInt8, 1, 255, 256));
  io::save_image(color, folder.file("cat/b.PNG"));
  io::save_image(grey, folder.file("dog/young/a.png"));
  io::save_image(color, folder.file("dog/c.png"));
  write(folder.file("dog/notes.txt"), "x");
  ImageFolder set(folder.path());
  EXPECT_THAT(set.classes(), ElementsAre("cat", "dog"));
  EXPECT_EQ(set.size(), 3u);
  EXPECT_EQ(set.samples()[1].first, folder.file("dog/c.png"));
  EXPECT_EQ(set.get(0).data.sizes().vec(), (std::vector<std::int64_t>{3, 2, 3}));
  EXPECT_EQ(set.get(0).target.item<std::int64_t>(), 0);
  const Example<> dog = set.get(2);
  EXPECT_EQ(dog.target.item<std::int64_t>(), 1);
  EXPECT_EQ(dog.data.data_ptr<float>()[6 + 4],
            static_cast<float>(grey.data_ptr<std::uint8_t>()[4]) / 255);
  EXPECT_THAT(message_of([&] { set.get(3); }), HasSubstr("index 3 of 3 pictures"));
  write(folder.file("cat/b.PNG"), "GIF");
  EXPECT_THAT(message_of([&] { set.get(0); }), HasSubstr("cat/b.PNG' is not a PNG file"));
  EXPECT_THAT(message_of([&] { ImageFolder none(folder.file("dog/young")); }),
              HasSubstr("has no folders in it"));
}

TEST(RealData, MnistAndFashionMnistAndCifar10) {
  const auto mnist = locate("mnist"), fashion = locate("fashion-mnist"), cifar = locate("cifar10");
  if (!mnist || !fashion || !cifar) GTEST_SKIP() << "no data sets found; set TAPEDECK_DATA";
  MNIST train(*mnist), test(*mnist, MNIST::Mode::kTest);
  EXPECT_EQ(train.size(), 60000u);
  EXPECT_EQ(test.size(), 10000u);
  EXPECT_NEAR(train.images().mean().item<float>(), 0.1307f, 1e-4);
  EXPECT_EQ(train.get(0).target.item<std::int64_t>(), 5);
  EXPECT_EQ(test.get(0).target.item<std::int64_t>(), 7);
  FashionMNIST clothes(*fashion, FashionMNIST::Mode::kTest);
  EXPECT_EQ(clothes.size(), 10000u);
  EXPECT_NEAR(clothes.images().mean().item<float>(), 0.2868f, 1e-3);
  CIFAR10 pictures(*cifar, CIFAR10::Mode::kTest);
  EXPECT_EQ(pictures.size(), 1000u);
  EXPECT_EQ(pictures.get(0).target.item<std::int64_t>(), 3);
}

TEST(Locate, ExplicitPathEnvironmentAndFoldersAbove) {
  TemporaryFolder folder;
  const std::string data = folder.file("shared/data");
  std::filesystem::create_directories(data + "/some-digits");
  std::filesystem::create_directories(folder.file("project/build"));
  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(folder.file("project/build"));
  EXPECT_EQ(locate("some-digits"), std::filesystem::canonical(data + "/some-digits").string());
  EXPECT_EQ(locate("some-letters"), std::nullopt);
  std::filesystem::current_path(here);
  EXPECT_EQ(locate("some-digits", data), data + "/some-digits");
  EXPECT_EQ(locate("some-digits", data + "/some-digits"), data + "/some-digits");
  EXPECT_EQ(locate("other", data), data);
  EXPECT_EQ(message_of([&] { locate("x", "/no/such"); }), "locate: '/no/such' is not a folder");

  const char* before = std::getenv("TAPEDECK_DATA");
  const std::string kept = before ? before : "";
  ::setenv("TAPEDECK_DATA", data.c_str(), 1);
  EXPECT_EQ(locate("some-digits"), data + "/some-digits");
  ::setenv("TAPEDECK_DATA", "/no/such", 1);
  std::filesystem::current_path(folder.file("project/build"));
  EXPECT_EQ(locate("some-digits"), std::nullopt);
  std::filesystem::current_path(here);
  before ? ::setenv("TAPEDECK_DATA", kept.c_str(), 1) : ::unsetenv("TAPEDECK_DATA");
}

TEST(SyntheticDigits, SameSeedSameImages) {
  datasets::SyntheticDigits a(300, 1), b(300, 1), c(300, 2);
  EXPECT_EQ(values<float>(a.images().array()), values<float>(b.images().array()));
  EXPECT_NE(values<float>(a.images().array()), values<float>(c.images().array()));
  EXPECT_EQ(a.images().sizes().vec(), (std::vector<std::int64_t>{300, 1, 28, 28}));
  // Every digit is there, and as much ink as MNIST has.
  std::vector<int> count(10);
  for (std::int64_t label : values<std::int64_t>(a.targets().array()))
    ++count[static_cast<std::size_t>(label)];
  EXPECT_THAT(count, ::testing::Each(::testing::Gt(10)));
  EXPECT_NEAR(a.images().mean().item<float>(), 0.12f, 0.04f);
  // More of them begin with the same ones, however many threads draw.
  testing::ThreadCount threads(1);
  datasets::SyntheticDigits more(400, 1);
  EXPECT_EQ(values<float>(a.get(299).data.array()), values<float>(more.get(299).data.array()));
}

}  // namespace
}  // namespace tapedeck::data
