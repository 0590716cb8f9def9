#include <tapedeck/nn/functional/vision.h>

#include <algorithm>
#include <cctype>
#include <string>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/array/warning.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/grid_sample.h>

namespace tapedeck::nn::functional {

Tensor affine_grid(const Tensor& theta, IntArrayRef size, bool align_corners) {
  TAPEDECK_CHECK_DEFINED("affine_grid", theta);
  const tapedeck::detail::OpScope scope("affine_grid");
  std::string dtype = theta.toString();
  for (char& c : dtype) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  TAPEDECK_CHECK(theta.is_floating_point(),
                 "affine_grid: Expected theta to have floating point type, but got ",
                 tapedeck::detail::str(theta.dtype()) == "Int" ? "int" : dtype);
  TAPEDECK_CHECK(size.size() == 4 || size.size() == 5,
                 "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, "
                 "respectively. Got size ",
                 size);
  const bool flat = size.size() == 4;
  TAPEDECK_CHECK(
      theta.dim() == 3 && theta.size(-2) == (flat ? 2 : 3) && theta.size(-1) == (flat ? 3 : 4),
      "affine_grid: Expected a batch of ", flat ? "2D" : "3D", " affine matrices of shape ",
      flat ? "Nx2x3" : "Nx3x4", " for size ", size, ". Got ", theta.sizes(), ".");
  TAPEDECK_CHECK(*std::min_element(size.begin(), size.end()) > 0,
                 "affine_grid: Expected non-zero, positive output size. Got ", size);
  return affine_grid_generator(theta, size, align_corners);
}

Tensor grid_sample(const Tensor& input, const Tensor& grid, const GridSampleFuncOptions& options) {
  TAPEDECK_CHECK_DEFINED("grid_sample", input, grid);
  const tapedeck::detail::OpScope scope("grid_sample");
  if (!options.align_corners())
    TAPEDECK_WARN_ONCE(
        "grid_sample: align_corners is false unless given; set it to be sure of the places that "
        "grid names.");
  const std::int64_t mode = holds_alternative<enumtype::kNearest>(options.mode()) ? 1 : 0;
  const std::int64_t padding = holds_alternative<enumtype::kZeros>(options.padding_mode())    ? 0
                               : holds_alternative<enumtype::kBorder>(options.padding_mode()) ? 1
                                                                                              : 2;
  return grid_sampler(input, grid, mode, padding, options.align_corners().value_or(false));
}

}  // namespace tapedeck::nn::functional
