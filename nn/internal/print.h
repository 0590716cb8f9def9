#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <typeinfo>

#include <tapedeck/array/array_ref.h>
#include <tapedeck/nn/enum.h>
#include <tapedeck/nn/expanding_array.h>
#include <tapedeck/nn/print_style.h>

// The printed forms of names and values in modules: Python's, or in the other style libtorch's.

namespace tapedeck::nn::text {

inline bool in_python() { return print_style() == PrintStyle::Python; }

/// "Linear"; "torch::nn::Linear".
std::string name(const std::string& of_class);
/// The type in full: "tapedeck::nn::LinearImpl", "tapedeck::Variable"; in libtorch's namespaces
/// "torch::nn::LinearImpl", "at::Tensor".
std::string of_type(const std::type_info& type);
/// "0.1", "1.0", "1e-05"; "0.1", "1", "1e-05".
std::string of_float(double value);
/// The same, without ".0": where Python code usually has an integer.
std::string of_number(double value);
/// "True"; "true".
std::string of_bool(bool value);
/// "(2, 3)", "(2,)"; "[2, 3]", "[2]".
std::string of_tuple(IntArrayRef values);
/// "circular"; "kCircular".
std::string of_choice(enumtype::Alternative choice);

/// "(2, 3)", "(2,)"; "[2, 3]", "2".
template <std::size_t D>
std::string of_tuple(const ExpandingArray<D>& values) {
  if (D == 1 && !in_python()) return std::to_string((*values)[0]);
  return of_tuple(static_cast<IntArrayRef>(values));
}
/// "2" where one value was given for all, else a tuple; always as a tuple.
template <std::size_t D>
std::string of(const ExpandingArray<D>& values) {
  return in_python() && values.is_single() ? std::to_string((*values)[0]) : of_tuple(values);
}
template <std::size_t D>
std::string of(const ExpandingArrayWithOptionalElem<D>& values) {
  const auto text = [](const std::optional<std::int64_t>& v) {
    return v ? std::to_string(*v) : std::string("None");
  };
  if (in_python() ? values.is_single() : D == 1) return text((*values)[0]);
  std::string result = (in_python() ? "(" : "[") + text((*values)[0]);
  for (std::size_t i = 1; i < D; ++i) result += ", " + text((*values)[i]);
  return result + (!in_python() ? "]" : D == 1 ? ",)" : ")");
}

}  // namespace tapedeck::nn::text
