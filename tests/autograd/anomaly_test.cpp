#include <tapedeck/autograd/anomaly.h>

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include <tapedeck/tapedeck.h>

#include <tests/support/message_of.h>

namespace tapedeck {
namespace {

using tapedeck::testing::message_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Recorder : public WarningHandler {
 public:
  void process(const SourceLocation&, const std::string& msg, bool) override {
    messages.push_back(msg);
  }
  std::vector<std::string> messages;
};

TEST(Anomaly, ErrorTellsWhereTheOperationWasRecorded) {
  Recorder recorder;
  const Warning::WarningHandlerGuard warnings(&recorder);
  const autograd::DetectAnomalyGuard guard;
  const Tensor x = tensor({5.}, requires_grad());
  Tensor y = x * x;
  const Tensor z = y * y;
  y += 1;
  EXPECT_THAT(message_of([&] { z.backward(); }), HasSubstr("modified by an inplace operation"));
  EXPECT_THAT(recorder.messages, ElementsAre(HasSubstr("Error detected in MulBackward0. Traceback "
                                                       "of forward call that caused the error")));
}

TEST(Anomaly, NanInADerivativeOfADerivativeNamesBoth) {
  Recorder recorder;
  const Warning::WarningHandlerGuard warnings(&recorder);
  const Tensor x = tensor({0.}, requires_grad());
  {
    const autograd::DetectAnomalyGuard guard;
    const Tensor first = autograd::grad({x.pow(1.5)}, {x}, {}, true, true)[0];
    EXPECT_THAT(message_of([&] { autograd::grad({first}, {x}, {tensor({0.})}); }),
                HasSubstr("returned nan values in its 0th output"));
  }
  EXPECT_THAT(recorder.messages,
              ElementsAre(HasSubstr("Traceback of forward call that caused the error"),
                          HasSubstr("Previous calculation was induced by PowBackward0")));
}

TEST(Anomaly, NanIsNoErrorUnlessAskedFor) {
  const Tensor x = tensor({-1.}, requires_grad());
  {
    const autograd::DetectAnomalyGuard guard(false);
    EXPECT_TRUE(autograd::AnomalyMode::is_enabled());
    x.sqrt().backward();
  }
  EXPECT_FALSE(autograd::AnomalyMode::is_enabled());
  EXPECT_TRUE(x.grad().isnan().item<bool>());
  EXPECT_THAT(message_of([&] {
                const autograd::DetectAnomalyGuard guard;
                x.sqrt().backward();
              }),
              HasSubstr("Function 'SqrtBackward0' returned nan values"));
}

// Each step's backward runs the step below: thousands of passes within each other.
struct Down : autograd::Function<Down> {
  static Tensor forward(autograd::AutogradContext* ctx, Tensor x) {
    ctx->saved_data["level"] = x.item<double>();
    return x.detach() - 1;
  }
  static autograd::tensor_list backward(autograd::AutogradContext* ctx, autograd::tensor_list) {
    const double level = ctx->saved_data["level"].toDouble();
    if (level > 0) {
      const AutoGradMode recording(true);
      const Tensor x = tensor({level - 1}, kFloat64).requires_grad_();
      apply(x).sum().backward();
      return {x.grad() + 1};
    }
    return {ones({1}, kFloat64)};
  }
};

TEST(Anomaly, PassesWithinPassesUseNoStackUp) {
  const Tensor x = tensor({3000.}, kFloat64).requires_grad_();
  Down::apply(x).sum().backward();
  EXPECT_EQ(x.grad().item<double>(), 3001);
}

}  // namespace
}  // namespace tapedeck
