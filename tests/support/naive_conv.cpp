#include <tests/support/naive_conv.h>

#include <algorithm>

namespace tapedeck::testing_support {

namespace {

using kernels::Conv2dGeometry;

// The elements of a row-major float64 array of four axes. It asks the array for its sizes once: to
// ask for each product would take most of a test's time.
class Elements {
 public:
  explicit Elements(const Array& a)
      : data_(a.data<double>()), sizes_{a.size(1), a.size(2), a.size(3)} {}
  double& operator()(std::int64_t i, std::int64_t j, std::int64_t k, std::int64_t l) const {
    return data_[((i * sizes_[0] + j) * sizes_[1] + k) * sizes_[2] + l];
  }

 private:
  double* data_;
  std::int64_t sizes_[3];
};

// floor(a / b) + 1 for a >= 0.
std::int64_t windows(std::int64_t padded, std::int64_t span, std::int64_t stride) {
  std::int64_t count = 0;
  for (std::int64_t start = 0; start + span <= padded; start += stride) ++count;
  return count;
}

// Calls f(n, group, k in group, c in group, oh, ow, kh, kw, ih, iw) for every product of a
// convolution, the input position being inside.
template <typename F>
void for_each_product(IntArrayRef input, IntArrayRef weight, IntArrayRef output,
                      const Conv2dGeometry& g, F&& f) {
  const std::int64_t filters = weight[0] / g.groups;
  for (std::int64_t n = 0; n < input[0]; ++n)
    for (std::int64_t k = 0; k < weight[0]; ++k)
      for (std::int64_t c = 0; c < weight[1]; ++c)
        for (std::int64_t oh = 0; oh < output[2]; ++oh)
          for (std::int64_t ow = 0; ow < output[3]; ++ow)
            for (std::int64_t kh = 0; kh < weight[2]; ++kh)
              for (std::int64_t kw = 0; kw < weight[3]; ++kw) {
                const std::int64_t ih = oh * g.stride[0] + kh * g.dilation[0] - g.padding[0];
                const std::int64_t iw = ow * g.stride[1] + kw * g.dilation[1] - g.padding[2];
                if (ih < 0 || ih >= input[2] || iw < 0 || iw >= input[3]) continue;
                f(n, k, c, k / filters * weight[1] + c, oh, ow, kh, kw, ih, iw);
              }
}

Array filled(IntArrayRef sizes, const Array& bias) {
  Array out = Array::empty(sizes, kFloat64);
  const Elements elements(out);
  for (std::int64_t n = 0; n < sizes[0]; ++n)
    for (std::int64_t c = 0; c < sizes[1]; ++c)
      for (std::int64_t h = 0; h < sizes[2]; ++h)
        for (std::int64_t w = 0; w < sizes[3]; ++w)
          elements(n, c, h, w) = bias.defined() ? bias.data<double>()[c] : 0;
  return out;
}

}  // namespace

Array naive_conv2d(const Array& input, const Array& weight, const Array& bias,
                   const Conv2dGeometry& g) {
  std::int64_t size[2];
  for (int axis = 0; axis < 2; ++axis)
    size[axis] = windows(input.size(2 + axis) + g.padding[2 * axis] + g.padding[2 * axis + 1],
                         g.dilation[axis] * (weight.size(2 + axis) - 1) + 1, g.stride[axis]);
  Array out = filled({input.size(0), weight.size(0), size[0], size[1]}, bias);
  const Elements x(input), w(weight), y(out);
  for_each_product(
      input.sizes(), weight.sizes(), out.sizes(), g,
      [&](auto n, auto k, auto c, auto channel, auto oh, auto ow, auto kh, auto kw, auto ih,
          auto iw) { y(n, k, oh, ow) += x(n, channel, ih, iw) * w(k, c, kh, kw); });
  return out;
}

Array naive_conv_transpose2d(const Array& input, const Array& weight, const Array& bias,
                             const Conv2dGeometry& g) {
  const std::int64_t inputs = weight.size(0) / g.groups, outputs = weight.size(1);
  std::int64_t size[2];
  for (int axis = 0; axis < 2; ++axis) {
    // Every input pixel puts its kernel down; the padding is cut off the result.
    const std::int64_t last = (input.size(2 + axis) - 1) * g.stride[axis];
    size[axis] = last + g.dilation[axis] * (weight.size(2 + axis) - 1) + 1 - g.padding[2 * axis] -
                 g.padding[2 * axis + 1] + g.output_padding[axis];
  }
  Array out = filled({input.size(0), outputs * g.groups, size[0], size[1]}, bias);
  const Elements x(input), weights(weight), y(out);
  for (std::int64_t n = 0; n < input.size(0); ++n)
    for (std::int64_t c = 0; c < input.size(1); ++c)
      for (std::int64_t h = 0; h < input.size(2); ++h)
        for (std::int64_t w = 0; w < input.size(3); ++w)
          for (std::int64_t o = 0; o < outputs; ++o)
            for (std::int64_t kh = 0; kh < weight.size(2); ++kh)
              for (std::int64_t kw = 0; kw < weight.size(3); ++kw) {
                const std::int64_t oh = h * g.stride[0] + kh * g.dilation[0] - g.padding[0];
                const std::int64_t ow = w * g.stride[1] + kw * g.dilation[1] - g.padding[2];
                if (oh < 0 || oh >= size[0] || ow < 0 || ow >= size[1]) continue;
                y(n, c / inputs * outputs + o, oh, ow) += x(n, c, h, w) * weights(c, o, kh, kw);
              }
  return out;
}

Array naive_conv2d_grad_weight(const Array& input, const Array& grad_output,
                               IntArrayRef weight_sizes, const Conv2dGeometry& g) {
  Array out = filled(weight_sizes, Array());
  const Elements x(input), y(grad_output), w(out);
  for_each_product(
      input.sizes(), weight_sizes, grad_output.sizes(), g,
      [&](auto n, auto k, auto c, auto channel, auto oh, auto ow, auto kh, auto kw, auto ih,
          auto iw) { w(k, c, kh, kw) += x(n, channel, ih, iw) * y(n, k, oh, ow); });
  return out;
}

}  // namespace tapedeck::testing_support
