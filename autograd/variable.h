#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <tapedeck/array/array.h>
#include <tapedeck/array/generator.h>
#include <tapedeck/array/optional.h>
#include <tapedeck/array/scalar.h>
#include <tapedeck/array/tensor_options.h>
#include <tapedeck/autograd/node.h>
#include <tapedeck/autograd/variable_forms.h>
#include <tapedeck/autograd/variable_math.h>

namespace tapedeck {

class Variable;
using Tensor = Variable;
using TensorList = ArrayRef<Variable>;

/// What a loss does with its element values.
namespace Reduction {
enum Reduction : int { None = 0, Mean = 1, Sum = 2, END };
}

namespace indexing {
struct TensorIndex;
}

namespace autograd {
struct VariableAccess;
}

/// A tensor: a value, its gradient, and the recorded operation that made it. A handle: copies are
/// the same tensor. The interface is that of libtorch's torch::Tensor; where nothing else is said,
/// names, defaults and semantics are those of PyTorch's documentation.
class Variable : public VariableMath, public detail::VariableForms<Variable> {
 public:
  // Overloads of methods that are declared again here.
  using VariableMath::scatter;
  using VariableMath::scatter_;
  using VariableMath::view;

  /// An undefined tensor: no value, no dtype.
  Variable() = default;
  /// A leaf that holds `value` and shares its storage.
  explicit Variable(Array value);
  explicit Variable(intrusive_ptr<autograd::VariableImpl> impl) : VariableMath(std::move(impl)) {}
  Variable(const Variable&) = default;
  Variable(Variable&&) noexcept = default;
  Variable& operator=(const Variable& other) & = default;
  Variable& operator=(Variable&& other) & noexcept = default;
  /// Assignment to an unnamed tensor writes through: `x[0] = y` copies y into x.
  Variable& operator=(const Variable& other) &&;
  Variable& operator=(Variable&& other) &&;
  Variable& operator=(Scalar value) &&;

  // ---- value (the rest is VariableBase's) ----

  /// The value of a tensor of one element. \throws Error for more or none.
  Scalar item() const;
  template <typename T>
  T item() const {
    const Scalar value = item();
    detail::check_fits(value, dtype_of<T>, "item");
    return value.to<T>();
  }
  void print() const;
  /// function(*this, arguments...): `x.m(relu).m(pow, 2)`.
  template <typename Function, typename... Arguments>
  decltype(auto) m(Function function, Arguments&&... arguments) const {
    return function(*this, std::forward<Arguments>(arguments)...);
  }

  // ---- the tape ----

  bool requires_grad() const;
  const Variable& set_requires_grad(bool requires_grad) const;
  /// \throws Error for a dtype that has no gradients, or `false` on a result of a recorded op.
  const Variable& requires_grad_(bool requires_grad = true) const;
  bool is_leaf() const;
  /// The gathered gradient; undefined before the first backward.
  const Variable& grad() const;
  Variable& mutable_grad() const;
  /// The op that made this tensor; null for a leaf.
  intrusive_ptr<autograd::Node> grad_fn() const;
  std::uint32_t output_nr() const { return defined() ? impl_->output_nr : 0; }
  /// Keeps the gradient of a result, which only leaves do by themselves.
  void retain_grad() const;
  bool retains_grad() const;
  /// How often the storage was changed in place.
  std::int64_t _version() const;
  bool is_view() const;
  Variable _base() const;
  /// Made in inference mode, or a view of such a tensor.
  bool is_inference() const { return defined() && impl_->array.storage()->is_inference(); }

  /// Adds to the `.grad` of the leaves that this was computed from. `gradient` may be missing for a
  /// scalar only. Saved values are released unless `retain_graph` (default: create_graph).
  /// `inputs`, if given, are the only leaves that receive gradients.
  void backward(const Variable& gradient = {}, std::optional<bool> retain_graph = std::nullopt,
                bool create_graph = false, std::optional<TensorList> inputs = std::nullopt) const;

  /// Calls `hook` with each gradient that arrives here. What it returns, if anything, replaces the
  /// gradient. Returns the position for remove_hook.
  template <typename Hook>
  unsigned register_hook(Hook&& hook) const {
    if constexpr (std::is_void_v<std::invoke_result_t<Hook&, Variable>>)
      return add_hook([h = std::forward<Hook>(hook)](const Variable& g) mutable {
        h(g);
        return Variable();
      });
    else
      return add_hook(std::forward<Hook>(hook));
  }
  void remove_hook(unsigned position) const;

  /// The value without its history; shares storage and version.
  Variable detach() const;
  Variable& detach_() const;
  /// As detach, but changes through it go unnoticed by the tape.
  Variable data() const;
  template <typename T>
  T* data() const {
    return data_ptr<T>();
  }
  Variable variable_data() const { return data(); }
  Variable tensor_data() const { return data(); }
  /// Replaces the value in place of all handles. \throws Error for a result of a recorded op.
  void set_data(const Variable& value) const;

  // ---- copies and conversions (ops/copy.cpp) ----

  Variable clone(std::optional<MemoryFormat> = std::nullopt) const;
  Variable contiguous(MemoryFormat = MemoryFormat::Contiguous) const;
  Variable to(ScalarType dtype, bool non_blocking = false, bool copy = false,
              std::optional<MemoryFormat> = std::nullopt) const;
  Variable to(TypeMeta dtype, bool non_blocking = false, bool copy = false,
              std::optional<MemoryFormat> memory_format = std::nullopt) const {
    return to(ScalarType(dtype), non_blocking, copy, memory_format);
  }
  Variable to(Device device, ScalarType dtype, bool non_blocking = false, bool copy = false,
              std::optional<MemoryFormat> = std::nullopt) const;
  Variable to(const TensorOptions& options, bool non_blocking = false, bool copy = false,
              std::optional<MemoryFormat> = std::nullopt) const;
  Variable to(const Variable& other, bool non_blocking = false, bool copy = false,
              std::optional<MemoryFormat> = std::nullopt) const;
  Variable type_as(const Variable& other) const;
  Variable toType(ScalarType dtype) const { return to(dtype); }
  Variable cpu() const;
  Variable cuda() const;
  Variable toBackend(Backend backend) const;
  Variable& copy_(const Variable& source, bool non_blocking = false) const;
  Variable& zero_() const;
  Variable& fill_(Scalar value) const;
  Variable& fill_(const Variable& value) const;

  // ---- arithmetic, comparison, pointwise functions (ops/arithmetic.cpp, ops/pointwise.cpp, ...)
  // ----

  Variable operator-() const;
  Variable operator~() const;
  Variable& operator+=(const Variable& other) &;
  Variable& operator+=(Scalar other) &;
  Variable& operator-=(const Variable& other) &;
  Variable& operator-=(Scalar other) &;
  Variable& operator*=(const Variable& other) &;
  Variable& operator*=(Scalar other) &;
  Variable& operator/=(const Variable& other) &;
  Variable& operator/=(Scalar other) &;
  Variable& operator+=(const Variable& other) && { return add_(other); }
  Variable& operator+=(Scalar other) && { return add_(other); }
  Variable& operator-=(const Variable& other) && { return sub_(other); }
  Variable& operator-=(Scalar other) && { return sub_(other); }
  Variable& operator*=(const Variable& other) && { return mul_(other); }
  Variable& operator*=(Scalar other) && { return mul_(other); }
  Variable& operator/=(const Variable& other) && { return div_(other); }
  Variable& operator/=(Scalar other) && { return div_(other); }
  Variable& operator&=(const Variable& other) { return bitwise_and_(other); }
  Variable& operator&=(Scalar other) { return bitwise_and_(other); }
  Variable& operator|=(const Variable& other) { return bitwise_or_(other); }
  Variable& operator|=(Scalar other) { return bitwise_or_(other); }
  Variable& operator^=(const Variable& other) { return bitwise_xor_(other); }
  Variable& operator^=(Scalar other) { return bitwise_xor_(other); }

  Variable add(const Variable& other, Scalar alpha = 1) const;
  Variable add(Scalar other, Scalar alpha = 1) const;
  Variable& add_(const Variable& other, Scalar alpha = 1) const;
  Variable& add_(Scalar other, Scalar alpha = 1) const;
  Variable sub(const Variable& other, Scalar alpha = 1) const;
  Variable sub(Scalar other, Scalar alpha = 1) const;
  Variable& sub_(const Variable& other, Scalar alpha = 1) const;
  Variable& sub_(Scalar other, Scalar alpha = 1) const;
  Variable mul(const Variable& other) const;
  Variable mul(Scalar other) const;
  Variable& mul_(const Variable& other) const;
  Variable& mul_(Scalar other) const;
  Variable div(const Variable& other) const;
  Variable div(Scalar other) const;
  Variable div(const Variable& other, std::optional<std::string_view> rounding_mode) const;
  Variable div(Scalar other, std::optional<std::string_view> rounding_mode) const;
  Variable& div_(const Variable& other) const;
  Variable& div_(Scalar other) const;
  Variable& div_(const Variable& other, std::optional<std::string_view> rounding_mode) const;
  Variable& div_(Scalar other, std::optional<std::string_view> rounding_mode) const;
  Variable pow(const Variable& exponent) const;
  Variable pow(Scalar exponent) const;
  Variable& pow_(const Variable& exponent) const;
  Variable& pow_(Scalar exponent) const;
  Variable maximum(const Variable& other) const;
  Variable minimum(const Variable& other) const;
  Variable max(const Variable& other) const;
  Variable min(const Variable& other) const;
  Variable fmod(Scalar other) const;
  Variable fmod(const Variable& other) const;
  Variable& fmod_(Scalar other) const;
  Variable& fmod_(const Variable& other) const;
  Variable remainder(Scalar other) const;
  Variable remainder(const Variable& other) const;
  Variable& remainder_(Scalar other) const;
  Variable& remainder_(const Variable& other) const;
  Variable floor_divide(Scalar other) const;
  Variable floor_divide(const Variable& other) const;
  Variable atan2(const Variable& other) const;
  Variable lerp(const Variable& end, Scalar weight) const;
  Variable lerp(const Variable& end, const Variable& weight) const;
  Variable& lerp_(const Variable& end, Scalar weight) const;
  Variable& lerp_(const Variable& end, const Variable& weight) const;
  Variable addcmul(const Variable& tensor1, const Variable& tensor2, Scalar value = 1) const;
  Variable& addcmul_(const Variable& tensor1, const Variable& tensor2, Scalar value = 1) const;
  Variable addcdiv(const Variable& tensor1, const Variable& tensor2, Scalar value = 1) const;
  Variable& addcdiv_(const Variable& tensor1, const Variable& tensor2, Scalar value = 1) const;

  Variable eq(const Variable& other) const;
  Variable eq(Scalar other) const;
  Variable ne(const Variable& other) const;
  Variable ne(Scalar other) const;
  Variable lt(const Variable& other) const;
  Variable lt(Scalar other) const;
  Variable le(const Variable& other) const;
  Variable le(Scalar other) const;
  Variable gt(const Variable& other) const;
  Variable gt(Scalar other) const;
  Variable ge(const Variable& other) const;
  Variable ge(Scalar other) const;
  Variable logical_and(const Variable& other) const;
  Variable logical_or(const Variable& other) const;
  Variable logical_xor(const Variable& other) const;
  Variable logical_not() const;
  Variable bitwise_and(const Variable& other) const;
  Variable bitwise_and(Scalar other) const;
  Variable bitwise_or(const Variable& other) const;
  Variable bitwise_or(Scalar other) const;
  Variable bitwise_xor(const Variable& other) const;
  Variable bitwise_xor(Scalar other) const;
  Variable bitwise_not() const;
  bool equal(const Variable& other) const;
  bool allclose(const Variable& other, double rtol = 1e-05, double atol = 1e-08,
                bool equal_nan = false) const;
  Variable isclose(const Variable& other, double rtol = 1e-05, double atol = 1e-08,
                   bool equal_nan = false) const;
  bool is_nonzero() const;

  Variable neg() const;
  Variable& neg_() const;
  Variable exp() const;
  Variable& exp_() const;
  Variable log() const;
  Variable& log_() const;
  Variable log1p() const;
  Variable& log1p_() const;
  Variable expm1() const;
  Variable& expm1_() const;
  Variable exp2() const;
  Variable& exp2_() const;
  Variable log2() const;
  Variable& log2_() const;
  Variable log10() const;
  Variable& log10_() const;
  Variable sqrt() const;
  Variable& sqrt_() const;
  Variable rsqrt() const;
  Variable& rsqrt_() const;
  Variable square() const;
  Variable& square_() const;
  Variable reciprocal() const;
  Variable& reciprocal_() const;
  Variable abs() const;
  Variable& abs_() const;
  Variable sign() const;
  Variable& sign_() const;
  Variable sin() const;
  Variable& sin_() const;
  Variable cos() const;
  Variable& cos_() const;
  Variable tan() const;
  Variable& tan_() const;
  Variable asin() const;
  Variable& asin_() const;
  Variable acos() const;
  Variable& acos_() const;
  Variable atan() const;
  Variable& atan_() const;
  Variable sinh() const;
  Variable& sinh_() const;
  Variable cosh() const;
  Variable& cosh_() const;
  Variable tanh() const;
  Variable& tanh_() const;
  Variable floor() const;
  Variable& floor_() const;
  Variable ceil() const;
  Variable& ceil_() const;
  Variable round() const;
  Variable& round_() const;
  Variable round(std::int64_t decimals) const;
  Variable& round_(std::int64_t decimals) const;
  Variable trunc() const;
  Variable& trunc_() const;
  Variable frac() const;
  Variable& frac_() const;
  Variable erf() const;
  Variable& erf_() const;
  Variable erfc() const;
  Variable& erfc_() const;
  Variable isnan() const;
  Variable isinf() const;
  Variable isfinite() const;
  Variable clamp(const std::optional<Scalar>& min,
                 const std::optional<Scalar>& max = std::nullopt) const;
  Variable clamp(const std::optional<Variable>& min = {},
                 const std::optional<Variable>& max = {}) const;
  Variable& clamp_(const std::optional<Scalar>& min,
                   const std::optional<Scalar>& max = std::nullopt) const;
  Variable& clamp_(const std::optional<Variable>& min = {},
                   const std::optional<Variable>& max = {}) const;
  Variable clamp_min(Scalar min) const;
  Variable clamp_min(const Variable& min) const;
  Variable& clamp_min_(Scalar min) const;
  Variable& clamp_min_(const Variable& min) const;
  Variable clamp_max(Scalar max) const;
  Variable clamp_max(const Variable& max) const;
  Variable& clamp_max_(Scalar max) const;
  Variable& clamp_max_(const Variable& max) const;
  Variable where(const Variable& condition, const Variable& other) const;

  Variable relu() const;
  Variable& relu_() const;
  Variable sigmoid() const;
  Variable& sigmoid_() const;
  Variable hardshrink(Scalar lambd = 0.5) const;
  Variable prelu(const Variable& weight) const;
  Variable softmax(std::int64_t dim, std::optional<ScalarType> dtype = std::nullopt) const;
  Variable log_softmax(std::int64_t dim, std::optional<ScalarType> dtype = std::nullopt) const;

  // ---- reductions (ops/reduction.cpp) ----

  Variable sum(std::optional<ScalarType> dtype = std::nullopt) const;
  Variable sum(OptionalIntArrayRef dim, bool keepdim = false,
               std::optional<ScalarType> dtype = std::nullopt) const;
  Variable sum_to_size(IntArrayRef size) const&;
  Variable sum_to_size(IntArrayRef size) &&;
  Variable mean(std::optional<ScalarType> dtype = std::nullopt) const;
  Variable mean(OptionalIntArrayRef dim, bool keepdim = false,
                std::optional<ScalarType> dtype = std::nullopt) const;
  Variable prod(std::optional<ScalarType> dtype = std::nullopt) const;
  Variable prod(std::int64_t dim, bool keepdim = false,
                std::optional<ScalarType> dtype = std::nullopt) const;
  Variable var(bool unbiased = true) const;
  Variable var(OptionalIntArrayRef dim, bool unbiased = true, bool keepdim = false) const;
  Variable var(OptionalIntArrayRef dim, std::optional<std::int64_t> correction,
               bool keepdim = false) const;
  template <std::integral Dim>
  requires(!std::is_same_v<Dim, bool>) Variable
      var(Dim dim, bool unbiased = true, bool keepdim = false)
  const { return var(OptionalIntArrayRef(dim), unbiased, keepdim); }
  Variable std(bool unbiased = true) const;
  Variable std(OptionalIntArrayRef dim, bool unbiased = true, bool keepdim = false) const;
  Variable std(OptionalIntArrayRef dim, std::optional<std::int64_t> correction,
               bool keepdim = false) const;
  template <std::integral Dim>
  requires(!std::is_same_v<Dim, bool>) Variable
      std(Dim dim, bool unbiased = true, bool keepdim = false)
  const { return std(OptionalIntArrayRef(dim), unbiased, keepdim); }
  Variable norm(Scalar p = 2) const;
  Variable norm(const std::optional<Scalar>& p, IntArrayRef dim, bool keepdim = false) const;
  Variable norm(const std::optional<Scalar>& p, IntArrayRef dim, bool keepdim,
                ScalarType dtype) const;
  Variable norm(const std::optional<Scalar>& p, ScalarType dtype) const;
  Variable max() const;
  std::tuple<Variable, Variable> max(std::int64_t dim, bool keepdim = false) const;
  Variable min() const;
  std::tuple<Variable, Variable> min(std::int64_t dim, bool keepdim = false) const;
  Variable amax(IntArrayRef dim = {}, bool keepdim = false) const;
  Variable amin(IntArrayRef dim = {}, bool keepdim = false) const;
  Variable argmax(std::optional<std::int64_t> dim = std::nullopt, bool keepdim = false) const;
  Variable argmin(std::optional<std::int64_t> dim = std::nullopt, bool keepdim = false) const;
  std::tuple<Variable, Variable> median(std::int64_t dim, bool keepdim = false) const;
  Variable median() const;
  Variable logsumexp(IntArrayRef dim, bool keepdim = false) const;
  Variable cumsum(std::int64_t dim, std::optional<ScalarType> dtype = std::nullopt) const;
  Variable cumprod(std::int64_t dim, std::optional<ScalarType> dtype = std::nullopt) const;
  Variable any() const;
  Variable any(std::int64_t dim, bool keepdim = false) const;
  Variable all() const;
  Variable all(std::int64_t dim, bool keepdim = false) const;

  // ---- matrix products (ops/matmul.cpp) ----

  Variable matmul(const Variable& other) const;
  Variable mm(const Variable& mat2) const;
  Variable bmm(const Variable& mat2) const;
  Variable mv(const Variable& vec) const;
  Variable dot(const Variable& other) const;
  Variable outer(const Variable& vec2) const;
  Variable addmm(const Variable& mat1, const Variable& mat2, Scalar beta = 1,
                 Scalar alpha = 1) const;
  Variable& addmm_(const Variable& mat1, const Variable& mat2, Scalar beta = 1,
                   Scalar alpha = 1) const;
  Variable addmv(const Variable& mat, const Variable& vec, Scalar beta = 1, Scalar alpha = 1) const;
  Variable baddbmm(const Variable& batch1, const Variable& batch2, Scalar beta = 1,
                   Scalar alpha = 1) const;

  // ---- shapes: views where possible (ops/shape.cpp) ----

  Variable reshape(IntArrayRef shape) const;
  Variable reshape_as(const Variable& other) const;
  Variable view(IntArrayRef size) const;
  Variable view_as(const Variable& other) const;
  Variable flatten(std::int64_t start_dim = 0, std::int64_t end_dim = -1) const;
  Variable unflatten(std::int64_t dim, IntArrayRef sizes) const;
  Variable ravel() const;
  Variable squeeze() const;
  Variable squeeze(std::int64_t dim) const;
  Variable& squeeze_() const;
  Variable& squeeze_(std::int64_t dim) const;
  Variable unsqueeze(std::int64_t dim) const;
  Variable& unsqueeze_(std::int64_t dim) const;
  Variable transpose(std::int64_t dim0, std::int64_t dim1) const;
  Variable& transpose_(std::int64_t dim0, std::int64_t dim1) const;
  Variable movedim(std::int64_t source, std::int64_t destination) const;
  Variable movedim(IntArrayRef source, IntArrayRef destination) const;
  Variable t() const;
  Variable& t_() const;
  Variable permute(IntArrayRef dims) const;
  Variable expand(IntArrayRef size, bool implicit = false) const;
  Variable expand_as(const Variable& other) const;
  Variable broadcast_to(IntArrayRef size) const { return expand(size); }
  Variable as_strided(IntArrayRef size, IntArrayRef stride,
                      std::optional<std::int64_t> storage_offset = std::nullopt) const;
  Variable select(std::int64_t dim, std::int64_t index) const;
  Variable slice(std::int64_t dim = 0, std::optional<std::int64_t> start = std::nullopt,
                 std::optional<std::int64_t> end = std::nullopt, std::int64_t step = 1) const;
  Variable narrow(std::int64_t dim, std::int64_t start, std::int64_t length) const;
  Variable narrow(std::int64_t dim, const Variable& start, std::int64_t length) const;
  Variable diagonal(std::int64_t offset = 0, std::int64_t dim1 = 0, std::int64_t dim2 = 1) const;
  Variable unfold(std::int64_t dimension, std::int64_t size, std::int64_t step) const;
  std::vector<Variable> unbind(std::int64_t dim = 0) const;
  std::vector<Variable> split(std::int64_t split_size, std::int64_t dim = 0) const;
  std::vector<Variable> split(IntArrayRef split_sizes, std::int64_t dim = 0) const;
  std::vector<Variable> split_with_sizes(IntArrayRef split_sizes, std::int64_t dim = 0) const;
  std::vector<Variable> chunk(std::int64_t chunks, std::int64_t dim = 0) const;
  std::vector<Variable> tensor_split(std::int64_t sections, std::int64_t dim = 0) const;
  std::vector<Variable> tensor_split(IntArrayRef indices, std::int64_t dim = 0) const;
  Variable& resize_(IntArrayRef size, std::optional<MemoryFormat> = std::nullopt) const;

  Variable repeat(IntArrayRef repeats) const;
  Variable tile(IntArrayRef dims) const;
  Variable repeat_interleave(std::int64_t repeats, std::optional<std::int64_t> dim = std::nullopt,
                             std::optional<std::int64_t> output_size = std::nullopt) const;
  Variable repeat_interleave(const Variable& repeats,
                             std::optional<std::int64_t> dim = std::nullopt,
                             std::optional<std::int64_t> output_size = std::nullopt) const;
  Variable flip(IntArrayRef dims) const;
  Variable roll(IntArrayRef shifts, IntArrayRef dims = {}) const;
  Variable tril(std::int64_t diagonal = 0) const;
  Variable triu(std::int64_t diagonal = 0) const;
  Variable diag(std::int64_t diagonal = 0) const;
  Variable trace() const;

  // ---- indexing (ops/index.cpp) ----

  Variable operator[](std::int64_t index) const;
  Variable operator[](Scalar index) const;
  Variable operator[](const Variable& index) const;
  Variable index(ArrayRef<indexing::TensorIndex> indices) const;
  Variable index(std::initializer_list<indexing::TensorIndex> indices) const;
  Variable index(const std::vector<std::optional<Variable>>& indices) const;
  Variable& index_put_(ArrayRef<indexing::TensorIndex> indices, const Variable& value) const;
  Variable& index_put_(ArrayRef<indexing::TensorIndex> indices, Scalar value) const;
  Variable& index_put_(std::initializer_list<indexing::TensorIndex> indices,
                       const Variable& value) const;
  Variable& index_put_(std::initializer_list<indexing::TensorIndex> indices, Scalar value) const;
  Variable& index_put_(const std::vector<std::optional<Variable>>& indices, const Variable& values,
                       bool accumulate = false) const;
  Variable index_put(const std::vector<std::optional<Variable>>& indices, const Variable& values,
                     bool accumulate = false) const;
  Variable gather(std::int64_t dim, const Variable& index, bool sparse_grad = false) const;
  Variable scatter(std::int64_t dim, const Variable& index, const Variable& src) const;
  Variable scatter(std::int64_t dim, const Variable& index, Scalar value) const;
  Variable& scatter_(std::int64_t dim, const Variable& index, const Variable& src) const;
  Variable& scatter_(std::int64_t dim, const Variable& index, Scalar value) const;
  Variable scatter_add(std::int64_t dim, const Variable& index, const Variable& src) const;
  Variable& scatter_add_(std::int64_t dim, const Variable& index, const Variable& src) const;
  Variable index_select(std::int64_t dim, const Variable& index) const;
  Variable index_add(std::int64_t dim, const Variable& index, const Variable& source,
                     Scalar alpha = 1) const;
  Variable& index_add_(std::int64_t dim, const Variable& index, const Variable& source,
                       Scalar alpha = 1) const;
  Variable index_fill(std::int64_t dim, const Variable& index, Scalar value) const;
  Variable index_fill(std::int64_t dim, const Variable& index, const Variable& value) const;
  Variable& index_fill_(std::int64_t dim, const Variable& index, Scalar value) const;
  Variable& index_fill_(std::int64_t dim, const Variable& index, const Variable& value) const;
  Variable index_copy(std::int64_t dim, const Variable& index, const Variable& source) const;
  Variable& index_copy_(std::int64_t dim, const Variable& index, const Variable& source) const;
  Variable take(const Variable& index) const;
  Variable take_along_dim(const Variable& indices,
                          std::optional<std::int64_t> dim = std::nullopt) const;
  Variable masked_fill(const Variable& mask, Scalar value) const;
  Variable masked_fill(const Variable& mask, const Variable& value) const;
  Variable& masked_fill_(const Variable& mask, Scalar value) const;
  Variable& masked_fill_(const Variable& mask, const Variable& value) const;
  Variable masked_select(const Variable& mask) const;
  Variable masked_scatter(const Variable& mask, const Variable& source) const;
  Variable& masked_scatter_(const Variable& mask, const Variable& source) const;
  Variable nonzero() const;
  std::tuple<Variable, Variable> sort(std::int64_t dim = -1, bool descending = false) const;
  std::tuple<Variable, Variable> sort(std::optional<bool> stable, std::int64_t dim = -1,
                                      bool descending = false) const;
  std::tuple<Variable, Variable> kthvalue(std::int64_t k, std::int64_t dim = -1,
                                          bool keepdim = false) const;
  Variable argsort(std::int64_t dim = -1, bool descending = false) const;
  Variable argsort(bool stable, std::int64_t dim, bool descending = false) const;
  std::tuple<Variable, Variable> topk(std::int64_t k, std::int64_t dim = -1, bool largest = true,
                                      bool sorted = true) const;
  Variable bincount(const std::optional<Variable>& weights = {}, std::int64_t minlength = 0) const;

  // ---- new tensors of this one's options (ops/creation.cpp) ----

  Variable new_empty(IntArrayRef size, TensorOptions options = {}) const;
  Variable new_zeros(IntArrayRef size, TensorOptions options = {}) const;
  Variable new_ones(IntArrayRef size, TensorOptions options = {}) const;
  Variable new_full(IntArrayRef size, Scalar fill_value, TensorOptions options = {}) const;

  // ---- random fills (ops/random.cpp) ----

  Variable& uniform_(double from = 0, double to = 1,
                     std::optional<Generator> generator = std::nullopt) const;
  Variable& normal_(double mean = 0, double std = 1,
                    std::optional<Generator> generator = std::nullopt) const;
  Variable& bernoulli_(double p = 0.5, std::optional<Generator> generator = std::nullopt) const;
  Variable& bernoulli_(const Variable& p, std::optional<Generator> generator = std::nullopt) const;
  Variable bernoulli(std::optional<Generator> generator = std::nullopt) const;
  Variable bernoulli(double p, std::optional<Generator> generator = std::nullopt) const;
  Variable& exponential_(double lambd = 1, std::optional<Generator> generator = std::nullopt) const;
  Variable& geometric_(double p, std::optional<Generator> generator = std::nullopt) const;
  Variable& log_normal_(double mean = 1, double std = 2,
                        std::optional<Generator> generator = std::nullopt) const;
  Variable& cauchy_(double median = 0, double sigma = 1,
                    std::optional<Generator> generator = std::nullopt) const;
  Variable& random_(std::int64_t from, std::optional<std::int64_t> to,
                    std::optional<Generator> generator = std::nullopt) const;
  Variable& random_(std::int64_t to, std::optional<Generator> generator = std::nullopt) const;
  Variable& random_(std::optional<Generator> generator = std::nullopt) const;
  Variable multinomial(std::int64_t num_samples, bool replacement = false,
                       std::optional<Generator> generator = std::nullopt) const;

 private:
  unsigned add_hook(autograd::Node::Hook hook) const;
};

inline const Variable& VariableMath::self() const { return static_cast<const Variable&>(*this); }

/// Prints a tensor as libtorch does.
std::ostream& operator<<(std::ostream& out, const Variable& tensor);

namespace autograd {

using tapedeck::Variable;
using variable_list = std::vector<Variable>;
using tensor_list = std::vector<Variable>;

/// Where the gradient of `v` goes: its op, its leaf's accumulator, or nowhere.
Edge gradient_edge(const Variable& v);
/// Makes `v` the next output of `node`.
void set_history(Variable& v, intrusive_ptr<Node> node);

}  // namespace autograd
}  // namespace tapedeck
