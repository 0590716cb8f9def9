#include "examples/common/conv_arithmetic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tapedeck/array/error.h>

namespace examples {
namespace {

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

}  // namespace
}  // namespace examples
