#pragma once

#include <cstdint>
#include <optional>

namespace tapedeck::data {

/// Random numbers for transforms. Within a loader they depend on the seed of the default generator,
/// the epoch and the batch's number, but not on which thread makes the batch, nor do they move the
/// default generator; outside of one they are drawn from the default generator.
/// Uniform integers of [0, bound). \throws Error for bound < 1.
std::int64_t random_below(std::int64_t bound);
/// Uniform on [0, 1).
double random_uniform();

namespace detail {

/// While it lives, transforms on this thread draw the numbers of this batch.
class BatchRandomScope {
 public:
  BatchRandomScope(std::uint64_t seed, std::uint64_t epoch, std::uint64_t batch);
  ~BatchRandomScope();
  BatchRandomScope(const BatchRandomScope&) = delete;
  BatchRandomScope& operator=(const BatchRandomScope&) = delete;

 private:
  std::optional<std::uint64_t> previous_;
};

/// The seed of the default generator.
std::uint64_t default_seed();

}  // namespace detail
}  // namespace tapedeck::data
