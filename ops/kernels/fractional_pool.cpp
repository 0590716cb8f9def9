#include <tapedeck/ops/kernels/fractional_pool.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>

namespace tapedeck::kernels {

namespace {

// The starts of the windows of one axis, in the dtype's own precision, as PyTorch computes them.
template <typename T>
std::vector<std::int64_t> window_starts(T sample, std::int64_t input, std::int64_t output,
                                        std::int64_t kernel) {
  std::vector<std::int64_t> starts(static_cast<std::size_t>(output));
  if (output > 1) {
    const T step = static_cast<T>(input - kernel) / static_cast<T>(output - 1);
    for (std::int64_t o = 0; o < output - 1; ++o)
      starts[static_cast<std::size_t>(o)] =
          static_cast<std::int64_t>((static_cast<T>(o) + sample) * step) -
          static_cast<std::int64_t>(sample * step);
  }
  starts.back() = input - kernel;
  return starts;
}

// The place of the largest element in the window of `kernel` that starts at d, h, w.
template <typename T>
std::int64_t largest_in(const T* x, IntArrayRef sizes, IntArrayRef kernel, std::int64_t d,
                        std::int64_t h, std::int64_t w) {
  const std::int64_t H = sizes[2], W = sizes[3];
  std::int64_t best = (d * H + h) * W + w;
  T largest = -std::numeric_limits<T>::infinity();
  for (std::int64_t kd = d; kd < d + kernel[0]; ++kd)
    for (std::int64_t kh = h; kh < h + kernel[1]; ++kh)
      for (std::int64_t kw = w; kw < w + kernel[2]; ++kw) {
        const std::int64_t at = (kd * H + kh) * W + kw;
        if (x[at] > largest || std::isnan(x[at])) {
          largest = x[at];
          best = at;
        }
      }
  return best;
}

}  // namespace

Array fractional_max_pool_indices(const Array& input, IntArrayRef kernel_size,
                                  IntArrayRef output_size, const Array& samples) {
  const std::int64_t P = input.size(0), volume = input.numel() / std::max<std::int64_t>(1, P);
  const std::int64_t outputs = numel_of(output_size);
  Array indices = Array::empty({P, outputs}, kInt64);
  dispatch_floating(input.dtype(), "fractional_max_pool", [&](auto tag) {
    using T = typename decltype(tag)::type;
    parallel_for(P, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t p = begin; p < end; ++p) {
        std::vector<std::int64_t> starts[3];
        for (std::size_t axis = 0; axis < 3; ++axis)
          starts[axis] =
              window_starts(samples.data<T>()[p * 3 + static_cast<std::int64_t>(axis)],
                            input.sizes()[axis + 1], output_size[axis], kernel_size[axis]);
        std::int64_t* out = indices.data<std::int64_t>() + p * outputs;
        for (const std::int64_t d : starts[0])
          for (const std::int64_t h : starts[1])
            for (const std::int64_t w : starts[2])
              *out++ =
                  largest_in(input.data<T>() + p * volume, input.sizes(), kernel_size, d, h, w);
      }
    });
  });
  return indices;
}

}  // namespace tapedeck::kernels
