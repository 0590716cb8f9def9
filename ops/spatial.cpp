#include <tapedeck/ops/spatial.h>

namespace tapedeck::detail {

Variable SpatialForm::lift(Variable x) const {
  if (dims_ == 1) x = x.unsqueeze(-2);
  return batched_ ? x : x.unsqueeze(0);
}

Variable SpatialForm::lift_weight(Variable weight) const {
  return dims_ == 1 ? weight.unsqueeze(-2) : weight;
}

Variable SpatialForm::lower(Variable y) const {
  if (!batched_) y = y.squeeze(0);
  return dims_ == 1 ? y.squeeze(-2) : y;
}

void read_pair(const char* op, const char* what, int dims, IntArrayRef list, std::int64_t* pair) {
  const auto wanted = static_cast<std::size_t>(dims);
  TAPEDECK_CHECK(list.size() == 1 || list.size() == wanted, op, ": expected ", what, " to have 1",
                 dims == 1 ? "" : " or 2", " values, got ", list);
  for (std::size_t i = 0; i < wanted; ++i) pair[2 - wanted + i] = list[list.size() == 1 ? 0 : i];
}

}  // namespace tapedeck::detail
