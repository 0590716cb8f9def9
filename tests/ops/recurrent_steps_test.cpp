#include <tapedeck/ops/internal/recurrent_steps.h>

#include <gtest/gtest.h>

#include <tapedeck/tapedeck.h>
#include <tests/support/compare.h>
#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

using autograd::variable_list;
using detail::gru_step;
using detail::lstm_step;
using detail::rnn_step;
using testing_support::error_of;
using testing_support::list_row;
using testing_support::OpRow;
using testing_support::relative_error;
using testing_support::same_bits_for_any_threads;

std::vector<OpRow> rows() {
  return {
      list_row("rnn_step",
               [](const variable_list& x) { return variable_list{rnn_step(x[0], x[1], false)}; },
               {{{2, 3}, {2, 3}}}),
      list_row("lstm_step",
               [](const variable_list& x) {
                 const auto [h, c] = lstm_step(x[0], x[1], x[2]);
                 return variable_list{h, c};
               },
               {{{2, 12}, {2, 12}, {2, 3}}, {{3, 76}, {3, 76}, {3, 19}}, {{0, 8}, {0, 8}, {0, 2}}}),
      list_row("lstm_step_state_only",
               [](const variable_list& x) {
                 return variable_list{std::get<1>(lstm_step(x[0], x[1], x[2]))};
               },
               {{{2, 12}, {2, 12}, {2, 3}}}),
      list_row("lstm_step_output_only",
               [](const variable_list& x) {
                 return variable_list{std::get<0>(lstm_step(x[0], x[1], x[2]))};
               },
               {{{2, 12}, {2, 12}, {2, 3}}}),
      list_row("gru_step",
               [](const variable_list& x) { return variable_list{gru_step(x[0], x[1], x[2])}; },
               {{{2, 9}, {2, 9}, {2, 3}}, {{3, 57}, {3, 57}, {3, 19}}, {{0, 6}, {0, 6}, {0, 2}}}),
  };
}
TAPEDECK_OP_TABLE(RecurrentSteps, rows());

struct Operands {
  Tensor x, h, state;
  Operands(std::int64_t gates, std::int64_t N, std::int64_t H)
      : x(randn({N, gates * H})), h(randn({N, gates * H})), state(randn({N, H})) {}
};

TEST(RecurrentSteps, AreWhatTheirFormulasSay) {
  manual_seed(1);
  for (const std::int64_t H : {1, 8, 37}) {
    const Operands a(4, 5, H);
    const std::vector<Tensor> gates = (a.x + a.h).chunk(4, 1);
    const Tensor c = gates[1].sigmoid() * a.state + gates[0].sigmoid() * gates[2].tanh();
    const auto [next_h, next_c] = lstm_step(a.x, a.h, a.state);
    EXPECT_LT(relative_error(next_c.array(), c.array()), 1e-6);
    EXPECT_LT(relative_error(next_h.array(), (gates[3].sigmoid() * c.tanh()).array()), 1e-6);

    const Operands b(3, 5, H);
    const std::vector<Tensor> of_x = b.x.chunk(3, 1), of_h = b.h.chunk(3, 1);
    const Tensor r = (of_x[0] + of_h[0]).sigmoid(), z = (of_x[1] + of_h[1]).sigmoid();
    const Tensor n = (of_x[2] + r * of_h[2]).tanh();
    EXPECT_LT(
        relative_error(gru_step(b.x, b.h, b.state).array(), ((1 - z) * n + z * b.state).array()),
        1e-6);
  }
}

TEST(RecurrentSteps, DoNotDependOnTheNumberOfThreads) {
  manual_seed(2);
  const Operands a(4, 300, 70), b(3, 300, 70);
  for (const Tensor& t : {a.x, b.x}) t.set_requires_grad(true);
  EXPECT_TRUE(same_bits_for_any_threads([&] {
    return autograd::grad({std::get<0>(lstm_step(a.x, a.h, a.state)).sum()}, {a.x})[0].array();
  }));
  EXPECT_TRUE(same_bits_for_any_threads(
      [&] { return autograd::grad({gru_step(b.x, b.h, b.state).sum()}, {b.x})[0].array(); }));
}

TEST(RecurrentSteps, ErrorsSayWhatWasExpected) {
  const Tensor x = zeros({2, 12}), c = zeros({2, 3});
  EXPECT_EQ(error_of([&] {
              lstm_step(x, zeros({2, 9}), c);
            }),
            "lstm_step: expected gates of shape [2, 12], got [2, 12] and [2, 9]");
  EXPECT_EQ(error_of([&] {
              gru_step(zeros({2, 9}), zeros({2, 9}, kDouble), c);
            }),
            "gru_step: expected gates of the state's dtype Float, got Float and Double");
}

}  // namespace
}  // namespace tapedeck
