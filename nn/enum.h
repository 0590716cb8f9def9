#pragma once

#include <string>
#include <variant>

#include <tapedeck/autograd/variable.h>

// Choices among named alternatives, as libtorch spells them: `.reduction(kSum)`, where the option
// is a std::variant of the alternatives that it accepts.

#define TAPEDECK_ENUM(name)                             \
  namespace enumtype {                                  \
  struct k##name {                                      \
    static constexpr const char* text = "k" #name;      \
    friend bool operator==(k##name, k##name) = default; \
  };                                                    \
  }                                                     \
  inline constexpr enumtype::k##name k##name {}

namespace tapedeck {

TAPEDECK_ENUM(Linear);
TAPEDECK_ENUM(Conv1D);
TAPEDECK_ENUM(Conv2D);
TAPEDECK_ENUM(Conv3D);
TAPEDECK_ENUM(ConvTranspose1D);
TAPEDECK_ENUM(ConvTranspose2D);
TAPEDECK_ENUM(ConvTranspose3D);
TAPEDECK_ENUM(Sigmoid);
TAPEDECK_ENUM(Tanh);
TAPEDECK_ENUM(ReLU);
TAPEDECK_ENUM(GELU);
TAPEDECK_ENUM(SiLU);
TAPEDECK_ENUM(Mish);
TAPEDECK_ENUM(LeakyReLU);
TAPEDECK_ENUM(SELU);
TAPEDECK_ENUM(FanIn);
TAPEDECK_ENUM(FanOut);
TAPEDECK_ENUM(Constant);
TAPEDECK_ENUM(Reflect);
TAPEDECK_ENUM(Replicate);
TAPEDECK_ENUM(Circular);
TAPEDECK_ENUM(Nearest);
TAPEDECK_ENUM(Bilinear);
TAPEDECK_ENUM(Bicubic);
TAPEDECK_ENUM(Trilinear);
TAPEDECK_ENUM(Area);
TAPEDECK_ENUM(NearestExact);
TAPEDECK_ENUM(Sum);
TAPEDECK_ENUM(Mean);
TAPEDECK_ENUM(Max);
TAPEDECK_ENUM(None);
TAPEDECK_ENUM(BatchMean);
TAPEDECK_ENUM(Zeros);
TAPEDECK_ENUM(Border);
TAPEDECK_ENUM(Reflection);
TAPEDECK_ENUM(RNN_TANH);
TAPEDECK_ENUM(RNN_RELU);
TAPEDECK_ENUM(LSTM);
TAPEDECK_ENUM(GRU);
TAPEDECK_ENUM(Valid);
TAPEDECK_ENUM(Same);

namespace enumtype {

/// "kMean" of a variant that holds kMean.
template <typename V>
std::string get_enum_name(const V& variant) {
  return std::visit([](const auto& alternative) { return std::string(alternative.text); }, variant);
}

/// The Reduction of an option that holds kNone, kMean or kSum.
template <typename V>
Reduction::Reduction reduction_get_enum(const V& variant) {
  if (std::holds_alternative<kNone>(variant)) return Reduction::None;
  if (std::holds_alternative<kMean>(variant)) return Reduction::Mean;
  TAPEDECK_CHECK_AS(ValueError, std::holds_alternative<kSum>(variant), get_enum_name(variant),
                    " is not a valid value for reduction");
  return Reduction::Sum;
}

}  // namespace enumtype
}  // namespace tapedeck
