// Batches of sequences of different lengths, and the recurrent networks on them.
#include <gmock/gmock.h>

#include <tapedeck/autograd/gradcheck_gtest.h>
#include <tapedeck/tapedeck.h>

#include <tests/support/message_of.h>

namespace tapedeck {
namespace {

using namespace nn::utils::rnn;
using tapedeck::testing::message_of;
using ::testing::HasSubstr;

Tensor sequence(std::int64_t length, std::int64_t features) {
  return rand({length, features}, kFloat64) - 0.5;
}

TEST(PackedSequence, PadsWithAValue) {
  const Tensor a = tensor({1., 2., 3.}), b = tensor({4.});
  EXPECT_TRUE(equal(pad_sequence({a, b}, true, -1), tensor({{1., 2., 3.}, {4., -1., -1.}})));
  EXPECT_TRUE(equal(pad_sequence({a, b}), tensor({{1., 4.}, {2., 0.}, {3., 0.}})));
}

TEST(PackedSequence, LiesStepByStep) {
  const PackedSequence packed =
      pack_sequence({tensor({1., 2., 3.}), tensor({4., 5.}), tensor({6.})});
  EXPECT_TRUE(equal(packed.data(), tensor({1., 4., 6., 2., 5., 3.})));
  EXPECT_TRUE(equal(packed.batch_sizes(), tensor({3, 2, 1})));
  EXPECT_FALSE(packed.sorted_indices().defined());
}

TEST(PackedSequence, RestoresTheOrder) {
  const Tensor a = sequence(2, 3), b = sequence(5, 3), c = sequence(1, 3);
  const PackedSequence packed = pack_sequence({a, b, c}, false);
  EXPECT_TRUE(equal(packed.sorted_indices(), tensor({1, 0, 2})));
  const auto [padded, lengths] = pad_packed_sequence(packed, true);
  EXPECT_TRUE(equal(padded, pad_sequence({a, b, c}, true)));
  EXPECT_TRUE(equal(lengths, tensor({2, 5, 1})));
  const Tensor longer = std::get<0>(pad_packed_sequence(packed, false, 7, 6));
  EXPECT_EQ(longer.sizes(), (IntArrayRef{6, 3, 3}));
  EXPECT_EQ(longer[5].sum().item<double>(), 63);
}

TEST(PackedSequence, ErrorsSayWhatIsWrong) {
  const Tensor a = sequence(2, 3), b = sequence(5, 3);
  EXPECT_THAT(message_of([&] {
                pack_sequence({a, b});
              }),
              HasSubstr("`lengths` array must be sorted in decreasing order"));
  EXPECT_THAT(message_of([&] {
                pack_padded_sequence(rand({4, 2, 3}), tensor({5, 2}));
              }),
              HasSubstr("got lengths from 2 to 5 (input [4, 2, 3])"));
  EXPECT_THAT(message_of([&] {
                pack_padded_sequence(rand({4, 2, 3}), tensor({4}));
              }),
              HasSubstr("batch_size=2"));
  EXPECT_THAT(message_of([&] {
                pack_padded_sequence(rand({0, 0}), zeros({0}, kLong));
              }),
              HasSubstr("Cannot pack empty tensors"));
  EXPECT_THAT(message_of([&] {
                pad_packed_sequence(pack_sequence({b, a}), false, 0, 4);
              }),
              HasSubstr("total_length=4 and max sequence length being 5"));
}

TEST(PackedSequence, HasGradients) {
  EXPECT_TRUE(autograd::GradcheckPasses(
      [](const autograd::variable_list& x) {
        return autograd::variable_list{std::get<0>(pad_packed_sequence(pack_sequence(x, false)))};
      },
      {sequence(2, 3).requires_grad_(), sequence(5, 3).requires_grad_()}));
}

// Each sequence of the batch by itself is the reference.
template <typename Network, typename Options>
void expect_same_one_by_one(Options options) {
  manual_seed(1);
  Network network(options.num_layers(2).bidirectional(true));
  network->to(kFloat64);
  const std::vector<Tensor> inputs{sequence(2, 3), sequence(5, 3), sequence(4, 3)};
  const auto [output, state] = network->forward_with_packed_input(pack_sequence(inputs, false));
  const Tensor padded = std::get<0>(pad_packed_sequence(output));
  for (std::int64_t b = 0; b < 3; ++b) {
    const Tensor& x = inputs[static_cast<std::size_t>(b)];
    const auto [alone, last] = network->forward(x);
    EXPECT_TRUE(allclose(padded.select(1, b).slice(0, 0, x.size(0)), alone, 1e-12, 1e-12));
    EXPECT_EQ(padded.select(1, b).slice(0, x.size(0)).abs().sum().template item<double>(), 0);
    if constexpr (std::is_same_v<Network, nn::LSTM>) {
      EXPECT_TRUE(allclose(std::get<0>(state).select(1, b), std::get<0>(last), 1e-12, 1e-12));
      EXPECT_TRUE(allclose(std::get<1>(state).select(1, b), std::get<1>(last), 1e-12, 1e-12));
    } else {
      EXPECT_TRUE(allclose(state.select(1, b), last, 1e-12, 1e-12));
    }
  }
}

TEST(PackedSequence, RnnIsThatOfEachSequence) {
  expect_same_one_by_one<nn::RNN>(nn::RNNOptions(3, 4));
}
TEST(PackedSequence, GruIsThatOfEachSequence) {
  expect_same_one_by_one<nn::GRU>(nn::GRUOptions(3, 4));
}
TEST(PackedSequence, LstmIsThatOfEachSequence) {
  expect_same_one_by_one<nn::LSTM>(nn::LSTMOptions(3, 4).proj_size(2));
}

TEST(PackedSequence, FirstStatesAreInTheUsersOrder) {
  nn::GRU network(3, 4);
  network->to(kFloat64);
  const std::vector<Tensor> inputs{sequence(2, 3), sequence(5, 3)};
  const Tensor first = rand({1, 2, 4}, kFloat64);
  const auto [output, last] =
      network->forward_with_packed_input(pack_sequence(inputs, false), first);
  for (std::int64_t b = 0; b < 2; ++b)
    EXPECT_TRUE(allclose(
        last.select(1, b),
        std::get<1>(network->forward(inputs[static_cast<std::size_t>(b)], first.select(1, b))),
        1e-12, 1e-12));
}

}  // namespace
}  // namespace tapedeck
