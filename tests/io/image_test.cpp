#include <png.h>

#include <cstring>
#include <fstream>

#include <tapedeck/io/image.h>
#include "tests/support/arrays.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace tapedeck::io {
namespace {

using tapedeck::testing::array_of;
using tapedeck::testing::message_of;
using tapedeck::testing::random_array;
using tapedeck::testing::TemporaryFolder;
using tapedeck::testing::values;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Shape = std::vector<std::int64_t>;

Variable bytes(IntArrayRef sizes) { return Variable(random_array(sizes, kUInt8, 1, 0, 256)); }

TEST(Image, BytesComeBackExactly) {
  TemporaryFolder folder;
  const std::string path = folder.file("x.png");
  for (std::int64_t channels : {1, 2, 3, 4}) {
    const Variable image = bytes({channels, 5, 7});
    save_image(image, path);
    const Variable back = read_image(path);
    EXPECT_EQ(back.sizes().vec(), (Shape{channels, 5, 7}));
    EXPECT_EQ(values<std::uint8_t>(back.array()), values<std::uint8_t>(image.array())) << channels;
  }
  const Variable flat = bytes({4, 6});
  save_image(flat, path);
  EXPECT_EQ(values<std::uint8_t>(read_image(path).array()), values<std::uint8_t>(flat.array()));
}

TEST(Image, FloatsAreRoundedAndClamped) {
  TemporaryFolder folder;
  const std::string path = folder.file("x.png");
  save_image(
      Variable(array_of<float>({-1, 0, 0.25f, 0.5f, 1, 7, std::nanf(""), 1.4f / 255}, {2, 4})),
      path);
  EXPECT_THAT(values<std::uint8_t>(read_image(path).array()),
              ElementsAre(0, 0, 64, 128, 255, 255, 0, 1));
  save_image(Variable(array_of<double>({0.5}, {1, 1, 1, 1})), path);
  EXPECT_THAT(values<std::uint8_t>(read_image(path).array()), ElementsAre(128));
}

// Behaviour B3: a look at six samples.
TEST(BehaviourB3, GridOfSixSamples) {
  TemporaryFolder folder;
  const std::string path = folder.file("samples.png");
  Array samples = Array::empty({6, 1, 28, 28}, kFloat32);
  for (std::int64_t i = 0; i < samples.numel(); ++i)
    samples.data<float>()[i] = static_cast<float>(i / 784) / 5;
  save_image(Variable(samples), path, GridOptions(3));
  const Variable picture = read_image(path);
  EXPECT_EQ(picture.sizes().vec(), (Shape{3, 2 * 30 + 2, 3 * 30 + 2}));
  const auto at = [&](std::int64_t y, std::int64_t x) {
    return static_cast<int>(picture.array().data<std::uint8_t>()[y * 92 + x]);
  };
  EXPECT_EQ(at(1, 40), 0);
  EXPECT_EQ(at(10, 40), 51);
  EXPECT_EQ(at(40, 10), 153);
  EXPECT_EQ(at(40, 70), 255);
  EXPECT_EQ(at(40, 91), 0);
}

TEST(MakeGrid, LaysOutAndNormalizes) {
  const Variable images(array_of<float>({1, 2, 3, 4, 5, 6}, {3, 2, 1, 1}));
  const Variable grid = make_grid(images, GridOptions(2, 1).pad_value(9));
  EXPECT_EQ(grid.sizes().vec(), (Shape{2, 5, 5}));
  EXPECT_THAT(
      values<float>(grid.array().select(0, 0)),
      ElementsAre(9, 9, 9, 9, 9, 9, 1, 9, 3, 9, 9, 9, 9, 9, 9, 9, 5, 9, 9, 9, 9, 9, 9, 9, 9));
  const auto normalized = [&](GridOptions options) {
    return values<float>(make_grid(images, options.padding(0).nrow(3).normalize(true)).array());
  };
  EXPECT_THAT(normalized(GridOptions()), ElementsAre(0, 0.4f, 0.8f, 0.2f, 0.6f, 1));
  EXPECT_THAT(normalized(GridOptions().scale_each(true)), ElementsAre(0, 0, 0, 1, 1, 1));
  EXPECT_THAT(normalized(GridOptions().value_range(GridOptions::Range(2, 4))),
              ElementsAre(0, 0.5f, 1, 0, 1, 1));
  EXPECT_THAT(values<float>(images.array()), ElementsAre(1, 2, 3, 4, 5, 6));
  // One channel becomes three; one image gets no border.
  EXPECT_EQ(make_grid(Variable(random_array({1, 4, 5}, kFloat32, 1))).sizes().vec(),
            (Shape{3, 4, 5}));
  const Variable image(random_array({3, 4, 5}, kFloat32, 1));
  EXPECT_EQ(make_grid(std::vector<Variable>{image, image}).sizes().vec(), (Shape{3, 8, 16}));
}

TEST(Image, ErrorsNameWhatIsWrong) {
  TemporaryFolder folder;
  const std::string path = folder.file("x.png");
  const auto save_error = [&](const Variable& image, GridOptions options = {}) {
    return message_of([&] { save_image(image, path, options); });
  };
  EXPECT_THAT(save_error(bytes({5})),
              HasSubstr("expected [N, C, H, W], [C, H, W] or [H, W], got [5]"));
  EXPECT_THAT(save_error(bytes({5, 2, 2})), HasSubstr("expected 1 to 4 channels, got 5"));
  EXPECT_THAT(save_error(bytes({1, 0, 2})), HasSubstr("there is nothing"));
  EXPECT_THAT(save_error(Variable()), HasSubstr("undefined"));
  EXPECT_THAT(save_error(bytes({3, 1, 2, 2}), GridOptions(0)), HasSubstr("positive nrow"));
  EXPECT_THAT(save_error(bytes({2, 2}), GridOptions().normalize(true)),
              HasSubstr("normalize expects floating point"));
  EXPECT_THAT(save_error(Variable(random_array({2, 2}, kInt64, 1))), HasSubstr("got Long"));
  EXPECT_THAT(message_of([&] {
                save_image(bytes({2, 2}), folder.file("no/x.png"));
              }),
              HasSubstr("save_image: cannot write '" + folder.file("no/x.png")));

  const auto read_error = [&](const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
    const std::string message = message_of([&] { read_image(path); });
    EXPECT_THAT(message, HasSubstr("read_image: '" + path + "'"));
    return message;
  };
  EXPECT_THAT(read_error(""), HasSubstr("is empty"));
  EXPECT_THAT(read_error("GIF89a........"), HasSubstr("is not a PNG file"));
  save_image(bytes({3, 9, 8}), path);
  std::ifstream in(path, std::ios::binary);
  const std::string whole(std::istreambuf_iterator<char>(in), {});
  // All but the end marker is needed.
  for (std::size_t n = 0; n + 12 < whole.size(); ++n)
    EXPECT_NE(read_error(whole.substr(0, n)), "no error") << n;
  for (std::size_t i = 8; i + 12 < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 16);
    std::ofstream(path, std::ios::binary) << damaged;
    message_of([&] { read_image(path); });
  }
  std::string huge = whole;
  std::memcpy(&huge[16], "\x7f\xff\xff\xff\x7f\xff\xff\xff", 8);
  read_error(huge);
}

}  // namespace
}  // namespace tapedeck::io
