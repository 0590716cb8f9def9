#include <tapedeck/tapedeck.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tests/support/message_of.h>

namespace tapedeck {
namespace {

using ::testing::HasSubstr;
using testing::message_of;

Variable made_for_inference() {
  const InferenceMode guard;
  return ones({2, 3});
}

TEST(InferenceMode, IsOfItsThreadAndItsScope) {
  EXPECT_FALSE(InferenceMode::is_enabled());
  {
    const InferenceMode guard;
    EXPECT_TRUE(InferenceMode::is_enabled());
    EXPECT_FALSE(GradMode::is_enabled());
    {
      const AutoGradMode on(true);
      EXPECT_FALSE(GradMode::is_enabled());
    }
    {
      const InferenceMode off(false);
      EXPECT_FALSE(InferenceMode::is_enabled());
      EXPECT_TRUE(GradMode::is_enabled());
    }
    EXPECT_TRUE(InferenceMode::is_enabled());
  }
  EXPECT_TRUE(GradMode::is_enabled());
}

TEST(InferenceMode, TensorsAreKnownByTheirMemory) {
  const Variable normal = ones({2, 3}).requires_grad_(), x = made_for_inference();
  EXPECT_TRUE(x.is_inference());
  EXPECT_TRUE(x.view({3, 2}).is_inference());
  EXPECT_FALSE(x.view({3, 2}).is_view());
  EXPECT_FALSE(x.clone().is_inference());
  EXPECT_FALSE((x * x).is_inference());
  EXPECT_FALSE(Variable().is_inference());
  const InferenceMode guard;
  EXPECT_TRUE((normal * 2).is_inference());
  EXPECT_FALSE((normal * 2).requires_grad());
  EXPECT_FALSE(normal.view({3, 2}).is_inference());
  EXPECT_FALSE(normal.detach().is_inference());
}

TEST(InferenceMode, TheTensorsCannotBeSaved) {
  const Variable x = made_for_inference(), w = ones({2, 3}).requires_grad_();
  EXPECT_THAT(message_of([&] { w* x; }), HasSubstr("Inference tensors cannot be saved"));
  (w + x).sum().backward();  // saves nothing
  EXPECT_TRUE(w.grad().equal(ones({2, 3})));
  (w * x.clone()).sum().backward();
  EXPECT_TRUE(w.grad().equal(full({2, 3}, 2.0)));
}

TEST(InferenceMode, OnlyItChangesThem) {
  const Variable x = made_for_inference();
  EXPECT_THAT(message_of([&] { x.mul_(2); }),
              HasSubstr("mul_: Inplace update to inference tensor outside InferenceMode"));
  EXPECT_THAT(message_of([&] { x.requires_grad_(); }),
              HasSubstr("Setting requires_grad=True on inference tensor"));
  EXPECT_THAT(message_of([&] { x._version(); }), HasSubstr("do not track version"));
  EXPECT_TRUE(x.equal(ones({2, 3})));
  const InferenceMode guard;
  x.mul_(2);
  EXPECT_TRUE(x.equal(full({2, 3}, 2.0)));
}

TEST(InferenceMode, ChangesOfNormalTensorsAreNoticed) {
  const Variable a = ones({2, 3}).requires_grad_().clone();
  const Variable product = a * a;
  {
    const InferenceMode guard;
    a.mul_(2);
  }
  EXPECT_THAT(message_of([&] { product.sum().backward(); }),
              HasSubstr("modified by an inplace operation"));
}

TEST(InferenceMode, ViewsOfNormalTensors) {
  const Variable a = ones({2, 3}).requires_grad_().clone();
  Variable view;
  {
    const InferenceMode guard;
    view = a.view({3, 2});
  }
  EXPECT_TRUE(view.requires_grad());
  EXPECT_TRUE(view.is_leaf());
  EXPECT_THAT(message_of([&] { view.mul_(2); }),
              HasSubstr("A view was created in inference mode and is being modified inplace"));
  a.mul_(2);
  EXPECT_THAT(message_of([&] { view.grad_fn(); }),
              HasSubstr("A view was created in inference mode and its base"));
}

TEST(InferenceMode, ATrainedModelPredictsAndTrainsOn) {
  nn::Sequential model(nn::Linear(3, 4), nn::BatchNorm1d(4), nn::ReLU(), nn::Linear(4, 2));
  const Variable x = randn({5, 3});
  {
    const InferenceMode guard;
    EXPECT_TRUE(model->forward(x).is_inference());
  }
  model->forward(x).sum().backward();
  for (const Variable& p : model->parameters()) {
    EXPECT_FALSE(p.is_inference());
    EXPECT_FALSE(p.grad().is_inference());
  }
}

}  // namespace
}  // namespace tapedeck
