#include <tapedeck/array/print.h>

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <ostream>
#include <vector>

#include <tapedeck/array/dispatch.h>

namespace tapedeck {

namespace {

// Restores the stream's format.
class FormatGuard {
 public:
  explicit FormatGuard(std::ostream& out) : out_(out), saved_(nullptr) { saved_.copyfmt(out); }
  ~FormatGuard() { out_.copyfmt(saved_); }
  FormatGuard(const FormatGuard&) = delete;
  FormatGuard& operator=(const FormatGuard&) = delete;

 private:
  std::ostream& out_;
  std::ios saved_;
};

// The elements in row-major order as doubles.
std::vector<double> values_of(const Array& array) {
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(array.numel()));
  dispatch_all(array.dtype(), "print", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* data = array.data<T>();
    DimVector index(array.sizes().size());
    for (std::int64_t n = 0; n < array.numel(); ++n) {
      std::int64_t offset = 0;
      for (std::size_t i = 0; i < index.size(); ++i) offset += index[i] * array.strides()[i];
      values.push_back(static_cast<double>(data[offset]));
      for (std::size_t i = index.size(); i-- > 0;) {
        if (++index[i] < array.sizes()[i]) break;
        index[i] = 0;
      }
    }
  });
  return values;
}

// How the numbers of a vector or matrix are written: width of a column and a factor taken out.
struct Columns {
  double scale = 1;
  int width = 0;
};

// Digits in front of the decimal point; negative for leading zeros behind it.
double digits(double magnitude) {
  return magnitude == 0 ? 1 : std::floor(std::log10(magnitude)) + 1;
}

// Chooses the notation and sets the stream to it.
Columns choose_columns(std::ostream& out, const double* values, std::int64_t count) {
  bool integers = true;
  bool any_finite = false;
  double least = 0, greatest = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const double v = values[i];
    if (!std::isfinite(v)) continue;
    integers = integers && v == std::ceil(v);
    const double magnitude = std::fabs(v);
    if (!any_finite) {
      least = greatest = magnitude;
      any_finite = true;
    }
    least = std::min(least, magnitude);
    // As libtorch: a negative number does not raise the greatest magnitude.
    if (v > greatest) greatest = magnitude;
  }
  const double low = any_finite ? digits(least) : 1;
  const double high = any_finite ? digits(greatest) : 1;

  const auto general = [&] { out.unsetf(std::ios_base::floatfield); };
  const auto fixed = [&] { out << std::fixed << std::setprecision(4); };
  const auto scientific = [&] { out << std::scientific << std::setprecision(4); };

  if (integers) {
    if (high > 9) {
      scientific();
      return {1, 11};
    }
    general();
    return {1, static_cast<int>(high) + 1};
  }
  if (high - low > 4) {
    scientific();
    const bool three_digit_exponent = std::fabs(high) > 99 || std::fabs(low) > 99;
    return {1, three_digit_exponent ? 12 : 11};
  }
  fixed();
  if (high > 5 || high < 0) return {std::pow(10, high - 1), 7};
  return {1, high == 0 ? 7 : static_cast<int>(high) + 6};
}

void print_scale(std::ostream& out, double scale) {
  const FormatGuard guard(out);
  out.unsetf(std::ios_base::floatfield);
  out << scale << " *" << std::endl;
}

void print_matrix(std::ostream& out, const double* values, std::int64_t rows, std::int64_t columns,
                  std::int64_t linesize, const char* indent, std::int64_t indent_width) {
  const Columns format = choose_columns(out, values, rows * columns);
  const std::int64_t per_line =
      std::max<std::int64_t>(1, (linesize - indent_width) / (format.width + 1));
  out << indent;
  for (std::int64_t first = 0; first < columns; first += per_line) {
    const std::int64_t last = std::min(first + per_line, columns) - 1;
    if (per_line < columns) {
      if (first != 0) out << std::endl;
      out << "Columns " << first + 1 << " to " << last + 1 << indent;
    }
    if (format.scale != 1) {
      print_scale(out, format.scale);
      out << indent;
    }
    for (std::int64_t row = 0; row < rows; ++row) {
      if (row > 0) out << indent << (format.scale != 1 ? " " : "");
      for (std::int64_t column = first; column <= last; ++column) {
        out << std::setw(format.width) << values[row * columns + column] / format.scale;
        if (column < last) out << " ";
      }
      out << std::endl;
    }
  }
}

// Every matrix of the last two axes under its one-based index. The first axis counts fastest.
void print_slices(std::ostream& out, const Array& array, const std::vector<double>& values,
                  std::int64_t linesize) {
  const std::size_t outer = array.sizes().size() - 2;
  const std::int64_t rows = array.sizes()[outer], columns = array.sizes()[outer + 1];
  DimVector index(outer);
  for (bool first = true;; first = false) {
    if (!first) out << std::endl;
    std::int64_t matrix = 0;
    out << "(";
    for (std::size_t i = 0; i < outer; ++i) {
      out << index[i] + 1 << ",";
      matrix = matrix * array.sizes()[i] + index[i];
    }
    out << ".,.) = " << std::endl;
    print_matrix(out, values.data() + matrix * rows * columns, rows, columns, linesize, " ", 1);
    std::size_t axis = 0;
    for (; axis < outer; ++axis) {
      if (++index[axis] < array.sizes()[axis]) break;
      index[axis] = 0;
    }
    if (axis == outer) return;
  }
}

}  // namespace

void print(std::ostream& out, const Array& array, std::int64_t linesize) {
  if (!array.defined()) {
    out << "[ Tensor (undefined) ]";
    return;
  }
  const FormatGuard guard(out);
  const std::vector<double> values = values_of(array);
  if (array.dim() == 0) {
    out.unsetf(std::ios_base::floatfield);
    out << values[0] << std::endl;
  } else if (array.numel() > 0) {
    if (array.dim() == 1) {
      const Columns format = choose_columns(out, values.data(), array.numel());
      if (format.scale != 1) print_scale(out, format.scale);
      for (const double value : values)
        out << std::setw(format.width) << value / format.scale << std::endl;
    } else if (array.dim() == 2) {
      print_matrix(out, values.data(), array.sizes()[0], array.sizes()[1], linesize, "", 0);
    } else {
      print_slices(out, array, values, linesize);
    }
  }
  out << "[ CPU" << array.dtype() << "Type{";
  for (std::int64_t i = 0; i < array.dim(); ++i) out << (i > 0 ? "," : "") << array.sizes()[i];
  out << "} ]";
}

std::ostream& operator<<(std::ostream& out, const Array& array) {
  print(out, array);
  return out;
}

}  // namespace tapedeck
