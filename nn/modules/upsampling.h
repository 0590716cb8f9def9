#pragma once

#include <iosfwd>

#include <tapedeck/nn/cloneable.h>
#include <tapedeck/nn/module_holder.h>
#include <tapedeck/nn/options/upsampling.h>

namespace tapedeck::nn {

/// Resizes the axes after the channels of [N, C, L], [N, C, H, W] or [N, C, D, H, W]; see
/// functional::interpolate.
class UpsampleImpl : public Cloneable<UpsampleImpl> {
 public:
  explicit UpsampleImpl(const UpsampleOptions& options_ = {});
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  UpsampleOptions options;
};
TAPEDECK_LIBRARY_MODULE(Upsample);

}  // namespace tapedeck::nn
