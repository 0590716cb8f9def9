#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "image_set.h"

namespace examples {

/// Coloured shapes in CIFAR-10's form, 3 x 32 x 32 and ten classes, for where its files are not at
/// hand: a shape of random size, place, colour and tilt before a background that is a gradient of
/// two other colours, and noise over both. The same seed gives the same images.
ImageSet render_shapes(std::int64_t count, std::uint64_t seed);

/// "disc", "ring", "square", ...
const std::vector<std::string>& shape_names();

}  // namespace examples
