#pragma once

#include <cstddef>

#include <tapedeck/nn/options/conv.h>
#include <tapedeck/ops/conv.h>

namespace tapedeck::nn::detail {

/// The padding option as the operations take it.
template <std::size_t D>
ConvPadding conv_padding_of(const conv_padding_t<D>& padding) {
  return std::visit(
      [](const auto& choice) -> ConvPadding {
        if constexpr (requires { choice.sides; })
          return ConvPadding(static_cast<IntArrayRef>(choice.sides));
        else if constexpr (requires { choice.text; })
          return ConvPadding(choice);
        else
          return ConvPadding(static_cast<IntArrayRef>(choice));
      },
      padding);
}

}  // namespace tapedeck::nn::detail
