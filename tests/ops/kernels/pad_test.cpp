#include <tapedeck/ops/kernels/pad.h>

#include <tapedeck/ops/kernels/copy.h>
#include <tests/support/arrays.h>

namespace tapedeck::kernels {

namespace {

using namespace tapedeck::testing;

struct Case {
  DimVector input, before, sizes;
};

const Case kCases[] = {
    {{5}, {0}, {5}},
    {{5}, {2}, {8}},
    {{}, {}, {}},
    {{3, 1}, {1, 0}, {5, 1}},
    {{2, 3, 7, 5}, {0, 0, 1, 1}, {2, 3, 9, 7}},
    {{2, 3, 7, 5}, {0, 0, 0, 2}, {2, 3, 8, 7}},
    {{2, 3, 7, 5}, {0, 1, 0, 0}, {2, 5, 7, 5}},
    {{2, 3, 7, 5}, {1, 0, 2, 0}, {4, 3, 9, 8}},
    {{40, 30, 17, 19}, {0, 0, 1, 1}, {40, 30, 19, 21}},
    {{2, 3, 2, 700}, {0, 0, 1, 3}, {2, 3, 4, 703}},
    {{0, 3}, {1, 1}, {2, 5}},
};

template <typename T>
class PadTest : public ::testing::Test {};
using AllTypes = ::testing::Types<float, double, std::int64_t, std::int32_t, std::uint8_t, bool>;
TYPED_TEST_SUITE(PadTest, AllTypes);

TYPED_TEST(PadTest, IsTheInputAmongTheValue) {
  using T = TypeParam;
  for (const Case& c : kCases) {
    SCOPED_TRACE(::testing::Message() << IntArrayRef(c.input) << " " << IntArrayRef(c.before) << " "
                                      << IntArrayRef(c.sizes));
    const Array x = random_array(c.input, dtype_of<T>, 1, 0, 100);
    Array expected = full(c.sizes, 1, dtype_of<T>), inside = expected;
    for (std::int64_t d = 0; d < x.dim(); ++d)
      inside = inside.slice(d, c.before[d], c.before[d] + c.input[d], 1);
    copy(x, inside);
    for (const int threads : {1, 3}) {
      const ThreadCount count(threads);
      EXPECT_EQ(values<T>(pad_constant(x, c.before, c.sizes, 1)), values<T>(expected));
    }
    if (x.numel() > 1000) continue;
    for (const Array& layout : layouts_of(x))
      EXPECT_EQ(values<T>(pad_constant(layout, c.before, c.sizes, 1)), values<T>(expected));
  }
}

TYPED_TEST(PadTest, WrapsAround) {
  using T = TypeParam;
  for (const DimVector& sizes : {DimVector{5}, {3, 7}, {2, 3, 5}, {40, 30, 17}})
    for (std::int64_t axis = 0; axis < static_cast<std::int64_t>(sizes.size()); ++axis)
      for (const auto& [before, after] : {std::pair{0, 0}, {1, 2}, {2, 0}, {0, 1}}) {
        const Array x = random_array(sizes, dtype_of<T>, 1, 0, 100);
        const std::int64_t size = sizes[axis];
        DimVector padded = sizes;
        padded[axis] += before + after;
        const Array expected = zeros(padded, dtype_of<T>);
        for (std::int64_t i = 0; i < padded[axis]; ++i) {
          Array place = expected.select(axis, i);
          copy(x.select(axis, (i - before + size) % size), place);
        }
        const ThreadCount count(3);
        for (const Array& layout : layouts_of(x))
          EXPECT_EQ(values<T>(pad_circular(layout, axis, before, after)), values<T>(expected));
      }
}

TYPED_TEST(PadTest, WrapsPlanesAround) {
  using T = TypeParam;
  for (const DimVector& sizes : {DimVector{4, 5}, {3, 5, 7}, {2, 3, 4, 5}})
    for (std::int64_t axis = 1; axis < static_cast<std::int64_t>(sizes.size()); ++axis)
      for (const auto& [before, after] : {std::pair{1, 2}, {2, 0}, {0, 1}}) {
        const Array x = random_array(sizes, dtype_of<T>, 1, 0, 100);
        const Array expected =
            pad_circular(pad_circular(x, axis, before, after), axis - 1, after, before);
        const ThreadCount count(3);
        EXPECT_EQ(values<T>(pad_circular_planes(x, axis, before, after, after, before)),
                  values<T>(expected));
      }
}

}  // namespace

}  // namespace tapedeck::kernels
