#pragma once

#include <type_traits>
#include <utility>

#include <tapedeck/nn/module.h>

// What libtorch asks of types, in <torch/detail/static.h> and <torch/csrc/utils/variadic.h>.
namespace tapedeck {

using std::decay_t;
using std::enable_if_t;
template <bool value, typename T = void>
using disable_if_t = std::enable_if_t<!value, T>;

template <bool... values>
using all_of = std::conjunction<std::bool_constant<values>...>;
template <bool... values>
using any_of = std::disjunction<std::bool_constant<values>...>;

// Where argument-dependent lookup does not search, as it does not in libtorch's torch::, either.
namespace detail::no_adl {

/// f(argument) for each of the arguments, in order.
template <typename F, typename... Arguments>
void apply(F f, Arguments&&... arguments) {
  (f(std::forward<Arguments>(arguments)), ...);
}

}  // namespace detail::no_adl
using namespace detail::no_adl;

namespace detail {

template <typename M>
using is_module = std::is_base_of<nn::Module, std::decay_t<M>>;
template <typename M, typename T = void>
using enable_if_module_t = std::enable_if_t<is_module<M>::value, T>;

/// Whether M has one forward, which is no template.
template <typename M>
    struct has_forward : std::bool_constant < requires {
  &M::forward;
} > {};

template <typename... Types>
constexpr bool check_not_lvalue_references() {
  return (!std::is_lvalue_reference_v<Types> && ...);
}

/// `type` is what M::forward returns for these arguments, or void if it cannot be called.
template <typename M, typename... Arguments>
struct return_type_of_forward {
  using type = void;
};
template <typename M, typename... Arguments>
requires requires(M& module) { module.forward(std::declval<Arguments>()...); }
struct return_type_of_forward<M, Arguments...> {
  using type = decltype(std::declval<M&>().forward(std::declval<Arguments>()...));
};
template <typename M, typename... Arguments>
using return_type_of_forward_t = typename return_type_of_forward<M, Arguments...>::type;

}  // namespace detail
}  // namespace tapedeck
