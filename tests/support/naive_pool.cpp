#include <tests/support/naive_pool.h>

#include <cmath>
#include <limits>

namespace tapedeck::testing_support {

namespace {

using kernels::MaxPool;
using kernels::Pool2dGeometry;

// A window starts at o * stride - padding. With ceil_mode one more counts where it is partial and
// starts before the padding after.
std::int64_t outputs(const Pool2dGeometry& g, int axis, std::int64_t size) {
  const std::int64_t span = g.dilation[axis] * (g.kernel[axis] - 1) + 1;
  std::int64_t count = 0, end_of_last = 0;
  for (;; ++count) {
    const std::int64_t start = count * g.stride[axis] - g.padding[axis];
    const bool whole = start + span <= size + g.padding[axis];
    const bool partial = g.ceil_mode && start < size && end_of_last < size + g.padding[axis];
    if (!whole && !partial) break;
    end_of_last = start + span;
  }
  return count;
}

template <typename F>
void for_each_output(const Array& out, F&& f) {
  std::int64_t i = 0;
  for (std::int64_t p = 0; p < out.size(0) * out.size(1); ++p)
    for (std::int64_t oh = 0; oh < out.size(2); ++oh)
      for (std::int64_t ow = 0; ow < out.size(3); ++ow) f(i++, p, oh, ow);
}

bool inside(std::int64_t i, std::int64_t size) { return i >= 0 && i < size; }

MaxPool empty_max_pool(const Array& x, std::int64_t OH, std::int64_t OW) {
  MaxPool out{Array::empty({x.size(0), x.size(1), OH, OW}, kFloat64), {}};
  out.indices = Array::empty(out.values.sizes(), kInt64);
  for (std::int64_t i = 0; i < out.values.numel(); ++i) {
    out.values.data<double>()[i] = -std::numeric_limits<double>::infinity();
    out.indices.data<std::int64_t>()[i] = -1;
  }
  return out;
}

void offer(const MaxPool& best, std::int64_t i, double value, std::int64_t index) {
  double& largest = best.values.data<double>()[i];
  std::int64_t& where = best.indices.data<std::int64_t>()[i];
  if (where >= 0 && !(value > largest) && !std::isnan(value)) return;
  largest = value;
  where = index;
}

}  // namespace

MaxPool naive_max_pool2d(const Array& x, const Pool2dGeometry& g) {
  const std::int64_t H = x.size(2), W = x.size(3);
  const MaxPool out = empty_max_pool(x, outputs(g, 0, H), outputs(g, 1, W));
  for_each_output(out.values, [&](auto i, auto p, auto oh, auto ow) {
    for (std::int64_t kh = 0; kh < g.kernel[0]; ++kh)
      for (std::int64_t kw = 0; kw < g.kernel[1]; ++kw) {
        const std::int64_t h = oh * g.stride[0] - g.padding[0] + kh * g.dilation[0];
        const std::int64_t w = ow * g.stride[1] - g.padding[1] + kw * g.dilation[1];
        if (inside(h, H) && inside(w, W))
          offer(out, i, x.data<double>()[(p * H + h) * W + w], h * W + w);
      }
  });
  return out;
}

Array naive_avg_pool2d(const Array& x, const Pool2dGeometry& g, kernels::AvgPoolDivisor divisor) {
  const std::int64_t H = x.size(2), W = x.size(3);
  Array out = Array::empty({x.size(0), x.size(1), outputs(g, 0, H), outputs(g, 1, W)}, kFloat64);
  for_each_output(out, [&](auto i, auto p, auto oh, auto ow) {
    double sum = 0;
    std::int64_t in_input = 0, in_padding = 0;
    for (std::int64_t kh = 0; kh < g.kernel[0]; ++kh)
      for (std::int64_t kw = 0; kw < g.kernel[1]; ++kw) {
        const std::int64_t h = oh * g.stride[0] - g.padding[0] + kh;
        const std::int64_t w = ow * g.stride[1] - g.padding[1] + kw;
        if (inside(h, H) && inside(w, W)) {
          sum += x.data<double>()[(p * H + h) * W + w];
          ++in_input;
        } else if (h < H + g.padding[0] && w < W + g.padding[1]) {
          ++in_padding;
        }
      }
    std::int64_t count = in_input + (divisor.count_include_pad ? in_padding : 0);
    if (divisor.divisor != 0) count = divisor.divisor;
    out.data<double>()[i] = in_input == 0 ? 0 : sum / static_cast<double>(count);
  });
  return out;
}

Array naive_adaptive_avg_pool2d(const Array& x, IntArrayRef output_size) {
  const double H = static_cast<double>(x.size(2)), W = static_cast<double>(x.size(3));
  const double OH = static_cast<double>(output_size[0]), OW = static_cast<double>(output_size[1]);
  Array out = Array::empty({x.size(0), x.size(1), output_size[0], output_size[1]}, kFloat64);
  for_each_output(out, [&](auto i, auto p, auto oh, auto ow) {
    double sum = 0;
    int count = 0;
    for (auto h = std::floor(oh * H / OH); h < std::ceil((oh + 1) * H / OH); ++h)
      for (auto w = std::floor(ow * W / OW); w < std::ceil((ow + 1) * W / OW); ++w, ++count)
        sum += x.data<double>()[p * x.size(2) * x.size(3) + static_cast<std::int64_t>(h * W + w)];
    out.data<double>()[i] = sum / count;
  });
  return out;
}

MaxPool naive_adaptive_max_pool2d(const Array& x, IntArrayRef output_size) {
  const double H = static_cast<double>(x.size(2)), W = static_cast<double>(x.size(3));
  const double OH = static_cast<double>(output_size[0]), OW = static_cast<double>(output_size[1]);
  const MaxPool out = empty_max_pool(x, output_size[0], output_size[1]);
  for_each_output(out.values, [&](auto i, auto p, auto oh, auto ow) {
    for (auto h = std::floor(oh * H / OH); h < std::ceil((oh + 1) * H / OH); ++h)
      for (auto w = std::floor(ow * W / OW); w < std::ceil((ow + 1) * W / OW); ++w) {
        const auto place = static_cast<std::int64_t>(h * W + w);
        offer(out, i, x.data<double>()[p * x.size(2) * x.size(3) + place], place);
      }
  });
  return out;
}

}  // namespace tapedeck::testing_support
