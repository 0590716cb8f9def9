#pragma once

#include "bench/library.h"

namespace bench {

/// What a case's name calls an operation.
template <typename F>
struct Named {
  const char* name;
  F f;
};
using Unary = lib::Tensor (*)(const lib::Tensor&);
using Binary = lib::Tensor (*)(const lib::Tensor&, const lib::Tensor&);

// Operations that several lists measure.

inline constexpr Named<Unary> kRelu{"relu", [](const lib::Tensor& x) { return lib::relu(x); }};
inline constexpr Named<Unary> kSigmoid{"sigmoid",
                                       [](const lib::Tensor& x) { return lib::sigmoid(x); }};
inline constexpr Named<Unary> kTanh{"tanh", [](const lib::Tensor& x) { return lib::tanh(x); }};
inline constexpr Named<Unary> kExp{"exp", [](const lib::Tensor& x) { return lib::exp(x); }};
inline constexpr Named<Unary> kSqrt{"sqrt", [](const lib::Tensor& x) { return lib::sqrt(x); }};
inline constexpr Named<Unary> kSquare{"square",
                                      [](const lib::Tensor& x) { return lib::square(x); }};
inline constexpr Named<Unary> kAbs{"abs", [](const lib::Tensor& x) { return lib::abs(x); }};
inline constexpr Named<Unary> kNeg{"neg", [](const lib::Tensor& x) { return -x; }};
inline constexpr Named<Unary> kGelu{
    "gelu", [](const lib::Tensor& x) { return lib::nn::functional::gelu(x); }};
inline constexpr Named<Unary> kSilu{
    "silu", [](const lib::Tensor& x) { return lib::nn::functional::silu(x); }};
inline constexpr Named<Unary> kLeakyRelu{
    "leaky_relu", [](const lib::Tensor& x) { return lib::nn::functional::leaky_relu(x); }};
inline constexpr Named<Unary> kHardtanh{
    "hardtanh", [](const lib::Tensor& x) { return lib::nn::functional::hardtanh(x); }};
inline constexpr Named<Unary> kAddScalar{"add_scalar", [](const lib::Tensor& x) { return x + 1; }};

inline constexpr Named<Binary> kAdd{
    "add", [](const lib::Tensor& x, const lib::Tensor& y) { return x + y; }};
inline constexpr Named<Binary> kMul{
    "mul", [](const lib::Tensor& x, const lib::Tensor& y) { return x * y; }};
inline constexpr Named<Binary> kDiv{
    "div", [](const lib::Tensor& x, const lib::Tensor& y) { return x / y; }};
inline constexpr Named<Binary> kMaximum{
    "maximum", [](const lib::Tensor& x, const lib::Tensor& y) { return lib::maximum(x, y); }};
inline constexpr Named<Binary> kWhere{
    "where", [](const lib::Tensor& x, const lib::Tensor& y) { return lib::where(x > y, x, y); }};

}  // namespace bench
