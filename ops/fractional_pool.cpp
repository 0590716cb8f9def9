#include <tapedeck/ops/fractional_pool.h>

#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/index.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/fractional_pool.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck {

namespace {

// `axes` numbers, from one or as many, behind a unit depth if there are two.
DimVector read_sizes(const char* op, const char* what, std::int64_t axes, IntArrayRef values) {
  TAPEDECK_CHECK(values.size() == 1 || static_cast<std::int64_t>(values.size()) == axes, op,
                 ": expected ", what, " of one number or ", axes, ", got ", values);
  DimVector sizes(static_cast<std::size_t>(3 - axes), 1);
  for (std::int64_t a = 0; a < axes; ++a)
    sizes.push_back(values[values.size() == 1 ? 0 : static_cast<std::size_t>(a)]);
  return sizes;
}

// The numbers of a plane's axes in the order D, H, W. Over two axes PyTorch has that of W first.
Array samples_of(const char* op, std::int64_t axes, const Variable& self, const Variable& samples) {
  const std::int64_t N = self.dim() == axes + 2 ? self.size(0) : 1, C = self.size(-axes - 1);
  TAPEDECK_CHECK(samples.defined() && samples.sizes().equals({N, C, axes}), op,
                 ": expected random_samples of shape ", DimVector{N, C, axes}, ", got ",
                 samples.defined() ? DimVector(samples.sizes()) : DimVector{});
  TAPEDECK_CHECK_AS(TypeError, samples.dtype() == self.dtype(), op,
                    ": expected random_samples of the input's dtype ", self.dtype(), ", got ",
                    samples.dtype());
  const Array flat = samples.contiguous().array().view({N * C, axes});
  const Array wide = kernels::cast(flat, kFloat64);
  for (std::int64_t i = 0; i < wide.numel(); ++i)
    TAPEDECK_CHECK_AS(ValueError, wide.data<double>()[i] >= 0 && wide.data<double>()[i] < 1, op,
                      ": expected random_samples in [0, 1), got ", wide.data<double>()[i]);
  if (axes == 3) return flat;
  Array ordered = kernels::full({N * C, 3}, 0, self.dtype());
  for (std::int64_t axis = 0; axis < 2; ++axis) {
    Array column = ordered.select(1, 2 - axis);
    kernels::copy(flat.select(1, axis), column);
  }
  return ordered;
}

// y = x[the largest of each window];  dx = g there, by gather
std::tuple<Variable, Variable> pool(const char* op, std::int64_t axes, const Variable& self,
                                    IntArrayRef kernel_size, IntArrayRef output_size,
                                    const Variable& random_samples) {
  TAPEDECK_CHECK(self.dim() == axes + 1 || self.dim() == axes + 2, op, ": expected an input of ",
                 axes + 1, " (unbatched) or ", axes + 2, " dimensions, got ", self.sizes());
  TAPEDECK_CHECK_AS(TypeError, self.is_floating_point(), op, ": not implemented for dtype ",
                    self.dtype());
  const DimVector kernel = read_sizes(op, "kernel_size", axes, kernel_size);
  const DimVector output = read_sizes(op, "output_size", axes, output_size);
  DimVector input(static_cast<std::size_t>(3 - axes), 1);
  for (std::int64_t a = -axes; a < 0; ++a) input.push_back(self.size(a));
  for (std::size_t a = 0; a < 3; ++a)
    TAPEDECK_CHECK(kernel[a] > 0 && output[a] > 0 && output[a] <= input[a] &&
                       kernel[a] <= input[a] - output[a] + 1,
                   op, ": expected sizes above zero with output + kernel - 1 <= input, got input ",
                   self.sizes(), ", kernel ", kernel_size, ", output ", output_size);
  const Array samples = samples_of(op, axes, self, random_samples);
  const std::int64_t planes = samples.size(0);
  DimVector shape(self.sizes().slice(0, self.sizes().size() - static_cast<std::size_t>(axes)));
  DimVector flat_shape = shape;
  for (std::size_t a = static_cast<std::size_t>(3 - axes); a < 3; ++a) shape.push_back(output[a]);
  flat_shape.push_back(numel_of(output));

  const Array volumes = self.contiguous().array().view({planes, input[0], input[1], input[2]});
  const Variable at(kernels::fractional_max_pool_indices(volumes, kernel, output, samples));
  const Variable y = self.flatten(-axes).gather(-1, at.view(flat_shape));
  return {y.view(shape), at.view(shape)};
}

}  // namespace

std::tuple<Variable, Variable> fractional_max_pool2d(const Variable& self, IntArrayRef kernel_size,
                                                     IntArrayRef output_size,
                                                     const Variable& random_samples) {
  TAPEDECK_CHECK_DEFINED("fractional_max_pool2d", self, random_samples);
  return pool("fractional_max_pool2d", 2, self, kernel_size, output_size, random_samples);
}
std::tuple<Variable, Variable> fractional_max_pool3d(const Variable& self, IntArrayRef kernel_size,
                                                     IntArrayRef output_size,
                                                     const Variable& random_samples) {
  TAPEDECK_CHECK_DEFINED("fractional_max_pool3d", self, random_samples);
  return pool("fractional_max_pool3d", 3, self, kernel_size, output_size, random_samples);
}

}  // namespace tapedeck
