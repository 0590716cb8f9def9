#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <tapedeck/array/array_ref.h>
#include <tapedeck/nn/expanding_array.h>

// How Python prints values, for the printed forms of modules and optimisers.

namespace tapedeck::python {

/// repr of a float: "0.1", "1.0", "1e-05".
std::string of_float(double value);
/// The same, without ".0": where Python code usually has an integer.
std::string of_number(double value);
inline std::string of_bool(bool value) { return value ? "True" : "False"; }
/// "(2, 3)", "(2,)".
std::string of_tuple(IntArrayRef values);

/// "2" where one value was given for all, else a tuple.
template <std::size_t D>
std::string of(const ExpandingArray<D>& values) {
  return values.is_single() ? std::to_string((*values)[0]) : of_tuple(values);
}
template <std::size_t D>
std::string of(const ExpandingArrayWithOptionalElem<D>& values) {
  const auto text = [](const std::optional<std::int64_t>& v) {
    return v ? std::to_string(*v) : std::string("None");
  };
  if (values.is_single()) return text((*values)[0]);
  std::string result = "(" + text((*values)[0]);
  for (std::size_t i = 1; i < D; ++i) result += ", " + text((*values)[i]);
  return result + (D == 1 ? ",)" : ")");
}

}  // namespace tapedeck::python
