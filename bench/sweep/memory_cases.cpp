#include "bench/sweep/memory_cases.h"

#include <cstdint>
#include <memory>
#include <utility>

#include "bench/library.h"
#include "bench/sweep/case_list.h"
#include "bench/sweep/common_operations.h"

namespace bench {

namespace {

namespace F = lib::nn::functional;
using lib::Tensor;

const std::vector<Shape> kShapes = {{10},        {7, 13},          {100, 64},       {1000, 10},
                                    {128, 1000}, {64, 32, 14, 14}, {8, 64, 56, 56}, {1000003},
                                    {2048, 2000}};

void elementwise(CaseList& cases) {
  const Named<Unary> unary[] = {
      kRelu,
      kSigmoid,
      kTanh,
      kExp,
      {"log", [](const Tensor& x) { return lib::log(x); }},
      kSqrt,
      kSquare,
      kAbs,
      kNeg,
      {"sin", [](const Tensor& x) { return lib::sin(x); }},
      {"atan", [](const Tensor& x) { return lib::atan(x); }},
      {"erf", [](const Tensor& x) { return lib::erf(x); }},
      {"erfinv", [](const Tensor& x) { return lib::erfinv(x); }},
      {"digamma", [](const Tensor& x) { return lib::digamma(x); }},
      {"log1p", [](const Tensor& x) { return lib::log1p(x); }},
      {"expm1", [](const Tensor& x) { return lib::expm1(x); }},
      {"reciprocal", [](const Tensor& x) { return lib::reciprocal(x); }},
      {"rsqrt", [](const Tensor& x) { return lib::rsqrt(x); }},
      kGelu,
      kSilu,
      {"mish", [](const Tensor& x) { return F::mish(x); }},
      {"elu", [](const Tensor& x) { return F::elu(x); }},
      {"selu", [](const Tensor& x) { return F::selu(x); }},
      kLeakyRelu,
      {"softplus", [](const Tensor& x) { return F::softplus(x); }},
      kHardtanh,
      {"logsigmoid", [](const Tensor& x) { return F::logsigmoid(x); }},
      {"clamp", [](const Tensor& x) { return lib::clamp(x, -0.5, 0.5); }},
      {"pow_2", [](const Tensor& x) { return lib::pow(x, 2); }},
      {"pow_3.5", [](const Tensor& x) { return lib::pow(x, 3.5); }},
      kAddScalar,
      {"scale", [](const Tensor& x) { return x * 0.5; }},
      {"round", [](const Tensor& x) { return lib::round(x); }},
      {"dropout", [](const Tensor& x) { return lib::dropout(x, 0.5, true); }},
  };
  for (const auto& [name, f] : unary)
    for (const Shape& shape : kShapes)
      for (const lib::ScalarType dtype : {lib::kFloat32, lib::kFloat64})
        cases.add(
            "elementwise", name, {shape}, [f = f](const Operands& x) { return f(x[0]); }, dtype);

  const Named<Binary> binary[] = {
      kAdd,
      kMul,
      kDiv,
      kMaximum,
      {"pow", [](const Tensor& x, const Tensor& y) { return lib::pow(x, y); }},
      {"atan2", [](const Tensor& x, const Tensor& y) { return lib::atan2(x, y); }},
      kWhere,
  };
  const std::vector<std::pair<Shape, Shape>> pairs = {
      {{10}, {10}},
      {{100, 64}, {100, 64}},
      {{8, 64, 56, 56}, {8, 64, 56, 56}},
      {{2048, 2000}, {2048, 2000}},
      {{100, 64}, {64}},
      {{128, 1000}, {1000}},
      {{128, 1000}, {128, 1}},
      {{20000, 2}, {20000, 1}},
      {{2000, 33}, {2000, 1}},
      {{8, 64, 56, 56}, {64, 1, 1}},
      {{8, 64, 56, 56}, {8, 1, 56, 56}},
      {{64, 32, 14, 14}, {32, 1, 1}},
      {{1000, 1}, {1, 1000}},
      {{2000, 1}, {2000}},
      {{1000003}, {}},
  };
  for (const auto& [name, f] : binary)
    for (const auto& [left, right] : pairs)
      for (const lib::ScalarType dtype : {lib::kFloat32, lib::kFloat64})
        cases.add(
            "binary", name, {left, right}, [f = f](const Operands& x) { return f(x[0], x[1]); },
            dtype);
}

void reductions(CaseList& cases) {
  struct Reduction {
    const char* name;
    Tensor (*f)(const Tensor&, std::int64_t);
  };
  const std::vector<Reduction> one_axis = {
      {"sum", [](const Tensor& x, std::int64_t d) { return x.sum(d); }},
      {"mean", [](const Tensor& x, std::int64_t d) { return x.mean(d); }},
      {"var", [](const Tensor& x, std::int64_t d) { return x.var(Shape{d}, true, false); }},
      {"max", [](const Tensor& x, std::int64_t d) { return std::get<0>(x.max(d)); }},
      {"amax", [](const Tensor& x, std::int64_t d) { return x.amax({d}); }},
      {"prod", [](const Tensor& x, std::int64_t d) { return x.prod(d); }},
      {"norm", [](const Tensor& x, std::int64_t d) { return x.norm(2, {d}, false); }},
      {"logsumexp", [](const Tensor& x, std::int64_t d) { return x.logsumexp(d); }},
      {"cumsum", [](const Tensor& x, std::int64_t d) { return x.cumsum(d); }},
      {"cummax", [](const Tensor& x, std::int64_t d) { return std::get<0>(x.cummax(d)); }},
      {"softmax", [](const Tensor& x, std::int64_t d) { return x.softmax(d); }},
      {"log_softmax", [](const Tensor& x, std::int64_t d) { return x.log_softmax(d); }},
  };
  const std::vector<std::pair<Shape, std::int64_t>> places = {
      {{10}, 0},          {{7, 13}, 1},         {{100, 10}, 1},    {{100000, 10}, 1},
      {{20000, 33}, 1},   {{2000, 100}, 1},     {{2048, 1000}, 1}, {{4, 500000}, 1},
      {{100, 64}, 0},     {{2048, 1000}, 0},    {{100000, 4}, 0},  {{8, 64, 56, 56}, 1},
      {{64, 100, 30}, 1}, {{16, 12, 64, 64}, 3}};
  for (const Reduction& reduction : one_axis) {
    const std::string name = reduction.name;
    const bool is_softmax = name.find("softmax") != std::string::npos;
    for (const auto& [shape, axis] : places)
      for (const lib::ScalarType dtype : {lib::kFloat32, lib::kFloat64})
        cases.add(
            is_softmax ? "softmax" : "reductions", name + "_of_" + std::to_string(axis), {shape},
            [f = reduction.f, axis = axis](const Operands& x) { return f(x[0], axis); }, dtype);
  }
  for (const Shape& shape : kShapes) {
    cases.add("reductions", "sum_all", {shape}, [](const Operands& x) { return x[0].sum(); });
    cases.add("reductions", "mean_all", {shape}, [](const Operands& x) { return x[0].mean(); });
    cases.add("reductions", "max_all", {shape}, [](const Operands& x) { return x[0].max(); });
    cases.add("reductions", "std_all", {shape}, [](const Operands& x) { return x[0].std(); });
    cases.add("reductions", "norm_all", {shape}, [](const Operands& x) { return x[0].norm(); });
  }
  cases.add("reductions", "sum_0_2_3", {{8, 64, 56, 56}}, [](const Operands& x) {
    return x[0].sum({0, 2, 3});
  });
  cases.add("reductions", "mean_2_3", {{8, 64, 56, 56}}, [](const Operands& x) {
    return x[0].mean({2, 3});
  });
  for (const Shape& shape : {Shape{100, 10}, Shape{2000, 100}, Shape{128, 1000}})
    cases.add(
        "reductions", "argmax", {shape}, [](const Operands& x) { return x[0].argmax(1); },
        lib::kFloat32, false);
}

void norms(CaseList& cases) {
  for (const auto& shape :
       {Shape{32, 64}, Shape{32, 10, 512}, Shape{2048, 1000}, Shape{100, 33}, Shape{20000, 16}}) {
    const std::int64_t last = shape.back();
    cases.add("normalisation", "layer_norm", {shape, {last}, {last}}, [last](const Operands& x) {
      return F::layer_norm(x[0], F::LayerNormFuncOptions({last}).weight(x[1]).bias(x[2]));
    });
  }
  for (const auto& shape :
       {Shape{64, 100}, Shape{256, 512}, Shape{8, 64, 56, 56}, Shape{64, 32, 14, 14},
        Shape{32, 16, 32, 32}, Shape{16, 256, 8, 8}, Shape{32, 512, 4, 4}}) {
    const std::int64_t channels = shape[1];
    for (const bool training : {true, false})
      cases.add("normalisation", training ? "batch_norm" : "batch_norm_eval",
                {shape, {channels}, {channels}},
                [training, mean = lib::zeros({channels}),
                 variance = lib::ones({channels})](const Operands& x) {
                  return F::batch_norm(
                      x[0], mean, variance,
                      F::BatchNormFuncOptions().weight(x[1]).bias(x[2]).training(training));
                });
    if (shape.size() != 4) continue;
    cases.add("normalisation", "group_norm", {shape, {channels}, {channels}},
              [](const Operands& x) {
                return F::group_norm(x[0], F::GroupNormFuncOptions(4).weight(x[1]).bias(x[2]));
              });
    cases.add("normalisation", "instance_norm", {shape},
              [](const Operands& x) { return F::instance_norm(x[0]); });
  }
}

void pooling(CaseList& cases) {
  for (const auto& shape : {Shape{100, 16, 28, 28}, Shape{100, 32, 14, 14}, Shape{8, 64, 112, 112},
                            Shape{32, 128, 16, 16}, Shape{1, 3, 33, 65}, Shape{32, 256, 7, 7}}) {
    cases.add("pooling", "max_2", {shape},
              [](const Operands& x) { return lib::max_pool2d(x[0], 2); });
    cases.add("pooling", "max_3_s2", {shape},
              [](const Operands& x) { return lib::max_pool2d(x[0], 3, 2, 1); });
    cases.add("pooling", "max_3_s1", {shape},
              [](const Operands& x) { return lib::max_pool2d(x[0], 3, 1, 1); });
    cases.add("pooling", "avg_2", {shape},
              [](const Operands& x) { return lib::avg_pool2d(x[0], 2); });
    cases.add("pooling", "avg_3_s2", {shape},
              [](const Operands& x) { return lib::avg_pool2d(x[0], 3, 2, 1); });
    cases.add("pooling", "adaptive_avg_1", {shape}, [](const Operands& x) {
      return lib::adaptive_avg_pool2d(x[0], {1, 1});
    });
    cases.add("pooling", "adaptive_avg_5", {shape}, [](const Operands& x) {
      return lib::adaptive_avg_pool2d(x[0], {5, 5});
    });
    cases.add("pooling", "nearest_2", {shape}, [](const Operands& x) {
      return F::interpolate(x[0],
                            F::InterpolateFuncOptions().scale_factor(std::vector<double>{2, 2}));
    });
    cases.add("pooling", "bilinear_2", {shape}, [](const Operands& x) {
      return F::interpolate(x[0], F::InterpolateFuncOptions()
                                      .scale_factor(std::vector<double>{2, 2})
                                      .mode(lib::kBilinear)
                                      .align_corners(false));
    });
  }
  cases.add("pooling", "max_1d", {{32, 64, 500}},
            [](const Operands& x) { return lib::max_pool1d(x[0], 2); });
}

void losses(CaseList& cases) {
  for (const auto& shape : {Shape{16, 10}, Shape{100, 10}, Shape{5000, 10}, Shape{128, 1000}}) {
    const std::int64_t rows = shape[0], classes = shape[1];
    const auto target = [=] { return lib::randint(0, classes, {rows}, lib::kInt64); };
    cases.add("losses", "cross_entropy", {shape},
              [target = target()](const Operands& x) { return F::cross_entropy(x[0], target); });
    cases.add("losses", "nll", {shape}, [target = target()](const Operands& x) {
      return F::nll_loss(lib::log_softmax(x[0], 1), target);
    });
  }
  for (const Shape& shape : kShapes) {
    const auto constant = [shape] { return lib::rand(shape); };
    cases.add("losses", "mse", {shape},
              [y = constant()](const Operands& x) { return F::mse_loss(x[0], y); });
    cases.add("losses", "l1", {shape},
              [y = constant()](const Operands& x) { return F::l1_loss(x[0], y); });
    cases.add("losses", "smooth_l1", {shape},
              [y = constant()](const Operands& x) { return F::smooth_l1_loss(x[0], y); });
    cases.add("losses", "bce_logits", {shape}, [y = constant()](const Operands& x) {
      return F::binary_cross_entropy_with_logits(x[0], y);
    });
    cases.add("losses", "bce", {shape}, [y = constant()](const Operands& x) {
      return F::binary_cross_entropy(lib::sigmoid(x[0]), y);
    });
    cases.add("losses", "kl", {shape},
              [y = constant()](const Operands& x) { return F::kl_div(x[0], y); });
  }
}

void indexing(CaseList& cases) {
  const auto integers = [](std::int64_t below, const Shape& shape) {
    return lib::randint(0, below, shape, lib::kInt64);
  };
  cases.add("indexing", "gather", {{4096, 100}},
            [i = integers(100, {4096, 1})](const Operands& x) { return x[0].gather(1, i); });
  cases.add("indexing", "gather_all", {{512, 512}},
            [i = integers(512, {512, 512})](const Operands& x) { return x[0].gather(1, i); });
  cases.add("indexing", "index_select", {{4096, 256}},
            [i = integers(4096, {4096})](const Operands& x) { return x[0].index_select(0, i); });
  cases.add("indexing", "index_select_columns", {{1000, 256}},
            [i = integers(256, {100})](const Operands& x) { return x[0].index_select(1, i); });
  cases.add("indexing", "embedding", {{10000, 64}},
            [i = integers(10000, {64, 50})](const Operands& x) { return F::embedding(i, x[0]); });
  cases.add(
      "indexing", "scatter_add", {{1000, 100}, {1000, 100}},
      [i = integers(100, {1000, 100})](const Operands& x) { return x[0].scatter_add(1, i, x[1]); });
  cases.add(
      "indexing", "masked_fill", {{512, 512}},
      [m = lib::randn({512, 512}) > 0](const Operands& x) { return x[0].masked_fill(m, 0.5); });
  cases.add("indexing", "masked_select", {{512, 512}},
            [m = lib::randn({512, 512}) > 0](const Operands& x) { return x[0].masked_select(m); });
  cases.add("indexing", "topk", {{1000, 100}},
            [](const Operands& x) { return std::get<0>(x[0].topk(5)); });
  cases.add("indexing", "sort", {{1000, 100}},
            [](const Operands& x) { return std::get<0>(x[0].sort(1)); });
  cases.add(
      "indexing", "one_hot", {{10}},
      [i = integers(10, {1000})](const Operands&) { return F::one_hot(i, 10); }, lib::kFloat32,
      false);
  cases.add("indexing", "cat_channels", {{8, 32, 56, 56}, {8, 32, 56, 56}}, [](const Operands& x) {
    return lib::cat({x[0], x[1]}, 1);
  });
  cases.add("indexing", "cat_rows", {{512, 256}, {512, 256}}, [](const Operands& x) {
    return lib::cat({x[0], x[1]}, 0);
  });
  cases.add("indexing", "cat_columns", {{512, 30}, {512, 50}}, [](const Operands& x) {
    return lib::cat({x[0], x[1]}, 1);
  });
  cases.add("indexing", "stack", {{512, 256}, {512, 256}}, [](const Operands& x) {
    return lib::stack({x[0], x[1]}, 0);
  });
  cases.add("indexing", "stack_last", {{512, 256}, {512, 256}}, [](const Operands& x) {
    return lib::stack({x[0], x[1]}, -1);
  });
  for (const Shape& shape : {Shape{100, 64}, Shape{1000, 1000}, Shape{2048, 2000}}) {
    cases.add("views", "transpose_copy", {shape},
              [](const Operands& x) { return x[0].t().contiguous(); });
    cases.add("views", "narrow_scale", {shape},
              [](const Operands& x) { return x[0].narrow(1, 3, 50) * 2; });
    cases.add("views", "transposed_add", {shape}, [](const Operands& x) { return x[0].t() + 1; });
    cases.add("views", "flip", {shape}, [](const Operands& x) { return x[0].flip({1}); });
    cases.add("views", "roll", {shape}, [](const Operands& x) { return x[0].roll(5, 1); });
    cases.add("views", "tril", {shape}, [](const Operands& x) { return x[0].tril(); });
    cases.add("views", "clone", {shape}, [](const Operands& x) { return x[0].clone(); });
  }
  cases.add("views", "permute_nhwc", {{8, 64, 56, 56}}, [](const Operands& x) {
    return x[0].permute({0, 2, 3, 1}).contiguous();
  });
  cases.add("views", "heads", {{8, 128, 512}}, [](const Operands& x) {
    return x[0].view({8, 128, 8, 64}).transpose(1, 2).contiguous();
  });
  cases.add("views", "pad", {{8, 64, 56, 56}}, [](const Operands& x) {
    return F::pad(x[0], F::PadFuncOptions({1, 1, 1, 1}));
  });
  cases.add("views", "pad_reflect", {{8, 64, 56, 56}}, [](const Operands& x) {
    return F::pad(x[0], F::PadFuncOptions({1, 1, 1, 1}).mode(lib::kReflect));
  });
  cases.add("views", "expand_sum", {{1000, 1}}, [](const Operands& x) {
    return x[0].expand({1000, 1000}).contiguous();
  });
  cases.add("views", "pixel_shuffle", {{8, 64, 32, 32}},
            [](const Operands& x) { return lib::pixel_shuffle(x[0], 2); });
}

template <typename Optimizer, typename Options>
void optimizer(CaseList& cases, const std::string& name, const Options& options) {
  for (const auto& shapes :
       {std::vector<Shape>{{64, 32}}, std::vector<Shape>{{1024, 2048}},
        std::vector<Shape>{{16, 1, 5, 5}, {16}, {32, 16, 5, 5}, {32}, {1568, 10}, {10}}}) {
    std::string full = name;
    for (const Shape& shape : shapes) full += '_' + text(shape);
    cases.add_step("optimizers", full, [=]() -> std::function<void()> {
      std::vector<Tensor> parameters;
      for (const Shape& shape : shapes) {
        parameters.push_back(lib::randn(shape).set_requires_grad(true));
        parameters.back().mutable_grad() = lib::randn(shape);
      }
      auto optimizer = std::make_shared<Optimizer>(parameters, options);
      return [optimizer] { optimizer->step(); };
    });
  }
}

void optimizers(CaseList& cases) {
  namespace optim = lib::optim;
  optimizer<optim::SGD>(cases, "SGD", optim::SGDOptions(1e-3));
  optimizer<optim::SGD>(cases, "SGD_momentum", optim::SGDOptions(1e-3).momentum(0.9));
  optimizer<optim::Adam>(cases, "Adam", optim::AdamOptions(1e-3));
  optimizer<optim::AdamW>(cases, "AdamW", optim::AdamWOptions(1e-3));
  optimizer<optim::RMSprop>(cases, "RMSprop", optim::RMSpropOptions(1e-3));
  optimizer<optim::Adagrad>(cases, "Adagrad", optim::AdagradOptions(1e-3));
}

void chains(CaseList& cases) {
  for (const Shape& shape : kShapes) {
    cases.add("chains", "swish_by_hand", {shape},
              [](const Operands& x) { return x[0] * lib::sigmoid(x[0]); });
    cases.add("chains", "gaussian", {shape},
              [](const Operands& x) { return lib::exp(-x[0] * x[0] / 2) * 0.3989; });
    cases.add("chains", "affine_tanh", {shape, shape},
              [](const Operands& x) { return lib::tanh(x[0] * x[1] + x[1]); });
    cases.add("chains", "log_cosh", {shape},
              [](const Operands& x) { return (x[0] + F::softplus(-2 * x[0]) - 0.6931).mean(); });
    if (shape.size() < 2) continue;
    cases.add("chains", "standardise", {shape}, [](const Operands& x) {
      const Tensor mean = x[0].mean(-1, true);
      const Tensor centred = x[0] - mean;
      return centred / (centred.pow(2).mean(-1, true) + 1e-5).sqrt();
    });
    cases.add("chains", "attention_like", {shape},
              [](const Operands& x) { return lib::softmax(x[0] * 0.125, -1) * x[0]; });
  }
  for (const auto& shape : {Shape{8, 64, 56, 56}, Shape{64, 32, 14, 14}})
    cases.add("chains", "norm_relu_pool", {shape}, [](const Operands& x) {
      return lib::max_pool2d(
          lib::relu(F::batch_norm(x[0], {}, {}, F::BatchNormFuncOptions().training(true))), 2);
    });
}

void others(CaseList& cases) {
  for (const auto& [image, grid] : {std::pair{Shape{4, 3, 8, 8}, Shape{4, 8, 8, 2}},
                                    std::pair{Shape{64, 1, 28, 28}, Shape{64, 28, 28, 2}},
                                    std::pair{Shape{8, 16, 56, 56}, Shape{8, 56, 56, 2}}})
    cases.add("sampling", "grid_sample", {image, grid}, [](const Operands& x) {
      return F::grid_sample(x[0], x[1], F::GridSampleFuncOptions().align_corners(false));
    });
  for (const Shape& shape : {Shape{8, 512, 2, 2}, Shape{32, 256, 1, 1}, Shape{16, 64, 7, 7}})
    for (const std::int64_t groups : {4, 32})
      cases.add("normalisation", "group_norm_of_" + std::to_string(groups),
                {shape, {shape[1]}, {shape[1]}}, [groups](const Operands& x) {
                  return F::group_norm(x[0],
                                       F::GroupNormFuncOptions(groups).weight(x[1]).bias(x[2]));
                });
  for (const Shape& shape : {Shape{16, 10}, Shape{5000, 10}, Shape{128, 1000}}) {
    const Tensor target = lib::randint(0, shape[1], {shape[0]}, lib::kInt64);
    cases.add("losses", "multi_margin", {shape},
              [target](const Operands& x) { return F::multi_margin_loss(x[0], target); });
    const Tensor labels = lib::rand(shape).round();
    cases.add("losses", "multilabel_soft_margin", {shape},
              [labels](const Operands& x) { return F::multilabel_soft_margin_loss(x[0], labels); });
  }
  for (const std::int64_t below : {10, 1000, 1000000}) {
    const Tensor values = lib::randint(0, below, {100000}, lib::kInt64);
    cases.add(
        "sorting", "unique_below_" + std::to_string(below), {},
        [values](const Operands&) { return std::get<0>(lib::_unique2(values)); }, lib::kFloat32,
        false);
  }
  cases.add(
      "sorting", "unique", {{100000}},
      [](const Operands& x) { return std::get<0>(lib::_unique2(x[0])); }, lib::kFloat32, false);
  for (const auto& [shape, k] : {std::pair{Shape{1000, 1000}, 5}, std::pair{Shape{100, 10000}, 100},
                                 std::pair{Shape{64, 50}, 25}, std::pair{Shape{1000000}, 10}})
    cases.add("sorting", "topk_" + std::to_string(k), {shape},
              [k = k](const Operands& x) { return std::get<0>(x[0].topk(k)); });
  for (const std::int64_t size : {100, 100000}) {
    const Tensor sorted = lib::linspace(-3, 3, size);
    cases.add(
        "sorting", "searchsorted_" + std::to_string(size), {{100000}},
        [sorted](const Operands& x) { return lib::searchsorted(sorted, x[0]); }, lib::kFloat32,
        false);
    cases.add(
        "sorting", "bucketize_" + std::to_string(size), {{1000, 10}},
        [sorted](const Operands& x) { return lib::bucketize(x[0], sorted); }, lib::kFloat32, false);
  }
  // In place, on some columns.
  using Change = void (*)(const Tensor&);
  const std::vector<std::pair<const char*, Change>> changes = {
      {"add_", [](const Tensor& x) { x.add_(1); }},
      {"mul_", [](const Tensor& x) { x.mul_(1.0001); }},
      {"relu_", [](const Tensor& x) { x.relu_(); }},
      {"zero_", [](const Tensor& x) { x.zero_(); }},
      {"clamp_", [](const Tensor& x) { x.clamp_(-1, 1); }},
      {"sigmoid_", [](const Tensor& x) { x.sigmoid_(); }},
  };
  for (const auto& [name, f] : changes)
    for (const Shape& shape : {Shape{100, 64}, Shape{1000, 1000}})
      for (const std::int64_t width : {3, 16, 50}) {
        const Tensor view = lib::randn(shape).narrow(1, 5, width);
        const std::string full =
            std::string(name) + "narrow_" + std::to_string(width) + "_of_" + text(shape);
        cases.add_step("views", full,
                       [f = f, view]() -> std::function<void()> { return [f, view] { f(view); }; });
      }
}

}  // namespace

std::vector<SweepCase> memory_cases() {
  CaseList cases;
  elementwise(cases);
  reductions(cases);
  norms(cases);
  pooling(cases);
  losses(cases);
  indexing(cases);
  optimizers(cases);
  chains(cases);
  others(cases);
  add_odd_shapes(cases);
  return std::move(cases.cases);
}

}  // namespace bench
