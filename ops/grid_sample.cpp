#include <tapedeck/ops/grid_sample.h>

#include <vector>

#include <tapedeck/autograd/autograd.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/comparison.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/index.h>
#include <tapedeck/ops/joining.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/grid_sample.h>
#include <tapedeck/ops/matmul.h>
#include <tapedeck/ops/pointwise.h>
#include <tapedeck/ops/shape.h>
#include <tapedeck/ops/ternary.h>

namespace tapedeck {

namespace {

using kernels::GridMode;
using kernels::GridPadding;
using kernels::GridSampling;

// Reflects x at `low` and `high` as often as it takes: a triangle wave.
Variable reflect(const Variable& x, double low, double high) {
  const double span = high - low;
  if (span == 0) return x * 0;
  const Variable from_low = (x - low).abs();
  const Variable times = (from_low.detach() / span).floor();
  const Variable rest = from_low - times * span;
  return where(times.remainder(2) == 0, rest + low, high - rest);
}

// The place in pixels of a coordinate in [-1, 1].
Variable pixels_of(const Variable& x, std::int64_t size, const GridSampling& how) {
  const auto n = static_cast<double>(size);
  Variable place = how.align_corners ? (x + 1) * ((n - 1) / 2) : ((x + 1) * n - 1) / 2;
  if (how.padding == GridPadding::kReflection)
    place = how.align_corners ? reflect(place, 0, n - 1) : reflect(place, -0.5, n - 0.5);
  if (how.padding == GridPadding::kZeros) return place;
  // On the border, as beyond it, the place does not move.
  return where((place > 0).logical_and(place < n - 1), place, place.detach().clamp(0, n - 1));
}

// The values [N, C, P] of pixels [N, C, S] at whole numbers, one [N, P] for each axis; zeros beyond
// the edges.
Variable fetch(const Variable& pixels, const std::vector<Variable>& places, IntArrayRef sizes) {
  Variable linear, inside;
  for (std::size_t d = 0; d < places.size(); ++d) {
    const auto last = static_cast<double>(sizes[d] - 1);
    const Variable ok = (places[d] >= 0).logical_and(places[d] <= last);
    const Variable index = places[d].clamp(0, last).to(kInt64);
    linear = d == 0 ? index : linear * sizes[d] + index;
    inside = d == 0 ? ok : inside.logical_and(ok);
  }
  const Variable index = linear.unsqueeze(1).expand({pixels.size(0), pixels.size(1), -1});
  return pixels.gather(2, index) * inside.unsqueeze(1).to(pixels.dtype());
}

// The samples from operations that have derivatives of every order.
Variable composed_grid_sampler(const Variable& input, const Variable& grid,
                               const GridSampling& how) {
  const std::int64_t N = input.size(0), C = input.size(1), D = input.dim() - 2;
  const IntArrayRef sizes = input.sizes().slice(2);
  DimVector output_sizes{N, C};
  for (std::int64_t d = 1; d <= D; ++d) output_sizes.push_back(grid.size(d));
  const Variable points = grid.reshape({N, -1, D}), pixels = input.flatten(2);

  std::vector<Variable> places;
  for (std::int64_t d = 0; d < D; ++d)
    places.push_back(
        pixels_of(points.select(2, D - 1 - d), sizes[static_cast<std::size_t>(d)], how));
  if (how.mode == GridMode::kNearest) {
    for (Variable& place : places) place = place.detach().round();
    return fetch(pixels, places, sizes).reshape(output_sizes);
  }
  // The sum over the corners around a place, each weighted by how near it is.
  std::vector<Variable> low;
  for (const Variable& place : places) low.push_back(place.detach().floor());
  Variable sum;
  for (int corner = 0; corner < 1 << D; ++corner) {
    std::vector<Variable> at;
    Variable weight;
    for (std::size_t d = 0; d < places.size(); ++d) {
      const bool high = (corner >> d) & 1;
      at.push_back(high ? low[d] + 1 : low[d]);
      const Variable part = high ? places[d] - low[d] : low[d] + 1 - places[d];
      weight = d == 0 ? part : weight * part;
    }
    const Variable term = fetch(pixels, at, sizes) * weight.unsqueeze(1);
    sum = sum.defined() ? sum + term : term;
  }
  return sum.reshape(output_sizes);
}

// Their gradients, differentiable again.
Gradients composed_grads(const Variable& g, const Variable& input, const Variable& grid,
                         const GridSampling& how, const VjpContext& ctx) {
  // Of views: hooks of the inputs are for the pass that this is a part of.
  const Variable inputs[] = {input.view_as(input), grid.view_as(grid)};
  const Variable y = composed_grid_sampler(inputs[0], inputs[1], how);
  Gradients grads(2);
  for (std::size_t i = 0; i < 2; ++i) {
    if (!ctx.needs(i) || !inputs[i].requires_grad()) continue;
    grads[i] = how.mode == GridMode::kNearest && i == 1
                   ? zeros_like(inputs[i].detach())
                   : autograd::grad({y}, {inputs[i]}, {g}, true, true)[0];
  }
  return grads;
}

}  // namespace

Variable affine_grid_generator(const Variable& theta, IntArrayRef size, bool align_corners) {
  TAPEDECK_CHECK_DEFINED("affine_grid_generator", theta);
  const auto D = static_cast<std::int64_t>(size.size()) - 2;
  TAPEDECK_CHECK((D == 2 || D == 3) && theta.dim() == 3 && theta.size(0) == size[0] &&
                     theta.size(1) == D && theta.size(2) == D + 1,
                 "affine_grid_generator: expected matrices [N, 2, 3] for 4D sizes or [N, 3, 4] for "
                 "5D ones, got ",
                 theta.sizes(), " and size ", size);
  // (x, y, [z,] 1) of every pixel.
  const IntArrayRef spatial = size.slice(2);
  std::vector<Variable> columns;
  for (std::int64_t d = D - 1; d >= 0; --d) {
    const std::int64_t n = spatial[static_cast<std::size_t>(d)];
    Variable line = n == 1 ? zeros({1}, theta.options().requires_grad(false))
                           : linspace(-1, 1, n, theta.options().requires_grad(false));
    if (!align_corners) line = line * (static_cast<double>(n - 1) / static_cast<double>(n));
    DimVector shape(static_cast<std::size_t>(D), 1);
    shape[static_cast<std::size_t>(d)] = n;
    columns.push_back(line.reshape(shape).expand(spatial).reshape(-1));
  }
  columns.push_back(ones_like(columns[0]));
  // [P, D + 1] x [N, D + 1, D]
  const Variable places = stack(columns, 1).matmul(theta.transpose(1, 2));
  DimVector shape{size[0]};
  for (const std::int64_t n : spatial) shape.push_back(n);
  shape.push_back(D);
  return places.reshape(shape);
}

// y[c][p] = sum over corners k of w_k x[c][k], w_k how near place(grid)[p] is;
// dx[c][k] = sum of w_k g[c][p], dgrid[p] = place' sum over c and k of g[c][p] x[c][k] dw_k/dplace
Variable grid_sampler(const Variable& input, const Variable& grid, std::int64_t interpolation_mode,
                      std::int64_t padding_mode, bool align_corners) {
  TAPEDECK_CHECK_DEFINED("grid_sampler", input, grid);
  const std::int64_t D = input.dim() - 2;
  TAPEDECK_CHECK((D == 2 || D == 3) && grid.dim() == input.dim(),
                 "grid_sampler: expected 4D or 5D input and grid with same number of dimensions, "
                 "got ",
                 input.sizes(), " and ", grid.sizes());
  TAPEDECK_CHECK(grid.size(0) == input.size(0) && grid.size(-1) == D,
                 "grid_sampler: expected grid to have the batch size of the input, and size ", D,
                 " in last dimension, got input ", input.sizes(), " and grid ", grid.sizes());
  TAPEDECK_CHECK(input.numel() > 0,
                 "grid_sampler: expected input to have non-empty dimensions, got ", input.sizes());
  TAPEDECK_CHECK_AS(TypeError, input.is_floating_point() && input.dtype() == grid.dtype(),
                    "grid_sampler: expected input and grid to have same floating dtype, got ",
                    input.dtype(), " and ", grid.dtype());
  TAPEDECK_CHECK_AS(NotImplementedError, interpolation_mode == 0 || interpolation_mode == 1,
                    "grid_sampler: interpolation mode ", interpolation_mode, " is not implemented");
  const GridSampling how{static_cast<GridMode>(interpolation_mode),
                         static_cast<GridPadding>(padding_mode), align_corners};
  if (!kernels::grid_sample_serves(input.sizes().slice(2)))
    return composed_grid_sampler(input, grid, how);
  Variable y(kernels::grid_sample(input.array(), grid.array(), how));
  if (should_record(input, grid))
    record(y, D == 2 ? "GridSampler2DBackward0" : "GridSampler3DBackward0", edges(input, grid),
           [x = save(input), at = save(grid), how](const Variable& g, const VjpContext& ctx) {
             const Variable xv = x.get(ctx), places = at.get(ctx);
             if (GradMode::is_enabled()) return composed_grads(g, xv, places, how, ctx);
             Gradients grads(2);
             if (ctx.needs(0))
               grads[0] = Variable(
                   kernels::grid_sample_grad_input(g.array(), xv.sizes(), places.array(), how));
             if (ctx.needs(1))
               grads[1] = Variable(how.mode == GridMode::kNearest
                                       ? kernels::zeros(places.sizes(), places.dtype())
                                       : kernels::grid_sample_grad_grid(g.array(), xv.array(),
                                                                        places.array(), how));
             return grads;
           });
  return y;
}

}  // namespace tapedeck
