#include <tapedeck/ops/kernels/margin_loss.h>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/grain.h>
#include <tapedeck/ops/kernels/margin_rows.h>
#include <tapedeck/ops/kernels/scratch.h>

namespace tapedeck::kernels {

namespace {

// factor / C times each weight.
template <typename T>
Scratch<T> row_factors(const T* weight, const T* factor, std::int64_t N, std::int64_t C) {
  Scratch<T> out(N);
  T* const to = out.data();
  for (std::int64_t n = 0; n < N; ++n)
    to[n] = (factor ? factor[n] : T{1}) * (weight ? weight[n] : T{1}) / static_cast<T>(C);
  return out;
}

}  // namespace

Array multi_margin(const Array& x, const MultiMargin& loss) {
  const std::int64_t N = x.size(0), C = x.size(1);
  Array losses = Array::empty({N}, x.dtype());
  dispatch_floating(x.dtype(), "multi_margin_loss", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Scratch<T> factors = row_factors<T>(loss.weights.data<T>(), nullptr, N, C);
    parallel_for(N, grain_for(C), [&](std::int64_t begin, std::int64_t end) {
      margin_rows<T>().one_label(x.data<T>() + begin * C, loss.target.data<std::int64_t>() + begin,
                                 factors.data() + begin, static_cast<T>(loss.margin), loss.square,
                                 end - begin, C, losses.data<T>() + begin);
    });
  });
  return losses;
}

Array multi_margin_grad(const Array& g, const Array& x, const MultiMargin& loss) {
  const std::int64_t N = x.size(0), C = x.size(1);
  Array grad = Array::empty(x.sizes(), x.dtype());
  dispatch_floating(x.dtype(), "multi_margin_loss", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Scratch<T> factors = row_factors(loss.weights.data<T>(), g.data<T>(), N, C);
    parallel_for(N, grain_for(C), [&](std::int64_t begin, std::int64_t end) {
      margin_rows<T>().one_label_grad(
          x.data<T>() + begin * C, loss.target.data<std::int64_t>() + begin, factors.data() + begin,
          static_cast<T>(loss.margin), loss.square, end - begin, C, grad.data<T>() + begin * C);
    });
  });
  return grad;
}

Array multilabel_margin(const Array& x, const Array& is_label) {
  const std::int64_t N = x.size(0), C = x.size(1);
  Array losses = Array::empty({N}, x.dtype());
  dispatch_floating(x.dtype(), "multilabel_margin_loss", [&](auto tag) {
    using T = typename decltype(tag)::type;
    parallel_for(N, grain_for(C * C / 2), [&](std::int64_t begin, std::int64_t end) {
      const Scratch<T> others(C);
      margin_rows<T>().labels(x.data<T>() + begin * C, is_label.data<std::uint8_t>() + begin * C,
                              T{1} / static_cast<T>(C), end - begin, C, others.data(),
                              losses.data<T>() + begin);
    });
  });
  return losses;
}

Array multilabel_margin_grad(const Array& g, const Array& x, const Array& is_label) {
  const std::int64_t N = x.size(0), C = x.size(1);
  Array grad = Array::empty(x.sizes(), x.dtype());
  dispatch_floating(x.dtype(), "multilabel_margin_loss", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Scratch<T> factors = row_factors<T>(nullptr, g.data<T>(), N, C);
    parallel_for(N, grain_for(C * C / 2), [&](std::int64_t begin, std::int64_t end) {
      const Scratch<T> others(C);
      margin_rows<T>().labels_grad(
          x.data<T>() + begin * C, is_label.data<std::uint8_t>() + begin * C,
          factors.data() + begin, end - begin, C, others.data(), grad.data<T>() + begin * C);
    });
  });
  return grad;
}

}  // namespace tapedeck::kernels
