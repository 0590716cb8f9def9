// Expected texts are libtorch 1.13.1's; tests/libtorch/printing_test.cpp compares many more.
#include <tapedeck/array/print.h>

#include <iomanip>
#include <limits>
#include <sstream>
#include <vector>

#include <gtest/gtest.h>

namespace tapedeck {
namespace {

template <typename T>
Array array(IntArrayRef sizes, std::vector<T> values) {
  Array a = Array::empty(sizes, dtype_of<T>);
  for (std::size_t i = 0; i < values.size(); ++i) a.data<T>()[i] = values[i];
  return a;
}

std::string text(const Array& a) {
  std::ostringstream out;
  out << a;
  return out.str();
}

TEST(Print, Matrix) {
  EXPECT_EQ(text(array<float>({2, 2}, {1, 2, 3, 4})), " 1  2\n 3  4\n[ CPUFloatType{2,2} ]");
  EXPECT_EQ(text(array<float>({2, 2}, {1, 2, 3, 4}).transpose(0, 1)),
            " 1  3\n 2  4\n[ CPUFloatType{2,2} ]");
  EXPECT_EQ(text(array<double>({2, 1}, {1.5, -2.25})), " 1.5000\n-2.2500\n[ CPUDoubleType{2,1} ]");
}

TEST(Print, ScalarEmptyAndUndefined) {
  EXPECT_EQ(text(array<float>({}, {3.5})), "3.5\n[ CPUFloatType{} ]");
  EXPECT_EQ(text(Array::empty({0}, kFloat)), "[ CPUFloatType{0} ]");
  EXPECT_EQ(text(Array::empty({2, 0, 3}, kLong)), "[ CPULongType{2,0,3} ]");
  EXPECT_EQ(text(Array()), "[ Tensor (undefined) ]");
}

TEST(Print, FactorInFront) {
  EXPECT_EQ(text(array<float>({2}, {0.001f, 0.0025f})),
            "0.001 *\n 1.0000\n 2.5000\n[ CPUFloatType{2} ]");
  EXPECT_EQ(text(array<float>({2, 2}, {123456.5f, 234567.5f, 345678.5f, 456789.5f})),
            "1e+05 *\n 1.2346  2.3457\n  3.4568  4.5679\n[ CPUFloatType{2,2} ]");
}

TEST(Print, Slices) {
  EXPECT_EQ(text(array<std::int64_t>({2, 1, 2}, {1, 2, 3, 4})),
            "(1,.,.) = \n  1  2\n\n(2,.,.) = \n  3  4\n[ CPULongType{2,1,2} ]");
}

TEST(Print, FoldsColumns) {
  std::ostringstream out;
  print(out, array<float>({1, 3}, {0.5f, 1.5f, 2.5f}), 16);
  EXPECT_EQ(out.str(),
            "Columns 1 to 2 0.5000  1.5000\n\nColumns 3 to 3 2.5000\n[ CPUFloatType{1,3} ]");
}

TEST(Print, SpecialValues) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(text(array<double>({3}, {1, inf, -inf})), " 1\ninf\n-inf\n[ CPUDoubleType{3} ]");
  EXPECT_EQ(text(array<bool>({2}, {true, false})), " 1\n 0\n[ CPUBoolType{2} ]");
  EXPECT_EQ(text(array<std::uint8_t>({2}, {7, 255})), "   7\n 255\n[ CPUByteType{2} ]");
  EXPECT_EQ(text(array<double>({2}, {1e-9, 1.5})),
            " 1.0000e-09\n 1.5000e+00\n[ CPUDoubleType{2} ]");
}

TEST(Print, LeavesTheStreamAsItWas) {
  std::ostringstream out;
  out << std::hex << array<float>({1}, {0.5f}) << 255;
  EXPECT_EQ(out.str(), " 0.5000\n[ CPUFloatType{1} ]ff");
}

}  // namespace
}  // namespace tapedeck
