#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include <tapedeck/autograd/variable.h>

// Choices among named alternatives, as libtorch spells them: `.reduction(kSum)`.

// All alternatives there are.
#define TAPEDECK_FOR_EACH_ALTERNATIVE(_) \
  _(Linear)                              \
  _(Conv1D)                              \
  _(Conv2D)                              \
  _(Conv3D)                              \
  _(ConvTranspose1D)                     \
  _(ConvTranspose2D)                     \
  _(ConvTranspose3D)                     \
  _(Sigmoid)                             \
  _(Tanh)                                \
  _(ReLU)                                \
  _(GELU)                                \
  _(SiLU)                                \
  _(Mish)                                \
  _(LeakyReLU)                           \
  _(SELU)                                \
  _(FanIn)                               \
  _(FanOut)                              \
  _(Constant)                            \
  _(Reflect)                             \
  _(Replicate)                           \
  _(Circular)                            \
  _(Nearest)                             \
  _(Bilinear)                            \
  _(Bicubic)                             \
  _(Trilinear)                           \
  _(Area)                                \
  _(NearestExact)                        \
  _(Sum)                                 \
  _(Mean)                                \
  _(Max)                                 \
  _(None)                                \
  _(BatchMean)                           \
  _(Zeros)                               \
  _(Border)                              \
  _(Reflection)                          \
  _(RNN_TANH)                            \
  _(RNN_RELU)                            \
  _(LSTM)                                \
  _(GRU)                                 \
  _(Valid)                               \
  _(Same)

namespace tapedeck {

namespace enumtype {

enum class Alternative : std::uint8_t {
#define TAPEDECK_ALTERNATIVE(name) name,
  TAPEDECK_FOR_EACH_ALTERNATIVE(TAPEDECK_ALTERNATIVE)
#undef TAPEDECK_ALTERNATIVE
};

#define TAPEDECK_ALTERNATIVE(name)                                      \
  struct k##name {                                                      \
    static constexpr Alternative alternative = Alternative::name;       \
    static constexpr const char* text = "k" #name;                      \
    friend constexpr bool operator==(k##name, k##name) { return true; } \
  };
TAPEDECK_FOR_EACH_ALTERNATIVE(TAPEDECK_ALTERNATIVE)
#undef TAPEDECK_ALTERNATIVE

template <typename T>
inline constexpr T value{};

}  // namespace enumtype

#define TAPEDECK_ALTERNATIVE(name) inline constexpr enumtype::k##name k##name{};
TAPEDECK_FOR_EACH_ALTERNATIVE(TAPEDECK_ALTERNATIVE)
#undef TAPEDECK_ALTERNATIVE

/// One of the alternatives that an option accepts. It is used as the std::variant of the
/// alternatives would be, by holds_alternative, get_if and visit, but is a single byte, and costs
/// the compiler of a user's file next to nothing.
template <typename... Alternatives>
class OneOf {
 public:
  template <typename Alternative>
  requires(std::is_same_v<Alternative, Alternatives> || ...)  //
      constexpr OneOf(Alternative)
      : held_(Alternative::alternative) {}

  constexpr enumtype::Alternative held() const { return held_; }
  friend constexpr bool operator==(OneOf a, OneOf b) { return a.held_ == b.held_; }

  template <typename Alternative>
  static constexpr bool accepts = (std::is_same_v<Alternative, Alternatives> || ...);

 private:
  enumtype::Alternative held_;
};

template <typename Alternative, typename... Alternatives>
constexpr bool holds_alternative(const OneOf<Alternatives...>& choice) {
  static_assert(OneOf<Alternatives...>::template accepts<Alternative>);
  return choice.held() == Alternative::alternative;
}
/// The alternative, or null where another one is held.
template <typename Alternative, typename... Alternatives>
constexpr const Alternative* get_if(const OneOf<Alternatives...>* choice) {
  return choice && holds_alternative<Alternative>(*choice) ? &enumtype::value<Alternative>
                                                           : nullptr;
}

namespace detail {
template <typename Visitor, typename First, typename... Rest>
constexpr decltype(auto) visit_alternative(Visitor&& visitor, enumtype::Alternative held) {
  if constexpr (sizeof...(Rest) > 0)
    if (held != First::alternative)
      return visit_alternative<Visitor, Rest...>(std::forward<Visitor>(visitor), held);
  return std::forward<Visitor>(visitor)(First{});
}
}  // namespace detail

/// Calls `visitor` with the alternative that is held.
template <typename Visitor, typename... Alternatives>
constexpr decltype(auto) visit(Visitor&& visitor, const OneOf<Alternatives...>& choice) {
  return detail::visit_alternative<Visitor, Alternatives...>(std::forward<Visitor>(visitor),
                                                             choice.held());
}

namespace enumtype {

/// "kMean" of a choice that is kMean.
std::string get_enum_name(Alternative alternative);
template <typename... Alternatives>
std::string get_enum_name(const OneOf<Alternatives...>& choice) {
  return get_enum_name(choice.held());
}

/// The Reduction of an option that holds kNone, kMean or kSum. \throws ValueError for another one.
Reduction::Reduction reduction_get_enum(Alternative alternative);
template <typename... Alternatives>
Reduction::Reduction reduction_get_enum(const OneOf<Alternatives...>& choice) {
  return reduction_get_enum(choice.held());
}

}  // namespace enumtype
}  // namespace tapedeck
