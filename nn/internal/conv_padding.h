#pragma once

#include <cstddef>

#include <tapedeck/nn/options/conv.h>
#include <tapedeck/ops/conv.h>

namespace tapedeck::nn::detail {

/// The padding option as the operations take it.
template <std::size_t D>
ConvPadding conv_padding_of(const conv_padding_t<D>& padding) {
  if (const auto* numbers = get_if<ExpandingArray<D>>(&padding))
    return ConvPadding(static_cast<IntArrayRef>(*numbers));
  if (const auto* sided = get_if<SidedPadding<D>>(&padding))
    return ConvPadding(static_cast<IntArrayRef>(sided->sides));
  return holds_alternative<enumtype::kSame>(padding) ? ConvPadding(kSame) : ConvPadding(kValid);
}

}  // namespace tapedeck::nn::detail
