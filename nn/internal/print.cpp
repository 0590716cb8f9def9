#include <tapedeck/nn/internal/print.h>

#include <atomic>
#include <cctype>
#include <charconv>
#include <cmath>
#include <sstream>
#include <string_view>
#include <utility>

#include <tapedeck/array/type_name.h>

namespace tapedeck::nn {

namespace {
std::atomic<PrintStyle> style{PrintStyle::Python};
}

void set_print_style(PrintStyle new_style) { style = new_style; }
PrintStyle print_style() { return style; }

namespace text {

std::string name(const std::string& of_class) {
  return in_python() ? of_class : "torch::nn::" + of_class;
}
std::string of_type(const std::type_info& type) {
  std::string text = type_name(type);
  if (in_python()) return text;
  static constexpr std::pair<std::string_view, std::string_view> kRenamed[] = {
      {"tapedeck::Variable", "at::Tensor"}, {"tapedeck::", "torch::"}};
  for (const auto& [own, libtorch] : kRenamed)
    for (std::size_t at = 0; (at = text.find(own, at)) != std::string::npos; at += libtorch.size())
      text.replace(at, own.size(), libtorch);
  return text;
}

std::string of_float(double value) {
  if (!in_python()) {
    std::ostringstream text;
    text << value;
    return text.str();
  }
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[64];
  const double magnitude = std::abs(value);
  // Python changes to an exponent outside of [1e-4, 1e16).
  const bool exponent = magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e16);
  const auto format = exponent ? std::chars_format::scientific : std::chars_format::fixed;
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value, format).ptr;
  std::string text(buffer, end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string of_number(double value) {
  if (in_python() && value == std::floor(value) && std::abs(value) < 1e15)
    return std::to_string(static_cast<std::int64_t>(value));
  return of_float(value);
}

std::string of_bool(bool value) {
  return in_python() ? (value ? "True" : "False") : (value ? "true" : "false");
}

std::string of_tuple(IntArrayRef values) {
  std::string text = in_python() ? "(" : "[";
  for (std::size_t i = 0; i < values.size(); ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(values[i]);
  return text + (!in_python() ? "]" : values.size() == 1 ? ",)" : ")");
}

std::string of_choice(enumtype::Alternative choice) {
  std::string text = enumtype::get_enum_name(choice);
  if (!in_python()) return text;
  text.erase(0, 1);
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace text
}  // namespace tapedeck::nn
