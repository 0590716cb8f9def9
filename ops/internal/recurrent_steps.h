#pragma once

#include <tuple>

#include <tapedeck/autograd/variable.h>

namespace tapedeck::detail {

// One step of the recurrent networks, of what the input and the state contribute to the gates:
// x and h are [N, gates * hidden_size], states [N, hidden_size].

/// act(x + h)
Variable rnn_step(const Variable& x, const Variable& h, bool relu);
/// c' = sigmoid(f) c + sigmoid(i) tanh(g), h' = sigmoid(o) tanh(c'). Returns (h', c').
std::tuple<Variable, Variable> lstm_step(const Variable& x, const Variable& h, const Variable& c);
/// r, z = sigmoid(x + h), n = tanh(x_n + r h_n), state' = (state - n) z + n.
Variable gru_step(const Variable& x, const Variable& h, const Variable& state);

}  // namespace tapedeck::detail
