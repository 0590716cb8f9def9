#include <tapedeck/ops/conv_precision.h>

#include <tapedeck/array/error.h>
#include <tapedeck/ops/kernels/conv_precision.h>

namespace tapedeck {

using kernels::ConvPrecision;

void set_float32_conv_precision(std::string_view precision) {
  TAPEDECK_CHECK_AS(ValueError, precision == "highest" || precision == "medium",
                    "set_float32_conv_precision: expected \"highest\" or \"medium\", got \"",
                    precision, "\"");
  kernels::set_float32_conv_precision(precision == "medium" ? ConvPrecision::Medium
                                                            : ConvPrecision::Highest);
}

std::string_view get_float32_conv_precision() {
  return kernels::float32_conv_precision() == ConvPrecision::Medium ? "medium" : "highest";
}

}  // namespace tapedeck
