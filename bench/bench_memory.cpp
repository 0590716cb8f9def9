// The most memory that a process holds which trains a network, after three steps and after thirty.
#include <cstdio>
#include <stdexcept>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include "bench/suite.h"
#include "bench/training_cases.h"

namespace {

// VmHWM, in megabytes.
double peak_megabytes() {
  std::FILE* const status = std::fopen("/proc/self/status", "r");
  if (!status) throw std::runtime_error("cannot read /proc/self/status");
  char line[256];
  double kilobytes = 0;
  while (std::fgets(line, sizeof line, status))
    if (std::sscanf(line, "VmHWM: %lf", &kilobytes) == 1) break;
  std::fclose(status);
  return kilobytes / 1024;
}

struct Peaks {
  double after_3 = 0, after_30 = 0;
};

Peaks train(const bench::TrainingCase& training) {
  const std::function<void()> step = training.make();
  Peaks peaks;
  for (int i = 1; i <= 30; ++i) {
    step();
    if (i == 3) peaks.after_3 = peak_megabytes();
  }
  peaks.after_30 = peak_megabytes();
  return peaks;
}

// Each network has a process of its own. It is forked before there are any threads.
Peaks train_in_child(const bench::TrainingCase& training) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("cannot open a pipe");
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("cannot fork");
  if (child == 0) {
    const Peaks peaks = train(training);
    _exit(write(ends[1], &peaks, sizeof peaks) == sizeof peaks ? 0 : 1);
  }
  close(ends[1]);
  Peaks peaks;
  const bool complete = read(ends[0], &peaks, sizeof peaks) == sizeof peaks;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!complete || status != 0) throw std::runtime_error(training.name + " did not end well");
  return peaks;
}

}  // namespace

void bench::add_all() {
  for (const TrainingCase& training : training_cases())
    add("memory/" + training.name, [=](benchmark::State& state) {
      Peaks peaks;
      for (auto _ : state) peaks = train_in_child(training);
      state.counters["MB"] = peaks.after_30;
      state.counters["MB after 3 steps"] = peaks.after_3;
    })->Iterations(1);
}
