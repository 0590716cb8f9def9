#include <tapedeck/ops/kernels/recurrent.h>

#include <algorithm>
#include <cstdint>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/ceil_div.h>
#include <tapedeck/ops/kernels/recurrent_rows.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kElementsInPiece = 1 << 12;  // of a state

// Calls f(loops, n) for every row of states [N, H].
template <typename F>
void for_rows(const Array& state, const char* op, F&& f) {
  const std::int64_t N = state.size(0), H = state.size(1);
  const std::int64_t grain = ceil_div(kElementsInPiece, std::max<std::int64_t>(1, H));
  dispatch_floating(state.dtype(), op, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const RecurrentRows<T>& loops = recurrent_rows<T>();
    parallel_for(N, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n) f(loops, n);
    });
  });
}

// Row n of an array of the loops' type; null of an undefined one.
template <typename T>
T* row(const RecurrentRows<T>& /*loops*/, const Array& a, std::int64_t n) {
  return a.defined() ? a.data<T>() + n * a.size(1) : nullptr;
}

}  // namespace

LstmStep lstm_step(const Array& x, const Array& h, const Array& c) {
  const LstmStep out{Array::empty(c.sizes(), c.dtype()), Array::empty(c.sizes(), c.dtype()),
                     Array::empty(x.sizes(), c.dtype())};
  for_rows(c, "lstm_step", [&](const auto& loops, std::int64_t n) {
    loops.lstm(row(loops, x, n), row(loops, h, n), row(loops, c, n), c.size(1),
               row(loops, out.next_h, n), row(loops, out.next_c, n), row(loops, out.gates, n));
  });
  return out;
}

LstmStepGradients lstm_step_grad(const Array& gates, const Array& c, const Array& next_c,
                                 const Array& grad_h, const Array& grad_c) {
  const LstmStepGradients out{Array::empty(gates.sizes(), c.dtype()),
                              Array::empty(c.sizes(), c.dtype())};
  for_rows(c, "lstm_step", [&](const auto& loops, std::int64_t n) {
    loops.lstm_grad(row(loops, gates, n), row(loops, c, n), row(loops, next_c, n),
                    row(loops, grad_h, n), row(loops, grad_c, n), c.size(1),
                    row(loops, out.gates, n), row(loops, out.c, n));
  });
  return out;
}

GruStep gru_step(const Array& x, const Array& h, const Array& state) {
  const GruStep out{Array::empty(state.sizes(), state.dtype()),
                    Array::empty(x.sizes(), state.dtype())};
  for_rows(state, "gru_step", [&](const auto& loops, std::int64_t n) {
    loops.gru(row(loops, x, n), row(loops, h, n), row(loops, state, n), state.size(1),
              row(loops, out.next, n), row(loops, out.gates, n));
  });
  return out;
}

GruStepGradients gru_step_grad(const Array& gates, const Array& h, const Array& state,
                               const Array& grad) {
  const GruStepGradients out{Array::empty(gates.sizes(), state.dtype()),
                             Array::empty(gates.sizes(), state.dtype()),
                             Array::empty(state.sizes(), state.dtype())};
  for_rows(state, "gru_step", [&](const auto& loops, std::int64_t n) {
    loops.gru_grad(row(loops, gates, n), row(loops, h, n), row(loops, state, n),
                   row(loops, grad, n), state.size(1), row(loops, out.x, n), row(loops, out.h, n),
                   row(loops, out.state, n));
  });
  return out;
}

}  // namespace tapedeck::kernels
