#pragma once

#include <tuple>

#include <tapedeck/array/error.h>

namespace tapedeck::optim {

/// \throws Error "Invalid <what>: <value>".
inline void check_not_negative(const char* what, double value) {
  TAPEDECK_CHECK(value >= 0, "Invalid ", what, ": ", value);
}

inline void check_betas(const std::tuple<double, double>& betas) {
  const auto [beta1, beta2] = betas;
  TAPEDECK_CHECK(0 <= beta1 && beta1 < 1, "Invalid beta parameter at index 0: ", beta1);
  TAPEDECK_CHECK(0 <= beta2 && beta2 < 1, "Invalid beta parameter at index 1: ", beta2);
}

}  // namespace tapedeck::optim
