#pragma once

#include <cstdint>

namespace tapedeck::kernels {

/// The loops of the steps of recurrent networks (see recurrent.h) over one row of H elements, and
/// of H for each gate. T is float or double.
template <typename T>
struct RecurrentRows {
  void (*lstm)(const T* x, const T* h, const T* c, std::int64_t H, T* next_h, T* next_c, T* gates);
  /// grad_h and grad_c may be null.
  void (*lstm_grad)(const T* gates, const T* c, const T* next_c, const T* grad_h, const T* grad_c,
                    std::int64_t H, T* grad_gates, T* grad_state);
  void (*gru)(const T* x, const T* h, const T* state, std::int64_t H, T* next, T* gates);
  void (*gru_grad)(const T* gates, const T* h, const T* state, const T* grad, std::int64_t H,
                   T* grad_x, T* grad_h, T* grad_state);
};

template <typename T>
const RecurrentRows<T>& recurrent_rows();

}  // namespace tapedeck::kernels
