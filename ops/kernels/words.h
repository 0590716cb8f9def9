#pragma once

#include <cstdint>

#include <tapedeck/array/dispatch.h>

namespace tapedeck::kernels {

/// Calls f(TypeTag<Word>) with an unsigned integer of the element's size: moving elements needs no
/// other type.
template <typename F>
void dispatch_word(ScalarType dtype, F&& f) {
  switch (element_size(dtype)) {
    case 1:
      return f(TypeTag<std::uint8_t>{});
    case 4:
      return f(TypeTag<std::uint32_t>{});
    default:
      return f(TypeTag<std::uint64_t>{});
  }
}

}  // namespace tapedeck::kernels
