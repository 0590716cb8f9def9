#include "examples/common/conv_arithmetic.h"

#include <algorithm>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tapedeck/tapedeck.h>

namespace examples {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(ConvArithmetic, OutputsOfTheNotebook) {
  EXPECT_EQ((ConvAxis{.i = 4, .k = 3}).conv_output(), 2);
  EXPECT_EQ((ConvAxis{.i = 5, .k = 4, .p = 2}).conv_output(), 6);
  EXPECT_EQ((ConvAxis{.i = 5, .k = 3, .p = 1}).conv_output(), 5);
  EXPECT_EQ((ConvAxis{.i = 5, .k = 3, .p = 2}).conv_output(), 7);
  EXPECT_EQ((ConvAxis{.i = 5, .k = 3, .s = 2, .p = 1}).conv_output(), 3);
  EXPECT_EQ((ConvAxis{.i = 6, .k = 3, .s = 2, .p = 1}).conv_output(), 3);
  EXPECT_EQ((ConvAxis{.i = 7, .k = 3, .d = 2}).conv_output(), 3);
  EXPECT_EQ((ConvAxis{.i = 28, .k = 3, .s = 2}).conv_output(), 13);
  EXPECT_EQ((ConvAxis{.i = 2, .k = 3}).transposed_output(), 4);
  EXPECT_EQ((ConvAxis{.i = 2, .k = 3, .s = 2}).transposed_output(), 5);
}

TEST(ConvArithmetic, CeilModeDropsAWindowThatStartsInThePadding) {
  EXPECT_EQ((ConvAxis{.i = 28, .k = 3, .s = 2, .ceil_mode = true}).conv_output(), 14);
  EXPECT_EQ((ConvAxis{.i = 6, .k = 2, .s = 3, .p = 1, .ceil_mode = true}).conv_output(), 3);
  EXPECT_EQ((ConvAxis{.i = 5, .k = 2, .s = 3, .p = 1, .ceil_mode = true}).conv_output(), 2);
}

TEST(ConvArithmetic, TheTransposedConvolutionInvertsEverySizeThatSharesAnOutput) {
  for (std::int64_t k : {1, 2, 3, 5})
    for (std::int64_t s : {1, 2, 3})
      for (std::int64_t d : {1, 2})
        for (std::int64_t i = 9; i < 16; ++i) {
          const ConvAxis axis{.i = i, .k = k, .s = s, .p = k / 2, .d = d};
          const std::int64_t o = axis.conv_output();
          const std::int64_t output_padding = i - axis.smallest_input(o);
          EXPECT_LT(output_padding, s);
          const ConvAxis back{
              .i = o, .k = k, .s = s, .p = k / 2, .d = d, .output_padding = output_padding};
          EXPECT_EQ(back.transposed_output(), i);
        }
}

TEST(ConvArithmetic, TheExplanationFillsInTheNumbers) {
  const std::string text = explain_convolution({.i = 6, .k = 3, .s = 2, .p = 1, .d = 2});
  EXPECT_THAT(text, HasSubstr("k' = k + (k - 1)(d - 1) = 3 + 2*1 = 5"));
  EXPECT_THAT(text, HasSubstr("o = floor((i + 2p - k') / s) + 1 = floor((6 + 2 - 5) / 2) + 1 = 2"));
  EXPECT_THAT(text, HasSubstr("every i from 5 to 6 gives o = 2"));
  EXPECT_THAT(text, HasSubstr("5 with output_padding 0; 6 with output_padding 1"));
  EXPECT_THAT(text, HasSubstr("it inverts the size, not the values"));
}

TEST(ConvArithmetic, HalfPaddingNeedsAnOddKernel) {
  EXPECT_THAT(explain_convolution({.i = 5, .k = 3, .p = 1}),
              HasSubstr("p = floor(k / 2) = 1: that is this one"));
  EXPECT_THAT(explain_convolution({.i = 5, .k = 4, .p = 2}), HasSubstr("needs an odd k"));
  EXPECT_EQ(padding_by_name("half", {.k = 3, .d = 2}), 2);
  EXPECT_EQ(padding_by_name("full", {.k = 3}), 2);
}

TEST(ConvArithmetic, ParametersOfTheNotebook) {
  EXPECT_THAT(explain_parameters(1, 1, 3, 3, 1, true), HasSubstr(" = 10\n"));
  EXPECT_THAT(explain_parameters(1, 1, 4, 4, 1, true), HasSubstr(" = 17\n"));
  EXPECT_THAT(explain_parameters(1, 32, 3, 3, 1, true), HasSubstr(" = 320\n"));
  EXPECT_THAT(explain_parameters(16, 32, 5, 5, 1, true),
              HasSubstr("32 * 16 * 5 * 5 + 32 = 12832\n"));
}

TEST(ConvArithmetic, ImpossibleNumbersAreErrors) {
  EXPECT_THROW((ConvAxis{.i = 2, .k = 3}).conv_output(), tapedeck::Error);
  EXPECT_THROW((ConvAxis{.i = 2, .k = 3, .s = 2, .output_padding = 2}).transposed_output(),
               tapedeck::Error);
  EXPECT_THROW(padding_by_name("some", {}), tapedeck::Error);
}

// Follows the window instead of a formula.
struct Walk {
  std::int64_t windows = 0, last_read = -1;
};
Walk walk(const ConvAxis& a) {
  Walk result;
  const std::int64_t span = (a.k - 1) * a.d + 1;
  for (std::int64_t start = -a.p;; start += a.s) {
    const bool fits = start + span <= a.i + a.p;
    // In ceil_mode a window may reach beyond the end by less than a stride, if it starts before it.
    const bool partial = a.ceil_mode && start < a.i && start + span - (a.i + a.p) < a.s;
    if (!fits && !partial) return result;
    ++result.windows;
    result.last_read = std::max(result.last_read, start + span - 1);
  }
}

// Whether some window of a pooling has no tap in the image: there is no largest element then.
bool has_a_window_of_padding(const ConvAxis& a) {
  for (std::int64_t o = 0; o < walk(a).windows; ++o) {
    bool empty = true;
    for (std::int64_t tap = 0; tap < a.k; ++tap) {
      const std::int64_t at = o * a.s - a.p + tap * a.d;
      empty = empty && (at < 0 || at >= a.i);
    }
    if (empty) return true;
  }
  return false;
}

// The library's output for an image of one row.
std::int64_t columns(const tapedeck::Tensor& output) { return output.size(-1); }

class EveryGeometry : public testing::TestWithParam<std::int64_t> {
 protected:
  template <typename F>
  void for_each(const F& f) const {
    for (std::int64_t k = 1; k <= 5; ++k)
      for (std::int64_t s = 1; s <= 4; ++s)
        for (std::int64_t p = 0; p <= 5; ++p)
          for (std::int64_t d = 1; d <= 3; ++d)
            f(ConvAxis{.i = GetParam(), .k = k, .s = s, .p = p, .d = d});
  }
};

TEST_P(EveryGeometry, ConvolutionsAreAsWalkedAndAsComputed) {
  for_each([](const ConvAxis& a) {
    SCOPED_TRACE(testing::Message()
                 << "i=" << a.i << " k=" << a.k << " s=" << a.s << " p=" << a.p << " d=" << a.d);
    const Walk expected = walk(a);
    const auto x = tapedeck::ones({1, 1, a.i}), w = tapedeck::ones({1, 1, a.k});
    if (expected.windows == 0) {
      EXPECT_THROW(a.conv_output(), tapedeck::Error);
      EXPECT_THROW(tapedeck::conv1d(x, w, {}, a.s, a.p, a.d), tapedeck::Error);
      return;
    }
    const std::int64_t o = a.conv_output();
    EXPECT_EQ(o, expected.windows);
    EXPECT_EQ(columns(tapedeck::conv1d(x, w, {}, a.s, a.p, a.d)), o);
    EXPECT_EQ(a.unread_at_the_end(),
              std::clamp<std::int64_t>(a.i - 1 - expected.last_read, 0, a.i));
    // Exactly s sizes share the output, as far as they are sizes.
    for (std::int64_t i = 1; i <= a.smallest_input(o) + 2 * a.s; ++i) {
      ConvAxis other = a;
      other.i = i;
      const bool shares = i >= a.smallest_input(o) && i < a.smallest_input(o) + a.s;
      EXPECT_EQ(walk(other).windows == o, shares) << "another i " << i;
    }
    EXPECT_THAT(explain_convolution(a), HasSubstr(" = " + std::to_string(o) + "\n"));
  });
}

TEST_P(EveryGeometry, TransposedConvolutionsAreAsComputed) {
  for_each([](ConvAxis a) {
    const auto x = tapedeck::ones({1, 1, a.i}), w = tapedeck::ones({1, 1, a.k});
    for (a.output_padding = 0; a.output_padding < 5; ++a.output_padding) {
      SCOPED_TRACE(testing::Message() << "i=" << a.i << " k=" << a.k << " s=" << a.s << " p=" << a.p
                                      << " d=" << a.d << " output_padding=" << a.output_padding);
      const auto computed = [&] {
        return columns(tapedeck::conv_transpose1d(x, w, {}, a.s, a.p, a.output_padding, 1, a.d));
      };
      const std::int64_t size = (a.i - 1) * a.s + (a.k - 1) * a.d + 1 - 2 * a.p + a.output_padding;
      if (size <= 0 || a.output_padding >= std::max(a.s, a.d)) {
        EXPECT_THROW(a.transposed_output(), tapedeck::Error);
        EXPECT_THROW(computed(), tapedeck::Error);
        continue;
      }
      EXPECT_EQ(a.transposed_output(), size);
      EXPECT_EQ(computed(), size);
      ConvAxis back = a;
      back.i = size;
      const std::int64_t i = walk(back).windows;
      EXPECT_EQ(i == a.i, a.output_padding < a.s);
      const std::string text = explain_transposed_convolution(a);
      if (a.output_padding >= a.s) {
        EXPECT_THAT(text, HasSubstr("maps " + std::to_string(size) + " to " + std::to_string(i) +
                                    ", not to " + std::to_string(a.i)));
      } else if (a.s > 1) {
        EXPECT_THAT(text, HasSubstr(std::to_string(size) + " with output_padding " +
                                    std::to_string(a.output_padding)));
      }
    }
  });
}

TEST_P(EveryGeometry, PoolingsAreAsWalkedAndAsComputed) {
  for_each([](ConvAxis a) {
    for (a.ceil_mode = false;; a.ceil_mode = true) {
      SCOPED_TRACE(testing::Message() << "i=" << a.i << " k=" << a.k << " s=" << a.s << " p=" << a.p
                                      << " d=" << a.d << " ceil_mode=" << a.ceil_mode);
      const auto computed = [&] {
        return columns(
            tapedeck::max_pool1d(tapedeck::ones({1, 1, a.i}), a.k, a.s, a.p, a.d, a.ceil_mode));
      };
      const std::int64_t expected = walk(a).windows;
      if (expected == 0 || 2 * a.p > a.k) {
        EXPECT_THROW(explain_pooling(a), tapedeck::Error);
        EXPECT_THROW(computed(), tapedeck::Error);
      } else {
        EXPECT_EQ(a.conv_output(), expected);
        if (has_a_window_of_padding(a))
          EXPECT_THROW(computed(), tapedeck::Error);
        else
          EXPECT_EQ(computed(), expected);
        EXPECT_THAT(explain_pooling(a), HasSubstr(" = " + std::to_string(expected) + "\n"));
      }
      if (a.ceil_mode) return;
    }
  });
}

TEST_P(EveryGeometry, SamePaddingGivesTheCeiling) {
  for_each([](ConvAxis a) {
    const std::int64_t o = (a.i + a.s - 1) / a.s;
    try {
      a.p = padding_by_name("same", a);
      EXPECT_EQ(a.conv_output(), o) << a.i << ' ' << a.k << ' ' << a.s << ' ' << a.d;
    } catch (const tapedeck::Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("one number for both sides cannot"));
      a.p = 0;
      EXPECT_EQ((a.smallest_input(o) - a.i) % 2, 1);
    }
  });
}

INSTANTIATE_TEST_SUITE_P(ConvArithmetic, EveryGeometry, testing::Values(1, 2, 3, 6, 11));

TEST(ConvArithmetic, SizesThatAreNoImagesAreNotListed) {
  EXPECT_THAT(explain_convolution({.i = 1, .k = 1, .s = 3, .p = 1}),
              HasSubstr("every i from 1 to 1 gives o = 1"));
  EXPECT_THAT(explain_convolution({.i = 9, .k = 3, .s = 7}),
              HasSubstr("maps 1 to 3 with output_padding 0, one more for each more, up to 9 with "
                        "output_padding 6"));
}

TEST(ConvArithmetic, PixelsThatAreNotReadAreCountedWithoutPadding) {
  // The last window of 6 pixels with padding ends at the last pixel: only padding is left over.
  EXPECT_THAT(explain_convolution({.i = 6, .k = 3, .s = 2, .p = 1}),
              AllOf(HasSubstr("every i from 5 to 6 gives o = 3\n"),
                    HasSubstr("rows at the end of i = 6: 0\n")));
  EXPECT_THAT(explain_convolution({.i = 6, .k = 3, .s = 2}),
              HasSubstr("rows at the end of i = 6: 1\n"));
}

TEST(ConvArithmetic, HugeNumbersAreErrors) {
  const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  EXPECT_THROW((ConvAxis{.i = huge, .k = 3, .s = 1, .p = 5}).conv_output(), tapedeck::Error);
  EXPECT_THROW((ConvAxis{.i = 5, .k = 3, .d = huge}).transposed_output(), tapedeck::Error);
  EXPECT_THROW(explain_parameters(1 << 29, 1 << 29, 1 << 29, 1 << 29, 1, true), tapedeck::Error);
  EXPECT_THROW(explain_parameters(0, 1, 3, 3, 1, true), tapedeck::Error);
}

}  // namespace
}  // namespace examples
