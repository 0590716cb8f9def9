#include <algorithm>
#include <vector>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/index.h>
#include <tapedeck/ops/kernels/lines.h>
#include <tapedeck/ops/kernels/row_moves.h>
#include <tapedeck/ops/kernels/words.h>

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
  const Array source =
      contiguous(x.dtype() == ScalarType::Bool ? x.reinterpret(ScalarType::Byte) : x);
  const std::int64_t dims = x.dim();
  return dispatch_numeric(source.dtype(), "nonzero", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* data = source.data<T>();
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < source.numel(); ++i) count += data[i] != T(0);
    const Array places = Array::empty({count, dims}, ScalarType::Long);
    auto* place = places.data<std::int64_t>();
    if (count == 0 || dims == 0) return places;
    // The numbers of the elements first: each is written before it is known to be wanted, which
    // leaves no branch to be mispredicted.
    std::vector<std::int64_t> numbers(static_cast<std::size_t>(count) + 1);
    std::int64_t found = 0;
    for (std::int64_t i = 0; found < count; ++i) {
      numbers[found] = i;
      found += data[i] != T(0);
    }
    for (std::int64_t n = 0; n < count; ++n, place += dims) {
      auto rest = static_cast<std::uint64_t>(numbers[n]);
      for (std::int64_t d = dims - 1; d > 0; --d) {
        const auto size = static_cast<std::uint64_t>(x.sizes()[d]);
        place[d] = static_cast<std::int64_t>(rest % size);
        rest /= size;
      }
      place[0] = static_cast<std::int64_t>(rest);
    }
    return places;
  });
}

Array masked_select(const Array& x, const Array& mask) {
  const Array flags = mask_bytes(mask, "masked_select"), source = contiguous(x);
  const Array y = Array::empty({count_set(flags)}, x.dtype());
  dispatch_word(x.dtype(), [&](auto tag) {
    using Word = typename decltype(tag)::type;
    const auto* flag = flags.data<std::uint8_t>();
    const auto* from = static_cast<const Word*>(source.raw());
    auto* to = static_cast<Word*>(y.raw());
    auto* const end = to + y.numel();
    for (std::int64_t i = 0; to < end; ++i) {
      *to = from[i];
      to += flag[i] != 0;
    }
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
  const Array element = full({}, value, out.dtype());
  dispatch_word(out.dtype(), [&](auto tag) {
    using Word = typename decltype(tag)::type;
    const Word fill = *static_cast<const Word*>(element.raw());
    auto* const all = static_cast<Word*>(out.raw());
    const auto* const marks = flags.data<std::uint8_t>();
    if (out.is_contiguous() && flags.is_contiguous()) {
      parallel_for(out.numel(), kGrain, [=](std::int64_t begin, std::int64_t end) {
        detail::fill_where(all + begin, marks + begin, fill, end - begin);
      });
      return;
    }
    for_each_row<2>({out, flags}, [&](const auto& offsets, const auto& steps, std::int64_t n) {
      Word* data = all + offsets[0];
      const auto* flag = marks + offsets[1];
      if (steps[0] == 1 && steps[1] == 1)
        detail::fill_where(data, flag, fill, n);
      else
        for (std::int64_t i = 0; i < n; ++i)
          if (flag[i * steps[1]]) data[i * steps[0]] = fill;
    });
  });
}

}  // namespace tapedeck::kernels
