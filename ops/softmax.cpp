#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/ops/activation.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/kernels/axis.h>
#include <tapedeck/ops/pointwise.h>
#include <tapedeck/ops/reduction.h>

namespace tapedeck {

using V = Variable;

namespace {

// z = y (g - sum(g y));  dg = y (gg - sum(gg y)), dy = gg (g - sum(g y)) - g sum(gg y)
V softmax_backward(const V& g, const V& y, std::int64_t dim) {
  V z(kernels::softmax_backward(g.array(), y.array(), dim));
  if (should_record(g, y))
    record(z, "SoftmaxBackwardDataBackward0", edges(g, y),
           [g = save(g), y = save(y), dim](const V& gg, const VjpContext& ctx) {
             const V grad = g.get(ctx), out = y.get(ctx);
             V dy;
             if (ctx.needs(1))
               dy = gg * (grad - sum(grad * out, dim, true)) - grad * sum(gg * out, dim, true);
             return Gradients{ctx.needs(0) ? softmax_backward(gg, out, dim) : V(), dy};
           });
  return z;
}

// z = g - exp(y) sum(g);  dg = gg - sum(gg exp(y)), dy = -gg exp(y) sum(g)
V log_softmax_backward(const V& g, const V& y, std::int64_t dim) {
  V z(kernels::log_softmax_backward(g.array(), y.array(), dim));
  if (should_record(g, y))
    record(z, "LogSoftmaxBackwardDataBackward0", edges(g, y),
           [g = save(g), y = save(y), dim](const V& gg, const VjpContext& ctx) {
             const V weighted = gg * exp(y.get(ctx));
             return Gradients{ctx.needs(0) ? gg - sum(weighted, dim, true) : V(),
                              ctx.needs(1) ? -(weighted * sum(g.get(ctx), dim, true)) : V()};
           });
  return z;
}

V in_dtype(const V& x, std::optional<ScalarType> dtype) { return dtype ? x.to(*dtype) : x; }

}  // namespace

// y = exp(x) / sum(exp(x));  dx = y (g - sum(g y))
V softmax(const V& self, std::int64_t dim, std::optional<ScalarType> dtype) {
  TAPEDECK_CHECK_DEFINED("softmax", self);
  const V x = in_dtype(self, dtype);
  V y(kernels::softmax(x.array(), dim));
  if (should_record(x))
    record(y, "SoftmaxBackward0", edges(x),
           [y = save_output(y), dim](const V& g, const VjpContext& ctx) {
             return softmax_backward(g, y.get(ctx), dim);
           });
  return y;
}

// y = x - log(sum(exp(x)));  dx = g - exp(y) sum(g)
V log_softmax(const V& self, std::int64_t dim, std::optional<ScalarType> dtype) {
  TAPEDECK_CHECK_DEFINED("log_softmax", self);
  const V x = in_dtype(self, dtype);
  V y(kernels::log_softmax(x.array(), dim));
  if (should_record(x))
    record(y, "LogSoftmaxBackward0", edges(x),
           [y = save_output(y), dim](const V& g, const VjpContext& ctx) {
             return log_softmax_backward(g, y.get(ctx), dim);
           });
  return y;
}

V Variable::softmax(std::int64_t dim, std::optional<ScalarType> dtype) const {
  return tapedeck::softmax(*this, dim, dtype);
}
V Variable::log_softmax(std::int64_t dim, std::optional<ScalarType> dtype) const {
  return tapedeck::log_softmax(*this, dim, dtype);
}

}  // namespace tapedeck
