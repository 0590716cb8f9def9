#include <tapedeck/data/synthetic_digits.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include <tapedeck/array/parallel.h>

namespace tapedeck::data::datasets {

namespace {

constexpr int kSize = 28;

struct Point {
  double x, y;
};

// A line through points, straight or bent; in a box from (0, 0) at the top left to (1, 1).
struct Stroke {
  bool smooth;
  std::vector<Point> points;
};
using Glyph = std::vector<Stroke>;

// Each digit in the shapes that people write it in.
const std::array<std::vector<Glyph>, 10>& skeletons() {
  static const std::array<std::vector<Glyph>, 10> glyphs{{
      {{{true,
         {{.5, .04},
          {.25, .15},
          {.15, .5},
          {.25, .85},
          {.5, .96},
          {.75, .85},
          {.85, .5},
          {.75, .15},
          {.5, .04}}}}},
      {{{false, {{.5, .04}, {.5, .96}}}},
       {{false, {{.3, .26}, {.52, .04}, {.52, .96}}}},
       {{false, {{.32, .24}, {.52, .04}, {.52, .95}}}, {false, {{.28, .95}, {.76, .95}}}}},
      {{{true, {{.17, .28}, {.28, .09}, {.53, .03}, {.77, .17}, {.75, .4}, {.5, .66}, {.18, .94}}},
        {false, {{.18, .94}, {.86, .94}}}},
       {{true,
         {{.2, .22},
          {.48, .03},
          {.77, .2},
          {.66, .5},
          {.36, .82},
          {.2, .9},
          {.24, .76},
          {.42, .78},
          {.62, .93},
          {.88, .9}}}}},
      {{{true, {{.2, .12}, {.46, .03}, {.75, .13}, {.73, .36}, {.42, .47}}},
        {true, {{.42, .47}, {.78, .57}, {.81, .82}, {.5, .97}, {.17, .86}}}},
       {{false, {{.2, .06}, {.78, .06}, {.45, .42}}},
        {true, {{.45, .42}, {.78, .55}, {.8, .82}, {.5, .97}, {.17, .87}}}}},
      {{{false, {{.62, .04}, {.13, .64}, {.9, .64}}}, {false, {{.66, .34}, {.66, .97}}}},
       {{false, {{.22, .06}, {.18, .5}, {.8, .5}}}, {false, {{.74, .05}, {.7, .97}}}}},
      {{{false, {{.8, .06}, {.28, .06}, {.24, .46}}},
        {true, {{.24, .46}, {.5, .38}, {.8, .54}, {.77, .84}, {.48, .97}, {.17, .86}}}}},
      {{{true,
         {{.72, .05},
          {.4, .2},
          {.21, .54},
          {.25, .84},
          {.5, .96},
          {.77, .83},
          {.75, .6},
          {.5, .5},
          {.25, .66}}}},
       {{true,
         {{.42, .03},
          {.25, .4},
          {.22, .78},
          {.46, .97},
          {.76, .84},
          {.72, .6},
          {.46, .56},
          {.24, .74}}}}},
      {{{false, {{.14, .07}, {.86, .07}, {.42, .96}}}},
       {{false, {{.14, .09}, {.84, .07}, {.44, .96}}}, {false, {{.3, .5}, {.76, .5}}}}},
      {{{true,
         {{.5, .47},
          {.25, .3},
          {.29, .1},
          {.5, .04},
          {.72, .1},
          {.75, .3},
          {.5, .47},
          {.22, .68},
          {.26, .9},
          {.5, .97},
          {.76, .9},
          {.79, .68},
          {.5, .47}}}}},
      {{{true,
         {{.77, .3},
          {.56, .49},
          {.28, .42},
          {.24, .19},
          {.47, .04},
          {.71, .1},
          {.78, .32},
          {.75, .62},
          {.58, .97}}}},
       {{true, {{.74, .26}, {.52, .48}, {.26, .38}, {.28, .14}, {.52, .04}, {.73, .14}, {.75, .3}}},
        {false, {{.75, .28}, {.72, .97}}}}},
  }};
  return glyphs;
}

// Steele, Lea and Flood 2014: splitmix64. One sequence for each image.
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t stream) : state_(seed * 0x9e3779b97f4a7c15 + stream) {
    next();
    state_ ^= stream << 32;
  }
  double uniform(double low, double high) {
    return low + (high - low) * static_cast<double>(next() >> 11) * 0x1p-53;
  }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }
  /// A sum of four: near enough to normal, of standard deviation 1.
  double bell() {
    double sum = 0;
    for (int i = 0; i < 4; ++i) sum += uniform(-1, 1);
    return sum * 0.8660254037844386;
  }

 private:
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

// Catmull-Rom: through all points, with the slope of their neighbours.
void append_smooth(std::vector<std::pair<Point, Point>>& segments, const std::vector<Point>& p) {
  constexpr int kPieces = 5;
  Point last = p[0];
  for (std::size_t i = 0; i + 1 < p.size(); ++i) {
    const Point &a = p[i == 0 ? 0 : i - 1], &b = p[i], &c = p[i + 1],
                &d = p[std::min(i + 2, p.size() - 1)];
    for (int k = 1; k <= kPieces; ++k) {
      const double t = static_cast<double>(k) / kPieces;
      const auto at = [t](double w, double x, double y, double z) {
        return 0.5 * (2 * x + (y - w) * t + (2 * w - 5 * x + 4 * y - z) * t * t +
                      (3 * x - w - 3 * y + z) * t * t * t);
      };
      const Point next{at(a.x, b.x, c.x, d.x), at(a.y, b.y, c.y, d.y)};
      segments.emplace_back(last, next);
      last = next;
    }
  }
}

// The segments of one written digit, in pixels.
std::vector<std::pair<Point, Point>> write_digit(std::size_t digit, Random& random) {
  const std::vector<Glyph>& forms = skeletons()[digit];
  const Glyph& glyph = forms[random.below(forms.size())];
  const double height = random.uniform(17, 21.5), width = height * random.uniform(0.62, 0.95);
  const double slant = random.uniform(-0.12, 0.38), angle = random.uniform(-0.16, 0.16);
  const double cosine = std::cos(angle), sine = std::sin(angle);
  const double x0 = kSize / 2.0 + random.uniform(-2, 2), y0 = kSize / 2.0 + random.uniform(-2, 2);
  std::vector<std::pair<Point, Point>> segments;
  for (const Stroke& stroke : glyph) {
    std::vector<Point> points;
    for (const Point& p : stroke.points) {
      const double v = (p.y - 0.5 + 0.018 * random.bell()) * height;
      const double u = (p.x - 0.5 + 0.022 * random.bell()) * width - slant * v;
      points.push_back({x0 + cosine * u - sine * v, y0 + sine * u + cosine * v});
    }
    if (stroke.smooth)
      append_smooth(segments, points);
    else
      for (std::size_t i = 0; i + 1 < points.size(); ++i)
        segments.emplace_back(points[i], points[i + 1]);
  }
  return segments;
}

double squared_distance(Point p, const std::pair<Point, Point>& segment) {
  const auto& [a, b] = segment;
  const double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
  double t = length > 0 ? ((p.x - a.x) * dx + (p.y - a.y) * dy) / length : 0;
  t = std::clamp(t, 0.0, 1.0);
  const double x = p.x - a.x - t * dx, y = p.y - a.y - t * dy;
  return x * x + y * y;
}

void draw(std::uint8_t* pixels, std::size_t digit, Random& random) {
  const auto segments = write_digit(digit, random);
  const double radius = random.uniform(0.75, 1.65), softness = random.uniform(0.6, 1.1);
  const double ink = random.uniform(0.8, 1.0), noise = random.uniform(0, 0.04);
  // Only pixels that the pen may reach are measured.
  const double reach = radius + softness;
  std::array<double, kSize * kSize> nearest;
  nearest.fill(reach * reach);
  const auto pixel_range = [reach](double a, double b) {
    const auto [low, high] = std::minmax(a, b);
    return std::pair(std::max(0, static_cast<int>(std::floor(low - reach))),
                     std::min(kSize, static_cast<int>(std::ceil(high + reach)) + 1));
  };
  for (const auto& segment : segments) {
    const auto [x0, x1] = pixel_range(segment.first.x, segment.second.x);
    const auto [y0, y1] = pixel_range(segment.first.y, segment.second.y);
    for (int y = y0; y < y1; ++y)
      for (int x = x0; x < x1; ++x) {
        double& d = nearest[static_cast<std::size_t>(y * kSize + x)];
        d = std::min(d, squared_distance({x + 0.5, y + 0.5}, segment));
      }
  }
  for (std::size_t i = 0; i < nearest.size(); ++i) {
    const double edge = std::clamp((reach - std::sqrt(nearest[i])) / (2 * softness), 0.0, 1.0);
    double value = ink * edge * edge * (3 - 2 * edge);
    if (value > 0) value += noise * random.bell();
    pixels[i] = static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0, 1.0)));
  }
}

ImageData render(std::size_t count, std::uint64_t seed) {
  const auto n = static_cast<std::int64_t>(count);
  Array pixels = Array::empty({n, 1, kSize, kSize}, kUInt8), labels = Array::empty({n}, kInt64);
  auto* pixel = pixels.data<std::uint8_t>();
  auto* label = labels.data<std::int64_t>();
  parallel_for(n, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      Random random(seed, static_cast<std::uint64_t>(i));
      const std::size_t digit = random.below(10);
      label[i] = static_cast<std::int64_t>(digit);
      draw(pixel + i * kSize * kSize, digit, random);
    }
  });
  return ImageData(Variable(pixels), Variable(labels), 10, "SyntheticDigits");
}

}  // namespace

SyntheticDigits::SyntheticDigits(std::size_t count, std::uint64_t seed)
    : data_(render(count, seed)) {}

Example<> SyntheticDigits::get(std::size_t index) { return data_.get(index); }
std::optional<std::size_t> SyntheticDigits::size() const { return data_.size(); }
template class Dataset<SyntheticDigits>;

}  // namespace tapedeck::data::datasets
