#include <tapedeck/nn/functional/upsampling.h>

#include <cmath>
#include <sstream>
#include <string>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/pool.h>
#include <tapedeck/ops/pool3d.h>
#include <tapedeck/ops/resize.h>

namespace tapedeck::nn::functional {

namespace {

struct Target {
  DimVector size;
  std::vector<std::optional<double>> factors;  // where they and not the sizes decide the places
};

std::string list_text(const std::vector<double>& values) {
  std::ostringstream text;
  for (std::size_t i = 0; i < values.size(); ++i) text << (i ? ", " : "[") << values[i];
  return text.str() + (values.empty() ? "[]" : "]");
}

Target target_of(const Tensor& input, const InterpolateFuncOptions& options) {
  const auto dims = static_cast<std::size_t>(input.dim() - 2);
  TAPEDECK_CHECK_AS(ValueError, options.size() || options.scale_factor(),
                    "interpolate: either size or scale_factor should be defined");
  TAPEDECK_CHECK_AS(ValueError, !options.size() || !options.scale_factor(),
                    "interpolate: only one of size or scale_factor should be defined");
  Target target;
  target.factors.resize(dims);
  if (options.size()) {
    TAPEDECK_CHECK_AS(ValueError, options.size()->size() == dims,
                      "interpolate: size shape must match input shape. Input is ", dims,
                      "D, size is ", IntArrayRef(*options.size()), " (input ", input.sizes(), ")");
    target.size = *options.size();
    return target;
  }
  const std::vector<double>& factors = *options.scale_factor();
  TAPEDECK_CHECK_AS(ValueError, factors.size() == dims,
                    "interpolate: scale_factor shape must match input shape. Input is ", dims,
                    "D, scale_factor size is ", list_text(factors), " (input ", input.sizes(), ")");
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
  TAPEDECK_CHECK_DEFINED("interpolate", input);
  const tapedeck::detail::OpScope scope("interpolate");
  const std::string mode = enumtype::get_enum_name(options.mode());
  TAPEDECK_CHECK(input.dim() >= 3 && input.dim() <= 5,
                 "interpolate: Input Error: Only 3D, 4D and 5D input Tensors supported (got ",
                 input.dim(),
                 "D) for the modes: nearest | linear | bilinear | bicubic | trilinear (got ", mode,
                 "), input ", input.sizes());
  const bool nearest = is<enumtype::kNearest>(options), area = is<enumtype::kArea>(options);
  TAPEDECK_CHECK_AS(ValueError, !(nearest || area) || !options.align_corners(),
                    "interpolate: align_corners option can only be set with the interpolating "
                    "modes: linear | bilinear | bicubic | trilinear");
  const std::int64_t dims = input.dim() - 2;
  const bool bilinear = dims == 2 && is<enumtype::kBilinear>(options);
  const bool bicubic = dims == 2 && is<enumtype::kBicubic>(options);
  TAPEDECK_CHECK_AS(ValueError, !options.antialias() || bilinear || bicubic,
                    "interpolate: antialias goes with the modes bilinear | bicubic on a 4D input, "
                    "got ",
                    mode, " and input ", input.sizes());
  const auto [size, scales] = target_of(input, options);
  const bool align = options.align_corners().value_or(false);

  if (nearest)
    return dims == 1   ? upsample_nearest1d(input, size, scales[0])
           : dims == 2 ? upsample_nearest2d(input, size, scales[0], scales[1])
                       : upsample_nearest3d(input, size, scales[0], scales[1], scales[2]);
  if (is<enumtype::kNearestExact>(options)) return upsample_nearest_exact(input, size, scales);
  if (area)
    return dims == 1   ? adaptive_avg_pool1d(input, size)
           : dims == 2 ? adaptive_avg_pool2d(input, size)
                       : adaptive_avg_pool3d(input, size);
  if (dims == 1 && is<enumtype::kLinear>(options))
    return upsample_linear1d(input, size, align, scales[0]);
  if (bilinear) {
    const auto upsample = options.antialias() ? _upsample_bilinear2d_aa : upsample_bilinear2d;
    return upsample(input, size, align, scales[0], scales[1]);
  }
  if (bicubic) {
    const auto upsample = options.antialias() ? _upsample_bicubic2d_aa : upsample_bicubic2d;
    return upsample(input, size, align, scales[0], scales[1]);
  }
  if (dims == 3 && is<enumtype::kTrilinear>(options))
    return upsample_trilinear3d(input, size, align, scales[0], scales[1], scales[2]);
  tapedeck::detail::fail<NotImplementedError>(
      tapedeck::detail::str("interpolate: mode ", mode, " does not go with input ", input.sizes()));
}

}  // namespace tapedeck::nn::functional
