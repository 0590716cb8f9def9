// Normalisations, recurrent layers, embeddings, padding and resampling with random options beside
// libtorch's.
#include <algorithm>

#include <tests/libtorch/beside.h>

namespace {

using beside::List;

class LayerFuzz : public beside::Fuzz {};

// A layer with random parameters in float64.
#define LAYER(Type, options)                                                         \
  t::manual_seed(7);                                                                 \
  t::nn::Type m(options);                                                            \
  m->to(t::kDouble);                                                                 \
  {                                                                                  \
    t::NoGradGuard no_grad;                                                          \
    for (auto& parameter : m->parameters()) parameter.add_(t::rand_like(parameter)); \
  }

TEST_F(LayerFuzz, BatchNorm) {
  for (int i = 0; i < 40; ++i) {
    round(i);
    const List shape = {pick(2, 4), pick(1, 4), pick(1, 4), pick(1, 4)};
    const double eps = real(1e-6, 0.1), momentum = real(0, 1);
    const bool affine = coin(), tracks = coin(), cumulative = coin(), evaluates = coin();
#define SAME_NORM(Type, input_shape)                                                      \
  SAME_GRADIENTS_OR_ERROR(({input_shape}), [&] {                                          \
    auto options = t::nn::Type##Options(shape[1]).eps(eps).affine(affine);                \
    options.momentum(momentum).track_running_stats(tracks);                               \
    if (cumulative) options.momentum(t::nullopt);                                         \
    LAYER(Type, options)                                                                  \
    for (int step = 0; step < 2; ++step) m->forward(x[0].detach() * (step + 2) + step);   \
    if (evaluates) m->eval();                                                             \
    auto y = m->forward(x[0]);                                                            \
    if (tracks) y = y + (m->running_mean * 2 + m->running_var).view({1, -1, 1, 1}).sum(); \
    return y;                                                                             \
  }())
    SAME_NORM(BatchNorm2d, shape);
    SAME_NORM(BatchNorm1d, (List{shape[0], shape[1], shape[2]}));
    SAME_NORM(BatchNorm1d, (List{shape[0], shape[1]}));
    SAME_NORM(BatchNorm1d, shape);
  }
}

TEST_F(LayerFuzz, InstanceLayerAndGroupNorm) {
  for (int i = 0; i < 40; ++i) {
    round(i);
    const std::int64_t groups = pick(1, 3);
    const List shape = {pick(1, 3), groups * pick(1, 2), pick(1, 4), pick(2, 4)};
    const double eps = real(1e-6, 0.1), momentum = real(0, 1);
    const bool affine = coin(), tracks = coin(), evaluates = coin();
    SAME_GRADIENTS_OR_ERROR(({shape}), [&] {
      auto options = t::nn::InstanceNorm2dOptions(shape[1]).eps(eps).affine(affine);
      LAYER(InstanceNorm2d, options.momentum(momentum).track_running_stats(tracks))
      m->forward(x[0].detach() * 2);
      if (evaluates) m->eval();
      return m->forward(x[0]);
    }());
    SAME_GRADIENTS_OR_ERROR(({List{shape[0], shape[1], shape[3]}}), [&] {
      auto options = t::nn::InstanceNorm1dOptions(shape[1]).eps(eps).affine(affine);
      LAYER(InstanceNorm1d, options.momentum(momentum).track_running_stats(tracks))
      m->forward(x[0].detach() * 2);
      if (evaluates) m->eval();
      return m->forward(x[0]);
    }());
    SAME_GRADIENTS_OR_ERROR(({shape}), [&] {
      LAYER(GroupNorm, t::nn::GroupNormOptions(groups, shape[1]).eps(eps).affine(affine))
      return m->forward(x[0]);
    }());
    const List normalized(shape.begin() + pick(1, 3), shape.end());
    SAME_GRADIENTS_OR_ERROR(({shape}), [&] {
      LAYER(LayerNorm, t::nn::LayerNormOptions(normalized).eps(eps).elementwise_affine(affine))
      return m->forward(x[0]);
    }());
    const std::int64_t size = pick(1, 5);
    SAME_GRADIENTS_OR_ERROR(({shape}), [&] {
      t::nn::LocalResponseNorm m(
          t::nn::LocalResponseNormOptions(size).alpha(0.3).beta(momentum).k(eps + 1));
      return m->forward(x[0]);
    }());
    const std::int64_t axis = pick(-4, 3);
    SAME_GRADIENTS_OR_ERROR(
        ({shape}), t::nn::functional::normalize(
                       x[0], t::nn::functional::NormalizeFuncOptions().p(2).dim(axis).eps(eps)));
  }
}

TEST_F(LayerFuzz, Recurrent) {
  for (int i = 0; i < 25; ++i) {
    round(i);
    const std::int64_t in = pick(1, 3), hidden = pick(2, 4), layers = pick(1, 2), n = pick(1, 3);
    const bool bias = coin(), batch_first = coin(), both_ways = coin(), relu = coin();
    const bool projects = coin(), starts = coin();
    const std::int64_t steps = pick(1, 4), out = projects ? hidden - 1 : hidden;
    const List input = batch_first ? List{n, steps, in} : List{steps, n, in};
    const List h = {layers * (both_ways ? 2 : 1), n, hidden}, p = {h[0], n, out};
#define SETTINGS num_layers(layers).bias(bias).batch_first(batch_first).bidirectional(both_ways)
    SAME_GRADIENTS_OR_ERROR(({input, h}), [&] {
      auto options = t::nn::RNNOptions(in, hidden).SETTINGS;
      if (relu) options.nonlinearity(t::kReLU);
      LAYER(RNN, options)
      const auto [y, state] = starts ? m->forward(x[0], x[1]) : m->forward(x[0]);
      return t::cat({y.flatten(), state.flatten()});
    }());
    SAME_GRADIENTS_OR_ERROR(({input, h}), [&] {
      LAYER(GRU, t::nn::GRUOptions(in, hidden).SETTINGS)
      const auto [y, state] = starts ? m->forward(x[0], x[1]) : m->forward(x[0]);
      return t::cat({y.flatten(), state.flatten()});
    }());
    SAME_GRADIENTS_OR_ERROR(({input, p, h}), [&] {
      auto options = t::nn::LSTMOptions(in, hidden).SETTINGS;
      if (projects) options.proj_size(out);
      LAYER(LSTM, options)
      const auto [y, state] =
          starts ? m->forward(x[0], std::make_tuple(x[1], x[2])) : m->forward(x[0]);
      return t::cat({y.flatten(), std::get<0>(state).flatten(), std::get<1>(state).flatten()});
    }());
    // The gradients of the parameters.
    SAME_VALUES([&] {
      LAYER(LSTM, t::nn::LSTMOptions(in, hidden).SETTINGS)
      std::get<0>(m->forward(t::ones({3, 3, in}, t::kDouble))).square().sum().backward();
      std::vector<t::Tensor> grads;
      for (auto& parameter : m->parameters()) grads.push_back(parameter.grad());
      return grads;
    }());
  }
}

TEST_F(LayerFuzz, Embedding) {
  for (int i = 0; i < 40; ++i) {
    round(i);
    const List weight = {pick(2, 6), pick(1, 4)}, rows = {pick(1, 3), pick(1, 4)};
    const List indices = picks(static_cast<std::size_t>(rows[0] * rows[1]), 0, weight[0] - 1);
    const std::int64_t padding = pick(-weight[0], weight[0] - 1), mode = pick(0, 2);
    const bool padded = coin(), renorms = coin(), frequency = coin(), last = coin(),
               weighs = coin();
    // libtorch rounds the largest norm to float32.
    const double largest = static_cast<double>(pick(3, 20)) / 8;
    const auto sample_weights = reals(rows[0] * rows[1], -1, 1);
    const auto renormalised = [&](auto& options) {
      if (renorms) options.max_norm(largest);
    };
    namespace b = beside;
    // libtorch's second derivative forgets the frequencies.
    SAME_GRADIENTS_ON(
        b::normal_values({weight}), ({.second_order = !frequency, .may_throw = true}), [&] {
          t::nn::functional::EmbeddingFuncOptions options;
          if (padded) options.padding_idx(padding);
          return t::nn::functional::embedding(t::tensor(indices, t::kLong).view(rows), x[0],
                                              options.scale_grad_by_freq(frequency));
        }());
    SAME_VALUES_OR_ERROR([&] {
      auto options = t::nn::EmbeddingOptions(weight[0], weight[1]);
      renormalised(options);
      if (padded) options.padding_idx(padding);
      LAYER(Embedding, options)
      auto y = m->forward(t::tensor(indices, t::kLong).view(rows));
      y.square().sum().backward();
      return std::tuple(y, m->weight, m->weight.grad());
    }());
    List offsets = {0};
    for (std::int64_t r = 1; r < rows[0]; ++r)
      offsets.push_back(std::min(offsets.back() + pick(0, 2), rows[0] * rows[1]));
    SAME_VALUES_OR_ERROR([&] {
      auto options = t::nn::EmbeddingBagOptions(weight[0], weight[1]);
      renormalised(options);
      if (mode == 0) options.mode(t::kSum);
      if (mode == 1) options.mode(t::kMean);
      if (mode == 2) options.mode(t::kMax);
      if (padded) options.padding_idx(padding);
      // libtorch takes the frequency of another row: scale_grad_by_freq is not compared.
      LAYER(EmbeddingBag, options.include_last_offset(last))
      auto at = offsets;
      if (last) at.push_back(rows[0] * rows[1]);
      auto y = weighs ? m->forward(t::tensor(indices, t::kLong), t::tensor(at, t::kLong),
                                   t::tensor(sample_weights, t::kDouble))
                      : m->forward(t::tensor(indices, t::kLong), t::tensor(at, t::kLong));
      y.square().sum().backward();
      return std::tuple(y, m->weight, m->weight.grad());
    }());
  }
}

TEST_F(LayerFuzz, Pad) {
  for (int i = 0; i < 80; ++i) {
    round(i);
    const std::int64_t mode = pick(0, 3), axes = pick(1, 2);
    // libtorch pads one axis of two or three, or two of three or four, unless with a constant.
    const List shape = picks(static_cast<std::size_t>(axes + pick(mode == 3 ? 2 : 1, 2)), 1, 5);
    List pads = picks(static_cast<std::size_t>(2 * axes), coin() ? 0 : -2, 3);
    // Around nothing, or nearly, libtorch wraps memory that it has not written.
    if (mode == 3)
      for (std::size_t a = 0; a < pads.size(); ++a)
        pads[a] = std::max(pads[a], -(shape[shape.size() - 1 - a / 2] / 3));
    SAME_GRADIENTS_OR_ERROR(({shape}), [&] {
      t::nn::functional::PadFuncOptions options(pads);
      if (mode == 0) options.mode(t::kConstant).value(0.7);
      if (mode == 1) options.mode(t::kReflect);
      if (mode == 2) options.mode(t::kReplicate);
      if (mode == 3) options.mode(t::kCircular);
      return t::nn::functional::pad(x[0], options);
    }());
  }
}

TEST_F(LayerFuzz, Interpolate) {
  for (int i = 0; i < 80; ++i) {
    round(i);
    const auto axes = static_cast<std::size_t>(pick(1, 2));
    List shape = {pick(1, 2), pick(1, 3)};
    for (const std::int64_t extent : picks(axes, 1, 6)) shape.push_back(extent);
    const List size = picks(axes, 1, 9);
    const auto factors = reals(static_cast<std::int64_t>(axes), 1, 3);
    const bool by_size = coin(), recompute = coin(), align = coin();
    const std::int64_t mode = pick(0, axes == 2 ? 4 : 3);
    // Where the size stays or doubles, libtorch uses the factor in some kernels and not in others.
    bool ambiguous = false;
    for (std::size_t a = 0; a < axes; ++a) {
      const auto out = static_cast<std::int64_t>(static_cast<double>(shape[a + 2]) * factors[a]);
      ambiguous |= out == shape[a + 2] || out == 2 * shape[a + 2];
    }
    if (mode == 0 && !by_size && !recompute && ambiguous) continue;
    SAME_GRADIENTS_OR_ERROR(({shape}), [&] {
      t::nn::functional::InterpolateFuncOptions options;
      if (by_size)
        options.size(size);
      else
        options.scale_factor(factors).recompute_scale_factor(recompute);
      if (mode == 0) options.mode(t::kNearest);
      if (mode == 1) options.mode(t::kNearestExact);
      if (mode == 2) options.mode(t::kArea);
      if (mode == 3 && axes == 1) options.mode(t::kLinear).align_corners(align);
      if (mode == 3 && axes == 2) options.mode(t::kBilinear).align_corners(align);
      if (mode == 4) options.mode(t::kBicubic).align_corners(align);
      return t::nn::functional::interpolate(x[0], options);
    }());
  }
}

TEST_F(LayerFuzz, GridSample) {
  for (int i = 0; i < 80; ++i) {
    round(i);
    const auto axes = static_cast<std::size_t>(pick(2, 3));
    List image = {pick(1, 3), pick(1, 3)}, grid = {image[0]};
    for (const std::int64_t extent : picks(axes, 1, 5)) image.push_back(extent);
    for (const std::int64_t extent : picks(axes, 1, 6)) grid.push_back(extent);
    grid.push_back(static_cast<std::int64_t>(axes));
    const std::int64_t padding = pick(0, 2);
    const bool nearest = coin(), align = coin();
    namespace b = beside;
    SAME_GRADIENTS_ON(
        b::normal_values({image, grid}), ({.second_order = false, .may_throw = true}), [&] {
          t::nn::functional::GridSampleFuncOptions options;
          if (nearest) options.mode(t::kNearest);
          if (padding == 1) options.padding_mode(t::kBorder);
          if (padding == 2) options.padding_mode(t::kReflection);
          return t::nn::functional::grid_sample(x[0], x[1], options.align_corners(align));
        }());
    const List theta = {image[0], image.size() == 4 ? 2 : 3, image.size() == 4 ? 3 : 4};
    SAME_GRADIENTS(({theta}), t::nn::functional::affine_grid(x[0], image, align));
  }
}

TEST_F(LayerFuzz, Dropout) {
  for (int i = 0; i < 20; ++i) {
    round(i);
    const double p = i == 0 ? 0 : i == 1 ? 1 : real(0, 1);
    const List shape = {pick(1, 3), pick(1, 4), pick(1, 3), pick(1, 3)};
#define SAME_DROPOUT(Type, input)          \
  SAME_GRADIENTS_OR_ERROR(({input}), [&] { \
    t::manual_seed(i);                     \
    t::nn::Type m(p);                      \
    return m->forward(x[0]);               \
  }())
    SAME_DROPOUT(Dropout, shape);
    SAME_DROPOUT(Dropout2d, shape);
    SAME_DROPOUT(AlphaDropout, shape);
    SAME_DROPOUT(FeatureAlphaDropout, shape);
  }
}

}  // namespace
