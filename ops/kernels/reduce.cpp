#include <tapedeck/ops/kernels/reduce.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/layout.h>
#include <tapedeck/ops/kernels/binary.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/reducer.h>
#include <tapedeck/ops/kernels/unary.h>

namespace tapedeck::kernels {

namespace {

// The loops of a reducer from functions of single elements: Op gives the types In, Acc and Out, and
// identity, fold, merge and finish.
template <class Op>
struct Fold {
  using In = typename Op::In;
  using Acc = typename Op::Acc;
  using Out = typename Op::Out;

  static void init(void* acc, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) static_cast<Acc*>(acc)[i] = Op::identity();
  }
  static void runs(void* acc, const void* in, std::int64_t stride, std::int64_t count,
                   std::int64_t n) {
    for (std::int64_t c = 0; c < count; ++c) {
      const In* const run = reinterpret_cast<const In*>(static_cast<const char*>(in) + c * stride);
      Acc a = static_cast<Acc*>(acc)[c];
      std::int64_t i = 0;
      if constexpr (requires { Op::of_run(run, n); }) {
        static_cast<Acc*>(acc)[c] = Op::merge(a, Op::of_run(run, n));
        continue;
      }
      if constexpr (std::is_integral_v<Acc> && requires { Op::kSlowSteps; }) {
        // Several that do not wait for each other; integers allow any order.
        Acc b0 = Op::identity(), b1 = b0, b2 = b0;
        for (; i + 4 <= n; i += 4) {
          a = Op::fold(a, run[i]);
          b0 = Op::fold(b0, run[i + 1]);
          b1 = Op::fold(b1, run[i + 2]);
          b2 = Op::fold(b2, run[i + 3]);
        }
        a = Op::merge(Op::merge(a, b0), Op::merge(b1, b2));
      }
      for (; i < n; ++i) a = Op::fold(a, run[i]);
      static_cast<Acc*>(acc)[c] = a;
    }
  }
  static void rows(void* acc, const void* in, std::int64_t stride, std::int64_t count,
                   std::int64_t n) {
    Acc* const a = static_cast<Acc*>(acc);
    for (std::int64_t r = 0; r < count; ++r) {
      const In* const row = reinterpret_cast<const In*>(static_cast<const char*>(in) + r * stride);
      for (std::int64_t j = 0; j < n; ++j) a[j] = Op::fold(a[j], row[j]);
    }
  }
  static void merge(void* acc, const void* other, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i)
      static_cast<Acc*>(acc)[i] =
          Op::merge(static_cast<Acc*>(acc)[i], static_cast<const Acc*>(other)[i]);
  }
  static void finish(const void* acc, void* out, std::int64_t stride, std::int64_t count,
                     const ReduceParams& params) {
    const Acc* const a = static_cast<const Acc*>(acc);
    if (stride == sizeof(Out))  // a stride that the compiler knows becomes stores of vectors
      for (std::int64_t i = 0; i < count; ++i) static_cast<Out*>(out)[i] = Op::finish(a[i], params);
    else
      for (std::int64_t i = 0; i < count; ++i)
        *reinterpret_cast<Out*>(static_cast<char*>(out) + i * stride) = Op::finish(a[i], params);
  }

  static Reducer reducer(SimdReducer simd = {}) {
    constexpr bool acc_is_result = requires { Op::kAccIsResult; };
    return {sizeof(Acc),
            init,
            simd.runs ? simd.runs : runs,
            simd.rows ? simd.rows : rows,
            merge,
            finish,
            acc_is_result,
            simd.few_rows,
            simd.few};
  }
};

// Float32 and float64 accumulate in float64; integers and bool in int64, by wrapping.
template <typename T>
struct Wide {
  using In = T;
  using Acc = std::conditional_t<std::is_floating_point_v<T>, double, std::int64_t>;
  using Out = std::conditional_t<std::is_floating_point_v<T>, T, std::int64_t>;
  static Acc identity() { return 0; }
  static Acc merge(Acc a, Acc b) {
    if constexpr (std::is_floating_point_v<Acc>)
      return a + b;
    else
      return static_cast<Acc>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  }
  static Acc fold(Acc a, T x) { return merge(a, static_cast<Acc>(x)); }
  static Out finish(Acc a, const ReduceParams&) { return static_cast<Out>(a); }
};
template <typename T>
struct MeanOf : Wide<T> {
  static T finish(double a, const ReduceParams& params) { return static_cast<T>(a / params.count); }
};
template <typename T>
struct Product : Wide<T> {
  using Acc = typename Wide<T>::Acc;
  static constexpr bool kSlowSteps = true;
  static Acc identity() { return 1; }
  static Acc merge(Acc a, Acc b) {
    if constexpr (std::is_floating_point_v<Acc>)
      return a * b;
    else
      return static_cast<Acc>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  }
  static Acc fold(Acc a, T x) { return merge(a, static_cast<Acc>(x)); }
};
template <typename T>
struct SumOfMagnitudes : Wide<T> {
  static double fold(double a, T x) { return a + std::abs(static_cast<double>(x)); }
};
template <typename T>
struct RootOfSquares : Wide<T> {
  static double fold(double a, T x) { return a + static_cast<double>(x) * static_cast<double>(x); }
  static T finish(double a, const ReduceParams&) { return static_cast<T>(std::sqrt(a)); }
};

template <typename T>
struct Same {
  using In = T;
  using Acc = T;
  using Out = T;
  static constexpr bool kAccIsResult = true;
  static T finish(T a, const ReduceParams&) { return a; }
};
template <typename T>
struct Largest : Same<T> {
  static T identity() {
    if constexpr (std::is_floating_point_v<T>)
      return -std::numeric_limits<T>::infinity();
    else
      return std::numeric_limits<T>::lowest();
  }
  static T fold(T a, T x) { return x > a || x != x ? x : a; }
  static T merge(T a, T b) { return fold(a, b); }
};
template <typename T>
struct Smallest : Same<T> {
  static T identity() {
    if constexpr (std::is_floating_point_v<T>)
      return std::numeric_limits<T>::infinity();
    else
      return std::numeric_limits<T>::max();
  }
  static T fold(T a, T x) { return x < a || x != x ? x : a; }
  static T merge(T a, T b) { return fold(a, b); }
};
template <typename T>
struct LargestMagnitude : Largest<T> {
  static T identity() { return 0; }
  static T fold(T a, T x) { return Largest<T>::fold(a, std::abs(x)); }
};
template <typename T>
struct AnyOf {
  using In = T;
  using Acc = bool;
  using Out = bool;
  static constexpr bool kAccIsResult = true;
  static bool identity() { return false; }
  static bool fold(bool a, T x) { return a | (x != T{}); }
  static bool merge(bool a, bool b) { return a | b; }
  static bool finish(bool a, const ReduceParams&) { return a; }
};
template <typename T>
struct AllOf : AnyOf<T> {
  static bool identity() { return true; }
  static bool fold(bool a, T x) { return a & (x != T{}); }
  static bool merge(bool a, bool b) { return a & b; }
};
// Bools are bytes, and one of them decides: any that is not 0 is true, whoever wrote it.
constexpr std::int64_t kWorthACall = 8;
struct AnyOfBools : AnyOf<bool> {
  static bool of_run(const bool* run, std::int64_t n) {
    const auto* const bytes = reinterpret_cast<const unsigned char*>(run);
    if (n < kWorthACall) return std::any_of(bytes, bytes + n, [](auto byte) { return byte != 0; });
    // All are 0 if the first is, and each is the same as the one before.
    return bytes[0] != 0 || std::memcmp(bytes, bytes + 1, static_cast<std::size_t>(n - 1)) != 0;
  }
};
struct AllOfBools : AllOf<bool> {
  static bool of_run(const bool* run, std::int64_t n) {
    const auto* const bytes = reinterpret_cast<const unsigned char*>(run);
    if (n < kWorthACall) return std::find(bytes, bytes + n, 0) == bytes + n;
    return std::memchr(bytes, 0, static_cast<std::size_t>(n)) == nullptr;
  }
};
template <typename T>
struct Variance {
  using In = T;
  using Acc = Moments;
  using Out = T;
  static Moments identity() { return {}; }
  static Moments fold(Moments a, T x) {
    a.merge({1, static_cast<double>(x), 0});
    return a;
  }
  static Moments merge(Moments a, const Moments& b) {
    a.merge(b);
    return a;
  }
  static T finish(const Moments& a, const ReduceParams& params) {
    const double divisor = params.count - params.correction;
    return divisor > 0 ? static_cast<T>(a.m2 / divisor) : std::numeric_limits<T>::quiet_NaN();
  }
};

Reducer find_reducer(ReduceOp op, ScalarType dtype) {
  const char* const name = name_of(op);
  const auto floating = [&](auto&& f) { return dispatch_floating(dtype, name, f); };
  const auto all = [&](auto&& f) { return dispatch_all(dtype, name, f); };
  if (dtype == ScalarType::Bool) {
    if (op == ReduceOp::Any || op == ReduceOp::Max) return Fold<AnyOfBools>::reducer();
    if (op == ReduceOp::All || op == ReduceOp::Min) return Fold<AllOfBools>::reducer();
  }
  switch (op) {
    case ReduceOp::Sum:
      return all([&]<typename T>(TypeTag<T>) {
        return Fold<Wide<T>>::reducer(find_simd_sums(op, dtype));
      });
    case ReduceOp::Mean:
      return floating([&]<typename T>(TypeTag<T>) {
        return Fold<MeanOf<T>>::reducer(find_simd_sums(op, dtype));
      });
    case ReduceOp::Prod:
      return all([&]<typename T>(TypeTag<T>) {
        return Fold<Product<T>>::reducer(find_simd_products(dtype));
      });
    case ReduceOp::Max:
      return all([&]<typename T>(TypeTag<T>) {
        return Fold<Largest<T>>::reducer(find_simd_best(op, dtype));
      });
    case ReduceOp::Min:
      return all([&]<typename T>(TypeTag<T>) {
        return Fold<Smallest<T>>::reducer(find_simd_best(op, dtype));
      });
    case ReduceOp::Any:
      return all([&]<typename T>(TypeTag<T>) { return Fold<AnyOf<T>>::reducer(); });
    case ReduceOp::All:
      return all([&]<typename T>(TypeTag<T>) { return Fold<AllOf<T>>::reducer(); });
    case ReduceOp::Norm1:
      return floating([&]<typename T>(TypeTag<T>) {
        return Fold<SumOfMagnitudes<T>>::reducer(find_simd_sums(op, dtype));
      });
    case ReduceOp::Norm2:
      return floating([&]<typename T>(TypeTag<T>) {
        return Fold<RootOfSquares<T>>::reducer(find_simd_sums(op, dtype));
      });
    case ReduceOp::NormInf:
      break;
  }
  return floating([&]<typename T>(TypeTag<T>) { return Fold<LargestMagnitude<T>>::reducer(); });
}

ScalarType result_dtype(ReduceOp op, ScalarType dtype) {
  switch (op) {
    case ReduceOp::Sum:
    case ReduceOp::Prod:
      return is_floating_point(dtype) ? dtype : ScalarType::Long;
    case ReduceOp::Any:
    case ReduceOp::All:
      return ScalarType::Bool;
    default:
      return dtype;
  }
}

// What the reduction of nothing gives; a NaN for the mean.
Scalar of_nothing(ReduceOp op, IntArrayRef sizes, IntArrayRef dims) {
  switch (op) {
    case ReduceOp::Mean:
      return std::numeric_limits<double>::quiet_NaN();
    case ReduceOp::Prod:
    case ReduceOp::All:
      return 1;
    case ReduceOp::Max:
    case ReduceOp::Min:
    case ReduceOp::NormInf:
      detail::fail(detail::str(name_of(op),
                               ": expected the reduced dimensions to have elements, got shape ",
                               sizes, " and dims ", dims));
    default:
      return 0;
  }
}

// run_reducer() into an array whose axes lie in the order of the input's, so that what is read one
// after the other is written so; then a row-major copy of it.
Array reduce_in_memory_order(const Reducer& reducer, const Array& x, IntArrayRef shape,
                             ScalarType dtype, const ReduceParams& params) {
  const DimVector order = memory_order(x);
  DimVector sizes, strides(shape.size());
  for (const std::int64_t axis : order) sizes.push_back(shape[axis]);
  const Array walked = Array::empty(sizes, dtype);
  run_reducer(reducer, in_order(x, order), walked, params);
  for (std::size_t i = 0; i < order.size(); ++i) strides[order[i]] = walked.strides()[i];
  return contiguous(walked.as_strided(shape, strides, walked.offset()));
}

// Input and output as run_reducer() wants them, then the output in the shape asked for.
Array run(const Reducer& reducer, const Array& x, IntArrayRef dims, bool keepdim, ScalarType dtype,
          ReduceParams params, const char* name) {
  const DimVector shape = reduced_shape(x.sizes(), dims, true, name);
  params.count = static_cast<double>(x.numel() / numel_of(shape));
  Array out;
  if (x.is_contiguous()) {
    out = Array::empty(shape, dtype);
    run_reducer(reducer, x, out, params);
  } else {
    out = reduce_in_memory_order(reducer, x, shape, dtype, params);
  }
  return keepdim ? out : out.view(reduced_shape(x.sizes(), dims, false, name));
}

}  // namespace

const char* name_of(ReduceOp op) {
  switch (op) {
    case ReduceOp::Sum:
      return "sum";
    case ReduceOp::Mean:
      return "mean";
    case ReduceOp::Prod:
      return "prod";
    case ReduceOp::Max:
      return "amax";
    case ReduceOp::Min:
      return "amin";
    case ReduceOp::Any:
      return "any";
    case ReduceOp::All:
      return "all";
    default:
      return "norm";
  }
}

DimVector reduced_shape(IntArrayRef sizes, IntArrayRef dims, bool keepdim, const char* op) {
  bool reduced[kMaxDims] = {};
  const auto count = static_cast<std::int64_t>(sizes.size());
  for (std::int64_t dim : dims) {
    const std::int64_t d = wrap_dim(dim, count, op);
    TAPEDECK_CHECK(!reduced[d], op, ": dim ", d, " appears multiple times in the list of dims ",
                   dims);
    reduced[d] = true;
  }
  DimVector out;
  for (std::int64_t d = 0; d < count; ++d) {
    if (!reduced[d] && !dims.empty())
      out.push_back(sizes[d]);
    else if (keepdim)
      out.push_back(1);
  }
  return out;
}

Array reduce(ReduceOp op, const Array& x, IntArrayRef dims, bool keepdim) {
  const Reducer reducer = find_reducer(op, x.dtype());
  const ScalarType dtype = result_dtype(op, x.dtype());
  if (x.numel() == 0) {
    const DimVector shape = reduced_shape(x.sizes(), dims, keepdim, name_of(op));
    if (numel_of(shape) == 0) return Array::empty(shape, dtype);
    return full(shape, of_nothing(op, x.sizes(), dims), dtype);
  }
  // One element each: nothing to reduce.
  const bool keeps = op == ReduceOp::Sum || op == ReduceOp::Mean || op == ReduceOp::Prod ||
                     op == ReduceOp::Max || op == ReduceOp::Min;
  if (keeps && dtype == x.dtype() && !dims.empty()) {
    const DimVector shape = reduced_shape(x.sizes(), dims, keepdim, name_of(op));
    if (numel_of(shape) == x.numel()) return clone(x).view(shape);
  }
  if (op == ReduceOp::NormInf) {
    // By the vectors of the largest and the smallest; a NaN is either.
    Array largest = reduce(ReduceOp::Max, x, dims, keepdim);
    const Array opposite = unary(UnaryOp::Neg, reduce(ReduceOp::Min, x, dims, keepdim));
    binary_out(BinaryOp::Maximum, largest, largest, opposite);
    return largest;
  }
  return run(reducer, x, dims, keepdim, dtype, {}, name_of(op));
}

Array var(const Array& x, IntArrayRef dims, std::int64_t correction, bool keepdim) {
  const SimdReducer simd =
      is_floating_point(x.dtype()) ? find_simd_moments(x.dtype()) : SimdReducer{};
  const Reducer reducer = dispatch_floating(
      x.dtype(), "var", [&]<typename T>(TypeTag<T>) { return Fold<Variance<T>>::reducer(simd); });
  if (x.numel() == 0)
    return full(reduced_shape(x.sizes(), dims, keepdim, "var"),
                std::numeric_limits<double>::quiet_NaN(), x.dtype());
  return run(reducer, x, dims, keepdim, x.dtype(), {0, static_cast<double>(correction)}, "var");
}

Array sum_to(const Array& x, IntArrayRef shape) {
  if (x.sizes() == shape) return x;
  const std::int64_t lead = x.dim() - static_cast<std::int64_t>(shape.size());
  DimVector dims;
  bool broadcasts = lead >= 0;
  for (std::int64_t d = 0; d < x.dim() && broadcasts; ++d) {
    const bool same = d >= lead && shape[d - lead] == x.sizes()[d];
    broadcasts = d < lead || same || shape[d - lead] == 1;
    if (!same) dims.push_back(d);
  }
  TAPEDECK_CHECK(broadcasts, "sum_to: shape ", shape, " does not broadcast to the input's ",
                 x.sizes().ref());
  return sum(x, dims, true).view(shape);
}

}  // namespace tapedeck::kernels
