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

constexpr lib::ScalarType kBoth[] = {lib::kFloat32, lib::kFloat64};

void elementwise(CaseList& cases) {
  const Named<Unary> unary[] = {kRelu, kExp, kSquare, kGelu};
  for (const auto& [name, f] : unary)
    for (const Shape& shape :
         {Shape{1}, Shape{17}, Shape{31, 33}, Shape{3, 5, 7, 11}, Shape{4999}, Shape{6000000}})
      for (const lib::ScalarType dtype : kBoth)
        cases.add(
            "elementwise", name, {shape}, [f = f](const Operands& x) { return f(x[0]); }, dtype);

  // Operands that are views.
  const Named<Unary> views[] = {
      {"transposed", [](const Tensor& x) { return x.transpose(-1, -2); }},
      {"steps", [](const Tensor& x) { return x.slice(-1, 0, x.size(-1), 2); }},
      {"rows", [](const Tensor& x) { return x.slice(-2, 0, x.size(-2), 2); }},
      {"columns", [](const Tensor& x) { return x.narrow(-1, 1, x.size(-1) - 3); }},
      {"first_last", [](const Tensor& x) { return x.transpose(0, -1); }},
  };
  for (const auto& [view_name, view] : views)
    for (const Shape& shape :
         {Shape{9, 10}, Shape{64, 50, 33}, Shape{500, 1000}, Shape{16, 32, 28, 28}})
      for (const auto& [name, f] : unary)
        cases.add("views", std::string(name) + "_of_" + view_name, {shape},
                  [f = f, view = view](const Operands& x) { return f(view(x[0])); });
}

void binary(CaseList& cases) {
  const Named<Binary> binary[] = {kAdd, kMul, kDiv, kMaximum};
  const std::vector<std::pair<Shape, Shape>> pairs = {
      {{1}, {1}},
      {{3, 3}, {3, 3}},
      {{5, 1, 7, 1}, {1, 3, 1, 9}},
      {{1000, 3}, {3}},
      {{1000, 3}, {1000, 1}},
      {{4096, 7}, {7}},
      {{4096, 7}, {4096, 1}},
      {{257, 129}, {129}},
      {{257, 129}, {257, 1}},
      {{64, 50, 3}, {64, 1, 3}},
      {{32, 20, 64}, {32, 1, 64}},
      {{32, 20, 64}, {32, 20, 1}},
      {{32, 20, 64}, {1, 20, 1}},
      {{8, 32, 100}, {32, 100}},
      {{16, 8, 64, 64}, {16, 1, 1, 64}},
      {{16, 8, 64, 64}, {64, 64}},
      {{2, 3, 224, 224}, {3, 1, 1}},
      {{16, 512, 7, 7}, {16, 512, 1, 1}},
      {{3000000}, {3000000}},
  };
  for (const auto& [name, f] : binary)
    for (const auto& [left, right] : pairs)
      for (const lib::ScalarType dtype : kBoth)
        cases.add(
            "binary", name, {left, right}, [f = f](const Operands& x) { return f(x[0], x[1]); },
            dtype);
  for (const auto& [name, f] : binary) {
    cases.add("views", std::string(name) + "_transposed", {{500, 700}, {700, 500}},
              [f = f](const Operands& x) { return f(x[0], x[1].t()); });
    cases.add("views", std::string(name) + "_inner_channels", {{16, 28, 28, 64}, {64, 1, 1}},
              [f = f](const Operands& x) {
                return f(x[0].permute({0, 3, 1, 2}), x[1]);
              });
    cases.add("views", std::string(name) + "_halves", {{1000, 512}}, [f = f](const Operands& x) {
      return f(x[0].narrow(1, 0, 256), x[0].narrow(1, 256, 256));
    });
  }
  const Shape square{512, 512};
  cases.add("binary", "lerp", {square, square},
            [](const Operands& x) { return lib::lerp(x[0], x[1], 0.3); });
  cases.add("binary", "addcmul", {square, square, square},
            [](const Operands& x) { return lib::addcmul(x[0], x[1], x[2]); });
  cases.add("binary", "addcdiv", {square, square, square},
            [](const Operands& x) { return lib::addcdiv(x[0], x[1], x[2]); });
  cases.add(
      "binary", "greater", {square, {512}}, [](const Operands& x) { return x[0] > x[1]; },
      lib::kFloat32, false);
  cases.add("binary", "to_float64", {square},
            [](const Operands& x) { return x[0].to(lib::kFloat64); });
  cases.add(
      "binary", "to_float32", {square}, [](const Operands& x) { return x[0].to(lib::kFloat32); },
      lib::kFloat64);
  for (const Shape& mask : {square, Shape{512, 1}, Shape{512}})
    cases.add("binary", "where_" + text(mask), {square, square},
              [m = lib::randn(mask) > 0](const Operands& x) { return lib::where(m, x[0], x[1]); });
}

void reductions(CaseList& cases) {
  using Reduction = Tensor (*)(const Tensor&, const Shape&);
  const std::vector<std::pair<const char*, Reduction>> reductions = {
      {"sum", [](const Tensor& x, const Shape& d) { return x.sum(d); }},
      {"mean", [](const Tensor& x, const Shape& d) { return x.mean(d); }},
      {"amax", [](const Tensor& x, const Shape& d) { return x.amax(d); }},
      {"std", [](const Tensor& x, const Shape& d) { return x.std(d, true, false); }},
      {"norm_1", [](const Tensor& x, const Shape& d) { return x.norm(1, d, false); }},
      {"logsumexp", [](const Tensor& x, const Shape& d) { return x.logsumexp(d); }},
  };
  const std::vector<std::pair<Shape, Shape>> places = {{{3, 4}, {0}},
                                                       {{17, 33, 65}, {0}},
                                                       {{17, 33, 65}, {1}},
                                                       {{17, 33, 65}, {0, 2}},
                                                       {{17, 33, 65}, {1, 2}},
                                                       {{64, 50, 3}, {1}},
                                                       {{64, 50, 3}, {0, 1}},
                                                       {{3, 1000, 50}, {2}},
                                                       {{2000, 7}, {1}},
                                                       {{2000, 7}, {0}},
                                                       {{8, 64, 28, 28}, {0}},
                                                       {{8, 64, 28, 28}, {1, 2, 3}},
                                                       {{8, 64, 28, 28}, {3}},
                                                       {{8, 64, 28, 28}, {2}},
                                                       {{8, 64, 28, 28}, {0, 2, 3}},
                                                       {{16, 512, 7, 7}, {2, 3}},
                                                       {{3000000}, {0}},
                                                       {{1000, 1000}, {0, 1}}};
  for (const auto& [name, f] : reductions)
    for (const auto& [shape, axes] : places)
      for (const lib::ScalarType dtype : kBoth)
        cases.add(
            "reductions", std::string(name) + "_over_" + text(axes), {shape},
            [f = f, axes = axes](const Operands& x) { return f(x[0], axes); }, dtype);

  using Along = Tensor (*)(const Tensor&, std::int64_t);
  const std::vector<std::pair<const char*, Along>> along = {
      {"softmax", [](const Tensor& x, std::int64_t d) { return x.softmax(d); }},
      {"log_softmax", [](const Tensor& x, std::int64_t d) { return x.log_softmax(d); }},
      {"cumsum", [](const Tensor& x, std::int64_t d) { return x.cumsum(d); }},
      {"cumprod", [](const Tensor& x, std::int64_t d) { return x.cumprod(d); }},
      {"min", [](const Tensor& x, std::int64_t d) { return std::get<0>(x.min(d)); }},
  };
  const std::vector<std::pair<Shape, std::int64_t>> lines = {
      {{1, 5}, 1},      {{31, 17}, 1},        {{31, 17}, 0},     {{1000, 3}, 1},
      {{10000, 2}, 1},  {{64, 8, 50, 50}, 3}, {{32, 21, 64}, 1}, {{2, 21, 100, 100}, 1},
      {{2, 100003}, 1}, {{500, 257}, 1},      {{500, 257}, 0},   {{20, 3, 5}, 1}};
  for (const auto& [name, f] : along)
    for (const auto& [shape, axis] : lines)
      for (const lib::ScalarType dtype : kBoth)
        cases.add(
            std::string(name).find("softmax") != std::string::npos ? "softmax" : "reductions",
            std::string(name) + "_of_" + std::to_string(axis), {shape},
            [f = f, axis = axis](const Operands& x) { return f(x[0], axis); }, dtype);
  for (const std::int64_t axis : {0, 1}) {
    const std::string of = "_of_" + std::to_string(axis);
    cases.add("reductions", "sum_transposed" + of, {{700, 500}},
              [axis](const Operands& x) { return x[0].t().sum(axis); });
    cases.add("softmax", "softmax_transposed" + of, {{700, 500}},
              [axis](const Operands& x) { return x[0].t().softmax(axis); });
    for (const Shape& shape : {Shape{1000, 7}, Shape{300, 400}}) {
      cases.add(
          "reductions", "argmin" + of, {shape},
          [axis](const Operands& x) { return x[0].argmin(axis); }, lib::kFloat32, false);
      cases.add(
          "reductions", "any" + of, {shape},
          [axis](const Operands& x) { return (x[0] > 3).any(axis); }, lib::kFloat32, false);
    }
  }
}

void norms(CaseList& cases) {
  for (const lib::ScalarType dtype : kBoth) {
    for (const Shape& shape :
         {Shape{8, 128, 768}, Shape{4096, 64}, Shape{1000, 7}, Shape{3, 5}, Shape{10, 4099}}) {
      const std::int64_t last = shape.back();
      cases.add(
          "normalisation", "layer_norm", {shape, {last}, {last}},
          [last](const Operands& x) {
            return F::layer_norm(x[0], F::LayerNormFuncOptions({last}).weight(x[1]).bias(x[2]));
          },
          dtype);
      cases.add(
          "normalisation", "layer_norm_plain", {shape},
          [last](const Operands& x) {
            return F::layer_norm(x[0], F::LayerNormFuncOptions({last}));
          },
          dtype);
    }
    for (const Shape& shape : {Shape{128, 10}, Shape{2, 3}, Shape{16, 3, 32, 32},
                               Shape{4, 7, 9, 11}, Shape{2, 512, 7, 7}, Shape{64, 64, 1, 1},
                               Shape{32, 64, 100}, Shape{32, 512, 4, 4}, Shape{8, 64, 56, 56}}) {
      const std::int64_t channels = shape[1];
      for (const bool training : {true, false})
        cases.add(
            "normalisation", training ? "batch_norm" : "batch_norm_eval",
            {shape, {channels}, {channels}},
            [training, mean = lib::zeros({channels}, lib::TensorOptions(dtype)),
             variance = lib::ones({channels}, lib::TensorOptions(dtype))](const Operands& x) {
              return F::batch_norm(
                  x[0], mean, variance,
                  F::BatchNormFuncOptions().weight(x[1]).bias(x[2]).training(training));
            },
            dtype);
    }
    for (const Shape& shape :
         {Shape{16, 32, 50}, Shape{2, 64, 14, 14}, Shape{4, 8, 3, 3}, Shape{8, 64, 56, 56}})
      cases.add(
          "normalisation", "group_norm", {shape, {shape[1]}, {shape[1]}},
          [](const Operands& x) {
            return F::group_norm(x[0], F::GroupNormFuncOptions(4).weight(x[1]).bias(x[2]));
          },
          dtype);
  }
  cases.add("normalisation", "batch_norm_inner_channels", {{16, 28, 28, 64}, {64}, {64}},
            [](const Operands& x) {
              return F::batch_norm(
                  x[0].permute({0, 3, 1, 2}), {}, {},
                  F::BatchNormFuncOptions().weight(x[1]).bias(x[2]).training(true));
            });
  cases.add("normalisation", "normalize", {{1000, 128}},
            [](const Operands& x) { return F::normalize(x[0]); });
}

void pooling(CaseList& cases) {
  for (const lib::ScalarType dtype : kBoth)
    for (const Shape& shape : {Shape{8, 16, 27, 27}, Shape{2, 5, 9, 7}, Shape{16, 64, 13, 13},
                               Shape{1, 1, 1024, 1024}}) {
      const auto add = [&](const char* name, Tensor (*f)(const Tensor&)) {
        cases.add(
            "pooling", name, {shape}, [f](const Operands& x) { return f(x[0]); }, dtype);
      };
      add("max_2", [](const Tensor& x) { return lib::max_pool2d(x, 2); });
      add("max_3_s2", [](const Tensor& x) { return lib::max_pool2d(x, 3, 2); });
      add("max_5_s1", [](const Tensor& x) { return lib::max_pool2d(x, 5, 1, 2); });
      add("avg_2", [](const Tensor& x) { return lib::avg_pool2d(x, 2); });
      add("avg_3_s1", [](const Tensor& x) { return lib::avg_pool2d(x, 3, 1, 1); });
      add("adaptive_avg_1", [](const Tensor& x) { return lib::adaptive_avg_pool2d(x, {1, 1}); });
      add("adaptive_avg_7", [](const Tensor& x) { return lib::adaptive_avg_pool2d(x, {7, 7}); });
      add("adaptive_max_1", [](const Tensor& x) {
        return std::get<0>(lib::adaptive_max_pool2d(x, {1, 1}));
      });
      add("nearest_2", [](const Tensor& x) {
        return F::interpolate(x,
                              F::InterpolateFuncOptions().scale_factor(std::vector<double>{2, 2}));
      });
      add("relu_max_2", [](const Tensor& x) { return lib::max_pool2d(lib::relu(x), 2); });
    }
  cases.add("pooling", "avg_1d", {{32, 64, 500}},
            [](const Operands& x) { return lib::avg_pool1d(x[0], 2); });
  cases.add("pooling", "max_3d", {{2, 8, 16, 28, 28}},
            [](const Operands& x) { return lib::max_pool3d(x[0], 2); });
  cases.add("pooling", "avg_3d", {{2, 8, 16, 28, 28}},
            [](const Operands& x) { return lib::avg_pool3d(x[0], 2); });
}

void losses(CaseList& cases) {
  for (const lib::ScalarType dtype : kBoth) {
    for (const Shape& shape :
         {Shape{1, 2}, Shape{10000, 2}, Shape{4096, 100}, Shape{8, 50000}, Shape{4, 21, 64, 64}}) {
      Shape places = shape;
      places.erase(places.begin() + 1);
      cases.add(
          "losses", "cross_entropy", {shape},
          [target = lib::randint(0, shape[1], places, lib::kInt64)](const Operands& x) {
            return F::cross_entropy(x[0], target);
          },
          dtype);
      cases.add(
          "losses", "cross_entropy_smooth", {shape},
          [target = lib::randint(0, shape[1], places, lib::kInt64)](const Operands& x) {
            return F::cross_entropy(x[0], target,
                                    F::CrossEntropyFuncOptions().label_smoothing(0.1));
          },
          dtype);
    }
    for (const Shape& shape : {Shape{3}, Shape{37, 41}, Shape{1000, 1000}}) {
      const auto constant = [=] { return lib::rand(shape, lib::TensorOptions(dtype)); };
      const auto add = [&](const char* name, Tensor (*f)(const Tensor&, const Tensor&)) {
        cases.add(
            "losses", name, {shape}, [f, y = constant()](const Operands& x) { return f(x[0], y); },
            dtype);
      };
      add("mse", [](const Tensor& x, const Tensor& y) { return F::mse_loss(x, y); });
      add("l1", [](const Tensor& x, const Tensor& y) { return F::l1_loss(x, y); });
      add("huber", [](const Tensor& x, const Tensor& y) { return F::huber_loss(x, y); });
      add("bce_logits", [](const Tensor& x, const Tensor& y) {
        return F::binary_cross_entropy_with_logits(x, y);
      });
      add("poisson_nll",
          [](const Tensor& x, const Tensor& y) { return F::poisson_nll_loss(x, y); });
      add("soft_margin",
          [](const Tensor& x, const Tensor& y) { return F::soft_margin_loss(x, y); });
    }
  }
  cases.add("losses", "cosine_similarity", {{1000, 64}, {1000, 64}},
            [](const Operands& x) { return F::cosine_similarity(x[0], x[1]); });
  cases.add("losses", "triplet_margin", {{500, 64}, {500, 64}, {500, 64}},
            [](const Operands& x) { return F::triplet_margin_loss(x[0], x[1], x[2]); });
}

void views(CaseList& cases) {
  for (const lib::ScalarType dtype : kBoth) {
    const auto add = [&](const std::string& name, const Shape& shape, Tensor (*f)(const Tensor&)) {
      cases.add(
          "views", name, {shape}, [f](const Operands& x) { return f(x[0]); }, dtype);
    };
    for (const Shape& shape : {Shape{5, 6, 7}, Shape{64, 50, 33}, Shape{128, 128, 64}}) {
      add("permute_021", shape, [](const Tensor& x) { return x.permute({0, 2, 1}).contiguous(); });
      add("permute_102", shape, [](const Tensor& x) { return x.permute({1, 0, 2}).contiguous(); });
      add("permute_201", shape, [](const Tensor& x) { return x.permute({2, 0, 1}).contiguous(); });
      add("permute_210", shape, [](const Tensor& x) { return x.permute({2, 1, 0}).contiguous(); });
      add("steps_copy", shape, [](const Tensor& x) { return x.slice(2, 0, x.size(2), 2).clone(); });
      add("narrow_copy", shape, [](const Tensor& x) { return x.narrow(1, 1, 3).contiguous(); });
      add("flip_all", shape, [](const Tensor& x) { return x.flip({0, 1, 2}); });
      add("roll_0", shape, [](const Tensor& x) { return x.roll(2, 0); });
      add("triu", shape, [](const Tensor& x) { return x.triu(1); });
      add("repeat", shape, [](const Tensor& x) { return x.repeat({2, 1, 2}); });
      add("expand_middle", shape, [](const Tensor& x) {
        return x.narrow(1, 0, 1).expand({x.size(0), 20, x.size(2)}).contiguous();
      });
      add("cat_three", shape, [](const Tensor& x) { return lib::cat({x, x, x}, 1); });
      add("stack_middle", shape, [](const Tensor& x) { return lib::stack({x, x}, 1); });
      add("chunk_product", shape, [](const Tensor& x) {
        const auto parts = x.chunk(2, 0);
        return parts[0] * 2;
      });
      add("add_to_first", shape, [](const Tensor& x) { return x.select(0, 0) + x; });
    }
    add("permute_nhwc_back", {8, 28, 28, 64}, [](const Tensor& x) {
      return x.permute({0, 3, 1, 2}).contiguous();
    });
    add("pad_last", {64, 1000}, [](const Tensor& x) {
      return F::pad(x, F::PadFuncOptions({2, 3}));
    });
    add("diagonal", {700, 700}, [](const Tensor& x) { return x.diagonal() * 2; });
    add("unfold", {4, 16, 28, 28},
        [](const Tensor& x) { return F::unfold(x, F::UnfoldFuncOptions(3).padding(1)); });
  }
}

void indexing(CaseList& cases) {
  const auto integers = [](std::int64_t below, const Shape& shape) {
    return lib::randint(0, below, shape, lib::kInt64);
  };
  for (const lib::ScalarType dtype : kBoth) {
    cases.add(
        "indexing", "gather_rows", {{500, 300}},
        [i = integers(500, {500, 300})](const Operands& x) { return x[0].gather(0, i); }, dtype);
    cases.add(
        "indexing", "index_select_short", {{10000, 3}},
        [i = integers(10000, {5000})](const Operands& x) { return x[0].index_select(0, i); },
        dtype);
    cases.add(
        "indexing", "scatter_add_rows", {{1000, 100}, {1000, 100}},
        [i = integers(1000, {1000, 100})](const Operands& x) {
          return x[0].scatter_add(0, i, x[1]);
        },
        dtype);
    cases.add(
        "indexing", "scatter_add_long", {{100, 1000}, {100, 5000}},
        [i = integers(1000, {100, 5000})](const Operands& x) {
          return x[0].scatter_add(1, i, x[1]);
        },
        dtype);
    cases.add(
        "indexing", "scatter_add_few", {{5000, 10}, {5000, 8}},
        [i = integers(10, {5000, 8})](const Operands& x) { return x[0].scatter_add(1, i, x[1]); },
        dtype);
    cases.add(
        "indexing", "index_add", {{1000, 64}, {5000, 64}},
        [i = integers(1000, {5000})](const Operands& x) { return x[0].index_add(0, i, x[1]); },
        dtype);
    cases.add(
        "indexing", "masked_fill_row", {{16, 8, 64, 64}},
        [m = lib::randn({16, 1, 1, 64}) > 0](const Operands& x) {
          return x[0].masked_fill(m, -1e9);
        },
        dtype);
    cases.add(
        "indexing", "take_pairs", {{1000, 64}},
        [i = integers(1000, {2000})](const Operands& x) { return x[0].index({i}); }, dtype);
    cases.add(
        "indexing", "embedding_wide", {{1000, 768}},
        [i = integers(1000, {8, 128})](const Operands& x) { return F::embedding(i, x[0]); }, dtype);
    cases.add(
        "sorting", "sort_0", {{300, 50}},
        [](const Operands& x) { return std::get<0>(x[0].sort(0)); }, dtype);
    cases.add(
        "sorting", "median", {{1000, 33}},
        [](const Operands& x) { return std::get<0>(x[0].median(1)); }, dtype);
  }
}

template <typename Optimizer, typename Options>
void optimizer(CaseList& cases, const std::string& name, const Options& options) {
  for (const auto& [shape, count] :
       {std::pair{Shape{1}, 100}, std::pair{Shape{33, 7}, 20}, std::pair{Shape{1000003}, 1}})
    for (const lib::ScalarType dtype : kBoth)
      cases.add_step("optimizers",
                     name + '_' + std::to_string(count) + "_of_" + text(shape) +
                         (dtype == lib::kFloat64 ? "_f64" : ""),
                     [=, shape = shape, count = count]() -> std::function<void()> {
                       std::vector<Tensor> parameters;
                       for (int i = 0; i < count; ++i) {
                         const lib::TensorOptions of_dtype(dtype);
                         parameters.push_back(lib::randn(shape, of_dtype).set_requires_grad(true));
                         parameters.back().mutable_grad() = lib::randn(shape, of_dtype);
                       }
                       auto optimizer = std::make_shared<Optimizer>(parameters, options);
                       return [optimizer] { optimizer->step(); };
                     });
}

void optimizers(CaseList& cases) {
  namespace optim = lib::optim;
  optimizer<optim::SGD>(cases, "SGD_nesterov",
                        optim::SGDOptions(1e-3).momentum(0.9).nesterov(true).weight_decay(1e-4));
  optimizer<optim::Adam>(cases, "Adam", optim::AdamOptions(1e-3));
  optimizer<optim::Adam>(cases, "Adam_amsgrad",
                         optim::AdamOptions(1e-3).amsgrad(true).weight_decay(1e-4));
  optimizer<optim::AdamW>(cases, "AdamW", optim::AdamWOptions(1e-3));
  optimizer<optim::RMSprop>(cases, "RMSprop_centered",
                            optim::RMSpropOptions(1e-3).centered(true).momentum(0.9));
}

}  // namespace

void add_odd_shapes(CaseList& cases) {
  elementwise(cases);
  binary(cases);
  reductions(cases);
  norms(cases);
  pooling(cases);
  losses(cases);
  views(cases);
  indexing(cases);
  optimizers(cases);
}

}  // namespace bench
