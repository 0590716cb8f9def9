#include "conv_arithmetic.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include <tapedeck/array/error.h>

namespace examples {

namespace {

// Far beyond any image, and small enough for every formula here.
constexpr std::int64_t kLargest = 1'000'000'000;

void check(const ConvAxis& a) {
  const auto within = [&](std::int64_t value, std::int64_t least) {
    return value >= least && value <= kLargest;
  };
  TAPEDECK_CHECK(within(a.i, 1) && within(a.k, 1) && within(a.s, 1) && within(a.d, 1) &&
                     within(a.p, 0) && within(a.output_padding, 0),
                 "conv_arithmetic: sizes, strides and dilations are positive, paddings not "
                 "negative, all at most ",
                 kLargest, "; got i=", a.i, " k=", a.k, " s=", a.s, " p=", a.p, " d=", a.d,
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

// "5 with output_padding 0; 6 with output_padding 1": the sizes of images that the convolution maps
// to `o`, and what makes the transposed one give them back.
void list_inputs(std::ostream& out, const ConvAxis& a, std::int64_t o) {
  constexpr std::int64_t kListed = 4;
  const std::int64_t first = a.smallest_input(o);
  const std::int64_t begin = std::max<std::int64_t>(0, 1 - first);
  const auto show = [&](std::int64_t extra) {
    out << first + extra << " with output_padding " << extra;
  };
  if (a.s - begin > kListed) {
    show(begin);
    out << ", one more for each more, up to ";
    show(a.s - 1);
    return;
  }
  for (std::int64_t extra = begin; extra < a.s; ++extra) {
    if (extra > begin) out << "; ";
    show(extra);
  }
}

// The input sizes that share an output, and how a transposed convolution tells them apart.
void explain_ambiguity(std::ostream& out, const ConvAxis& a, std::int64_t o) {
  const std::int64_t first = a.smallest_input(o), last = first + a.s - 1;
  if (a.s == 1) {
    out << "  back              a transposed convolution of the same numbers maps " << o << " to "
        << first << "\n";
  } else {
    out << "  shared            every i from " << std::max<std::int64_t>(first, 1) << " to " << last
        << " gives o = " << o << '\n'
        << "  unread            rows at the end of i = " << a.i << ": " << a.unread_at_the_end()
        << '\n'
        << "  back              a transposed convolution of the same numbers maps " << o << " to ";
    list_inputs(out, a, o);
    out << '\n';
  }
  out << "                    it inverts the size, not the values\n";
}

}  // namespace

std::int64_t ConvAxis::conv_output() const {
  check(*this);
  const std::int64_t slack = i + 2 * p - effective_kernel();
  const std::int64_t partial = ceil_mode ? s - 1 : 0;
  std::int64_t o = slack + partial < 0 ? 0 : (slack + partial) / s + 1;
  // A window must start inside the input or the padding before it.
  if (ceil_mode && (o - 1) * s >= i + p) --o;
  TAPEDECK_CHECK(o > 0, "conv_arithmetic: the kernel spans ", effective_kernel(),
                 ", the padded input has only ", i + 2 * p);
  return o;
}

std::int64_t ConvAxis::unread_at_the_end() const {
  const std::int64_t read = (conv_output() - 1) * s - p + effective_kernel();
  return std::clamp<std::int64_t>(i - read, 0, i);
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
  if (name == "half") return axis.effective_kernel() / 2;
  if (name == "same") {
    check(axis);
    const std::int64_t o = (axis.i + axis.s - 1) / axis.s;
    const std::int64_t both =
        std::max<std::int64_t>(axis.s * (o - 1) + axis.effective_kernel() - axis.i, 0);
    TAPEDECK_CHECK(both % 2 == 0, "conv_arithmetic: same padding gives o = ceil(i / s) = ", o,
                   ", which takes ", both, " rows in all: ", both / 2, " before and ",
                   both - both / 2, " after. tapedeck::kSame does so; one number for both sides ",
                   "cannot");
    return both / 2;
  }
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
  if (a.output_padding >= a.s) {
    out << "  its convolution   the one of the same numbers maps " << o << " to "
        << a.i + a.output_padding / a.s << ", not to " << a.i
        << ": more output_padding than s - 1 is never needed\n";
  } else if (a.s > 1) {
    out << "  reachable         ";
    list_inputs(out, a, a.i);
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
  TAPEDECK_CHECK(
      in_channels > 0 && out_channels > 0 && in_channels <= kLargest && out_channels <= kLargest,
      "conv_arithmetic: channels are positive and at most ", kLargest, ", got ", in_channels,
      " and ", out_channels);
  TAPEDECK_CHECK(groups > 0 && in_channels % groups == 0 && out_channels % groups == 0,
                 "conv_arithmetic: ", groups, " groups do not divide ", in_channels, " and ",
                 out_channels, " channels");
  std::int64_t weight = out_channels;
  for (const std::int64_t factor : {in_channels / groups, kernel_height, kernel_width})
    TAPEDECK_CHECK(!__builtin_mul_overflow(weight, factor, &weight),
                   "conv_arithmetic: more than 2^63 parameters");
  std::ostringstream out;
  out << "parameters: C_out * C_in / groups * KH * KW" << (bias ? " + C_out" : "") << " = "
      << out_channels << " * " << in_channels / groups << " * " << kernel_height << " * "
      << kernel_width;
  if (bias) out << " + " << out_channels;
  out << " = " << weight + (bias ? out_channels : 0) << '\n';
  return out.str();
}

}  // namespace examples
