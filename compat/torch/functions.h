#pragma once

#include <cmath>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include <tapedeck/tapedeck.h>

// libtorch's long names of functions of linear algebra and special functions: at::linalg_inv for
// torch::linalg::inv, at::special_erf for torch::special::erf.
namespace tapedeck {

namespace linalg {

/// `driver` chooses a routine of CUDA's.
inline std::tuple<Tensor, Tensor, Tensor> svd(const Tensor& A, bool full_matrices,
                                              const std::optional<std::string_view>& driver) {
  TAPEDECK_CHECK(!driver,
                 "linalg.svd: keyword argument `driver=` is only supported on CUDA inputs, got ",
                 *driver);
  return linalg::svd(A, full_matrices);
}

}  // namespace linalg

#define TAPEDECK_COMPAT_FORWARD(name, function)                                                    \
  template <typename... Arguments>                                                                 \
  auto name(Arguments&&... arguments)->decltype(function(std::forward<Arguments>(arguments)...)) { \
    return function(std::forward<Arguments>(arguments)...);                                        \
  }
#define TAPEDECK_COMPAT_LINALG(name) TAPEDECK_COMPAT_FORWARD(linalg_##name, linalg::name)
TAPEDECK_COMPAT_LINALG(cholesky)
TAPEDECK_COMPAT_LINALG(cond)
TAPEDECK_COMPAT_LINALG(cross)
TAPEDECK_COMPAT_LINALG(det)
TAPEDECK_COMPAT_LINALG(diagonal)
TAPEDECK_COMPAT_LINALG(eigh)
TAPEDECK_COMPAT_LINALG(eigvalsh)
TAPEDECK_COMPAT_LINALG(inv)
TAPEDECK_COMPAT_LINALG(lstsq)
TAPEDECK_COMPAT_LINALG(matrix_exp)
TAPEDECK_COMPAT_LINALG(matrix_norm)
TAPEDECK_COMPAT_LINALG(matrix_power)
TAPEDECK_COMPAT_LINALG(matrix_rank)
TAPEDECK_COMPAT_LINALG(norm)
TAPEDECK_COMPAT_LINALG(pinv)
TAPEDECK_COMPAT_LINALG(qr)
TAPEDECK_COMPAT_LINALG(slogdet)
TAPEDECK_COMPAT_LINALG(solve)
TAPEDECK_COMPAT_LINALG(solve_triangular)
TAPEDECK_COMPAT_LINALG(svd)
TAPEDECK_COMPAT_LINALG(svdvals)
TAPEDECK_COMPAT_LINALG(vecdot)
TAPEDECK_COMPAT_LINALG(vector_norm)
#undef TAPEDECK_COMPAT_LINALG
inline Tensor linalg_multi_dot(TensorList tensors) { return linalg::multi_dot(tensors); }

#define TAPEDECK_COMPAT_SPECIAL(name) TAPEDECK_COMPAT_FORWARD(special_##name, special::name)
TAPEDECK_COMPAT_SPECIAL(digamma)
TAPEDECK_COMPAT_SPECIAL(entr)
TAPEDECK_COMPAT_SPECIAL(erf)
TAPEDECK_COMPAT_SPECIAL(erfc)
TAPEDECK_COMPAT_SPECIAL(erfinv)
TAPEDECK_COMPAT_SPECIAL(exp2)
TAPEDECK_COMPAT_SPECIAL(expit)
TAPEDECK_COMPAT_SPECIAL(expm1)
TAPEDECK_COMPAT_SPECIAL(gammaln)
TAPEDECK_COMPAT_SPECIAL(log1p)
TAPEDECK_COMPAT_SPECIAL(log_softmax)
TAPEDECK_COMPAT_SPECIAL(logit)
TAPEDECK_COMPAT_SPECIAL(logsumexp)
TAPEDECK_COMPAT_SPECIAL(multigammaln)
TAPEDECK_COMPAT_SPECIAL(ndtr)
TAPEDECK_COMPAT_SPECIAL(polygamma)
TAPEDECK_COMPAT_SPECIAL(psi)
TAPEDECK_COMPAT_SPECIAL(round)
TAPEDECK_COMPAT_SPECIAL(sinc)
TAPEDECK_COMPAT_SPECIAL(softmax)
TAPEDECK_COMPAT_SPECIAL(xlog1py)
TAPEDECK_COMPAT_SPECIAL(xlogy)
#undef TAPEDECK_COMPAT_SPECIAL
#undef TAPEDECK_COMPAT_FORWARD
inline Tensor pad_sequence(TensorList sequences, bool batch_first = false,
                           double padding_value = 0) {
  return nn::utils::rnn::pad_sequence(sequences, batch_first, padding_value);
}

// One step of a recurrent network, as the modules of nn take it.
inline std::tuple<Tensor, Tensor> lstm_cell(const Tensor& input, TensorList hx, const Tensor& w_ih,
                                            const Tensor& w_hh, const Tensor& b_ih = {},
                                            const Tensor& b_hh = {}) {
  TAPEDECK_CHECK(hx.size() == 2, "lstm_cell: expected two hidden states, got ", hx.size());
  const auto gates = (linear(input, w_ih, b_ih) + linear(hx[0], w_hh, b_hh)).chunk(4, 1);
  const Tensor c = gates[1].sigmoid() * hx[1] + gates[0].sigmoid() * gates[2].tanh();
  return {gates[3].sigmoid() * c.tanh(), c};
}
inline Tensor gru_cell(const Tensor& input, const Tensor& hx, const Tensor& w_ih,
                       const Tensor& w_hh, const Tensor& b_ih = {}, const Tensor& b_hh = {}) {
  const auto x = linear(input, w_ih, b_ih).chunk(3, 1), h = linear(hx, w_hh, b_hh).chunk(3, 1);
  const Tensor n = (x[2] + (x[0] + h[0]).sigmoid() * h[2]).tanh();
  return n + (x[1] + h[1]).sigmoid() * (hx - n);
}
inline Tensor rnn_tanh_cell(const Tensor& input, const Tensor& hx, const Tensor& w_ih,
                            const Tensor& w_hh, const Tensor& b_ih = {}, const Tensor& b_hh = {}) {
  return (linear(input, w_ih, b_ih) + linear(hx, w_hh, b_hh)).tanh();
}
inline Tensor rnn_relu_cell(const Tensor& input, const Tensor& hx, const Tensor& w_ih,
                            const Tensor& w_hh, const Tensor& b_ih = {}, const Tensor& b_hh = {}) {
  return (linear(input, w_ih, b_ih) + linear(hx, w_hh, b_hh)).relu();
}

/// softmax(query key^T scale + attn_mask) value over the last two axes, as later versions of
/// libtorch have it. The mask is added, or says where to look where it is bool; scale defaults to
/// 1 / sqrt(features).
inline Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key,
                                           const Tensor& value,
                                           const std::optional<Tensor>& attn_mask = {},
                                           double dropout_p = 0, bool is_causal = false,
                                           std::optional<double> scale = std::nullopt) {
  TAPEDECK_CHECK(!attn_mask || !is_causal,
                 "scaled_dot_product_attention: expected no attn_mask where is_causal, got one");
  const double factor = scale.value_or(1 / std::sqrt(static_cast<double>(query.size(-1))));
  Tensor scores = matmul(query * factor, key.transpose(-2, -1));
  std::optional<Tensor> mask = attn_mask;
  if (is_causal) mask = ones({query.size(-2), key.size(-2)}, kBool).tril();
  if (mask && mask->defined())
    scores = mask->scalar_type() == kBool ? scores.masked_fill(mask->logical_not(), -INFINITY)
                                          : scores + *mask;
  return matmul(dropout(softmax(scores, -1), dropout_p, dropout_p > 0), value);
}

/// The derivatives of sigmoid, of its output, and of threshold.
inline Tensor sigmoid_backward(const Tensor& grad_output, const Tensor& output) {
  return grad_output * output * (1 - output);
}
inline Tensor threshold_backward(const Tensor& grad_output, const Tensor& self, Scalar threshold) {
  return grad_output * (self > threshold).to(grad_output.scalar_type());
}

// Methods that libtorch has as functions, too.
#define TAPEDECK_COMPAT_METHOD(name)                                 \
  template <typename... Arguments>                                   \
  auto name(const Tensor& self, Arguments&&... arguments)            \
      ->decltype(self.name(std::forward<Arguments>(arguments)...)) { \
    return self.name(std::forward<Arguments>(arguments)...);         \
  }
TAPEDECK_COMPAT_METHOD(acosh_)
TAPEDECK_COMPAT_METHOD(asinh_)
TAPEDECK_COMPAT_METHOD(atanh_)
TAPEDECK_COMPAT_METHOD(clamp_)
TAPEDECK_COMPAT_METHOD(clamp_max_)
TAPEDECK_COMPAT_METHOD(clamp_min_)
TAPEDECK_COMPAT_METHOD(clip_)
TAPEDECK_COMPAT_METHOD(detach)
TAPEDECK_COMPAT_METHOD(detach_)
TAPEDECK_COMPAT_METHOD(logit_)
TAPEDECK_COMPAT_METHOD(nan_to_num_)
TAPEDECK_COMPAT_METHOD(negative_)
TAPEDECK_COMPAT_METHOD(sinc_)
TAPEDECK_COMPAT_METHOD(xlogy_)
#undef TAPEDECK_COMPAT_METHOD

}  // namespace tapedeck
