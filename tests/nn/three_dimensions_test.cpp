// Layers on [N, C, D, H, W].
#include <gmock/gmock.h>

#include <tapedeck/tapedeck.h>

#include <tests/support/message_of.h>

namespace tapedeck {
namespace {

using tapedeck::testing::message_of;
using ::testing::HasSubstr;

// What a layer in two dimensions does with the depth as part of the height is the reference.
Tensor flat(const Tensor& x) { return x.flatten(2, 3); }

TEST(ThreeDimensions, NormsAreThoseOfFlattenedInputs) {
  const Tensor x = randn({3, 2, 4, 5, 2}, kFloat64);
  nn::BatchNorm3d batch(2);
  nn::BatchNorm2d batch2(2);
  nn::InstanceNorm3d instance(nn::InstanceNorm3dOptions(2).affine(true));
  nn::InstanceNorm2d instance2(nn::InstanceNorm2dOptions(2).affine(true));
  for (nn::Module* m :
       {static_cast<nn::Module*>(batch.get()), static_cast<nn::Module*>(batch2.get()),
        static_cast<nn::Module*>(instance.get()), static_cast<nn::Module*>(instance2.get())})
    m->to(kFloat64);
  EXPECT_TRUE(allclose(flat(batch(x)), batch2(flat(x)), 1e-12, 1e-12));
  EXPECT_TRUE(allclose(batch->running_var, batch2->running_var, 1e-12, 1e-12));
  EXPECT_TRUE(allclose(flat(instance(x)), instance2(flat(x)), 1e-12, 1e-12));
  EXPECT_THAT(message_of([&] { batch(flat(x)); }), HasSubstr("BatchNorm3d: expected 5D input"));
}

TEST(ThreeDimensions, DropoutTakesWholeChannels) {
  manual_seed(1);
  nn::Dropout3d dropout(0.5);
  const Tensor y = dropout(ones({20, 3, 2, 3, 2})).flatten(2);
  EXPECT_TRUE(equal(y.amax(2), y.amin(2)));
  EXPECT_TRUE(((y == 0).logical_or(y == 2)).all().item<bool>());
  EXPECT_TRUE((y == 0).any().item<bool>());
  dropout->eval();
  EXPECT_TRUE(equal(dropout(ones({2, 3, 2, 3, 2})), ones({2, 3, 2, 3, 2})));
}

TEST(ThreeDimensions, PadsGoAllAround) {
  const Tensor x = arange(12, kFloat64).reshape({1, 1, 2, 2, 3});
  const Tensor constant = nn::ConstantPad3d(nn::ConstantPad3dOptions({1, 0, 0, 2, 1, 0}, 7.))(x);
  EXPECT_EQ(constant.sizes(), (IntArrayRef{1, 1, 3, 4, 4}));
  EXPECT_TRUE(equal(constant.slice(2, 1).slice(3, 0, 2).slice(4, 1), x));
  EXPECT_EQ(constant.sum().item<double>(), 66 + 7 * (48 - 12));
  const Tensor replicated = nn::ReplicationPad3d(1)(x);
  EXPECT_EQ(replicated.sizes(), (IntArrayRef{1, 1, 4, 4, 5}));
  EXPECT_TRUE(equal(replicated.select(2, 0), replicated.select(2, 1)));
  EXPECT_EQ(replicated[0][0][3][3][4].item<double>(), 11);
  const Tensor reflected = nn::ReflectionPad3d(1)(x);
  EXPECT_TRUE(equal(reflected.select(2, 0), reflected.select(2, 2)));
  EXPECT_EQ(reflected[0][0][0][0][0].item<double>(), 10);
}

}  // namespace
}  // namespace tapedeck
