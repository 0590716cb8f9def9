#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <sstream>

#include <tapedeck/serialize/save.h>
#include "tests/support/arrays.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace tapedeck {
namespace {

using serialize::InputArchive;
using serialize::LoadTransaction;
using serialize::OutputArchive;
using tapedeck::testing::array_of;
using tapedeck::testing::message_of;
using tapedeck::testing::random_array;
using tapedeck::testing::TemporaryFolder;
using tapedeck::testing::values;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Variable floats(std::vector<float> v) {
  return Variable(array_of(v, {static_cast<std::int64_t>(v.size())}));
}

std::string saved(OutputArchive& archive) {
  std::ostringstream out;
  archive.save_to(out);
  return out.str();
}

std::string load_error(const std::string& bytes) {
  return message_of([&] {
    InputArchive archive;
    archive.load_from(bytes.data(), bytes.size());
  });
}

// An archive by hand: the header as given, and that many bytes of data.
std::string by_hand(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::string bytes(reinterpret_cast<const char*>(&length), 8);
  return bytes + header + std::string(data_bytes, '\1');
}

OutputArchive small_model() {
  OutputArchive archive, layer;
  layer.write("weight", Variable(random_array({2, 3}, kFloat32, 1)));
  layer.write("count", Variable(array_of<std::int64_t>({7}, {})), /*is_buffer=*/true);
  archive.write("layer1", layer);
  archive.write("bias", Variable(random_array({3}, kFloat64, 2)));
  archive.write("lr", IValue(0.1));
  return archive;
}

TEST(Archive, EveryDtypeShapeAndLayoutComesBack) {
  for (ScalarType dtype : {kFloat32, kFloat64, kInt64, kInt32, kUInt8, kBool})
    for (const Array& layout : tapedeck::testing::layouts_of(
             random_array({2, 3, 5}, dtype, 3, dtype == kUInt8 ? 0 : -100, 100))) {
      OutputArchive out;
      out.write("t", Variable(layout));
      InputArchive in;
      const std::string bytes = saved(out);
      in.load_from(bytes.data(), bytes.size());
      Variable back;
      in.read("t", back);
      EXPECT_EQ(back.dtype(), dtype);
      EXPECT_EQ(back.sizes().vec(), (std::vector<std::int64_t>{2, 3, 5}));
      EXPECT_EQ(
          std::memcmp(back.data_ptr(), Variable(layout).contiguous().data_ptr(), back.nbytes()), 0);
    }
}

TEST(Archive, ScalarsAndEmptyTensors) {
  OutputArchive out;
  out.write("scalar", Variable(array_of<double>({2.5}, {})));
  out.write("empty", Variable(Array::empty({3, 0, 2}, kFloat32)));
  const std::string bytes = saved(out);
  InputArchive in;
  in.load_from(bytes.data(), bytes.size());
  Variable scalar, empty;
  in.read("scalar", scalar);
  in.read("empty", empty);
  EXPECT_EQ(scalar.dim(), 0);
  EXPECT_EQ(scalar.item<double>(), 2.5);
  EXPECT_EQ(empty.sizes().vec(), (std::vector<std::int64_t>{3, 0, 2}));
}

TEST(Archive, ValuesComeBackExactlyWithTheirTypes) {
  const double inf = std::numeric_limits<double>::infinity();
  OutputArchive out;
  out.write("none", IValue());
  out.write("yes", IValue(true));
  out.write("int", IValue(std::numeric_limits<std::int64_t>::min()));
  out.write("tenth", IValue(0.1));
  out.write("one", IValue(1.0));
  out.write("inf", IValue(-inf));
  out.write("nan", IValue(std::nan("")));
  out.write("text", IValue("a \"quoted\" \\ line\nK\xc3\xbchlung"));
  out.write("number_text", IValue("12"));
  out.write("ints", IValue(std::vector<std::int64_t>{1, -2}));
  out.write("doubles", IValue(std::vector<double>{1, 0.1, inf}));
  out.write("no_doubles", IValue(std::vector<double>{}));
  out.write("tensors", IValue(std::vector<Variable>{floats({1, 2}), floats({3})}));
  const std::string bytes = saved(out);
  InputArchive in;
  in.load_from(bytes.data(), bytes.size());
  const auto get = [&](const char* key) {
    IValue v;
    in.read(key, v);
    return v;
  };
  EXPECT_TRUE(get("none").isNone());
  EXPECT_EQ(get("yes").toBool(), true);
  EXPECT_EQ(get("int").toInt(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(get("tenth").toDouble(), 0.1);
  EXPECT_EQ(get("one").toDouble(), 1.0);
  EXPECT_EQ(get("inf").toDouble(), -inf);
  EXPECT_TRUE(std::isnan(get("nan").toDouble()));
  EXPECT_EQ(get("text").toStringRef(), "a \"quoted\" \\ line\nK\xc3\xbchlung");
  EXPECT_EQ(get("number_text").toStringRef(), "12");
  EXPECT_THAT(get("ints").toIntVector(), ElementsAre(1, -2));
  EXPECT_THAT(get("doubles").toDoubleVector(), ElementsAre(1, 0.1, inf));
  EXPECT_TRUE(get("no_doubles").toDoubleVector().empty());
  ASSERT_EQ(get("tensors").toTensorVector().size(), 2u);
  EXPECT_THAT(values<float>(get("tensors").toTensorVector()[0].array()), ElementsAre(1, 2));
}

TEST(Archive, NestedArchivesAreJoinedByDots) {
  OutputArchive archive = small_model(), empty;
  archive.write("relu", empty);
  const std::string bytes = saved(archive);
  InputArchive in, layer, relu, none;
  in.load_from(bytes.data(), bytes.size());
  EXPECT_THAT(in.keys(), ElementsAre("bias", "layer1", "lr", "relu"));
  EXPECT_THAT(in.tensor_keys(), ElementsAre("bias", "layer1.count", "layer1.weight"));
  in.read("layer1", layer);
  EXPECT_THAT(layer.keys(), ElementsAre("count", "weight"));
  Variable count, direct;
  layer.read("count", count);
  in.read("layer1.count", direct);
  EXPECT_EQ(count.item<std::int64_t>(), 7);
  EXPECT_EQ(direct.item<std::int64_t>(), 7);
  in.read("relu", relu);
  EXPECT_TRUE(relu.keys().empty());
  EXPECT_FALSE(in.try_read("conv", none));
  EXPECT_FALSE(in.try_read("weight", count));
  EXPECT_THAT(message_of([&] { in.read("conv", none); }),
              HasSubstr("load: no archive 'conv' in the given memory"));
  EXPECT_EQ(message_of([&] { layer.read("wight", direct); }),
            "load: no tensor 'layer1.wight' in the given memory; it holds count, weight");
}

TEST(Archive, TheFileIsSafetensors) {
  OutputArchive archive = small_model();
  const std::string bytes = saved(archive);
  std::uint64_t length;
  std::memcpy(&length, bytes.data(), 8);
  const std::string header = bytes.substr(8, length);
  EXPECT_EQ((8 + length) % 8, 0u);
  EXPECT_THAT(header, HasSubstr("\"layer1.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],"
                                "\"data_offsets\":[32,56]}"));
  EXPECT_THAT(header, HasSubstr("\"lr\":\"0.1\""));
  EXPECT_EQ(bytes.size(), 8 + length + 3 * 8 + 8 + 6 * 4);
}

TEST(Archive, ReadsForeignSafetensors) {
  const std::string bytes = by_hand(
      "{\"__metadata__\":{\"format\":\"pt\"},"
      "\"b\":{\"shape\":[1],\"data_offsets\":[2,3],\"dtype\":\"BOOL\"},"
      "\"a.w\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}   ",
      3);
  InputArchive in, a;
  in.load_from(bytes.data(), bytes.size());
  IValue format;
  in.read("format", format);
  EXPECT_EQ(format.toStringRef(), "pt");
  Variable w;
  in.read("a", a);
  a.read("w", w);
  EXPECT_THAT(values<std::uint8_t>(w.array()), ElementsAre(1, 1));
}

TEST(Archive, RequiresGradIsKeptOfParametersOnly) {
  Variable parameter = floats({1});
  parameter.set_requires_grad(true);
  OutputArchive out;
  out.write("parameter", parameter);
  out.write("buffer", parameter, /*is_buffer=*/true);
  const std::string bytes = saved(out);
  InputArchive in;
  in.load_from(bytes.data(), bytes.size());
  Variable a, b;
  in.read("parameter", a);
  in.read("buffer", b);
  EXPECT_TRUE(a.requires_grad());
  EXPECT_FALSE(b.requires_grad());
}

TEST(Archive, WhatCannotBeWrittenSaysSo) {
  OutputArchive out;
  out.write("a", floats({1}));
  EXPECT_EQ(message_of([&] { out.write("a", IValue(1)); }), "save: the key 'a' is written twice");
  EXPECT_EQ(message_of([&] { out.write("", floats({1})); }), "save: a key is empty");
  EXPECT_EQ(message_of([&] { out.write("b", Variable()); }), "save: tensor 'b' is undefined");
  out.write("bad", IValue("\xff"));
  EXPECT_EQ(message_of([&] { saved(out); }), "save: a string is not UTF-8 text");
  InputArchive in;
  Variable t;
  EXPECT_THAT(message_of([&] { in.read("a", t); }), HasSubstr("nothing was loaded"));
}

TEST(Archive, EveryTruncationIsAnError) {
  OutputArchive archive = small_model();
  const std::string bytes = saved(archive);
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_THAT(load_error(bytes.substr(0, n)), HasSubstr("the given memory is")) << n;
    std::istringstream stream(bytes.substr(0, n));
    EXPECT_THAT(message_of([&] { InputArchive().load_from(stream); }), HasSubstr("the stream is"));
  }
}

TEST(Archive, EveryFlippedBitIsAnError) {
  OutputArchive archive = small_model();
  const std::string bytes = saved(archive);
  for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
    std::string damaged = bytes;
    damaged[i / 8] = static_cast<char>(damaged[i / 8] ^ (1 << (i % 8)));
    EXPECT_NE(load_error(damaged), "no error") << "bit " << i % 8 << " of byte " << i / 8;
  }
}

TEST(Archive, RandomDamageOfForeignFilesNeverCrashes) {
  const std::string bytes = by_hand(
      "{\"__metadata__\":{\"format\":\"pt\"},\"b\":{\"shape\":[1],\"data_offsets\":[8,9],"
      "\"dtype\":\"BOOL\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]}}",
      9);
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = bytes;
    for (std::size_t n = random() % 4 + 1; n > 0; --n) {
      const std::size_t at = random() % damaged.size();
      if (random() % 3 == 0)
        damaged.erase(at, random() % 5);
      else
        damaged[at] = "0123456789\"{}[]:,-.eU8\\\0\xff"[random() % 25];
      if (damaged.empty()) break;
    }
    load_error(damaged);
  }
}

TEST(Archive, DefectsAreNamed) {
  const auto header_error = [](const std::string& header, std::size_t data = 8) {
    return load_error(by_hand(header, data));
  };
  const std::string ok = "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]";
  EXPECT_EQ(header_error("{\"w\":{" + ok + "}}"), "no error");
  EXPECT_THAT(header_error("{\"w\":{" + ok + "}}", 7),
              HasSubstr("truncated: its tensors take 8 bytes, but only 7 are there"));
  EXPECT_THAT(header_error("{\"w\":{" + ok + "}}", 9), HasSubstr("1 bytes follow its last tensor"));
  EXPECT_THAT(header_error("{\"w\":{" + ok + "},\"w\":{" + ok + "}}"),
              HasSubstr("'w' is there twice"));
  EXPECT_THAT(header_error("{\"w\":{" + ok + "},\"v\":{" + ok + "}}"),
              HasSubstr("begins at byte 0 of the data, expected 8"));
  EXPECT_THAT(header_error("{\"w\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,4]}}"),
              HasSubstr("tensor 'w' has dtype BF16; F32, F64, I64, I32, U8 and BOOL can be read"));
  EXPECT_THAT(header_error("{\"w\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}"),
              HasSubstr("of shape [3] and dtype F32 does not fill its bytes 0 to 8"));
  EXPECT_THAT(header_error("{\"w\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807,4],"
                           "\"data_offsets\":[0,8]}}"),
              HasSubstr("does not fill its bytes"));
  EXPECT_THAT(header_error("{\"w\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}"),
              HasSubstr("a negative number where the format has none (at 'w')"));
  EXPECT_THAT(header_error("{\"w\":{\"dtype\":\"F32\"}}"),
              HasSubstr("lacks its dtype, shape or data_offsets"));
  EXPECT_THAT(header_error("{\"w\":" + std::string(100000, '[')), HasSubstr("a list where"));
  EXPECT_THAT(header_error("{\"b\":{\"dtype\":\"BOOL\",\"shape\":[8],\"data_offsets\":[0,8]}}"),
              HasSubstr("no error"));
  std::string bad_bool =
      by_hand("{\"b\":{\"dtype\":\"BOOL\",\"shape\":[8],\"data_offsets\":[0,8]}}", 8);
  bad_bool.back() = 2;
  EXPECT_THAT(load_error(bad_bool), HasSubstr("a bool is neither 0 nor 1"));
  EXPECT_THAT(load_error(std::string("PK\3\4") + std::string(100, '\0')), HasSubstr("zip archive"));
  EXPECT_THAT(load_error("\x80\x02\x8a\x0a" + std::string(100, 'l')), HasSubstr("is a pickle"));
  EXPECT_THAT(load_error(std::string(100, '\xff')), HasSubstr("is not a safetensors file"));
  EXPECT_THAT(load_error(std::string("\x60\0\0\0\0\0\0\0", 8) + std::string(200, 'x')),
              HasSubstr("does not begin with '{'"));
}

TEST(Archive, FilesAreNamedInErrors) {
  TemporaryFolder folder;
  const auto error = [&](const std::string& path) {
    return message_of([&] { InputArchive().load_from(path); });
  };
  const std::string path = folder.file("model.pt");
  EXPECT_EQ(error(path), "load: cannot open '" + path + "': No such file or directory");
  EXPECT_EQ(error(folder.path()), "load: '" + folder.path() + "' is a directory");
  std::ofstream(path).close();
  EXPECT_EQ(error(path), "load: '" + path + "' is empty");
  EXPECT_EQ(error("/dev/null"), "load: '/dev/null' is not a regular file");
  OutputArchive out = small_model();
  EXPECT_EQ(message_of([&] { out.save_to(folder.path()); }),
            "save: '" + folder.path() + "' is a directory");
  const std::string nowhere = folder.file("no/such/folder");
  EXPECT_EQ(message_of([&] { out.save_to(nowhere); }),
            "save: cannot write '" + nowhere + "': No such file or directory");
}

TEST(Archive, FailedSaveLeavesTheOldFileAndNothingElse) {
  TemporaryFolder folder;
  const std::string path = folder.file("model.pt");
  save(floats({1, 2}), path);
  OutputArchive bad;
  bad.write("text", IValue("\xff"));
  EXPECT_NE(message_of([&] { bad.save_to(path); }), "no error");
  Variable back;
  load(back, path);
  EXPECT_THAT(values<float>(back.array()), ElementsAre(1, 2));
  const auto files = std::filesystem::directory_iterator(folder.path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
  EXPECT_THAT(message_of([&] { save(back, "/dev/full"); }), HasSubstr("No space left"));
}

TEST(Archive, SavingThroughALinkKeepsTheLink) {
  TemporaryFolder folder;
  const std::string path = folder.file("model.pt"), link = folder.file("latest.pt");
  save(floats({1}), path);
  std::filesystem::create_symlink(path, link);
  save(floats({2}), link);
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  Variable back;
  load(back, path);
  EXPECT_EQ(back.item<float>(), 2);
}

TEST(Archive, StreamsHoldSeveral) {
  std::stringstream stream;
  save(floats({1}), stream);
  save(std::vector<Variable>{floats({2}), floats({3, 4})}, stream);
  Variable one;
  std::vector<Variable> two;
  load(one, stream);
  load(two, stream);
  EXPECT_EQ(one.item<float>(), 1);
  ASSERT_EQ(two.size(), 2u);
  EXPECT_THAT(values<float>(two[1].array()), ElementsAre(3, 4));
  EXPECT_EQ(message_of([&] { load(one, stream); }), "load: the stream is empty");
  std::ostringstream broken;
  broken.setstate(std::ios::badbit);
  EXPECT_EQ(message_of([&] { save(one, broken); }), "save: cannot write to the stream");
}

TEST(Archive, ALoneTensorTakesAnotherOnesPlace) {
  std::stringstream stream;
  save(floats({1, 2, 3}), stream);
  save(floats({4, 5, 6}), stream);
  save(floats({7, 8}), stream);
  Variable tensor(Array::empty({2, 2}, kInt64));
  const Variable handle = tensor;
  load(tensor, stream);
  EXPECT_EQ(handle.dtype(), kFloat32);
  EXPECT_THAT(values<float>(handle.array()), ElementsAre(1, 2, 3));
  const float* const place = tensor.data_ptr<float>();
  load(tensor, stream);
  EXPECT_EQ(handle.data_ptr<float>(), place);  // in place where it fits
  EXPECT_THAT(values<float>(handle.array()), ElementsAre(4, 5, 6));
  Variable view = tensor.narrow(0, 1, 1);
  EXPECT_EQ(message_of([&] { load(view, stream); }),
            "load: in the stream is a tensor of shape [2] and dtype Float, expected [1] and Float, "
            "for only a leaf that is no view can become another");
  EXPECT_THAT(values<float>(handle.array()), ElementsAre(4, 5, 6));
}

TEST(Archive, WriterAndReaderFunctions) {
  OutputArchive out = small_model();
  std::string bytes;
  out.save_to([&](const void* data, std::size_t size) {
    bytes.append(static_cast<const char*>(data), size);
    return size;
  });
  EXPECT_EQ(message_of([&] { out.save_to([](const void*, std::size_t) { return 3; }); }),
            "save: the writer function took 3 of 8 bytes");
  const auto read = [&](std::uint64_t position, void* data, std::size_t size) {
    const std::size_t n = std::min<std::size_t>(size, bytes.size() - position);
    std::memcpy(data, bytes.data() + position, n);
    return n;
  };
  InputArchive in;
  in.load_from(read, [&] { return bytes.size(); });
  EXPECT_EQ(in.tensor_keys().size(), 3u);
  // A size that is a lie allocates no more than there is.
  EXPECT_THAT(message_of([&] { in.load_from(read, [] { return std::size_t{1} << 60; }); }),
              HasSubstr("is truncated"));
  EXPECT_THAT(message_of([&] {
                in.load_from(
                    read, [&] { return bytes.size(); }, kCUDA);
              }),
              HasSubstr("cuda"));
}

// ---- loading all or nothing ----

TEST(LoadTransaction, ListsEveryProblemAndChangesNothing) {
  OutputArchive out = small_model();
  const std::string bytes = saved(out);
  InputArchive in, layer;
  in.load_from(bytes.data(), bytes.size());
  Variable weight(random_array({3, 2}, kFloat32, 5)),
      bias = Variable(random_array({3}, kFloat64, 6));
  Variable scale = floats({1});
  const std::vector<double> before = values<double>(bias.array());
  bool deferred = false;
  EXPECT_EQ(message_of([&] {
              LoadTransaction transaction(in);
              in.read("layer1", layer);
              layer.read("weight", weight);
              layer.read("scale", scale);
              in.read("bias", bias);
              in.defer([&] { deferred = true; });
              transaction.commit();
            }),
            "load: the given memory does not fit what it is loaded into; nothing was changed\n"
            "  missing keys: layer1.scale\n"
            "  No such serialized tensor 'layer1.scale'\n"
            "  unexpected keys: layer1.count\n"
            "  mismatch: layer1.weight has shape [2, 3], expected [3, 2]");
  EXPECT_EQ(values<double>(bias.array()), before);
  EXPECT_FALSE(deferred);
  in.read("bias", bias);
  EXPECT_NE(values<double>(bias.array()), before);
}

TEST(LoadTransaction, WritesInPlaceThroughAnyLayout) {
  OutputArchive out;
  out.write("t", Variable(array_of<float>({1, 2, 3, 4, 5, 6}, {2, 3})));
  const std::string bytes = saved(out);
  Array storage = array_of<float>({0, 0, 0, 0, 0, 0}, {3, 2});
  Variable target(storage.transpose(0, 1));
  const auto version = target._version();
  InputArchive in;
  in.load_from(bytes.data(), bytes.size());
  in.read("t", target);
  EXPECT_THAT(values<float>(storage), ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_GT(target._version(), version);
  Variable expanded(array_of<float>({0}, {1, 1}).expand({2, 3}));
  EXPECT_THAT(message_of([&] { in.read("t", expanded); }), HasSubstr("an expanded tensor"));
  Variable wrong(Array::empty({2, 3}, kFloat64));
  EXPECT_EQ(message_of([&] { in.read("t", wrong); }),
            "load: in the given memory t has dtype Float, expected Double");
}

TEST(LoadTransaction, FailedLoadOfATensorLeavesIt) {
  OutputArchive out;
  out.write("0", floats({5}));
  out.write("more", floats({6}));
  std::stringstream stream(saved(out));
  Variable tensor;
  EXPECT_THAT(message_of([&] { load(tensor, stream); }), HasSubstr("unexpected keys: more"));
  EXPECT_FALSE(tensor.defined());
}

}  // namespace
}  // namespace tapedeck
