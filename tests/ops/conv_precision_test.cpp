#include <tapedeck/ops/conv_precision.h>

#include <algorithm>

#include <tapedeck/ops/conv.h>
#include <tapedeck/ops/kernels/conv2d.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tests/support/arrays.h>
#include <tests/support/compare.h>
#include <tests/support/naive_conv.h>

// The setting, what the plan makes of it, and the errors that its documentation promises.

namespace tapedeck {
namespace {

using namespace testing;
using namespace testing_support;
using kernels::Conv2dGeometry;
using kernels::Conv2dShape;
using kernels::ConvAlgorithm;
using kernels::ConvDirection;

class Precision {
 public:
  explicit Precision(std::string_view name) : before_(get_float32_conv_precision()) {
    set_float32_conv_precision(name);
  }
  ~Precision() { set_float32_conv_precision(before_); }

 private:
  std::string_view before_;
};

ConvAlgorithm plan(std::int64_t channels, std::int64_t size, std::int64_t kernel,
                   ScalarType dtype) {
  Conv2dGeometry g;
  for (std::int64_t& side : g.padding) side = kernel / 2;
  const DimVector input{8, channels, size, size}, weight{channels, channels, kernel, kernel};
  const Conv2dShape shape(input, weight, kernels::conv_output_sizes("test", 2, input, weight, g),
                          g);
  return kernels::conv2d_plan(shape, ConvDirection::Forward, dtype);
}

TEST(ConvPrecision, IsHighestUntilSet) {
  EXPECT_EQ(get_float32_conv_precision(), "highest");
  {
    const Precision medium("medium");
    EXPECT_EQ(get_float32_conv_precision(), "medium");
  }
  EXPECT_EQ(get_float32_conv_precision(), "highest");
}

TEST(ConvPrecision, RefusesOtherNames) {
  EXPECT_EQ(error_of([] { set_float32_conv_precision("low"); }),
            "set_float32_conv_precision: expected \"highest\" or \"medium\", got \"low\"");
}

TEST(ConvPrecision, MediumAllowsTheLargerTransforms) {
  EXPECT_EQ(plan(64, 28, 3, kFloat32), ConvAlgorithm::Winograd);
  EXPECT_EQ(plan(64, 28, 5, kFloat32), ConvAlgorithm::Winograd);
  const Precision medium("medium");
  EXPECT_EQ(plan(64, 28, 3, kFloat32), ConvAlgorithm::WinogradSix);
  EXPECT_EQ(plan(64, 28, 5, kFloat32), ConvAlgorithm::WinogradSix);
  // Tiles of 4 x 4 would compute 64 pixels for 36.
  EXPECT_EQ(plan(64, 6, 3, kFloat32), ConvAlgorithm::Winograd);
  EXPECT_EQ(plan(64, 28, 3, kFloat64), ConvAlgorithm::Winograd);
  EXPECT_EQ(plan(64, 28, 5, kFloat64), ConvAlgorithm::Winograd);
}

// The largest error of the three computations of a layer, over the largest value of each.
double largest_error(std::int64_t kernel) {
  Conv2dGeometry g;
  for (std::int64_t& side : g.padding) side = kernel / 2;
  const DimVector input{2, 64, 28, 28}, weight{64, 64, kernel, kernel};
  const Array x = random_array(input, kFloat32, 1), w = random_array(weight, kFloat32, 2);
  const Array dy = random_array(input, kFloat32, 3);
  const auto exact = [](const Array& a) { return kernels::cast(a, kFloat64); };
  const ConvAlgorithm definition = ConvAlgorithm::Im2col;
  return std::max(
      {relative_error(kernels::conv2d(x, w, Array(), g),
                      kernels::conv2d(exact(x), exact(w), Array(), g, definition)),
       relative_error(
           kernels::conv2d_grad_input(dy, w, Array(), input, g),
           kernels::conv2d_grad_input(exact(dy), exact(w), Array(), input, g, definition)),
       relative_error(kernels::conv2d_grad_weight(x, dy, weight, g),
                      kernels::conv2d_grad_weight(exact(x), exact(dy), weight, g, definition))});
}

TEST(ConvPrecision, KeepsItsPromises) {
  EXPECT_LT(largest_error(3), 1e-6);
  EXPECT_LT(largest_error(5), 1e-6);
  const Precision medium("medium");
  EXPECT_LT(largest_error(3), 2e-5);
  EXPECT_GT(largest_error(3), 1e-6);
  EXPECT_LT(largest_error(5), 2e-5);
}

}  // namespace
}  // namespace tapedeck
