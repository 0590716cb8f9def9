// Convolutions, poolings and matrix products of random geometry beside libtorch's.
#include <algorithm>

#include <tests/libtorch/beside.h>

namespace {

using beside::List;

class Geometries : public beside::Fuzz {
 protected:
  List pick_pair(std::int64_t low, std::int64_t high) { return picks(2, low, high); }
};

TEST_F(Geometries, Conv2d) {
  for (int i = 0; i < 80; ++i) {
    round(i);
    const std::int64_t groups = pick(1, 3);
    const List input = {pick(1, 3), groups * pick(1, 2), pick(3, 11), pick(3, 13)};
    const List w = {groups * pick(1, 2), input[1] / groups, pick(1, 3), pick(1, 3)};
    const List s = pick_pair(1, 3), p = pick_pair(0, 3), d = pick_pair(1, 2);
    SAME_GRADIENTS_OR_ERROR(({input, w, {w[0]}}), t::conv2d(x[0], x[1], x[2], s, p, d, groups));
  }
}

TEST_F(Geometries, ConvTranspose2d) {
  for (int i = 0; i < 80; ++i) {
    round(i);
    const std::int64_t groups = pick(1, 3);
    const List input = {pick(1, 3), groups * pick(1, 2), pick(1, 6), pick(1, 7)};
    const List w = {input[1], pick(1, 2), pick(1, 3), pick(1, 3)};
    const List s = pick_pair(1, 3), p = pick_pair(0, 2), d = pick_pair(1, 2), o = pick_pair(0, 2);
    SAME_GRADIENTS_OR_ERROR(({input, w, {w[1] * groups}}),
                            t::conv_transpose2d(x[0], x[1], x[2], s, p, o, groups, d));
  }
}

TEST_F(Geometries, OneDimension) {
  for (int i = 0; i < 40; ++i) {
    round(i);
    const List s = {pick(1, 3)}, p = {pick(0, 3)}, d = {pick(1, 3)}, o = {pick(0, 2)};
    SAME_GRADIENTS_OR_ERROR(({{2, 4, pick(3, 11)}, {6, 2, pick(1, 3)}, {6}}),
                            t::conv1d(x[0], x[1], x[2], s, p, d, 2));
    SAME_GRADIENTS_OR_ERROR(({{4, pick(1, 7)}, {4, 3, pick(1, 3)}, {6}}),
                            t::conv_transpose1d(x[0], x[1], x[2], s, p, o, 2, d));
  }
}

TEST_F(Geometries, SameAndValidPadding) {
  for (const std::int64_t kernel : {1, 2, 3, 4})
    for (const std::int64_t d : {1, 2})
      for (const char* padding : {"same", "valid"}) {
        SAME_GRADIENTS(({{2, 3, 9, 10}, {4, 3, kernel, 3}}),
                       t::conv2d(x[0], x[1], {}, 1, padding, d));
        SAME_GRADIENTS(({{2, 3, 9}, {4, 3, kernel}}), t::conv1d(x[0], x[1], {}, 1, padding, d));
      }
}

// A layer with random weights in float64.
#define LAYER(Type, options) \
  t::manual_seed(7);         \
  t::nn::Type m(options);    \
  m->to(t::kDouble)

TEST_F(Geometries, PaddingModes) {
  for (int i = 0; i < 40; ++i) {
    round(i);
    const std::int64_t groups = pick(1, 2), mode = pick(0, 3);
    const List input = {pick(1, 2), 2 * groups, pick(4, 8), pick(4, 9)};
    const List k = pick_pair(1, 3), s = pick_pair(1, 2), p = pick_pair(0, 3), d = pick_pair(1, 2);
    const bool bias = coin();
    const auto options = [&](auto o, auto zeros, auto reflect, auto replicate, auto circular) {
      o.groups(groups).bias(bias);
      if (mode == 0) o.padding_mode(zeros);
      if (mode == 1) o.padding_mode(reflect);
      if (mode == 2) o.padding_mode(replicate);
      if (mode == 3) o.padding_mode(circular);
      return o;
    };
    SAME_GRADIENTS_OR_ERROR(({input}), [&] {
      LAYER(Conv2d, options(t::nn::Conv2dOptions(2 * groups, 4, {k[0], k[1]})
                                .stride({s[0], s[1]})
                                .padding({p[0], p[1]})
                                .dilation({d[0], d[1]}),
                            t::kZeros, t::kReflect, t::kReplicate, t::kCircular));
      return m->forward(x[0]);
    }());
    SAME_GRADIENTS_OR_ERROR(({{input[0], input[1], input[3]}}), [&] {
      LAYER(Conv1d,
            options(
                t::nn::Conv1dOptions(2 * groups, 4, k[0]).stride(s[0]).padding(p[0]).dilation(d[0]),
                t::kZeros, t::kReflect, t::kReplicate, t::kCircular));
      return m->forward(x[0]);
    }());
  }
}

TEST_F(Geometries, OutputSizesOfTransposedConvolutions) {
  for (int i = 0; i < 30; ++i) {
    round(i);
    const List input = {pick(1, 2), 2, pick(1, 5), pick(1, 5)}, s = pick_pair(1, 3);
    const List size = {(input[2] - 1) * s[0] + 3 - 2 + pick(-1, 3),
                       (input[3] - 1) * s[1] + 3 - 2 + pick(-1, 3)};
    SAME_GRADIENTS_OR_ERROR(({input}), [&] {
      LAYER(ConvTranspose2d,
            t::nn::ConvTranspose2dOptions(2, 3, 3).stride({s[0], s[1]}).padding(1));
      return m->forward(x[0], size);
    }());
  }
}

TEST_F(Geometries, NumpyConv2dOfTheNotebook) {
  SAME_GRADIENTS(({{2, 6, 4, 4}, {4, 3, 2, 2}, {4}}),
                 t::conv2d(x[0], x[1], x[2], {2, 1}, {1, 3}, {2, 3}, 2));
}

TEST_F(Geometries, MaxPool) {
  for (int i = 0; i < 80; ++i) {
    round(i);
    const List input = {pick(1, 2), pick(1, 3), pick(3, 20), pick(3, 40)};
    const List k = pick_pair(1, 4), s = pick_pair(1, 4), d = pick_pair(1, 3), p = pick_pair(0, 2);
    const bool ceil_mode = coin();
    SAME_GRADIENTS_OR_ERROR(({input}), t::max_pool2d(x[0], k, s, p, d, ceil_mode));
    SAME_GRADIENTS_OR_ERROR(({{2, 3, input[3]}}),
                            t::max_pool1d(x[0], k[0], s[0], p[0], d[0], ceil_mode));
    // Few values, so that there are ties.
    const auto values = torch::randint(-2, 3, input).to(torch::kDouble);
    SAME_VALUES_OR_ERROR(t::max_pool2d_with_indices(
        [&](const auto& probe) {
          if constexpr (std::is_same_v<std::decay_t<decltype(probe)>, torch::Tensor>)
            return values;
          else
            return beside::copy_of(values);
        }(t::Tensor()),
        k, s, p, d, ceil_mode));
  }
}

TEST_F(Geometries, MaxUnpool) {
  for (int i = 0; i < 30; ++i) {
    round(i);
    const List input = {pick(1, 2), pick(1, 3), pick(4, 9), pick(4, 9)};
    const std::int64_t k = pick(1, 3), s = pick(1, 3);
    const bool sized = coin();
    // libtorch accepts the size of all axes alone.
    const List size = {input[0], input[1], input[2] + pick(-1, 1), input[3] + pick(-1, 1)};
    SAME_GRADIENTS_OR_ERROR(({input}), [&] {
      t::nn::MaxPool2d pool(t::nn::MaxPool2dOptions(k).stride(s));
      t::nn::MaxUnpool2d unpool(t::nn::MaxUnpool2dOptions(k).stride(s));
      const auto [y, at] = pool->forward_with_indices(x[0]);
      // Overlapping windows would write to one place in turn.
      if (s < k) return y;
      return sized ? unpool->forward(y, at, size) : unpool->forward(y, at);
    }());
  }
}

TEST_F(Geometries, AvgPool) {
  for (int i = 0; i < 80; ++i) {
    round(i);
    const List input = {pick(1, 2), pick(1, 3), pick(2, 12), pick(2, 14)};
    const List k = pick_pair(1, 4), s = pick_pair(1, 4), p = pick_pair(0, 2);
    const bool ceil_mode = coin(), include = coin(), fixed = coin();
    const std::int64_t divisor = pick(0, 5);
    SAME_GRADIENTS_OR_ERROR(({input}), [&] {
      auto options = t::nn::AvgPool2dOptions({k[0], k[1]}).stride({s[0], s[1]});
      options.padding({p[0], p[1]}).ceil_mode(ceil_mode).count_include_pad(include);
      if (fixed) options.divisor_override(divisor);
      return t::nn::AvgPool2d(options)(x[0]);
    }());
    SAME_GRADIENTS_OR_ERROR(({{2, 3, input[3]}}),
                            t::avg_pool1d(x[0], k[0], s[0], p[0], ceil_mode, include));
  }
}

TEST_F(Geometries, LpPool) {
  for (int i = 0; i < 30; ++i) {
    round(i);
    const List input = {pick(1, 2), pick(1, 3), pick(3, 9), pick(3, 9)}, k = pick_pair(1, 3);
    const bool ceil_mode = coin(), strided = coin();
    const std::int64_t s = pick(1, 3);
    const double p = coin() ? 2 : real(1, 4);
    SAME_GRADIENTS_OR_ERROR(({input}), [&] {
      auto options = t::nn::LPPool2dOptions(p, {k[0], k[1]}).ceil_mode(ceil_mode);
      if (strided) options.stride(s);
      return t::nn::LPPool2d(options)(x[0].abs() + 0.1);
    }());
    SAME_GRADIENTS_OR_ERROR(({{2, 3, input[3]}}), [&] {
      auto options = t::nn::LPPool1dOptions(p, k[0]).ceil_mode(ceil_mode);
      if (strided) options.stride(s);
      return t::nn::LPPool1d(options)(x[0].abs() + 0.1);
    }());
  }
}

TEST_F(Geometries, AdaptivePool) {
  for (int i = 0; i < 40; ++i) {
    round(i);
    const List input = {pick(1, 2), pick(1, 3), pick(1, 12), pick(1, 14)}, o = pick_pair(1, 9);
    SAME_GRADIENTS(({input}), t::adaptive_avg_pool2d(x[0], o));
    SAME_GRADIENTS(({input}), std::get<0>(t::adaptive_max_pool2d(x[0], o)));
    SAME_GRADIENTS(({{2, 3, input[3]}}), t::adaptive_avg_pool1d(x[0], o[0]));
    SAME_GRADIENTS(({{3, input[3]}}), std::get<0>(t::adaptive_max_pool1d(x[0], o[0])));
  }
}

TEST_F(Geometries, UnfoldAndFold) {
  for (int i = 0; i < 30; ++i) {
    round(i);
    const List input = {pick(1, 2), pick(1, 3), pick(3, 9), pick(3, 9)}, k = pick_pair(1, 3);
    const List d = pick_pair(1, 2), p = pick_pair(0, 2), s = pick_pair(1, 3);
    SAME_GRADIENTS_OR_ERROR(({input}), t::im2col(x[0], k, d, p, s));
    List columns = {2, 3 * k[0] * k[1], 4};
    if (beside::error_of([&] {
          columns = torch::im2col(torch::zeros(input), k, d, p, s).sizes().vec();
        }).empty())
      SAME_GRADIENTS(({columns}), t::col2im(x[0], {input[2], input[3]}, k, d, p, s));
  }
  SAME_GRADIENTS(({{2, 12, 3, 2}}), t::pixel_shuffle(x[0], 2));
  SAME_GRADIENTS(({{2, 3, 6, 9}}), t::pixel_unshuffle(x[0], 3));
}

TEST_F(Geometries, ShapesOfMatmul) {
  for (int i = 0; i < 80; ++i) {
    round(i);
    const List extents = picks(4, 0, 5);  // of the product's axes and a batch's
    const auto side = [&](std::int64_t axes, bool left) {
      List shape;
      for (std::int64_t a = 2; a < axes; ++a) shape.push_back(coin() ? 1 : extents[3]);
      if (axes > 1) shape.push_back(left ? extents[0] : extents[1]);
      if (axes > 0) shape.push_back(left ? extents[1] : extents[2]);
      if (axes == 1 && !left) shape.back() = extents[1];
      return shape;
    };
    const List a = side(pick(0, 4), true), b = side(pick(0, 4), false);
    SAME_GRADIENTS_OR_ERROR(({a, b}), t::matmul(x[0], x[1]));
    SAME_GRADIENTS_OR_ERROR(({a, b}), t::mm(x[0], x[1]));
    SAME_GRADIENTS_OR_ERROR(({a, b}), t::bmm(x[0], x[1]));
    SAME_GRADIENTS_OR_ERROR(({a, b}), t::mv(x[0], x[1]));
    SAME_GRADIENTS_OR_ERROR(({a, b}), t::dot(x[0], x[1]));
    SAME_GRADIENTS_OR_ERROR(({a, b}), t::nn::functional::linear(x[0], x[1]));
  }
  SAME_GRADIENTS(({{40, 60}, {60, 70}}), t::matmul(x[0], x[1]));
}

TEST_F(Geometries, SumsWithProducts) {
  for (const List& self : {List{4, 6}, List{6}, List{4, 1}, List{}})
    SAME_GRADIENTS(({self, {4, 5}, {5, 6}}), t::addmm(x[0], x[1], x[2], 0.5, -2));
  SAME_GRADIENTS(({{2, 4, 6}, {2, 4, 5}, {2, 5, 6}}), t::baddbmm(x[0], x[1], x[2], 0.5, -2));
  SAME_GRADIENTS(({{4, 6}, {2, 4, 5}, {2, 5, 6}}), t::addbmm(x[0], x[1], x[2], 0.5, -2));
  SAME_GRADIENTS(({{4}, {4, 5}, {5}}), t::addmv(x[0], x[1], x[2], 0.5, -2));
  SAME_GRADIENTS(({{2, 3, 5}, {4, 5}}), t::inner(x[0], x[1]));
  SAME_GRADIENTS(({{2, 3, 4}, {4, 5}, {5, 6}}), t::einsum("bij,jk,kl->bil", {x[0], x[1], x[2]}));
  SAME_GRADIENTS(({{2, 3, 4}, {2, 4, 3}}), t::einsum("bij,bji", {x[0], x[1]}));
  SAME_GRADIENTS(({{3, 3, 2}}), t::einsum("iij->ji", {x[0]}));
  SAME_GRADIENTS(({{2, 3, 4}, {4, 3, 5}}), t::tensordot(x[0], x[1], {1, 2}, {1, 0}));
}

}  // namespace
