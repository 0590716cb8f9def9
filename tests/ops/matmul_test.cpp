#include <tapedeck/ops/matmul.h>

#include <tests/support/compare.h>
#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

using autograd::variable_list;
using testing_support::error_of;
using testing_support::OpRow;
using testing_support::random_tensor;
using testing_support::row;
using testing_support::Shape;

using Pair = Variable (*)(const Variable&, const Variable&);

OpRow mm_of_transposes(const char* name, bool a, bool b, const testing_support::Shapes& shapes) {
  return row(name,
             [=](const Variable& x, const Variable& y) { return mm(a ? x.t() : x, b ? y.t() : y); },
             {shapes});
}

TAPEDECK_OP_TABLE(
    MatmulOps,
    (std::vector<OpRow>{
        row("mm", static_cast<Pair>(mm),
            {{{2, 3}, {3, 5}}, {{1, 3}, {3, 1}}, {{2, 0}, {0, 5}}, {{0, 3}, {3, 5}}}),
        mm_of_transposes("mm_tn", true, false, {{3, 2}, {3, 5}}),
        mm_of_transposes("mm_nt", false, true, {{2, 3}, {5, 3}}),
        mm_of_transposes("mm_tt", true, true, {{3, 2}, {5, 3}}),
        row("bmm", static_cast<Pair>(bmm), {{{2, 3, 5}, {2, 5, 7}}, {{0, 3, 5}, {0, 5, 7}}}),
        row("mv", static_cast<Pair>(mv), {{{2, 3}, {3}}, {{2, 0}, {0}}}),
        row("dot", static_cast<Pair>(dot), {{{5}, {5}}, {{0}, {0}}}),
        row("outer", static_cast<Pair>(outer), {{{2}, {3}}}),
        row("inner", static_cast<Pair>(inner), {{{2, 3}, {5, 3}}, {{3}, {2, 5, 3}}, {{}, {2}}}),
        row("matmul", static_cast<Pair>(matmul),
            {{{3}, {3}},
             {{2, 3}, {3}},
             {{3}, {3, 5}},
             {{2, 3}, {3, 5}},
             {{2, 5, 3}, {3}},
             {{2, 5, 3}, {3, 7}},
             {{3}, {2, 3, 5}},
             {{5, 3}, {2, 3, 5}},
             {{5, 3}, {2, 3, 1}},
             {{5, 3}, {2, 4, 3, 1}},
             {{5, 0}, {2, 0, 1}},
             {{2, 5, 3}, {2, 3, 2}},
             {{2, 1, 5, 3}, {3, 3, 2}},
             {{1, 2, 3}, {5, 1, 3, 2}},
             {{0, 2, 3}, {3, 2}},
             {{0, 2, 3}, {1, 3, 2}}}),
        row("addmm",
            [](const Variable& x, const Variable& a, const Variable& b) {
              return addmm(x, a, b, 0.5, -2);
            },
            {{{2, 5}, {2, 3}, {3, 5}},
             {{5}, {2, 3}, {3, 5}},
             {{2, 1}, {2, 3}, {3, 5}},
             {{}, {2, 3}, {3, 5}}}),
        row("addmm_of_transpose",
            [](const Variable& x, const Variable& a, const Variable& w) {
              return addmm(x, a, w.t());
            },
            {{{5}, {2, 3}, {5, 3}}}),
        row("addmv",
            [](const Variable& x, const Variable& a, const Variable& b) {
              return addmv(x, a, b, 0.5, -2);
            },
            {{{2}, {2, 3}, {3}}, {{}, {2, 3}, {3}}}),
        row("addr",
            [](const Variable& x, const Variable& a, const Variable& b) {
              return addr(x, a, b, 0.5, -2);
            },
            {{{2, 3}, {2}, {3}}}),
        row("baddbmm",
            [](const Variable& x, const Variable& a, const Variable& b) {
              return baddbmm(x, a, b, 0.5, -2);
            },
            {{{2, 3, 7}, {2, 3, 5}, {2, 5, 7}}, {{7}, {2, 3, 5}, {2, 5, 7}}}),
        row("addbmm",
            [](const Variable& x, const Variable& a, const Variable& b) {
              return addbmm(x, a, b, 0.5, -2);
            },
            {{{3, 7}, {2, 3, 5}, {2, 5, 7}}}),
    }));

TEST(Matmul, OneMatrixByManyVectors) {
  const Variable a = random_tensor({3, 4}, {}, 1), x = random_tensor({2, 5, 4, 1}, {}, 2);
  const Variable y = matmul(a, x);
  ASSERT_EQ(y.sizes(), (IntArrayRef{2, 5, 3, 1}));
  for (std::int64_t i = 0; i < 2; ++i)
    for (std::int64_t j = 0; j < 5; ++j)
      EXPECT_LT(testing_support::relative_error(y.array().select(0, i).select(0, j),
                                                mm(a, x.select(0, i).select(0, j)).array()),
                1e-15);
}

TEST(Matmul, BroadcastsTheAxesBefore) {
  const Variable a = random_tensor({2, 1, 3, 4}, {}, 1), b = random_tensor({5, 4, 6}, {}, 2);
  const Variable c = matmul(a, b);
  ASSERT_EQ(c.sizes(), (IntArrayRef{2, 5, 3, 6}));
  for (std::int64_t i = 0; i < 2; ++i)
    for (std::int64_t j = 0; j < 5; ++j)
      EXPECT_LT(
          testing_support::relative_error(c.array().select(0, i).select(0, j),
                                          mm(a.select(0, i).select(0, 0), b.select(0, j)).array()),
          1e-15);
}

// The gradient of a weight that is used transposed comes out row-major, as optimisers like it.
TEST(Matmul, GradientHasTheLayoutOfItsLeaf) {
  const Variable x = random_tensor({4, 3}, {}, 1).requires_grad_();
  const Variable w = random_tensor({5, 3}, {}, 2).requires_grad_();
  addmm(random_tensor({5}, {}, 3), x, w.t()).sum().backward();
  EXPECT_TRUE(w.grad().is_contiguous());
  EXPECT_TRUE(x.grad().is_contiguous());
}

TEST(Matmul, AddmmInPlace) {
  const Variable a = random_tensor({2, 3}, {}, 1), b = random_tensor({3, 4}, {}, 2);
  const Variable x = random_tensor({2, 4}, {}, 3);
  const Variable expected = addmm(x, a, b, 2, 3);
  Variable y = x.clone();
  EXPECT_TRUE(y.addmm_(a, b, 2, 3).is_same(y));
  EXPECT_TRUE(testing_support::same_bits(y.array(), expected.array()));
}

TEST(Matmul, IntegersMultiply) {
  const Variable a = tensor({1, 2, 3, 4}, kInt64).view({2, 2});
  const Variable c = mm(a, a);
  EXPECT_EQ(c.dtype(), kInt64);
  EXPECT_EQ(c.select(0, 1).select(0, 0).item<std::int64_t>(), 15);
  EXPECT_EQ(error_of([&] { addmm(a, a, a, 0.5); }),
            "addmm: beta and alpha must be integers for a result of dtype Long, got 0.5 and 1");
}

TEST(Matmul, BetaZeroDoesNotReadSelf) {
  const Variable nan = full({3}, std::numeric_limits<double>::quiet_NaN(), kFloat64);
  const Variable a = random_tensor({3, 3}, {}, 1), x = random_tensor({3}, {}, 2);
  EXPECT_TRUE(testing_support::same_bits(addmm(nan, a, a, 0).array(), mm(a, a).array()));
  EXPECT_TRUE(testing_support::same_bits(addmv(nan, a, x, 0).array(), mv(a, x).array()));
}

TEST(Matmul, AGradientNobodyNeedsIsNotComputed) {
  const Variable a = random_tensor({2, 3}, {}, 1), b = random_tensor({3, 4}, {}, 2);
  const Variable c = mm(a, b.detach().requires_grad_());
  const auto grads =
      c.grad_fn()->apply({ones_like(c)}, autograd::VjpContext(*c.grad_fn(), nullptr));
  EXPECT_FALSE(grads[0].defined());
  EXPECT_TRUE(grads[1].defined());
}

TEST(Matmul, ErrorsSayWhatWasExpected) {
  const auto zero = [](const Shape& s) { return zeros(s, kFloat32); };
  EXPECT_EQ(error_of([&] {
              linear(zero({2, 3}).to(kDouble), zero({4, 3}));
            }),
            "linear: expected input and weight to have the same dtype, got Double and Float");
  EXPECT_EQ(error_of([&] { matmul(zero({}), zero({2})); }),
            "matmul: both operands need at least one dimension, got [] and [2]");
  EXPECT_EQ(error_of([&] {
              matmul(zero({2, 3}), zero({4, 5}));
            }),
            "matmul: the shapes [2, 3] and [4, 5] cannot be multiplied: 3 columns against 4 rows");
  EXPECT_EQ(error_of([&] {
              matmul(zero({7, 2, 3}), zero({4, 5}));
            }),
            "matmul: the shapes [7, 2, 3] and [4, 5] cannot be multiplied: 3 columns against 4 "
            "rows");
  EXPECT_EQ(error_of([&] {
              matmul(zero({7, 2, 3}), zero({7, 4, 5}));
            }),
            "matmul: the shapes [7, 2, 3] and [7, 4, 5] cannot be multiplied: 3 columns against 4 "
            "rows");
  EXPECT_EQ(error_of([&] {
              matmul(zero({7, 2, 3}), zero({6, 3, 5}));
            }),
            "matmul: the shapes [7] and [6] do not broadcast: at dimension 0 they have 7 and 6");
  EXPECT_EQ(error_of([&] {
              matmul(zero({2, 3}), zero({7, 4, 1}));
            }),
            "matmul: the shapes [2, 3] and [7, 4, 1] cannot be multiplied: 3 columns against 4 "
            "rows");
  EXPECT_EQ(error_of([&] {
              mm(zero({2}), zero({2, 3}));
            }),
            "mm: expected the first operand to be 2-D, got [2]");
  EXPECT_EQ(error_of([&] {
              mm(zero({2, 2}), zeros({2, 2}, kFloat64));
            }),
            "mm: expected both operands to have the same dtype, got Float and Double");
  EXPECT_EQ(error_of([&] {
              addmm(zero({3}), zero({2, 3}), zero({3, 5}));
            }),
            "addmm: expand: the expanded size 5 must match the existing size 3 at non-singleton "
            "dimension "
            "1: [3] to [2, 5]");
}

}  // namespace
}  // namespace tapedeck
