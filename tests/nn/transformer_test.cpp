#include <cmath>

#include <gmock/gmock.h>

#include <tapedeck/autograd/gradcheck_gtest.h>
#include <tapedeck/tapedeck.h>

#include <tests/support/message_of.h>
#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

using tapedeck::testing::message_of;
using ::testing::HasSubstr;

nn::MultiheadAttention attention(nn::MultiheadAttentionOptions options) {
  manual_seed(1);
  nn::MultiheadAttention m(options);
  m->to(kFloat64);
  for (const Tensor& p : m->parameters()) nn::init::uniform_(p, -0.5, 0.5);
  return m;
}

// The output and the averaged weights for one query, from the definition.
struct Naive {
  Tensor output, weights;
};
Naive naive(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& added,
            nn::MultiheadAttentionImpl& m) {
  const std::int64_t T = q.size(0), S = k.size(0), E = q.size(1), D = m.head_dim;
  const std::int64_t heads = E / D;
  Naive result{zeros({T, E}, kFloat64), zeros({T, S}, kFloat64)};
  for (std::int64_t head = 0; head < heads; ++head)
    for (std::int64_t t = 0; t < T; ++t) {
      std::vector<double> weight(static_cast<std::size_t>(S));
      double sum = 0;
      for (std::int64_t s = 0; s < S; ++s) {
        double score = added.defined() ? added[t][s].item<double>() : 0;
        for (std::int64_t d = head * D; d < (head + 1) * D; ++d)
          score +=
              q[t][d].item<double>() * k[s][d].item<double>() / std::sqrt(static_cast<double>(D));
        sum += weight[static_cast<std::size_t>(s)] = std::exp(score);
      }
      for (std::int64_t s = 0; s < S; ++s) {
        const double w = weight[static_cast<std::size_t>(s)] / sum;
        result.weights[t][s] += w / static_cast<double>(heads);
        for (std::int64_t d = head * D; d < (head + 1) * D; ++d)
          result.output[t][d] += w * v[s][d].item<double>();
      }
    }
  result.output = nn::functional::linear(result.output, m.out_proj->weight, m.out_proj->bias);
  return result;
}

std::vector<testing_support::OpRow> rows() {
  return {testing_support::list_row(
      "multi_head_attention_forward",
      [](const autograd::variable_list& x) {
        const auto [y, w] = nn::functional::multi_head_attention_forward(
            x[0], x[1], x[2],
            nn::functional::MultiheadAttentionForwardFuncOptions(4, 2, x[3], x[4], Tensor(),
                                                                 Tensor(), true, 0, x[5], x[6]));
        return autograd::variable_list{y, w};
      },
      {{{2, 3, 4}, {5, 3, 4}, {5, 3, 4}, {12, 4}, {12}, {4, 4}, {4}}})};
}
TAPEDECK_OP_TABLE(AttentionOps, rows());

TEST(MultiheadAttention, EqualsTheDefinition) {
  const NoGradGuard no_grad;
  auto m = attention(nn::MultiheadAttentionOptions(6, 2));
  const Tensor q = rand({3, 2, 6}, kFloat64), k = rand({5, 2, 6}, kFloat64);
  const Tensor v = rand({5, 2, 6}, kFloat64), added = rand({3, 5}, kFloat64);
  const auto [output, weights] = m->forward(q, k, v, {}, true, added);
  const auto w = m->in_proj_weight.chunk(3), b = m->in_proj_bias.chunk(3);
  for (std::int64_t n = 0; n < 2; ++n) {
    const auto part = [&](const Tensor& x, std::size_t i) {
      return nn::functional::linear(x.select(1, n), w[i], b[i]);
    };
    const Naive expected = naive(part(q, 0), part(k, 1), part(v, 2), added, *m);
    EXPECT_TRUE(allclose(output.select(1, n), expected.output, 1e-12, 1e-12));
    EXPECT_TRUE(allclose(weights[n], expected.weights, 1e-12, 1e-12));
  }
}

TEST(MultiheadAttention, MasksExclude) {
  auto m = attention(nn::MultiheadAttentionOptions(4, 2));
  const Tensor x = rand({3, 2, 4}, kFloat64);
  const Tensor later = ones({3, 3}, kFloat64).triu(1).to(kBool);
  const auto [output, weights] = m->forward(x, x, x, {}, true, later);
  EXPECT_EQ(weights.triu(1).abs().sum().item<double>(), 0);
  const Tensor mask = nn::TransformerImpl::generate_square_subsequent_mask(3).to(kFloat64);
  EXPECT_TRUE(allclose(std::get<0>(m->forward(x, x, x, {}, false, mask)), output, 1e-12, 1e-12));
  EXPECT_FALSE(std::get<1>(m->forward(x, x, x, {}, false, mask)).defined());

  // A key that is padding might as well not be there.
  const Tensor padding = tensor({{false, false, true}, {false, false, true}});
  const Tensor first = x.slice(0, 0, 2);
  EXPECT_TRUE(allclose(std::get<0>(m->forward(x, x, x, padding)),
                       std::get<0>(m->forward(x, first, first)), 1e-12, 1e-12));
  const Tensor by_head = std::get<1>(m->forward(x, x, x, padding, true, {}, false));
  EXPECT_EQ(by_head.sizes(), (IntArrayRef{2, 2, 3, 3}));
  EXPECT_TRUE(allclose(by_head.sum(-1), ones({2, 2, 3}, kFloat64), 1e-12, 1e-12));
}

TEST(MultiheadAttention, HasGradients) {
  struct Case {
    nn::MultiheadAttentionOptions options;
    std::int64_t key_features, value_features;
  };
  for (const Case& c :
       {Case{nn::MultiheadAttentionOptions(4, 2), 4, 4},
        Case{nn::MultiheadAttentionOptions(4, 2).kdim(3).vdim(5).bias(false), 3, 5},
        Case{nn::MultiheadAttentionOptions(4, 2).add_bias_kv(true).add_zero_attn(true), 4, 4}}) {
    auto m = attention(c.options);
    const Tensor mask = zeros({2, 3}, kFloat64);
    const Tensor padding = zeros({2, 3}, kBool);
    autograd::variable_list inputs{rand({2, 2, 4}, kFloat64).requires_grad_(),
                                   rand({3, 2, c.key_features}, kFloat64).requires_grad_(),
                                   rand({3, 2, c.value_features}, kFloat64).requires_grad_()};
    for (const Tensor& p : m->parameters()) inputs.push_back(p);
    const auto forward = [&](const autograd::variable_list& x) {
      const auto [y, w] = m->forward(x[0], x[1], x[2], padding, true, mask);
      return autograd::variable_list{y, w};
    };
    EXPECT_TRUE(autograd::GradcheckPasses(forward, inputs));
  }
}

TEST(MultiheadAttention, ErrorsSayWhatIsWrong) {
  EXPECT_THAT(message_of([] { nn::MultiheadAttention(5, 2); }),
              HasSubstr("embed_dim must be divisible by num_heads, got 5 and 2"));
  nn::MultiheadAttention m(4, 2);
  const Tensor x = rand({3, 2, 4});
  EXPECT_THAT(message_of([&] {
                m->forward(x, rand({3, 1, 4}), x);
              }),
              HasSubstr("got [3, 2, 4], [3, 1, 4] and [3, 2, 4]"));
  EXPECT_THAT(message_of([&] {
                m->forward(x, x, x, zeros({3, 2}, kBool));
              }),
              HasSubstr("expected a key_padding_mask of shape [2, 3], got [3, 2]"));
}

TEST(Transformer, LayersAreCopiesThatLearn) {
  manual_seed(2);
  nn::TransformerEncoder encoder(
      nn::TransformerEncoderOptions(
          nn::TransformerEncoderLayerOptions(4, 2).dim_feedforward(8).dropout(0).activation(kGELU),
          2)
          .norm(nn::AnyModule(nn::LayerNorm(nn::LayerNormOptions({4})))));
  EXPECT_EQ(encoder->layers->size(), 2);
  const auto parameters = encoder->named_parameters();
  EXPECT_TRUE(parameters.contains("layers.1.self_attn.out_proj.weight"));
  EXPECT_TRUE(equal(parameters["layers.0.linear1.weight"], parameters["layers.1.linear1.weight"]));
  EXPECT_FALSE(
      parameters["layers.0.linear1.weight"].is_same(parameters["layers.1.linear1.weight"]));

  optim::Adam optimizer(encoder->parameters(), 1e-2);
  const Tensor x = randn({3, 2, 4}), target = x.flip(0);
  double first = 0, last = 0;
  for (int i = 0; i < 30; ++i) {
    optimizer.zero_grad();
    const Tensor loss = mse_loss(encoder(x), target);
    loss.backward();
    optimizer.step();
    last = loss.item<double>();
    if (i == 0) first = last;
  }
  EXPECT_LT(last, first / 2);
}

TEST(Transformer, DecoderSeesNoLaterStep) {
  manual_seed(3);
  nn::Transformer model(nn::TransformerOptions(8, 2, 1, 1).dim_feedforward(8).dropout(0));
  const Tensor src = randn({4, 1, 8}), tgt = randn({3, 1, 8});
  const Tensor mask = nn::TransformerImpl::generate_square_subsequent_mask(3);
  const Tensor y = model(src, tgt, Tensor(), mask);
  Tensor changed = tgt.clone();
  changed[2].add_(1);
  const Tensor z = model(src, changed, Tensor(), mask);
  EXPECT_TRUE(allclose(y.slice(0, 0, 2), z.slice(0, 0, 2)));
  EXPECT_FALSE(allclose(y[2], z[2]));
  // A copy gives the same, and a sequence of modules fills in the masks.
  const auto copy = std::dynamic_pointer_cast<nn::TransformerImpl>(model->clone());
  EXPECT_TRUE(equal(copy->forward(src, tgt, {}, mask), y));
  nn::Sequential layers(nn::TransformerEncoderLayer(8, 2), nn::Linear(8, 3));
  EXPECT_EQ(layers->forward(src).sizes(), (IntArrayRef{4, 1, 3}));
}

TEST(Transformer, ErrorsNameTheShapes) {
  nn::Transformer model(nn::TransformerOptions(4, 2, 1, 1).dim_feedforward(4));
  EXPECT_THAT(message_of([&] {
                model(rand({3, 2, 4}), rand({3, 1, 4}));
              }),
              HasSubstr("should have equal batch size (at dim 1), but got [3, 2, 4]"));
  EXPECT_THAT(message_of([&] {
                model(rand({3, 2, 5}), rand({3, 2, 4}));
              }),
              HasSubstr("same feature size as d_model"));
  EXPECT_THAT(message_of([&] {
                model(rand({2, 4}), rand({3, 4}));
              }),
              HasSubstr("should have 3 dimensions"));
}

}  // namespace
}  // namespace tapedeck
