// Batches of MNIST-like images from files in the format of MNIST, shuffled, normalised and stacked.
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include <unistd.h>

#include "bench/library.h"
#include "bench/suite.h"

namespace {

constexpr std::uint32_t kImages = 60000;

void write_idx(const std::filesystem::path& path, std::initializer_list<std::uint32_t> header,
               std::size_t count, unsigned values) {
  std::ofstream out(path, std::ios::binary);
  for (const std::uint32_t word : header)
    for (int shift = 24; shift >= 0; shift -= 8) out.put(static_cast<char>(word >> shift & 255));
  std::mt19937 random(1);
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random() % values);
  out << bytes;
}

// A folder of random images and labels, for as long as the program runs.
class Folder {
 public:
  Folder()
      : path_(std::filesystem::temp_directory_path() /
              ("tapedeck-bench-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(path_);
    write_idx(path_ / "train-images-idx3-ubyte", {2051, kImages, 28, 28}, kImages * 784, 256);
    write_idx(path_ / "train-labels-idx1-ubyte", {2049, kImages}, kImages, 10);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

void epoch(benchmark::State& state, std::size_t batch, std::size_t workers) {
  static const Folder folder;
  auto loader = lib::data::make_data_loader<lib::data::samplers::RandomSampler>(
      lib::data::datasets::MNIST(folder.path())
          .map(lib::data::transforms::Normalize<>(0.1307, 0.3081))
          .map(lib::data::transforms::Stack<>()),
      lib::data::DataLoaderOptions().batch_size(batch).workers(workers));
  for (auto _ : state)
    for (auto& example : *loader) benchmark::DoNotOptimize(example.data.data_ptr());
  state.counters["images"] = benchmark::Counter(static_cast<double>(kImages),
                                                benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace

void bench::add_all() {
  for (const std::size_t batch : {16, 100})
    for (const std::size_t workers : {0, 1})
      add("data/mnist_epoch/batch_" + std::to_string(batch) + "/workers_" + std::to_string(workers),
          [=](benchmark::State& state) { epoch(state, batch, workers); });
}
