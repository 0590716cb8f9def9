// Files of data and images with every length cut off and bits flipped: a tensor or an Error that
// names the file, nothing else.
#include <zlib.h>

#include <fstream>
#include <functional>
#include <random>

#include <tests/support/temporary_folder.h>

#include <tapedeck/tapedeck.h>

namespace tapedeck {
namespace {

using testing::TemporaryFolder;

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

struct Kind {
  const char* name;
  std::function<void(const std::string& path)> write;
  std::function<void(const std::string& path)> read;
  int end_mark = 0;  ///< bytes at the end that carry nothing
};

void write_idx(const std::string& path, const char* mode) {
  const std::string head{0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 5};
  gzFile file = gzopen(path.c_str(), mode);
  for (const std::string& part : {head, std::string(40, 'x')})
    gzwrite(file, part.data(), static_cast<unsigned>(part.size()));
  gzclose(file);
}

const Kind kKinds[] = {
    {"x-idx3-ubyte", [](const std::string& path) { write_idx(path, "wbT"); },
     [](const std::string& path) { data::read_idx(path); }},
    {"x-idx3-ubyte.gz", [](const std::string& path) { write_idx(path, "wb"); },
     [](const std::string& path) { data::read_idx(path); }},
    {"x.png",
     [](const std::string& path) {
       io::save_image(randint(256, {3, 6, 5}, kUInt8), path);
     },
     [](const std::string& path) { io::read_image(path); }, 12},
    {"x.pt",
     [](const std::string& path) {
       save(std::vector<Tensor>{ones({2, 3}), eye(2)}, path);
     },
     [](const std::string& path) {
       std::vector<Tensor> list;
       load(list, path);
     }},
};

TEST(DamagedFiles, GiveATensorOrAnErrorThatNamesThem) {
  TemporaryFolder folder;
  std::mt19937 random(1);
  for (const Kind& kind : kKinds) {
    const std::string path = folder.file(kind.name);
    kind.write(path);
    const std::string whole = bytes_of(path);
    ASSERT_NO_THROW(kind.read(path)) << kind.name;
    int errors = 0;
    const auto survive = [&](const std::string& damaged, const std::string& how) {
      std::ofstream(path, std::ios::binary) << damaged;
      try {
        kind.read(path);
      } catch (const Error& error) {
        ++errors;
        EXPECT_NE(std::string(error.what()).find(kind.name), std::string::npos)
            << how << ": " << error.what();
      } catch (const std::exception& error) {
        ADD_FAILURE() << kind.name << ", " << how << ", threw something else: " << error.what();
      }
    };
    for (std::size_t length = 0; length < whole.size(); ++length)
      survive(whole.substr(0, length), "cut to " + std::to_string(length));
    EXPECT_GE(errors, static_cast<int>(whole.size()) - kind.end_mark)
        << kind.name << " was read though cut off";
    for (std::size_t bit = 0; bit<8 * whole.size(); bit += whole.size()> 500 ? 7 : 1) {
      std::string damaged = whole;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      survive(damaged, "bit " + std::to_string(bit));
    }
    for (int round = 0; round < 200; ++round) {
      std::string damaged = whole;
      for (int i = 0; i < 4; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
      survive(damaged, "round " + std::to_string(round));
    }
  }
}

}  // namespace
}  // namespace tapedeck
