#pragma once

#include <cstdint>
#include <utility>

#include <tapedeck/array/dispatch.h>

namespace tapedeck::kernels {

/// Calls f(TypeTag<Word>) with an unsigned integer of the element's size: moving elements needs no
/// other type.
template <typename F>
void with_word(std::int64_t item_size, F&& f) {
  switch (item_size) {
    case 1:
      return f(TypeTag<std::uint8_t>{});
    case 4:
      return f(TypeTag<std::uint32_t>{});
    default:
      return f(TypeTag<std::uint64_t>{});
  }
}
template <typename F>
void dispatch_word(ScalarType dtype, F&& f) {
  with_word(element_size(dtype), std::forward<F>(f));
}

}  // namespace tapedeck::kernels
