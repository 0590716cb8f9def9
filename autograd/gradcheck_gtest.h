#pragma once

// For tests with GoogleTest, which the library itself does not need:
//
//   EXPECT_TRUE(GradcheckPasses([](Tensor x) { return x.exp(); }, {x}));
//   EXPECT_THAT([](Tensor x) { return x.exp(); }, PassesGradcheck(variable_list{x}));

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tapedeck/autograd/gradcheck.h>

namespace tapedeck::autograd {

inline ::testing::AssertionResult GradcheckPasses(const GradcheckFunction& f,
                                                  const variable_list& inputs,
                                                  const GradcheckOptions& options = {}) {
  const GradcheckResult result = gradcheck(f, inputs, options);
  return result ? ::testing::AssertionSuccess() : ::testing::AssertionFailure() << result.report;
}

inline ::testing::AssertionResult GradgradcheckPasses(const GradcheckFunction& f,
                                                      const variable_list& inputs,
                                                      const GradcheckOptions& options = {}) {
  const GradcheckResult result = gradgradcheck(f, inputs, options);
  return result ? ::testing::AssertionSuccess() : ::testing::AssertionFailure() << result.report;
}

MATCHER_P(PassesGradcheck, inputs, "passes gradcheck") {
  const GradcheckResult result = gradcheck(GradcheckFunction(arg), inputs);
  *result_listener << result.report;
  return result.passed;
}

MATCHER_P(PassesGradgradcheck, inputs, "passes gradgradcheck") {
  const GradcheckResult result = gradgradcheck(GradcheckFunction(arg), inputs);
  *result_listener << result.report;
  return result.passed;
}

}  // namespace tapedeck::autograd
