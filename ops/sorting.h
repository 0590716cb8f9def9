#pragma once

#include <tuple>

#include <tapedeck/autograd/variable.h>

namespace tapedeck {

// Order along an axis. NaN counts as greater than everything. Values are differentiable, indices
// (int64) are not.

/// Sorted values and where they came from; equal elements keep their order.
std::tuple<Variable, Variable> sort(const Variable& self, std::int64_t dim = -1,
                                    bool descending = false);
/// The same: the sort is stable in any case.
std::tuple<Variable, Variable> sort(const Variable& self, std::optional<bool> stable,
                                    std::int64_t dim = -1, bool descending = false);
/// Sorted along the first axis.
Variable msort(const Variable& self);
Variable argsort(const Variable& self, std::int64_t dim = -1, bool descending = false);
/// The same: it is stable in any case.
Variable argsort(const Variable& self, bool stable, std::int64_t dim, bool descending = false);
/// The k greatest (or smallest) values, in order where `sorted`.
std::tuple<Variable, Variable> topk(const Variable& self, std::int64_t k, std::int64_t dim = -1,
                                    bool largest = true, bool sorted = true);
/// The k-th smallest value, counted from 1.
std::tuple<Variable, Variable> kthvalue(const Variable& self, std::int64_t k, std::int64_t dim = -1,
                                        bool keepdim = false);

namespace detail::no_adl {  // see activation.h

/// The distinct elements in ascending order; where each element of self is among them (self's
/// shape, empty unless asked for); how often each occurs (empty unless asked for).
std::tuple<Variable, Variable, Variable> unique(const Variable& self, bool sorted = true,
                                                bool return_inverse = false,
                                                bool return_counts = false);

}  // namespace detail::no_adl
using namespace detail::no_adl;

/// libtorch's name of it.
std::tuple<Variable, Variable, Variable> _unique2(const Variable& self, bool sorted = true,
                                                  bool return_inverse = false,
                                                  bool return_counts = false);
/// The first of each run of equal elements of the flattened tensor, and the same for runs.
std::tuple<Variable, Variable, Variable> unique_consecutive(const Variable& self,
                                                            bool return_inverse = false,
                                                            bool return_counts = false);
/// How often each of 0, 1, ... occurs in a vector of non-negative integers, or the sum of the
/// weights at its places. int64, or the weights' dtype (float64 for integers).
Variable bincount(const Variable& self, const std::optional<Variable>& weights = {},
                  std::int64_t minlength = 0);
/// Where the values would have to be inserted into the sorted last axis to keep it sorted: in front
/// of equal elements, or behind them where `right`. The sequence is a vector for all, or agrees in
/// all axes but the last. int64, or int32 where `out_int32`.
Variable searchsorted(const Variable& sorted_sequence, const Variable& self, bool out_int32 = false,
                      bool right = false);
Variable searchsorted(const Variable& sorted_sequence, Scalar self, bool out_int32 = false,
                      bool right = false);
/// searchsorted with a vector of boundaries.
Variable bucketize(const Variable& self, const Variable& boundaries, bool out_int32 = false,
                   bool right = false);

}  // namespace tapedeck
