#include "bench/sweep/product_cases.h"

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "bench/library.h"

namespace bench {

namespace {

using lib::Tensor;

class Cases {
 public:
  // The last two axes of what is marked as transposed lie the other way round in memory.
  void add_product(const std::string& kind, const Shape& a_shape, const Shape& b_shape,
                   lib::ScalarType dtype = lib::kFloat32) {
    for (const bool a_transposed : {false, true})
      for (const bool b_transposed : {false, true}) {
        if ((a_transposed && a_shape.size() < 2) || (b_transposed && b_shape.size() < 2)) continue;
        std::string name = text(a_shape) + (a_transposed ? "t_" : "_") + text(b_shape);
        name += b_transposed ? "t" : "";
        if (dtype == lib::kFloat64) name += "_f64";
        cases.push_back({name, kind, [=]() -> std::function<void()> {
                           const Tensor a = operand(a_shape, a_transposed, dtype);
                           const Tensor b = operand(b_shape, b_transposed, dtype);
                           return [a, b] {
                             const lib::NoGradGuard no_grad;
                             lib::matmul(a, b);
                           };
                         }});
      }
  }

  // `forward` of leaves of these shapes, and its backward pass.
  template <typename Forward>
  void add_both(const std::string& kind, const std::string& name, const std::vector<Shape>& shapes,
                Forward forward) {
    cases.push_back({name, kind, [=]() -> std::function<void()> {
                       std::vector<Tensor> leaves;
                       for (const Shape& shape : shapes)
                         leaves.push_back(lib::randn(shape).set_requires_grad(true));
                       const Tensor grad_output = lib::randn(forward(leaves).sizes());
                       return [=] {
                         forward(leaves).backward(grad_output);
                         for (const Tensor& leaf : leaves) leaf.mutable_grad().reset();
                       };
                     }});
  }

  std::vector<SweepCase> cases;

 private:
  static Tensor operand(Shape shape, bool is_transposed, lib::ScalarType dtype) {
    if (!is_transposed) return lib::randn(shape, lib::TensorOptions(dtype));
    std::swap(shape[shape.size() - 1], shape[shape.size() - 2]);
    return lib::randn(shape, lib::TensorOptions(dtype)).transpose(-1, -2);
  }
};

void products(Cases& cases) {
  for (const std::int64_t size :
       {2, 3, 4, 7, 8, 10, 16, 24, 32, 33, 50, 64, 100, 128, 200, 256, 500})
    cases.add_product("square", {size, size}, {size, size});
  for (const std::int64_t size : {4, 16, 64, 200})
    cases.add_product("square", {size, size}, {size, size}, lib::kFloat64);
  using Sizes = std::initializer_list<std::int64_t>;
  for (const Sizes sizes : std::initializer_list<Sizes>{
           {1, 784, 500},    {2, 512, 512},    {5, 100, 1000},  {8, 300, 64},    {16, 784, 128},
           {20, 1024, 256},  {32, 50, 2000},   {64, 3136, 576}, {100, 784, 10},  {100, 784, 500},
           {128, 1000, 3},   {500, 100, 784},  {1000, 10, 10},  {10000, 3, 3},   {10000, 10, 2},
           {10000, 64, 10},  {3000, 100, 100}, {3, 10000, 3},   {10, 10000, 10}, {100, 10000, 16},
           {256, 2048, 256}, {512, 4608, 49}}) {
    const std::int64_t m = sizes.begin()[0], k = sizes.begin()[1], n = sizes.begin()[2];
    cases.add_product("skinny", {m, k}, {k, n});
  }
  cases.add_product("skinny", {100, 784}, {784, 100}, lib::kFloat64);
  cases.add_product("skinny", {10000, 10}, {10, 3}, lib::kFloat64);
  for (const Shape& shape : {Shape{3, 3}, Shape{10, 784}, Shape{64, 64}, Shape{500, 784},
                             Shape{784, 500}, Shape{1000, 10}, Shape{10, 1000}, Shape{10000, 3},
                             Shape{3, 10000}, Shape{10000, 64}, Shape{2000, 1000}})
    for (const lib::ScalarType dtype : {lib::kFloat32, lib::kFloat64}) {
      cases.add_product("vector", shape, {shape[1]}, dtype);
      cases.add_product("vector", {shape[0]}, shape, dtype);
    }
  for (const std::int64_t size : {4, 100, 10000, 1000000})
    cases.add_product("vector", {size}, {size});
  for (const std::int64_t size : {10, 100, 1000}) cases.add_product("outer", {size, 1}, {1, size});
}

void batches(Cases& cases) {
  for (const std::int64_t size : {1, 2, 3, 4, 8, 10, 16, 32, 64, 100})
    for (const std::int64_t batch : {8, 1000}) {
      if (batch * size * size * size > 100'000'000) continue;
      cases.add_product("batched", {batch, size, size}, {batch, size, size});
    }
  for (const std::int64_t heads : {8, 64})
    for (const std::int64_t steps : {10, 50, 197}) {
      cases.add_product("batched", {heads, steps, 64}, {heads, 64, steps});
      cases.add_product("batched", {heads, steps, steps}, {heads, steps, 64});
    }
  cases.add_product("batched", {1000, 1, 8}, {1000, 8, 1});
  cases.add_product("batched", {1000, 8, 1}, {1000, 1, 8});
  cases.add_product("batched", {100, 3, 64}, {100, 64, 50});
  cases.add_product("batched", {32, 20, 64}, {64, 100});  // one matrix for the whole batch
  cases.add_product("batched", {100, 4, 4}, {100, 4, 4}, lib::kFloat64);
  cases.add_product("batched", {64, 50, 64}, {64, 64, 50}, lib::kFloat64);
}

void layers(Cases& cases) {
  for (const std::int64_t batch : {1, 2, 10, 16, 32, 64, 100, 128})
    for (const auto& [in, out] : {std::pair{10, 1}, std::pair{2, 64}, std::pair{64, 64},
                                  std::pair{784, 500}, std::pair{500, 10}, std::pair{1568, 10},
                                  std::pair{512, 512}, std::pair{128, 1000}, std::pair{4096, 100}})
      cases.add_both("linear",
                     std::to_string(batch) + "_" + std::to_string(in) + "to" + std::to_string(out),
                     {{batch, in}, {out, in}, {out}}, [](const std::vector<Tensor>& x) {
                       return lib::nn::functional::linear(x[0], x[1], x[2]);
                     });
  for (const std::int64_t steps : {10, 50, 197})
    cases.add_both("attention", "8x" + std::to_string(steps) + "x64",
                   {{8, steps, 64}, {8, steps, 64}, {8, steps, 64}},
                   [](const std::vector<Tensor>& x) {
                     const Tensor scores = lib::bmm(x[0], x[1].transpose(1, 2)) / std::sqrt(64.0);
                     return lib::bmm(lib::softmax(scores, -1), x[2]);
                   });
}

}  // namespace

std::vector<SweepCase> product_cases() {
  Cases cases;
  products(cases);
  batches(cases);
  layers(cases);
  return std::move(cases.cases);
}

}  // namespace bench
