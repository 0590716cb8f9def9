// Layers against composed references, and their gradients with respect to inputs and parameters.
#include <cmath>

#include <gmock/gmock.h>

#include <tapedeck/tapedeck.h>
#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

namespace F = nn::functional;
using ::testing::HasSubstr;

template <typename F>
std::string message_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

Tensor noise(IntArrayRef sizes, std::uint64_t seed) {
  return testing_support::random_tensor(sizes.vec(), {-2, 2}, seed);
}

Tensor flat(const Tensor& t) { return t.flatten(); }
Tensor flat(const std::tuple<Tensor, Tensor>& t) {
  return cat({std::get<0>(t).flatten(), std::get<1>(t).flatten()});
}
Tensor flat(const std::tuple<Tensor, std::tuple<Tensor, Tensor>>& t) {
  return cat({std::get<0>(t).flatten(), flat(std::get<1>(t))});
}

// First and second derivatives in float64 with respect to the inputs and all parameters, at once.
template <typename Module>
void check_gradients(Module module, std::vector<std::vector<std::int64_t>> shapes) {
  module->to(kFloat64);
  std::vector<Tensor> variables;
  for (std::size_t i = 0; i < shapes.size(); ++i)
    variables.push_back(noise(shapes[i], i + 1).requires_grad_());
  const std::size_t inputs = variables.size();
  for (const Tensor& parameter : module->parameters()) {
    const NoGradGuard no_grad;
    parameter.copy_(noise(parameter.sizes(), variables.size() + 10));
    variables.push_back(parameter);
  }
  // The parameters are found by the module itself.
  const auto run = [&](const std::vector<Tensor>& x) {
    if constexpr (requires { module->forward(x[0]); }) {
      if (inputs == 1) return flat(module->forward(x[0]));
    }
    if constexpr (requires { module->forward(x[0], x[1]); })
      return flat(module->forward(x[0], x[1]));
    return Tensor();
  };
  const auto first = autograd::gradcheck(run, variables);
  EXPECT_TRUE(first) << first.report;
  const auto second = autograd::gradgradcheck(run, variables);
  EXPECT_TRUE(second) << second.report;
}

TEST(LayerGradients, OfEveryLayerWithParameters) {
  check_gradients(nn::Linear(3, 5), {{2, 3}});
  check_gradients(nn::Linear(3, 5), {{2, 4, 3}});
  check_gradients(nn::Bilinear(2, 3, 4), {{5, 2}, {5, 3}});
  check_gradients(nn::Conv1d(nn::Conv1dOptions(2, 3, 3).stride(2).padding(1)), {{2, 2, 7}});
  check_gradients(nn::Conv2d(nn::Conv2dOptions(2, 4, {3, 2}).groups(2).padding({1, 0, 2, 1})),
                  {{2, 2, 4, 5}});
  check_gradients(nn::Conv2d(nn::Conv2dOptions(1, 2, 3).padding(1).padding_mode(kCircular)),
                  {{2, 1, 4, 5}});
  check_gradients(nn::ConvTranspose1d(nn::ConvTranspose1dOptions(2, 3, 3).stride(2)), {{2, 2, 3}});
  check_gradients(nn::ConvTranspose2d(nn::ConvTranspose2dOptions(2, 3, {3, 2}).stride({2, 1})),
                  {{1, 2, 3, 4}});
  check_gradients(nn::BatchNorm1d(3), {{5, 3}});
  check_gradients(nn::BatchNorm2d(2), {{3, 2, 2, 3}});
  check_gradients(nn::InstanceNorm1d(nn::InstanceNorm1dOptions(2).affine(true)), {{2, 2, 5}});
  check_gradients(nn::InstanceNorm2d(2), {{2, 2, 2, 3}});
  check_gradients(nn::LayerNorm(std::vector<std::int64_t>{2, 3}), {{4, 2, 3}});
  check_gradients(nn::GroupNorm(2, 4), {{2, 4, 3}});
  check_gradients(nn::PReLU(nn::PReLUOptions().num_parameters(3)), {{2, 3, 4}});
  check_gradients(nn::RNN(3, 2), {{4, 2, 3}, {1, 2, 2}});
  check_gradients(nn::LSTM(nn::LSTMOptions(2, 3).bidirectional(true)), {{3, 2, 2}});
  check_gradients(nn::GRU(nn::GRUOptions(2, 3).num_layers(2)), {{3, 2, 2}});
  check_gradients(nn::RNNCell(2, 3), {{2, 2}, {2, 3}});
  check_gradients(nn::LSTMCell(2, 3), {{2, 2}});
  check_gradients(nn::GRUCell(2, 3), {{2, 2}, {2, 3}});
}

TEST(LayerGradients, OfLayersWithoutParameters) {
  check_gradients(nn::MaxPool2d(2), {{1, 2, 4, 5}});
  check_gradients(nn::AvgPool2d(3, 2, 1), {{1, 2, 4, 5}});
  check_gradients(nn::AvgPool1d(2), {{1, 2, 5}});
  check_gradients(nn::AdaptiveAvgPool2d(nn::AdaptiveAvgPool2dOptions({2, 3})), {{1, 2, 4, 5}});
  check_gradients(nn::AdaptiveMaxPool1d(2), {{1, 2, 5}});
  check_gradients(nn::CrossMapLRN2d(nn::CrossMapLRN2dOptions(4).alpha(0.5)), {{2, 4, 3, 2}});
  check_gradients(nn::LocalResponseNorm(nn::LocalResponseNormOptions(3).alpha(0.5)), {{2, 4, 3}});
  check_gradients(nn::ReflectionPad2d(1), {{1, 2, 3, 4}});
  check_gradients(nn::ReplicationPad1d(2), {{1, 2, 3}});
  check_gradients(nn::ConstantPad2d(nn::ConstantPad2dOptions({1, 0, 2, -1}, 3.5)), {{1, 2, 3, 4}});
  check_gradients(nn::ZeroPad2d(1), {{1, 2, 3, 4}});
  check_gradients(nn::Upsample(nn::UpsampleOptions().scale_factor(std::vector<double>{2, 1.5})),
                  {{1, 2, 3, 4}});
  check_gradients(nn::Upsample(nn::UpsampleOptions()
                                   .size(std::vector<std::int64_t>{5, 3})
                                   .mode(kBilinear)
                                   .align_corners(true)),
                  {{1, 2, 3, 4}});
  check_gradients(nn::PixelShuffle(2), {{1, 8, 2, 3}});
  check_gradients(nn::PixelUnshuffle(2), {{1, 2, 4, 6}});
  check_gradients(nn::Unfold(nn::UnfoldOptions({2, 3}).padding(1)), {{1, 2, 3, 4}});
  check_gradients(nn::Fold(nn::FoldOptions({3, 4}, {2, 3})), {{1, 12, 4}});
  check_gradients(nn::CosineSimilarity(), {{3, 4}, {3, 4}});
  check_gradients(nn::PairwiseDistance(), {{3, 4}, {3, 4}});
  check_gradients(nn::Softmax(1), {{3, 4}});
  check_gradients(nn::LogSoftmax(1), {{3, 4}});
  check_gradients(nn::Flatten(), {{2, 3, 4}});
  check_gradients(nn::GLU(), {{2, 6}});
}

TEST(Layers, EqualTheirDefinitions) {
  nn::Linear fc(3, 5);
  fc->to(kFloat64);
  const Tensor x = noise({2, 3}, 1);
  EXPECT_TRUE(fc(x).allclose(matmul(x, fc->weight.t()) + fc->bias, 1e-13, 1e-13));

  // Without features only the bias is left.
  nn::Linear of_nothing(0, 5);
  EXPECT_TRUE(of_nothing(zeros({4, 2, 0})).equal(of_nothing->bias.expand({4, 2, 5})));

  nn::Bilinear bilinear(2, 3, 4);
  bilinear->to(kFloat64);
  const Tensor a = noise({5, 2}, 1), b = noise({5, 3}, 2);
  const Tensor pairs = a.view({5, 1, 2, 1}) * b.view({5, 1, 1, 3}) * bilinear->weight;
  EXPECT_TRUE(bilinear(a, b).allclose(pairs.sum({2, 3}) + bilinear->bias, 1e-13, 1e-13));

  nn::Unflatten unflatten(1, std::vector<std::int64_t>{3, 2});
  nn::Flatten flatten;
  const Tensor image = noise({2, 6}, 3);
  EXPECT_TRUE(flatten(unflatten(image)).equal(image));
}

TEST(Layers, ConvolutionPadsEachSideOfItsOwn) {
  nn::Conv2d conv(nn::Conv2dOptions(2, 3, 3).padding({1, 2, 0, 3}).bias(false));
  conv->to(kFloat64);
  const Tensor x = noise({1, 2, 4, 5}, 1);
  const Tensor padded = F::pad(x, F::PadFuncOptions({0, 3, 1, 2}));
  EXPECT_TRUE(conv(x).allclose(tapedeck::conv2d(padded, conv->weight), 1e-12, 1e-12));
  EXPECT_EQ(nn::Conv2d(nn::Conv2dOptions(2, 3, {4, 3}).stride(2).padding(kSame))(x.to(kFloat32))
                .sizes()
                .vec(),
            (std::vector<std::int64_t>{1, 3, 2, 3}));
}

TEST(Layers, ConvTransposeTakesAnOutputSize) {
  nn::ConvTranspose2d conv(2, 3, 3, 2, 1);
  const Tensor x = ones({1, 2, 4, 5});
  EXPECT_EQ(conv(x).sizes().vec(), (std::vector<std::int64_t>{1, 3, 7, 9}));
  EXPECT_EQ(conv->forward(x, std::vector<std::int64_t>{8, 10}).sizes().vec(),
            (std::vector<std::int64_t>{1, 3, 8, 10}));
  EXPECT_THAT(message_of([&] {
                conv->forward(x, std::vector<std::int64_t>{9, 10});
              }),
              HasSubstr("requested an output size of [9, 10], but valid sizes range from 7 to 8"));
  nn::Sequential net(conv, nn::ReLU());
  EXPECT_EQ(net->forward(x).size(2), 7);
}

TEST(Layers, BatchNormUsesBatchesInTrainingAndRunningStatisticsAfter) {
  nn::BatchNorm1d bn(nn::BatchNorm1dOptions(3).momentum(std::nullopt));
  bn->to(kFloat64);
  const Tensor a = noise({5, 3}, 1), b = noise({5, 3}, 2);
  bn(a);
  bn(b);
  EXPECT_EQ(bn->num_batches_tracked.item<std::int64_t>(), 2);
  EXPECT_TRUE(bn->running_mean.allclose((a.mean(0) + b.mean(0)) / 2));
  bn->eval();
  const Tensor y = (a - bn->running_mean) / (bn->running_var + 1e-5).sqrt();
  EXPECT_TRUE(bn(a).allclose(y, 1e-12, 1e-12));
  EXPECT_THAT(message_of([&] {
                bn(ones({2, 3, 4, 5}, kFloat64));
              }),
              HasSubstr("BatchNorm1d: expected 2D or 3D input (got 4D input [2, 3, 4, 5])"));
  bn->train();
  EXPECT_THAT(message_of([&] {
                bn(ones({1, 3}, kFloat64));
              }),
              HasSubstr("Expected more than 1 value per channel when training"));
}

TEST(Layers, DropoutKeepsTheMeanAndStopsInEval) {
  manual_seed(1);
  nn::Dropout dropout(0.25);
  const Tensor x = ones({100, 100});
  const Tensor y = dropout(x);
  EXPECT_NEAR(y.mean().item<double>(), 1, 0.03);
  EXPECT_FLOAT_EQ(y.max().item<float>(), 1 / 0.75f);
  dropout->eval();
  EXPECT_TRUE(dropout(x).is_same(x));
  nn::Dropout2d channels;
  const Tensor z = channels(ones({4, 8, 3, 3}));
  EXPECT_TRUE(z.equal(z.select(3, 0).select(2, 0).unsqueeze(2).unsqueeze(3).expand({4, 8, 3, 3})));
  EXPECT_THAT(message_of([] { nn::Dropout(1.5); }),
              HasSubstr("dropout probability has to be between 0 and 1, but got 1.5"));
  EXPECT_THAT(message_of([&] { channels(ones({3})); }), HasSubstr("dropout2d: expected 3D or 4D"));
  Tensor in_place = ones({10, 10});
  EXPECT_TRUE(F::dropout(in_place, F::DropoutFuncOptions().inplace(true)).is_same(in_place));
  EXPECT_FALSE(in_place.equal(ones({10, 10})));
}

// The same values and first and second gradients as out of place, and the input is the result.
TEST(Layers, ActivationsInPlaceDifferentiate) {
  using Activation = Tensor (*)(const Tensor&, bool);
  const std::pair<const char*, Activation> activations[] = {
      {"relu", [](const Tensor& x, bool in_place) { return nn::ReLU(in_place)(x); }},
      {"relu6", [](const Tensor& x, bool in_place) { return nn::ReLU6(in_place)(x); }},
      {"leaky_relu",
       [](const Tensor& x, bool in_place) {
         return nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(0.2).inplace(in_place))(x);
       }},
      {"rrelu",
       [](const Tensor& x, bool in_place) {
         manual_seed(3);
         return nn::RReLU(nn::RReLUOptions().inplace(in_place))(x);
       }},
      {"elu",
       [](const Tensor& x, bool in_place) {
         return nn::ELU(nn::ELUOptions().alpha(0.5).inplace(in_place))(x);
       }},
      {"selu", [](const Tensor& x, bool in_place) { return nn::SELU(in_place)(x); }},
      {"celu",
       [](const Tensor& x, bool in_place) {
         return nn::CELU(nn::CELUOptions().alpha(0.7).inplace(in_place))(x);
       }},
      {"silu", [](const Tensor& x,
                  bool in_place) { return F::silu(x, nn::SiLUOptions().inplace(in_place)); }},
      {"hardswish",
       [](const Tensor& x, bool in_place) {
         return F::hardswish(x, nn::HardswishOptions().inplace(in_place));
       }},
      {"hardtanh",
       [](const Tensor& x, bool in_place) {
         return nn::Hardtanh(nn::HardtanhOptions().min_val(-1.5).inplace(in_place))(x);
       }},
      {"threshold", [](const Tensor& x, bool in_place) {
         return nn::Threshold(nn::ThresholdOptions(0.1, 3).inplace(in_place))(x);
       }}};
  for (const auto& [name, activation] : activations) {
    SCOPED_TRACE(name);
    const auto derivatives = [f = activation](bool in_place) {
      const Tensor x = noise({3, 5}, 7).requires_grad_(true);
      const Tensor before = x * 1.5;
      const Tensor y = f(before, in_place);
      EXPECT_EQ(y.is_same(before), in_place);
      const Tensor dx = autograd::grad({y.pow(3).sum()}, {x}, {}, true, true)[0];
      return std::vector<Tensor>{y, dx, autograd::grad({dx.pow(2).sum()}, {x})[0]};
    };
    const auto expected = derivatives(false), got = derivatives(true);
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_TRUE(got[i].equal(expected[i])) << "derivative " << i;
  }
}

TEST(Layers, EmbeddingLooksRowsUp) {
  nn::Embedding table(nn::EmbeddingOptions(5, 3).padding_idx(-1));
  EXPECT_TRUE(table->weight[4].equal(zeros({3})));
  const Tensor at = tensor({{0, 4}, {2, 2}}).to(kLong);
  const Tensor y = table(at);
  EXPECT_EQ(y.sizes().vec(), (std::vector<std::int64_t>{2, 2, 3}));
  EXPECT_TRUE(y[1][0].equal(table->weight[2]));
  y.sum().backward();
  EXPECT_TRUE(table->weight.grad().sum(1).equal(tensor({3.0f, 0.0f, 6.0f, 0.0f, 0.0f})));
  EXPECT_THAT(message_of([&] { table(tensor({5}).to(kLong)); }),
              HasSubstr("embedding: index 5 is out of range for 5 rows (weight [5, 3], indices [1])"
                        " in embedding"));
  nn::Embedding frozen = nn::Embedding::from_pretrained(ones({2, 3}));
  EXPECT_FALSE(frozen->weight.requires_grad());
  nn::Embedding limited(nn::EmbeddingOptions(2, 3).max_norm(1));
  EXPECT_LE(limited(tensor({0, 1}).to(kLong)).norm(Scalar(2), 1).max().item<float>(), 1.0001f);
}

TEST(Layers, ReLUWorksInPlace) {
  nn::Sequential net(nn::Linear(3, 3), nn::ReLU(true));
  const Tensor x = randn({2, 3}).requires_grad_();
  net->forward(x).sum().backward();
  EXPECT_TRUE(x.grad().defined());
  Tensor y = tensor({-1.0f, 2.0f});
  EXPECT_TRUE(nn::ReLU(true)(y).is_same(y));
  EXPECT_TRUE(y.equal(tensor({0.0f, 2.0f})));
}

TEST(Layers, RecurrentLayersTakeUnbatchedInputAndStates) {
  nn::LSTM lstm(nn::LSTMOptions(3, 4).num_layers(2).batch_first(true));
  const Tensor x = randn({2, 5, 3});
  const auto [y, state] = lstm(x);
  EXPECT_EQ(y.sizes().vec(), (std::vector<std::int64_t>{2, 5, 4}));
  EXPECT_EQ(std::get<0>(state).sizes().vec(), (std::vector<std::int64_t>{2, 2, 4}));
  EXPECT_TRUE(y.select(1, 4).allclose(std::get<0>(state)[1]));
  const auto [one, one_state] = lstm(x[1]);
  EXPECT_TRUE(one.allclose(y[1], 1e-5, 1e-6));
  EXPECT_EQ(std::get<1>(one_state).sizes().vec(), (std::vector<std::int64_t>{2, 4}));
  // A sequence in two parts.
  const auto [head, middle] = lstm(x.narrow(1, 0, 2));
  const auto [tail, last] = lstm(x.narrow(1, 2, 3), std::optional(middle));
  EXPECT_TRUE(cat({head, tail}, 1).allclose(y, 1e-5, 1e-6));
  EXPECT_THAT(message_of([&] {
                lstm(randn({2, 5, 4}));
              }),
              HasSubstr("LSTM: expected input_size 3, got 4"));
  nn::GRU gru(3, 4);
  EXPECT_THAT(message_of([&] {
                gru(randn({5, 2, 3}), zeros({1, 3, 4}));
              }),
              HasSubstr("GRU: expected hidden states of shape [1, 2, 4], got [1, 3, 4]"));
}

TEST(Losses, ModulesApplyTheirOptions) {
  const Tensor x = noise({4, 3}, 1).to(kFloat32), t = tensor({0, 2, 1, 1}).to(kLong);
  const Tensor w = tensor({1.0f, 2.0f, 3.0f});
  nn::CrossEntropyLoss loss(nn::CrossEntropyLossOptions().weight(w).reduction(kSum));
  EXPECT_TRUE(loss(x, t).allclose(cross_entropy_loss(x, t, w, Reduction::Sum)));
  EXPECT_EQ(loss->buffers().size(), 1u);
  EXPECT_TRUE(nn::MSELoss(nn::MSELossOptions(kNone))(x, x * 2).allclose(x.square()));
  EXPECT_TRUE(nn::KLDivLoss(nn::KLDivLossOptions(kBatchMean))(x.log_softmax(1), x.softmax(1))
                  .allclose(zeros({}), 0, 1e-6));
  const auto triplet = nn::TripletMarginWithDistanceLoss(
      nn::TripletMarginWithDistanceLossOptions().distance_function(
          [](const Tensor& a, const Tensor& b) { return (a - b).abs().sum(-1); }));
  EXPECT_TRUE(nn::TripletMarginWithDistanceLoss(triplet)(x, x, x).allclose(ones({})));
}

// ---- initialisation ----

TEST(Init, TruncatedNormalStaysWithinItsBounds) {
  manual_seed(1);
  const Tensor x = nn::init::trunc_normal_(empty({100, 100}), 1, 2, -1, 4);
  EXPECT_GE(x.min().item<float>(), -1);
  EXPECT_LE(x.max().item<float>(), 4);
  EXPECT_NEAR(x.mean().item<double>(), 1.2904, 0.05);
}

TEST(Init, OrthogonalMatricesAreOrthogonal) {
  for (const auto& [rows, columns] : {std::pair(7, 5), std::pair(5, 7)}) {
    const Tensor w = nn::init::orthogonal_(empty({rows, columns}, kFloat64), 3);
    const Tensor product = rows < columns ? matmul(w, w.t()) : matmul(w.t(), w);
    EXPECT_TRUE(product.allclose(eye(5, kFloat64) * 9, 1e-10, 1e-10));
  }
}

TEST(Init, SparseColumnsHoldZeros) {
  const Tensor w = nn::init::sparse_(empty({10, 4}), 0.35);
  EXPECT_TRUE(w.eq(0).sum(0).equal(full({4}, 4, kLong)));
  EXPECT_THAT(message_of([] { nn::init::sparse_(empty({3}), 0.5); }),
              HasSubstr("init::sparse_: expected a tensor of 2 dimensions, got [3]"));
}

// ---- utils ----

TEST(Utils, ClipGradNormScalesTogether) {
  const Tensor a = ones({2}).requires_grad_(), b = ones({3}).requires_grad_(), c = ones({1});
  (a * 3).sum().backward();
  (b * 4).sum().backward();
  const double norm = nn::utils::clip_grad_norm_({a, b, c}, 1.0);
  EXPECT_NEAR(norm, std::sqrt(18 + 48), 1e-5);
  EXPECT_NEAR(a.grad()[0].item<double>() * norm, 3, 1e-4);
  EXPECT_DOUBLE_EQ(nn::utils::clip_grad_norm_({c}, 1.0), 0.0);
  a.mutable_grad() = full({2}, INFINITY);
  EXPECT_THAT(message_of([&] { nn::utils::clip_grad_norm_({a}, 1.0, 2.0, true); }),
              HasSubstr("is not finite"));
  nn::utils::clip_grad_value_({a, b}, 0.1);
  EXPECT_FLOAT_EQ(a.grad()[0].item<float>(), 0.1f);
}

TEST(Utils, ParametersGoToAVectorAndBack) {
  nn::Linear fc(2, 3);
  const Tensor all = nn::utils::parameters_to_vector(fc->parameters());
  EXPECT_EQ(all.numel(), 9);
  nn::utils::vector_to_parameters(arange(9, kFloat32), fc->parameters());
  EXPECT_TRUE(fc->bias.equal(tensor({6.0f, 7.0f, 8.0f})));
  EXPECT_THAT(message_of([&] { nn::utils::vector_to_parameters(ones({8}), fc->parameters()); }),
              HasSubstr("expected a vector of 9 elements, got [8]"));
}

TEST(AdaptiveLogSoftmax, IsTheLogProbabilityOfTheTarget) {
  manual_seed(4);
  nn::AdaptiveLogSoftmaxWithLoss model(
      nn::AdaptiveLogSoftmaxWithLossOptions(8, 10, {3, 6}).div_value(2).head_bias(true));
  model->to(kFloat64);
  const Tensor x = randn({5, 8}, kFloat64).requires_grad_();
  const Tensor target = tensor({0, 9, 4, 2, 6}, kLong);
  const Tensor all = model->log_prob(x);
  EXPECT_TRUE(all.exp().sum(1).allclose(ones({5}, kFloat64)));
  const auto [output, loss] = model->forward(x, target);
  EXPECT_TRUE(output.allclose(all.gather(1, target.unsqueeze(1)).squeeze(1)));
  EXPECT_NEAR(loss, -output.mean().item<double>(), 1e-12);
  EXPECT_TRUE(model->forward(x[1], target[1]).output.allclose(output[1]));
  EXPECT_EQ(model->predict(x).sizes(), target.sizes());
  EXPECT_TRUE(autograd::gradcheck(
      [&](const autograd::variable_list& in) {
        return autograd::variable_list{model->forward(in[0], target).output};
      },
      {x}));
  EXPECT_THROW(model->forward(x, target + 1), IndexError);
  EXPECT_THROW(nn::AdaptiveLogSoftmaxWithLoss(8, 10, std::vector<std::int64_t>{6, 3}), ValueError);
}

}  // namespace
}  // namespace tapedeck
