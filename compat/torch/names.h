#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <tapedeck/tapedeck.h>

// Names that libtorch has in its namespaces and tapedeck has no use for of its own.
namespace tapedeck {

using nn::get_if;  // of a convolution's padding
using nn::holds_alternative;
using std::get;
using std::get_if;
using std::holds_alternative;
using std::make_unique;
using std::monostate;
using std::string_view;
using std::variant;
using std::visit;

using IntList = IntArrayRef;
using TensorBase = VariableBase;
using std::call_once;
using std::once_flag;

namespace enumtype {

/// "kMean" of a variant of alternatives that holds kMean.
template <typename First, typename... Rest>
std::string get_enum_name(const std::variant<First, Rest...>& choice) {
  return std::visit([](const auto& held) { return std::string(held.text); }, choice);
}
/// The same for visit: libtorch's name of it.
struct _compute_enum_name {
  template <typename Alternative>
  std::string operator()(Alternative) const {
    return Alternative::text;
  }
};
/// A reduction as functions of tensors take it.
template <typename First, typename... Rest>
std::int64_t reduction_get_enum(const std::variant<First, Rest...>& choice) {
  return std::visit([](auto held) { return reduction_get_enum(OneOf<First, Rest...>(held)); },
                    choice);
}

}  // namespace enumtype

inline ScalarType typeMetaToScalarType(TypeMeta dtype) { return dtype; }
inline TypeMeta scalarTypeToTypeMeta(ScalarType dtype) { return TypeMeta(dtype); }
inline bool isFloatingType(ScalarType dtype) { return is_floating_point(dtype); }
inline bool isIntegralType(ScalarType dtype, bool include_bool) {
  return is_integral(dtype, include_bool);
}
inline bool isComplexType(ScalarType) { return false; }
inline std::int64_t elementSize(ScalarType dtype) { return element_size(dtype); }
inline ScalarType promoteTypes(ScalarType a, ScalarType b) { return promote_types(a, b); }
inline ScalarType get_default_dtype_as_scalartype() { return get_default_dtype(); }

// dtypes that programs name, to ask whether a tensor has one of them. None can: making one throws.
inline constexpr ScalarType kChar{1}, kInt8 = kChar, kShort{2}, kInt16 = kShort;
inline constexpr ScalarType kHalf{5}, kFloat16 = kHalf, kBFloat16{15};
inline constexpr ScalarType kU8 = kUInt8, kI8 = kInt8, kI16 = kInt16, kI32 = kInt32, kI64 = kInt64;
inline constexpr ScalarType kF16 = kFloat16;
inline constexpr ScalarType kComplexHalf{8}, kComplexFloat{9}, kComplexDouble{10};
inline constexpr ScalarType kQInt8{12}, kQUInt8{13}, kQInt32{14};

template <typename T>
struct CppTypeToScalarType {
  static constexpr ScalarType value = dtype_of<T>;
};

// What programs ask about the build and the machine.
constexpr bool hasCUDA() { return false; }
constexpr bool hasHIP() { return false; }
constexpr bool hasXLA() { return false; }
constexpr bool hasMPS() { return false; }
constexpr bool hasMKL() { return false; }
constexpr bool hasLAPACK() { return true; }

/// libtorch's old word for the options of a dtype on the CPU.
inline DeprecatedTypeProperties& CPU(ScalarType dtype) {
  static std::array types{DeprecatedTypeProperties(kByte),   DeprecatedTypeProperties(kInt),
                          DeprecatedTypeProperties(kLong),   DeprecatedTypeProperties(kFloat),
                          DeprecatedTypeProperties(kDouble), DeprecatedTypeProperties(kBool)};
  const auto found = std::find(types.begin(), types.end(), DeprecatedTypeProperties(dtype));
  TAPEDECK_CHECK_AS(TypeError, found != types.end(), "CPU: dtype ", dtype,
                    " is not supported: expected Float, Double, Long, Int, Byte or Bool");
  return *found;
}

/// The same for tensors on CUDA devices: an error.
inline DeprecatedTypeProperties& CUDA(ScalarType dtype) {
  check_device(kCUDA, "CUDA");
  return CPU(dtype);
}

/// What unsafeGetTensorImpl() gives for an undefined tensor.
struct UndefinedTensorImpl {
  static autograd::VariableImpl* singleton() { return nullptr; }
};

namespace jit {
using tapedeck::IValue;
}

/// A number as a tensor without axes: int64, double or bool.
inline Tensor scalar_to_tensor(Scalar number) { return full({}, number, number.type()); }
/// The sum, and the product, of the integers of a container, or between two iterators.
template <typename Container>
std::int64_t sum_integers(const Container& container) {
  return std::accumulate(std::begin(container), std::end(container), std::int64_t{0});
}
template <typename Container>
std::int64_t multiply_integers(const Container& container) {
  return std::accumulate(std::begin(container), std::end(container), std::int64_t{1},
                         std::multiplies<>());
}

template <typename Iterator>
std::int64_t sum_integers(Iterator begin, Iterator end) {
  return std::accumulate(begin, end, std::int64_t{0});
}
template <typename Iterator>
std::int64_t multiply_integers(Iterator begin, Iterator end) {
  return std::accumulate(begin, end, std::int64_t{1}, std::multiplies<>());
}

using detail::in_parallel_region;

/// The elements of `container`, printed with `separator` between them.
template <typename Container>
std::string Join(const std::string& separator, const Container& container) {
  std::string joined;
  for (const auto& element : container) {
    if (&element != &*std::begin(container)) joined += separator;
    joined += str(element);
  }
  return joined;
}

/// The value as it prints. A tensor's is a program's own, which this would win over: libtorch's
/// argument-dependent lookup does not find its c10::to_string.
template <typename T>
requires(!std::is_same_v<T, Tensor>) std::string to_string(const T& value) { return str(value); }
namespace guts {
using tapedeck::to_string;
}

/// libtorch has the implementations of its functions here.
namespace native {
using namespace tapedeck;
}

/// The distinct elements, and of which of them each element is a copy.
inline std::tuple<Tensor, Tensor> _unique(const Tensor& self, bool sorted = true,
                                          bool return_inverse = false) {
  auto [values, inverse, counts] = unique(self, sorted, return_inverse);
  return {values, inverse};
}

inline Tensor _upsample_nearest_exact2d(const Tensor& self, IntArrayRef output_size,
                                        std::optional<double> scales_h = std::nullopt,
                                        std::optional<double> scales_w = std::nullopt) {
  return upsample_nearest_exact(self, output_size, {scales_h, scales_w});
}

/// libtorch's parallel_for: body(begin, end) over chunks of [begin, end).
template <typename Body>
void parallel_for(std::int64_t begin, std::int64_t end, std::int64_t grain_size, Body&& body) {
  parallel_for(end - begin, grain_size > 0 ? grain_size : 1,
               [&](std::int64_t first, std::int64_t last) { body(begin + first, begin + last); });
}

/// libtorch's parallel_reduce: combines body(begin, end, identity) of the chunks, in their order.
template <typename T, typename Body, typename Combine>
T parallel_reduce(std::int64_t begin, std::int64_t end, std::int64_t grain_size, T identity,
                  const Body& body, const Combine& combine) {
  const std::int64_t n = end - begin, grain = grain_size > 0 ? grain_size : 1;
  if (n <= 0) return identity;
  if (in_parallel_region()) return body(begin, end, identity);  // one chunk, as for libtorch
  std::vector<T> partial(static_cast<std::size_t>((n + grain - 1) / grain), identity);
  parallel_for(static_cast<std::int64_t>(partial.size()), 1,
               [&](std::int64_t first, std::int64_t last) {
                 for (std::int64_t i = first; i < last; ++i)
                   partial[static_cast<std::size_t>(i)] =
                       body(begin + i * grain, begin + std::min(n, (i + 1) * grain), identity);
               });
  T result = identity;
  for (const T& part : partial) result = combine(result, part);
  return result;
}

namespace nn::functional::detail {

inline Tensor dropout(Tensor input, double p, bool training, bool inplace) {
  return functional::dropout(std::move(input),
                             DropoutFuncOptions().p(p).training(training).inplace(inplace));
}
inline Tensor alpha_dropout(Tensor input, double p, bool training, bool inplace) {
  return functional::alpha_dropout(
      std::move(input), AlphaDropoutFuncOptions().p(p).training(training).inplace(inplace));
}
inline Tensor feature_alpha_dropout(Tensor input, double p, bool training, bool inplace) {
  return functional::feature_alpha_dropout(
      std::move(input), FeatureAlphaDropoutFuncOptions().p(p).training(training).inplace(inplace));
}

}  // namespace nn::functional::detail

namespace autograd {

using tapedeck::AutoGradMode;
using tapedeck::GradMode;

/// A leaf that shares the storage of `data`.
inline Variable make_variable(const Variable& data, bool requires_grad = false) {
  Variable v = data.detach();
  return v.requires_grad_(requires_grad);
}

}  // namespace autograd

namespace compat {

/// A program that includes this prints modules as libtorch does, until it asks for Python's style.
inline const bool prints_as_libtorch =
    (nn::set_print_style(nn::PrintStyle::Libtorch), nn::print_style() == nn::PrintStyle::Libtorch);

}  // namespace compat
}  // namespace tapedeck

namespace tapedeck::compat {

// As libtorch (its copy of glog) prints containers: the elements, with spaces between them.
template <typename Container>
std::ostream& print_elements(std::ostream& out, const Container& container) {
  const char* separator = "";
  for (auto&& element : container) {
    out << separator << element;
    separator = " ";
  }
  return out;
}

}  // namespace tapedeck::compat

// Where argument-dependent lookup finds them, as libtorch has it.
namespace std {

template <typename First, typename Second>
ostream& operator<<(ostream& out, const pair<First, Second>& p) {
  return out << '(' << p.first << ", " << p.second << ')';
}
template <typename T, typename Allocator>
ostream& operator<<(ostream& out, const vector<T, Allocator>& v) {
  return tapedeck::compat::print_elements(out, v);
}
template <typename T, typename Compare, typename Allocator>
ostream& operator<<(ostream& out, const set<T, Compare, Allocator>& s) {
  return tapedeck::compat::print_elements(out, s);
}
template <typename Key, typename T, typename Compare, typename Allocator>
ostream& operator<<(ostream& out, const map<Key, T, Compare, Allocator>& m) {
  return tapedeck::compat::print_elements(out, m);
}

}  // namespace std

// A macro, since programs put things of their own into the namespace (namespace torch { namespace
// test { ... } }) and an alias cannot be reopened. `at` is a name of the standard library, so it is
// a namespace of its own, below; nobody reopens the others.
#define torch tapedeck
namespace c10 = tapedeck;
namespace caffe2 = tapedeck;

/// The same names again, but for `tensor`: at::tensor keeps the dtype of C++'s type, and makes one
/// axis of a number.
namespace at {

using namespace tapedeck;

#define TAPEDECK_COMPAT_TENSOR(T)                                                        \
  inline Tensor tensor(ArrayRef<T> values, const TensorOptions& options = dtype_of<T>) { \
    return tapedeck::tensor(values, options);                                            \
  }                                                                                      \
  inline Tensor tensor(std::initializer_list<T> values,                                  \
                       const TensorOptions& options = dtype_of<T>) {                     \
    return tapedeck::tensor(ArrayRef<T>(values), options);                               \
  }                                                                                      \
  inline Tensor tensor(T value, const TensorOptions& options = dtype_of<T>) {            \
    return tapedeck::tensor(ArrayRef<T>(value), options);                                \
  }
TAPEDECK_COMPAT_TENSOR(bool)
TAPEDECK_COMPAT_TENSOR(std::uint8_t)
TAPEDECK_COMPAT_TENSOR(std::int32_t)
TAPEDECK_COMPAT_TENSOR(std::int64_t)
TAPEDECK_COMPAT_TENSOR(float)
TAPEDECK_COMPAT_TENSOR(double)
#undef TAPEDECK_COMPAT_TENSOR

}  // namespace at

namespace ska {

/// The map of libtorch's optimisers, by parameter, or else any map.
template <typename Key, typename Value, typename... Rest>
using flat_hash_map =
    std::conditional_t<std::is_same_v<Value, std::unique_ptr<tapedeck::optim::OptimizerParamState>>,
                       tapedeck::optim::OptimizerState, std::unordered_map<Key, Value, Rest...>>;

}  // namespace ska
