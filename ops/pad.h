#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <tapedeck/autograd/variable.h>

namespace tapedeck {

/// Adds elements before and after the last axes: `pad` is {before, after} of the last axis, then of
/// the one before it, ... mode "constant" adds `value` (0); "reflect" mirrors the input without
/// repeating its edge; "replicate" repeats the edge; "circular" wraps around. Negative numbers take
/// elements away in mode "constant". \throws Error where `pad` is odd or too long, or where a mode
/// needs more input than there is.
Variable pad(const Variable& self, IntArrayRef pad, std::string_view mode = "constant",
             std::optional<double> value = std::nullopt);
Variable constant_pad_nd(const Variable& self, IntArrayRef pad, Scalar value = 0);
inline Variable reflection_pad1d(const Variable& self, IntArrayRef padding) {
  return pad(self, padding, "reflect");
}
inline Variable reflection_pad2d(const Variable& self, IntArrayRef padding) {
  return pad(self, padding, "reflect");
}
inline Variable replication_pad1d(const Variable& self, IntArrayRef padding) {
  return pad(self, padding, "replicate");
}
inline Variable replication_pad2d(const Variable& self, IntArrayRef padding) {
  return pad(self, padding, "replicate");
}

}  // namespace tapedeck
