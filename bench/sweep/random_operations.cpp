#include "bench/sweep/random_operations.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <utility>

#include "bench/library.h"
#include "bench/sweep/common_operations.h"

namespace bench {

namespace {

namespace F = lib::nn::functional;
using lib::Tensor;
using Operands = std::vector<Tensor>;
using Function = std::function<Tensor(const Operands&)>;

// An operand, made where it is needed.
struct Operand {
  Shape shape;
  lib::ScalarType dtype = lib::kFloat32;
  const char* layout = "";                      // how the elements lie: row-major, or a name below
  enum { Variable, Constant } kind = Variable;  // a constant wants no gradient
  std::int64_t below = 5;                       // of integers: values from 0 on

  std::string name() const {
    std::string result = text(shape);
    if (dtype == lib::kFloat64) result += "_f64";
    if (dtype == lib::kInt64) result += "_i64";
    if (dtype == lib::kBool) result += "_bool";
    return result + layout;
  }

  Tensor make() const {
    Shape all = shape;
    const std::string how = layout;
    if (how == "_permuted") std::reverse(all.begin(), all.end());
    if (how == "_swapped") std::swap(all[all.size() - 2], all.back());
    if (how == "_columns") all.back() += 3;
    if (how == "_steps") all.back() *= 2;
    if (how == "_rows") all.front() *= 2;
    const auto last = static_cast<std::int64_t>(all.size()) - 1;
    const Tensor x = elements(all);
    if (how == "_permuted") {
      Shape order;
      for (std::int64_t d = last; d >= 0; --d) order.push_back(d);
      return x.permute(order);
    }
    if (how == "_swapped") return x.transpose(-1, -2);
    if (how == "_columns") return x.narrow(last, 1, shape.back());
    if (how == "_steps") return x.slice(last, 0, all.back(), 2);
    if (how == "_rows") return x.slice(0, 0, all.front(), 2);
    return x;
  }

 private:
  Tensor elements(const Shape& all) const {
    if (dtype == lib::kInt64) return lib::randint(0, below, all, lib::kInt64);
    if (dtype == lib::kBool) return lib::randn(all) > 0;
    return lib::randn(all, lib::TensorOptions(dtype));
  }
};

enum class Derivative { Exists, None };

bool is_float(lib::ScalarType dtype) { return dtype == lib::kFloat32 || dtype == lib::kFloat64; }

class Generator {
 public:
  explicit Generator(unsigned seed) : generator_(seed) {}

  SweepCase next() {
    using Kind = SweepCase (Generator::*)();
    constexpr Kind kKinds[] = {
        &Generator::unary,         &Generator::binary,    &Generator::binary,
        &Generator::reduction,     &Generator::reduction, &Generator::along,
        &Generator::normalisation, &Generator::pooling,   &Generator::loss,
        &Generator::movement,      &Generator::indexing,  &Generator::in_place};
    return (this->*one_of(kKinds))();
  }

 private:
  // Distributions of the standard library would differ between implementations of it.
  std::int64_t up_to(std::int64_t last) {
    return static_cast<std::int64_t>(generator_() % static_cast<std::uint64_t>(last + 1));
  }
  bool one_in(std::int64_t n) { return up_to(n - 1) == 0; }
  double fraction() { return static_cast<double>(generator_()) / 4294967296.0; }
  template <typename T, std::size_t n>
  const T& one_of(const T (&choices)[n]) {
    return choices[static_cast<std::size_t>(up_to(n - 1))];
  }

  // Sizes of a tensor of 2^3 to 2^22 elements, which any axis may have most of.
  Shape shape(std::int64_t least_rank = 1, std::int64_t largest_rank = 4) {
    const std::int64_t rank = least_rank + up_to(largest_rank - least_rank);
    const double bits = 3 + 19 * fraction();
    std::vector<double> weights;
    double sum = 0;
    for (std::int64_t d = 0; d < rank; ++d) {
      weights.push_back(0.02 + fraction());
      sum += weights.back();
    }
    Shape sizes;
    for (const double weight : weights)
      sizes.push_back(
          std::max<std::int64_t>(1, std::llround(std::exp2(bits * weight / sum) * 0.97)));
    return sizes;
  }

  lib::ScalarType float_dtype() { return one_in(3) ? lib::kFloat64 : lib::kFloat32; }
  lib::ScalarType any_dtype() {
    if (one_in(6)) return lib::kInt64;
    return one_in(8) ? lib::kBool : float_dtype();
  }

  const char* layout(const Shape& sizes) {
    if (!one_in(3)) return "";
    if (sizes.size() < 2) return one_in(2) ? "_steps" : "_columns";
    constexpr const char* kLayouts[] = {"_permuted", "_swapped", "_columns", "_steps", "_rows"};
    return one_of(kLayouts);
  }
  Operand operand(const Shape& sizes, lib::ScalarType dtype) {
    return {sizes, dtype, layout(sizes)};
  }

  // What broadcasts to `sizes`.
  Shape part_of(Shape sizes) {
    for (std::int64_t& size : sizes)
      if (one_in(3)) size = 1;
    sizes.erase(
        sizes.begin(),
        sizes.begin() + (one_in(3) ? up_to(static_cast<std::int64_t>(sizes.size() - 1)) : 0));
    return sizes;
  }

  // Forward alone, or with the backward pass where all but constants are of floating point.
  SweepCase finish(const std::string& kind, std::string name, const std::vector<Operand>& operands,
                   const Function& f, Derivative derivative = Derivative::Exists) {
    bool is_differentiable = derivative == Derivative::Exists;
    for (const Operand& operand : operands) {
      name += ' ' + operand.name();
      is_differentiable &= operand.kind == Operand::Constant || is_float(operand.dtype);
    }
    const bool backward = is_differentiable && one_in(2);
    const auto make = [=]() -> std::function<void()> {
      Operands x;
      for (const Operand& operand : operands) x.push_back(operand.make());
      if (!backward)
        return [=] {
          const lib::NoGradGuard no_grad;
          f(x);
        };
      for (std::size_t k = 0; k < x.size(); ++k)
        if (operands[k].kind == Operand::Variable) x[k] = x[k].detach().set_requires_grad(true);
      const Tensor y = f(x);
      const Tensor grad_output = lib::randn(y.sizes(), lib::TensorOptions(y.scalar_type()));
      return [=] {
        f(x).backward(grad_output);
        for (const Tensor& leaf : x) leaf.mutable_grad().reset();
      };
    };
    return {name + (backward ? "/both" : "/forward"), kind, make};
  }

  SweepCase unary() {
    static constexpr Named<Unary> kFloat[] = {
        kRelu,
        kSigmoid,
        kTanh,
        kExp,
        kSqrt,
        kGelu,
        kSilu,
        kLeakyRelu,
        kHardtanh,
        {"pow_3", [](const Tensor& x) { return lib::pow(x, 3); }},
        {"floor", [](const Tensor& x) { return lib::floor(x); }},
        {"to_int64", [](const Tensor& x) { return x.to(lib::kInt64); }},
        {"to_bool", [](const Tensor& x) { return x.to(lib::kBool); }},
        {"isnan", [](const Tensor& x) { return lib::isnan(x); }},
    };
    static constexpr Named<Unary> kAny[] = {
        kAddScalar,
        kSquare,
        kAbs,
        {"clamp", [](const Tensor& x) { return lib::clamp(x, -1, 1); }},
        kNeg,
        {"equals", [](const Tensor& x) { return x == 1; }},
        {"sign", [](const Tensor& x) { return lib::sign(x); }},
        {"to_float32", [](const Tensor& x) { return x.to(lib::kFloat32); }},
        {"to_float64", [](const Tensor& x) { return x.to(lib::kFloat64); }},
        {"ones_like", [](const Tensor& x) { return lib::ones_like(x); }},
    };
    const bool of_floats = one_in(2);
    const auto [name, f] = of_floats ? one_of(kFloat) : one_of(kAny);
    const std::string text = name;
    const bool has_derivative =
        text.find("to_") != 0 && text != "isnan" && text != "equals" && text != "ones_like";
    return finish(
        "elementwise", name,
        {operand(shape(), of_floats || one_in(2) ? float_dtype() : lib::kInt64)},
        [f = f](const Operands& x) { return f(x[0]); },
        has_derivative ? Derivative::Exists : Derivative::None);
  }

  SweepCase binary() {
    static constexpr Named<Binary> kFloat[] = {
        kDiv,
        kWhere,
        {"lerp",
         [](const Tensor& x, const Tensor& y) { return lib::lerp(x, y.expand_as(x), 0.3); }},
        {"square_difference", [](const Tensor& x, const Tensor& y) { return (x - y).pow(2); }},
        {"fma", [](const Tensor& x, const Tensor& y) { return x * y + y; }},
        {"hypot", [](const Tensor& x, const Tensor& y) { return lib::hypot(x, y); }},
    };
    static constexpr Named<Binary> kAny[] = {
        kAdd,
        {"sub", [](const Tensor& x, const Tensor& y) { return x - y; }},
        kMul,
        kMaximum,
        {"minimum", [](const Tensor& x, const Tensor& y) { return lib::minimum(x, y); }},
    };
    static constexpr Named<Binary> kCompare[] = {
        {"greater", [](const Tensor& x, const Tensor& y) { return x > y; }},
        {"equal", [](const Tensor& x, const Tensor& y) { return x == y; }},
        {"and", [](const Tensor& x, const Tensor& y) { return lib::logical_and(x, y); }},
    };
    const std::int64_t which = up_to(5);
    const auto [name, f] = which < 2 ? one_of(kFloat) : which < 5 ? one_of(kAny) : one_of(kCompare);
    lib::ScalarType dtype = float_dtype();
    if (which >= 2 && one_in(4)) dtype = lib::kInt64;
    if (which == 5 && one_in(3)) dtype = lib::kBool;
    const Shape sizes = shape();
    const Operand left = operand(sizes, dtype);
    const Operand right = operand(one_in(2) ? sizes : part_of(sizes), dtype);
    return finish(
        "binary", name, {left, right}, [f = f](const Operands& x) { return f(x[0], x[1]); },
        which < 5 ? Derivative::Exists : Derivative::None);
  }

  SweepCase reduction() {
    using Reduction = Tensor (*)(const Tensor&, const Shape&, bool);
    static constexpr Named<Reduction> kFloat[] = {
        {"mean", [](const Tensor& x, const Shape& d, bool keep) { return x.mean(d, keep); }},
        {"var", [](const Tensor& x, const Shape& d, bool keep) { return x.var(d, false, keep); }},
        {"std", [](const Tensor& x, const Shape& d, bool keep) { return x.std(d, false, keep); }},
        {"norm_2", [](const Tensor& x, const Shape& d, bool keep) { return x.norm(2, d, keep); }},
        {"norm_1", [](const Tensor& x, const Shape& d, bool keep) { return x.norm(1, d, keep); }},
        {"logsumexp",
         [](const Tensor& x, const Shape& d, bool keep) { return x.logsumexp(d, keep); }},
    };
    static constexpr Named<Reduction> kAny[] = {
        {"sum", [](const Tensor& x, const Shape& d, bool keep) { return x.sum(d, keep); }},
        {"amax", [](const Tensor& x, const Shape& d, bool keep) { return x.amax(d, keep); }},
        {"amin", [](const Tensor& x, const Shape& d, bool keep) { return x.amin(d, keep); }},
    };
    const bool of_floats = one_in(2);
    const auto [name, f] = of_floats ? one_of(kFloat) : one_of(kAny);
    const Operand x = operand(shape(), of_floats ? float_dtype() : any_dtype());
    const auto rank = static_cast<std::int64_t>(x.shape.size());
    Shape axes;
    for (std::int64_t d = 0; d < rank; ++d)
      if (one_in(2)) axes.push_back(d);
    if (axes.empty()) axes.push_back(up_to(rank - 1));
    return finish(
        "reductions", std::string(name) + "_over_" + text(axes), {x},
        [f = f, axes, keep = one_in(2)](const Operands& in) { return f(in[0], axes, keep); });
  }

  SweepCase along() {
    using Along = Tensor (*)(const Tensor&, std::int64_t);
    static constexpr Named<Along> kFloat[] = {
        {"softmax", [](const Tensor& x, std::int64_t d) { return x.softmax(d); }},
        {"log_softmax", [](const Tensor& x, std::int64_t d) { return x.log_softmax(d); }},
        {"cumprod", [](const Tensor& x, std::int64_t d) { return x.cumprod(d); }},
        {"normalize",
         [](const Tensor& x, std::int64_t d) {
           return F::normalize(x, F::NormalizeFuncOptions().dim(d));
         }},
    };
    static constexpr Named<Along> kAny[] = {
        {"cumsum", [](const Tensor& x, std::int64_t d) { return x.cumsum(d); }},
        {"max", [](const Tensor& x, std::int64_t d) { return std::get<0>(x.max(d)); }},
        {"prod", [](const Tensor& x, std::int64_t d) { return x.prod(d); }},
        {"cummin", [](const Tensor& x, std::int64_t d) { return std::get<0>(x.cummin(d)); }},
    };
    static constexpr Named<Along> kPlaces[] = {
        {"argmax", [](const Tensor& x, std::int64_t d) { return x.argmax(d); }},
        {"any", [](const Tensor& x, std::int64_t d) { return (x > 3).any(d); }},
        {"all", [](const Tensor& x, std::int64_t d) { return (x > -3).all(d); }},
    };
    const std::int64_t which = up_to(5);
    const auto [name, f] = which < 3 ? one_of(kFloat) : which < 5 ? one_of(kAny) : one_of(kPlaces);
    const bool of_integers = which >= 3 && one_in(5);
    const Operand x = operand(shape(), of_integers ? lib::kInt64 : float_dtype());
    const std::int64_t axis = up_to(static_cast<std::int64_t>(x.shape.size()) - 1);
    return finish(
        std::string(name).find("softmax") != std::string::npos ? "softmax" : "reductions",
        std::string(name) + "_of_" + std::to_string(axis), {x},
        [f = f, axis](const Operands& in) { return f(in[0], axis); },
        which < 5 ? Derivative::Exists : Derivative::None);
  }

  SweepCase normalisation() {
    const lib::ScalarType dtype = float_dtype();
    Shape sizes = shape(2);
    const Operand x{sizes, dtype, one_in(4) ? "_swapped" : ""};
    switch (up_to(2)) {
      case 0: {
        const std::int64_t axes = 1 + up_to(static_cast<std::int64_t>(sizes.size()) - 2);
        const Shape last(sizes.end() - axes, sizes.end());
        return finish("normalisation", "layer_norm", {x, {last, dtype}, {last, dtype}},
                      [last](const Operands& in) {
                        return F::layer_norm(
                            in[0], F::LayerNormFuncOptions(last).weight(in[1]).bias(in[2]));
                      });
      }
      case 1: {
        const Shape channels{sizes[1]};
        sizes[0] += 1;  // more than one value for each channel
        const bool training = one_in(2);
        return finish("normalisation", training ? "batch_norm" : "batch_norm_eval",
                      {{sizes, dtype, x.layout}, {channels, dtype}, {channels, dtype}},
                      [training](const Operands& in) {
                        const auto options =
                            F::BatchNormFuncOptions().weight(in[1]).bias(in[2]).training(training);
                        return training ? F::batch_norm(in[0], {}, {}, options)
                                        : F::batch_norm(in[0], in[1].detach(), in[2].detach().abs(),
                                                        options);
                      });
      }
      default: {
        const std::int64_t groups = 1 + up_to(7);
        sizes[1] = (sizes[1] + groups - 1) / groups * groups;
        sizes.push_back(2);
        const Shape channels{sizes[1]};
        return finish("normalisation", "group_norm_of_" + std::to_string(groups),
                      {{sizes, dtype}, {channels, dtype}, {channels, dtype}},
                      [groups](const Operands& in) {
                        return F::group_norm(
                            in[0], F::GroupNormFuncOptions(groups).weight(in[1]).bias(in[2]));
                      });
      }
    }
  }

  SweepCase pooling() {
    Shape sizes = shape(4, 4);
    const std::int64_t window = 2 + up_to(3), stride = 1 + up_to(window - 1);
    const std::int64_t padding = one_in(2) ? 0 : window / 2;
    for (const std::size_t d : {2, 3}) sizes[d] = std::max(sizes[d], window);
    const Operand x = operand(sizes, float_dtype());
    const std::string how = '_' + std::to_string(window) + "_s" + std::to_string(stride) + "_p" +
                            std::to_string(padding);
    const std::int64_t to = 1 + up_to(6);
    switch (up_to(4)) {
      case 0:
        return finish("pooling", "adaptive_avg_" + std::to_string(to), {x},
                      [to](const Operands& in) {
                        return lib::adaptive_avg_pool2d(in[0], {to, to});
                      });
      case 1:
        return finish("pooling", "avg" + how, {x}, [=](const Operands& in) {
          return lib::avg_pool2d(in[0], window, stride, padding);
        });
      case 2:
        return finish(
            "pooling", "bilinear", {x},
            [size =
                 std::vector<std::int64_t>{sizes[2] + to, sizes[3] + 2 * to}](const Operands& in) {
              return F::interpolate(
                  in[0],
                  F::InterpolateFuncOptions().size(size).mode(lib::kBilinear).align_corners(false));
            });
      default:
        return finish("pooling", "max" + how, {x}, [=](const Operands& in) {
          return lib::max_pool2d(in[0], window, stride, padding);
        });
    }
  }

  SweepCase loss() {
    const lib::ScalarType dtype = float_dtype();
    if (one_in(2)) {
      const Operand x = operand(shape(2, 4), dtype);
      Shape places = x.shape;
      places.erase(places.begin() + 1);
      return finish("losses", "cross_entropy",
                    {x, {places, lib::kInt64, "", Operand::Constant, x.shape[1]}},
                    [](const Operands& in) { return F::cross_entropy(in[0], in[1]); });
    }
    using Loss = Tensor (*)(const Tensor&, const Tensor&);
    static constexpr Named<Loss> kLosses[] = {
        {"mse", [](const Tensor& x, const Tensor& y) { return F::mse_loss(x, y); }},
        {"l1", [](const Tensor& x, const Tensor& y) { return F::l1_loss(x, y); }},
        {"smooth_l1", [](const Tensor& x, const Tensor& y) { return F::smooth_l1_loss(x, y); }},
        {"bce_logits", [](const Tensor& x,
                          const Tensor& y) { return F::binary_cross_entropy_with_logits(x, y); }},
        {"kl", [](const Tensor& x, const Tensor& y) { return F::kl_div(x, y); }},
    };
    const auto [name, f] = one_of(kLosses);
    const Operand x = operand(shape(), dtype);
    return finish("losses", name, {x, {x.shape, dtype, "", Operand::Constant}},
                  [f = f](const Operands& in) { return f(in[0], in[1]); });
  }

  SweepCase movement() {
    const Operand x = operand(shape(), any_dtype());
    const auto rank = static_cast<std::int64_t>(x.shape.size());
    const std::int64_t axis = up_to(rank - 1);
    const std::string of = "_of_" + std::to_string(axis);
    switch (up_to(7)) {
      case 0:
        return finish("views", "cat" + of, {x, operand(x.shape, x.dtype)},
                      [axis](const Operands& in) {
                        return lib::cat({in[0], in[1]}, axis);
                      });
      case 1:
        return finish("views", "stack" + of, {x, operand(x.shape, x.dtype)},
                      [axis](const Operands& in) {
                        return lib::stack({in[0], in[1]}, axis);
                      });
      case 2:
        return finish("views", "flip" + of, {x},
                      [axis](const Operands& in) { return in[0].flip({axis}); });
      case 3:
        return finish("views", "roll" + of, {x},
                      [axis](const Operands& in) { return in[0].roll(1, axis); });
      case 4:
        return finish("views", "pad", {x}, [](const Operands& in) {
          return F::pad(in[0], F::PadFuncOptions({1, 2}));
        });
      case 5: {
        Shape order;
        for (std::int64_t d = 0; d < rank; ++d) order.push_back(d);
        for (std::int64_t d = rank - 1; d > 0; --d)
          std::swap(order[static_cast<std::size_t>(d)], order[static_cast<std::size_t>(up_to(d))]);
        return finish("views", "permute_" + text(order), {x},
                      [order](const Operands& in) { return in[0].permute(order).contiguous(); });
      }
      case 6: {
        const Shape whole = x.shape;
        return finish("views", "expand_to_" + text(whole), {operand(part_of(whole), x.dtype)},
                      [whole](const Operands& in) { return in[0].expand(whole).contiguous(); });
      }
      default:
        return finish("views", "clone", {x}, [](const Operands& in) { return in[0].clone(); });
    }
  }

  SweepCase indexing() {
    const Operand x = operand(shape(), any_dtype());
    const std::int64_t axis = up_to(static_cast<std::int64_t>(x.shape.size()) - 1);
    const std::string of = "_of_" + std::to_string(axis);
    const std::int64_t size = x.shape[static_cast<std::size_t>(axis)];
    const std::int64_t taken = 1 + up_to(size - 1);
    const auto places = [size](const Shape& sizes) {
      return Operand{sizes, lib::kInt64, "", Operand::Constant, size};
    };
    Shape part = x.shape;
    part[static_cast<std::size_t>(axis)] = taken;
    switch (up_to(5)) {
      case 0:
        return finish("indexing", "index_select" + of, {x, places({taken})},
                      [axis](const Operands& in) { return in[0].index_select(axis, in[1]); });
      case 1:
        return finish("indexing", "gather" + of, {x, places(part)},
                      [axis](const Operands& in) { return in[0].gather(axis, in[1]); });
      case 2: {
        const lib::ScalarType dtype = float_dtype();
        return finish("indexing", "scatter_add" + of,
                      {operand(x.shape, dtype), places(part), operand(part, dtype)},
                      [axis](const Operands& in) { return in[0].scatter_add(axis, in[1], in[2]); });
      }
      case 3:
        return finish("indexing", "masked_fill",
                      {x, {part_of(x.shape), lib::kBool, "", Operand::Constant}},
                      [](const Operands& in) { return in[0].masked_fill(in[1], 1); });
      case 4:
        return finish("indexing", "masked_select",
                      {x, {x.shape, lib::kBool, "", Operand::Constant}},
                      [](const Operands& in) { return in[0].masked_select(in[1]); });
      default: {
        const lib::ScalarType dtype = float_dtype();
        return finish("indexing", "index_add" + of,
                      {operand(x.shape, dtype), places({taken}), operand(part, dtype)},
                      [axis](const Operands& in) { return in[0].index_add(axis, in[1], in[2]); });
      }
    }
  }

  SweepCase in_place() {
    using Change = void (*)(const Tensor&, const Tensor&);
    static constexpr Named<Change> kChanges[] = {
        {"add_", [](const Tensor& x, const Tensor& y) { x.add_(y); }},
        {"mul_", [](const Tensor& x, const Tensor& y) { x.mul_(y); }},
        {"copy_", [](const Tensor& x, const Tensor& y) { x.copy_(y); }},
        {"relu_", [](const Tensor& x, const Tensor&) { x.relu_(); }},
        {"zero_", [](const Tensor& x, const Tensor&) { x.zero_(); }},
        {"clamp_", [](const Tensor& x, const Tensor&) { x.clamp_(-1, 1); }},
        {"addcmul_", [](const Tensor& x, const Tensor& y) { x.addcmul_(y, y, 0.5); }},
    };
    const auto [name, f] = one_of(kChanges);
    const lib::ScalarType dtype = float_dtype();
    const Operand x = operand(shape(), dtype);
    Operand y = operand(one_in(2) ? x.shape : part_of(x.shape), dtype);
    std::string full = std::string(name) + ' ' + x.name() + ' ' + y.name();
    // Values that stay what they are, however often they are changed.
    return {full, "in place", [f = f, x, y]() -> std::function<void()> {
              return [f, to = x.make(), from = y.make().sign()] { f(to, from); };
            }};
  }

  std::mt19937 generator_;
};

}  // namespace

std::vector<SweepCase> random_operations(unsigned seed, int count) {
  Generator generator(seed);
  std::vector<SweepCase> cases;
  for (int i = 0; i < count; ++i) cases.push_back(generator.next());
  return cases;
}

}  // namespace bench
