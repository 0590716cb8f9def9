#include <tapedeck/ops/norm.h>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/norm.h>
#include <tapedeck/ops/kernels/pool_geometry.h>
#include <tapedeck/ops/reduction.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck {

namespace {

using kernels::NormGradients;
using kernels::NormStats;
using kernels::NormWanted;

Variable or_undefined(const std::optional<Variable>& v) { return v.value_or(Variable()); }
Array array_or_undefined(const Variable& v) {
  return v.defined() ? v.contiguous().array() : Array();
}

void check_affine(const char* op, const char* what, const Variable& v, const Variable& input,
                  IntArrayRef sizes) {
  if (!v.defined()) return;
  TAPEDECK_CHECK(v.sizes().equals(sizes), op, ": expected ", what, " to be of shape ", sizes,
                 ", got ", v.sizes(), " (input ", input.sizes(), ")");
  TAPEDECK_CHECK_AS(TypeError, v.dtype() == input.dtype(), op, ": expected ", what,
                    " to have the input's dtype ", input.dtype(), ", got ", v.dtype());
}

void check_floating(const char* op, const Variable& input) {
  TAPEDECK_CHECK_AS(TypeError, input.is_floating_point(), op, ": not implemented for dtype ",
                    input.dtype());
}

Gradients pack(const NormGradients& grads, const Variable& weight, IntArrayRef x_sizes) {
  Gradients result(3);
  if (grads.input.defined()) result[0] = Variable(grads.input.view(x_sizes));
  if (grads.weight.defined()) result[1] = Variable(grads.weight.view(weight.sizes()));
  if (grads.bias.defined()) result[2] = Variable(grads.bias);
  return result;
}

// [N, C, S] of [N, C, ...].
DimVector channel_view(const Variable& x) {
  const std::int64_t N = x.size(0), C = x.size(1);
  return {N, C, N * C == 0 ? numel_of(x.sizes().slice(2)) : x.numel() / (N * C)};
}

// The gradients of a normalisation by batch statistics, written in differentiable operations for
// higher orders: dx = rstd (g w - mean(g w) - xhat mean(g w xhat)), dw = sum g xhat, db = sum g.
// `axes` are those of the statistics, `affine_axes` those that weight and bias lack.
Gradients differentiable_grads(const Variable& g, const Variable& x, const Variable& weight,
                               double eps, IntArrayRef axes, IntArrayRef affine_axes,
                               const VjpContext& ctx) {
  const Variable centered = x - x.mean(axes, true);
  const Variable rstd = (centered.square().mean(axes, true) + eps).rsqrt();
  const Variable xhat = centered * rstd;
  Gradients result(3);
  if (ctx.needs(0)) {
    const Variable gw = weight.defined() ? g * weight : g;
    result[0] = rstd * (gw - gw.mean(axes, true) - xhat * (gw * xhat).mean(axes, true));
  }
  if (ctx.needs(1)) result[1] = (g * xhat).sum(affine_axes);
  if (ctx.needs(2)) result[2] = g.sum(affine_axes);
  return result;
}

// Views the parts of differentiable_grads as the operation's inputs were.
void restore(Gradients& grads, IntArrayRef x_sizes, IntArrayRef affine_sizes) {
  if (grads[0].defined()) grads[0] = grads[0].reshape(x_sizes);
  for (std::size_t i = 1; i < 3; ++i)
    if (grads[i].defined()) grads[i] = grads[i].reshape(affine_sizes);
}

// y = (x - mean) rstd w + b over the rows of x [R, D, S], each of one of `groups` groups;
// gradients above
Variable row_norm(const Variable& input, const Variable& weight, const Variable& bias, double eps,
                  IntArrayRef rows, std::int64_t groups, const char* name, NormStats* stats_out) {
  const Variable x = input.contiguous();
  NormStats stats;
  Variable y(kernels::row_norm(x.array().view(rows), array_or_undefined(weight),
                               array_or_undefined(bias), eps, groups, stats)
                 .view(x.sizes()));
  if (stats_out) *stats_out = stats;
  if (should_record(x, weight, bias))
    record(y, name, edges(x, weight, bias),
           [x = save(x), weight = save(weight, weight.defined()), stats, eps, groups,
            rows = DimVector(rows),
            affine = DimVector((weight.defined() ? weight : bias).defined()
                                   ? (weight.defined() ? weight : bias).sizes()
                                   : IntArrayRef())](const Variable& g, const VjpContext& ctx) {
             const Variable xv = x.get(ctx), w = weight.get(ctx);
             if (GradMode::is_enabled()) {
               const DimVector split{groups == 0 ? 0 : rows[0] / groups, groups, rows[1], rows[2]};
               Gradients grads = differentiable_grads(
                   g.reshape(split), xv.reshape(split),
                   w.defined() ? w.reshape({1, groups, rows[1], 1}) : w, eps, {2, 3}, {0, 3}, ctx);
               restore(grads, xv.sizes(), affine);
               return grads;
             }
             NormGradients grads = kernels::row_norm_grad(
                 g.contiguous().array().view(rows), xv.array().view(rows), array_or_undefined(w),
                 stats, groups, {ctx.needs(0), ctx.needs(1), ctx.needs(2)});
             if (grads.bias.defined()) grads.bias = grads.bias.view(affine);
             return pack(grads, w, xv.sizes());
           });
  return y;
}

// running = (1 - momentum) running + momentum value
void move_towards(const Variable& running, const Array& values, double momentum, double factor) {
  if (!running.defined()) return;
  const Array target = running.array();
  dispatch_floating(target.dtype(), "batch_norm", [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* const to = target.data<T>();
    const std::int64_t step = target.stride(0);
    const double* const from = values.data<double>();
    for (std::int64_t c = 0; c < target.numel(); ++c)
      to[c * step] = static_cast<T>((1 - momentum) * static_cast<double>(to[c * step]) +
                                    momentum * factor * from[c]);
  });
  finish_inplace(running);
}

NormStats stats_of(const Variable& running_mean, const Variable& running_var, double eps) {
  NormStats stats;
  stats.mean = kernels::cast(running_mean.contiguous().array(), kFloat64);
  stats.rstd = kernels::reciprocal_roots(running_var.array(), eps);
  return stats;
}

// y = (x - mean[c]) rstd[c] w[c] + b[c], constant statistics;
// dx = g w rstd, dw = sum g (x - mean) rstd, db = sum g
Variable channel_affine(const Variable& input, const Variable& weight, const Variable& bias,
                        const NormStats& stats, const char* name) {
  const Variable x = input.contiguous();
  const DimVector view = channel_view(x);
  Variable y(kernels::channel_norm_with(x.array().view(view), array_or_undefined(weight),
                                        array_or_undefined(bias), stats)
                 .view(x.sizes()));
  if (should_record(x, weight, bias))
    record(y, name, edges(x, weight, bias),
           [x = save(x), weight = save(weight, weight.defined()), stats, view](
               const Variable& g, const VjpContext& ctx) {
             const Variable xv = x.get(ctx), w = weight.get(ctx);
             if (!GradMode::is_enabled())
               return pack(
                   kernels::channel_norm_grad(g.contiguous().array().view(view),
                                              xv.array().view(view), array_or_undefined(w), stats,
                                              true, {ctx.needs(0), ctx.needs(1), ctx.needs(2)}),
                   w, xv.sizes());
             const auto constant = [&](const Array& a) {
               return Variable(kernels::cast(a, xv.dtype()).view({1, view[1], 1}));
             };
             const Variable gv = g.reshape(view), rstd = constant(stats.rstd);
             Gradients grads(3);
             if (ctx.needs(0)) {
               const Variable dx = gv * rstd;
               grads[0] = (w.defined() ? dx * w.reshape({1, view[1], 1}) : dx).reshape(xv.sizes());
             }
             if (ctx.needs(1))
               grads[1] = (gv * ((xv.reshape(view) - constant(stats.mean)) * rstd)).sum({0, 2});
             if (ctx.needs(2)) grads[2] = gv.sum({0, 2});
             return grads;
           });
  return y;
}

void check_channels(const char* op, const Variable& input, const Variable& weight,
                    const Variable& bias, const Variable& running_mean,
                    const Variable& running_var) {
  TAPEDECK_CHECK(input.dim() >= 2, op, ": expected an input of at least 2 dimensions, got ",
                 input.sizes());
  check_floating(op, input);
  const DimVector channels{input.size(1)};
  check_affine(op, "weight", weight, input, channels);
  check_affine(op, "bias", bias, input, channels);
  for (const Variable* v : {&running_mean, &running_var})
    TAPEDECK_CHECK(!v->defined() || v->sizes().equals(channels), op, ": expected ",
                   v == &running_mean ? "running_mean" : "running_var", " to be of shape ",
                   channels, ", got ", v->sizes(), " (input ", input.sizes(), ")");
}

}  // namespace

// y = (x - mean[c]) rstd[c] w[c] + b[c], statistics of each channel; gradients above
Variable batch_norm(const Variable& input, const std::optional<Variable>& weight_opt,
                    const std::optional<Variable>& bias_opt,
                    const std::optional<Variable>& running_mean_opt,
                    const std::optional<Variable>& running_var_opt, bool training, double momentum,
                    double eps, bool) {
  TAPEDECK_CHECK_DEFINED("batch_norm", input);
  const detail::OpScope scope("batch_norm");
  const Variable weight = or_undefined(weight_opt), bias = or_undefined(bias_opt);
  const Variable running_mean = or_undefined(running_mean_opt);
  const Variable running_var = or_undefined(running_var_opt);
  check_channels("batch_norm", input, weight, bias, running_mean, running_var);
  if (input.dim() == 4 && kernels::has_inner_channels(input.array())) {
    // Images whose channels lie next to each other are rows of channels.
    const Variable rows = input.permute({0, 2, 3, 1});
    return batch_norm(rows.reshape({-1, input.size(1)}), weight, bias, running_mean, running_var,
                      training, momentum, eps, false)
        .view(rows.sizes())
        .permute({0, 3, 1, 2});
  }
  constexpr const char* kName = "NativeBatchNormBackward0";
  if (!training) {
    TAPEDECK_CHECK(running_mean.defined() && running_var.defined(),
                   "batch_norm: expected running_mean and running_var outside of training");
    return channel_affine(input, weight, bias, stats_of(running_mean, running_var, eps), kName);
  }

  const Variable x = input.contiguous();
  const DimVector view = channel_view(x);
  const std::int64_t count = view[0] * view[2];
  NormStats stats;
  Array variance;
  Variable y(kernels::channel_norm(x.array().view(view), array_or_undefined(weight),
                                   array_or_undefined(bias), eps, stats, &variance)
                 .view(x.sizes()));
  if (count > 0) {
    move_towards(running_mean, stats.mean, momentum, 1);
    move_towards(running_var, variance, momentum,
                 static_cast<double>(count) / static_cast<double>(count - 1));
  }
  if (should_record(x, weight, bias))
    record(y, kName, edges(x, weight, bias),
           [x = save(x), weight = save(weight, weight.defined()), stats, view, eps](
               const Variable& g, const VjpContext& ctx) {
             const Variable xv = x.get(ctx), w = weight.get(ctx);
             if (GradMode::is_enabled()) {
               Gradients grads = differentiable_grads(g.reshape(view), xv.reshape(view),
                                                      w.defined() ? w.reshape({1, view[1], 1}) : w,
                                                      eps, {0, 2}, {0, 2}, ctx);
               restore(grads, xv.sizes(), view[1]);
               return grads;
             }
             return pack(
                 kernels::channel_norm_grad(g.contiguous().array().view(view),
                                            xv.array().view(view), array_or_undefined(w), stats,
                                            false, {ctx.needs(0), ctx.needs(1), ctx.needs(2)}),
                 w, xv.sizes());
           });
  return y;
}

Variable instance_norm(const Variable& input, const std::optional<Variable>& weight_opt,
                       const std::optional<Variable>& bias_opt,
                       const std::optional<Variable>& running_mean_opt,
                       const std::optional<Variable>& running_var_opt, bool use_input_stats,
                       double momentum, double eps, bool) {
  TAPEDECK_CHECK_DEFINED("instance_norm", input);
  const detail::OpScope scope("instance_norm");
  const Variable weight = or_undefined(weight_opt), bias = or_undefined(bias_opt);
  const Variable running_mean = or_undefined(running_mean_opt);
  const Variable running_var = or_undefined(running_var_opt);
  check_channels("instance_norm", input, weight, bias, running_mean, running_var);
  constexpr const char* kName = "InstanceNormBackward0";
  if (!use_input_stats) {
    TAPEDECK_CHECK(running_mean.defined() && running_var.defined(),
                   "instance_norm: expected running_mean and running_var where the input's "
                   "statistics are not used");
    return channel_affine(input, weight, bias, stats_of(running_mean, running_var, eps), kName);
  }
  const DimVector view = channel_view(input);
  const std::int64_t N = view[0], C = view[1], S = view[2];
  NormStats stats;
  Variable y = row_norm(input, weight, bias, eps, {N * C, 1, S}, C, kName, &stats);
  if ((running_mean.defined() || running_var.defined()) && input.numel() > 0) {
    const Array mean = Array::empty(C, kFloat64), variance = Array::empty(C, kFloat64);
    for (std::int64_t c = 0; c < C; ++c) {
      double mean_sum = 0, var_sum = 0;
      for (std::int64_t n = 0; n < N; ++n) {
        const double rstd = stats.rstd.data<double>()[n * C + c];
        mean_sum += stats.mean.data<double>()[n * C + c];
        var_sum += 1 / (rstd * rstd) - eps;
      }
      mean.data<double>()[c] = mean_sum / static_cast<double>(N);
      variance.data<double>()[c] = var_sum / static_cast<double>(N);
    }
    move_towards(running_mean, mean, momentum, 1);
    move_towards(running_var, variance, momentum,
                 static_cast<double>(S) / static_cast<double>(S - 1));
  }
  return y;
}

Variable layer_norm(const Variable& input, IntArrayRef normalized_shape,
                    const std::optional<Variable>& weight_opt,
                    const std::optional<Variable>& bias_opt, double eps, bool) {
  TAPEDECK_CHECK_DEFINED("layer_norm", input);
  const detail::OpScope scope("layer_norm");
  const Variable weight = or_undefined(weight_opt), bias = or_undefined(bias_opt);
  const std::size_t dims = static_cast<std::size_t>(input.dim()), last = normalized_shape.size();
  TAPEDECK_CHECK(last >= 1, "layer_norm: expected normalized_shape to have at least one size");
  TAPEDECK_CHECK(dims >= last && input.sizes().slice(dims - last).equals(normalized_shape),
                 "layer_norm: given normalized_shape ", normalized_shape,
                 ", expected input with shape [*, ", normalized_shape, "], got input ",
                 input.sizes());
  check_floating("layer_norm", input);
  check_affine("layer_norm", "weight", weight, input, normalized_shape);
  check_affine("layer_norm", "bias", bias, input, normalized_shape);
  const std::int64_t L = numel_of(normalized_shape);
  return row_norm(input, weight, bias, eps,
                  {numel_of(input.sizes().slice(0, dims - last)), L, std::int64_t{1}}, 1,
                  "NativeLayerNormBackward0", nullptr);
}

Variable group_norm(const Variable& input, std::int64_t num_groups,
                    const std::optional<Variable>& weight_opt,
                    const std::optional<Variable>& bias_opt, double eps, bool) {
  TAPEDECK_CHECK_DEFINED("group_norm", input);
  const detail::OpScope scope("group_norm");
  const Variable weight = or_undefined(weight_opt), bias = or_undefined(bias_opt);
  check_channels("group_norm", input, weight, bias, Variable(), Variable());
  const DimVector view = channel_view(input);
  const std::int64_t N = view[0], C = view[1], S = view[2];
  TAPEDECK_CHECK(num_groups > 0 && C % num_groups == 0,
                 "group_norm: expected the number of channels to be divisible by num_groups, got "
                 "input ",
                 input.sizes(), " and num_groups ", num_groups);
  return row_norm(input, weight, bias, eps, {N * num_groups, C / num_groups, S}, num_groups,
                  "NativeGroupNormBackward0", nullptr);
}

}  // namespace tapedeck
