#include <algorithm>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/index.h>
#include <tapedeck/ops/kernels/lines.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kGrain = 1 << 16;

// The mask as bytes, row-major.
Array mask_bytes(const Array& mask, const char* op) {
  TAPEDECK_CHECK_AS(TypeError, mask.dtype() == ScalarType::Bool || mask.dtype() == ScalarType::Byte,
                    op, ": expected mask dtype to be Bool, got ", mask.dtype());
  return contiguous(mask.reinterpret(ScalarType::Byte));
}

std::int64_t count_set(const Array& bytes) {
  const auto* flags = bytes.data<std::uint8_t>();
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < bytes.numel(); ++i) count += flags[i] != 0;
  return count;
}

}  // namespace

Array nonzero(const Array& x) {
  const Array source = contiguous(x);
  const std::int64_t dims = x.dim();
  return dispatch_all(x.dtype(), "nonzero", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* data = source.data<T>();
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < source.numel(); ++i) count += data[i] != T(0);
    const Array places = Array::empty({count, dims}, ScalarType::Long);
    auto* place = places.data<std::int64_t>();
    for (std::int64_t i = 0; i < source.numel(); ++i) {
      if (data[i] == T(0)) continue;
      std::int64_t rest = i;
      for (std::int64_t d = dims; d-- > 0;) {
        place[d] = rest % x.sizes()[d];
        rest /= x.sizes()[d];
      }
      place += dims;
    }
    return places;
  });
}

Array masked_select(const Array& x, const Array& mask) {
  const Array flags = mask_bytes(mask, "masked_select"), source = contiguous(x);
  const Array y = Array::empty({count_set(flags)}, x.dtype());
  dispatch_all(x.dtype(), "masked_select", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto* flag = flags.data<std::uint8_t>();
    const T* from = source.data<T>();
    T* to = y.data<T>();
    for (std::int64_t i = 0; i < source.numel(); ++i)
      if (flag[i]) *to++ = from[i];
  });
  return y;
}

void masked_scatter(Array& out, const Array& mask, const Array& source) {
  const Array flags = mask_bytes(mask, "masked_scatter");
  const std::int64_t wanted = count_set(flags);
  TAPEDECK_CHECK_AS(TypeError, out.dtype() == source.dtype(),
                    "masked_scatter: expected self and source to have same dtypes but got ",
                    out.dtype(), " and ", source.dtype());
  TAPEDECK_CHECK(wanted <= source.numel(), "masked_scatter: the mask has ", wanted,
                 " elements set, but the source has only ", source.numel());
  const Array values = contiguous(source);
  const Array target = out.is_contiguous() ? out : clone(out);
  dispatch_all(out.dtype(), "masked_scatter", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto* flag = flags.data<std::uint8_t>();
    const T* from = values.data<T>();
    T* to = target.data<T>();
    for (std::int64_t i = 0; i < out.numel(); ++i)
      if (flag[i]) to[i] = *from++;
  });
  if (!out.is_contiguous()) copy(target, out);
}

void masked_fill(Array& out, const Array& mask, Scalar value) {
  TAPEDECK_CHECK_AS(TypeError, mask.dtype() == ScalarType::Bool || mask.dtype() == ScalarType::Byte,
                    "masked_fill: expected mask dtype to be Bool, got ", mask.dtype());
  TAPEDECK_CHECK(!out.has_internal_overlap(),
                 "masked_fill: more than one element of the written-to tensor refers to a single "
                 "memory location (shape ",
                 out.sizes().ref(), ")");
  const Array flags = mask.expand(out.sizes()).reinterpret(ScalarType::Byte);
  dispatch_all(out.dtype(), "masked_fill", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T fill = value.to<T>();
    if (out.is_contiguous() && flags.is_contiguous()) {
      T* data = out.data<T>();
      const auto* flag = flags.data<std::uint8_t>();
      parallel_for(out.numel(), kGrain, [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) data[i] = flag[i] ? fill : data[i];
      });
      return;
    }
    for_each_row<2>({out, flags}, [&](const auto& offsets, const auto& steps, std::int64_t n) {
      T* data = out.data<T>() + offsets[0];
      const auto* flag = flags.data<std::uint8_t>() + offsets[1];
      for (std::int64_t i = 0; i < n; ++i)
        if (flag[i * steps[1]]) data[i * steps[0]] = fill;
    });
  });
}

}  // namespace tapedeck::kernels
