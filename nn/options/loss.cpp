#include <tapedeck/nn/options/loss.h>

#include <utility>

namespace tapedeck::nn {

TripletMarginWithDistanceLossOptions& TripletMarginWithDistanceLossOptions::distance_function(
    std::optional<distance_function_t> value) {
  distance_function_ = std::move(value);
  return *this;
}

}  // namespace tapedeck::nn
