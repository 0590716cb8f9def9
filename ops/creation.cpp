#include <tapedeck/ops/creation.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/array/layout.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/kernels/copy.h>

namespace tapedeck {

namespace {

Array new_array(IntArrayRef size, const TensorOptions& options, const char* op) {
  check_options(options, op);
  return Array::empty(size, options.dtype());
}

Array new_array_like(const Variable& self, const TensorOptions& options,
                     std::optional<MemoryFormat> format, const char* op) {
  check_options(options, op);
  const ScalarType dtype = options.dtype_opt().value_or(self.dtype());
  if (format && *format != MemoryFormat::Preserve) return Array::empty(self.sizes(), dtype);
  return empty_preserving(self.array(), dtype);
}

Variable finish(Array array, const TensorOptions& options) {
  Variable result(std::move(array));
  if (options.requires_grad()) result.requires_grad_(true);
  return result;
}

// An int64 or the default dtype, after the numbers' kind.
TensorOptions with_dtype_of(TensorOptions options, bool all_integral) {
  if (options.has_dtype()) return options;
  return options.dtype(all_integral ? ScalarType::Long : get_default_dtype());
}

// Writes value(i) for i = 0, 1, ...; the values are computed as int64 or double.
template <typename Index, typename T, typename Value>
void fill_values(T* out, std::int64_t n, Value value) {
  const auto count = static_cast<Index>(n);
  for (Index i = 0; i < count; ++i) out[i] = static_cast<T>(value(i));
}
template <typename T, typename Value>
void fill_sequence(const Array& out, Value value) {
  // The vectors of all CPUs convert 32-bit integers.
  if (out.numel() <= std::numeric_limits<std::int32_t>::max())
    fill_values<std::int32_t>(out.data<T>(), out.numel(), value);
  else
    fill_values<std::int64_t>(out.data<T>(), out.numel(), value);
}

}  // namespace

Variable tensor(detail::TensorDataContainer data, const TensorOptions& options) {
  check_options(options, "tensor");
  return finish(data.to_array(options), options);
}

Variable from_blob(void* data, IntArrayRef sizes, IntArrayRef strides, const Deleter& deleter,
                   const TensorOptions& options) {
  check_options(options, "from_blob");
  return finish(Array::from_blob(data, sizes, strides, options.dtype(), deleter), options);
}
Variable from_blob(void* data, IntArrayRef sizes, IntArrayRef strides,
                   const TensorOptions& options) {
  return from_blob(data, sizes, strides, Deleter(), options);
}
Variable from_blob(void* data, IntArrayRef sizes, const Deleter& deleter,
                   const TensorOptions& options) {
  return from_blob(data, sizes, IntArrayRef(), deleter, options);
}
Variable from_blob(void* data, IntArrayRef sizes, const TensorOptions& options) {
  return from_blob(data, sizes, IntArrayRef(), Deleter(), options);
}

Variable empty(IntArrayRef size, TensorOptions options, std::optional<MemoryFormat>) {
  const detail::OpScope scope("empty");
  return finish(new_array(size, options, "empty"), options);
}

Variable empty_strided(IntArrayRef size, IntArrayRef stride, TensorOptions options) {
  const detail::OpScope scope("empty_strided");
  TAPEDECK_CHECK(size.size() == stride.size(), "empty_strided: ", size.size(), " sizes but ",
                 stride.size(), " strides: ", size, " and ", stride);
  std::int64_t extent = numel_of(size) > 0 ? 1 : 0;
  for (std::size_t i = 0; i < size.size() && extent > 0; ++i)
    extent += (size[i] - 1) * std::max<std::int64_t>(stride[i], 0);
  return finish(new_array({extent}, options, "empty_strided").as_strided(size, stride, 0), options);
}

Variable full(IntArrayRef size, Scalar fill_value, TensorOptions options) {
  const detail::OpScope scope("full");
  if (!options.has_dtype() && fill_value.isBoolean()) options = options.dtype(ScalarType::Bool);
  options = with_dtype_of(options, fill_value.isIntegral(false));
  Array out = new_array(size, options, "full");
  kernels::fill(out, fill_value);
  return finish(std::move(out), options);
}
Variable zeros(IntArrayRef size, TensorOptions options) {
  const detail::OpScope scope("zeros");
  check_options(options, "zeros");
  return finish(kernels::zeros(size, options.dtype()), options);
}
Variable ones(IntArrayRef size, TensorOptions options) {
  const detail::OpScope scope("ones");
  return full(size, 1, options.dtype(options.dtype()));
}
Variable scalar_tensor(Scalar value, TensorOptions options) {
  const detail::OpScope scope("scalar_tensor");
  return full({}, value, options.dtype(options.dtype()));
}

Variable empty_like(const Variable& self, TensorOptions options,
                    std::optional<MemoryFormat> memory_format) {
  TAPEDECK_CHECK_DEFINED("empty_like", self);
  const detail::OpScope scope("empty_like");
  return finish(new_array_like(self, options, memory_format, "empty_like"), options);
}
Variable full_like(const Variable& self, Scalar fill_value, TensorOptions options,
                   std::optional<MemoryFormat> memory_format) {
  TAPEDECK_CHECK_DEFINED("full_like", self);
  const detail::OpScope scope("full_like");
  Array out = new_array_like(self, options, memory_format, "full_like");
  kernels::fill(out, fill_value);
  return finish(std::move(out), options);
}
Variable zeros_like(const Variable& self, TensorOptions options,
                    std::optional<MemoryFormat> memory_format) {
  TAPEDECK_CHECK_DEFINED("zeros_like", self);
  const detail::OpScope scope("zeros_like");
  return full_like(self, 0, options, memory_format);
}
Variable ones_like(const Variable& self, TensorOptions options,
                   std::optional<MemoryFormat> memory_format) {
  TAPEDECK_CHECK_DEFINED("ones_like", self);
  const detail::OpScope scope("ones_like");
  return full_like(self, 1, options, memory_format);
}

Variable Variable::new_empty(IntArrayRef size, TensorOptions options) const {
  TAPEDECK_CHECK_DEFINED("new_empty", *this);
  const detail::OpScope scope("new_empty");
  return empty(size, this->options().merge_in(options));
}
Variable Variable::new_zeros(IntArrayRef size, TensorOptions options) const {
  TAPEDECK_CHECK_DEFINED("new_zeros", *this);
  const detail::OpScope scope("new_zeros");
  return zeros(size, this->options().merge_in(options));
}
Variable Variable::new_ones(IntArrayRef size, TensorOptions options) const {
  TAPEDECK_CHECK_DEFINED("new_ones", *this);
  const detail::OpScope scope("new_ones");
  return ones(size, this->options().merge_in(options));
}
Variable Variable::new_full(IntArrayRef size, Scalar fill_value, TensorOptions options) const {
  TAPEDECK_CHECK_DEFINED("new_full", *this);
  const detail::OpScope scope("new_full");
  return full(size, fill_value, this->options().merge_in(options));
}

namespace {

// Sums and products of two int64 without overflow.
__extension__ typedef __int128 Wide;

// How many values start, start + step, ... lie before `end`, or up to it where inclusive.
std::int64_t sequence_length(const char* op, Scalar start, Scalar end, Scalar step, bool inclusive,
                             bool integers) {
  const double first = start.toDouble(), last = end.toDouble(), by = step.toDouble();
  TAPEDECK_CHECK(by != 0, op, ": step must be nonzero");
  TAPEDECK_CHECK(std::isfinite(first) && std::isfinite(last), op, ": unsupported range: ", start,
                 " -> ", end);
  TAPEDECK_CHECK((by > 0) == (first <= last) || first == last, op,
                 ": upper bound and larger bound inconsistent with step sign: ", start, " to ", end,
                 " by ", step);
  double count;
  if (integers) {
    // In integers: doubles do not hold every int64.
    const std::int64_t a = start.toLong(), b = end.toLong(), s = step.toLong();
    TAPEDECK_CHECK(s != 0, op, ": step must be nonzero");
    const Wide length = Wide{b} - a, sign = s > 0 ? 1 : -1;
    const Wide steps = inclusive ? length / s + 1 : (length + s - sign) / s;
    TAPEDECK_CHECK(steps <= std::numeric_limits<std::int64_t>::max(), op,
                   ": invalid size, possible overflow? ", start, " to ", end, " by ", step);
    return static_cast<std::int64_t>(steps);
  }
  count = inclusive ? std::floor((last - first) / by) + 1 : std::ceil((last - first) / by);
  TAPEDECK_CHECK(
      count >= 0 && count < static_cast<double>(std::numeric_limits<std::int64_t>::max()), op,
      ": invalid size, possible overflow? ", start, " to ", end, " by ", step);
  return static_cast<std::int64_t>(count);
}

Variable sequence(const char* op, Scalar start, Scalar end, Scalar step, bool inclusive,
                  const TensorOptions& options) {
  const bool integers = !tapedeck::is_floating_point(options.dtype()) && start.isIntegral(true) &&
                        end.isIntegral(true) && step.isIntegral(true);
  Array out = new_array({sequence_length(op, start, end, step, inclusive, integers)}, options, op);
  dispatch_numeric(out.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_floating_point_v<T>)
      fill_sequence<T>(out, [a = start.toDouble(), s = step.toDouble()](auto i) {
        return a + s * static_cast<double>(i);
      });
    else
      fill_sequence<T>(out, [a = static_cast<std::uint64_t>(start.toLong()),
                             s = static_cast<std::uint64_t>(step.toLong())](std::int64_t i) {
        // Modulo 2^64, which every value fits, for the sake of vectors.
        return static_cast<std::int64_t>(s * static_cast<std::uint64_t>(i) + a);
      });
  });
  return finish(std::move(out), options);
}

}  // namespace

Variable arange(Scalar end, TensorOptions options) {
  const detail::OpScope scope("arange");
  return arange(0, end, 1, options);
}
Variable arange(Scalar start, Scalar end, TensorOptions options) {
  const detail::OpScope scope("arange");
  return arange(start, end, 1, options);
}
Variable arange(Scalar start, Scalar end, Scalar step, TensorOptions options) {
  const detail::OpScope scope("arange");
  const bool integral = start.isIntegral(true) && end.isIntegral(true) && step.isIntegral(true);
  return sequence("arange", start, end, step, false, with_dtype_of(options, integral));
}
Variable range(Scalar start, Scalar end, Scalar step, TensorOptions options) {
  const detail::OpScope scope("range");
  return sequence("range", start, end, step, true, with_dtype_of(options, false));
}
Variable range(Scalar start, Scalar end, TensorOptions options) {
  const detail::OpScope scope("range");
  return range(start, end, 1, options);
}

namespace {

// map() of the values of linspace, computed from the nearer end: the last one is exactly `last`.
// The vectors of all CPUs convert 32-bit integers.
template <typename Index, typename T, typename Work, typename Map>
void fill_spaced(T* out, Work first, Work last, std::int64_t steps, Map map) {
  const auto count = static_cast<Index>(steps), half = static_cast<Index>(steps / 2);
  const Work step = steps > 1 ? (last - first) / static_cast<Work>(steps - 1) : Work(0);
  for (Index i = 0; i < half; ++i)
    out[i] = static_cast<T>(map(first + step * static_cast<Work>(i)));
  for (Index i = half; i < count; ++i)
    out[i] = static_cast<T>(map(last - step * static_cast<Work>(count - 1 - i)));
  if (steps == 1) out[0] = static_cast<T>(map(first));
}

template <typename Map>
Variable spaced(const char* op, Scalar start, Scalar end, std::int64_t steps, TensorOptions options,
                Map map) {
  TAPEDECK_CHECK(steps >= 0, op, ": number of steps must be non-negative, got ", steps);
  options = with_dtype_of(options, false);
  Array out = new_array({steps}, options, op);
  dispatch_numeric(out.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Work = std::conditional_t<std::is_floating_point_v<T>, T, double>;
    const Work first = start.to<Work>(), last = end.to<Work>();
    if (steps <= std::numeric_limits<std::int32_t>::max())
      fill_spaced<std::int32_t>(out.data<T>(), first, last, steps, map);
    else
      fill_spaced<std::int64_t>(out.data<T>(), first, last, steps, map);
  });
  return finish(std::move(out), options);
}

}  // namespace

Variable linspace(Scalar start, Scalar end, std::int64_t steps, TensorOptions options) {
  const detail::OpScope scope("linspace");
  return spaced("linspace", start, end, steps, options, [](auto v) { return v; });
}
Variable logspace(Scalar start, Scalar end, std::int64_t steps, double base,
                  TensorOptions options) {
  const detail::OpScope scope("logspace");
  return spaced("logspace", start, end, steps, options,
                [base](auto v) { return std::pow(static_cast<decltype(v)>(base), v); });
}

Variable eye(std::int64_t n, TensorOptions options) {
  const detail::OpScope scope("eye");
  return eye(n, n, options);
}
Variable eye(std::int64_t n, std::int64_t m, TensorOptions options) {
  const detail::OpScope scope("eye");
  TAPEDECK_CHECK(n >= 0 && m >= 0, "eye: n and m must be greater or equal to 0, got ", n, " and ",
                 m);
  Array out = new_array({n, m}, options, "eye");
  kernels::fill(out, 0);
  Array diagonal = out.as_strided({std::min(n, m)}, {m + 1}, 0);
  kernels::fill(diagonal, 1);
  return finish(std::move(out), options);
}

namespace {

Variable triangle_indices(const char* op, std::int64_t rows, std::int64_t columns,
                          std::int64_t offset, bool lower, const TensorOptions& options) {
  TAPEDECK_CHECK(rows >= 0 && columns >= 0, op, ": row and col must be non-negative, got ", rows,
                 " and ", columns);
  // Of the rows [first, last) each has elements; up to `turn` their number grows (lower) or stays.
  const Wide shift = std::clamp<std::int64_t>(offset, -rows, columns);
  const Wide first = lower ? std::clamp<Wide>(-shift, 0, rows) : Wide{0};
  const Wide last = columns == 0 ? first
                    : lower      ? Wide{rows}
                                 : std::min<Wide>(rows, columns - shift);
  const Wide turn = std::clamp<Wide>(lower ? columns - shift - 1 : -shift, first, last);
  const Wide count =
      lower ? (turn - first) * (first + turn + 1 + 2 * shift) / 2 + (last - turn) * columns
            : (turn - first) * columns +
                  (last - turn) * (2 * Wide{columns} - 2 * shift - turn - last + 1) / 2;
  TAPEDECK_CHECK(count <= std::numeric_limits<std::int64_t>::max() / 2, op,
                 ": too many elements for row ", rows, " and col ", columns);
  const auto n = static_cast<std::int64_t>(count);
  const Array indices = Array::empty({2, n}, ScalarType::Long);
  std::int64_t* row = indices.data<std::int64_t>();
  std::int64_t* column = row + n;
  for (auto i = static_cast<std::int64_t>(first); i < last; ++i) {
    const auto begin = static_cast<std::int64_t>(lower ? Wide{0} : std::max<Wide>(i + shift, 0));
    const auto end =
        static_cast<std::int64_t>(lower ? std::min<Wide>(i + shift + 1, columns) : Wide{columns});
    for (std::int64_t j = begin; j < end; ++j) {
      *row++ = i;
      *column++ = j;
    }
  }
  check_options(options, op);
  return finish(kernels::cast(indices, options.dtype_opt().value_or(ScalarType::Long)), options);
}

}  // namespace

Variable tril_indices(std::int64_t row, std::int64_t col, std::int64_t offset,
                      TensorOptions options) {
  return triangle_indices("tril_indices", row, col, offset, true, options);
}
Variable triu_indices(std::int64_t row, std::int64_t col, std::int64_t offset,
                      TensorOptions options) {
  return triangle_indices("triu_indices", row, col, offset, false, options);
}

}  // namespace tapedeck
