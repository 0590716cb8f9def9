#include "bench/sweep/random_products.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bench/library.h"

namespace bench {

namespace {

using lib::Tensor;
using Step = std::function<void()>;

// How the last two axes lie in memory: row-major, column-major, as a part of wider rows, or as
// every second element of these.
enum class Layout { kRows, kColumns, kPart, kEverySecond };

struct Operand {
  Shape shape;
  lib::ScalarType dtype = lib::kFloat32;
  Layout layout = Layout::kRows;

  Tensor make() const {
    const lib::TensorOptions options(dtype);
    if (layout == Layout::kRows) return lib::randn(shape, options);
    Shape stored = shape;
    const std::int64_t last = shape.back();
    if (layout == Layout::kColumns) {
      std::swap(stored[stored.size() - 1], stored[stored.size() - 2]);
      return lib::randn(stored, options).transpose(-1, -2);
    }
    stored.back() = layout == Layout::kPart ? last + 5 : 2 * last;
    const Tensor wide = lib::randn(stored, options);
    return layout == Layout::kPart ? wide.narrow(-1, 3, last) : wide.slice(-1, 0, 2 * last, 2);
  }

  std::string name() const {
    constexpr std::array<const char*, 4> kLayouts = {"", "t", "p", "s"};
    return text(shape) + kLayouts[static_cast<std::size_t>(layout)];
  }

  double elements() const {
    double product = 1;
    for (const std::int64_t size : shape) product *= static_cast<double>(size);
    return product;
  }
};

// A case, and what bounds its time: multiplications, and elements that are read or written.
struct Candidate {
  SweepCase product;
  double multiplications, elements;
};

// What a layer computes, and the leaves that want a gradient.
struct Layer {
  std::vector<Tensor> leaves;
  std::function<Tensor()> run;
};

Step forward(const std::function<Tensor()>& run) {
  return [run] {
    const lib::NoGradGuard no_grad;
    run();
  };
}

Step forward_and_backward(const Layer& layer) {
  for (const Tensor& leaf : layer.leaves) leaf.set_requires_grad(true);
  const Tensor y = layer.run();
  const Tensor grad_output = lib::randn(y.sizes(), lib::TensorOptions(y.scalar_type()));
  return [=] {
    layer.run().backward(grad_output);
    for (const Tensor& leaf : layer.leaves) leaf.mutable_grad().reset();
  };
}

class RandomProducts {
 public:
  explicit RandomProducts(unsigned seed) : generator_(seed) {}

  std::vector<SweepCase> make(int count) {
    std::vector<SweepCase> cases;
    while (static_cast<int>(cases.size()) < count) {
      Candidate candidate = any();
      if (candidate.multiplications > 1e9 || candidate.elements > 2e7) continue;
      candidate.product.name = std::to_string(cases.size()) + '_' + candidate.product.name;
      cases.push_back(std::move(candidate.product));
    }
    return cases;
  }

 private:
  // A distribution of the standard library would differ between implementations of it.
  std::int64_t below(std::int64_t end) { return generator_() % end; }
  template <std::size_t n>
  std::int64_t one_of(const std::array<std::int64_t, n>& choices) {
    return choices[generator_() % n];
  }

  // Less than 2^octaves, each octave as often as another; every third one is a power of two.
  std::int64_t extent(int octaves) {
    const std::int64_t power = std::int64_t{1} << below(octaves);
    return below(3) == 0 ? power : power + below(power);
  }
  lib::ScalarType dtype() { return below(3) == 0 ? lib::kFloat64 : lib::kFloat32; }
  Layout layout() { return static_cast<Layout>(one_of<12>({0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 3})); }

  Candidate any() {
    switch (one_of<12>({0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 4, 5})) {
      case 0:
        return matrices();
      case 1:
        return matrix_and_vector();
      case 2:
        return batch();
      case 3:
        return linear();
      case 4:
        return recurrent();
      default:
        return attention();
    }
  }

  Candidate matrices() {
    const std::int64_t M = extent(12), K = extent(12), N = extent(12);
    const lib::ScalarType type = dtype();
    const Layout of_a = layout(), of_b = layout();
    return product("matrices", {{M, K}, type, of_a}, {{K, N}, type, of_b}, M * K * N);
  }

  Candidate matrix_and_vector() {
    const std::int64_t M = extent(12), K = extent(12);
    const Operand matrix{{M, K}, dtype(), layout()};
    if (below(2) == 0) return product("vector", matrix, {{K}, matrix.dtype}, M * K);
    return product("vector", {{M}, matrix.dtype}, matrix, M * K);
  }

  // Every matrix of a batch with its own, with one that all share, or along two axes.
  Candidate batch() {
    const std::int64_t M = extent(9), K = extent(9), N = extent(9), B = 1 + extent(9);
    const lib::ScalarType type = dtype();
    const Layout of_a = layout(), of_b = layout();
    Operand a{{B, M, K}, type, of_a}, b{{B, K, N}, type, of_b};
    std::int64_t products = B;
    switch (below(6)) {
      case 0:
        b.shape = {K, N};
        break;
      case 1:
        a.shape = {M, K};
        break;
      case 2: {
        const std::int64_t heads = extent(4);
        a.shape = {heads, 1, M, K};
        products *= heads;
        break;
      }
      default:
        break;
    }
    return product("batch", a, b, products * M * K * N);
  }

  Candidate product(const std::string& kind, const Operand& a, const Operand& b,
                    std::int64_t multiplications) {
    std::string name = a.name() + '_' + b.name();
    if (a.dtype == lib::kFloat64) name += "_f64";
    const auto make = [=]() -> Step {
      const Tensor x = a.make(), y = b.make();
      return forward([=] { return lib::matmul(x, y); });
    };
    const auto work = static_cast<double>(multiplications);
    const auto depth = static_cast<double>(a.shape.back());
    return {{name, kind, make}, work, a.elements() + b.elements() + work / depth};
  }

  // Two of three with the backward pass.
  Candidate layer(const std::string& kind, const std::string& name, std::int64_t multiplications,
                  std::int64_t elements, const std::function<Layer()>& make) {
    const bool has_backward = below(3) > 0;
    const auto make_step = [=]() -> Step {
      const Layer made = make();
      return has_backward ? forward_and_backward(made) : forward(made.run);
    };
    return {{name + (has_backward ? "/both" : "/forward"), kind, make_step},
            static_cast<double>(multiplications) * (has_backward ? 3 : 1),
            static_cast<double>(elements) * (has_backward ? 2 : 1)};
  }

  Candidate linear() {
    const std::int64_t N = extent(10), in = extent(12), out = extent(12);
    const Operand input{{N, in}, dtype(), layout()};
    std::string name = input.name() + "to" + std::to_string(out);
    if (input.dtype == lib::kFloat64) name += "_f64";
    return layer("linear", name, N * in * out, N * (in + out) + in * out, [=]() -> Layer {
      const lib::TensorOptions options(input.dtype);
      const Tensor x = input.make(), weight = lib::randn({out, in}, options),
                   bias = lib::randn({out}, options);
      return {{x, weight, bias}, [=] { return lib::nn::functional::linear(x, weight, bias); }};
    });
  }

  Candidate recurrent() {
    const std::int64_t steps = extent(7), N = extent(7), in = extent(10), hidden = extent(10);
    const bool is_lstm = below(2) == 0;
    const std::string name =
        (is_lstm ? "lstm_" : "gru_") + text({steps, N, in}) + "to" + std::to_string(hidden);
    const std::int64_t gates = (is_lstm ? 4 : 3) * hidden;
    return layer("recurrent", name, steps * N * gates * (in + hidden),
                 steps * N * (in + 2 * gates) + gates * (in + hidden), [=]() -> Layer {
                   const Tensor x = lib::randn({steps, N, in});
                   if (is_lstm) return with_parameters(lib::nn::LSTM(in, hidden), x);
                   return with_parameters(lib::nn::GRU(in, hidden), x);
                 });
  }

  template <typename Module>
  static Layer with_parameters(Module module, const Tensor& x) {
    std::vector<Tensor> leaves = module->parameters();
    leaves.push_back(x);
    return {leaves, [=]() mutable { return std::get<0>(module->forward(x)); }};
  }

  Candidate attention() {
    const std::int64_t steps = extent(9), N = extent(5), heads = 1 + below(12);
    const std::int64_t width = heads * extent(7), rows = steps * N;
    return layer("attention", text({steps, N, width}) + "_heads" + std::to_string(heads),
                 rows * width * (4 * width + 2 * steps), rows * (8 * width + 3 * steps * heads),
                 [=]() -> Layer {
                   lib::nn::MultiheadAttention module(width, heads);
                   const Tensor x = lib::randn({steps, N, width});
                   std::vector<Tensor> leaves = module->parameters();
                   leaves.push_back(x);
                   return {leaves, [=]() mutable { return std::get<0>(module->forward(x, x, x)); }};
                 });
  }

  std::mt19937 generator_;
};

}  // namespace

std::vector<SweepCase> random_products(unsigned seed, int count) {
  return RandomProducts(seed).make(count);
}

}  // namespace bench
