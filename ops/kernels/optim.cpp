#include <tapedeck/ops/kernels/optim.h>
#include <tapedeck/ops/kernels/simd.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tapedeck/ops/kernels/optim.cpp"
#include <hwy/foreach_target.h>
// The include above compiles the rest of this file once per instruction set.
#include <algorithm>
#include <cmath>
#include <vector>

#include <hwy/highway.h>

#include <tapedeck/array/error.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/simd_rows-inl.h>

#ifndef TAPEDECK_OPTIM_RULES
#define TAPEDECK_OPTIM_RULES
namespace tapedeck::kernels {
/// Runs a rule on the elements [begin, end) of one parameter.
using OptimPiece = void (*)(const OptimTensor& tensor, std::int64_t begin, std::int64_t end,
                            const void* options);
enum class OptimRule {
  Sgd,
  SgdMomentum,
  Adam,
  AdamAmsgrad,
  Rmsprop,
  RmspropCentered,
  RmspropMomentum,
  RmspropCenteredMomentum,
  Adagrad,
  Adadelta,
  Nadam,
  Radam
};
}  // namespace tapedeck::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace tapedeck::kernels {
namespace HWY_NAMESPACE {
namespace {

// A rule is made once for a run of elements and called on vectors: p, g and its states a, b, c,
// of which it declares how many it has.

template <class D>
using V = hn::Vec<D>;
template <class D>
V<D> Number(D d, double value) {
  return hn::Set(d, static_cast<hn::TFromD<D>>(value));
}

template <class D, bool kMomentum>
struct Sgd {
  using Options = SgdStep;
  static constexpr int kStates = kMomentum ? 1 : 0;

  Sgd(D d, const OptimTensor& t, const Options& o)
      : decay(Number(d, o.weight_decay)),
        momentum(Number(d, o.momentum)),
        undamped(Number(d, 1 - o.dampening)),
        minus_lr(Number(d, -o.lr)),
        has_decay(o.weight_decay != 0),
        nesterov(o.nesterov),
        maximize(o.maximize),
        first(t.step == 1) {}
  HWY_INLINE void operator()(V<D>& p, V<D> g, V<D>& buffer, V<D>&, V<D>&) const {
    if (maximize) g = hn::Neg(g);
    if (has_decay) g = hn::MulAdd(p, decay, g);
    if constexpr (kMomentum) {
      buffer = first ? g : hn::MulAdd(g, undamped, hn::Mul(buffer, momentum));
      g = nesterov ? hn::MulAdd(buffer, momentum, g) : buffer;
    }
    p = hn::MulAdd(g, minus_lr, p);
  }

  V<D> decay, momentum, undamped, minus_lr;
  bool has_decay, nesterov, maximize, first;
};

// m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g^2
template <class D>
struct Moments {
  Moments(D d, double b1, double b2)
      : beta1(Number(d, b1)),
        beta2(Number(d, b2)),
        one_minus_beta1(Number(d, 1 - b1)),
        one_minus_beta2(Number(d, 1 - b2)) {}
  HWY_INLINE void Update(V<D> g, V<D>& m, V<D>& v) const {
    m = hn::MulAdd(g, one_minus_beta1, hn::Mul(m, beta1));
    v = hn::MulAdd(hn::Mul(one_minus_beta2, g), g, hn::Mul(v, beta2));
  }

  V<D> beta1, beta2, one_minus_beta1, one_minus_beta2;
};

template <class D, bool kAmsgrad>
struct Adam {
  using Options = AdamStep;
  static constexpr int kStates = kAmsgrad ? 3 : 2;

  Adam(D d, const OptimTensor& t, const Options& o)
      : moments(d, o.beta1, o.beta2),
        decay(Number(d, o.decoupled ? 1 - o.lr * o.weight_decay : o.weight_decay)),
        correction(Number(d, std::sqrt(1 - std::pow(o.beta2, static_cast<double>(t.step))))),
        eps(Number(d, o.eps)),
        minus_step(Number(d, -(o.lr / (1 - std::pow(o.beta1, static_cast<double>(t.step)))))),
        coupled_decay(o.weight_decay != 0 && !o.decoupled),
        decoupled_decay(o.weight_decay != 0 && o.decoupled) {}
  HWY_INLINE void operator()(V<D>& p, V<D> g, V<D>& m, V<D>& v, V<D>& largest) const {
    if (coupled_decay) g = hn::MulAdd(p, decay, g);
    if (decoupled_decay) p = hn::Mul(p, decay);
    moments.Update(g, m, v);
    V<D> square = v;
    if constexpr (kAmsgrad) square = largest = hn::Max(largest, v);
    const V<D> denominator = hn::Add(hn::Div(hn::Sqrt(square), correction), eps);
    p = hn::Add(p, hn::Div(hn::Mul(minus_step, m), denominator));
  }

  Moments<D> moments;
  V<D> decay, correction, eps, minus_step;
  bool coupled_decay, decoupled_decay;
};

template <class D, bool kCentered, bool kMomentum>
struct Rmsprop {
  using Options = RmspropStep;
  static constexpr int kStates = 1 + kCentered + kMomentum;

  Rmsprop(D d, const OptimTensor&, const Options& o)
      : alpha(Number(d, o.alpha)),
        one_minus_alpha(Number(d, 1 - o.alpha)),
        eps(Number(d, o.eps)),
        decay(Number(d, o.weight_decay)),
        momentum(Number(d, o.momentum)),
        minus_lr(Number(d, -o.lr)),
        has_decay(o.weight_decay != 0) {}
  HWY_INLINE void operator()(V<D>& p, V<D> g, V<D>& square_avg, V<D>& b, V<D>& c) const {
    if (has_decay) g = hn::MulAdd(p, decay, g);
    square_avg = hn::MulAdd(hn::Mul(one_minus_alpha, g), g, hn::Mul(square_avg, alpha));
    V<D> variance = square_avg;
    if constexpr (kCentered) {
      b = hn::MulAdd(g, one_minus_alpha, hn::Mul(b, alpha));
      variance = hn::NegMulAdd(b, b, square_avg);
    }
    const V<D> denominator = hn::Add(hn::Sqrt(variance), eps);
    if constexpr (kMomentum) {
      V<D>& buffer = kCentered ? c : b;
      buffer = hn::Add(hn::Mul(buffer, momentum), hn::Div(g, denominator));
      p = hn::MulAdd(buffer, minus_lr, p);
    } else {
      p = hn::Add(p, hn::Div(hn::Mul(minus_lr, g), denominator));
    }
  }

  V<D> alpha, one_minus_alpha, eps, decay, momentum, minus_lr;
  bool has_decay;
};

template <class D>
struct Adagrad {
  using Options = AdagradStep;
  static constexpr int kStates = 1;

  Adagrad(D d, const OptimTensor& t, const Options& o)
      : eps(Number(d, o.eps)),
        decay(Number(d, o.weight_decay)),
        minus_lr(Number(d, -(o.lr / (1 + static_cast<double>(t.step - 1) * o.lr_decay)))),
        has_decay(o.weight_decay != 0) {}
  HWY_INLINE void operator()(V<D>& p, V<D> g, V<D>& sum, V<D>&, V<D>&) const {
    if (has_decay) g = hn::MulAdd(p, decay, g);
    sum = hn::MulAdd(g, g, sum);
    p = hn::Add(p, hn::Div(hn::Mul(minus_lr, g), hn::Add(hn::Sqrt(sum), eps)));
  }

  V<D> eps, decay, minus_lr;
  bool has_decay;
};

template <class D>
struct Adadelta {
  using Options = AdadeltaStep;
  static constexpr int kStates = 2;

  Adadelta(D d, const OptimTensor&, const Options& o)
      : rho(Number(d, o.rho)),
        one_minus_rho(Number(d, 1 - o.rho)),
        eps(Number(d, o.eps)),
        decay(Number(d, o.weight_decay)),
        minus_lr(Number(d, -o.lr)),
        has_decay(o.weight_decay != 0) {}
  HWY_INLINE void operator()(V<D>& p, V<D> g, V<D>& square_avg, V<D>& acc_delta, V<D>&) const {
    if (has_decay) g = hn::MulAdd(p, decay, g);
    square_avg = hn::MulAdd(hn::Mul(one_minus_rho, g), g, hn::Mul(square_avg, rho));
    const V<D> deviation = hn::Sqrt(hn::Add(square_avg, eps));
    const V<D> delta = hn::Mul(hn::Div(hn::Sqrt(hn::Add(acc_delta, eps)), deviation), g);
    acc_delta = hn::MulAdd(hn::Mul(one_minus_rho, delta), delta, hn::Mul(acc_delta, rho));
    p = hn::MulAdd(delta, minus_lr, p);
  }

  V<D> rho, one_minus_rho, eps, decay, minus_lr;
  bool has_decay;
};

template <class D>
struct Nadam {
  using Options = NadamStep;
  static constexpr int kStates = 2;

  Nadam(D d, const OptimTensor& t, const Options& o)
      : moments(d, o.beta1, o.beta2),
        eps(Number(d, o.eps)),
        decay(Number(d, o.weight_decay)),
        correction(Number(d, 1 - std::pow(o.beta2, static_cast<double>(t.step)))),
        grad_step(Number(d, -o.lr * (1 - nadam_momentum(o, t.step)) / (1 - t.running_product))),
        momentum_step(Number(d, -o.lr * nadam_momentum(o, t.step + 1) /
                                    (1 - t.running_product * nadam_momentum(o, t.step + 1)))),
        has_decay(o.weight_decay != 0) {}
  HWY_INLINE void operator()(V<D>& p, V<D> g, V<D>& m, V<D>& v, V<D>&) const {
    if (has_decay) g = hn::MulAdd(p, decay, g);
    moments.Update(g, m, v);
    const V<D> denominator = hn::Add(hn::Sqrt(hn::Div(v, correction)), eps);
    p = hn::Add(p, hn::Div(hn::Mul(grad_step, g), denominator));
    p = hn::Add(p, hn::Div(hn::Mul(momentum_step, m), denominator));
  }

  Moments<D> moments;
  V<D> eps, decay, correction, grad_step, momentum_step;
  bool has_decay;
};

template <class D>
struct Radam {
  using Options = RadamStep;
  static constexpr int kStates = 2;

  Radam(D d, const OptimTensor& t, const Options& o)
      : moments(d, o.beta1, o.beta2),
        eps(Number(d, o.eps)),
        decay(Number(d, o.weight_decay)),
        correction(Number(d, 1 - std::pow(o.beta1, static_cast<double>(t.step)))),
        minus_lr(Number(d, -o.lr)),
        has_decay(o.weight_decay != 0) {
    const double step = static_cast<double>(t.step), power = std::pow(o.beta2, step);
    const double limit = 2 / (1 - o.beta2) - 1;
    const double length = limit - 2 * step * power / (1 - power);
    rectified = length > 5;
    const double rectification =
        rectified
            ? std::sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length))
            : 1;
    scale = Number(d, rectification * std::sqrt(1 - power));
  }
  HWY_INLINE void operator()(V<D>& p, V<D> g, V<D>& m, V<D>& v, V<D>&) const {
    if (has_decay) g = hn::MulAdd(p, decay, g);
    moments.Update(g, m, v);
    V<D> update = hn::Div(m, correction);
    if (rectified) update = hn::Mul(update, hn::Div(scale, hn::Add(hn::Sqrt(v), eps)));
    p = hn::MulAdd(update, minus_lr, p);
  }

  Moments<D> moments;
  V<D> eps, decay, correction, minus_lr, scale;
  bool has_decay, rectified;
};

template <typename T, template <class> class Rule>
void RunPiece(const OptimTensor& t, std::int64_t begin, std::int64_t end, const void* options) {
  const hn::ScalableTag<T> d;
  using D = std::remove_const_t<decltype(d)>;
  using R = Rule<D>;
  constexpr int kStates = R::kStates;
  const R rule(d, t, *static_cast<const typename R::Options*>(options));
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  T* const p = static_cast<T*>(t.param);
  const T* const g = static_cast<const T*>(t.grad);
  T* const a = static_cast<T*>(t.state[0]);
  T* const b = static_cast<T*>(t.state[1]);
  T* const c = static_cast<T*>(t.state[2]);
  V<D> vb = hn::Zero(d), va = vb, vc = vb;
  std::int64_t i = begin;
  for (; i + lanes <= end; i += lanes) {
    V<D> vp = hn::LoadU(d, p + i);
    if constexpr (kStates > 0) va = hn::LoadU(d, a + i);
    if constexpr (kStates > 1) vb = hn::LoadU(d, b + i);
    if constexpr (kStates > 2) vc = hn::LoadU(d, c + i);
    rule(vp, hn::LoadU(d, g + i), va, vb, vc);
    hn::StoreU(vp, d, p + i);
    if constexpr (kStates > 0) hn::StoreU(va, d, a + i);
    if constexpr (kStates > 1) hn::StoreU(vb, d, b + i);
    if constexpr (kStates > 2) hn::StoreU(vc, d, c + i);
  }
  if (i == end) return;
  const std::int64_t rest = end - i;
  V<D> vp = LoadPart(d, p + i, rest);
  if constexpr (kStates > 0) va = LoadPart(d, a + i, rest);
  if constexpr (kStates > 1) vb = LoadPart(d, b + i, rest);
  if constexpr (kStates > 2) vc = LoadPart(d, c + i, rest);
  rule(vp, LoadPart(d, g + i, rest), va, vb, vc);
  StorePart(d, vp, p + i, rest);
  if constexpr (kStates > 0) StorePart(d, va, a + i, rest);
  if constexpr (kStates > 1) StorePart(d, vb, b + i, rest);
  if constexpr (kStates > 2) StorePart(d, vc, c + i, rest);
}

template <class D>
using SgdPlain = Sgd<D, false>;
template <class D>
using SgdMomentum = Sgd<D, true>;
template <class D>
using AdamPlain = Adam<D, false>;
template <class D>
using AdamAmsgrad = Adam<D, true>;
template <class D>
using RmspropPlain = Rmsprop<D, false, false>;
template <class D>
using RmspropCentered = Rmsprop<D, true, false>;
template <class D>
using RmspropMomentum = Rmsprop<D, false, true>;
template <class D>
using RmspropCenteredMomentum = Rmsprop<D, true, true>;

template <typename T>
OptimPiece FindFor(OptimRule rule) {
  switch (rule) {
    case OptimRule::Sgd:
      return RunPiece<T, SgdPlain>;
    case OptimRule::SgdMomentum:
      return RunPiece<T, SgdMomentum>;
    case OptimRule::Adam:
      return RunPiece<T, AdamPlain>;
    case OptimRule::AdamAmsgrad:
      return RunPiece<T, AdamAmsgrad>;
    case OptimRule::Rmsprop:
      return RunPiece<T, RmspropPlain>;
    case OptimRule::RmspropCentered:
      return RunPiece<T, RmspropCentered>;
    case OptimRule::RmspropMomentum:
      return RunPiece<T, RmspropMomentum>;
    case OptimRule::RmspropCenteredMomentum:
      return RunPiece<T, RmspropCenteredMomentum>;
    case OptimRule::Adagrad:
      return RunPiece<T, Adagrad>;
    case OptimRule::Adadelta:
      return RunPiece<T, Adadelta>;
    case OptimRule::Nadam:
      return RunPiece<T, Nadam>;
    case OptimRule::Radam:
      return RunPiece<T, Radam>;
  }
  return nullptr;
}

OptimPiece FindOptim(OptimRule rule, ScalarType dtype) {
  return dtype == ScalarType::Float ? FindFor<float>(rule) : FindFor<double>(rule);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tapedeck::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tapedeck::kernels {
namespace {

HWY_EXPORT(FindOptim);

constexpr std::int64_t kGrain = 1 << 15;

// One loop over the elements of all tensors, laid end to end.
void run(OptimRule rule, ScalarType dtype, ArrayRef<OptimTensor> tensors, const void* options,
         const char* op) {
  TAPEDECK_CHECK_AS(TypeError, is_floating_point(dtype), op, ": not implemented for dtype ", dtype);
  const OptimPiece piece = HWY_DYNAMIC_DISPATCH(FindOptim)(rule, dtype);
  std::int64_t total = 0;
  for (const OptimTensor& t : tensors) total += t.numel;
  parallel_for(total, kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t start = 0;
    for (const OptimTensor& t : tensors) {
      const std::int64_t from = std::max(begin - start, std::int64_t{0});
      const std::int64_t to = std::min(end - start, t.numel);
      if (from < to) piece(t, from, to, options);
      start += t.numel;
      if (start >= end) break;
    }
  });
}

}  // namespace

void sgd_step(ScalarType dtype, ArrayRef<OptimTensor> tensors, const SgdStep& options) {
  run(options.momentum != 0 ? OptimRule::SgdMomentum : OptimRule::Sgd, dtype, tensors, &options,
      "SGD");
}

void adam_step(ScalarType dtype, ArrayRef<OptimTensor> tensors, const AdamStep& options) {
  run(options.amsgrad ? OptimRule::AdamAmsgrad : OptimRule::Adam, dtype, tensors, &options,
      options.decoupled ? "AdamW" : "Adam");
}

void rmsprop_step(ScalarType dtype, ArrayRef<OptimTensor> tensors, const RmspropStep& options) {
  const bool momentum = options.momentum > 0;
  const OptimRule rule =
      options.centered ? momentum ? OptimRule::RmspropCenteredMomentum : OptimRule::RmspropCentered
      : momentum       ? OptimRule::RmspropMomentum
                       : OptimRule::Rmsprop;
  run(rule, dtype, tensors, &options, "RMSprop");
}

void adagrad_step(ScalarType dtype, ArrayRef<OptimTensor> tensors, const AdagradStep& options) {
  run(OptimRule::Adagrad, dtype, tensors, &options, "Adagrad");
}

void adadelta_step(ScalarType dtype, ArrayRef<OptimTensor> tensors, const AdadeltaStep& options) {
  run(OptimRule::Adadelta, dtype, tensors, &options, "Adadelta");
}

double nadam_momentum(const NadamStep& options, std::int64_t step) {
  return options.beta1 *
         (1 - 0.5 * std::pow(0.96, static_cast<double>(step) * options.momentum_decay));
}

void nadam_step(ScalarType dtype, ArrayRef<OptimTensor> tensors, const NadamStep& options) {
  run(OptimRule::Nadam, dtype, tensors, &options, "NAdam");
}

void radam_step(ScalarType dtype, ArrayRef<OptimTensor> tensors, const RadamStep& options) {
  run(OptimRule::Radam, dtype, tensors, &options, "RAdam");
}

}  // namespace tapedeck::kernels
#endif
