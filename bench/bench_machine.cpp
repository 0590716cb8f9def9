// What the machine itself can do, for the rates of all others to be compared with: fused
// multiplications and additions that wait for nothing, and a stream of sums through memory.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/bench_machine.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <hwy/highway.h>

#include <vector>

#include <tapedeck/array/parallel.h>

#include "bench/suite.h"

HWY_BEFORE_NAMESPACE();
namespace bench {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Twelve chains of `rounds` each hide the latency of two units. Each starts from another value: the
// compiler would compute equal ones once. Returns the number of operations.
double MultiplyAdd(std::int64_t rounds, float* result) {
  const hn::ScalableTag<float> d;
  const auto factor = hn::Set(d, 0.999f), term = hn::Set(d, *result);
  const auto start = [&](float chain) { return hn::Set(d, *result + chain); };
  auto a = start(0), b = start(1), c = start(2), e = start(3), f = start(4), g = start(5),
       h = start(6), i = start(7), j = start(8), k = start(9), l = start(10), m = start(11);
  for (std::int64_t round = 0; round < rounds; ++round) {
    a = hn::MulAdd(a, factor, term);
    b = hn::MulAdd(b, factor, term);
    c = hn::MulAdd(c, factor, term);
    e = hn::MulAdd(e, factor, term);
    f = hn::MulAdd(f, factor, term);
    g = hn::MulAdd(g, factor, term);
    h = hn::MulAdd(h, factor, term);
    i = hn::MulAdd(i, factor, term);
    j = hn::MulAdd(j, factor, term);
    k = hn::MulAdd(k, factor, term);
    l = hn::MulAdd(l, factor, term);
    m = hn::MulAdd(m, factor, term);
  }
  const auto sum = a + b + c + e + f + g + h + i + j + k + l + m;
  *result = hn::GetLane(hn::SumOfLanes(d, sum));
  return 2.0 * 12 * static_cast<double>(rounds) * static_cast<double>(hn::Lanes(d));
}

void Triad(const float* x, const float* y, float* sum, std::int64_t n) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 0; i + lanes <= n; i += lanes)
    hn::StoreU(hn::MulAdd(hn::LoadU(d, x + i), hn::Set(d, 0.5f), hn::LoadU(d, y + i)), d, sum + i);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace bench
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bench {
namespace {

HWY_EXPORT(MultiplyAdd);
HWY_EXPORT(Triad);

void multiply_add(benchmark::State& state) {
  const std::int64_t threads = tapedeck::get_num_threads();
  double flops = 0;
  for (auto _ : state) {
    std::vector<double> counts(static_cast<std::size_t>(threads));
    tapedeck::parallel_for(threads, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        float result = 1 + static_cast<float>(i);  // from zero, chains would decay to denormals
        counts[static_cast<std::size_t>(i)] = HWY_DYNAMIC_DISPATCH(MultiplyAdd)(1 << 20, &result);
        benchmark::DoNotOptimize(result);
      }
    });
    flops = 0;
    for (const double count : counts) flops += count;
  }
  count_flops(state, flops);
}

// Three arrays of 128 MB: more than caches hold.
void triad(benchmark::State& state) {
  constexpr std::int64_t kSize = 1 << 25;
  std::vector<float> x(kSize, 1.0f), y(kSize, 2.0f), sum(kSize);
  for (auto _ : state) {
    tapedeck::parallel_for(kSize, 1 << 16, [&](std::int64_t begin, std::int64_t end) {
      HWY_DYNAMIC_DISPATCH(Triad)
      (x.data() + begin, y.data() + begin, sum.data() + begin, end - begin);
    });
    benchmark::DoNotOptimize(sum.data());
  }
  count_bytes(state, 3.0 * sizeof(float) * kSize);
}

}  // namespace

void add_all() {
  add("machine/multiply_add", multiply_add);
  add("machine/triad", triad);
}

}  // namespace bench
#endif
