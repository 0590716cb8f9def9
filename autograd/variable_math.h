#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include <tapedeck/array/array_ref.h>
#include <tapedeck/array/scalar.h>
#include <tapedeck/autograd/variable_base.h>

namespace tapedeck {

class Variable;

/// Methods of Variable beside those that everybody uses: each is the function of the same name.
class VariableMath : public VariableBase {
 public:
  using VariableBase::VariableBase;

  // ---- special functions (ops/special.cpp) ----

#define TAPEDECK_WITH_IN_PLACE(name) \
  Variable name() const;             \
  Variable& name##_() const;
#define TAPEDECK_OF_OTHER(name) Variable name(const Variable& other) const;
#define TAPEDECK_OF_OTHER_WITH_IN_PLACE(name) \
  Variable name(const Variable& other) const; \
  Variable& name##_(const Variable& other) const;
  TAPEDECK_WITH_IN_PLACE(asinh)
  TAPEDECK_WITH_IN_PLACE(arcsinh)
  TAPEDECK_WITH_IN_PLACE(acosh)
  TAPEDECK_WITH_IN_PLACE(arccosh)
  TAPEDECK_WITH_IN_PLACE(atanh)
  TAPEDECK_WITH_IN_PLACE(arctanh)
  TAPEDECK_WITH_IN_PLACE(lgamma)
  TAPEDECK_WITH_IN_PLACE(digamma)
  TAPEDECK_WITH_IN_PLACE(erfinv)
  TAPEDECK_WITH_IN_PLACE(sinc)
  TAPEDECK_WITH_IN_PLACE(deg2rad)
  TAPEDECK_WITH_IN_PLACE(rad2deg)
  Variable polygamma(std::int64_t n) const;
  Variable& polygamma_(std::int64_t n) const;
  Variable mvlgamma(std::int64_t p) const;
  Variable& mvlgamma_(std::int64_t p) const;
  Variable logit(std::optional<double> eps = std::nullopt) const;
  Variable& logit_(std::optional<double> eps = std::nullopt) const;
  Variable nan_to_num(std::optional<double> nan = std::nullopt,
                      std::optional<double> posinf = std::nullopt,
                      std::optional<double> neginf = std::nullopt) const;
  Variable& nan_to_num_(std::optional<double> nan = std::nullopt,
                        std::optional<double> posinf = std::nullopt,
                        std::optional<double> neginf = std::nullopt) const;
  Variable positive() const;
  Variable signbit() const;
  Variable isposinf() const;
  Variable isneginf() const;
  Variable isreal() const;
  TAPEDECK_OF_OTHER(logaddexp)
  TAPEDECK_OF_OTHER(logaddexp2)
  TAPEDECK_OF_OTHER(fmax)
  TAPEDECK_OF_OTHER(fmin)
  TAPEDECK_OF_OTHER_WITH_IN_PLACE(hypot)
  TAPEDECK_OF_OTHER_WITH_IN_PLACE(xlogy)
  Variable xlogy(Scalar other) const;
  Variable& xlogy_(Scalar other) const;
  TAPEDECK_OF_OTHER_WITH_IN_PLACE(copysign)
  Variable copysign(Scalar other) const;
  Variable& copysign_(Scalar other) const;
  TAPEDECK_OF_OTHER_WITH_IN_PLACE(float_power)
  Variable float_power(Scalar exponent) const;
  Variable& float_power_(Scalar exponent) const;
  Variable heaviside(const Variable& values) const;
  Variable& heaviside_(const Variable& values) const;
  TAPEDECK_OF_OTHER_WITH_IN_PLACE(ldexp)
  TAPEDECK_OF_OTHER_WITH_IN_PLACE(bitwise_left_shift)
  TAPEDECK_OF_OTHER_WITH_IN_PLACE(bitwise_right_shift)
  Variable bitwise_left_shift(Scalar other) const;
  Variable bitwise_right_shift(Scalar other) const;
  TAPEDECK_OF_OTHER_WITH_IN_PLACE(gcd)
  TAPEDECK_OF_OTHER_WITH_IN_PLACE(lcm)

  // ---- statistics (ops/statistics_more.cpp, ops/extremes.cpp, ...) ----

  Variable nansum(OptionalIntArrayRef dim = std::nullopt, bool keepdim = false,
                  std::optional<ScalarType> dtype = std::nullopt) const;
  Variable nanmean(OptionalIntArrayRef dim = std::nullopt, bool keepdim = false,
                   std::optional<ScalarType> dtype = std::nullopt) const;
  Variable count_nonzero(IntArrayRef dim) const;
  Variable count_nonzero(std::optional<std::int64_t> dim = std::nullopt) const;
  std::tuple<Variable, Variable> aminmax(std::optional<std::int64_t> dim = std::nullopt,
                                         bool keepdim = false) const;
  std::tuple<Variable, Variable> cummax(std::int64_t dim) const;
  std::tuple<Variable, Variable> cummin(std::int64_t dim) const;
  Variable logcumsumexp(std::int64_t dim) const;
  Variable nanmedian() const;
  std::tuple<Variable, Variable> nanmedian(std::int64_t dim, bool keepdim = false) const;
  std::tuple<Variable, Variable> mode(std::int64_t dim = -1, bool keepdim = false) const;
  Variable quantile(double q, std::optional<std::int64_t> dim = std::nullopt, bool keepdim = false,
                    std::string_view interpolation = "linear") const;
  Variable quantile(const Variable& q, std::optional<std::int64_t> dim = std::nullopt,
                    bool keepdim = false, std::string_view interpolation = "linear") const;
  Variable histc(std::int64_t bins = 100, Scalar min = 0, Scalar max = 0) const;
  Variable diff(std::int64_t n = 1, std::int64_t dim = -1) const;
  Variable dist(const Variable& other, Scalar p = 2) const;
  Variable cov(std::int64_t correction = 1) const;
  Variable corrcoef() const;
  Variable renorm(Scalar p, std::int64_t dim, Scalar maxnorm) const;
  Variable& renorm_(Scalar p, std::int64_t dim, Scalar maxnorm) const;

  // ---- matrices (ops/matmul.cpp, ops/linalg.cpp) ----

  TAPEDECK_OF_OTHER(inner)
  TAPEDECK_OF_OTHER(kron)
  Variable cross(const Variable& other, std::optional<std::int64_t> dim = std::nullopt) const;
  Variable addr(const Variable& vec1, const Variable& vec2, Scalar beta = 1,
                Scalar alpha = 1) const;
  Variable& addr_(const Variable& vec1, const Variable& vec2, Scalar beta = 1,
                  Scalar alpha = 1) const;
  Variable addbmm(const Variable& batch1, const Variable& batch2, Scalar beta = 1,
                  Scalar alpha = 1) const;
  Variable& addbmm_(const Variable& batch1, const Variable& batch2, Scalar beta = 1,
                    Scalar alpha = 1) const;
  Variable inverse() const;
  Variable pinverse(double rcond = 1e-15) const;
  Variable det() const;
  Variable logdet() const;
  std::tuple<Variable, Variable> slogdet() const;
  Variable cholesky(bool upper = false) const;
  Variable cholesky_solve(const Variable& factor, bool upper = false) const;
  Variable cholesky_inverse(bool upper = false) const;
  std::tuple<Variable, Variable> triangular_solve(const Variable& A, bool upper = true,
                                                  bool transpose = false,
                                                  bool unitriangular = false) const;
  std::tuple<Variable, Variable> qr(bool some = true) const;
  std::tuple<Variable, Variable, Variable> svd(bool some = true, bool compute_uv = true) const;
  Variable matrix_power(std::int64_t n) const;
  Variable matrix_exp() const;

  // ---- shapes and places (ops/parts.cpp, ...) ----

  /// The same memory under another dtype, without a derivative. Where that has smaller elements, or
  /// larger ones, the last axis grows or shrinks. \throws Error where its strides do not allow
  /// that. A template, so that view({}) is the view without axes.
  template <typename T, typename Result = Variable>
  requires(std::is_same_v<T, ScalarType> || std::is_same_v<T, TypeMeta>) Result view(T dtype)
  const { return viewed_as(dtype); }
  Variable mT() const;
  Variable mH() const;
  Variable adjoint() const;
  Variable numpy_T() const;
  Variable matrix_H() const;
  Variable moveaxis(std::int64_t source, std::int64_t destination) const;
  Variable moveaxis(IntArrayRef source, IntArrayRef destination) const;
  Variable alias() const;
  Variable fliplr() const;
  Variable flipud() const;
  Variable rot90(std::int64_t k = 1, IntArrayRef dims = {0, 1}) const;
  Variable diag_embed(std::int64_t offset = 0, std::int64_t dim1 = -2,
                      std::int64_t dim2 = -1) const;
  Variable diagflat(std::int64_t offset = 0) const;
  Variable argwhere() const;
  std::vector<Variable> nonzero_numpy() const;
  Variable msort() const;
  std::vector<Variable> hsplit(std::int64_t sections) const;
  std::vector<Variable> hsplit(IntArrayRef indices) const;
  std::vector<Variable> vsplit(std::int64_t sections) const;
  std::vector<Variable> vsplit(IntArrayRef indices) const;
  std::vector<Variable> dsplit(std::int64_t sections) const;
  std::vector<Variable> dsplit(IntArrayRef indices) const;
  Variable select_scatter(const Variable& src, std::int64_t dim, std::int64_t index) const;
  Variable slice_scatter(const Variable& src, std::int64_t dim = 0,
                         std::optional<std::int64_t> start = std::nullopt,
                         std::optional<std::int64_t> end = std::nullopt,
                         std::int64_t step = 1) const;
  Variable diagonal_scatter(const Variable& src, std::int64_t offset = 0, std::int64_t dim1 = 0,
                            std::int64_t dim2 = 1) const;
  Variable scatter_reduce(std::int64_t dim, const Variable& index, const Variable& src,
                          std::string_view reduce, bool include_self = true) const;
  Variable& scatter_reduce_(std::int64_t dim, const Variable& index, const Variable& src,
                            std::string_view reduce, bool include_self = true) const;
  /// reduce: "add" or "multiply".
  Variable scatter(std::int64_t dim, const Variable& index, const Variable& src,
                   std::string_view reduce) const;
  Variable scatter(std::int64_t dim, const Variable& index, Scalar value,
                   std::string_view reduce) const;
  Variable& scatter_(std::int64_t dim, const Variable& index, const Variable& src,
                     std::string_view reduce) const;
  Variable& scatter_(std::int64_t dim, const Variable& index, Scalar value,
                     std::string_view reduce) const;
  Variable put(const Variable& index, const Variable& source, bool accumulate = false) const;
  Variable& put_(const Variable& index, const Variable& source, bool accumulate = false) const;
  Variable narrow_copy(std::int64_t dim, std::int64_t start, std::int64_t length) const;
  Variable pin_memory() const;
  Variable to_dense() const;
  bool is_non_overlapping_and_dense() const;
  Variable& fill_diagonal_(Scalar value, bool wrap = false) const;
  Variable& resize_as_(const Variable& other) const;
  Variable& set_(const Variable& source) const;
  /// Without an argument: no elements.
  Variable& set_() const;
  /// All of a storage, as one axis.
  Variable& set_(const Storage& source) const;
  /// A part of a storage, row-major where no strides are given.
  Variable& set_(const Storage& source, std::int64_t storage_offset, IntArrayRef size,
                 IntArrayRef stride = {}) const;
  bool is_same_size(const Variable& other) const;
  bool is_pinned() const { return false; }
  bool is_distributed() const { return false; }
  bool is_conj() const { return false; }
  bool is_neg() const { return false; }
#undef TAPEDECK_WITH_IN_PLACE
#undef TAPEDECK_OF_OTHER
#undef TAPEDECK_OF_OTHER_WITH_IN_PLACE

 private:
  const Variable& self() const;
  Variable viewed_as(ScalarType dtype) const;
};

}  // namespace tapedeck
