#include <algorithm>
#include <array>
#include <cmath>
#include <ostream>

#include "bench/results.h"

namespace bench {

namespace {

constexpr double kLabels = 330, kWidth = 520, kRow = 14, kMargin = 20;
constexpr std::array<const char*, 4> kColours = {"#2b6cb0", "#dd8a2c", "#4a9a5b", "#8a5fb0"};

// Ratios from 1/8 to 64 across the picture.
double position(double ratio) {
  const double exponent = std::clamp(std::log2(ratio), -3.0, 6.0);
  return kLabels + (exponent + 3) / 9 * kWidth;
}

void text(std::ostream& out, double x, double y, const char* anchor, const std::string& words) {
  out << "<text x='" << x << "' y='" << y << "' text-anchor='" << anchor << "'>" << words
      << "</text>\n";
}

double bars(std::ostream& out, double top, int threads, const Table& table) {
  double y = top + 2 * kRow;
  std::string title =
      "tapedeck, " + std::to_string(threads) + (threads == 1 ? " thread" : " threads");
  text(out, kMargin, top + kRow, "start", title + ": how many times as long (or as large) as ours");
  const double first = y;
  for (const std::string& name : table.cases) {
    const auto peers = static_cast<double>(table.libraries.size() - 1);
    text(out, kLabels - 6, y + kRow * 0.8, "end", name);
    for (std::size_t i = 1; i < table.libraries.size(); ++i) {
      const double ratio = table.ratio(table.libraries[i], name);
      if (ratio <= 0) continue;
      const double from = std::min(position(1), position(ratio));
      const double height = (kRow - 2) / peers;
      out << "<rect x='" << from << "' y='" << y + static_cast<double>(i - 1) * height
          << "' width='" << std::abs(position(ratio) - position(1)) << "' height='" << height
          << "' fill='" << kColours[(i - 1) % kColours.size()] << "'><title>" << table.libraries[i]
          << " " << number(ratio) << "</title></rect>\n";
    }
    y += kRow;
  }
  for (const double ratio : {0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0}) {
    out << "<line x1='" << position(ratio) << "' x2='" << position(ratio) << "' y1='" << first
        << "' y2='" << y << "' stroke='" << (ratio == 1 ? "#000" : "#ccc")
        << "' stroke-width='0.7'/>\n";
    text(out, position(ratio), y + kRow, "middle", number(ratio));
  }
  y += 2.2 * kRow;
  for (std::size_t i = 1; i < table.libraries.size(); ++i, y += kRow) {
    out << "<rect x='" << kLabels << "' y='" << y - 9 << "' width='10' height='10' fill='"
        << kColours[(i - 1) % kColours.size()] << "'/>\n";
    text(out, kLabels + 16, y, "start",
         table.libraries[i] + ", geometric mean " + number(table.mean_ratio(table.libraries[i])));
  }
  return y;
}

}  // namespace

void write_plot(const Tables& tables, std::ostream& out) {
  double height = kMargin;
  for (const auto& [threads, table] : tables)
    height += kRow * (static_cast<double>(table.cases.size() + table.libraries.size()) + 4.2);
  out << "<svg xmlns='http://www.w3.org/2000/svg' width='" << kLabels + kWidth + kMargin
      << "' height='" << height << "' font-family='sans-serif' font-size='11'>\n"
      << "<rect width='100%' height='100%' fill='#fff'/>\n";
  double top = 0;
  for (const auto& [threads, table] : tables) top = bars(out, top, threads, table);
  out << "</svg>\n";
}

}  // namespace bench
