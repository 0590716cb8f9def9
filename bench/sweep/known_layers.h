#pragma once

#include <string>
#include <vector>

#include "bench/conv_cases.h"

namespace bench {

/// The distinct convolutions of some fifty published networks, at their usual image sizes and at
/// batches from 1 to 100: what a summary of "all networks" is a mean over.
std::vector<ConvCase> known_layers();

/// What a summary groups a layer by: "first", "depthwise", "groups", "transposed", "dilated",
/// "1x1", "strided", "rows" (one-dimensional) or "dense".
const char* kind_of(const ConvCase& layer);

}  // namespace bench
