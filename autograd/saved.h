#pragma once

#include <cstdint>

#include <tapedeck/autograd/node.h>
#include <tapedeck/autograd/variable.h>

namespace tapedeck::autograd {

/// A value kept for the backward pass. It notices when the value was changed in place since.
class Saved {
 public:
  Saved() = default;

  /// The value as it was. \throws Error that names the op that saved it, where it was modified.
  Variable get(const VjpContext& ctx) const;

 private:
  friend Saved save(const Variable& input, bool when);
  friend Saved save_output(const Variable& output, std::uint32_t output_nr);

  static constexpr std::int32_t kInput = -1;

  Array output(const VjpContext& ctx) const;

  Variable value_;  // an output is held without its history: the node would own itself
  // Most outputs are row-major: then of their elements alone, since the node knows their shape.
  intrusive_ptr<StorageImpl> elements_;
  std::uint32_t version_ = 0;
  std::int32_t output_nr_ = kInput;
};

/// Keeps an input of the operation, unless `when` is false: then get() returns an undefined one.
Saved save(const Variable& input, bool when = true);
/// Keeps output number `output_nr` of the operation that is about to be recorded.
Saved save_output(const Variable& output, std::uint32_t output_nr = 0);

}  // namespace tapedeck::autograd
