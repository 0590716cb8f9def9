// Winograd's transforms of one dimension, on vectors: B^T x, A dy, A^T s, G w and G^T s. Included
// by kernels after hwy/foreach_target.h and compiled once per instruction set.

#if defined(TAPEDECK_WINOGRAD_AXES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TAPEDECK_WINOGRAD_AXES_INL_H
#undef TAPEDECK_WINOGRAD_AXES_INL_H
#else
#define TAPEDECK_WINOGRAD_AXES_INL_H
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// F(m, r), m outputs of a filter of r taps by m + r - 1 products, interpolated at as many of 0, 1,
// infinity and -1 as it takes. No other point has coefficients as small.
template <int m, int r>
struct Minimal;

// One tap is a product for each output.
template <int m>
struct Minimal<m, 1> {
  template <class D, class V>
  static HWY_INLINE void Input(D, const V* x, V* out) {
    for (int i = 0; i < m; ++i) out[i] = x[i];
  }
  template <class D, class V>
  static HWY_INLINE void GradOutput(D, const V* dy, V* out) {
    for (int i = 0; i < m; ++i) out[i] = dy[i];
  }
  template <class D, class V>
  static HWY_INLINE void Output(D, const V* s, V* out) {
    for (int i = 0; i < m; ++i) out[i] = s[i];
  }
  template <class D, class V>
  static HWY_INLINE void Filter(D, const V* w, V* out) {
    for (int i = 0; i < m; ++i) out[i] = w[0];
  }
  template <class D, class V>
  static HWY_INLINE void GradFilter(D, const V* s, V* out) {
    out[0] = s[0];
    for (int i = 1; i < m; ++i) out[0] = hn::Add(out[0], s[i]);
  }
};

template <>
struct Minimal<2, 2> {
  template <class D, class V>
  static HWY_INLINE void Input(D, const V* x, V* out) {
    out[0] = hn::Sub(x[0], x[1]);
    out[1] = x[1];
    out[2] = hn::Sub(x[2], x[1]);
  }
  template <class D, class V>
  static HWY_INLINE void GradOutput(D, const V* dy, V* out) {
    out[0] = dy[0];
    out[1] = hn::Add(dy[0], dy[1]);
    out[2] = dy[1];
  }
  template <class D, class V>
  static HWY_INLINE void Output(D, const V* s, V* out) {
    out[0] = hn::Add(s[0], s[1]);
    out[1] = hn::Add(s[1], s[2]);
  }
  template <class D, class V>
  static HWY_INLINE void Filter(D, const V* w, V* out) {
    out[0] = w[0];
    out[1] = hn::Add(w[0], w[1]);
    out[2] = w[1];
  }
  template <class D, class V>
  static HWY_INLINE void GradFilter(D, const V* s, V* out) {
    out[0] = hn::Add(s[0], s[1]);
    out[1] = hn::Add(s[1], s[2]);
  }
};

template <>
struct Minimal<2, 3> {
  template <class D, class V>
  static HWY_INLINE void Input(D, const V* x, V* out) {
    out[0] = hn::Sub(x[0], x[2]);
    out[1] = hn::Add(x[1], x[2]);
    out[2] = hn::Sub(x[2], x[1]);
    out[3] = hn::Sub(x[3], x[1]);
  }
  template <class D, class V>
  static HWY_INLINE void GradOutput(D, const V* dy, V* out) {
    out[0] = dy[0];
    out[1] = hn::Add(dy[0], dy[1]);
    out[2] = hn::Sub(dy[0], dy[1]);
    out[3] = dy[1];
  }
  template <class D, class V>
  static HWY_INLINE void Output(D, const V* s, V* out) {
    out[0] = hn::Add(s[0], hn::Add(s[1], s[2]));
    out[1] = hn::Add(hn::Sub(s[1], s[2]), s[3]);
  }
  template <class D, class V>
  static HWY_INLINE void Filter(D d, const V* w, V* out) {
    const V half = hn::Set(d, 0.5f);
    const V even = hn::Mul(half, hn::Add(w[0], w[2])), odd = hn::Mul(half, w[1]);
    out[0] = w[0];
    out[1] = hn::Add(even, odd);
    out[2] = hn::Sub(even, odd);
    out[3] = w[2];
  }
  template <class D, class V>
  static HWY_INLINE void GradFilter(D d, const V* s, V* out) {
    const V half = hn::Set(d, 0.5f);
    const V even = hn::Mul(half, hn::Add(s[1], s[2]));
    out[0] = hn::Add(s[0], even);
    out[1] = hn::Mul(half, hn::Sub(s[1], s[2]));
    out[2] = hn::Add(even, s[3]);
  }
};

// The points of F(2, 3), whose transposition it is.
template <>
struct Minimal<3, 2> {
  template <class D, class V>
  static HWY_INLINE void Input(D d, const V* x, V* out) {
    Minimal<2, 3>::Input(d, x, out);
  }
  template <class D, class V>
  static HWY_INLINE void GradOutput(D, const V* dy, V* out) {
    const V even = hn::Add(dy[0], dy[2]);
    out[0] = dy[0];
    out[1] = hn::Add(even, dy[1]);
    out[2] = hn::Sub(even, dy[1]);
    out[3] = dy[2];
  }
  template <class D, class V>
  static HWY_INLINE void Output(D, const V* s, V* out) {
    const V even = hn::Add(s[1], s[2]);
    out[0] = hn::Add(s[0], even);
    out[1] = hn::Sub(s[1], s[2]);
    out[2] = hn::Add(even, s[3]);
  }
  template <class D, class V>
  static HWY_INLINE void Filter(D d, const V* w, V* out) {
    const V half = hn::Set(d, 0.5f);
    out[0] = w[0];
    out[1] = hn::Mul(half, hn::Add(w[0], w[1]));
    out[2] = hn::Mul(half, hn::Sub(w[0], w[1]));
    out[3] = w[1];
  }
  template <class D, class V>
  static HWY_INLINE void GradFilter(D d, const V* s, V* out) {
    const V half = hn::Set(d, 0.5f);
    out[0] = hn::MulAdd(half, hn::Add(s[1], s[2]), s[0]);
    out[1] = hn::MulAdd(half, hn::Sub(s[1], s[2]), s[3]);
  }
};

// F(m, r) of the r taps from `tap` on, tap_step apart, which read the inputs from `in` on, in_step
// apart, and give the outputs from `out` on, out_step apart.
template <int m, int r, int tap, int tap_step, int in, int in_step, int out = 0, int out_step = 1>
struct Part {
  static constexpr int kOutputs = out + (m - 1) * out_step + 1,
                       kTaps = tap + (r - 1) * tap_step + 1;
  static constexpr int kSize = m + r - 1, kReach = in + (kSize - 1) * in_step + 1;
  static constexpr int kStep = m * in_step;
  static constexpr int kSpread = out_step, kPhase = out + tap - in * out_step;
  static constexpr int parts(int) { return 1; }
  static constexpr int part(int, int) { return 0; }
  static constexpr bool gives(int output) {
    return output >= out && output < kOutputs && (output - out) % out_step == 0;
  }

  template <int count, int first, int step, class V>
  static HWY_INLINE void Gather(const V* from, V* to) {
    HWY_UNROLL(12)
    for (int i = 0; i < count; ++i) to[i] = from[first + i * step];
  }
  template <int count, int first, int step, class V>
  static HWY_INLINE void Scatter(const V* from, V* to) {
    HWY_UNROLL(12)
    for (int i = 0; i < count; ++i) to[first + i * step] = from[i];
  }

  template <class D, class V>
  static HWY_INLINE void Input(D d, const V* x, V* elements) {
    V mine[kSize];
    Gather<kSize, in, in_step>(x, mine);
    Minimal<m, r>::Input(d, mine, elements);
  }
  template <class D, class V>
  static HWY_INLINE void GradOutput(D d, const V* dy, V* elements) {
    V mine[m];
    Gather<m, out, out_step>(dy, mine);
    Minimal<m, r>::GradOutput(d, mine, elements);
  }
  template <class D, class V>
  static HWY_INLINE void Output(D d, const V* s, V* outputs) {
    V mine[m];
    Minimal<m, r>::Output(d, s, mine);
    Scatter<m, out, out_step>(mine, outputs);
  }
  template <class D, class V>
  static HWY_INLINE void Filter(D d, const V* w, V* elements) {
    V mine[r];
    Gather<r, tap, tap_step>(w, mine);
    Minimal<m, r>::Filter(d, mine, elements);
  }
  template <class D, class V>
  static HWY_INLINE void GradFilter(D d, const V* s, V* taps) {
    V mine[r];
    Minimal<m, r>::GradFilter(d, s, mine);
    Scatter<r, tap, tap_step>(mine, taps);
  }
};

// Two parts side by side, whose taps are different ones; outputs that both give are added.
template <class A, class B>
struct Joined {
  static_assert(A::kStep == B::kStep && A::kSpread == B::kSpread && A::kPhase == B::kPhase,
                "both read the same grid of inputs");
  static constexpr int larger(int a, int b) { return a > b ? a : b; }
  static constexpr int kOutputs = larger(A::kOutputs, B::kOutputs);
  static constexpr int kTaps = larger(A::kTaps, B::kTaps);
  static constexpr int kReach = larger(A::kReach, B::kReach);
  static constexpr int kSize = A::kSize + B::kSize, kStep = A::kStep;
  static constexpr int kSpread = A::kSpread, kPhase = A::kPhase;
  static constexpr int parts(int) { return 1; }
  static constexpr int part(int, int) { return 0; }
  static constexpr bool gives(int output) { return A::gives(output) || B::gives(output); }

  template <class D, class V>
  static HWY_INLINE void Input(D d, const V* x, V* elements) {
    A::Input(d, x, elements);
    B::Input(d, x, elements + A::kSize);
  }
  template <class D, class V>
  static HWY_INLINE void GradOutput(D d, const V* dy, V* elements) {
    A::GradOutput(d, dy, elements);
    B::GradOutput(d, dy, elements + A::kSize);
  }
  template <class D, class V>
  static HWY_INLINE void Output(D d, const V* s, V* outputs) {
    A::Output(d, s, outputs);
    V more[kOutputs];
    B::Output(d, s + A::kSize, more);
    HWY_UNROLL(12)
    for (int i = 0; i < kOutputs; ++i)
      if (B::gives(i)) outputs[i] = A::gives(i) ? hn::Add(outputs[i], more[i]) : more[i];
  }
  template <class D, class V>
  static HWY_INLINE void Filter(D d, const V* w, V* elements) {
    A::Filter(d, w, elements);
    B::Filter(d, w, elements + A::kSize);
  }
  template <class D, class V>
  static HWY_INLINE void GradFilter(D d, const V* s, V* taps) {
    A::GradFilter(d, s, taps);
    B::GradFilter(d, s + A::kSize, taps);
  }
};

// Consecutive taps of stride 1.
template <int m, int r, int tap>
using DensePart = Part<m, r, tap, 1, tap, 1>;
using Dense1 = DensePart<1, 1, 0>;
using Dense2 = DensePart<3, 2, 0>;
using Dense3 = DensePart<2, 3, 0>;
using Dense4 = Joined<DensePart<3, 2, 0>, DensePart<3, 2, 2>>;
using Dense5 = Joined<DensePart<2, 3, 0>, DensePart<2, 2, 3>>;
using Dense7 = Joined<Dense5, DensePart<2, 2, 5>>;

// Stride 2: the even taps meet the even inputs alone, as the odd ones do, by steps of one of their
// own. Two dense convolutions whose outputs are added.
template <int m, int r, int tap>
using StridedPart = Part<m, r, tap, 2, tap, 2>;
using Strided3 = Joined<StridedPart<2, 2, 0>, StridedPart<2, 1, 1>>;
using Strided4 = Joined<StridedPart<2, 2, 0>, StridedPart<2, 2, 1>>;
using Strided5 = Joined<StridedPart<2, 3, 0>, StridedPart<2, 2, 1>>;

// Their input gradients: even outputs take taps of one parity, odd outputs those of the other, both
// from neighbouring inputs. Two dense convolutions whose outputs alternate.
template <int m, int r, int tap, int in, int out>
using SpreadPart = Part<m, r, tap, 2, in, 1, out, 2>;
using Spread3 = Joined<SpreadPart<2, 1, 1, 0, 0>, SpreadPart<2, 2, 0, 0, 1>>;
using Spread4 = Joined<SpreadPart<2, 2, 0, 0, 0>, SpreadPart<2, 2, 1, 1, 1>>;
using Spread5 = Joined<SpreadPart<2, 3, 0, 0, 0>, SpreadPart<2, 2, 1, 1, 1>>;

// F(m, r) with m + r = 7, interpolated at 0, +-a, +-b and infinity. The polynomials of the input
// transform are those of M(x) = x (x^2 - a^2) (x^2 - b^2) without one of its factors.
template <int m, int r>
struct SixPoints {
  static constexpr int kOutputs = m, kTaps = r, kSize = 6, kReach = 6, kStep = m;
  static constexpr int kSpread = 1, kPhase = 0;
  static constexpr double a = 1, b = 2;
  static constexpr double a2 = a * a, b2 = b * b;
  // 1 / M'(x) at 0, +-a, +-b
  static constexpr double g0 = 1 / (a2 * b2), ga = 1 / (2 * a2 * (a2 - b2)),
                          gb = 1 / (2 * b2 * (b2 - a2));

  // Two dimensions have more intermediate results than there are registers. The values at a point
  // and its negative are formed together, and coefficients of the same parity.
  static constexpr int parts(int count) { return count == kSize ? 3 : count > 2 ? 2 : 1; }
  static constexpr int part(int count, int i) {
    if (count == kSize) return i == kSize - 1 ? 0 : (i + 1) / 2;
    return count > 2 ? i % 2 : 0;
  }

  template <class D>
  static HWY_INLINE hn::Vec<D> Number(D d, double x) {
    return hn::Set(d, static_cast<hn::TFromD<D>>(x));
  }
  // y + factor x and y - factor x
  template <class D, class V>
  static HWY_INLINE V Plus(D d, double factor, V x, V y) {
    return factor == 1 ? hn::Add(y, x) : hn::MulAdd(Number(d, factor), x, y);
  }
  template <class D, class V>
  static HWY_INLINE V Minus(D d, double factor, V x, V y) {
    return factor == 1 ? hn::Sub(y, x) : hn::NegMulAdd(Number(d, factor), x, y);
  }

  template <class D, class V>
  static HWY_INLINE void Input(D d, const V* x, V* out) {
    constexpr double sum = a2 + b2, product = a2 * b2;
    out[0] = Plus(d, product, x[0], Minus(d, sum, x[2], x[4]));
    const V even_a = Minus(d, b2, x[2], x[4]), odd_a = Minus(d, b2, x[1], x[3]);
    out[1] = Plus(d, a, odd_a, even_a);
    out[2] = Minus(d, a, odd_a, even_a);
    const V even_b = Minus(d, a2, x[2], x[4]), odd_b = Minus(d, a2, x[1], x[3]);
    out[3] = Plus(d, b, odd_b, even_b);
    out[4] = Minus(d, b, odd_b, even_b);
    out[5] = Plus(d, product, x[1], Minus(d, sum, x[3], x[5]));
  }

  // The values of the polynomial with `count` coefficients c at 0, a, -a, b, -b, infinity.
  template <int count, class D, class V>
  static HWY_INLINE void Evaluate(D d, const V* c, V* out) {
    out[0] = c[0];
    out[5] = c[count - 1];
    for (int i = 0; i < 2; ++i) {
      const double point = i == 0 ? a : b, square = point * point;
      V even = c[(count - 1) / 2 * 2], odd = c[(count - 2) / 2 * 2 + 1];
      for (int k = (count - 1) / 2 * 2 - 2; k >= 0; k -= 2) even = Plus(d, square, even, c[k]);
      for (int k = (count - 2) / 2 * 2 - 1; k >= 1; k -= 2) odd = Plus(d, square, odd, c[k]);
      out[1 + 2 * i] = Plus(d, point, odd, even);
      out[2 + 2 * i] = Minus(d, point, odd, even);
    }
  }
  // The adjoint: out[k] = the sum over the points of point^k s.
  template <int count, class D, class V>
  static HWY_INLINE void Collect(D d, const V* s, V* out) {
    const V at_a[2] = {hn::Add(s[1], s[2]), hn::Sub(s[1], s[2])};
    const V at_b[2] = {hn::Add(s[3], s[4]), hn::Sub(s[3], s[4])};
    double power_a = 1, power_b = 1;
    for (int k = 0; k < count; ++k, power_a *= a, power_b *= b) {
      const V mine = power_a == 1 ? at_a[k % 2] : hn::Mul(Number(d, power_a), at_a[k % 2]);
      out[k] = Plus(d, power_b, at_b[k % 2], mine);
    }
    out[0] = hn::Add(out[0], s[0]);
    out[count - 1] = hn::Add(out[count - 1], s[5]);
  }
  template <class D, class V>
  static HWY_INLINE void Scale(D d, const V* s, V* out) {
    out[0] = hn::Mul(Number(d, g0), s[0]);
    for (int i = 1; i < 5; ++i) out[i] = hn::Mul(Number(d, i < 3 ? ga : gb), s[i]);
    out[5] = s[5];
  }

  template <class D, class V>
  static HWY_INLINE void GradOutput(D d, const V* dy, V* out) {
    Evaluate<m>(d, dy, out);
  }
  template <class D, class V>
  static HWY_INLINE void Output(D d, const V* s, V* out) {
    Collect<m>(d, s, out);
  }
  template <class D, class V>
  static HWY_INLINE void Filter(D d, const V* w, V* out) {
    V values[6];
    Evaluate<r>(d, w, values);
    Scale(d, values, out);
  }
  template <class D, class V>
  static HWY_INLINE void GradFilter(D d, const V* s, V* out) {
    V scaled[6];
    Scale(d, s, scaled);
    Collect<r>(d, scaled, out);
  }
};

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#endif
