// What ATen's own tests and programs of its level spell: backends and types, results in arguments,
// operands brought to one shape, memory of the caller's, undefined tensors.

#include <ATen/ATen.h>
#include <ATen/ExpandUtils.h>
#include <ATen/Parallel.h>
#include <c10/core/UndefinedTensorImpl.h>
#include <c10/util/CallOnce.h>
#include <torch/torch.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <climits>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <tests/support/message_of.h>

namespace {

using at::Tensor;
using tapedeck::testing::message_of;
using testing::ElementsAre;
using testing::HasSubstr;

template <typename F>
Tensor into(F f, const Tensor& a, const Tensor& b) {
  Tensor out = at::empty({0}, a.options());
  f(out, a, b);
  return out;
}

TEST(CompatAten, FunctionsIntoAnArgumentArePassedOn) {
  const Tensor a = at::tensor({true, true, false}), b = at::tensor({true, false, false});
  EXPECT_TRUE(into(at::logical_and_out, a, b).equal(at::logical_and(a, b)));
  EXPECT_TRUE(into(at::logical_xor_out, a, b).equal(at::logical_xor(a, b)));
  EXPECT_TRUE(into<Tensor& (*)(Tensor&, const Tensor&, const Tensor&)>(at::lt_out, a, b)
                  .equal(at::lt(a, b)));
  const Tensor x = at::tensor({10.f, -1.f}), y = at::tensor({-10.f, 1.f});
  EXPECT_TRUE(into(at::sigmoid_backward_out, x, y).equal(at::tensor({-1100.f, 0.f})));
  Tensor out = at::empty({2});
  Tensor& (*const add)(Tensor&, const Tensor&, const Tensor&, const at::Scalar&) = at::add_out;
  add(out, x, y, 2);
  EXPECT_TRUE(out.equal(at::tensor({-10.f, 1.f})));
  std::invoke(at::abs_out, out, x);
  EXPECT_TRUE(out.equal(at::tensor({10.f, 1.f})));
}

TEST(CompatAten, TensorKeepsTheDtype) {
  const auto kind = [](const Tensor& x) { return c10::str(x.scalar_type(), x.sizes()); };
  EXPECT_EQ(kind(at::tensor({1, 2})), "Int[2]");
  EXPECT_EQ(kind(at::tensor(1)), "Int[1]");
  EXPECT_EQ(kind(at::tensor({1.5, 2.5})), "Double[2]");
  EXPECT_EQ(kind(at::tensor(std::vector<int64_t>{1})), "Long[1]");
  EXPECT_EQ(kind(at::tensor({1.5, 2.5}, at::kLong)), "Long[2]");
  EXPECT_EQ(kind(torch::tensor({1, 2})), "Long[2]");
  EXPECT_EQ(kind(torch::tensor(0.5)), "Float[]");
}

TEST(CompatAten, ScalarsConvertToIntegersThatHoldThem) {
  EXPECT_EQ(at::Scalar(-2.9).toInt(), -2);
  EXPECT_EQ(at::Scalar(1e15).toLong(), 1'000'000'000'000'000);
  EXPECT_EQ(at::Scalar(std::int64_t{INT_MIN}).toInt(), INT_MIN);
  EXPECT_EQ(
      message_of([] { (void)at::Scalar(std::int64_t{1} << 31).toInt(); }),
      "Scalar::toInt: value cannot be converted to type int without overflow, got 2147483648");
  EXPECT_THAT(message_of([] { (void)at::Scalar(NAN).toInt(); }), HasSubstr("type int without"));
  EXPECT_THAT(message_of([] { (void)at::Scalar(INFINITY).toLong(); }),
              HasSubstr("type int64_t without overflow, got inf"));
  EXPECT_THAT(message_of([] { (void)at::Scalar(-1e19).toLong(); }), HasSubstr("int64_t without"));
}

TEST(CompatAten, TypesKnowTheirBackend) {
  at::DeprecatedTypeProperties& type = at::CPU(at::kFloat);
  EXPECT_EQ(type.backend(), at::Backend::CPU);
  EXPECT_THAT(message_of([] { at::CUDA(at::kFloat); }), HasSubstr("CUDA: device cuda is not"));
  const Tensor x = at::ones({2}, type);
  EXPECT_TRUE(x.toBackend(at::Backend::CPU).is_same(x));
  EXPECT_THAT(message_of([&] { x.toBackend(at::Backend::Undefined); }), HasSubstr("Backend::CPU"));
}

TEST(CompatAten, AnotherLayoutIsAnErrorOnlyForATensor) {
  const at::TensorOptions options = at::TensorOptions().layout(at::kSparse);
  EXPECT_EQ(options.layout(), at::kSparse);
  EXPECT_EQ(at::TensorOptions(at::kFloat).merge_in(options).layout(), at::kSparse);
  EXPECT_THAT(c10::str(options), HasSubstr("layout=Sparse, "));
  EXPECT_EQ(message_of([&] { at::empty({4}, options); }),
            "empty: layout Sparse is not supported: tapedeck's tensors are strided");
  EXPECT_THAT(message_of([&] { at::ones({4}).to(options); }), HasSubstr("to: layout Sparse"));
  EXPECT_EQ(c10::str(at::ones({4}).layout()), "Strided");
}

TEST(CompatAten, FunctionsAreCalledAsMethods) {
  const Tensor x = at::tensor({-1.f, 2.f}), y = at::tensor({1.f, 1.f});
  EXPECT_TRUE(x.m(at::relu).m(at::mse_loss, y, at::Reduction::Mean).equal(torch::tensor(1.f)));
}

TEST(CompatAten, ForBlob) {
  std::array<int32_t, 6> memory;
  std::iota(memory.begin(), memory.end(), 1);
  int released = 0;
  {
    const Tensor row = at::for_blob(memory.data(), {3})
                           .storage_offset(3)
                           .options(at::kInt)
                           .deleter([&](void* data) { released += data == memory.data(); })
                           .make_tensor();
    EXPECT_TRUE(row.equal(at::tensor({4, 5, 6}, at::kInt)));
    EXPECT_TRUE((*at::expand_size(row, {2, 3})).equal(at::stack({row, row})));
  }
  EXPECT_EQ(released, 1);
  const Tensor odd = at::for_blob(memory.data(), {3}).strides({2}).options(at::kInt).make_tensor();
  EXPECT_TRUE(odd.equal(at::tensor({1, 3, 5}, at::kInt)));
}

TEST(CompatAten, OperandsAreExpandedWhereTheyHaveTo) {
  const Tensor row = at::ones({3}), column = at::ones({2, 1}), whole = at::ones({2, 3});
  EXPECT_TRUE(at::expand_inplace(whole, whole).unsafeIsBorrowed());
  EXPECT_EQ(at::expand_inplace(whole, row)->sizes(), whole.sizes());
  const auto [a, b] = at::expand_outplace(row, column);
  EXPECT_EQ(a->sizes(), whole.sizes());
  EXPECT_EQ(b->sizes(), whole.sizes());
  const std::vector<Tensor> all = at::expand_outplace({row, Tensor(), column});
  EXPECT_EQ(all[0].sizes(), whole.sizes());
  EXPECT_FALSE(all[1].defined());
  EXPECT_THAT(at::infer_size({2, 1}, at::IntArrayRef({3})), ElementsAre(2, 3));
  EXPECT_THAT(message_of([] { at::infer_size({2}, at::IntArrayRef({3})); }),
              HasSubstr("infer_size"));
  EXPECT_TRUE(at::is_expandable_to({1, 3}, {5, 2, 3}));
  EXPECT_FALSE(at::is_expandable_to({2, 3}, {5, 1, 3}));
  EXPECT_FALSE(at::is_expandable_to({1, 1}, {5}));
  EXPECT_TRUE(at::sum_to(whole, {3}).equal(at::full({3}, 2.f)));
  const auto owned = c10::MaybeOwned<std::string>::owned("text");
  EXPECT_FALSE(owned.unsafeIsBorrowed());
  EXPECT_EQ(owned->size(), 4u);
}

TEST(CompatAten, UndefinedTensorsHaveNoElements) {
  Tensor none;
  EXPECT_EQ(none.dim(), 1);
  EXPECT_EQ(none.sizes(), at::IntArrayRef({0}));
  EXPECT_EQ(none.size(-1), 0);
  EXPECT_EQ(none.numel(), 0);
  EXPECT_THAT(message_of([&] { none.size(1); }), HasSubstr("Dimension out of range"));
  for (const std::function<void()>& f : std::initializer_list<std::function<void()>>{
           [&] { none.strides(); }, [&] { none.is_view(); }, [&] { none._base(); },
           [&] { none.grad_fn(); }, [&] { none.name(); }, [&] { none.add(none); },
           [&] { none.toBackend(at::Backend::CPU); }, [&] { at::ones({1}).add(none); },
           [] { Tensor() = at::Scalar(5); }})
    EXPECT_THAT(message_of(f), HasSubstr("expected a defined tensor"));
  Tensor x = at::ones({1});
  EXPECT_EQ(x.name(), "");
  const Tensor y(std::move(x));
  EXPECT_EQ(x.unsafeGetTensorImpl(), at::UndefinedTensorImpl::singleton());
  static_assert(std::is_base_of_v<at::TensorBase, Tensor>);
}

TEST(CompatAten, SetFromStorages) {
  Tensor x = at::ones({2, 2});
  const Tensor y = at::arange(6, at::kFloat);
  x.set_(y.storage());
  EXPECT_TRUE(x.equal(y));
  EXPECT_TRUE(x.is_alias_of(y));
  x.set_(y.storage(), 1, {2, 2}, {2, 1});
  EXPECT_TRUE(x.equal(torch::tensor({{1.f, 2.f}, {3.f, 4.f}})));
  x.set_();
  EXPECT_EQ(x.sizes(), at::IntArrayRef({0}));
}

TEST(CompatAten, ProductsBetweenIterators) {
  const std::vector<int64_t> sizes{2, 3, 4};
  EXPECT_EQ(c10::multiply_integers(sizes.begin(), sizes.end() - 1), 6);
  EXPECT_EQ(c10::sum_integers(sizes.begin(), sizes.end()), 9);
}

TEST(CompatAten, ANestedReductionIsOneChunk) {
  at::parallel_for(0, 3, 1, [](int64_t, int64_t) {
    const int chunks = at::parallel_reduce(
        0, 10, 1, 0, [](int64_t, int64_t, int) { return 1; }, std::plus<>());
    EXPECT_EQ(chunks, 1);
  });
}

TEST(CompatAten, PackedAccessorsAreTransposed) {
  const Tensor x = at::arange(6, at::kFloat).view({1, 2, 3});
  const auto original = x.packed_accessor64<float, 3>(), turned = original.transpose(0, 2);
  EXPECT_EQ(turned.size(0), 3);
  EXPECT_EQ(turned[2][1][0], original[0][1][2]);
  EXPECT_EQ(message_of([&] { original.transpose(2, 5); }),
            "transpose: Index 5 is not within bounds of a tensor of dimension 3");
}

TEST(CompatAten, CallOnce) {
  c10::once_flag flag;
  int calls = 0;
  std::thread other([&] { c10::call_once(flag, [&] { ++calls; }); });
  other.join();
  c10::call_once(flag, [&] { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(CompatAten, ReduceLROnPlateauOfLaterVersions) {
  using torch::optim::ReduceLROnPlateauScheduler;
  torch::optim::SGD sgd({torch::ones({1}, torch::requires_grad())}, 1.0);
  ReduceLROnPlateauScheduler scheduler(sgd, ReduceLROnPlateauScheduler::max, 0.5, 0, 1e-4,
                                       ReduceLROnPlateauScheduler::abs, 1, {0.3f}, 1e-8, true);
  std::vector<double> rates;
  testing::internal::CaptureStdout();
  for (const float metric : {1.f, 1.f, 1.f, 1.f, 1.f}) {
    scheduler.step(metric);
    rates.push_back(sgd.param_groups()[0].options().get_lr());
  }
  EXPECT_THAT(rates, ElementsAre(1, 0.5, 0.5, 0.3f, 0.3f));
  EXPECT_EQ(testing::internal::GetCapturedStdout(),
            "Epoch 2: reducing learning rate of group 0 to 0.5\n"
            "Epoch 4: reducing learning rate of group 0 to 0.3\n");
}

TEST(CompatAten, RequiresGradOfAResultStaysAsItIs) {
  const Tensor y = torch::ones({1}, torch::requires_grad()) * 2;
  EXPECT_TRUE(y.set_requires_grad(false).requires_grad());
  EXPECT_THAT(message_of([&] { y.requires_grad_(false); }), HasSubstr("leaf variables"));
}

TEST(CompatAten, OptionalValuesOfIValues) {
  c10::IValue value = c10::optional<Tensor>(at::ones({2}));
  EXPECT_EQ(value.toTensor().numel(), 2);
  value = c10::optional<Tensor>();
  EXPECT_TRUE(value.isNone());
  value = c10::optional<int64_t>(3);
  EXPECT_EQ(value.toOptional<int64_t>(), 3);
}

TEST(CompatAten, MessagesNameTypesAsLibtorchDoes) {
  torch::nn::AnyModule module(torch::nn::Linear(2, 3));
  EXPECT_THAT(message_of([&] { module.get<torch::nn::Conv2d>(); }),
              HasSubstr("Attempted to cast module of type torch::nn::LinearImpl to type "
                        "torch::nn::Conv2dImpl"));
  EXPECT_THAT(message_of([&] { module.forward(5); }),
              HasSubstr("Expected argument #0 to be of type at::Tensor, but received value of type "
                        "int"));
}

}  // namespace
