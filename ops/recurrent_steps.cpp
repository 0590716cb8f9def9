#include <tapedeck/ops/internal/recurrent_steps.h>

#include <vector>

#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/ops/activation.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/joining.h>
#include <tapedeck/ops/kernels/recurrent.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck::detail {

using V = Variable;

namespace {

void check_step(const char* op, const V& x, const V& h, const V& state, std::int64_t gates) {
  const DimVector expected{state.size(0), gates * state.size(1)};
  TAPEDECK_CHECK(x.sizes().equals(expected) && h.sizes().equals(expected), op,
                 ": expected gates of shape ", expected, ", got ", x.sizes(), " and ", h.sizes());
  TAPEDECK_CHECK_AS(TypeError, x.dtype() == state.dtype() && h.dtype() == state.dtype(), op,
                    ": expected gates of the state's dtype ", state.dtype(), ", got ", x.dtype(),
                    " and ", h.dtype());
}

Array contiguous_or_undefined(const V& v) { return v.defined() ? v.contiguous().array() : Array(); }

V or_zeros(const V& g, const V& like) { return g.defined() ? g : zeros_like(like); }

// g y (1 - y) of y = sigmoid(x), and g (1 - y^2) of y = tanh(x)
V through_sigmoid(const V& g, const V& y) { return g * y * (1 - y); }
V through_tanh(const V& g, const V& y) { return g * (1 - y * y); }

// The gradients of a step in differentiable operations, for higher orders. g is that of (h', c',
// gates): what the first derivative reads of a step depends on its inputs again.
Gradients lstm_gradients(const Gradients& g, const V& gates, const V& c, const V& next_c) {
  const std::vector<V> y = gates.chunk(4, 1), extra = or_zeros(g[2], gates).chunk(4, 1);
  const V t = next_c.tanh(), grad_h = or_zeros(g[0], c);
  const V state = or_zeros(g[1], c) + through_tanh(grad_h * y[3], t);
  const V of_gates = cat(
      {through_sigmoid(state * y[2] + extra[0], y[0]), through_sigmoid(state * c + extra[1], y[1]),
       through_tanh(state * y[0] + extra[2], y[2]), through_sigmoid(grad_h * t + extra[3], y[3])},
      1);
  return {of_gates, of_gates, state * y[1]};
}

// The same of a step of a GRU, where g is that of (state', gates).
Gradients gru_gradients(const Gradients& g, const V& gates, const V& h, const V& state) {
  const std::vector<V> y = gates.chunk(3, 1), extra = or_zeros(g[1], gates).chunk(3, 1);
  const V grad = or_zeros(g[0], state);
  const V to_n = through_tanh(grad * (1 - y[1]) + extra[2], y[2]);
  const V to_r = through_sigmoid(to_n * h.chunk(3, 1)[2] + extra[0], y[0]);
  const V to_z = through_sigmoid(grad * (state - y[2]) + extra[1], y[1]);
  return {cat({to_r, to_z, to_n}, 1), cat({to_r, to_z, to_n * y[0]}, 1), grad * y[1]};
}

}  // namespace

V rnn_step(const V& x, const V& h, bool relu) {
  const V sum = x + h;
  return relu ? sum.relu() : sum.tanh();
}

// dc' += dh' o (1 - tanh(c')^2);  of i, f, g, o: dc' g, dc' c, dc' i, dh' tanh(c') through their
// activations, dc = dc' f
std::tuple<V, V> lstm_step(const V& x, const V& h, const V& c) {
  check_step("lstm_step", x, h, c, 4);
  const V state = c.contiguous();
  const kernels::LstmStep step =
      kernels::lstm_step(x.contiguous().array(), h.contiguous().array(), state.array());
  V next_h(step.next_h), next_c(step.next_c), gates(step.gates);
  if (should_record(x, h, state))
    record({&next_h, &next_c, &gates}, "LstmStepBackward0", edges(x, h, state),
           [gates = save_output(gates, 2), c = save(state), next_c = save_output(next_c, 1)](
               const Gradients& g, const VjpContext& ctx) {
             const V y = gates.get(ctx), before = c.get(ctx), after = next_c.get(ctx);
             if (GradMode::is_enabled() || g[2].defined())
               return lstm_gradients(g, y, before, after);
             const kernels::LstmStepGradients grads = kernels::lstm_step_grad(
                 y.array(), before.array(), after.array(), contiguous_or_undefined(g[0]),
                 contiguous_or_undefined(g[1]));
             const V of_gates(grads.gates);
             return Gradients{of_gates, of_gates, ctx.needs(2) ? V(grads.c) : V()};
           });
  return {next_h, next_c};
}

// dn = ds' (1 - z), dz = ds' (s - n), dr = dn_x h_n through their activations;  ds = ds' z
V gru_step(const V& x, const V& h, const V& state) {
  check_step("gru_step", x, h, state, 3);
  const V gates_of_h = h.contiguous(), before = state.contiguous();
  const kernels::GruStep step =
      kernels::gru_step(x.contiguous().array(), gates_of_h.array(), before.array());
  V next(step.next), gates(step.gates);
  if (should_record(x, gates_of_h, before))
    record({&next, &gates}, "GruStepBackward0", edges(x, gates_of_h, before),
           [gates = save_output(gates, 1), h = save(gates_of_h), s = save(before)](
               const Gradients& g, const VjpContext& ctx) {
             const V y = gates.get(ctx), of_h = h.get(ctx), old = s.get(ctx);
             if (GradMode::is_enabled() || g[1].defined()) return gru_gradients(g, y, of_h, old);
             const kernels::GruStepGradients grads = kernels::gru_step_grad(
                 y.array(), of_h.array(), old.array(), g[0].contiguous().array());
             return Gradients{V(grads.x), V(grads.h), ctx.needs(2) ? V(grads.state) : V()};
           });
  return next;
}

}  // namespace tapedeck::detail
