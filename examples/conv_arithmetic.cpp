// The arithmetic of convolutions: sizes, parameters, and which sizes cannot be told apart.
//
//   conv_arithmetic conv -i 6 -k 3 -s 2 -p 1
//   conv_arithmetic transposed -i 3 -k 3 -s 2 -p 1 --output-padding 1
//   conv_arithmetic conv -i 28 32 -k 5 -p half --in-channels 16 --out-channels 32
//   conv_arithmetic pool -i 28 -k 3 -s 2

#include <algorithm>
#include <array>
#include <initializer_list>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <tapedeck/tapedeck.h>

#include "common/conv_arithmetic.h"

namespace {

using examples::ConvAxis;

struct Options {
  std::vector<std::int64_t> input, kernel, stride{1}, dilation{1}, output_padding{0};
  std::vector<std::string> padding{"0"};
  std::int64_t in_channels = 1, out_channels = 1, groups = 1;
  bool no_bias = false;
  bool ceil_mode = false;
};

// Height and width; one value stands for both.
template <typename T>
const T& of_axis(const std::vector<T>& values, std::size_t axis) {
  return values[values.size() == 1 ? 0 : axis];
}

std::array<ConvAxis, 2> axes_of(const Options& options) {
  std::array<ConvAxis, 2> axes;
  for (std::size_t n = 0; n < 2; ++n) {
    axes[n] = {.i = of_axis(options.input, n),
               .k = of_axis(options.kernel, n),
               .s = of_axis(options.stride, n),
               .d = of_axis(options.dilation, n),
               .output_padding = of_axis(options.output_padding, n),
               .ceil_mode = options.ceil_mode};
    axes[n].p = examples::padding_by_name(of_axis(options.padding, n), axes[n]);
  }
  return axes;
}

template <typename Explain>
void print_axes(const std::array<ConvAxis, 2>& axes, const Explain& explain) {
  const std::string rows = explain(axes[0]), columns = explain(axes[1]);
  std::cout << rows;
  if (columns != rows) std::cout << columns;
}

// Both numbers of a pair as libtorch's options want them.
auto pair_of(const std::array<ConvAxis, 2>& axes, std::int64_t ConvAxis::*member) {
  return tapedeck::ExpandingArray<2>({axes[0].*member, axes[1].*member});
}

// Whether tensors of these sizes are computed within a moment.
bool is_small(std::initializer_list<std::array<std::int64_t, 4>> tensors) {
  return std::all_of(tensors.begin(), tensors.end(), [](const auto& sizes) {
    double elements = 1;
    for (const std::int64_t size : sizes) elements *= static_cast<double>(size);
    return elements <= 1 << 22;
  });
}

// What the library gives for an input of zeros.
template <typename Op>
void print_check(const char* name, const tapedeck::Tensor& input, const Op& op) {
  const tapedeck::NoGradGuard no_grad;
  std::cout << "checked: " << name << " of " << input.sizes() << " gives " << op(input).sizes()
            << '\n';
}

void explain_conv(const Options& options) {
  const auto axes = axes_of(options);
  print_axes(axes, examples::explain_convolution);
  std::cout << examples::explain_parameters(options.in_channels, options.out_channels, axes[0].k,
                                            axes[1].k, options.groups, !options.no_bias);
  if (!is_small({{1, options.in_channels, axes[0].i, axes[1].i},
                 {1, options.out_channels, axes[0].conv_output(), axes[1].conv_output()},
                 {options.out_channels, options.in_channels, axes[0].k, axes[1].k}}))
    return;
  tapedeck::nn::Conv2d conv(tapedeck::nn::Conv2dOptions(options.in_channels, options.out_channels,
                                                        pair_of(axes, &ConvAxis::k))
                                .stride(pair_of(axes, &ConvAxis::s))
                                .padding(pair_of(axes, &ConvAxis::p))
                                .dilation(pair_of(axes, &ConvAxis::d))
                                .groups(options.groups)
                                .bias(!options.no_bias));
  const auto input = tapedeck::zeros({1, options.in_channels, axes[0].i, axes[1].i});
  print_check("conv2d", input, [&](const auto& x) { return conv(x); });
}

void explain_transposed(const Options& options) {
  const auto axes = axes_of(options);
  print_axes(axes, examples::explain_transposed_convolution);
  std::cout << examples::explain_parameters(options.in_channels, options.out_channels, axes[0].k,
                                            axes[1].k, options.groups, !options.no_bias);
  if (!is_small(
          {{1, options.in_channels, axes[0].i, axes[1].i},
           {1, options.out_channels, axes[0].transposed_output(), axes[1].transposed_output()},
           {options.out_channels, options.in_channels, axes[0].k, axes[1].k}}))
    return;
  tapedeck::nn::ConvTranspose2d conv(
      tapedeck::nn::ConvTranspose2dOptions(options.in_channels, options.out_channels,
                                           pair_of(axes, &ConvAxis::k))
          .stride(pair_of(axes, &ConvAxis::s))
          .padding(pair_of(axes, &ConvAxis::p))
          .output_padding(pair_of(axes, &ConvAxis::output_padding))
          .dilation(pair_of(axes, &ConvAxis::d))
          .groups(options.groups)
          .bias(!options.no_bias));
  const auto input = tapedeck::zeros({1, options.in_channels, axes[0].i, axes[1].i});
  print_check("conv_transpose2d", input, [&](const auto& x) { return conv(x); });
}

void explain_pool(const Options& options) {
  const auto axes = axes_of(options);
  print_axes(axes, examples::explain_pooling);
  if (!is_small({{1, 1, axes[0].i, axes[1].i}, {1, 1, axes[0].k, axes[1].k}})) return;
  print_check("max_pool2d", tapedeck::zeros({1, 1, axes[0].i, axes[1].i}), [&](const auto& x) {
    return tapedeck::max_pool2d(x, {axes[0].k, axes[1].k}, {axes[0].s, axes[1].s},
                                {axes[0].p, axes[1].p}, {axes[0].d, axes[1].d}, options.ceil_mode);
  });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "The arithmetic of convolutions, with the numbers filled in.\n"
      "Each size may be given once, or as height and width."};
  app.require_subcommand(1);
  Options options;
  const auto add_window = [&](CLI::App* command) {
    command->add_option("-i,--input", options.input, "input size")->required()->expected(1, 2);
    command->add_option("-k,--kernel", options.kernel, "kernel size")->required()->expected(1, 2);
    command->add_option("-s,--stride", options.stride, "stride")->expected(1, 2);
    command->add_option("-p,--padding", options.padding, "a number, valid, half, same or full")
        ->expected(1, 2);
    command->add_option("-d,--dilation", options.dilation, "1 for none")->expected(1, 2);
  };
  const auto add_channels = [&](CLI::App* command) {
    command->add_option("--in-channels", options.in_channels);
    command->add_option("--out-channels", options.out_channels);
    command->add_option("--groups", options.groups);
    command->add_flag("--no-bias", options.no_bias);
  };
  CLI::App* conv = app.add_subcommand("conv", "a convolution");
  CLI::App* transposed = app.add_subcommand("transposed", "a transposed convolution");
  CLI::App* pool = app.add_subcommand("pool", "a pooling");
  for (CLI::App* command : {conv, transposed, pool}) add_window(command);
  for (CLI::App* command : {conv, transposed}) add_channels(command);
  transposed->add_option("--output-padding", options.output_padding)->expected(1, 2);
  pool->add_flag("--ceil-mode", options.ceil_mode, "a last, partial window counts");
  CLI11_PARSE(app, argc, argv);

  try {
    if (*conv) explain_conv(options);
    if (*transposed) explain_transposed(options);
    if (*pool) {
      // A pooling's stride is its kernel unless it is given.
      if (pool->count("--stride") == 0) options.stride = options.kernel;
      explain_pool(options);
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
