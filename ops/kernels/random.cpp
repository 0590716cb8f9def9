#include <tapedeck/ops/kernels/random.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <type_traits>
#include <vector>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/layout.h>
#include <tapedeck/ops/kernels/box_muller.h>
#include <tapedeck/ops/kernels/lines.h>
#include <tapedeck/ops/kernels/sort.h>

namespace tapedeck::kernels {

namespace {

const Generator& choose(const OptionalGenerator& generator) {
  return generator && generator->defined() ? *generator
                                           : tapedeck::detail::getDefaultCPUGenerator();
}

void check_writable(const Array& out, const char* op) {
  TAPEDECK_CHECK(!out.has_internal_overlap(), op,
                 ": more than one element of the written-to tensor refers to a single memory "
                 "location (sizes ",
                 out.sizes().ref(), ", strides ", out.strides().ref(),
                 "): clone() the tensor before");
}

// Fills `out` in the order of its memory. make(dst, count) writes the next `count` values.
template <typename T, typename Make>
void fill_in_order(const Array& out, const char* op, Make make) {
  check_writable(out, op);
  const Array ordered = in_order(out, memory_order(out));
  T* data = ordered.data<T>();
  if (ordered.is_contiguous()) {
    make(data, ordered.numel());
    return;
  }
  constexpr std::int64_t kBuffer = 512;
  T buffer[kBuffer];
  // PyTorch walks tensors in the order of their memory: a transposed tensor gets other numbers
  // than a contiguous one.
  for_each_row<1>({ordered}, [&](const auto& offsets, const auto& steps, std::int64_t count) {
    T* row = data + offsets[0];
    for (std::int64_t begin = 0; begin < count; begin += kBuffer) {
      const std::int64_t n = std::min(kBuffer, count - begin);
      make(buffer, n);
      for (std::int64_t i = 0; i < n; ++i) row[(begin + i) * steps[0]] = buffer[i];
    }
  });
}

// A double of [0, 1) with 53 random bits.
double unit_double(CPUGeneratorImpl& g) {
  return static_cast<double>(g.random64() & ((std::uint64_t{1} << 53) - 1)) * 0x1p-53;
}
float unit_float(CPUGeneratorImpl& g) {
  return static_cast<float>(g.random() & 0xffffff) * 0x1p-24f;
}

// The same numbers as repeated unit_double(), made in bulk; f(value) gives the element.
template <typename T, typename F>
void map_unit_doubles(CPUGeneratorImpl& g, T* out, std::int64_t count, F f) {
  constexpr std::int64_t kBlock = 312;
  std::uint32_t bits[2 * kBlock];
  for (std::int64_t begin = 0; begin < count; begin += kBlock) {
    const std::int64_t n = std::min(kBlock, count - begin);
    g.engine().fill(bits, 2 * n);
    for (std::int64_t i = 0; i < n; ++i) {
      // 21 bits of the first number above the 32 of the second: exact in double arithmetic.
      const double high = static_cast<double>(static_cast<std::int32_t>(bits[2 * i] & 0x1fffff));
      const double low = static_cast<double>(bits[2 * i + 1]);
      out[begin + i] = f((high * 0x1p32 + low) * 0x1p-53);
    }
  }
}

void fill_uniform(CPUGeneratorImpl& g, float* out, std::int64_t count, float range, float from) {
  constexpr std::int64_t kBlock = mt19937::kStateSize;
  std::uint32_t bits[kBlock];
  for (std::int64_t begin = 0; begin < count; begin += kBlock) {
    const std::int64_t n = std::min(kBlock, count - begin);
    g.engine().fill(bits, n);
    detail::scale_uniform(bits, out + begin, n, range, from);
  }
}
void fill_uniform(CPUGeneratorImpl& g, double* out, std::int64_t count, double range, double from) {
  if (range == 1.0 && from == 0.0)
    map_unit_doubles(g, out, count, [](double u) { return u; });
  else
    map_unit_doubles(g, out, count, [=](double u) { return std::fma(u, range, from); });
}

// 1 where unit_double() < p, else 0: the 53 bits are compared as an integer.
template <typename T>
void fill_hits(CPUGeneratorImpl& g, T* out, std::int64_t count, double p) {
  const auto threshold = static_cast<std::uint64_t>(std::ceil(p * 0x1p53));
  constexpr std::int64_t kBlock = 312;
  std::uint32_t bits[2 * kBlock];
  for (std::int64_t begin = 0; begin < count; begin += kBlock) {
    const std::int64_t n = std::min(kBlock, count - begin);
    g.engine().fill(bits, 2 * n);
    for (std::int64_t i = 0; i < n; ++i) {
      const std::uint64_t high = bits[2 * i] & 0x1fffff;
      const bool hit = (high << 32 | bits[2 * i + 1]) < threshold;
      out[begin + i] = static_cast<T>(static_cast<int>(hit));
    }
  }
}

// Box and Muller: a cosine now, and the sine kept for the next call.
double sample_normal(CPUGeneratorImpl& g, double mean, double std) {
  double sample;
  if (const auto cached = g.next_double_normal_sample()) {
    g.set_next_double_normal_sample(std::nullopt);
    sample = *cached;
  } else {
    const double u1 = unit_double(g);
    const double u2 = unit_double(g);
    const double radius = std::sqrt(-2.0 * std::log(1.0 - u2));
    const double angle = 2.0 * std::numbers::pi * u1;
    g.set_next_double_normal_sample(radius * std::sin(angle));
    sample = radius * std::cos(angle);
  }
  return std::fma(sample, std, mean);
}

// 16 and more contiguous elements are made in blocks of 16; where the size is no multiple of 16 the
// last 16 elements are made anew from further numbers.
template <typename T>
void normal_blocks(CPUGeneratorImpl& g, T* data, std::int64_t size, T mean, T std) {
  fill_uniform(g, data, size, T(1), T(0));
  detail::box_muller_blocks(data, size / 16 * 16, mean, std);
  if (size % 16 != 0) {
    T* tail = data + size - 16;
    fill_uniform(g, tail, 16, T(1), T(0));
    detail::box_muller_blocks(tail, 16, mean, std);
  }
}

}  // namespace

void uniform(const Array& out, double from, double to, const OptionalGenerator& generator) {
  dispatch_floating(out.dtype(), "uniform_", [&](auto tag) {
    using T = typename decltype(tag)::type;
    constexpr double max = std::numeric_limits<T>::max();
    TAPEDECK_CHECK(from >= -max && from <= max, "uniform_: from = ", from, " is out of bounds for ",
                   out.dtype());
    TAPEDECK_CHECK(to >= -max && to <= max, "uniform_: to = ", to, " is out of bounds for ",
                   out.dtype());
    TAPEDECK_CHECK(from <= to,
                   "uniform_ expects to return a [from, to) range, but found from=", from,
                   " > to=", to);
    TAPEDECK_CHECK(to - from <= max, "uniform_ expects to - from not above the greatest ",
                   out.dtype(), ", but found from=", from, " and to=", to);
    CPUGeneratorImpl& g = *choose(generator).get();
    const std::lock_guard lock(g.mutex_);
    const T low = static_cast<T>(from);
    const T range = static_cast<T>(to) - low;
    fill_in_order<T>(out, "uniform_",
                     [&](T* dst, std::int64_t n) { fill_uniform(g, dst, n, range, low); });
  });
}

void normal(const Array& out, double mean, double std, const OptionalGenerator& generator) {
  TAPEDECK_CHECK(std >= 0.0, "normal expects std >= 0.0, but found std ", std);
  dispatch_floating(out.dtype(), "normal_", [&](auto tag) {
    using T = typename decltype(tag)::type;
    CPUGeneratorImpl& g = *choose(generator).get();
    const std::lock_guard lock(g.mutex_);
    if (out.numel() >= 16 && out.is_contiguous()) {
      normal_blocks(g, out.data<T>(), out.numel(), static_cast<T>(mean), static_cast<T>(std));
      return;
    }
    fill_in_order<T>(out, "normal_", [&](T* dst, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i) dst[i] = static_cast<T>(sample_normal(g, mean, std));
    });
  });
}

void log_normal(const Array& out, double mean, double std, const OptionalGenerator& generator) {
  TAPEDECK_CHECK(std > 0.0, "log_normal_ expects std > 0.0, but found std=", std);
  dispatch_floating(out.dtype(), "log_normal_", [&](auto tag) {
    using T = typename decltype(tag)::type;
    CPUGeneratorImpl& g = *choose(generator).get();
    const std::lock_guard lock(g.mutex_);
    fill_in_order<T>(out, "log_normal_", [&](T* dst, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i)
        dst[i] = static_cast<T>(std::exp(sample_normal(g, mean, std)));
    });
  });
}

void exponential(const Array& out, double lambda, const OptionalGenerator& generator) {
  TAPEDECK_CHECK(lambda >= 0.0, "exponential_ expects lambda >= 0.0, but found lambda=", lambda);
  dispatch_floating(out.dtype(), "exponential_", [&](auto tag) {
    using T = typename decltype(tag)::type;
    CPUGeneratorImpl& g = *choose(generator).get();
    const std::lock_guard lock(g.mutex_);
    fill_in_order<T>(out, "exponential_", [&](T* dst, std::int64_t n) {
      map_unit_doubles(g, dst, n,
                       [=](double u) { return static_cast<T>(-1.0 / lambda * std::log(1.0 - u)); });
    });
  });
}

void cauchy(const Array& out, double median, double sigma, const OptionalGenerator& generator) {
  dispatch_floating(out.dtype(), "cauchy_", [&](auto tag) {
    using T = typename decltype(tag)::type;
    CPUGeneratorImpl& g = *choose(generator).get();
    const std::lock_guard lock(g.mutex_);
    fill_in_order<T>(out, "cauchy_", [&](T* dst, std::int64_t n) {
      map_unit_doubles(g, dst, n, [=](double u) {
        return static_cast<T>(std::fma(sigma, std::tan(std::numbers::pi * (u - 0.5)), median));
      });
    });
  });
}

void geometric(const Array& out, double p, const OptionalGenerator& generator) {
  TAPEDECK_CHECK(0 < p && p < 1, "geometric_ expects p to be in (0, 1), but got p=", p);
  dispatch_numeric(out.dtype(), "geometric_", [&](auto tag) {
    using T = typename decltype(tag)::type;
    CPUGeneratorImpl& g = *choose(generator).get();
    const std::lock_guard lock(g.mutex_);
    fill_in_order<T>(out, "geometric_", [&](T* dst, std::int64_t n) {
      map_unit_doubles(g, dst, n, [=](double u) {
        return static_cast<T>(std::ceil(std::log(u) / std::log(1.0 - p)));
      });
    });
  });
}

void bernoulli(const Array& out, double p, const OptionalGenerator& generator) {
  TAPEDECK_CHECK(0 <= p && p <= 1, "bernoulli_ expects p to be in [0, 1], but got p=", p);
  dispatch_all(out.dtype(), "bernoulli_", [&](auto tag) {
    using T = typename decltype(tag)::type;
    CPUGeneratorImpl& g = *choose(generator).get();
    const std::lock_guard lock(g.mutex_);
    fill_in_order<T>(out, "bernoulli_", [&](T* dst, std::int64_t n) { fill_hits(g, dst, n, p); });
  });
}

namespace {

// Before anything is written or drawn.
void check_probabilities(const Array& p) {
  dispatch_floating(p.dtype(), "bernoulli_ with these probabilities", [&](auto tag) {
    using P = typename decltype(tag)::type;
    const Array arrays[1] = {p};
    for_each_row<1>(arrays, [&](const auto& offsets, const auto& steps, std::int64_t count) {
      const P* from = p.template data<P>() + offsets[0];
      for (std::int64_t i = 0; i < count; ++i)
        TAPEDECK_CHECK(from[i * steps[0]] >= 0 && from[i * steps[0]] <= 1,
                       "bernoulli_ expects p to be in [0, 1], but got p=", from[i * steps[0]]);
    });
  });
}

}  // namespace

void bernoulli(const Array& out, const Array& p, const OptionalGenerator& generator) {
  check_writable(out, "bernoulli_");
  check_probabilities(p);
  const Array spread = p.expand(out.sizes());
  const DimVector order = memory_order(out);
  const Array arrays[2] = {in_order(out, order), in_order(spread, order)};
  CPUGeneratorImpl& g = *choose(generator).get();
  const std::lock_guard lock(g.mutex_);
  dispatch_floating(p.dtype(), "bernoulli_ with these probabilities", [&](auto p_tag) {
    using P = typename decltype(p_tag)::type;
    dispatch_all(out.dtype(), "bernoulli_", [&](auto tag) {
      using T = typename decltype(tag)::type;
      for_each_row<2>(arrays, [&](const auto& offsets, const auto& steps, std::int64_t count) {
        T* to = arrays[0].template data<T>() + offsets[0];
        const P* from = arrays[1].template data<P>() + offsets[1];
        for (std::int64_t i = 0; i < count; ++i) {
          const P probability = from[i * steps[1]];
          // The probabilities' precision decides how many random bits an element takes.
          bool hit;
          if constexpr (std::is_same_v<P, double>)
            hit = unit_double(g) < probability;
          else
            hit = unit_float(g) < probability;
          to[i * steps[0]] = static_cast<T>(hit);
        }
      });
    });
  });
}

void random(const Array& out, const OptionalGenerator& generator) {
  dispatch_all(out.dtype(), "random_", [&](auto tag) {
    using T = typename decltype(tag)::type;
    CPUGeneratorImpl& g = *choose(generator).get();
    const std::lock_guard lock(g.mutex_);
    fill_in_order<T>(out, "random_", [&](T* dst, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i) {
        if constexpr (std::is_same_v<T, bool>)
          dst[i] = (g.random() & 1) != 0;
        else if constexpr (std::is_floating_point_v<T>) {
          constexpr std::uint64_t values = (std::uint64_t{1} << std::numeric_limits<T>::digits) + 1;
          dst[i] = static_cast<T>((sizeof(T) == 8 ? g.random64() : g.random()) % values);
        } else {
          constexpr auto values = static_cast<std::uint64_t>(std::numeric_limits<T>::max()) + 1;
          dst[i] = static_cast<T>((sizeof(T) == 8 ? g.random64() : g.random()) % values);
        }
      }
    });
  });
}

namespace {

int floor_log2(std::int64_t value) {
  int n = 0;
  const auto bits = static_cast<std::uint64_t>(value);
  for (auto v = value < 0 ? 0 - bits : bits; v >>= 1;) ++n;
  return n;
}

// The bounds of a range of integers moved inwards to what T represents, so that rounding a drawn
// integer to T cannot leave the range.
template <typename T>
std::int64_t lower_bound_in(std::int64_t from) {
  const auto next = static_cast<std::int64_t>(static_cast<T>(from + 1));
  if (next >= from) return from;
  return next + (std::int64_t{1} << (floor_log2(from + 1) - std::numeric_limits<T>::digits + 1));
}
template <typename T>
std::int64_t upper_bound_in(std::int64_t to) {
  const auto previous = static_cast<std::int64_t>(static_cast<T>(to - 1));
  if (previous < to) return to;
  return previous - (std::int64_t{1} << (floor_log2(to - 1) - std::numeric_limits<T>::digits + 1));
}

template <typename T>
void check_bounds(std::int64_t from, std::int64_t last, ScalarType dtype) {
  if constexpr (!std::is_floating_point_v<T>) {
    constexpr auto min = static_cast<std::int64_t>(std::numeric_limits<T>::lowest());
    constexpr auto max = static_cast<std::int64_t>(std::numeric_limits<T>::max());
    TAPEDECK_CHECK(from >= min && from <= max, "random_: from = ", from, " is out of bounds for ",
                   dtype);
    TAPEDECK_CHECK(last >= min && last <= max, "random_: to - 1 = ", last, " is out of bounds for ",
                   dtype);
  }
}

}  // namespace

void random_from_to(const Array& out, std::int64_t from, std::optional<std::int64_t> to,
                    const OptionalGenerator& generator) {
  dispatch_all(out.dtype(), "random_", [&](auto tag) {
    using T = typename decltype(tag)::type;
    constexpr bool floating = std::is_floating_point_v<T>;
    std::uint64_t range = 0;  // 0 stands for 2^64
    if (to) {
      std::int64_t end = *to;
      TAPEDECK_CHECK(from < end, "random_ expects 'from' to be less than 'to', but got from=", from,
                     " >= to=", end);
      if constexpr (floating) {
        from = lower_bound_in<T>(from);
        end = upper_bound_in<T>(end);
        TAPEDECK_CHECK(from < end,
                       "random_ expects 'from' casted to dtype to be less than 'to' casted to "
                       "dtype, but got from=",
                       from, " >= to=", end);
      }
      check_bounds<T>(from, end - 1, out.dtype());
      range = static_cast<std::uint64_t>(end) - static_cast<std::uint64_t>(from);
    } else if (from != std::numeric_limits<std::int64_t>::lowest()) {
      std::int64_t last;
      if constexpr (floating) {
        last = std::int64_t{1} << std::numeric_limits<T>::digits;
        from = lower_bound_in<T>(from);
        TAPEDECK_CHECK(from < last,
                       "random_ expects 'from' casted to dtype to be less than or equal to "
                       "'to_inc' casted to dtype, but got from=",
                       from, " > to_inc=", last);
      } else {
        last = static_cast<std::int64_t>(std::numeric_limits<T>::max());
      }
      check_bounds<T>(from, last, out.dtype());
      range = static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(from) + 1;
    } else {
      TAPEDECK_CHECK(floating || sizeof(T) == 8,
                     "random_: the full range of 64 bits is for int64, double and float, not for ",
                     out.dtype());
    }
    CPUGeneratorImpl& g = *choose(generator).get();
    const std::lock_guard lock(g.mutex_);
    const bool wide =
        range == 0 || ((floating || sizeof(T) == 8) && range >= std::uint64_t{1} << 32);
    const auto base = static_cast<std::uint64_t>(from);
    fill_in_order<T>(out, "random_", [&](T* dst, std::int64_t n) {
      if (range == 0) {
        for (std::int64_t i = 0; i < n; ++i)
          dst[i] = static_cast<T>(static_cast<std::int64_t>(g.random64()));
      } else if (wide) {
        for (std::int64_t i = 0; i < n; ++i)
          dst[i] = static_cast<T>(static_cast<std::int64_t>(g.random64() % range + base));
      } else {
        for (std::int64_t i = 0; i < n; ++i)
          dst[i] = static_cast<T>(static_cast<std::int64_t>(g.random() % range + base));
      }
    });
  });
}

void randperm(const Array& out, const OptionalGenerator& generator) {
  TAPEDECK_CHECK(out.dim() == 1 && out.is_contiguous(),
                 "randperm: expected a contiguous one-dimensional result, got ", out.sizes().ref());
  dispatch_numeric(out.dtype(), "randperm", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const std::int64_t n = out.numel();
    if constexpr (sizeof(T) < 8 || std::is_floating_point_v<T>) {
      constexpr std::int64_t most =
          std::is_floating_point_v<T>
              ? (std::int64_t{1} << std::numeric_limits<T>::digits) + 1
              : static_cast<std::int64_t>(std::numeric_limits<T>::max()) + 1;
      TAPEDECK_CHECK(n <= most, "randperm: n = ", n, " is more than ", out.dtype(), " holds");
    }
    CPUGeneratorImpl& g = *choose(generator).get();
    const std::lock_guard lock(g.mutex_);
    T* data = out.data<T>();
    for (std::int64_t i = 0; i < n; ++i) data[i] = static_cast<T>(i);
    for (std::int64_t i = 0; i + 1 < n; ++i)
      std::swap(
          data[i],
          data[i + static_cast<std::int64_t>(g.random() % static_cast<std::uint64_t>(n - i))]);
  });
}

namespace {

// The weights as [rows, categories], checked.
template <typename T>
void check_weights(const Array& rows) {
  const T* data = rows.data<T>();
  for (std::int64_t i = 0; i < rows.sizes()[0]; ++i) {
    T sum = 0;
    for (std::int64_t j = 0; j < rows.sizes()[1]; ++j) {
      const T weight = data[i * rows.strides()[0] + j * rows.strides()[1]];
      TAPEDECK_CHECK(std::isfinite(weight) && weight >= 0,
                     "multinomial: probability tensor contains either inf, nan or element < 0 (",
                     weight, " at category ", j, ")");
      sum += weight;
    }
    TAPEDECK_CHECK(sum > 0,
                   "multinomial: invalid multinomial distribution (sum of probabilities <= 0) in "
                   "row ",
                   i);
  }
}

// Inverts the cumulative distribution.
template <typename T>
void draw_with_replacement(CPUGeneratorImpl& g, const Array& rows, const Array& out) {
  const std::int64_t categories = rows.sizes()[1], samples = out.sizes()[1];
  std::vector<T> cumulative(static_cast<std::size_t>(categories));
  for (std::int64_t i = 0; i < rows.sizes()[0]; ++i) {
    const T* weights = rows.data<T>() + i * rows.strides()[0];
    T sum = 0;
    for (std::int64_t j = 0; j < categories; ++j)
      cumulative[j] = sum += weights[j * rows.strides()[1]];
    for (T& c : cumulative) c /= sum;
    cumulative.back() = 1;
    for (std::int64_t j = 0; j < samples; ++j) {
      const double u = unit_double(g);
      const auto slot = std::partition_point(cumulative.begin(), cumulative.end(),
                                             [u](T c) { return static_cast<double>(c) < u; });
      out.data<std::int64_t>()[i * samples + j] = slot - cumulative.begin();
    }
  }
}

}  // namespace

Array multinomial(const Array& weights, std::int64_t samples, bool replacement,
                  const OptionalGenerator& generator) {
  TAPEDECK_CHECK(weights.dim() == 1 || weights.dim() == 2,
                 "multinomial: prob_dist must be 1 or 2 dim, got ", weights.sizes().ref());
  const std::int64_t categories = weights.sizes().back();
  TAPEDECK_CHECK(samples > 0, "multinomial: cannot sample n_sample <= 0 samples, got ", samples);
  TAPEDECK_CHECK(replacement || samples <= categories, "multinomial: cannot sample ", samples,
                 " samples without replacement from ", categories, " categories");
  constexpr std::int64_t kMostCategories = std::int64_t{1} << 24;
  TAPEDECK_CHECK(categories <= kMostCategories, "multinomial: the number of categories, ",
                 categories, ", cannot exceed 2^24");
  const Array rows = weights.dim() == 2 ? weights : weights.unsqueeze(0);
  DimVector sizes = weights.sizes();
  sizes.back() = samples;
  Array out = Array::empty(sizes, ScalarType::Long);
  dispatch_floating(weights.dtype(), "multinomial", [&](auto tag) {
    using T = typename decltype(tag)::type;
    TAPEDECK_CHECK(categories > 0 || rows.numel() == out.numel(),
                   "multinomial: no categories to sample from, got ", weights.sizes().ref());
    check_weights<T>(rows);
    if (replacement) {
      CPUGeneratorImpl& g = *choose(generator).get();
      const std::lock_guard lock(g.mutex_);
      draw_with_replacement<T>(g, rows, out.view({rows.sizes()[0], samples}));
      return;
    }
    // The greatest of weight / exponential are a draw without replacement (Gumbel's trick).
    const Array keys = empty_preserving(weights, weights.dtype());
    exponential(keys, 1.0, generator);
    for_each_row<2>({keys, weights}, [&](const auto& offsets, const auto& steps, std::int64_t n) {
      T* key = keys.template data<T>() + offsets[0];
      const T* weight = weights.template data<T>() + offsets[1];
      for (std::int64_t i = 0; i < n; ++i)
        key[i * steps[0]] = weight[i * steps[1]] / key[i * steps[0]];
    });
    out = topk(keys, samples, -1, true, true).second;
  });
  return out;
}

}  // namespace tapedeck::kernels
