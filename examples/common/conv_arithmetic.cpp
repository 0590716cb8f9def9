#include "conv_arithmetic.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include <tapedeck/array/error.h>

namespace examples {

namespace {

void check(const ConvAxis& a) {
  TAPEDECK_CHECK(a.i > 0 && a.k > 0 && a.s > 0 && a.d > 0 && a.p >= 0 && a.output_padding >= 0,
                 "conv_arithmetic: sizes, strides and dilations are positive, paddings not "
                 "negative; got i=",
                 a.i, " k=", a.k, " s=", a.s, " p=", a.p, " d=", a.d,
                 " output_padding=", a.output_padding);
}

void describe(std::ostream& out, const char* what, const ConvAxis& a) {
  out << what << " of i=" << a.i << " with k=" << a.k << ", s=" << a.s << ", p=" << a.p
      << ", d=" << a.d;
}

void explain_kernel(std::ostream& out, const ConvAxis& a) {
  if (a.d == 1) return;
  out << "  effective kernel  k' = k + (k - 1)(d - 1) = " << a.k << " + " << a.k - 1 << "*"
      << a.d - 1 << " = " << a.effective_kernel() << '\n';
}

const char* kernel_symbol(const ConvAxis& a) { return a.d == 1 ? "k" : "k'"; }

// The input sizes that share an output, and how a transposed convolution tells them apart.
void explain_ambiguity(std::ostream& out, const ConvAxis& a, std::int64_t o) {
  const std::int64_t first = a.smallest_input(o);
  if (a.s == 1) {
    out << "  back              a transposed convolution of the same numbers maps " << o << " to "
        << first << "\n";
  } else {
    out << "  shared            every i from " << first << " to " << first + a.s - 1
        << " gives o = " << o << ": the last (i + 2p - " << kernel_symbol(a)
        << ") mod s rows are never read\n"
        << "  back              a transposed convolution of the same numbers maps " << o << " to";
    for (std::int64_t extra = 0; extra < a.s; ++extra)
      out << (extra ? "; " : " ") << first + extra << " with output_padding " << extra;
    out << '\n';
  }
  out << "                    it inverts the size, not the values\n";
}

}  // namespace

std::int64_t ConvAxis::conv_output() const {
  check(*this);
  const std::int64_t slack = i + 2 * p - effective_kernel();
  TAPEDECK_CHECK(slack >= 0, "conv_arithmetic: the kernel spans ", effective_kernel(),
                 ", the padded input has only ", i + 2 * p);
  if (!ceil_mode) return slack / s + 1;
  std::int64_t o = (slack + s - 1) / s + 1;
  // A window must start inside the input or the padding before it.
  if ((o - 1) * s >= i + p) --o;
  return o;
}

std::int64_t ConvAxis::transposed_output() const {
  check(*this);
  TAPEDECK_CHECK(output_padding < std::max(s, d),
                 "conv_arithmetic: output_padding must be smaller than stride or dilation, got ",
                 output_padding, " with s=", s, " d=", d);
  const std::int64_t o = smallest_input(i) + output_padding;
  TAPEDECK_CHECK(o > 0, "conv_arithmetic: padding ", p, " leaves nothing of the output");
  return o;
}

std::int64_t padding_by_name(const std::string& name, const ConvAxis& axis) {
  if (name == "valid") return 0;
  if (name == "half" || name == "same") return axis.effective_kernel() / 2;
  if (name == "full") return axis.effective_kernel() - 1;
  std::int64_t value = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data(), end, value);
  TAPEDECK_CHECK(error == std::errc() && stop == end,
                 "conv_arithmetic: padding is a number, valid, half, same or full; got ", name);
  return value;
}

std::string explain_convolution(const ConvAxis& a) {
  const std::int64_t o = a.conv_output();
  const std::int64_t kernel = a.effective_kernel();
  std::ostringstream out;
  describe(out, "convolution", a);
  out << '\n';
  explain_kernel(out, a);
  out << "  output            o = floor((i + 2p - " << kernel_symbol(a) << ") / s) + 1 = floor(("
      << a.i << " + " << 2 * a.p << " - " << kernel << ") / " << a.s << ") + 1 = " << o << '\n';
  if (a.s == 1 && kernel % 2 == 0)
    out << "  keeping the size  no p does: half padding, p = " << kernel_symbol(a)
        << " / 2, needs an odd " << kernel_symbol(a) << "; here it gives i + 1\n";
  else if (a.s == 1)
    out << "  keeping the size  half padding, p = floor(" << kernel_symbol(a)
        << " / 2) = " << kernel / 2 << (a.p == kernel / 2 ? ": that is this one\n" : " would\n");
  if (a.p == kernel - 1 && kernel > 1)
    out << "  padding           p = " << kernel_symbol(a)
        << " - 1 is full padding: every partial overlap counts\n";
  explain_ambiguity(out, a, o);
  return out.str();
}

std::string explain_transposed_convolution(const ConvAxis& a) {
  const std::int64_t o = a.transposed_output();
  std::ostringstream out;
  describe(out, "transposed convolution", a);
  out << ", output_padding=" << a.output_padding << '\n';
  explain_kernel(out, a);
  out << "  output            o = s(i - 1) + " << kernel_symbol(a)
      << " - 2p + output_padding = " << a.s << "*" << a.i - 1 << " + " << a.effective_kernel()
      << " - " << 2 * a.p << " + " << a.output_padding << " = " << o << '\n';
  const std::int64_t first = a.smallest_input(a.i);
  if (a.s > 1) {
    out << "  reachable         ";
    for (std::int64_t extra = 0; extra < a.s; ++extra)
      out << (extra ? "; " : "") << first + extra << " with output_padding " << extra;
    out << ":\n                    a convolution of the same numbers maps each of them to " << a.i
        << '\n';
  } else {
    out << "  its convolution   the one of the same numbers maps " << o << " to " << a.i << '\n';
  }
  out << "                    it is the adjoint of that convolution: it inverts the size, not the "
         "values\n";
  return out.str();
}

std::string explain_pooling(const ConvAxis& a) {
  TAPEDECK_CHECK(2 * a.p <= a.k,
                 "conv_arithmetic: a pooling's padding is at most half of its "
                 "kernel, got p=",
                 a.p, " k=", a.k);
  const std::int64_t o = a.conv_output();
  std::ostringstream out;
  describe(out, "pooling", a);
  out << (a.ceil_mode ? ", ceil_mode\n" : "\n");
  explain_kernel(out, a);
  const char* rounding = a.ceil_mode ? "ceil" : "floor";
  out << "  output            o = " << rounding << "((i + 2p - " << kernel_symbol(a)
      << ") / s) + 1 = " << rounding << "((" << a.i << " + " << 2 * a.p << " - "
      << a.effective_kernel() << ") / " << a.s << ") + 1 = " << o << '\n';
  if (a.ceil_mode)
    out << "                    less one where the last window would start in the padding after\n";
  out << "  parameters        none\n";
  return out.str();
}

std::string explain_parameters(std::int64_t in_channels, std::int64_t out_channels,
                               std::int64_t kernel_height, std::int64_t kernel_width,
                               std::int64_t groups, bool bias) {
  TAPEDECK_CHECK(groups > 0 && in_channels % groups == 0 && out_channels % groups == 0,
                 "conv_arithmetic: ", groups, " groups do not divide ", in_channels, " and ",
                 out_channels, " channels");
  const std::int64_t weight = out_channels * (in_channels / groups) * kernel_height * kernel_width;
  std::ostringstream out;
  out << "parameters: C_out * C_in / groups * KH * KW" << (bias ? " + C_out" : "") << " = "
      << out_channels << " * " << in_channels / groups << " * " << kernel_height << " * "
      << kernel_width;
  if (bias) out << " + " << out_channels;
  out << " = " << weight + (bias ? out_channels : 0) << '\n';
  return out.str();
}

}  // namespace examples
