#include <algorithm>
#include <vector>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/copy_run.h>
#include <tapedeck/ops/kernels/index.h>
#include <tapedeck/ops/kernels/loop_nest.h>
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
  if (out.numel() == 0) return;
  constexpr std::int64_t kShortRun = 32, kWorthACopy = 1024;
  Array flags = mask.expand(out.sizes()).reinterpret(ScalarType::Byte);
  LoopNest nest(out.sizes());
  nest.add(out);
  nest.add(flags);
  nest.collapse();
  if (nest.dims > 1 && nest.is_linear(0) && nest.inner_size() < kShortRun &&
      nest.numel >= kWorthACopy) {
    // A copy of what is broadcast takes less time than a call for each run.
    flags = clone(flags);
    nest = LoopNest(out.sizes());
    nest.add(out);
    nest.add(flags);
    nest.collapse();
  }
  const Array element = full({}, value, out.dtype());
  dispatch_word(out.dtype(), [&](auto tag) {
    using Word = typename decltype(tag)::type;
    const auto* const source = static_cast<const char*>(element.raw());
    const Word fill = load<Word>(source);
    const std::int64_t step = nest.inner_stride(0), flag_step = nest.inner_stride(1);
    parallel_for(nest.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
      nest.for_each_run(begin, end, [=](char* const* at, std::int64_t n) {
        const auto* const flag = reinterpret_cast<const std::uint8_t*>(at[1]);
        if (flag_step == 0) {
          if (*flag) copy_run<Word>(at[0], step, source, 0, n);
        } else if (step == std::int64_t{sizeof(Word)} && flag_step == 1) {
          detail::fill_where(reinterpret_cast<Word*>(at[0]), flag, fill, n);
        } else {
          for (std::int64_t i = 0; i < n; ++i)
            if (flag[i * flag_step]) store<Word>(at[0] + i * step, fill);
        }
      });
    });
  });
}

}  // namespace tapedeck::kernels
