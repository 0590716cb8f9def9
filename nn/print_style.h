#pragma once

#include <cstdint>

namespace tapedeck::nn {

/// How modules are printed.
enum class PrintStyle : std::uint8_t {
  Python,   ///< `Linear(in_features=3, out_features=4, bias=True)`, as by Python's print(model)
  Libtorch  ///< `torch::nn::Linear(in_features=3, out_features=4, bias=true)`, as by libtorch's <<
};

/// The style of `stream << module`, for the whole program. It starts as Python; a program that
/// includes <torch/torch.h> starts with Libtorch, and there the library's classes are named
/// torch::nn::LinearImpl and so on by Module::name().
void set_print_style(PrintStyle style);
PrintStyle print_style();

}  // namespace tapedeck::nn
