#include <tapedeck/data/batch_random.h>

#include <mutex>

#include <tapedeck/array/error.h>
#include <tapedeck/array/generator.h>
#include <tapedeck/ops/random.h>

namespace tapedeck::data {

namespace {

thread_local std::optional<std::uint64_t> batch_state;

// Steele, Lea and Flood 2014: splitmix64.
std::uint64_t mix(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

double random_uniform() {
  if (batch_state) return static_cast<double>(mix(*batch_state) >> 11) * 0x1p-53;
  return rand({}, kFloat64).item<double>();
}

std::int64_t random_below(std::int64_t bound) {
  TAPEDECK_CHECK(bound > 0, "random_below: expected a positive bound, got ", bound);
  const auto value = static_cast<std::int64_t>(random_uniform() * static_cast<double>(bound));
  return value < bound ? value : bound - 1;
}

namespace detail {

BatchRandomScope::BatchRandomScope(std::uint64_t seed, std::uint64_t epoch, std::uint64_t batch)
    : previous_(batch_state) {
  std::uint64_t state = seed;
  state = mix(state) ^ epoch;
  state = mix(state) ^ batch;
  batch_state = mix(state);
}
BatchRandomScope::~BatchRandomScope() { batch_state = previous_; }

std::uint64_t default_seed() {
  const Generator& generator = tapedeck::detail::getDefaultCPUGenerator();
  const std::lock_guard lock(generator.mutex());
  return generator.current_seed();
}

}  // namespace detail
}  // namespace tapedeck::data
