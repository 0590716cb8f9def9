#include "shapes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include <tapedeck/array/parallel.h>

namespace examples {

namespace {

constexpr std::int64_t kSize = 32, kPlane = kSize * kSize;

// Whether a point belongs to the shape, which fills the square from (-1, -1) to (1, 1).
bool is_inside(std::int64_t shape, double x, double y) {
  const double radius = std::hypot(x, y), extent = std::max(std::abs(x), std::abs(y));
  const auto band = [](double position) {
    return static_cast<int>(std::floor((position + 1) * 2.5)) % 2 == 0;
  };
  if (extent > 1) return false;
  switch (shape) {
    case 0:
      return radius < 1;
    case 1:
      return radius < 1 && radius > 0.6;
    case 2:
      return true;
    case 3:
      return extent > 0.6;
    case 4:
      return std::abs(x) < (y + 1) / 2;
    case 5:
      return std::min(std::abs(x), std::abs(y)) < 0.28;
    case 6:
      return std::abs(std::abs(x) - std::abs(y)) < 0.35;
    case 7:
      return band(y);
    case 8:
      return band(x);
    default:
      return band(x) == band(y);
  }
}

using Colour = std::array<double, 3>;

double distance(const Colour& a, const Colour& b) {
  return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

class Painter {
 public:
  explicit Painter(std::uint64_t seed) : engine_(seed) {}

  std::int64_t shape() { return static_cast<std::int64_t>(engine_() % 10); }

  void paint(std::int64_t shape, float* pixels) {
    const Colour left = colour(), right = colour();
    Colour ink = colour();
    while (distance(ink, left) < 0.5 || distance(ink, right) < 0.5) ink = colour();
    const double half = uniform(7, 13), tilt = uniform(-0.25, 0.25);
    const double x0 = kSize / 2.0 + uniform(half - 16, 16 - half),
                 y0 = kSize / 2.0 + uniform(half - 16, 16 - half);
    const double cosine = std::cos(tilt) / half, sine = std::sin(tilt) / half;
    const double noise = uniform(0, 0.1);
    for (std::int64_t row = 0; row < kSize; ++row)
      for (std::int64_t column = 0; column < kSize; ++column) {
        // The part of the pixel that the shape covers, by four points of it.
        double covered = 0;
        for (const double dy : {0.25, 0.75})
          for (const double dx : {0.25, 0.75}) {
            const double x = static_cast<double>(column) + dx - x0,
                         y = static_cast<double>(row) + dy - y0;
            covered += 0.25 * is_inside(shape, cosine * x + sine * y, cosine * y - sine * x);
          }
        const double across = static_cast<double>(column) / (kSize - 1);
        for (std::size_t c = 0; c < 3; ++c) {
          const double behind = left[c] + (right[c] - left[c]) * across;
          const double value = behind + (ink[c] - behind) * covered + uniform(-noise, noise);
          pixels[static_cast<std::int64_t>(c) * kPlane + row * kSize + column] =
              static_cast<float>(std::clamp(value, 0.0, 1.0));
        }
      }
  }

 private:
  // Not std::uniform_real_distribution, which differs between standard libraries.
  double uniform(double low, double high) {
    return low + (high - low) * static_cast<double>(engine_() >> 11) * 0x1p-53;
  }
  Colour colour() { return {uniform(0, 1), uniform(0, 1), uniform(0, 1)}; }

  std::mt19937_64 engine_;
};

}  // namespace

ImageSet render_shapes(std::int64_t count, std::uint64_t seed) {
  tapedeck::Tensor images = tapedeck::empty({count, 3, kSize, kSize});
  tapedeck::Tensor labels = tapedeck::empty({count}, tapedeck::kInt64);
  auto* image = images.data_ptr<float>();
  auto* label = labels.data_ptr<std::int64_t>();
  tapedeck::parallel_for(count, /*grain=*/64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      Painter painter(seed << 32 | static_cast<std::uint64_t>(i));
      label[i] = painter.shape();
      painter.paint(label[i], image + i * 3 * kPlane);
    }
  });
  return ImageSet(images, labels);
}

const std::vector<std::string>& shape_names() {
  static const std::vector<std::string> names{"disc", "ring",  "square", "frame",   "triangle",
                                              "plus", "cross", "rows",   "columns", "checks"};
  return names;
}

}  // namespace examples
