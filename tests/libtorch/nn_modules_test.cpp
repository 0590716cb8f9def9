// Layers beside libtorch's: default initialisation bit for bit, outputs and gradients.
#include <cstring>

#include <tests/libtorch/beside.h>

namespace {

// Parameters and buffers, in order.
template <typename Module>
auto tensors_of(const Module& module) {
  auto list = module->parameters();
  for (const auto& buffer : module->buffers()) list.push_back(buffer);
  return list;
}

void expect_same_bits(const beside::Theirs& theirs, const beside::Ours& ours) {
  ASSERT_EQ(theirs.size(), ours.size());
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    ASSERT_EQ(theirs[i].sizes().vec(), ours[i].sizes().vec());
    ASSERT_EQ(static_cast<int>(theirs[i].scalar_type()), static_cast<int>(ours[i].scalar_type()));
    EXPECT_EQ(std::memcmp(theirs[i].data_ptr(), ours[i].data_ptr(), theirs[i].nbytes()), 0)
        << "tensor " << i;
  }
}

#define SAME_START(...)             \
  do {                              \
    SCOPED_TRACE(#__VA_ARGS__);     \
    const auto theirs = [&] {       \
      namespace t = torch;          \
      t::manual_seed(7);            \
      t::nn::__VA_ARGS__;           \
      return tensors_of(m);         \
    }();                            \
    const auto ours = [&] {         \
      namespace t = tapedeck;       \
      t::manual_seed(7);            \
      t::nn::__VA_ARGS__;           \
      return tensors_of(m);         \
    }();                            \
    expect_same_bits(theirs, ours); \
  } while (false)

TEST(BesideLibtorch, LayersStartWithTheSameBits) {
  SAME_START(Linear m(7, 5));
  SAME_START(Linear m(t::nn::LinearOptions(7, 5).bias(false)));
  SAME_START(Bilinear m(3, 4, 5));
  SAME_START(AdaptiveLogSoftmaxWithLoss m(
      t::nn::AdaptiveLogSoftmaxWithLossOptions(8, 10, {3, 6}).div_value(2).head_bias(true)));
  SAME_START(Conv1d m(3, 4, 5));
  SAME_START(Conv2d m(t::nn::Conv2dOptions(4, 6, {3, 5}).groups(2)));
  SAME_START(ConvTranspose1d m(3, 4, 5));
  SAME_START(ConvTranspose2d m(t::nn::ConvTranspose2dOptions(4, 6, {3, 5}).groups(2)));
  SAME_START(BatchNorm1d m(3));
  SAME_START(BatchNorm2d m(3));
  SAME_START(
      InstanceNorm2d m(t::nn::InstanceNorm2dOptions(3).affine(true).track_running_stats(true)));
  SAME_START(LayerNorm m(t::nn::LayerNormOptions({3, 5})));
  SAME_START(GroupNorm m(2, 4));
  SAME_START(PReLU m(t::nn::PReLUOptions().num_parameters(3)));
  SAME_START(Embedding m(t::nn::EmbeddingOptions(5, 3).padding_idx(2)));
  SAME_START(EmbeddingBag m(5, 3));
  SAME_START(RNN m(t::nn::RNNOptions(3, 4).num_layers(2)));
  SAME_START(LSTM m(t::nn::LSTMOptions(3, 4).num_layers(2).bidirectional(true)));
  SAME_START(LSTM m(t::nn::LSTMOptions(3, 4).proj_size(2)));
  SAME_START(GRU m(t::nn::GRUOptions(3, 4).bias(false)));
  SAME_START(RNNCell m(3, 4));
  SAME_START(LSTMCell m(3, 4));
  SAME_START(GRUCell m(3, 4));
  SAME_START(Sequential m(t::nn::Conv2d(1, 4, 3), t::nn::ReLU(), t::nn::Linear(5, 2)));
}

#define SAME_INIT(...)                   \
  do {                                   \
    SCOPED_TRACE(#__VA_ARGS__);          \
    torch::Tensor theirs;                \
    tapedeck::Tensor ours;               \
    {                                    \
      namespace t = torch;               \
      t::manual_seed(7);                 \
      theirs = t::nn::init::__VA_ARGS__; \
    }                                    \
    {                                    \
      namespace t = tapedeck;            \
      t::manual_seed(7);                 \
      ours = t::nn::init::__VA_ARGS__;   \
    }                                    \
    expect_same_bits({theirs}, {ours});  \
  } while (false)

TEST(BesideLibtorch, InitialisersDrawTheSameBits) {
  SAME_INIT(uniform_(t::empty({5, 7}), -1, 2));
  SAME_INIT(normal_(t::empty({5, 7}), 1, 2));
  SAME_INIT(constant_(t::empty({5, 7}), 3));
  SAME_INIT(eye_(t::empty({3, 5})));
  SAME_INIT(dirac_(t::empty({3, 4, 3, 2})));
  SAME_INIT(xavier_uniform_(t::empty({5, 7, 2}), 1.5));
  SAME_INIT(xavier_normal_(t::empty({5, 7, 2})));
  SAME_INIT(kaiming_uniform_(t::empty({5, 7, 2}), 0, t::kFanOut, t::kReLU));
  SAME_INIT(kaiming_normal_(t::empty({5, 7, 2}), 0.1));
  SAME_INIT(sparse_(t::empty({5, 7}), 0.3));
  const auto orthogonal = [](auto tensor) { return tensor * 1; };
  SAME_TEXT((t::manual_seed(7), orthogonal(t::nn::init::orthogonal_(t::empty({3, 2, 4}), 2))));
  SAME_TEXT((t::manual_seed(7), orthogonal(t::nn::init::orthogonal_(t::empty({6, 4})))));
  SAME_TEXT(t::nn::init::calculate_gain(t::kTanh));
  SAME_TEXT(t::nn::init::calculate_gain(t::kLeakyReLU, 0.2));
  BOTH_THROW(t::nn::init::eye_(t::empty({3})));
  BOTH_THROW(t::nn::init::kaiming_uniform_(t::empty({3})));
}

// A module with random weights in float64.
#define DOUBLE(...)   \
  t::manual_seed(7);  \
  t::nn::__VA_ARGS__; \
  m->to(t::kDouble);

TEST(BesideLibtorch, ConvolutionsWithPaddingModes) {
  SAME_GRADIENTS(({{2, 3, 6, 7}}), [&] {
    DOUBLE(Conv2d m(t::nn::Conv2dOptions(3, 4, {3, 2}).padding({2, 1}).stride({1, 2})));
    return m->forward(x[0]);
  }());
  SAME_GRADIENTS(({{2, 3, 6, 7}}), [&] {
    DOUBLE(Conv2d m(t::nn::Conv2dOptions(3, 4, {3, 2}).padding({2, 1}).padding_mode(t::kReflect)));
    return m->forward(x[0]);
  }());
  // Square, because libtorch takes the paddings of H and W for each other here.
  SAME_GRADIENTS(({{2, 3, 6, 7}}), [&] {
    DOUBLE(Conv2d m(t::nn::Conv2dOptions(3, 4, 4).padding(t::kSame).padding_mode(t::kCircular)));
    return m->forward(x[0]);
  }());
  SAME_GRADIENTS(({{2, 4, 9}}), [&] {
    DOUBLE(Conv1d m(t::nn::Conv1dOptions(4, 6, 3).padding(t::kSame).dilation(2).groups(2)));
    return m->forward(x[0]);
  }());
  SAME_GRADIENTS(({{2, 3, 4, 5}}), [&] {
    DOUBLE(ConvTranspose2d m(t::nn::ConvTranspose2dOptions(3, 4, 3).stride(2).padding(1)));
    return m->forward(x[0], std::vector<std::int64_t>{8, 9});
  }());
  SAME_GRADIENTS(({{2, 3, 4}}), [&] {
    DOUBLE(ConvTranspose1d m(t::nn::ConvTranspose1dOptions(3, 4, 3).stride(2).output_padding(1)));
    return m->forward(x[0]);
  }());
}

TEST(BesideLibtorch, RecurrentNetworks) {
  SAME_GRADIENTS(({{5, 2, 3}}), [&] {
    DOUBLE(RNN m(t::nn::RNNOptions(3, 4).num_layers(2).nonlinearity(t::kReLU)));
    return std::get<0>(m->forward(x[0]));
  }());
  SAME_GRADIENTS(({{5, 2, 3}, {4, 2, 4}}), [&] {
    DOUBLE(GRU m(t::nn::GRUOptions(3, 4).num_layers(2).bidirectional(true)));
    auto [y, h] = m->forward(x[0], x[1]);
    return t::cat({y.flatten(), h.flatten()});
  }());
  SAME_GRADIENTS(({{2, 5, 3}, {4, 2, 2}, {4, 2, 4}}), [&] {
    DOUBLE(LSTM m(
        t::nn::LSTMOptions(3, 4).num_layers(2).bidirectional(true).batch_first(true).proj_size(2)));
    auto [y, state] = m->forward(x[0], std::make_tuple(x[1], x[2]));
    return t::cat({y.flatten(), std::get<0>(state).flatten(), std::get<1>(state).flatten()});
  }());
  SAME_GRADIENTS(({{2, 3}, {2, 4}}), [&] {
    DOUBLE(RNNCell m(3, 4));
    return m->forward(x[0], x[1]);
  }());
  SAME_GRADIENTS(({{2, 3}, {2, 4}, {2, 4}}), [&] {
    DOUBLE(LSTMCell m(3, 4));
    return std::get<1>(m->forward(x[0], std::make_tuple(x[1], x[2])));
  }());
  SAME_GRADIENTS(({{2, 3}, {2, 4}}), [&] {
    DOUBLE(GRUCell m(3, 4));
    return m->forward(x[0], x[1]);
  }());
}

TEST(BesideLibtorch, AdaptiveLogSoftmax) {
#define SAME_ADAPTIVE(...)                                                      \
  SAME_GRADIENTS(({{5, 8}}), [&] {                                              \
    t::manual_seed(3);                                                          \
    t::nn::AdaptiveLogSoftmaxWithLoss m(                                        \
        t::nn::AdaptiveLogSoftmaxWithLossOptions(8, 10, {3, 6}).div_value(2.)); \
    m->to(t::kDouble);                                                          \
    return __VA_ARGS__;                                                         \
  }())
  SAME_ADAPTIVE(m->forward(x[0], t::tensor({0, 9, 4, 2, 6}, t::kLong)).output);
  SAME_ADAPTIVE(m->forward(x[0], t::tensor({0, 1, 1, 2, 0}, t::kLong)).output);
  SAME_ADAPTIVE(m->log_prob(x[0]));
  SAME_ADAPTIVE(m->predict(x[0]).to(t::kDouble) * x[0].select(1, 0));
}

TEST(BesideLibtorch, Activations) {
#define SAME_ACTIVATION(...)          \
  SAME_GRADIENTS(({{2, 4, 5}}), [&] { \
    t::nn::__VA_ARGS__;               \
    return m->forward(x[0] * 1.7);    \
  }())
  SAME_ACTIVATION(ReLU m);
  SAME_ACTIVATION(ReLU6 m);
  SAME_ACTIVATION(LeakyReLU m(t::nn::LeakyReLUOptions().negative_slope(0.2)));
  SAME_ACTIVATION(ELU m(t::nn::ELUOptions().alpha(0.7)));
  SAME_ACTIVATION(SELU m);
  // libtorch rounds 1 / alpha to float32.
  SAME_ACTIVATION(CELU m(t::nn::CELUOptions().alpha(0.5)));
  SAME_ACTIVATION(GELU m);
  SAME_ACTIVATION(SiLU m);
  SAME_ACTIVATION(Mish m);
  SAME_ACTIVATION(Sigmoid m);
  SAME_ACTIVATION(Tanh m);
  SAME_ACTIVATION(LogSigmoid m);
  SAME_ACTIVATION(Hardtanh m);
  SAME_ACTIVATION(Hardshrink m(0.3));
  SAME_ACTIVATION(Softshrink m(0.3));
  SAME_ACTIVATION(Softplus m(t::nn::SoftplusOptions().beta(2)));
  SAME_ACTIVATION(Softsign m);
  SAME_ACTIVATION(Tanhshrink m);
  SAME_ACTIVATION(Threshold m(0.3, -2));
  SAME_ACTIVATION(GLU m(1));
  SAME_ACTIVATION(Softmax m(1));
  SAME_ACTIVATION(Softmin m(2));
  SAME_ACTIVATION(LogSoftmax m(1));
  SAME_ACTIVATION(RReLU m; m->eval());
}

TEST(BesideLibtorch, ClippingOfGradients) {
  SAME_TEXT([&] {
    t::manual_seed(1);
    auto a = t::randn({3, 4}).requires_grad_(), b = t::randn({5}).requires_grad_();
    (a.square().sum() + b.exp().sum()).backward();
    const double norm = t::nn::utils::clip_grad_norm_({a, b}, 1.5);
    t::nn::utils::clip_grad_value_({a, b}, 0.4);
    return std::tuple(norm, a.grad(), b.grad(), t::nn::utils::parameters_to_vector({a, b}));
  }());
}

}  // namespace
