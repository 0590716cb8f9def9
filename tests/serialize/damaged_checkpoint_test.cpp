// Checkpoints that are damaged, and saves that are interrupted: an Error and everything as it was,
// or the right result.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>

#include <gtest/gtest.h>

#include <tests/support/message_of.h>
#include <tests/support/temporary_folder.h>

#include <tapedeck/tapedeck.h>

namespace tapedeck {
namespace {

using testing::message_of;
using testing::TemporaryFolder;

template <typename Value>
std::string saved(const Value& value) {
  std::ostringstream out;
  save(value, out);
  return out.str();
}

// The checksum of the header set right again, so that what lies behind it is reached.
std::string with_checksum(std::string file) {
  std::uint64_t size = 0;
  if (file.size() < sizeof size) return file;
  std::memcpy(&size, file.data(), sizeof size);
  if (size > file.size() - sizeof size) return file;
  std::string header = file.substr(sizeof size, size);
  const std::string field = "\"tapedeck.header_crc32\":\"";
  const std::size_t at = header.find(field);
  if (at == std::string::npos || at + field.size() + 8 > header.size()) return file;
  header.replace(at + field.size(), 8, "00000000");
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08lx",
                ::crc32_z(0, reinterpret_cast<const Bytef*>(header.data()), header.size()));
  header.replace(at + field.size(), 8, digits);
  return file.replace(sizeof size, size, header);
}

class Damage {
 public:
  std::string operator()(std::string file) {
    for (std::size_t n = 1 + pick(3); n > 0 && !file.empty(); --n) once(file);
    return pick(4) > 0 ? with_checksum(std::move(file)) : file;
  }

 private:
  std::size_t pick(std::size_t n) { return random_() % n; }

  void once(std::string& file) {
    const std::size_t at =
        pick(pick(2) == 0 ? file.size() : std::min<std::size_t>(file.size(), 900));
    switch (pick(8)) {
      case 0:
        file[at] = static_cast<char>(file[at] ^ (1 << pick(8)));
        break;
      case 1:
        file[at] = static_cast<char>(pick(256));
        break;
      case 2:
        file.resize(at);
        break;
      case 3:
        file.insert(at, std::string(1 + pick(9), static_cast<char>(pick(256))));
        break;
      case 4:
        file.erase(at, 1 + pick(9));
        break;
      case 5:
        file.insert(at, file.substr(pick(file.size()), pick(64)));
        break;
      case 6:
        replace_number(file, at);
        break;
      default: {
        const std::uint64_t sizes[] = {~std::uint64_t{0}, file.size(), pick(2000), 0, random_()};
        std::memcpy(file.data(), &sizes[pick(5)], std::min<std::size_t>(8, file.size()));
      }
    }
  }
  void replace_number(std::string& file, std::size_t at) {
    const char* const instead[] = {"0",
                                   "-1",
                                   "9223372036854775807",
                                   "18446744073709551615",
                                   "1e9",
                                   "3.5",
                                   "99999999999999999999",
                                   "[[[[[[",
                                   "null",
                                   "{}",
                                   "\"",
                                   ""};
    const auto is_digit = [](char c) { return '0' <= c && c <= '9'; };
    const auto begin =
        std::find_if(file.begin() + static_cast<std::ptrdiff_t>(at), file.end(), is_digit);
    const auto end = std::find_if_not(begin, file.end(), is_digit);
    file.replace(begin, end, instead[pick(12)]);
  }

  std::mt19937_64 random_{1};
};

// Loads damaged copies of `whole`: an error names the file and leaves `state` as it was.
void survive(const std::string& whole, int rounds,
             const std::function<void(const std::string&)>& load,
             const std::function<std::string()>& state) {
  TemporaryFolder folder;
  const std::string path = folder.file("damaged.pt");
  Damage damage;
  std::string before = state();
  for (int round = 0; round < rounds; ++round) {
    std::ofstream(path, std::ios::binary) << damage(whole);
    try {
      load(path);
      before = state();
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("damaged.pt"), std::string::npos) << error.what();
      EXPECT_TRUE(state() == before) << "round " << round << ": " << error.what();
    }
  }
}

nn::Sequential small_model() {
  return nn::Sequential(nn::Conv2d(1, 2, 2), nn::BatchNorm2d(2), nn::Flatten(), nn::Linear(2, 2));
}

template <typename Optimizer>
void step(Optimizer& optimizer, nn::Sequential& model) {
  optimizer.step([&] {
    optimizer.zero_grad();
    Tensor loss = model->forward(randn({3, 1, 2, 2})).square().sum();
    loss.backward();
    return loss;
  });
}

TEST(DamagedCheckpoint, LeavesAModuleAsItWas) {
  nn::Sequential source = small_model(), target = small_model();
  survive(
      saved(source), 500, [&](const std::string& path) { load(target, path); },
      [&] { return saved(target); });
}

template <typename Optimizer, typename Options>
void check_optimizer(const Options& options) {
  nn::Sequential model = small_model(), other = small_model();
  Optimizer source(model->parameters(), options), target(other->parameters(), options);
  step(source, model);
  step(target, other);
  survive(
      saved(source), 200, [&](const std::string& path) { load(target, path); },
      [&] { return saved(target); });
}

TEST(DamagedCheckpoint, LeavesAnOptimizerAsItWas) {
  check_optimizer<optim::SGD>(optim::SGDOptions(0.1).momentum(0.9));
  check_optimizer<optim::Adam>(optim::AdamOptions(0.1));
  check_optimizer<optim::LBFGS>(optim::LBFGSOptions(0.1).max_iter(3));
}

// A process that only writes: whatever the other threads of this one hold does not concern it.
pid_t start(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  try {
    body();
    ::_exit(0);
  } catch (const Error&) {
    ::_exit(3);
  } catch (...) {
    ::_exit(4);
  }
}

Tensor all_same(const std::string& path) {
  Tensor t;
  load(t, path);
  EXPECT_EQ(t.numel(), 50000);
  EXPECT_TRUE(t.eq(t[0]).all().item<bool>());
  return t;
}

TEST(InterruptedSave, KilledAtAnyMomentLeavesAWholeFile) {
  TemporaryFolder folder;
  const std::string path = folder.file("model.pt");
  save(zeros({50000}), path);
  for (int round = 0; round < 20; ++round) {
    const pid_t child = start([&] {
      for (int i = 1;; ++i) save(full({50000}, i), path);
    });
    ASSERT_GT(child, 0);
    ::usleep(static_cast<useconds_t>(500 + 700 * round));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    all_same(path);
  }
  // Of a save that was killed only the documented temporary file may be left.
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(path).parent_path())) {
    const std::string name = entry.path().filename();
    EXPECT_TRUE(name == "model.pt" || (name.rfind("model.pt.", 0) == 0 && name.ends_with(".tmp")))
        << name;
  }
}

TEST(InterruptedSave, AFullDiskLeavesTheOldFileAndNoOther) {
  TemporaryFolder folder;
  const std::string path = folder.file("model.pt");
  save(full({50000}, 7), path);
  const pid_t child = start([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100000, 100000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    save(full({50000}, 8), path);
  });
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 3) << "expected an Error";
  EXPECT_EQ(all_same(path)[0].item<float>(), 7);
  int files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(path).parent_path())) {
    static_cast<void>(entry);
    ++files;
  }
  EXPECT_EQ(files, 1);
}

TEST(InterruptedSave, SaysWhereItCannotWrite) {
  EXPECT_EQ(message_of([] { save(ones({2}), "/nonexistent/model.pt"); }),
            "save: cannot write '/nonexistent/model.pt': No such file or directory");
  EXPECT_EQ(message_of([] { save(ones({2000}), "/dev/full"); }),
            "save: cannot write '/dev/full': No space left on device");
}

}  // namespace
}  // namespace tapedeck
