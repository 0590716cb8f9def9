#include <tapedeck/nn/functional/pooling.h>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/activation.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/fractional_pool.h>
#include <tapedeck/ops/pointwise.h>
#include <tapedeck/ops/pool.h>
#include <tapedeck/ops/pool3d.h>
#include <tapedeck/ops/random.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck::nn::functional {

Tensor avg_pool1d(const Tensor& input, const AvgPool1dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("avg_pool1d", input);
  const tapedeck::detail::OpScope scope("avg_pool1d");
  return tapedeck::avg_pool1d(input, options.kernel_size(), options.stride(), options.padding(),
                              options.ceil_mode(), options.count_include_pad());
}
Tensor avg_pool2d(const Tensor& input, const AvgPool2dFuncOptions& options) {
  return tapedeck::avg_pool2d(input, options.kernel_size(), options.stride(), options.padding(),
                              options.ceil_mode(), options.count_include_pad(),
                              options.divisor_override());
}
Tensor avg_pool3d(const Tensor& input, const AvgPool3dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("avg_pool3d", input);
  const tapedeck::detail::OpScope scope("avg_pool3d");
  return tapedeck::avg_pool3d(input, options.kernel_size(), options.stride(), options.padding(),
                              options.ceil_mode(), options.count_include_pad(),
                              options.divisor_override());
}
Tensor max_pool1d(const Tensor& input, const MaxPool1dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("max_pool1d", input);
  const tapedeck::detail::OpScope scope("max_pool1d");
  return tapedeck::max_pool1d(input, options.kernel_size(), options.stride(), options.padding(),
                              options.dilation(), options.ceil_mode());
}
Tensor max_pool2d(const Tensor& input, const MaxPool2dFuncOptions& options) {
  return tapedeck::max_pool2d(input, options.kernel_size(), options.stride(), options.padding(),
                              options.dilation(), options.ceil_mode());
}
Tensor max_pool3d(const Tensor& input, const MaxPool3dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("max_pool3d", input);
  const tapedeck::detail::OpScope scope("max_pool3d");
  return tapedeck::max_pool3d(input, options.kernel_size(), options.stride(), options.padding(),
                              options.dilation(), options.ceil_mode());
}
std::tuple<Tensor, Tensor> max_pool1d_with_indices(const Tensor& input,
                                                   const MaxPool1dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("max_pool1d_with_indices", input);
  const tapedeck::detail::OpScope scope("max_pool1d_with_indices");
  return tapedeck::max_pool1d_with_indices(input, options.kernel_size(), options.stride(),
                                           options.padding(), options.dilation(),
                                           options.ceil_mode());
}
std::tuple<Tensor, Tensor> max_pool2d_with_indices(const Tensor& input,
                                                   const MaxPool2dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("max_pool2d_with_indices", input);
  const tapedeck::detail::OpScope scope("max_pool2d_with_indices");
  return tapedeck::max_pool2d_with_indices(input, options.kernel_size(), options.stride(),
                                           options.padding(), options.dilation(),
                                           options.ceil_mode());
}
std::tuple<Tensor, Tensor> max_pool3d_with_indices(const Tensor& input,
                                                   const MaxPool3dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("max_pool3d_with_indices", input);
  const tapedeck::detail::OpScope scope("max_pool3d_with_indices");
  return tapedeck::max_pool3d_with_indices(input, options.kernel_size(), options.stride(),
                                           options.padding(), options.dilation(),
                                           options.ceil_mode());
}

namespace {

// The output size, where what is missing is the input's.
template <std::size_t D>
DimVector filled_in(const char* op, const Tensor& input,
                    const ExpandingArrayWithOptionalElem<D>& size) {
  TAPEDECK_CHECK(input.dim() >= static_cast<std::int64_t>(D), op, ": expected an input of ", D + 1,
                 " or ", D + 2, " dimensions, got ", input.sizes());
  DimVector result;
  for (std::size_t i = 0; i < D; ++i)
    result.push_back(size->at(i).value_or(
        input.size(static_cast<std::int64_t>(i) - static_cast<std::int64_t>(D))));
  return result;
}

}  // namespace

Tensor adaptive_avg_pool1d(const Tensor& input, const AdaptiveAvgPool1dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("adaptive_avg_pool1d", input);
  const tapedeck::detail::OpScope scope("adaptive_avg_pool1d");
  return tapedeck::adaptive_avg_pool1d(input, options.output_size());
}
Tensor adaptive_avg_pool2d(const Tensor& input, const AdaptiveAvgPool2dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("adaptive_avg_pool2d", input);
  return tapedeck::adaptive_avg_pool2d(
      input, filled_in("adaptive_avg_pool2d", input, options.output_size()));
}
Tensor adaptive_avg_pool3d(const Tensor& input, const AdaptiveAvgPool3dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("adaptive_avg_pool3d", input);
  const tapedeck::detail::OpScope scope("adaptive_avg_pool3d");
  return tapedeck::adaptive_avg_pool3d(
      input, filled_in("adaptive_avg_pool3d", input, options.output_size()));
}
std::tuple<Tensor, Tensor> adaptive_max_pool1d_with_indices(
    const Tensor& input, const AdaptiveMaxPool1dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("adaptive_max_pool1d_with_indices", input);
  const tapedeck::detail::OpScope scope("adaptive_max_pool1d_with_indices");
  return tapedeck::adaptive_max_pool1d(input, options.output_size());
}
std::tuple<Tensor, Tensor> adaptive_max_pool2d_with_indices(
    const Tensor& input, const AdaptiveMaxPool2dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("adaptive_max_pool2d_with_indices", input);
  const tapedeck::detail::OpScope scope("adaptive_max_pool2d_with_indices");
  return tapedeck::adaptive_max_pool2d(
      input, filled_in("adaptive_max_pool2d", input, options.output_size()));
}
std::tuple<Tensor, Tensor> adaptive_max_pool3d_with_indices(
    const Tensor& input, const AdaptiveMaxPool3dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("adaptive_max_pool3d_with_indices", input);
  const tapedeck::detail::OpScope scope("adaptive_max_pool3d_with_indices");
  return tapedeck::adaptive_max_pool3d(
      input, filled_in("adaptive_max_pool3d", input, options.output_size()));
}
Tensor adaptive_max_pool1d(const Tensor& input, const AdaptiveMaxPool1dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("adaptive_max_pool1d", input);
  const tapedeck::detail::OpScope scope("adaptive_max_pool1d");
  return std::get<0>(adaptive_max_pool1d_with_indices(input, options));
}
Tensor adaptive_max_pool2d(const Tensor& input, const AdaptiveMaxPool2dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("adaptive_max_pool2d", input);
  const tapedeck::detail::OpScope scope("adaptive_max_pool2d");
  return std::get<0>(adaptive_max_pool2d_with_indices(input, options));
}
Tensor adaptive_max_pool3d(const Tensor& input, const AdaptiveMaxPool3dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("adaptive_max_pool3d", input);
  const tapedeck::detail::OpScope scope("adaptive_max_pool3d");
  return std::get<0>(adaptive_max_pool3d_with_indices(input, options));
}

namespace {

// The spatial size of the unpooled output: what was asked for, or (i - 1) s + k - 2 p.
template <std::size_t D>
DimVector unpooled_size(const char* op, const Tensor& input,
                        const MaxUnpoolFuncOptions<D>& options) {
  TAPEDECK_CHECK(input.dim() == D + 1 || input.dim() == D + 2, op, ": expected an input of ", D + 1,
                 " or ", D + 2, " dimensions, got ", input.sizes());
  DimVector least;
  for (std::size_t axis = 0; axis < D; ++axis)
    least.push_back((input.sizes()[input.sizes().size() - D + axis] - 1) *
                        (*options.stride())[axis] +
                    (*options.kernel_size())[axis] - 2 * (*options.padding())[axis]);
  if (!options.output_size()) return least;
  IntArrayRef asked = *options.output_size();
  if (asked.size() == D + 2) asked = asked.slice(2);
  TAPEDECK_CHECK_AS(ValueError, asked.size() == D, op,
                    ": output_size should be a sequence containing ", D, " or ", D + 2,
                    " elements, but it has a length of ", options.output_size()->size());
  for (std::size_t axis = 0; axis < D; ++axis) {
    const std::int64_t stride = (*options.stride())[axis];
    TAPEDECK_CHECK_AS(ValueError,
                      asked[axis] >= least[axis] - stride && asked[axis] <= least[axis] + stride,
                      op, ": invalid output_size ", asked, " (axis ", axis, " must be between ",
                      least[axis] - stride, " and ", least[axis] + stride, ")");
  }
  return asked;
}

}  // namespace

Tensor max_unpool1d(const Tensor& input, const Tensor& indices,
                    const MaxUnpool1dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("max_unpool1d", input, indices);
  const tapedeck::detail::OpScope scope("max_unpool1d");
  const DimVector size = unpooled_size<1>("max_unpool1d", input, options);
  return tapedeck::max_unpool2d(input.unsqueeze(-2), indices.unsqueeze(-2), {1, size[0]})
      .squeeze(-2);
}
Tensor max_unpool2d(const Tensor& input, const Tensor& indices,
                    const MaxUnpool2dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("max_unpool2d", input, indices);
  return tapedeck::max_unpool2d(input, indices, unpooled_size<2>("max_unpool2d", input, options));
}
Tensor max_unpool3d(const Tensor& input, const Tensor& indices,
                    const MaxUnpool3dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("max_unpool3d", input, indices);
  const tapedeck::detail::OpScope scope("max_unpool3d");
  const DimVector size = unpooled_size<3>("max_unpool3d", input, options);
  // Positions in the volume are those in a plane of depth and rest.
  return tapedeck::max_unpool2d(input.flatten(-2), indices.flatten(-2),
                                {size[0], size[1] * size[2]})
      .unflatten(-1, {size[1], size[2]});
}

namespace {

// (sum x^p)^(1/p) of the mean of x^p over windows of `count` elements.
Tensor lp_of(const Tensor& mean_power, double p, std::int64_t count) {
  return (mean_power.sign() * tapedeck::relu(mean_power.abs()) * count).pow(1.0 / p);
}

}  // namespace

namespace {

// The size of the output and the random numbers of a fractional pool.
template <std::size_t D>
std::tuple<DimVector, Tensor> fractional_arguments(const char* op, const Tensor& input,
                                                   const FractionalMaxPoolOptions<D>& options) {
  constexpr auto kAxes = static_cast<std::int64_t>(D);
  TAPEDECK_CHECK(input.dim() == kAxes + 1 || input.dim() == kAxes + 2, op,
                 ": expected an input of ", kAxes + 1, " (unbatched) or ", kAxes + 2,
                 " dimensions, got ", input.sizes());
  TAPEDECK_CHECK(options.output_size() || options.output_ratio(), op,
                 " requires specifying either an output_size or an output_ratio");
  DimVector size;
  for (std::size_t a = 0; a < D; ++a)
    size.push_back(options.output_size()
                       ? (**options.output_size())[a]
                       : static_cast<std::int64_t>(
                             static_cast<double>(input.size(static_cast<std::int64_t>(a) - kAxes)) *
                             (**options.output_ratio())[a]));
  if (options._random_samples().defined()) return {size, options._random_samples()};
  const std::int64_t N = input.dim() == kAxes + 1 ? 1 : input.size(0);
  return {size, rand({N, input.size(-kAxes - 1), kAxes}, input.options())};
}

}  // namespace

std::tuple<Tensor, Tensor> fractional_max_pool2d_with_indices(
    const Tensor& input, const FractionalMaxPool2dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("fractional_max_pool2d_with_indices", input);
  const tapedeck::detail::OpScope scope("fractional_max_pool2d_with_indices");
  const auto [size, samples] = fractional_arguments("fractional_max_pool2d", input, options);
  return tapedeck::fractional_max_pool2d(input, options.kernel_size(), size, samples);
}
std::tuple<Tensor, Tensor> fractional_max_pool3d_with_indices(
    const Tensor& input, const FractionalMaxPool3dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("fractional_max_pool3d_with_indices", input);
  const tapedeck::detail::OpScope scope("fractional_max_pool3d_with_indices");
  const auto [size, samples] = fractional_arguments("fractional_max_pool3d", input, options);
  return tapedeck::fractional_max_pool3d(input, options.kernel_size(), size, samples);
}
Tensor fractional_max_pool2d(const Tensor& input, const FractionalMaxPool2dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("fractional_max_pool2d", input);
  const tapedeck::detail::OpScope scope("fractional_max_pool2d");
  return std::get<0>(fractional_max_pool2d_with_indices(input, options));
}
Tensor fractional_max_pool3d(const Tensor& input, const FractionalMaxPool3dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("fractional_max_pool3d", input);
  const tapedeck::detail::OpScope scope("fractional_max_pool3d");
  return std::get<0>(fractional_max_pool3d_with_indices(input, options));
}

Tensor lp_pool1d(const Tensor& input, const LPPool1dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("lp_pool1d", input);
  const tapedeck::detail::OpScope scope("lp_pool1d");
  const Tensor mean = tapedeck::avg_pool1d(input.pow(options.norm_type()), options.kernel_size(),
                                           options.stride(), 0, options.ceil_mode());
  return lp_of(mean, options.norm_type(), (*options.kernel_size())[0]);
}
Tensor lp_pool2d(const Tensor& input, const LPPool2dFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("lp_pool2d", input);
  const tapedeck::detail::OpScope scope("lp_pool2d");
  const Tensor mean = tapedeck::avg_pool2d(input.pow(options.norm_type()), options.kernel_size(),
                                           options.stride(), 0, options.ceil_mode());
  return lp_of(mean, options.norm_type(),
               (*options.kernel_size())[0] * (*options.kernel_size())[1]);
}

}  // namespace tapedeck::nn::functional
