#include <tapedeck/ops/creation.h>

#include <cmath>
#include <limits>
#include <sstream>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tapedeck/ops/print.h>
#include <tapedeck/tapedeck.h>
#include <tests/support/arrays.h>
#include <tests/support/compare.h>

namespace tapedeck {
namespace {

using ::testing::ElementsAre;
using testing::values;

std::string text(const Variable& v) {
  std::ostringstream out;
  out << v;
  return out.str();
}

TEST(Tensor, FromNestedLists) {
  const Tensor m = tensor({{1, 2, 3}, {4, 5, 6}});
  EXPECT_EQ(m.dtype(), kLong);
  EXPECT_EQ(m.sizes(), (std::vector<std::int64_t>{2, 3}));
  EXPECT_THAT(values<std::int64_t>(m.array()), ElementsAre(1, 2, 3, 4, 5, 6));
  const Tensor cube = tensor({{{1.5}, {2.5}}, {{3.5}, {4.5}}, {{5.5}, {6.5}}});
  EXPECT_EQ(cube.dtype(), kFloat);
  EXPECT_EQ(cube.sizes(), (std::vector<std::int64_t>{3, 2, 1}));
  EXPECT_THAT(values<float>(cube.array()), ElementsAre(1.5, 2.5, 3.5, 4.5, 5.5, 6.5));
  EXPECT_EQ(tensor({{true, false}}).dtype(), kBool);
  EXPECT_EQ(tensor({1.0f, 2.0f}).dtype(), kFloat);
  EXPECT_EQ(tensor({1, 2}, kFloat64).dtype(), kDouble);
  EXPECT_THAT(values<double>(tensor({1, 2}, kFloat64).array()), ElementsAre(1, 2));
  EXPECT_THAT(values<std::int64_t>(tensor({1}).array()), ElementsAre(1));
}

TEST(Tensor, FromNumbersAndVectors) {
  EXPECT_EQ(tensor(5).dim(), 0);
  EXPECT_EQ(tensor(5).item<int>(), 5);
  EXPECT_EQ(tensor(5).dtype(), kLong);
  EXPECT_EQ(tensor(2.5).dtype(), kFloat);
  EXPECT_EQ(tensor(true).dtype(), kBool);
  EXPECT_EQ(tensor(std::uint8_t{3}).dtype(), kByte);
  EXPECT_EQ(tensor(std::vector<int>{1, 2}).dtype(), kLong);
  EXPECT_EQ(tensor(std::vector<std::uint8_t>{1, 2}).dtype(), kByte);
  EXPECT_EQ(tensor(std::vector<double>{1.5}).dtype(), kFloat);
  EXPECT_THAT(values<double>(tensor(std::vector<float>{1, 2}, dtype(kDouble)).array()),
              ElementsAre(1, 2));
  EXPECT_THAT(values<bool>(tensor(std::vector<bool>{true, false}).array()),
              ElementsAre(true, false));
  const std::vector<std::int64_t> numbers = {7, 8, 9};
  EXPECT_THAT(values<std::int64_t>(tensor(IntArrayRef(numbers)).array()), ElementsAre(7, 8, 9));
  EXPECT_THAT(values<std::int64_t>(tensor(zeros({2, 5}).sizes()).array()), ElementsAre(2, 5));
  // A list of vectors stacks them.
  const std::vector<double> row = {1, 2};
  EXPECT_EQ(tensor({row, row, row}).sizes(), (std::vector<std::int64_t>{3, 2}));
}

TEST(Tensor, OfNothing) {
  EXPECT_EQ(tensor({}).sizes(), (std::vector<std::int64_t>{0}));
  EXPECT_EQ(tensor({}).dtype(), kFloat);
  EXPECT_EQ(tensor({{}, {}}).sizes(), (std::vector<std::int64_t>{2, 0}));
  EXPECT_EQ(tensor(std::vector<int>{}).sizes(), (std::vector<std::int64_t>{0}));
}

TEST(Tensor, FollowsTheDefaultDtype) {
  set_default_dtype(kDouble);
  EXPECT_EQ(tensor({1.5f}).dtype(), kDouble);
  EXPECT_EQ(tensor({}).dtype(), kDouble);
  EXPECT_EQ(zeros({1}).dtype(), kDouble);
  EXPECT_EQ(rand({1}).dtype(), kDouble);
  set_default_dtype(kFloat);
}

TEST(Tensor, Refuses) {
  EXPECT_EQ(testing_support::error_of<Error>([] {
              tensor({{1, 2}, {3}});
            }),
            "tensor: Expected all sub-lists to have sizes: 2 (e.g. {1, 2}), but got sub-list {3} "
            "with sizes: 1");
  EXPECT_EQ(testing_support::error_of<Error>([] {
              tensor({1, 2.5});
            }),
            "tensor: Expected all elements of the tensor to have the same scalar type: Int, but "
            "got element of scalar type: Double");
  EXPECT_THAT(testing_support::error_of<Error>([] { tensor({1.5}, device(kCUDA)); }),
              ::testing::HasSubstr("tensor: device cuda is not supported"));
  EXPECT_THAT(testing_support::error_of<Error>([] {
                tensor({1, 2}, requires_grad());
              }),
              ::testing::HasSubstr(
                  "Only Tensors of floating point and complex dtype can require gradients"));
}

TEST(FromBlob, SharesMemory) {
  float data[] = {1, 2, 3, 4, 5, 6};
  const Tensor a = from_blob(data, {2, 3});
  data[4] = 50;
  EXPECT_THAT(values<float>(a.array()), ElementsAre(1, 2, 3, 4, 50, 6));
  const Tensor columns = from_blob(data, {3, 2}, {1, 3}, kFloat);
  EXPECT_THAT(values<float>(columns.array()), ElementsAre(1, 4, 2, 50, 3, 6));
  EXPECT_EQ(a.data_ptr(), static_cast<void*>(data));
  double wide[] = {1, 2};
  EXPECT_EQ(from_blob(wide, {2}, dtype(kDouble).requires_grad(true)).requires_grad(), true);
}

TEST(FromBlob, CallsTheDeleterOnce) {
  int calls = 0;
  auto* data = new float[3]{1, 2, 3};
  {
    const Tensor a = from_blob(data, {3}, [&](void* p) {
      ++calls;
      delete[] static_cast<float*>(p);
    });
    const Tensor b = a;
    EXPECT_EQ(calls, 0);
  }
  EXPECT_EQ(calls, 1);
}

TEST(Creation, ZerosOnesFullEmpty) {
  EXPECT_EQ(text(zeros({2, 2})), " 0  0\n 0  0\n[ CPUFloatType{2,2} ]");
  EXPECT_EQ(text(ones({2}, kInt64)), " 1\n 1\n[ CPULongType{2} ]");
  EXPECT_EQ(full({2}, 3).dtype(), kLong);
  EXPECT_EQ(full({2}, 3.0).dtype(), kFloat);
  EXPECT_EQ(full({2}, true).dtype(), kBool);
  EXPECT_EQ(full({2}, 3, kDouble).dtype(), kDouble);
  EXPECT_EQ(empty({2, 0, 3}).numel(), 0);
  EXPECT_EQ(scalar_tensor(2.5).dim(), 0);
  EXPECT_EQ(scalar_tensor(2).dtype(), kFloat);
  EXPECT_TRUE(ones({2}, requires_grad()).requires_grad());
  EXPECT_TRUE(ones({2}, requires_grad()).is_leaf());
  EXPECT_EQ(empty_strided({2, 3}, {1, 2}).strides(), (std::vector<std::int64_t>{1, 2}));
  EXPECT_THAT(testing_support::error_of<Error>([] {
                zeros({2, -1});
              }),
              ::testing::HasSubstr("negative dimension -1: [2, -1]"));
  EXPECT_THAT(testing_support::error_of<Error>([] { zeros({2}, device("cuda:1")); }),
              ::testing::HasSubstr("device cuda:1 is not supported"));
}

TEST(Creation, LikeKeepsTheMemoryOrder) {
  const Tensor x = rand({2, 3, 5}, kDouble).permute({2, 0, 1});
  const Tensor y = zeros_like(x);
  EXPECT_EQ(y.sizes(), x.sizes());
  EXPECT_EQ(y.strides(), x.strides());
  EXPECT_EQ(y.dtype(), kDouble);
  EXPECT_TRUE(ones_like(x, {}, MemoryFormat::Contiguous).is_contiguous());
  EXPECT_EQ(full_like(x, 2, kLong).dtype(), kLong);
  EXPECT_FALSE(zeros_like(rand({2}, requires_grad())).requires_grad());
  EXPECT_TRUE(zeros_like(rand({2}), requires_grad()).requires_grad());
  // Gaps are closed, and broadcast axes get memory of their own.
  EXPECT_EQ(empty_like(rand({4, 6}).t().slice(0, 0, 6, 2)).strides(),
            (std::vector<std::int64_t>{1, 3}));
  EXPECT_TRUE(empty_like(rand({3}).expand({2, 3})).is_contiguous());
}

TEST(Creation, NewKeepsTheDtype) {
  const Tensor x = zeros({2}, kDouble);
  EXPECT_EQ(x.new_zeros({3}).dtype(), kDouble);
  EXPECT_EQ(x.new_ones({3}, kInt).dtype(), kInt);
  EXPECT_EQ(x.new_full({3}, 7).dtype(), kDouble);
  EXPECT_EQ(x.new_empty({3, 4}).sizes(), (std::vector<std::int64_t>{3, 4}));
}

TEST(Creation, Arange) {
  EXPECT_EQ(arange(5).dtype(), kLong);
  EXPECT_THAT(values<std::int64_t>(arange(5).array()), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(values<std::int64_t>(arange(2, 9, 3).array()), ElementsAre(2, 5, 8));
  EXPECT_THAT(values<std::int64_t>(arange(2, 8, 3).array()), ElementsAre(2, 5));
  EXPECT_THAT(values<std::int64_t>(arange(5, 0, -2).array()), ElementsAre(5, 3, 1));
  EXPECT_EQ(arange(0, 1, 0.25).dtype(), kFloat);
  EXPECT_THAT(values<float>(arange(0, 1, 0.25).array()), ElementsAre(0, 0.25, 0.5, 0.75));
  EXPECT_THAT(values<float>(arange(3, kFloat).array()), ElementsAre(0, 1, 2));
  EXPECT_EQ(arange(3, 3).numel(), 0);
  EXPECT_THAT(values<float>(range(1, 3).array()), ElementsAre(1, 2, 3));
  EXPECT_EQ(testing_support::error_of<Error>([] { arange(0, 3, 0); }),
            "arange: step must be nonzero");
  EXPECT_EQ(testing_support::error_of<Error>([] { arange(0, 3, -1); }),
            "arange: upper bound and larger bound inconsistent with step sign: 0 to 3 by -1");
  const std::int64_t big = std::int64_t{1} << 60;
  EXPECT_THAT(values<std::int64_t>(arange(big, big + 3).array()),
              ElementsAre(big, big + 1, big + 2));
}

TEST(Creation, LinspaceAndLogspace) {
  EXPECT_THAT(values<float>(linspace(0, 1, 5).array()), ElementsAre(0, 0.25, 0.5, 0.75, 1));
  EXPECT_THAT(values<float>(linspace(3, 7, 1).array()), ElementsAre(3));
  EXPECT_EQ(linspace(3, 7, 0).numel(), 0);
  const Tensor thirds = linspace(0, 1, 4, kDouble);
  EXPECT_EQ(values<double>(thirds.array()).back(), 1.0);
  EXPECT_THAT(values<float>(logspace(0, 3, 4, 2.0).array()), ElementsAre(1, 2, 4, 8));
  EXPECT_EQ(testing_support::error_of<Error>([] { linspace(0, 1, -1); }),
            "linspace: number of steps must be non-negative, got -1");
}

TEST(Creation, ValuesThatTheDtypeDoesNotHold) {
  const auto error = [](auto make) { return testing_support::error_of<Error>(make); };
  EXPECT_EQ(error([] { full({2}, 1e300, kLong); }),
            "full: fill: value cannot be converted to type int64_t without overflow, got 1e+300");
  const std::pair<double, ScalarType> beyond[] = {{std::ldexp(1.0, 63), kLong},
                                                  {NAN, kLong},
                                                  {INFINITY, kInt},
                                                  {1e10, kInt},
                                                  {-3e9, kInt},
                                                  {256, kUInt8},
                                                  {-1.5, kUInt8},
                                                  {1e300, kFloat}};
  for (const auto& [value, dtype] : beyond)
    EXPECT_THAT(error([value = value, dtype = dtype] { full({2}, value, dtype); }),
                ::testing::HasSubstr("without overflow"))
        << value << ' ' << dtype;
  EXPECT_THAT(error([] { ones({2}, kUInt8).fill_(-256); }), ::testing::HasSubstr("type uint8_t"));
  EXPECT_THAT(error([] { full_like(ones({2}, kInt), std::int64_t{1} << 31); }),
              ::testing::HasSubstr("type int without overflow, got 2147483648"));
  EXPECT_THAT(error([] { full({}, 1e300, kDouble).item<std::int64_t>(); }),
              ::testing::HasSubstr("item: value cannot be converted to type int64_t"));
  EXPECT_THAT(error([] { full({}, 300, kLong).item<std::uint8_t>(); }),
              ::testing::HasSubstr("type uint8_t"));
  // At the ends, fractions, and what wraps as in PyTorch.
  EXPECT_EQ(full({1}, -std::ldexp(1.0, 63), kLong).item<std::int64_t>(),
            std::numeric_limits<std::int64_t>::lowest());
  EXPECT_EQ(full({1}, 3.7, kInt).item<int>(), 3);
  EXPECT_EQ(full({1}, -255, kUInt8).item<int>(), 1);
  EXPECT_EQ(full({1}, INFINITY, kFloat).item<float>(), INFINITY);
  EXPECT_EQ(full({1}, std::numeric_limits<float>::max(), kFloat).item<float>(),
            std::numeric_limits<float>::max());
  EXPECT_TRUE(std::isnan(full({1}, NAN, kFloat).item<double>()));
  EXPECT_EQ((full({1}, 45, kUInt8) + 300).item<int>(), 89);
}

TEST(Creation, EyeAndTriangles) {
  EXPECT_EQ(text(eye(2)), " 1  0\n 0  1\n[ CPUFloatType{2,2} ]");
  EXPECT_EQ(text(eye(2, 3, kLong)), " 1  0  0\n 0  1  0\n[ CPULongType{2,3} ]");
  EXPECT_EQ(text(eye(3, 2)), " 1  0\n 0  1\n 0  0\n[ CPUFloatType{3,2} ]");
  EXPECT_EQ(eye(0).numel(), 0);
  EXPECT_THAT(values<std::int64_t>(tril_indices(3, 2).array()),
              ElementsAre(0, 1, 1, 2, 2, 0, 0, 1, 0, 1));
  EXPECT_THAT(values<std::int64_t>(triu_indices(2, 3, 1).array()), ElementsAre(0, 0, 1, 1, 2, 2));
}

TEST(Print, Tensors) {
  EXPECT_EQ(text(Tensor()), "[ Tensor (undefined) ]");
  EXPECT_EQ(text(ones({1}, requires_grad())), " 1\n[ CPUFloatType{1} ]");
  std::ostringstream out;
  print(out, full({1, 3}, 0.5), 16);
  EXPECT_EQ(out.str(),
            "Columns 1 to 2 0.5000  0.5000\n\nColumns 3 to 3 0.5000\n[ CPUFloatType{1,3} ]");
}

}  // namespace
}  // namespace tapedeck
