#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <tapedeck/tapedeck.h>

namespace tapedeck::testing_support {

/// Arguments as nobody should pass them: shapes, dtypes, numbers and labels that do not go
/// together, sometimes by a little and sometimes by far. A seed determines them.
class Wild {
 public:
  explicit Wild(std::uint64_t seed) : random_(seed), usual_(shape()) {}

  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }
  bool coin() { return pick(0, 1) == 1; }
  /// Mostly small, sometimes absurd.
  std::int64_t integer() {
    switch (pick(0, 19)) {
      case 0:
        return std::int64_t{1} << pick(40, 62);
      case 1:
        return -(std::int64_t{1} << pick(40, 62));
      case 2:
        return std::numeric_limits<std::int64_t>::min();
      case 3:
        return std::numeric_limits<std::int64_t>::max();
      default:
        return pick(-1, 3);
    }
  }
  double number() {
    const double values[] = {0, 1, -1, 0.5, 2, 1e-300, 1e300, INFINITY, -INFINITY, NAN, -0.0};
    return values[pick(0, 10)];
  }
  std::vector<std::int64_t> integers() {
    std::vector<std::int64_t> list;
    for (std::int64_t n = pick(0, 4); n > 0; --n) list.push_back(integer());
    return list;
  }
  /// For kernels, strides and their like: mostly legal.
  std::vector<std::int64_t> knobs() {
    std::vector<std::int64_t> list;
    for (std::int64_t n = pick(0, 9) == 0 ? pick(0, 4) : 1 + (pick(0, 3) == 0); n > 0; --n)
      list.push_back(pick(0, 19) == 0 ? integer() : pick(pick(0, 9) == 0 ? 0 : 1, 2));
    return list;
  }
  /// Mostly three small numbers, for sizes of three axes.
  std::vector<std::int64_t> triple() {
    return pick(0, 5) == 0 ? knobs()
                           : std::vector<std::int64_t>{pick(1, 3), pick(1, 3), pick(1, 3)};
  }
  /// Mostly [2, 2, n, n] or [2, 2, n], for convolutions, poolings and products of matrices.
  Tensor image() {
    if (pick(0, 5) == 0) return tensor();
    Tensor t = tapedeck::randn({2, 2, pick(2, 6), pick(2, 6)}, kDouble);
    if (coin()) t = t.select(3, 0);
    return t.requires_grad_(coin());
  }
  /// Mostly of this shape.
  Tensor like(std::vector<std::int64_t> shape) {
    return pick(0, 5) == 0 ? tensor() : tapedeck::ones(shape, kDouble).requires_grad_(coin());
  }
  /// For sizes of what is created: no more than a little memory where they are legal.
  std::vector<std::int64_t> sizes() {
    std::vector<std::int64_t> list;
    for (std::int64_t n = pick(0, 3); n > 0; --n)
      list.push_back(pick(0, 9) == 0 ? integer() : pick(0, 4));
    return list;
  }
  Tensor floats() { return tensor_of(coin() ? kDouble : kFloat); }
  Tensor labels() { return tensor_of(kLong); }
  Tensor tensor() {
    if (pick(0, 19) == 0) return Tensor();
    const ScalarType dtypes[] = {kFloat, kLong, kInt, kByte, kBool};
    return tensor_of(pick(0, 9) < 7 ? kDouble : dtypes[pick(0, 4)]);
  }
  std::vector<Tensor> tensors() {
    std::vector<Tensor> list;
    for (std::int64_t n = pick(0, 3); n > 0; --n) list.push_back(tensor());
    return list;
  }

 private:
  std::vector<std::int64_t> shape() {
    const std::int64_t extents[] = {0, 1, 1, 2, 2, 2, 3, 3, 5};
    std::vector<std::int64_t> list;
    for (std::int64_t n = pick(0, 9) == 0 ? 5 : pick(0, 4); n > 0; --n)
      list.push_back(extents[pick(0, 8)]);
    return list;
  }
  Tensor tensor_of(ScalarType dtype) {
    Tensor t = tapedeck::empty(pick(0, 9) < 6 ? usual_ : shape(), kDouble);
    for (std::int64_t i = 0; i < t.numel(); ++i)
      t.data_ptr<double>()[i] = pick(0, 30) == 0 && is_floating_point(dtype)
                                    ? number()
                                    : static_cast<double>(pick(pick(0, 9) == 0 ? -2 : 0, 2));
    t = t.to(dtype);
    if (t.dim() > 1 && pick(0, 3) == 0) t = t.transpose(0, 1);
    if (is_floating_point(dtype) && coin()) t.requires_grad_();
    return t;
  }

  std::mt19937_64 random_;
  // Most tensors of a round share these, or hardly any two would go together.
  std::vector<std::int64_t> usual_;
};

/// A call that must give a value or throw a tapedeck::Error.
struct WildCall {
  std::string name;
  std::function<std::vector<Tensor>(Wild&)> call;
};

inline std::vector<Tensor> results(Tensor t) { return {std::move(t)}; }
inline std::vector<Tensor> results(std::vector<Tensor> list) { return list; }
template <typename... T>
std::vector<Tensor> results(const std::tuple<T...>& list) {
  return std::apply([](const auto&... t) { return std::vector<Tensor>{t...}; }, list);
}

/// Makes the call with `rounds` seeds, and backward where there is a result to differentiate. An
/// error without text, or of another type than Error, fails the test, as does a result without
/// gradients for what it was computed from.
void survive(const WildCall& call, int rounds);

}  // namespace tapedeck::testing_support
