// Measures two libraries, or two builds of one, in turns in the same process: case by case, so that
// both meet the same machine in the same second. Prints the ratio of the medians.
#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <regex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/sweep/module.h"

namespace {

constexpr const char* kUsage =
    "sweep <module> <other module> [options]: how many times as long the other one takes\n"
    "  --suite layers     or random-<seed>-<count>, train, memory, random-memory-<seed>-<count>,\n"
    "                     products, random-products-<seed>-<count>\n"
    "  --what layer       of convolutions: layer, first, forward, grad_input, grad_weight\n"
    "  --precision highest\n"
    "  --threads 1\n"
    "  --filter <regex>   only these cases (kind/name)\n"
    "  --every 1          only every so many-th of them, beginning with --from 0\n"
    "  --budget 0.15      seconds for each case\n"
    "  --rounds 7         turns of each library\n"
    "  --rest 50          milliseconds between turns of several threads, so that those of the one\n"
    "                     library which still wait for work fall asleep before the other's turn\n"
    "  --below <ratio>    prints cases below it only\n";

struct Options {
  std::string suite = "layers", what = "layer", precision = "highest", filter;
  int threads = 1, rounds = 7, every = 1, from = 0, rest = 50;
  double budget = 0.15, below = 1e9;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 3; i < argc; i += 2) {
    const std::string name = argv[i];
    if (i + 1 == argc) throw std::runtime_error("sweep: " + name + " wants a value");
    const std::string value = argv[i + 1];
    if (name == "--suite")
      options.suite = value;
    else if (name == "--what")
      options.what = value;
    else if (name == "--precision")
      options.precision = value;
    else if (name == "--filter")
      options.filter = value;
    else if (name == "--threads")
      options.threads = std::stoi(value);
    else if (name == "--rounds")
      options.rounds = std::stoi(value);
    else if (name == "--every")
      options.every = std::stoi(value);
    else if (name == "--from")
      options.from = std::stoi(value);
    else if (name == "--rest")
      options.rest = std::stoi(value);
    else if (name == "--budget")
      options.budget = std::stod(value);
    else if (name == "--below")
      options.below = std::stod(value);
    else
      throw std::runtime_error("sweep: no option is called " + name);
  }
  return options;
}

const bench::SweepModule& load(const char* path) {
  // Each half uses the copy of every symbol that it was linked with.
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  if (library == nullptr) throw std::runtime_error(std::string("sweep: ") + dlerror());
  void* function = dlsym(library, bench::kSweepModuleFunction);
  if (function == nullptr)
    throw std::runtime_error(std::string("sweep: ") + path + " is not half of a sweep");
  return *reinterpret_cast<bench::SweepModuleFunction>(function)();
}

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// One case of one half.
class Prepared {
 public:
  Prepared(const bench::SweepModule& module, int index)
      : module_(module), prepared_(module.prepare(index)) {}
  ~Prepared() { module_.release(prepared_); }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  // The first runs fetch memory from the system.
  void warm_up(double budget, int rounds) {
    time(2);
    const double once = time(1);
    times_ = static_cast<int>(std::clamp(budget / 2 / rounds / once, 1.0, 1e6));
  }
  void take_turn() { turns_.push_back(time(times_)); }
  double result() const { return median(turns_); }

 private:
  double time(int times) {
    const double begin = seconds();
    for (int i = 0; i < times; ++i) module_.run(prepared_);
    return (seconds() - begin) / times;
  }

  const bench::SweepModule& module_;
  void* prepared_;
  int times_ = 1;
  std::vector<double> turns_;
};

struct Group {
  int count = 0, below = 0;
  double sum = 0, lowest = 1e9;
  void add(double ratio) {
    ++count;
    sum += std::log(ratio);
    if (ratio < 0.95) ++below;
    lowest = std::min(lowest, ratio);
  }
  void print(const std::string& name) const {
    std::printf("%-14s %5d cases  mean %5.2f  lowest %5.2f  below 0.95: %d\n", name.c_str(), count,
                std::exp(sum / count), lowest, below);
  }
};

int run(int argc, char** argv) {
  if (argc < 3) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  const Options options = parse(argc, argv);
  const bench::SweepModule& ours = load(argv[1]);
  const bench::SweepModule& theirs = load(argv[2]);
  int count = 0;
  for (const bench::SweepModule* module : {&ours, &theirs}) {
    module->set_threads(options.threads);
    count = module->select(options.suite.c_str(), options.what.c_str(), options.precision.c_str());
    if (count < 0) throw std::runtime_error("sweep: no suite is called " + options.suite);
  }
  const std::regex filter(options.filter);
  const auto rest = [&] {
    if (options.threads > 1) std::this_thread::sleep_for(std::chrono::milliseconds(options.rest));
  };
  std::map<std::string, Group> groups;
  Group all;
  for (int i = options.from; i < count; i += options.every) {
    const std::string name = std::string(ours.kind(i)) + '/' + ours.name(i);
    if (!std::regex_search(name, filter)) continue;
    Prepared a(ours, i), b(theirs, i);
    a.warm_up(options.budget, options.rounds);
    rest();
    b.warm_up(options.budget, options.rounds);
    for (int round = 0; round < options.rounds; ++round) {
      rest();
      a.take_turn();
      rest();
      b.take_turn();
    }
    const double ratio = b.result() / a.result();
    groups[ours.kind(i)].add(ratio);
    all.add(ratio);
    if (ratio < options.below)
      std::printf("%6.3f %10.1f us %10.1f us  %s\n", ratio, a.result() * 1e6, b.result() * 1e6,
                  name.c_str());
    std::fflush(stdout);
  }
  for (const auto& [name, group] : groups) group.print(name);
  if (all.count > 0) all.print("all");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
