#include <tapedeck/data/subset.h>

#include <algorithm>

#include <tapedeck/ops/random.h>

namespace tapedeck::data::datasets::detail {

std::vector<std::size_t> random_permutation(std::size_t n) {
  const Variable order = randperm(static_cast<std::int64_t>(n));
  const std::int64_t* values = order.data_ptr<std::int64_t>();
  return std::vector<std::size_t>(values, values + n);
}

std::size_t part_of(std::size_t index, const std::vector<std::size_t>& ends) {
  return static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), index) - ends.begin());
}

}  // namespace tapedeck::data::datasets::detail
