#include <tapedeck/nn/modules/upsampling.h>

#include <ostream>
#include <string>
#include <vector>

#include <tapedeck/nn/any_module.h>
#include <tapedeck/nn/functional/upsampling.h>
#include <tapedeck/nn/internal/print.h>

namespace tapedeck::nn {

namespace F = functional;

namespace {

template <typename T, typename Text>
std::string text_of(const std::vector<T>& values, Text text_of_value) {
  bool equal = true;
  for (const T& v : values) equal = equal && v == values[0];
  if (text::in_python() && equal && !values.empty()) return text_of_value(values[0]);
  std::string result = text::in_python() ? "(" : "[";
  for (std::size_t i = 0; i < values.size(); ++i)
    result += (i ? ", " : "") + text_of_value(values[i]);
  return result + (text::in_python() ? ")" : "]");
}

}  // namespace

UpsampleImpl::UpsampleImpl(const UpsampleOptions& options_) : options(options_) {}
void UpsampleImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Upsample") << "(";
  if (options.scale_factor())
    stream << "scale_factor=" << text_of(*options.scale_factor(), text::of_float);
  else if (options.size())
    stream << "size=" << text_of(*options.size(), [](std::int64_t v) { return std::to_string(v); });
  stream << ", mode=" << text::of_choice(options.mode().held()) << ")";
}
Tensor UpsampleImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this,
      [this](const Tensor& x) {
        return F::interpolate(
            x, F::InterpolateFuncOptions()
                   .size(options.size())
                   .scale_factor(options.scale_factor())
                   .mode(visit([](auto mode) -> F::InterpolateFuncOptions::mode_t { return mode; },
                               options.mode()))
                   .align_corners(options.align_corners()));
      },
      input);
}

template class Cloneable<UpsampleImpl>;

}  // namespace tapedeck::nn
