#include <tapedeck/nn/functional/upsampling.h>

#include <cmath>

#include <tapedeck/ops/pool.h>
#include <tapedeck/ops/resize.h>

namespace tapedeck::nn::functional {

namespace {

struct Target {
  DimVector size;
  std::vector<std::optional<double>> factors;  // where they and not the sizes decide the places
};

Target target_of(const Tensor& input, const InterpolateFuncOptions& options) {
  const auto dims = static_cast<std::size_t>(input.dim() - 2);
  TAPEDECK_CHECK_AS(ValueError, options.size().has_value() != options.scale_factor().has_value(),
                    "interpolate: either size or scale_factor should be defined, and only one");
  Target target;
  target.factors.resize(dims);
  if (options.size()) {
    TAPEDECK_CHECK_AS(ValueError, options.size()->size() == dims, "interpolate: expected ", dims,
                      " output sizes for input ", input.sizes(), ", got ",
                      IntArrayRef(*options.size()));
    target.size = *options.size();
    return target;
  }
  const std::vector<double>& factors = *options.scale_factor();
  TAPEDECK_CHECK_AS(ValueError, factors.size() == dims, "interpolate: expected ", dims,
                    " scale factors for input ", input.sizes(), ", got ", factors.size());
  for (std::size_t d = 0; d < dims; ++d) {
    target.size.push_back(static_cast<std::int64_t>(std::floor(
        static_cast<double>(input.size(static_cast<std::int64_t>(d) + 2)) * factors[d])));
    if (!options.recompute_scale_factor().value_or(false)) target.factors[d] = factors[d];
  }
  return target;
}

template <typename Mode>
bool is(const InterpolateFuncOptions& options) {
  return holds_alternative<Mode>(options.mode());
}

}  // namespace

Tensor interpolate(const Tensor& input, const InterpolateFuncOptions& options) {
  TAPEDECK_CHECK(input.dim() == 3 || input.dim() == 4,
                 "interpolate: expected an input of 3 or 4 dimensions, got ", input.sizes());
  const bool flat = input.dim() == 3;
  const bool linear = is<enumtype::kLinear>(options) || is<enumtype::kBilinear>(options) ||
                      is<enumtype::kBicubic>(options);
  TAPEDECK_CHECK_AS(ValueError, linear || !options.align_corners(),
                    "interpolate: align_corners option can only be set with the interpolating "
                    "modes: linear | bilinear | bicubic");
  TAPEDECK_CHECK_AS(NotImplementedError, !options.antialias(),
                    "interpolate: antialias is not implemented");
  const Target target = target_of(input, options);
  const bool align = options.align_corners().value_or(false);
  const auto& factors = target.factors;

  if (is<enumtype::kNearest>(options))
    return flat ? upsample_nearest1d(input, target.size, factors[0])
                : upsample_nearest2d(input, target.size, factors[0], factors[1]);
  if (is<enumtype::kNearestExact>(options))
    return upsample_nearest_exact(input, target.size, factors);
  if (is<enumtype::kArea>(options))
    return flat ? adaptive_avg_pool1d(input, target.size) : adaptive_avg_pool2d(input, target.size);
  if (flat && is<enumtype::kLinear>(options))
    return upsample_linear1d(input, target.size, align, factors[0]);
  if (!flat && is<enumtype::kBilinear>(options))
    return upsample_bilinear2d(input, target.size, align, factors[0], factors[1]);
  if (!flat && is<enumtype::kBicubic>(options))
    return upsample_bicubic2d(input, target.size, align, factors[0], factors[1]);
  tapedeck::detail::fail<NotImplementedError>(
      tapedeck::detail::str("interpolate: mode ", enumtype::get_enum_name(options.mode()),
                            " does not go with input ", input.sizes()));
}

}  // namespace tapedeck::nn::functional
