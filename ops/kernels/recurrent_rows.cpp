#include <tapedeck/ops/kernels/recurrent_rows.h>

#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/recurrent_rows.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <hwy/highway.h>

#include <tapedeck/ops/kernels/simd_math-inl.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

// g y (1 - y), of a sigmoid y
template <class D, class V>
HWY_INLINE V SigmoidGrad(D d, V g, V y) {
  return hn::Mul(g, hn::Mul(y, hn::Sub(hn::Set(d, 1), y)));
}
// g (1 - y^2), of a tanh y
template <class D, class V>
HWY_INLINE V TanhGrad(D d, V g, V y) {
  return hn::Mul(g, hn::Sub(hn::Set(d, 1), hn::Mul(y, y)));
}

template <typename T>
void Lstm(const T* x, const T* h, const T* c, std::int64_t H, T* next_h, T* next_c, T* gates) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t k = 0; k < H; k += lanes) {
    const std::int64_t n = H - k;
    V sum[4];
    for (int gate = 0; gate < 4; ++gate)
      sum[gate] = hn::Add(LoadUpTo(d, x + gate * H + k, n), LoadUpTo(d, h + gate * H + k, n));
    const V i = vec::Sigmoid(d, sum[0]), f = vec::Sigmoid(d, sum[1]);
    const V g = vec::Tanh(d, sum[2]), o = vec::Sigmoid(d, sum[3]);
    const V state = hn::Add(hn::Mul(f, LoadUpTo(d, c + k, n)), hn::Mul(i, g));
    StoreUpTo(d, i, gates + k, n);
    StoreUpTo(d, f, gates + H + k, n);
    StoreUpTo(d, g, gates + 2 * H + k, n);
    StoreUpTo(d, o, gates + 3 * H + k, n);
    StoreUpTo(d, state, next_c + k, n);
    StoreUpTo(d, hn::Mul(o, vec::Tanh(d, state)), next_h + k, n);
  }
}

template <typename T>
void LstmGrad(const T* gates, const T* c, const T* next_c, const T* grad_h, const T* grad_c,
              std::int64_t H, T* grad_gates, T* grad_state) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t k = 0; k < H; k += lanes) {
    const std::int64_t n = H - k;
    const V i = LoadUpTo(d, gates + k, n), f = LoadUpTo(d, gates + H + k, n);
    const V g = LoadUpTo(d, gates + 2 * H + k, n), o = LoadUpTo(d, gates + 3 * H + k, n);
    const V gh = grad_h ? LoadUpTo(d, grad_h + k, n) : hn::Zero(d);
    const V gc = grad_c ? LoadUpTo(d, grad_c + k, n) : hn::Zero(d);
    const V t = vec::Tanh(d, LoadUpTo(d, next_c + k, n));
    const V state = hn::Add(gc, TanhGrad(d, hn::Mul(gh, o), t));
    StoreUpTo(d, SigmoidGrad(d, hn::Mul(state, g), i), grad_gates + k, n);
    StoreUpTo(d, SigmoidGrad(d, hn::Mul(state, LoadUpTo(d, c + k, n)), f), grad_gates + H + k, n);
    StoreUpTo(d, TanhGrad(d, hn::Mul(state, i), g), grad_gates + 2 * H + k, n);
    StoreUpTo(d, SigmoidGrad(d, hn::Mul(gh, t), o), grad_gates + 3 * H + k, n);
    StoreUpTo(d, hn::Mul(state, f), grad_state + k, n);
  }
}

template <typename T>
void Gru(const T* x, const T* h, const T* state, std::int64_t H, T* next, T* gates) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t k = 0; k < H; k += lanes) {
    const std::int64_t left = H - k;
    const auto of = [&](const T* row, int gate)
                        HWY_ATTR { return LoadUpTo(d, row + gate * H + k, left); };
    const V r = vec::Sigmoid(d, hn::Add(of(x, 0), of(h, 0)));
    const V z = vec::Sigmoid(d, hn::Add(of(x, 1), of(h, 1)));
    const V n = vec::Tanh(d, hn::Add(of(x, 2), hn::Mul(r, of(h, 2))));
    StoreUpTo(d, r, gates + k, left);
    StoreUpTo(d, z, gates + H + k, left);
    StoreUpTo(d, n, gates + 2 * H + k, left);
    StoreUpTo(d, hn::Add(hn::Mul(hn::Sub(of(state, 0), n), z), n), next + k, left);
  }
}

template <typename T>
void GruGrad(const T* gates, const T* h, const T* state, const T* grad, std::int64_t H, T* grad_x,
             T* grad_h, T* grad_state) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t k = 0; k < H; k += lanes) {
    const std::int64_t left = H - k;
    const auto of = [&](const T* row, int gate)
                        HWY_ATTR { return LoadUpTo(d, row + gate * H + k, left); };
    const V r = of(gates, 0), z = of(gates, 1), n = of(gates, 2), g = of(grad, 0);
    const V to_n = TanhGrad(d, hn::Mul(g, hn::Sub(hn::Set(d, 1), z)), n);
    const V to_r = SigmoidGrad(d, hn::Mul(to_n, of(h, 2)), r);
    const V to_z = SigmoidGrad(d, hn::Mul(g, hn::Sub(of(state, 0), n)), z);
    StoreUpTo(d, to_r, grad_x + k, left);
    StoreUpTo(d, to_z, grad_x + H + k, left);
    StoreUpTo(d, to_n, grad_x + 2 * H + k, left);
    StoreUpTo(d, to_r, grad_h + k, left);
    StoreUpTo(d, to_z, grad_h + H + k, left);
    StoreUpTo(d, hn::Mul(to_n, r), grad_h + 2 * H + k, left);
    StoreUpTo(d, hn::Mul(g, z), grad_state + k, left);
  }
}

template <typename T>
RecurrentRows<T> Rows() {
  return {Lstm<T>, LstmGrad<T>, Gru<T>, GruGrad<T>};
}

RecurrentRows<float> RowsF32() { return Rows<float>(); }
RecurrentRows<double> RowsF64() { return Rows<double>(); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {

TAPEDECK_DISPATCH_TABLES(RecurrentRows, recurrent_rows, Rows);

}  // namespace tapedeck::kernels
#endif
