#pragma once

#include <tapedeck/array/array.h>

namespace tapedeck::kernels {

// One step of the recurrent networks, of what the input and the state contribute to the gates.
// Everything is contiguous and of one floating dtype: states [N, H], gates [N, gates * H].

/// i, f, o = sigmoid and g = tanh of x + h, next_c = f c + i g, next_h = o tanh(next_c); `gates`
/// becomes i, f, g, o.
struct LstmStep {
  Array next_h, next_c, gates;
};
LstmStep lstm_step(const Array& x, const Array& h, const Array& c);
/// The gradients of both x and h, and of c, from those of next_h and next_c, one of which may be
/// undefined.
struct LstmStepGradients {
  Array gates, c;
};
LstmStepGradients lstm_step_grad(const Array& gates, const Array& c, const Array& next_c,
                                 const Array& grad_h, const Array& grad_c);

/// r, z = sigmoid(x + h), n = tanh(x_n + r h_n), next = (state - n) z + n; `gates` becomes r, z, n.
struct GruStep {
  Array next, gates;
};
GruStep gru_step(const Array& x, const Array& h, const Array& state);
struct GruStepGradients {
  Array x, h, state;
};
GruStepGradients gru_step_grad(const Array& gates, const Array& h, const Array& state,
                               const Array& grad);

}  // namespace tapedeck::kernels
