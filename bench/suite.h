#pragma once

#include <functional>
#include <string>

#include <benchmark/benchmark.h>

namespace bench {

/// What each benchmark program defines: registers its cases. main.cpp calls it.
void add_all();

/// Registers one case. Cases of the same name in the programs of several libraries are compared.
/// Measured by the clock on the wall, since several threads take part.
inline benchmark::internal::Benchmark* add(const std::string& name,
                                           std::function<void(benchmark::State&)> body) {
  return benchmark::RegisterBenchmark(name.c_str(), std::move(body))
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
}

/// Shows billions of floating-point operations each second; `flops` is for one iteration.
inline void count_flops(benchmark::State& state, double flops) {
  state.counters["GFLOP/s"] =
      benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

/// Shows gigabytes read and written each second; `bytes` is for one iteration.
inline void count_bytes(benchmark::State& state, double bytes) {
  state.counters["GB/s"] =
      benchmark::Counter(bytes * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace bench
