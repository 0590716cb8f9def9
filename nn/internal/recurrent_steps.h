#pragma once

#include <tuple>

#include <tapedeck/autograd/variable.h>

namespace tapedeck::nn::detail {

// One step of the recurrent networks, of what the input and the state contribute to the gates:
// x and h are [N, gates * hidden_size].

/// act(x + h)
Tensor rnn_step(const Tensor& x, const Tensor& h, bool relu);
/// c' = sigmoid(f) c + sigmoid(i) tanh(g), h' = sigmoid(o) tanh(c'). Returns (h', c').
std::tuple<Tensor, Tensor> lstm_step(const Tensor& x, const Tensor& h, const Tensor& c);
/// r, z = sigmoid(x + h), n = tanh(x_n + r h_n), state' = (state - n) z + n.
Tensor gru_step(const Tensor& x, const Tensor& h, const Tensor& state);

}  // namespace tapedeck::nn::detail
