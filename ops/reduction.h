#pragma once

#include <concepts>
#include <optional>
#include <tuple>

#include <tapedeck/autograd/variable.h>

// Reductions over all elements, or over axes, which go away unless `keepdim`. An empty list of
// axes, or none (std::nullopt), means all of them.

namespace tapedeck {

/// Integers and bool are summed in int64.
Variable sum(const Variable& self, std::optional<ScalarType> dtype = std::nullopt);
Variable sum(const Variable& self, OptionalIntArrayRef dim, bool keepdim = false,
             std::optional<ScalarType> dtype = std::nullopt);
/// \throws TypeError for integers unless a floating `dtype` is given.
Variable mean(const Variable& self, std::optional<ScalarType> dtype = std::nullopt);
Variable mean(const Variable& self, OptionalIntArrayRef dim, bool keepdim = false,
              std::optional<ScalarType> dtype = std::nullopt);
/// Integers and bool are multiplied in int64. The gradient is right where elements are zero.
Variable prod(const Variable& self, std::optional<ScalarType> dtype = std::nullopt);
Variable prod(const Variable& self, std::int64_t dim, bool keepdim = false,
              std::optional<ScalarType> dtype = std::nullopt);

/// Mean squared deviation from the mean, over count - 1 if `unbiased`, else over count; or over
/// count - correction (1 where not given).
Variable var(const Variable& self, bool unbiased = true);
Variable var(const Variable& self, OptionalIntArrayRef dim, bool unbiased = true,
             bool keepdim = false);
Variable var(const Variable& self, OptionalIntArrayRef dim, std::optional<std::int64_t> correction,
             bool keepdim = false);
template <std::integral Dim>
requires(!std::is_same_v<Dim, bool>) Variable
    var(const Variable& self, Dim dim, bool unbiased = true, bool keepdim = false) {
  return self.var(dim, unbiased, keepdim);
}
/// Its square root.
Variable std(const Variable& self, bool unbiased = true);
Variable std(const Variable& self, OptionalIntArrayRef dim, bool unbiased = true,
             bool keepdim = false);
Variable std(const Variable& self, OptionalIntArrayRef dim, std::optional<std::int64_t> correction,
             bool keepdim = false);
template <std::integral Dim>
requires(!std::is_same_v<Dim, bool>) Variable
    std(const Variable& self, Dim dim, bool unbiased = true, bool keepdim = false) {
  return self.std(dim, unbiased, keepdim);
}
/// Either with the mean.
std::tuple<Variable, Variable> var_mean(const Variable& self, bool unbiased = true);
std::tuple<Variable, Variable> var_mean(const Variable& self, OptionalIntArrayRef dim,
                                        bool unbiased = true, bool keepdim = false);
std::tuple<Variable, Variable> var_mean(const Variable& self, OptionalIntArrayRef dim,
                                        std::optional<std::int64_t> correction,
                                        bool keepdim = false);
template <std::integral Dim>
requires(!std::is_same_v<Dim, bool>)  //
    std::tuple<Variable, Variable> var_mean(const Variable& self, Dim dim, bool unbiased = true,
                                            bool keepdim = false) {
  return var_mean(self, OptionalIntArrayRef(dim), unbiased, keepdim);
}
std::tuple<Variable, Variable> std_mean(const Variable& self, bool unbiased = true);
std::tuple<Variable, Variable> std_mean(const Variable& self, OptionalIntArrayRef dim,
                                        bool unbiased = true, bool keepdim = false);
std::tuple<Variable, Variable> std_mean(const Variable& self, OptionalIntArrayRef dim,
                                        std::optional<std::int64_t> correction,
                                        bool keepdim = false);
template <std::integral Dim>
requires(!std::is_same_v<Dim, bool>)  //
    std::tuple<Variable, Variable> std_mean(const Variable& self, Dim dim, bool unbiased = true,
                                            bool keepdim = false) {
  return std_mean(self, OptionalIntArrayRef(dim), unbiased, keepdim);
}
/// (sum |x|^p)^(1/p); p may be 0 (elements that are not zero) or infinite (the largest |x|, the
/// smallest for -infinity). The gradient at a norm of 0 is 0.
Variable norm(const Variable& self, Scalar p = 2);
Variable norm(const Variable& self, const std::optional<Scalar>& p, IntArrayRef dim,
              bool keepdim = false);
Variable norm(const Variable& self, const std::optional<Scalar>& p, IntArrayRef dim, bool keepdim,
              ScalarType dtype);
Variable norm(const Variable& self, const std::optional<Scalar>& p, ScalarType dtype);
/// The 2-norm over one axis, two or all.
Variable frobenius_norm(const Variable& self, IntArrayRef dim = {}, bool keepdim = false);
/// log(sum(exp(x))), without overflow.
Variable logsumexp(const Variable& self, IntArrayRef dim, bool keepdim = false);

/// The largest and smallest elements; NaN where one is. Equal ones share the gradient.
/// \throws Error for no elements.
Variable max(const Variable& self);
Variable min(const Variable& self);
Variable amax(const Variable& self, IntArrayRef dim = {}, bool keepdim = false);
Variable amin(const Variable& self, IntArrayRef dim = {}, bool keepdim = false);
std::tuple<Variable, Variable> aminmax(const Variable& self,
                                       std::optional<std::int64_t> dim = std::nullopt,
                                       bool keepdim = false);
/// Values and int64 indices along an axis; the first index where there are several, which gets all
/// of the gradient.
std::tuple<Variable, Variable> max(const Variable& self, std::int64_t dim, bool keepdim = false);
std::tuple<Variable, Variable> min(const Variable& self, std::int64_t dim, bool keepdim = false);
/// The lower of the two middle elements, and its index. \throws Error for no elements.
std::tuple<Variable, Variable> median(const Variable& self, std::int64_t dim, bool keepdim = false);
/// NaN for no elements.
Variable median(const Variable& self);
/// The same of the elements that are not NaN; NaN where there are none.
std::tuple<Variable, Variable> nanmedian(const Variable& self, std::int64_t dim,
                                         bool keepdim = false);
Variable nanmedian(const Variable& self);
/// The index of the first largest (smallest) element, of all elements without `dim`.
Variable argmax(const Variable& self, std::optional<std::int64_t> dim = std::nullopt,
                bool keepdim = false);
Variable argmin(const Variable& self, std::optional<std::int64_t> dim = std::nullopt,
                bool keepdim = false);

/// Running sums and products along an axis. Integers and bool in int64.
Variable cumsum(const Variable& self, std::int64_t dim,
                std::optional<ScalarType> dtype = std::nullopt);
Variable cumprod(const Variable& self, std::int64_t dim,
                 std::optional<ScalarType> dtype = std::nullopt);

/// Whether any, or every, element is not zero.
Variable any(const Variable& self);
Variable any(const Variable& self, std::int64_t dim, bool keepdim = false);
Variable all(const Variable& self);
Variable all(const Variable& self, std::int64_t dim, bool keepdim = false);
/// How many elements are not zero.
Variable count_nonzero(const Variable& self, IntArrayRef dim);
Variable count_nonzero(const Variable& self, std::optional<std::int64_t> dim = std::nullopt);

}  // namespace tapedeck
