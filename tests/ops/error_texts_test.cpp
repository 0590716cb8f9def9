// Errors begin with the operation that the user called, composed of others or not, and say what
// was expected and what came. What is changed in place stays as it was.
#include <functional>
#include <limits>

#include <tests/support/errors.h>
#include <tests/support/message_of.h>

#include <tapedeck/tapedeck.h>

namespace tapedeck {
namespace {

using testing::message_of;
namespace F = nn::functional;

struct Case {
  std::function<void()> call;
  std::string text;
};

std::string undefined(const char* op, const char* argument) {
  return str(op, ": expected a defined tensor, got an undefined one (a default-constructed Tensor)",
             " as ", argument);
}

TEST(ErrorTexts, AnUndefinedTensorIsNamedWithItsOperation) {
  const Tensor none, x = ones({2, 3}), labels = zeros({2}, kLong);
  Tensor y = ones({2, 3});
  const Case cases[] = {
      {[&] { none + x; }, undefined("add", "self")},
      {[&] { x + none; }, undefined("add", "other")},
      {[&] { none + 1; }, undefined("add", "self")},
      {[&] { mul(x, none); }, undefined("mul", "other")},
      {[&] { y.add_(none); }, undefined("add_", "other")},
      {[&] { none.exp(); }, undefined("exp", "self")},
      {[&] { none.exp_(); }, undefined("exp_", "self")},
      {[&] { none.eq(x); }, undefined("eq", "self")},
      {[&] { x.lt(none); }, undefined("lt", "other")},
      {[&] { none.sum(); }, undefined("sum", "self")},
      {[&] { none.max(); }, undefined("max", "x")},
      {[&] { none.var(true); }, undefined("var", "x")},
      {[&] { none.reshape({2}); }, undefined("reshape", "x")},
      {[&] { none.transpose(0, 1); }, undefined("transpose", "x")},
      {[&] { none.item(); }, undefined("item", "self")},
      {[&] { none.clone(); }, undefined("clone", "x")},
      {[&] { none.detach(); }, undefined("detach", "self")},
      {[&] { none.backward(); }, undefined("backward", "self")},
      {[&] { none.requires_grad_(); }, undefined("requires_grad_", "self")},
      {[&] { none.mutable_grad(); }, undefined("mutable_grad", "self")},
      {[&] { none.set_data(x); }, undefined("set_data", "self")},
      {[&] { x.set_data(none); }, undefined("set_data", "value")},
      {[&] { x.matmul(none); }, undefined("matmul", "other")},
      {[&] { conv2d(none, x); }, undefined("conv2d", "input")},
      {[&] { conv2d(x, none); }, undefined("conv2d", "weight")},
      {[&] {
         cat({x, none});
       },
       undefined("cat", "tensors")},
      {[&] { stack({none}); }, undefined("stack", "tensors")},
      {[&] { x.index_select(0, none); }, undefined("index_select", "index")},
      {[&] { F::mse_loss(x, none); }, undefined("mse_loss", "target")},
      {[&] { F::cross_entropy(none, labels); }, undefined("cross_entropy", "input")},
      {[&] { F::kl_div(x, none); }, undefined("kl_div", "target")},
      {[&] { F::linear(none, x); }, undefined("linear", "input")},
  };
  for (const Case& c : cases) EXPECT_EQ(message_of(c.call), c.text);
}

TEST(ErrorTexts, ComposedOperationsSayTheirOwnName) {
  const Tensor x = ones({2, 3}), other = ones({4}), whole = ones({2, 3}, kLong);
  const std::string shapes =
      "the shapes [2, 3] and [4] do not broadcast: at dimension 1 they have ";
  const Case cases[] = {
      {[&] { F::mse_loss(x, other); }, "mse_loss: sub: " + shapes + "3 and 4"},
      {[&] { F::l1_loss(x, other); }, "l1_loss: sub: " + shapes + "3 and 4"},
      {[&] { F::smooth_l1_loss(x, other); }, "smooth_l1_loss: huber: " + shapes + "3 and 4"},
      {[&] { F::soft_margin_loss(x, other); }, "soft_margin_loss: mul: " + shapes + "3 and 4"},
      {[&] { x.isclose(other); }, "isclose: eq: " + shapes + "3 and 4"},
      {[&] { x.clamp_min(other); }, "clamp_min: maximum: " + shapes + "3 and 4"},
      {[&] { x.lerp(other, 0.5); }, "lerp: "},
      {[&] { F::softmin(whole, F::SoftminFuncOptions(0)); },
       "softmin: softmax: not implemented for dtype Long"},
      {[&] { x.logsumexp(7); }, "logsumexp: amax: Dimension out of range"},
      {[&] { x.norm(Scalar(2), 7, false); }, "norm: Dimension out of range"},
      {[&] { F::cross_entropy(x, full({2}, 3, kLong)); },
       "cross_entropy: Target 3 is out of bounds: expected labels from 0 to 2"},
      {[&] { zeros({0}).max(); }, "max: amax: expected the reduced dimensions to have elements"},
      {[&] {
         einsum("ij,ik->jk", {x, whole});
       },
       "einsum: bmm: expected both operands to have the same dtype, got Float and Long"},
      {[&] { x.fmax(other); }, "fmax: maximum: " + shapes + "3 and 4"},
      {[&] { x.copysign(other); }, "copysign: logical_xor: " + shapes + "3 and 4"},
      {[&] { logaddexp2(x, other); }, "logaddexp2: " + shapes + "3 and 4"},
      {[&] { x.float_power(other); }, "float_power: pow: " + shapes + "3 and 4"},
      {[&] { isin(x > 0, x > 1); }, "isin: searchsorted: not implemented for dtype Bool"},
      {[&] { cov(whole); }, "cov: mean(): could not infer output dtype"},
      {[&] { zeros({-1}); }, "zeros: Trying to create tensor with negative dimension -1: [-1]"},
      {[&] { whole.sub(1, 0.5); }, "sub: for integral input tensors, argument alpha must not be"},
  };
  for (const Case& c : cases) EXPECT_THAT(message_of(c.call), ::testing::StartsWith(c.text));
}

TEST(ErrorTexts, ModulesAddTheirPath) {
  nn::Sequential model(nn::Linear(3, 2), nn::ReLU());
  EXPECT_EQ(message_of([&] { model->forward(Tensor()); }),
            undefined("linear", "input") + " in sequential.0");
}

TEST(ErrorTexts, NothingOfAFailedOperationRemains) {
  const Tensor x = ones({2, 3});
  const auto unchanged = [&](const std::function<void()>& call) {
    EXPECT_NE(message_of(call), "no error");
    EXPECT_TRUE(x.equal(ones({2, 3})));
    EXPECT_EQ(x._version(), 0);
  };
  unchanged([&] { x.add_(ones({4})); });
  unchanged([&] { x.bernoulli_(tensor({0.5, 1.0, 2.0})); });
  unchanged([&] { x.index_put_({0}, ones({7})); });
  unchanged([&] { x.scatter_(1, full({2, 1}, 9, kLong), ones({2, 1})); });
  unchanged([&] { x.normal_(0, -1); });
  // The first root gets no gradient where the second cannot be differentiated.
  const Tensor leaf = ones({}).requires_grad_();
  EXPECT_NE(message_of([&] {
              autograd::backward({leaf, ones({2}).requires_grad_()});
            }),
            "no error");
  EXPECT_FALSE(leaf.grad().defined());
}

TEST(ErrorTexts, BackwardAndGradNameThemselves) {
  const Tensor x = ones({2, 3}).requires_grad_();
  const Case cases[] = {
      {[&] { (x * 2).backward(); },
       "backward: grad can be implicitly created only for scalar outputs, got shape [2, 3]"},
      {[&] { ones({}).backward(); },
       "backward: element 0 of tensors does not require grad and does not have a grad_fn"},
      {[&] { (x * 2).backward(ones({3})); },
       "backward: Mismatch in shape: grad_output[0] has a shape of [3] and output[0] has a shape "
       "of [2, 3]"},
      {[&] { autograd::backward({Tensor()}); }, "backward: expected a defined tensor"},
      {[&] { autograd::grad({(x * x).sum()}, {ones({2}).requires_grad_()}); },
       "grad: One of the differentiated Tensors appears to not have been used in the graph."},
      {[&] { autograd::grad({ones({})}, {x}); },
       "grad: element 0 of tensors does not require grad"},
  };
  for (const Case& c : cases) EXPECT_THAT(message_of(c.call), ::testing::StartsWith(c.text));
}

// Numbers at the end of int64, where sums and products would leave it.
TEST(ErrorTexts, HugeNumbersOverflowNowhere) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  EXPECT_ERROR(arange(kMin, kMax), "arange: invalid size, possible overflow?");
  EXPECT_ERROR(ones({2, 3}).tile({kMax, kMax}), "tile: ");
  EXPECT_ERROR(ones({2}).diag(kMin), "diag: ");
  EXPECT_ERROR(triu_indices(kMax, kMax), "triu_indices: too many elements");
  EXPECT_ERROR(tril_indices(kMax, kMax), "tril_indices: too many elements");
  EXPECT_EQ(tril_indices(kMax, 0).sizes(), IntArrayRef({2, 0}));
  EXPECT_EQ(arange(kMin, kMin + 3).sizes(), IntArrayRef({3}));
  EXPECT_EQ(zeros({1}, kLong).add(kMax, 2).item<std::int64_t>(), -2);
  EXPECT_EQ(zeros({1}, kLong).sub(kMin).item<std::int64_t>(), kMin);
  EXPECT_TRUE(ones({2}).round(kMin).defined());
  EXPECT_TRUE(linalg::matrix_power(eye(2), kMin).equal(eye(2)));
  EXPECT_EQ(mvlgamma(empty({0}), kMax).sizes(), IntArrayRef({0}));
}

// The size is refused before anything of its length is made; a factor may lead to any place.
TEST(ErrorTexts, ResizingToHugeSizesAndByHugeFactors) {
  const std::int64_t huge = std::int64_t{1} << 62;
  EXPECT_ERROR(upsample_nearest1d(ones({1, 2, 3}), {huge}),
               str("upsample_nearest1d: empty: the number of elements of shape [1, 2, ", huge,
                   "] does not fit 64 bits"));
  EXPECT_ERROR(upsample_bilinear2d(ones({1, 1, 3, 3}), {huge, huge}, false),
               str("upsample_bilinear2d: empty: the number of elements of shape [1, 1, ", huge,
                   ", ", huge, "] does not fit 64 bits"));
  const Tensor x = arange(3.0).view({1, 1, 3}), image = arange(9.0).view({1, 1, 3, 3});
  const double tiny = 1e-300;
  EXPECT_TRUE(upsample_nearest1d(x, {3}, tiny).flatten().equal(tensor({0.0, 2.0, 2.0}).to(x)));
  EXPECT_TRUE(upsample_linear1d(x, {2}, false, tiny).flatten().equal(tensor({2.0, 2.0}).to(x)));
  EXPECT_TRUE(upsample_bicubic2d(image, {1, 1}, false, tiny, tiny)
                  .equal(full({1, 1, 1, 1}, 8.0, x.options())));
}

TEST(ErrorTexts, TriangleIndices) {
  for (std::int64_t rows = 0; rows < 5; ++rows)
    for (std::int64_t columns = 0; columns < 5; ++columns)
      for (std::int64_t offset = -6; offset <= 6; ++offset) {
        const Tensor all = ones({rows, columns});
        EXPECT_TRUE(tril_indices(rows, columns, offset).equal(all.tril(offset).nonzero().t()));
        EXPECT_TRUE(triu_indices(rows, columns, offset).equal(all.triu(offset).nonzero().t()));
      }
}

// Found by calls with arguments that hardly go together: each of them was legal.
TEST(ErrorTexts, GradientsOfUnusualArguments) {
  const Tensor x = ones({3}, kDouble).requires_grad_(),
               source = ones({4}, kDouble).requires_grad_();
  x.scatter_add(0, zeros({0}, kLong), source).sum().backward();
  EXPECT_TRUE(source.grad().equal(zeros({4}, kDouble)));
  const Tensor low = full({3}, 0.5, kDouble).requires_grad_(), y = x.detach().clone();
  y.clamp_(low);
  y.sum().backward();
  EXPECT_TRUE(low.grad().equal(zeros({3}, kDouble)));
  EXPECT_ERROR(ones({1}).sum_to_size({1, 1}), "sum_to");
}

}  // namespace
}  // namespace tapedeck
